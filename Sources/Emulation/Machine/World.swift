import Guest
import Memory
import NTKernel
import WindowsTypes

extension Machine {
  /// Makes the fixture's sections, kernel memory, processes, threads and values.
  func buildWorld() throws {
    for section in fixture.sections {
      let count = Int((section.size + 0xfff) >> 12)
      let bytes = section.content.bytes(count: Int(section.size))
      sections[section.name] = try (0..<count).map { try kernel.makeFrame(bytes.dropFirst($0 << 12).prefix(0x1000)) }
    }
    let system = fixture.process("System")
    try makeProcess(system ?? Fixture.Process("System", id: 4))
    for process in fixture.processes where process.name != "System" { try makeProcess(process) }
    for region in fixture.kernel { try mapKernel(region) }
    for value in fixture.values {
      let address = try kernel.allocate(value.size)
      try memory.memory.write(value.content.bytes(count: Int(value.size)), at: address)
      values[value.name] = address
    }
    for thread in fixture.threads { try makeThread(thread) }
    if kernel.threads.isEmpty { try makeThread(Fixture.Thread("system", in: "System")) }
    try kernel.run(kernel.threads[0])
    for process in kernel.processes {
      names.processes.append(
        Names.Process(
          name: process.name, uniqueID: try process.object.UniqueProcessId.load().address, object: process.object.address))
    }
    for thread in kernel.threads {
      names.threads.append(Names.Thread(name: thread.name, owner: thread.owner.id, object: thread.object.address))
    }
  }

  private func makeProcess(_ process: Fixture.Process) throws {
    let ids = Set(fixture.processes.compactMap(\.id) + fixture.threads.compactMap(\.id))
    let id = process.id ?? stride(from: UInt32(0x100), to: .max, by: 4).first { !ids.contains($0) && !usedIDs.contains($0) } ?? 0
    let made = try kernel.createProcess(process.name, uniqueID: UInt64(id))
    if let user = process.user { kernel.setUser(user, of: made) }
    for region in process.memory { try map(region, in: made) }
  }

  private var usedIDs: Set<UInt32> {
    Set(kernel.processes.compactMap { try? UInt32(truncatingIfNeeded: $0.object.UniqueProcessId.load().address) })
  }

  private func makeThread(_ thread: Fixture.Thread) throws {
    let owner = try process(thread.process, line: thread.origin.line)
    let made = try kernel.createThread(thread.name, in: owner, uniqueID: thread.id.map(UInt64.init))
    guard let attached = thread.attached else { return }
    // The attach is a real one, made before the run begins.
    try kernel.attach(made, to: try process(attached, line: thread.origin.line))
  }

  /// Maps a region of a process's memory, or of a step that maps one.
  func map(_ region: Fixture.Region, in process: NTKernel.Process) throws {
    let count = Int((region.size + 0xfff) >> 12)
    var page = Page(.valid, protection(region.protection), isGuard: region.guard, isExecutable: region.protection.allowsExecution)
    switch region.kind {
    case .demandZero: page.kind = .demandZero
    case .reserved: page.kind = .reserved
    case .decommitted: page.kind = .decommitted
    case .noAccess: page.protection = .noAccess
    case .copyOnWrite: page.protection = .writeCopy
    case .valid, .pagedOut: break
    }
    guard region.kind.holdsContent else { return try kernel.map(page, pages: count, at: region.address, in: process) }
    let bytes = region.content.bytes(count: Int(region.size))
    if region.kind == .pagedOut {
      let status = try region.pager.map { try self.status($0, line: region.origin.line) }
      for index in 0..<count {
        try kernel.pageOut(
          page, at: region.address + UInt64(index) << 12, content: Array(bytes.dropFirst(index << 12).prefix(0x1000)),
          failing: status, in: process)
      }
      return
    }
    if let name = region.section {
      guard let frames = sections[name] else { throw error(region.origin.line, "no section \(quoted(name))") }
      page.isShared = true
      let first = Int(region.sectionOffset >> 12)
      return try kernel.map(page, frames: Array(frames.dropFirst(first).prefix(count)), at: region.address, in: process)
    }
    try kernel.map(page, pages: count, at: region.address, in: process)
    for index in 0..<count {
      guard let frame = process.space.frame(at: region.address + UInt64(index) << 12) else { continue }
      memory.physical.fill(frame, with: bytes.dropFirst(index << 12).prefix(0x1000))
    }
  }

  private func mapKernel(_ region: Fixture.Region) throws {
    guard memory.kernel[region.address].kind == .free else {
      throw error(region.origin.line, "kernel memory at \(hex(region.address)) is in use already")
    }
    if let name = region.name { values[name] = region.address }
    let count = Int((region.size + 0xfff) >> 12)
    switch region.kind {
    case .demandZero:
      try memory.kernel.set(repeatElement(Page(.demandZero, protection(region.protection)), count: count), at: region.address)
    case .reserved, .decommitted: return
    default:
      try kernel.mapKernelPages(at: region.address, size: region.size)
      overwrite(region.content.bytes(count: Int(region.size)), at: region.address)
      guard !region.protection.allowsWriting || region.kind == .noAccess else { return }
      for index in 0..<count {
        var page = memory.kernel[region.address + UInt64(index) << 12]
        page.protection = region.kind == .noAccess ? .noAccess : .readOnly
        try memory.kernel.set(page, at: region.address + UInt64(index) << 12)
      }
    }
  }

  func protection(_ protection: Fixture.Protection) -> Page.Protection { protection.allowsWriting ? .readWrite : .readOnly }

  // MARK: Names

  func process(_ name: String, line: Int?) throws -> NTKernel.Process {
    guard let process = kernel.processes.first(where: { $0.name == name }) else {
      let known = suggestion(for: name, among: kernel.processes.map(\.name))
      throw error(line, "no process \(quoted(name))\(known)")
    }
    return process
  }

  func thread(_ name: String, line: Int?) throws -> NTKernel.Thread {
    guard let thread = kernel.threads.first(where: { $0.name == name }) else {
      let known = suggestion(for: name, among: kernel.threads.map(\.name))
      throw error(line, "no thread \(quoted(name))\(known)")
    }
    return thread
  }

  func status(_ code: Fixture.Code, line: Int?) throws -> NTSTATUS {
    switch code {
    case .number(let value): return NTSTATUS(rawValue: value)
    case .name(let name):
      guard let status = NTSTATUS(name: name) else {
        let known = NTSTATUS.nearestName(to: name).map { "; did you mean \($0)?" } ?? ""
        throw error(line, "no status \(quoted(name))\(known)")
      }
      return status
    }
  }

  func bugCheckCode(_ code: Fixture.Code, line: Int?) throws -> BugCheckCode {
    switch code {
    case .number(let value): return BugCheckCode(rawValue: value)
    case .name(let name):
      guard let code = BugCheckCode(name: name) else {
        let known = BugCheckCode.nearestName(to: name).map { "; did you mean \($0)?" } ?? ""
        throw error(line, "no bugcheck \(quoted(name))\(known)")
      }
      return code
    }
  }

  /// The address that a place of the fixture names.
  func address(of place: Fixture.Place, line: Int?) throws -> UInt64 {
    switch place {
    case .address(let address): return address
    case .named(let name, let offset):
      guard let value = values[name] else {
        let known = suggestion(for: name, among: values.keys.sorted())
        throw error(line, "nothing is called \(quoted(name))\(known)")
      }
      return value + offset
    case .pointee(let inner, let offset):
      let pointer = try address(of: inner, line: line)
      guard memory.memory.allows(.read, at: pointer) else { throw error(line, "\(inner) is not readable") }
      return try GuestWord.load(memory.memory, at: pointer).bits + offset
    case .symbol(let module, let name, let offset):
      for image in names.images where image.name.lowercased() == module.lowercased() {
        if let address = image.address(of: name) { return address + offset }
      }
      if let number = Self.exports[module, name] { return names.trapAddresses[number] + offset }
      if let variable = try kernel.address(ofVariable: name, in: module) { return variable + offset }
      throw unknown(module, name, line)
    }
  }

  private func unknown(_ module: String, _ name: String, _ line: Int?) -> EmulationError {
    let image = names.images.first { $0.name.lowercased() == module.lowercased() }
    let known =
      (image?.symbols.map(\.name) ?? []) + Self.exports.exports.filter { $0.module.lowercased() == module.lowercased() }.map(\.name)
    if known.isEmpty {
      let modules = names.images.map(\.name) + ["nt", "hal", "fltMgr"]
      let hint = nearest(module, among: modules).map { "; did you mean \($0)!\(name)?" } ?? ", and no image of that name is loaded"
      return error(line, "no module “\(module)”\(hint)")
    }
    let hint = nearest(name, among: known).map { "; did you mean \(module)!\($0)?" } ?? ""
    return error(line, "no routine \(module)!\(name)\(hint)")
  }
}
