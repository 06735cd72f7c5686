import Events
import Guest
import NTKernel
import WindowsTypes

/// A routine that some image imports and no Swift export is: a call of it ends the run, or, where it is a stub, returns at once.
struct Unprovided {
  let module: String
  let name: String
  /// What a stub pops and returns.
  let stub: (stackBytes: Int, value: UInt32)?
}

/// A call that ended the run, because nobody provides what was called.
public struct MissingRoutine: Sendable, Hashable {
  /// As the debugger names it: `nt`.
  public let module: String
  public let name: String
  /// The address that the call returns to, and those of the calls that led there.
  public let site: Site
  /// How many of ``NTKernel/KnownRoutines/countedDrivers`` import it.
  public let importers: Int
  /// The name that a misspelt one most likely means.
  public let nearest: String?
  /// What the module is, where nothing of it is provided.
  public let about: String?
  /// The version of Windows that first exports it, where the run's own is older.
  public let introduced: WindowsRelease?
}

/// The calls of one stub.
public struct StubCalls: Sendable, Hashable {
  /// `nt!ZwFoo`
  public let routine: String
  public let value: UInt32
  /// Bytes of stack that each call popped.
  public let stackBytes: Int
  public internal(set) var count: Int
  /// Where the first call returned to.
  public let site: Site
}

extension Machine {
  /// The address that an import of `module!name` gets, if the fixture stubs it.
  func stubTrap(_ name: String, in module: String) throws -> UInt64? {
    guard let stub = fixture.stubs.last(where: { $0.stands(for: name, in: module) }) else { return nil }
    usedStubs.insert(stub.name)
    let value = try status(stub.value, line: stub.origin.line).rawValue
    return try trap(for: Unprovided(module: module, name: name, stub: (stub.stackBytes ?? stackBytes(of: name, in: module), value)))
  }

  /// What `module!name` pops, as far as it is known; a routine of which nothing is known is taken for cdecl.
  private func stackBytes(of name: String, in module: String) -> Int {
    if let number = Self.exportNumber(of: name, in: module, for: nil) { return Self.exports.exports[number].stackBytes(fixture.target) }
    if case .routine(_, let bytes) = KnownRoutines.kind(of: name, in: module) { return bytes }
    return 0
  }

  /// The trap of a routine that no export is.
  func trap(for routine: Unprovided) throws -> UInt64 {
    let key = "\(routine.module)!\(routine.name)"
    let index = unprovidedNumbers[key] ?? unprovided.count
    let (base, count) = kernel.trapRange
    let address = base + UInt64(count + index) * 16
    if index == unprovided.count {
      guard count + index < kernel.trapCapacity else {
        throw EmulationError("\(fixture.name): the images import more than \(index) routines that nobody provides")
      }
      unprovided.append(routine)
      unprovidedNumbers[key] = index
      names.variables[address] = key
    }
    return address
  }

  /// Guest code called what no export is.
  func serveUnprovided(_ routine: Unprovided) -> Bool {
    let site = kernel.site()
    guard let stub = routine.stub else {
      missing = missingRoutine(routine.module, routine.name, site)
      end(.missingRoutine("\(routine.module)!\(routine.name)"))
      return false
    }
    let name = "\(routine.module)!\(routine.name)"
    kernel.registers[.ax] = UInt64(stub.value)
    stream.append(.note("\(name) is a stub: it returned \(hex(UInt64(stub.value))) to \(names.symbol(at: site.ip) ?? hex(site.ip))"))
    if let index = stubCalls.firstIndex(where: { $0.routine == name }) {
      stubCalls[index].count += 1
    } else {
      stubCalls.append(StubCalls(routine: name, value: stub.value, stackBytes: stub.stackBytes, count: 1, site: site))
    }
    return true
  }

  /// Everything that helps who meets a missing routine.
  func missingRoutine(_ module: String, _ name: String, _ site: Site) -> MissingRoutine {
    let provided = Self.exports.exports.filter { $0.module.lowercased() == module.lowercased() && $0.isImportable }.map(\.name)
    let isKnown = KnownRoutines.kind(of: name, in: module) != nil || KnownRoutines.importers(of: name, in: module) > 0
    let introduced = KnownRoutines.introduction(of: name, in: module)
    return MissingRoutine(
      module: module, name: name, site: site, importers: KnownRoutines.importers(of: name, in: module),
      nearest: isKnown || provided.isEmpty ? nil : nearest(name, among: provided + KnownRoutines.names(in: module)),
      about: provided.isEmpty ? KnownRoutines.about(module: module) ?? "a module that is not loaded" : nil,
      introduced: introduced > fixture.target.system.release ? introduced : nil)
  }
}

extension Names {
  /// Where a missing routine was called, and what to do about it:
  ///
  ///     called by demo!DriverEntry+0x2c (returns to f8b01032); 3 of 311 real drivers import it; --stub nt!ZwFoo=0 lets the run go on
  public func advice(_ missing: MissingRoutine) -> String {
    func place(_ address: UInt64) -> String { symbol(at: address).map { "\($0) (\(hex(address, target)))" } ?? hex(address, target) }
    var parts = ["called from \(place(missing.site.ip))"]
    if let caller = missing.site.stack.first(where: { $0 != missing.site.ip }) { parts[0] += ", which \(place(caller)) called" }
    if let about = missing.about { parts.append("\(missing.module) is \(about)") }
    if let introduced = missing.introduced {
      let later = Target.all.first {
        KnownRoutines.isExported(missing.name, of: missing.module, in: $0)
          && Machine.exportNumber(of: missing.name, in: missing.module, for: $0) != nil
      }
      parts.append(
        "\(missing.name) is exported from \(introduced) on; this run is \(target.system.release)"
          + (later.map { ": run it with --windows \($0.windowsName)" } ?? ""))
    }
    if missing.importers > 0 { parts.append("\(missing.importers) of \(KnownRoutines.countedDrivers) real drivers import it") }
    if let nearest = missing.nearest { parts.append("did you mean \(missing.module)!\(nearest)?") }
    parts.append("--stub \(missing.module)!\(missing.name)=0 lets the run go on")
    return parts.joined(separator: "; ")
  }
}
