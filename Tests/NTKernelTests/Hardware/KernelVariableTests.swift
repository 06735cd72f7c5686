import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("What the kernel exports beside routines") struct KernelVariableTests {
  private func variable(_ k: TestKernel, _ name: String, in module: String = "nt") throws -> UInt64 {
    try k.kernel.fillVariables()
    return try #require(try k.kernel.address(ofVariable: name, in: module))
  }

  @Test("every variable has an address, and its first value does not fail")
  func all() throws {
    let k = try TestKernel()
    try k.kernel.fillVariables()
    for variable in KernelVariable.all {
      #expect(try k.kernel.address(ofVariable: variable.name, in: variable.module) != nil, "\(variable.name)")
    }
  }

  @Test("KPCR.KdVersionBlock leads to the debugger's data, and that to the lists of modules and processes")
  func debuggerData() throws {
    let k = try TestKernel()
    let version = UInt64(try k.load(k.kernel.kpcr.address + 0x34))
    let head = UInt64(try k.load(version + 0x20))
    let data = UInt64(try k.load(head))
    #expect(try k.load(data) == head && k.load(data + 4) == head)
    // OwnerTag "KDBG", Size, KernBase with its sign.
    #expect(try k.load(data + 0x10) == 0x4742_444b && k.load(data + 0x14) == 0x290)
    #expect(try k.load(data + 0x18) == 0x804d_7000 && k.load(data + 0x1c) == 0xffff_ffff)
    #expect(try UInt64(k.load(data + 0x48)) == k.kernel.address(ofVariable: "PsLoadedModuleList", in: "nt"))
    // The first process of the list is System.
    let processes = UInt64(try k.load(data + 0x50))
    #expect(try UInt64(k.load(processes)) == k.system.object.ActiveProcessLinks.address)
  }

  @Test("KeTickCount is the time as of the latest tick, high part twice")
  func tickCount() throws {
    let k = try TestKernel()
    var executed: UInt64 = 0
    k.kernel.clock = { executed }
    let count = try variable(k, "KeTickCount")
    #expect(try k.load(count) == 0)
    // The clock wants to be heard at the next tick: 15.625 ms of 100 instructions a microsecond.
    #expect(k.kernel.deadline == 1_562_500)
    executed = 1_562_500
    #expect(k.kernel.clockInterrupt() == .proceed)
    #expect(try k.load(count) == 1 && k.load(count + 4) == 0 && k.load(count + 8) == 0)
    #expect(k.kernel.deadline == 2 * 1_562_500)
    // At DISPATCH_LEVEL too; from the clock's own level on it stands.
    try k.raiseIRQL(to: 2)
    executed = 2 * 1_562_500
    _ = k.kernel.clockInterrupt()
    #expect(try k.load(count) == 2)
    try k.raiseIRQL(to: 28)
    executed = 3 * 1_562_500
    _ = k.kernel.clockInterrupt()
    #expect(try k.load(count) == 2)
    try k.raiseIRQL(to: 0)
    // What passes without an instruction counts.
    try k.value("KeStallExecutionProcessor", 15_625)
    #expect(try k.load(count) == 4)
  }

  @Test("SeExports points at privileges and identifiers")
  func securityExports() throws {
    let k = try TestKernel()
    let exports = UInt64(try k.load(variable(k, "SeExports")))
    // SeDebugPrivilege, SeRemoteShutdownPrivilege; SeCreateGlobalPrivilege, the structure's last on XP SP3.
    #expect(try k.load(exports + 18 * 8) == 20)
    #expect(try k.load(exports + 22 * 8) == 24)
    #expect(try k.load(exports + 0x140) == 30)
    func identifier(_ index: UInt64) throws -> [UInt8] {
      let place = UInt64(try k.load(exports + 0xb8 + 4 * index))
      return try k.memory.memory.bytes(8 + 4 * Int(k.byte(place + 1)), at: place)
    }
    #expect(try identifier(1) == [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    #expect(try identifier(10) == [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0])
    #expect(try identifier(11) == [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0])
    for name in ["SePublicDefaultDacl", "SeSystemDefaultDacl"] {
      let list = UInt64(try k.load(variable(k, name)))
      #expect(try k.byte(list) == 2 && k.half(list + 4) > 1)
    }
  }

  @Test("the table of services has XP's numbers; a service that nobody provides stops the run")
  func services() throws {
    let k = try TestKernel()
    let table = try variable(k, "KeServiceDescriptorTable")
    let (base, limit, arguments) = (UInt64(try k.load(table)), try k.load(table + 8), UInt64(try k.load(table + 12)))
    #expect(limit == 0x11c)
    #expect(try k.load(base + 4 * 0x25) == UInt32(k.trap("NtCreateFile")))
    #expect(try k.byte(arguments + 0x25) == 44)
    #expect(try k.load(base + 4 * 0x11b) == UInt32(k.trap("KiServiceNotProvided")))
    #expect(SystemServices.number(of: "ZwClose", in: .windowsXP_x86) == 0x19)
    #expect(SystemServices.number(of: "ZwClose", in: .windows7_x86) == 0x32)
    #expect(SystemServices.number(of: "IoClose", in: .windowsXP_x86) == nil)
    guard case .ended = try k.call("KiServiceNotProvided") else { return missing("the run was to stop") }
    #expect(k.kernel.ending == .missingRoutine("a system service of KeServiceDescriptorTable"))
  }

  @Test("the HAL's dispatch tables lead to routines")
  func dispatchTables() throws {
    let k = try TestKernel()
    let table = try variable(k, "HalDispatchTable")
    #expect(try k.load(table) == 3)
    #expect(try k.load(table + 4) == UInt32(k.trap("HaliQuerySystemInformation")))
    try k.store(77, at: k.scratch)
    // STATUS_INVALID_LEVEL
    #expect(try k.value("HaliQuerySystemInformation", 99, 0, 0, k.scratch) == 0xc000_0148)
    #expect(try k.load(k.scratch) == 0)
    #expect(try k.value("HaliSetSystemInformation", 99, 0, 0) == 0xc000_0148)
    let own = try variable(k, "HalPrivateDispatchTable")
    #expect(try k.load(own) == 1 && k.load(own + 4) == UInt32(k.trap("HalpRoutineNotProvided")))
    guard case .ended = try k.call("HalpRoutineNotProvided") else { return missing("the run was to stop") }
    let block = try variable(k, "KeLoaderBlock")
    #expect(try k.load(block) == 0)
  }
}

/// The kernel's and the HAL's headers, as a driver walks them.
@Suite("The kernel's own images") struct KernelImageTests {
  /// What the image at `base` exports, by name, as guest code finds it.
  private func exports(_ k: TestKernel, at base: UInt64) throws -> [(name: String, address: UInt64)] {
    #expect(try k.half(base) == 0x5a4d)
    let header = base + UInt64(try k.load(base + 0x3c))
    #expect(try k.load(header) == 0x4550 && k.half(header + 4) == 0x14c && k.half(header + 0x18) == 0x10b)
    #expect(try k.load(header + 0x34) == UInt32(base))
    let directory = base + UInt64(try k.load(header + 0x78))
    let count = UInt64(try k.load(directory + 0x18))
    let (functions, names, ordinals) = (
      base + UInt64(try k.load(directory + 0x1c)), base + UInt64(try k.load(directory + 0x20)), base + UInt64(try k.load(directory + 0x24))
    )
    return try (0..<count).map { index in
      var place = base + UInt64(try k.load(names + 4 * index))
      var name: [UInt8] = []
      while case let byte = try k.byte(place), byte != 0 {
        name.append(byte)
        place += 1
      }
      let ordinal = UInt64(try k.half(ordinals + 2 * index))
      return (String(decoding: name, as: UTF8.self), (base + UInt64(try k.load(functions + 4 * ordinal))) & 0xffff_ffff)
    }
  }

  @Test("every name resolves to its routine or variable, in the order of a binary search")
  func directory() throws {
    let k = try TestKernel()
    let list = try k.kernel.moduleList().address
    var entry = UInt64(try k.load(list))
    for (module, some) in [("nt", ["IoCreateDevice", "ZwClose", "NtBuildNumber"]), ("hal", ["KfLowerIrql"])] {
      let base = UInt64(try k.load(entry + 0x18))
      let size = UInt64(try k.load(entry + 0x20))
      let found = try exports(k, at: base)
      #expect(found.map(\.name) == found.map(\.name).sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
      #expect(Set(some).isSubset(of: Set(found.map(\.name))))
      for (name, address) in found {
        if let number = k.kernel.exports[module, name] {
          #expect(address == k.kernel.trapAddresses[number], "\(name)")
        } else {
          #expect(try address == k.kernel.address(ofVariable: name, in: module), "\(name)")
        }
        if module == "nt" { #expect(base..<base + size ~= address, "\(name)") }
      }
      entry = UInt64(try k.load(entry))
    }
  }

  @Test("MmIsAddressValid knows the headers before anyone has looked at them, and nothing else around them")
  func validity() throws {
    let k = try TestKernel()
    #expect(try k.value("MmIsAddressValid", 0x804d_7000) == 0)
    _ = try k.kernel.moduleList()
    #expect(try k.value("MmIsAddressValid", 0x804d_7000) & 0xff == 1)
    #expect(try k.value("MmIsAddressValid", 0x804d_9000) & 0xff == 0)
  }
}
