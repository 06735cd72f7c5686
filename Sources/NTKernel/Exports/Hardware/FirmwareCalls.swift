import Guest
import WindowsTypes

extension Export {
  /// The machine below Windows: its firmware, its counters and its boot screen.
  static let firmwareCalls: [Export] = [
    // HalReturnToFirmware (ntddk.h of the time): FIRMWARE_REENTRY's HalHaltRoutine 0 to HalInteractiveModeRoutine 4. It does not return.
    export("HalReturnToFirmware(Action)", module: "hal") { (kernel, action: UInt32) async throws in
      let names = ["HalHaltRoutine", "HalPowerDownRoutine", "HalRestartRoutine", "HalRebootRoutine", "HalInteractiveModeRoutine"]
      // What is none of these stops in the debugger, which is not there.
      guard action < names.count else { throw GuestException(.breakpoint, information: [0]) }
      kernel.stream.append(.note("the machine ends: HalReturnToFirmware(\(names[Int(action)]))"))
      // Where no thread may wait, the run is over.
      guard try kernel.kpcr.Irql.load() < .dispatch else { throw RoutineNotProvided("hal!HalReturnToFirmware") }
      let event = Pointer<KEVENT>(try kernel.allocate(0x10), in: kernel.memory.memory)
      try kernel.initializeEvent(event, .eventNotification, isSet: false)
      try await kernel.wait(for: event, "HalReturnToFirmware(\(names[Int(action)])), which does not return")
    }
    .partially(
      "the thread that calls it stops for good, and others that are ready run on; at DISPATCH_LEVEL and above the run ends as at a routine that is not provided"
    ),
    // HalGetEnvironmentVariable, HalSetEnvironmentVariable (no page): of ARC's variables a PC has LastKnownGood alone; ENOENT is 14, ENOMEM 16.
    export("HalGetEnvironmentVariable(Variable, Length, Buffer)", module: "hal") {
      (_, name: Pointer<UInt8>, length: UInt16, buffer: Pointer<UInt8>) -> UInt32 in
      guard try String(decoding: name.units(limit: 32), as: UTF8.self).lowercased() == "lastknowngood" else { return 14 }
      let value = Array("FALSE".utf8) + [0]
      guard Int(length) >= value.count else { return 16 }
      try buffer.write(value)
      return 0
    },
    export("HalSetEnvironmentVariable(Variable, Value)", module: "hal") { (_, name: Pointer<UInt8>, value: Pointer<UInt8>) -> UInt32 in
      guard try String(decoding: name.units(limit: 32), as: UTF8.self).lowercased() == "lastknowngood" else { return 16 }
      return try ["true", "false"].contains(String(decoding: value.units(limit: 32), as: UTF8.self).lowercased()) ? 0 : 16
    }
    .partially("what is set is not read back"),
    // The variables of UEFI: a machine with a BIOS has none (STATUS_NOT_IMPLEMENTED).
    export("HalGetEnvironmentVariableEx(VariableName, VendorGuid, Value, ValueLength, Attributes)", module: "hal", irql: .passive) {
      (_, name: GuestWord, vendor: GuestWord, value: GuestWord, length: GuestWord, attributes: GuestWord) -> NTSTATUS in .notImplemented
    },
    export("HalSetEnvironmentVariableEx(VariableName, VendorGuid, Value, ValueLength, Attributes)", module: "hal", irql: .passive) {
      (_, name: GuestWord, vendor: GuestWord, value: GuestWord, length: UInt32, attributes: UInt32) -> NTSTATUS in .notImplemented
    },
    export("HalEnumerateEnvironmentVariablesEx(InformationClass, Buffer, BufferLength)", module: "hal", irql: .passive) {
      (_, kind: UInt32, buffer: GuestWord, length: GuestWord) -> NTSTATUS in .notImplemented
    },
    export(
      "HalQueryEnvironmentVariableInfoEx(Attributes, MaximumVariableStorageSize, RemainingVariableStorageSize, MaximumVariableSize)",
      module: "hal", irql: .passive
    ) { (_, attributes: UInt32, storage: GuestWord, rest: GuestWord, size: GuestWord) -> NTSTATUS in .notImplemented },
    // nf-ntddk-halallocatehardwarecounters: they are one owner's at a time.
    export("HalAllocateHardwareCounters(GroupAffinty, GroupCount, ResourceList, CounterSetHandle)", module: "hal", irql: .apc) {
      (kernel, affinity: GuestWord, count: UInt32, list: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      guard list.bits == 0 else { return .invalidParameter }
      guard !kernel.io.registrations.contains(where: { $0.what == Kernel.hardwareCounters }) else { return .insufficientResources }
      let block = try kernel.allocate(0x10)
      kernel.register(Kernel.hardwareCounters, block)
      try result.store(GuestWord(block))
      return .success
    },
    // nf-ntddk-halfreehardwarecounters
    export("HalFreeHardwareCounters(CounterSetHandle)", module: "hal", irql: .apc) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.unregister(Kernel.hardwareCounters, handle.bits) else { return .invalidParameter }
      kernel.free(handle.bits)
      return .success
    },
    // No page: one processor, which runs.
    export("HalAllProcessorsStarted()", module: "hal") { _ -> UInt8 in 1 },
    export("HalQueryMaximumProcessorCount()", module: "hal") { _ -> UInt32 in 1 },
    // HalAcquireDisplayOwnership (no page): the display is given to a driver, and the boot screen is no more.
    export("HalAcquireDisplayOwnership(ResetDisplayParameters)", module: "hal") { (_, routine: GuestWord) in },
    // x86Bios… (no page): the BIOS's emulation is there once HalInitializeBios has found a BIOS, which the machine lacks.
    export("x86BiosCall(BiosCommand, BiosArguments)", module: "hal") { (_, command: UInt32, arguments: GuestWord) -> UInt8 in 0 }
      .partially(noBIOS),
    export("x86BiosAllocateBuffer(Size, Segment, Offset)", module: "hal") {
      (_, size: GuestWord, segment: GuestWord, offset: GuestWord) -> NTSTATUS in .noMemory
    }
    .partially(noBIOS),
    export("x86BiosFreeBuffer(Segment, Offset)", module: "hal") { (_, segment: UInt16, offset: UInt16) -> NTSTATUS in .invalidParameter }
      .partially(noBIOS),
    export("x86BiosReadMemory(Segment, Offset, Buffer, Size)", module: "hal") {
      (_, segment: UInt16, offset: UInt16, buffer: GuestWord, size: UInt32) -> NTSTATUS in .notSupported
    }
    .partially(noBIOS),
    export("x86BiosWriteMemory(Segment, Offset, Buffer, Size)", module: "hal") {
      (_, segment: UInt16, offset: UInt16, buffer: GuestWord, size: UInt32) -> NTSTATUS in .notSupported
    }
    .partially(noBIOS),
    // Inbv… (no page): the boot screen is not this caller's, so nothing is drawn.
    export("InbvResetDisplay()") { _ -> UInt8 in 0 },
    export("InbvSetScrollRegion(Left, Top, Right, Bottom)") { (_, left: UInt32, top: UInt32, right: UInt32, bottom: UInt32) in },
    export("InbvSetTextColor(Color)") { (_, color: UInt32) in },
    export("InbvSolidColorFill(Left, Top, Right, Bottom, Color)") {
      (_, left: UInt32, top: UInt32, right: UInt32, bottom: UInt32, color: UInt32) in
    },
    export("InbvInstallDisplayStringFilter(DisplayStringFilter)") { (_, filter: GuestWord) in },
    export("InbvEnableBootDriver(Enable)") { (_, enable: UInt8) in },
    // WheaGetErrorSource (no page): no source of hardware errors is configured.
    export("WheaGetErrorSource(ErrorSourceId)") { (_, identifier: UInt32) -> GuestWord in 0 },
  ]

  private static let noBIOS = "the machine has no BIOS to run: every call fails"
}

extension Kernel {
  fileprivate static let hardwareCounters = "hardware counters"
}
