import Guest
import WindowsTypes

extension KernelVariable {
  /// What the kernel exports of its hardware: dispatch tables of the HAL's, the loader's block, counters of the I/O manager's.
  static let hardware: [KernelVariable] = [
    // ntddk.h: KSYSTEM_TIME, which each tick of the clock changes.
    variable("KeTickCount", size: 12) { kernel, place in
      kernel.time.tickVariable = place
      try kernel.publishTime()
      kernel.armDeadline()
    },
    // ntddk.h, HAL_DISPATCH: the version, then pointers in the structure's order.
    routines("HalDispatchTable", version: 3, halDispatch),
    // HAL_PRIVATE_DISPATCH, which public symbols show and no header does.
    routines("HalPrivateDispatchTable", version: 1, halPrivateDispatch)
      .partially("most of its pointers lead to a place that stops the run"),
    // The loader's block is given back at the end of the kernel's own initialisation, and the pointer cleared: before any driver.
    variable("KeLoaderBlock") { _ -> GuestWord in 0 },
    variable("KdEnteredDebugger") { _ -> UInt32 in 0 },
    variable("Mm64BitPhysicalAddress") { _ -> UInt32 in 0 },
    leadBytes("NlsLeadByteInfo"), leadBytes("NlsOemLeadByteInfo"),
    variable("IoReadOperationCount") { _ -> UInt32 in 0 }.partially("it stands still"),
    variable("IoWriteOperationCount") { _ -> UInt32 in 0 }.partially("it stands still"),
    variable("IoOtherOperationCount") { _ -> UInt32 in 0 }.partially("it stands still"),
    variable("IoReadTransferCount") { _ -> UInt64 in 0 }.partially("it stands still"),
    variable("IoWriteTransferCount") { _ -> UInt64 in 0 }.partially("it stands still"),
    variable("IoOtherTransferCount") { _ -> UInt64 in 0 }.partially("it stands still"),
    variable("IoStatisticsLock") { _ -> GuestWord in 0 },
    variable("IoDeviceHandlerObjectSize") { _ -> UInt32 in 0 },
    // The port that the kernel debugger speaks over: none.
    variable("KdComPortInUse", module: "hal") { _ -> GuestWord in 0 },
    // Windows 7's switch of a check on timers, which is off.
    variable("KiEnableTimerWatchdog") { _ -> UInt32 in 0 },
  ]

  /// A pointer to a table that says of each byte whether a second one follows: of none, in single-byte code pages.
  private static func leadBytes(_ name: String) -> KernelVariable {
    variable(name) { kernel in GuestWord(try kernel.allocate(512)) }
  }

  /// A structure of a version and pointers to routines; `nil` is a routine that nobody provides.
  private static func routines(_ name: String, version: UInt32, _ names: [String?]) -> KernelVariable {
    variable(name, size: 4 + 4 * names.count) { kernel, place in
      let here = kernel.memory.memory
      try here.store(version, at: place)
      for (index, name) in names.enumerated() {
        let address = name.flatMap { kernel.exports.number(anyOf: $0) }.map { kernel.trapAddresses[$0] }
        try here.store(
          UInt32(truncatingIfNeeded: address ?? kernel.trapAddress(of: "HalpRoutineNotProvided")), at: place + 4 + 4 * UInt64(index))
      }
    }
  }

  private static let halDispatch: [String?] = [
    "HaliQuerySystemInformation", "HaliSetSystemInformation", nil, nil, "HalExamineMBR", "IoReadPartitionTable",
    "IoSetPartitionInformation", "IoWritePartitionTable", nil, nil, nil, nil, nil, "IoGetDmaAdapter", nil, nil, nil, nil, nil, nil,
  ]

  private static let halPrivateDispatch: [String?] =
    [String?](repeating: nil, count: 6) + ["HalTranslateBusAddress", "HalAssignSlotResources"] + [String?](repeating: nil, count: 11)
}

extension ExportTable {
  /// The number of the routine `name`, importable or not, in whichever module.
  func number(anyOf name: String) -> Int? { exports.firstIndex { $0.name == name } }
}

extension Export {
  /// Where the kernel's tables of routines lead that are not imported by name.
  static let tableRoutines: [Export] = [
    export("KiServiceNotProvided()", isImportable: false) { _ in
      throw RoutineNotProvided("a system service of KeServiceDescriptorTable")
    },
    export("HalpRoutineNotProvided()", isImportable: false) { _ in
      throw RoutineNotProvided("a routine of HalDispatchTable or HalPrivateDispatchTable")
    },
    // HAL_DISPATCH: what the HAL does not know is STATUS_INVALID_LEVEL, with no length.
    export("HaliQuerySystemInformation(InformationClass, BufferSize, Buffer, ReturnedLength)", isImportable: false) {
      (_, kind: UInt32, size: UInt32, buffer: GuestWord, returned: Pointer<UInt32>) -> NTSTATUS in
      try returned.store(0)
      return .invalidLevel
    },
    export("HaliSetSystemInformation(InformationClass, BufferSize, Buffer)", isImportable: false) {
      (_, kind: UInt32, size: UInt32, buffer: GuestWord) -> NTSTATUS in .invalidLevel
    },
  ]
}
