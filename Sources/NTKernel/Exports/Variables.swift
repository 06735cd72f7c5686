import Guest
import WindowsTypes

/// A variable that the kernel exports: guest code imports its address.
public struct KernelVariable: Sendable {
  /// The module that exports it: `nt`, `hal`.
  public let module: String
  public let name: String
  /// In bytes.
  public let size: @Sendable (Target) -> Int
  /// What is not as Windows has it.
  public private(set) var support = Support.tested
  /// Gives the variable its first value.
  let fill: @Sendable (Kernel, UInt64) throws -> Void

  /// Says what the variable lacks.
  func partially(_ missing: String) -> KernelVariable {
    var copy = self
    copy.support = .partial(missing)
    return copy
  }
}

/// Declares a variable that holds one value.
func variable<Value: GuestValue>(
  _ name: String, module: String = "nt", _ value: @escaping @Sendable (Kernel) throws -> Value
) -> KernelVariable {
  KernelVariable(module: module, name: name, size: { Value.size(in: $0) }) { kernel, place in
    try value(kernel).store(kernel.memory.memory, at: place)
  }
}

/// Declares a variable of `size` bytes, which are zero until `fill` writes them.
func variable(
  _ name: String, module: String = "nt", size: Int, _ fill: @escaping @Sendable (Kernel, UInt64) throws -> Void = { _, _ in }
) -> KernelVariable {
  KernelVariable(module: module, name: name, size: { _ in size }, fill: fill)
}

/// Declares a variable that holds the address of an object type.
private func objectType(_ name: String, _ type: String) -> KernelVariable {
  variable(name) { kernel in try kernel.objectType(named: type) }
    .partially("the type has its name, and no procedures")
}

extension KernelVariable {
  /// Every variable that guest code can import. A variable takes memory only where some image imports it.
  public static let all: [KernelVariable] = build + ranges + objects + security + settings + hardware + fileSystems

  /// The build number with the free build's F in the top digit, as WinDbg's `dd nt!NtBuildNumber L1` shows it.
  private static let build: [KernelVariable] = [
    variable("NtBuildNumber") { kernel -> UInt32 in 0xf000_0000 | kernel.memory.target.system.build },
    variable("NtGlobalFlag") { _ -> UInt32 in 0 },
    // wdm.h: a CCHAR.
    variable("KeNumberProcessors") { _ -> Int8 in 1 },
    variable("KdDebuggerEnabled") { _ -> UInt8 in 0 },
    variable("KdDebuggerNotPresent") { _ -> UInt8 in 1 },
    // ntddk.h: 0 where Windows did not start in safe mode.
    variable("InitSafeBootMode") { _ -> UInt32 in 0 },
    variable("KeI386MachineType") { _ -> UInt32 in 0 },
  ]

  private static let ranges: [KernelVariable] = [
    variable("MmHighestUserAddress") { kernel in GuestWord(kernel.memory.target.highestUserAddress) },
    variable("MmUserProbeAddress") { kernel in GuestWord(kernel.memory.target.userProbeAddress) },
    variable("MmSystemRangeStart") { kernel in GuestWord(kernel.memory.target.systemRangeStart) },
  ]

  private static let objects: [KernelVariable] = [
    variable("PsInitialSystemProcess") { kernel in
      kernel.processes.first?.object ?? Pointer<EPROCESS>(0, in: kernel.memory.memory)
    },
    objectType("IoFileObjectType", "File"), objectType("IoDeviceObjectType", "Device"), objectType("IoDriverObjectType", "Driver"),
    objectType("IoAdapterObjectType", "Adapter"), objectType("PsProcessType", "Process"), objectType("PsThreadType", "Thread"),
    objectType("PsJobType", "Job"), objectType("SeTokenObjectType", "Token"), objectType("ExEventObjectType", "Event"),
    objectType("ExSemaphoreObjectType", "Semaphore"), objectType("MmSectionObjectType", "Section"),
    objectType("LpcPortObjectType", "Port"), objectType("ExDesktopObjectType", "Desktop"),
    objectType("ExWindowStationObjectType", "WindowStation"),
    // Windows 7's; those of its transaction manager are Vista's.
    objectType("CmKeyObjectType", "Key"), objectType("TmTransactionObjectType", "TmTx"),
    objectType("TmTransactionManagerObjectType", "TmTm"),
    objectType("TmEnlistmentObjectType", "TmEn"), objectType("TmResourceManagerObjectType", "TmRm"),
  ]

  private static let settings: [KernelVariable] = [
    variable("NlsAnsiCodePage") { _ -> UInt16 in 1252 },
    variable("NlsOemCodePage") { _ -> UInt16 in 437 },
    variable("NlsMbCodePageTag") { _ -> UInt8 in 0 },
    variable("NlsMbOemCodePageTag") { _ -> UInt8 in 0 },
    variable("CcFastMdlReadWait") { _ -> UInt32 in 0 },
    variable("KeDcacheFlushCount") { _ -> UInt32 in 0 },
    variable("KeIcacheFlushCount") { _ -> UInt32 in 0 },
    variable("MmBadPointer") { kernel in Pointer<Void>(0, in: kernel.memory.memory) }.partially("it is NULL"),
    variable("KiBugCheckData", size: 20),
    // The head of the list that the loader keeps: see ``Kernel/moduleList()``.
    variable("PsLoadedModuleList", size: 8),
    // Base, count table, limit and argument table of the system services, twice: the second is win32k's, empty here.
    variable("KeServiceDescriptorTable", size: 64) { kernel, place in try kernel.makeServiceTable(at: place) }
      .partially("an entry whose service is not provided leads to a routine that ends the run"),
  ]
}

extension KernelVariable {
  /// The variable that guest code imports as `module!name`, or `nil`.
  public static func named(_ name: String, in module: String) -> KernelVariable? {
    all.first { $0.name == name && $0.module.lowercased() == module.lowercased() }
  }
}

extension Kernel {
  /// The address of an exported variable, which exists from the first time that someone asks; `nil` where there is none of that name.
  ///
  /// Its value is written by ``fillVariables()``.
  public func address(ofVariable name: String, in module: String) throws -> UInt64? {
    let key = "\(module)!\(name)".lowercased()
    if let known = variableAddresses[key] { return known.address }
    // The list's head is where the list is.
    if key == "nt!psloadedmodulelist" { return try moduleList().address }
    guard let variable = KernelVariable.named(name, in: module) else { return nil }
    guard let address = variableSpace.allocate(UInt64(variable.size(memory.target))) else { return nil }
    variableAddresses[key] = (address, variable)
    if hasFilledVariables { try variable.fill(self, address) }
    return address
  }

  /// Gives every variable in use its first value. The processes exist by then.
  public func fillVariables() throws {
    hasFilledVariables = true
    for (address, variable) in variableAddresses.values.sorted(by: { $0.address < $1.address }) { try variable.fill(self, address) }
  }

  /// The object type of that name, which exists from the first time that someone asks.
  func objectType(named name: String) throws -> Pointer<OBJECT_TYPE> {
    if let known = objectTypes[name] { return known }
    let here = memory.memory
    let type = Pointer<OBJECT_TYPE>(try allocate(UInt64(Pointer<OBJECT_TYPE>.size(in: here)), tag: Self.objectTag), in: here)
    try type.TypeList.initialize()
    try store(name, in: type.Name)
    if isTypeByIndex {
      // ObTypeIndexTable's first two places are taken.
      try type.Index_7.store(UInt8(truncatingIfNeeded: objectTypes.count + 2))
      try type.CallbackList.initialize()
    } else {
      try type.Index.store(UInt32(objectTypes.count + 1))
    }
    objectTypes[name] = type
    return type
  }
}
