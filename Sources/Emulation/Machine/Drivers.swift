import Events
import FilterManager
import Guest
import Images
import NTKernel
import WindowsTypes

/// Drivers, and the users of their devices.
extension Machine {
  /// Starts every driver of the fixture's that no step starts: as Windows would by their service keys, and those on demand in the
  /// order in which they are loaded.
  func startDrivers() throws {
    let later = Set(
      fixture.steps.compactMap { step -> String? in
        switch step.action {
        case .load(let load): load.driver.lowercased()
        // A fixture that calls an entry point itself starts the driver in its own way.
        case .call(let call):
          (try? address(of: call.routine, line: nil)).flatMap { place in names.images.first { $0.file.entryPoint == place } }?.name
            .lowercased()
        default: nil
        }
      })
    let passive = later.union(impliedImages)
    let drivers = names.images.filter { $0.isDriver && !$0.isExportDriver && !passive.contains($0.name.lowercased()) }
    guard !drivers.isEmpty else { return }
    // The filter manager has its place among them: who comes before it finds it uninitialized.
    let filterManager = "FltMgr"
    let isOurs = !drivers.contains { $0.name.lowercased() == filterManager.lowercased() }
    let order = StartOrder(drivers.map(\.name) + (isOurs ? [filterManager] : []), in: kernel.registry)
    if isOurs { kernel.setFilterManager(isUp: false) }
    defer { kernel.setFilterManager(isUp: true) }
    let waiting = driversOnDemand(order)
    for phase in StartOrder.Start.allCases {
      kernel.startPhase = phase
      for entry in order.entries where entry.start == phase && !waiting.contains(entry.driver) {
        if isOver { return }
        if isOurs, entry.driver == filterManager {
          kernel.setFilterManager(isUp: true)
          continue
        }
        let obstacle = order.obstacle(to: entry, isStarted: kernel.isServiceStarted)
        startOrder.append(DriverStart(driver: entry.driver, reason: entry.reason, obstacle: obstacle))
        if let obstacle {
          stream.append(.note("\(entry.driver) is not started: \(obstacle)"))
        } else {
          try perform(Fixture.Load(entry.driver), -1, nil)
        }
      }
      for driver in kernel.drivers where driver.isToBeReinitialized(after: phase) && !isOver {
        try perform(
          Fixture.Call(
            on: try systemThread().name, .symbol(module: "nt", name: "IopReinitializeDriver", offset: 0),
            with: [.integer(driver.object.address)]),
          -1, nil, title: "call \(driver.name) again")
      }
    }
    kernel.startPhase = nil
  }

  /// The drivers for which the fixture itself says that they start on demand: they wait for it, unless one that starts depends on
  /// them.
  private func driversOnDemand(_ order: StartOrder) -> Set<String> {
    var waiting: Set<String> = []
    for entry in order.entries where entry.start == .demand {
      guard let key = kernel.serviceKey(entry.driver) else { continue }
      let isSaid = fixture.registry.contains { said in
        kernel.registry.key(at: said.path) === key && said.values.contains { $0.name.lowercased() == "start" }
      }
      if isSaid { waiting.insert(entry.driver) }
    }
    // Those that others depend on stand before them.
    for entry in order.entries.reversed() where !waiting.contains(entry.driver) && [.auto, .demand].contains(entry.start) {
      for service in entry.services { waiting = waiting.filter { $0.lowercased() != service.lowercased() } }
    }
    return waiting
  }

  func perform(_ load: Fixture.Load, _ index: Int, _ line: Int?) throws {
    let image = names.images.first { $0.name.lowercased() == load.driver.lowercased() }
    let entry: UInt64
    if load.entry == nil, let kind = image?.kindWithoutDriverEntry {
      throw error(line, "\(load.driver) is no driver: it is \(kind); expected an image with a DriverEntry")
    }
    if let place = load.entry {
      entry = try address(of: place, line: line)
    } else if let point = image?.file.entryPoint {
      entry = point
    } else {
      let known = suggestion(for: load.driver, among: names.images.filter(\.isDriver).map(\.name))
      throw error(line, "no driver \(quoted(load.driver)) is loaded\(known)")
    }
    let name = image?.name ?? load.driver
    guard !kernel.drivers.contains(where: { $0.isLoaded && $0.name.lowercased() == name.lowercased() }) else {
      throw error(line, "the driver \(quoted(name)) runs already")
    }
    // SERVICE_KERNEL_DRIVER, SERVICE_FILE_SYSTEM_DRIVER, SERVICE_RECOGNIZER_DRIVER
    if let type = kernel.serviceKey(name)?["Type"]?.number, ![1, 2, 8].contains(type) {
      throw error(line, "Services\\\(name) has Type 0x\(hex(UInt64(type), digits: 2)), which is no driver's: expected 1, 2 or 8")
    }
    let range = imageRange(image, around: entry)
    let section = try image.flatMap { try mapImage(at: $0.base)?.address } ?? 0
    let driver = try kernel.loadDriver(name, entry: entry, base: range.lowerBound, size: UInt64(range.count), section: section)
    let (before, first) = (counters, stream.events.count)
    try perform(
      Fixture.Call(
        on: try systemThread().name, .symbol(module: "nt", name: "IopLoadDriver", offset: 0), with: [.integer(driver.object.address)],
        expect: load.expect ?? .any),
      index, line, title: "load \(name)")
    note(.start, of: driver, since: before)
    if load.expect == nil { checkSuccess("DriverEntry of \(name)", line, eventsFrom: first) }
  }

  /// What `FilterLoad` starts: an image of the fixture's, by its service's name.
  func prepareDriver(_ service: String) throws -> Driver? {
    guard let image = names.images.first(where: { $0.name.lowercased() == service.lowercased() }), let entry = image.file.entryPoint
    else { return nil }
    return try kernel.loadDriver(
      image.name, entry: entry, base: image.base, size: image.size, section: moduleEntries[image.base]?.address ?? 0)
  }

  func perform(_ unload: Fixture.Unload, _ index: Int, _ line: Int?) throws {
    guard let driver = kernel.drivers.last(where: { $0.isLoaded && $0.name.lowercased() == unload.driver.lowercased() }) else {
      if unload.expect == .any { return }
      if let earlier = kernel.drivers.last(where: { $0.name.lowercased() == unload.driver.lowercased() }) {
        return mismatch(line, "\(earlier.name) was to be unloaded; it does not run (any more)")
      }
      let known = suggestion(for: unload.driver, among: kernel.drivers.filter(\.isLoaded).map(\.name))
      throw error(line, "no driver \(quoted(unload.driver)) runs\(known)")
    }
    let (before, first) = (counters, stream.events.count)
    try perform(
      Fixture.Call(
        on: try systemThread().name, .symbol(module: "nt", name: "IopUnloadDriver", offset: 0), with: [.integer(driver.object.address)],
        expect: unload.expect ?? .any),
      index, line, title: "unload \(driver.name)")
    note(.unload, of: driver, since: before)
    if unload.expect == nil { checkSuccess("DriverUnload of \(driver.name)", line) }
    guard unload.leavesNothing else { return }
    for event in stream.events.dropFirst(first) {
      guard case .leftBehind(_, let what, let site) = event else { continue }
      let maker = site.ip == 0 ? "" : ", made by \(names.symbol(at: site.ip) ?? hex(site.ip))"
      mismatch(line, "\(driver.name) was to leave nothing behind; it left \(what)\(maker)")
    }
    if driver.isUnloadPending { mismatch(line, "\(driver.name) was to be gone; a device of its is still open or attached to") }
  }

  /// Where a driver's code is: its image, or the fixture's region around its entry.
  private func imageRange(_ image: Image?, around entry: UInt64) -> Range<UInt64> {
    if let image { return image.base..<image.base + image.size }
    if let image = names.image(at: entry) { return image.base..<image.base + image.size }
    let region = fixture.kernel.first { $0.address <= entry && entry - $0.address < $0.size }
    return region.map { $0.address..<$0.address + $0.size } ?? entry..<entry + 1
  }

  /// - Parameter first: where the step's events begin: a note among them may say why.
  func checkSuccess(_ what: String, _ line: Int?, eventsFrom first: Int? = nil) {
    switch outcome {
    case .returned(let value) where NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value)).isSuccess: return
    case .returned(let value):
      let notes = first.map { stream.events.dropFirst($0).compactMap { if case .note(let text) = $0 { text } else { nil } } } ?? []
      mismatch(
        line,
        "\(what) was to succeed; it returned \(NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value)))"
          + (notes.last.map { " (\($0))" } ?? ""))
    default:
      if fixture.expect.outcome == nil && fixture.expect.bugcheck == nil { mismatch(line, "\(what) was to return; \(sentence(outcome))") }
    }
  }

  /// A thread of System: the fixture's first, or one of its own.
  func systemThread() throws -> NTKernel.Thread {
    if let thread = kernel.threads.first(where: { $0.owner.id == 0 }) { return thread }
    let thread = try kernel.createThread("system", in: kernel.processes[0])
    nameNewcomers()
    return thread
  }

  // MARK: Requests

  func perform(_ request: Fixture.IORequest, _ index: Int, _ line: Int?) throws {
    let thread = try thread(request.thread, line: line)
    guard let owner = kernel.process(at: try thread.object.Tcb.ApcState.Process.load().address) else {
      throw error(line, "\(request.thread) is in no process")
    }
    let block = try kernel.userBlock(8, in: owner)
    try kernel.store([UInt8](repeating: 0, count: 8), at: block, in: owner)
    func call(_ routine: String, _ arguments: [UInt64], _ title: String) throws {
      let service = try service(named: routine, line: line)
      // The user's call goes through the table of services, in which a driver may have put itself.
      let hook = service.number.flatMap { kernel.hookedService($0) }
      try perform(
        Invocation(
          name: hook.map { .address($0) } ?? service.name, routine: hook ?? service.address, arguments: arguments, kind: .systemCall,
          expect: request.expect),
        on: thread, index, line, title: "\(title) on \(request.thread)")
    }
    switch request.kind {
    case .open(let path, let handle, let isOverlapped, let opening):
      let attributes = try kernel.objectAttributes(path.hasPrefix("\\\\.\\") ? "\\??\\" + path.dropFirst(4) : path, in: owner)
      let place = try kernel.userBlock(8, in: owner)
      // As CreateFile opens for reading and writing: GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, shared, FILE_OPEN.
      let access = UInt64(opening.access ?? 0xc000_0000) | 0x10_0080
      let disposition = UInt64(Fixture.Opening.Disposition.allCases.firstIndex(of: opening.disposition) ?? 1)
      try call(
        "NtCreateFile",
        [
          place, access, attributes, block, 0, 0x80, access & 0x1_0000 != 0 ? 7 : 3, disposition,
          UInt64(opening.createOptions(isOverlapped: isOverlapped)), 0, 0,
        ], "open \(path)")
      guard case .returned(let status) = outcome, NTSTATUS(rawValue: UInt32(truncatingIfNeeded: status)).isSuccess else {
        values[handle] = 0xffff_ffff
        return
      }
      values[handle] = try word(at: place, in: owner)
    case .control(let code, let handle, let input, let output):
      try call(
        "NtDeviceIoControlFile",
        [
          try self.handle(handle, line), 0, 0, 0, block, UInt64(code), input?.address ?? 0, UInt64(input?.length ?? 0),
          output?.address ?? 0, UInt64(output?.length ?? 0),
        ], "ioctl 0x\(hex(code)) to \(handle)")
    case .read(let handle, let buffer, let offset):
      try call("NtReadFile", try transfer(handle, buffer, offset, block, owner, line), "read \(handle)")
    case .write(let handle, let buffer, let offset):
      try call("NtWriteFile", try transfer(handle, buffer, offset, block, owner, line), "write \(handle)")
    case .close(let handle): try call("NtClose", [try self.handle(handle, line)], "close \(handle)")
    }
    guard let expected = request.information, !isOver else { return }
    let information = try word(at: block + 4, in: owner)
    if information != expected { mismatch(line, "\(expected) bytes were to be transferred; the caller is told \(information)") }
  }

  /// A system service that steps call.
  struct Service {
    let name: Fixture.Place
    let number: Int?
    let address: UInt64
  }

  /// Looked up once while the same images are there: a file of the user's may provide it.
  private func service(named routine: String, line: Int?) throws -> Service {
    if servicesImageCount != names.images.count {
      services = [:]
      servicesImageCount = names.images.count
    }
    if let known = services[routine] { return known }
    let name = Fixture.Place.symbol(module: "nt", name: routine, offset: 0)
    let found = Service(
      name: name, number: SystemServices.number(of: routine, in: fixture.target), address: try address(of: name, line: line))
    services[routine] = found
    return found
  }

  private func transfer(
    _ handle: String, _ buffer: Fixture.Buffer, _ offset: UInt64, _ block: UInt64, _ owner: NTKernel.Process, _ line: Int?
  ) throws -> [UInt64] {
    let place = try kernel.userBlock(8, in: owner)
    try kernel.store(withUnsafeBytes(of: offset) { Array($0) }, at: place, in: owner)
    return [try self.handle(handle, line), 0, 0, 0, block, buffer.address, UInt64(buffer.length), place, 0]
  }

  func handle(_ name: String, _ line: Int?) throws -> UInt64 { try address(of: .named(name, offset: 0), line: line) }

  func word(at address: UInt64, in process: NTKernel.Process) throws -> UInt64 {
    let before = memory.current
    memory.activate(process.space)
    defer { memory.activate(before) }
    return UInt64(try memory.memory.load(UInt32.self, at: address))
  }
}

extension Image {
  /// Whether it is a file with an entry point that the I/O manager calls.
  var isDriver: Bool { file.entryPoint != nil }
}
