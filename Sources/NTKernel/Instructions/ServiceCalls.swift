import Events
import Guest
import WindowsTypes

/// The table of system services, which drivers read and change: `KeServiceDescriptorTable`, `int 2Eh`, and the service numbers in the
/// code of the `Zw` routines.
extension Kernel {
  /// Where the table lies once somebody imports it, and what its entries were.
  struct ServiceTable {
    let address: UInt64
    let routines: [UInt64]
  }

  /// What each service is called, by number: `NtCreateFile`.
  public static func serviceNames(in target: Target) -> [String] { SystemServices.services(in: target).map { "Nt" + $0.name } }

  /// Writes the descriptor (base, counters, limit, argument bytes) at `place`, and the table that it leads to.
  func makeServiceTable(at place: UInt64) throws {
    let here = memory.memory
    let services = SystemServices.services(in: memory.target)
    if serviceRoutines.count != services.count {
      // Without a loader, one place stands for all that is not provided.
      let absent = trapAddress(of: "KiServiceNotProvided")
      serviceRoutines = services.map { service in exports["nt", "Nt\(service.name)"].map { trapAddresses[$0] } ?? absent }
    }
    let table = try moduleSpace(UInt64(4 * serviceRoutines.count))
    for (number, routine) in serviceRoutines.enumerated() {
      try here.store(UInt32(truncatingIfNeeded: routine), at: table + UInt64(4 * number))
    }
    let arguments = try moduleSpace(UInt64(serviceRoutines.count))
    try here.write(services.map { $0.argumentCount &* 4 }, at: arguments)
    try here.store(UInt32(truncatingIfNeeded: table), at: place)
    try here.store(UInt32(serviceRoutines.count), at: place + 8)
    try here.store(UInt32(truncatingIfNeeded: arguments), at: place + 12)
    serviceTable = ServiceTable(address: table, routines: serviceRoutines)
  }

  /// Memory in the kernel's own image.
  private func moduleSpace(_ size: UInt64) throws -> UInt64 {
    guard let place = moduleSpace.allocate(size) else { throw KernelError("no room for the services' table") }
    try mapModuleSpace(at: place, size)
    return place
  }

  /// What guest code has put in the place of service `number`, if it has.
  public func hookedService(_ number: Int) -> UInt64? {
    guard let table = serviceTable, let entry = try? memory.memory.load(UInt32.self, at: table.address + UInt64(4 * number)),
      UInt64(entry) != table.routines[number]
    else { return nil }
    return UInt64(entry)
  }

  /// `int 2Eh` in kernel mode: the service whose number is in `eax`, with the arguments at `edx`, in the caller's own mode.
  ///
  /// A number that is none is STATUS_INVALID_SYSTEM_SERVICE.
  func callService(returningTo ip: UInt64, _ sp: UInt64) -> Continuation {
    let number = Int(registers[.ax] & 0xffff_ffff)
    let services = SystemServices.services(in: memory.target)
    guard number < services.count else {
      registers[.ax] = 0xc000_001c
      return .proceed
    }
    let service = services[number]
    let known = exports["nt", "Nt\(service.name)"].map { trapAddresses[$0] }
    guard let routine = hookedService(number) ?? serviceTable?.routines[number] ?? known else {
      ending = .missingRoutine("nt!Nt\(service.name)")
      return .stop
    }
    do {
      let arguments = try (0..<Int(service.argumentCount)).map { index in
        UInt64(try memory.memory.load(UInt32.self, at: (registers[.dx] + UInt64(4 * index)) & 0xffff_ffff))
      }
      var after: [Register: UInt64] = [:]
      for register in Register.allCases { after[register] = registers[register] }
      (after[.ip], after[.sp]) = (ip, sp)
      return try start(.dispatch) { [self, after] in
        // The processor has pushed a frame.
        let value = try await call(routine, arguments, below: below(sp, 12))
        var after = after
        after[.ax] = value
        throw ControlTransfer(registers: after)
      }
    } catch { return handle(error, ip: ip &- 2, sp: sp) }
  }
}
