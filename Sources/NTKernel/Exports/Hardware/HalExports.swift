import Guest
import WindowsTypes

extension Export {
  /// Buses and interrupts as the HAL shows them.
  static let halBuses: [Export] = [
    // nf-ntddk-halgetbusdata
    export("HalGetBusData(BusDataType, BusNumber, SlotNumber, Buffer, Length)", module: "hal") {
      (kernel, type: UInt32, bus: UInt32, slot: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in
      try kernel.busData(type, bus: bus, slot: slot, buffer.bits, offset: 0, length: length)
    },
    // nf-ntddk-halgetbusdatabyoffset
    export("HalGetBusDataByOffset(BusDataType, BusNumber, SlotNumber, Buffer, Offset, Length)", module: "hal") {
      (kernel, type: UInt32, bus: UInt32, slot: UInt32, buffer: GuestWord, offset: UInt32, length: UInt32) -> UInt32 in
      try kernel.busData(type, bus: bus, slot: slot, buffer.bits, offset: offset, length: length)
    },
    // nf-ntddk-halsetbusdata
    export("HalSetBusData(BusDataType, BusNumber, SlotNumber, Buffer, Length)", module: "hal") {
      (kernel, type: UInt32, bus: UInt32, slot: UInt32, buffer: GuestWord, length: UInt32) -> UInt32 in
      try kernel.setBusData(type, bus: bus, slot: slot, buffer.bits, offset: 0, length: length)
    },
    // nf-ntddk-halsetbusdatabyoffset
    export("HalSetBusDataByOffset(BusDataType, BusNumber, SlotNumber, Buffer, Offset, Length)", module: "hal") {
      (kernel, type: UInt32, bus: UInt32, slot: UInt32, buffer: GuestWord, offset: UInt32, length: UInt32) -> UInt32 in
      try kernel.setBusData(type, bus: bus, slot: slot, buffer.bits, offset: offset, length: length)
    },
    // nf-ntddk-haltranslatebusaddress: on a PC bus addresses are the processor's.
    export("HalTranslateBusAddress(InterfaceType, BusNumber, BusAddress, AddressSpace, TranslatedAddress)", module: "hal") {
      (kernel, interface: UInt32, bus: UInt32, address: UInt64, space: Pointer<UInt32>, result: Pointer<UInt64>) -> UInt8 in
      guard Kernel.isKnownBus(interface, bus), try space.load() <= 1 else { return 0 }
      try result.store(address)
      return 1
    },
    // nf-ntddk-halgetinterruptvector: of the two interrupt controllers' sixteen lines; the lower the line, the higher its level.
    export(
      "HalGetInterruptVector(InterfaceType, BusNumber, BusInterruptLevel, BusInterruptVector, Irql, Affinity)", module: "hal"
    ) {
      (kernel, interface: UInt32, bus: UInt32, level: UInt32, vector: UInt32, irql: Pointer<IRQL>, affinity: Pointer<GuestWord>) -> UInt32
      in
      guard Kernel.isKnownBus(interface, bus), level < 16 else {
        try irql.store(.passive)
        try affinity.store(0)
        return 0
      }
      try irql.store(IRQL(rawValue: UInt8(27 - level)))
      try affinity.store(1)
      return 0x30 + level
    },
    // nf-ntddk-halassignslotresources: of a function that is there the chipset's own, which needs nothing.
    export(
      "HalAssignSlotResources(RegistryPath, DriverClassName, DriverObject, DeviceObject, BusType, BusNumber, SlotNumber, AllocatedResources)",
      module: "hal", irql: .passive
    ) {
      (
        kernel, path: GuestWord, className: GuestWord, driver: GuestWord, device: GuestWord, type: UInt32, bus: UInt32, slot: UInt32,
        result: Pointer<GuestWord>
      ) -> NTSTATUS in
      try result.store(0)
      return .noSuchDevice
    },
  ]

  /// The rest of the HAL.
  static let halServices: [Export] = [
    // HalMakeBeep (ntddk.h of the time): the speaker is silent.
    export("HalMakeBeep(Frequency)", module: "hal") { (_, frequency: UInt32) -> UInt8 in 1 },
    // HalDisplayString: text on the blue screen of the boot.
    export("HalDisplayString(String)", module: "hal") { (kernel, text: Pointer<UInt8>) in
      kernel.stream.append(.note("the HAL displays: \(String(decoding: try text.units(limit: 512), as: UTF8.self))"))
    },
    export("HalQueryRealTimeClock(TimeFields)", module: "hal") { (kernel, fields: GuestWord) -> UInt8 in
      try kernel.storeClock(at: fields.bits)
      return 1
    },
    // The interrupt controller takes any vector of its sixteen lines; a level that is not above the current one is spurious.
    export("HalBeginSystemInterrupt(Irql, Vector, OldIrql)", module: "hal") {
      (kernel, irql: IRQL, vector: UInt32, old: Pointer<IRQL>) -> UInt8 in
      guard 0x30..<0x40 ~= vector & 0xff, try irql > kernel.kpcr.Irql.load() else { return 0 }
      try old.store(kernel.raiseIRQL(to: irql))
      return 1
    },
    export("HalEndSystemInterrupt(OldIrql, Vector)", module: "hal") { (kernel, old: IRQL, vector: UInt32) in
      try kernel.lowerIRQL(to: old)
    },
    // No serial port is the debugger's.
    export("KeFlushWriteBuffer()", module: "hal") { _ in },
  ]

  /// The boot screen and the console of machines without one: Windows has long given the display to its driver.
  static let bootDisplay: [Export] = [
    export("InbvAcquireDisplayOwnership()") { _ in },
    export("InbvCheckDisplayOwnership()") { _ -> UInt8 in 0 },
    export("InbvNotifyDisplayOwnershipLost(Callback)") { (_, callback: GuestWord) in },
    export("InbvDisplayString(String)") { (kernel, text: Pointer<UInt8>) -> UInt8 in
      // Who does not own the display draws nothing; the text is shown here all the same.
      kernel.stream.append(.note("the boot screen shows: \(String(decoding: try text.units(limit: 512), as: UTF8.self))"))
      return 1
    },
    export("InbvEnableDisplayString(Enable)") { (_, enable: UInt8) -> UInt8 in 1 },
    export("InbvIsBootDriverInstalled()") { _ -> UInt8 in 0 },
    // STATUS_INVALID_PARAMETER is what a machine without a headless console answers.
    export("HeadlessDispatch(Command, InputBuffer, InputBufferSize, OutputBuffer, OutputBufferSize)") {
      (_, command: UInt32, input: GuestWord, inputSize: GuestWord, output: GuestWord, outputSize: Pointer<GuestWord>) -> NTSTATUS in
      .invalidParameter
    }
    .uncertain("every command fails as on a machine without a console; HeadlessCmdQueryInformation is known to succeed there"),
  ]

  /// The kernel debugger, which is not there.
  static let kernelDebugger: [Export] = [
    // STATUS_DEBUGGER_INACTIVE, 0xC0000354 (nf-ntddk-kddisabledebugger, nf-ntddk-kdenabledebugger).
    export("KdDisableDebugger()") { _ -> NTSTATUS in NTSTATUS(rawValue: 0xc000_0354) },
    export("KdEnableDebugger()") { _ -> NTSTATUS in NTSTATUS(rawValue: 0xc000_0354) },
    export("KdRefreshDebuggerNotPresent()") { _ -> UInt8 in 1 },
    export("KdPollBreakIn()") { _ -> UInt8 in 0 },
    export("KdSystemDebugControl(Command, InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength, ReturnLength, PreviousMode)") {
      (
        _, command: UInt32, input: GuestWord, inputLength: UInt32, output: GuestWord, outputLength: UInt32, returned: Pointer<UInt32>,
        mode: UInt8
      ) -> NTSTATUS in NTSTATUS(rawValue: 0xc000_0354)
    },
    export("KdChangeOption(Option, InBufferBytes, InBuffer, OutBufferBytes, OutBuffer, OutBufferNeeded)") {
      (
        _, option: UInt32, inputLength: UInt32, input: GuestWord, outputLength: UInt32, output: GuestWord, needed: Pointer<UInt32>
      ) -> NTSTATUS in NTSTATUS(rawValue: 0xc000_0354)
    },
    // nf-ntddk-dbgbreakpoint: without a debugger an exception that nobody handles.
    export("DbgBreakPoint()") { kernel in throw GuestException(.breakpoint, information: [0]) },
    export("DbgBreakPointWithStatus(Status)") { (_, status: UInt32) in throw GuestException(.breakpoint, information: [0]) },
    // No text comes back where nobody types.
    export("DbgPrompt(Prompt, Response, MaximumResponseLength)") {
      (kernel, prompt: Pointer<UInt8>, response: GuestWord, length: UInt32) -> UInt32 in
      kernel.stream.append(.message(String(decoding: try prompt.units(limit: 512), as: UTF8.self)))
      return 0
    },
  ]
}

extension Kernel {
  /// Whether the HAL knows the bus: `Internal`, `Isa`, `Eisa` and `PCIBus`, one of each (`INTERFACE_TYPE`).
  static func isKnownBus(_ interface: UInt32, _ number: UInt32) -> Bool { [0, 1, 2, 5].contains(interface) && number == 0 }
}
