import Guest
import Images
import Memory
import NTKernel
import Processor

extension Machine {
  /// Loads the fixture's images, binds their imports, and says where the kernel's routines are reached.
  func loadImages() throws -> [TrapRange] {
    try placeImages()
    var reserved: [String: UInt64] = [:]
    for image in names.images.reversed() {
      for (routine, address) in image.routines { reserved["\(image.name)!\(routine)"] = address }
    }
    names.place(traps: try kernel.placeTraps(reserved: reserved))
    for image in names.images { try bind(image) }
    // What is asked for by name alone.
    for stub in fixture.stubs { _ = try stubTrap(stub.name, in: stub.module ?? "nt") }
    return try writeTraps(reserved: reserved)
  }

  func map(_ image: Image) throws {
    for section in image.sections where !section.bytes.isEmpty {
      let count = (section.bytes.count + 0xfff) >> 12
      let first = try memory.physical.allocate(contiguous: count)
      for page in 0..<count {
        memory.physical.fill(first + FrameNumber(page), with: section.bytes.dropFirst(page << 12).prefix(0x1000))
      }
      try memory.kernel.set(
        (0..<count).map {
          Page(
            .valid, section.isWritable ? .readWrite : .readOnly, frame: first + FrameNumber($0),
            isExecutable: section.isExecutable)
        }, at: section.address)
    }
  }

  /// Fills the import slots: with another image's export, else a Swift export or variable, else a trap that names what is missing.
  func bind(_ image: Image) throws {
    for slot in image.imports {
      let address = try resolve(slot.module, Image.ExportedName(slot.name), for: image)
      overwrite(withUnsafeBytes(of: UInt32(truncatingIfNeeded: address)) { Array($0) }, at: slot.slot)
    }
  }

  /// What `module!symbol` is for an image that imports it.
  private func resolve(_ module: String, _ symbol: Image.ExportedName, for image: Image) throws -> UInt64 {
    var wanted = Image.Forwarder(module: module, symbol: symbol)
    var seen: Set<Image.Forwarder> = []
    while seen.insert(wanted).inserted {
      if let stub = try stubTrap(wanted.symbol.description, in: wanted.module) { return stub }
      switch exported(wanted, for: image) {
      case .address(let address): return address
      case .forwarder(let next):
        wanted = next
        continue
      case nil: break
      }
      let name = wanted.symbol.description
      // A listing may not know whose its import is.
      if let number = Self.exportNumber(of: name, in: wanted.module, for: fixture.target)
        ?? (image.isFile ? nil : Self.exports.number(of: name))
      {
        return names.trapAddresses[number]
      }
      if name == "KeServiceDescriptorTable", kernel.serviceRoutines.isEmpty, wanted.module.lowercased() == "nt" {
        // Most services are no exports: the table alone leads there.
        kernel.serviceRoutines = try Kernel.serviceNames(in: fixture.target).map { service in
          guard try stubTrap(service, in: "nt") == nil, let number = Self.exports["nt", service] else {
            return try resolve("nt", .name(service), for: image)
          }
          return names.trapAddresses[number]
        }
      }
      if KnownRoutines.isExported(name, of: wanted.module, in: fixture.target),
        let variable = try kernel.address(ofVariable: name, in: wanted.module)
      {
        names.variables[variable] = "\(wanted.module)!\(name)"
        return variable
      }
      return try trap(for: Unprovided(module: wanted.module, name: name, stub: nil))
    }
    // Forwarders that lead back to each other.
    return try trap(for: Unprovided(module: module, name: symbol.description, stub: nil))
  }

  /// What a loaded image exports: the one that is named, the user's before ours.
  ///
  /// A listing may not know whose its import is, so any other image will do for it.
  private func exported(_ wanted: Image.Forwarder, for image: Image) -> Image.Export? {
    let module = wanted.module.lowercased()
    for candidate in names.images where candidate.name.lowercased() == module {
      // A file that forwards to its own name means ours.
      if let export = candidate.export(wanted.symbol), export != .forwarder(wanted) { return export }
    }
    guard !image.isFile else { return nil }
    return names.images.lazy.filter { $0.name != image.name }.compactMap { $0.export(wanted.symbol) }.first
  }

  /// Puts the code of every trap in its place: what runs after the routine has been served.
  private func writeTraps(reserved: [String: UInt64]) throws -> [TrapRange] {
    let (base, count) = kernel.trapRange
    let callbacks = kernel.callbackRange
    names.callbacks = callbacks.base..<callbacks.base + UInt64(callbacks.count) * TrapRange.stride
    for place in 0..<callbacks.count { overwrite([0xc3], at: callbacks.base + UInt64(place) * TrapRange.stride) }
    let lead = TrapRange.entry.count
    var ranges = [
      TrapRange(base: base, count: count + unprovided.count, first: 0, lead: lead),
      TrapRange(base: kernel.halTrapBase, count: count, first: 0, lead: lead),
      TrapRange(base: callbacks.base, count: callbacks.count, first: Self.firstCallback),
    ]
    for (number, export) in Self.exports.exports.enumerated() {
      let address = names.trapAddresses[number]
      overwrite(trapCode[number], at: address)
      if !reserved.isEmpty, reserved["\(export.module)!\(export.name)"] != nil {
        ranges.append(TrapRange(base: address, count: 1, first: number, lead: lead))
      }
    }
    for (index, routine) in unprovided.enumerated() {
      overwrite(
        TrapRange.entry + TrapRange.code(popping: routine.stub?.stackBytes ?? 0), at: base + UInt64(count + index) * TrapRange.stride)
    }
    // A routine that an image reserves a place for and nobody provides.
    for image in names.images {
      for (routine, address) in image.routines.sorted(by: { $0.value < $1.value })
      where Self.exports[image.name, routine] == nil {
        unprovided.append(Unprovided(module: image.name, name: routine, stub: nil))
        overwrite(TrapRange.entry + TrapRange.code(popping: 0), at: address)
        ranges.append(TrapRange(base: address, count: 1, first: Self.exports.exports.count + unprovided.count - 1, lead: lead))
      }
    }
    return ranges
  }

  private var trapCode: [[UInt8]] { Self.trapCodeByTarget[fixture.target.ordinal] }

  /// What stands at each export's trap.
  private static let trapCodeByTarget = Target.all.map { target in
    zip(exports.exports, serviceNumbers(in: target)).map { export, service in
      // Guest code reads a service's number from the first instruction of its Zw routine.
      (service >= 0 ? SystemServices.entry(of: service) : TrapRange.entry) + TrapRange.code(popping: export.stackBytes(target))
    }
  }

  /// Writes bytes of system space whatever its protection, before anything runs.
  func overwrite(_ bytes: [UInt8], at address: UInt64) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let place = address + UInt64(rest.startIndex)
      let piece = rest.prefix(Int(GuestMemory.pageSize - place % GuestMemory.pageSize))
      rest = rest.dropFirst(piece.count)
      if let frame = memory.current.frame(at: place) {
        memory.physical.write(piece, to: frame, at: Int(place % GuestMemory.pageSize))
      }
    }
  }

  /// Applies the fixture's patches and the caller's.
  func applyPatches() throws {
    for patch in fixture.patches + options.patches {
      let place = try address(of: patch.place, line: patch.origin.line)
      let current = (0..<patch.bytes.count).map { offset -> UInt8? in
        let at = place + UInt64(offset)
        return memory.current.frame(at: at).map { (memory.physical.host($0) + Int(at & 0xfff)).load(as: UInt8.self) }
      }
      guard !current.contains(nil) else { throw error(patch.origin.line, "nothing is loaded at \(hex(place)) to patch") }
      if let was = patch.was, was != current.compactMap({ $0 }) {
        let found = current.compactMap { $0.map { hex($0, digits: 2) } }.joined(separator: " ")
        throw error(patch.origin.line, "the patch expects other bytes at \(hex(place)); there are \(found)")
      }
      overwrite(patch.bytes, at: place)
    }
  }

  /// An error at a line of the fixture.
  func error(_ line: Int?, _ message: String) -> EmulationError {
    EmulationError(line.map { "\(fixture.name):\($0): \(message)" } ?? "\(fixture.name): \(message)")
  }
}
