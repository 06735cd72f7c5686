import Guest
import WindowsTypes

/// Who waits for power settings, and what devices ask of the power manager.
final class PowerState {
  /// The power requests that somebody made, by address: how often each type is set.
  var requests: [UInt64: [UInt32: Int]] = [:]
  /// The requests to wake up that woke the system.
  var wakes: Set<UInt64> = []
}

extension Export {
  /// Power settings, power requests and busy devices.
  static let powerSettings: [Export] = [
    // nf-wdm-poregisterpowersettingcallback: the routine is told of the current value at once.
    export("PoRegisterPowerSettingCallback(DeviceObject, SettingGuid, Callback, Context, Handle)", irql: .apc) {
      (
        kernel, device: GuestWord, setting: Pointer<UInt8>, routine: GuestWord, context: GuestWord, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      guard !setting.isNull, routine.bits != 0 else { return .invalidParameter }
      let identifier = try setting.array(count: 16)
      let handle = try kernel.allocate(0x20)
      kernel.register(Kernel.powerSettingCallback, handle)
      try result.store(GuestWord(handle))
      guard let value = Kernel.powerSettingValues[identifier] else { return .success }
      let block = try kernel.allocate(0x20)
      defer { kernel.free(block) }
      try kernel.memory.memory.write(identifier + value, at: block)
      _ = try await kernel.call(routine.bits, [block, block + 16, UInt64(value.count), context.bits])
      return .success
    }
    .partially(
      "settings do not change; of a setting that is not the machine's own (source, battery, lid, display, scheme, away mode) no value is told"
    ),
    // nf-wdm-pounregisterpowersettingcallback
    export("PoUnregisterPowerSettingCallback(Handle)", irql: .apc) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.unregister(Kernel.powerSettingCallback, handle.bits) else { return .invalidParameter }
      kernel.free(handle.bits)
      return .success
    },
    // nf-wdm-pocreatepowerrequest: COUNTED_REASON_CONTEXT's version is 0.
    export("PoCreatePowerRequest(PowerRequest, DeviceObject, Context)", irql: .apc) {
      (kernel, result: Pointer<GuestWord>, device: GuestWord, reason: Pointer<UInt32>) -> NTSTATUS in
      guard kernel.kind(of: device.bits) == .device, try reason.isNull || reason.load() == 0 else { return .invalidParameter }
      let block = try kernel.allocate(0x20)
      kernel.powerState.requests[block] = [:]
      kernel.register(Kernel.powerRequest, block)
      try result.store(GuestWord(block))
      return .success
    },
    // nf-wdm-posetpowerrequest: PowerRequestDisplayRequired 0, SystemRequired 1, AwayModeRequired 2.
    export("PoSetPowerRequest(PowerRequest, Type)", irql: .dispatch) { (kernel, request: GuestWord, type: UInt32) -> NTSTATUS in
      guard kernel.powerState.requests[request.bits] != nil, type <= 2 else { return .invalidParameter }
      kernel.powerState.requests[request.bits]?[type, default: 0] += 1
      return .success
    },
    // nf-wdm-poclearpowerrequest
    export("PoClearPowerRequest(PowerRequest, Type)", irql: .dispatch) { (kernel, request: GuestWord, type: UInt32) -> NTSTATUS in
      guard let counts = kernel.powerState.requests[request.bits], type <= 2 else { return .invalidParameter }
      guard let count = counts[type], count > 0 else { return .unsuccessful }
      kernel.powerState.requests[request.bits]?[type] = count - 1
      return .success
    }
    .uncertain("a request that is not set is STATUS_UNSUCCESSFUL"),
    // nf-wdm-podeletepowerrequest
    export("PoDeletePowerRequest(PowerRequest)", irql: .apc) { (kernel, request: GuestWord) in
      guard kernel.powerState.requests.removeValue(forKey: request.bits) != nil else { return }
      kernel.unregister(Kernel.powerRequest, request.bits)
      kernel.free(request.bits)
    },
    // nf-wdm-posetsystemwake, nf-wdm-pogetsystemwake: of an IRP_MN_WAIT_WAKE request.
    export("PoSetSystemWake(Irp)", irql: .dispatch) { (kernel, irp: GuestWord) in kernel.powerState.wakes.insert(irp.bits) },
    export("PoGetSystemWake(Irp)", irql: .dispatch) { (kernel, irp: GuestWord) -> UInt8 in
      kernel.powerState.wakes.contains(irp.bits) ? 1 : 0
    }
    .partially("the mark stays with the request's address, also when another request takes it"),
    // nf-wdm-posetdevicebusyex, nf-wdm-postartdevicebusy, nf-wdm-poenddevicebusy: by what PoRegisterDeviceForIdleDetection returned.
    export("PoSetDeviceBusyEx(IdlePointer)", irql: .dispatch) { (_, idle: Pointer<UInt32>) in try idle.store(0) },
    export("PoStartDeviceBusy(IdlePointer)", irql: .dispatch) { (_, idle: Pointer<UInt32>) in
      try idle.store(0)
      try idle[1].store(idle[1].load() &+ 1)
    },
    export("PoEndDeviceBusy(IdlePointer)", irql: .dispatch) { (_, idle: Pointer<UInt32>) in
      try idle.store(0)
      try idle[1].store(idle[1].load() &- 1)
    },
    // nf-wdm-poquerywatchdogtime: no power request of the device's is being timed.
    export("PoQueryWatchdogTime(Pdo, SecondsRemaining)", irql: .dispatch) { (_, device: GuestWord, seconds: GuestWord) -> UInt8 in 0 },
    // PoSetHiberRange (nf-ntddk-posethiberrange): the machine does not hibernate.
    export("PoSetHiberRange(MemoryMap, Flags, Address, Length, Tag)", irql: .high) {
      (_, map: GuestWord, flags: UInt32, address: GuestWord, length: GuestWord, tag: UInt32) in
    }
    .partially("the machine does not hibernate"),
    // nf-ntifs-poqueueshutdownworkitem: when the machine shuts down, on a system thread.
    export("PoQueueShutdownWorkItem(WorkItem)", irql: .apc) { (kernel, item: GuestWord) -> NTSTATUS in
      kernel.register(Kernel.shutdownWorkItem, item.bits)
      return .success
    },
  ]
}

extension Kernel {
  static let powerSettingCallback = "a power setting callback"
  static let powerRequest = "a power request"
  static let shutdownWorkItem = "a work item for the shutdown"
  fileprivate var powerState: PowerState { part { PowerState() } }

  /// What a workstation at the mains says, by the setting's GUID (nf-ntifs "Power Setting GUIDs"): numbers of 32 bits, and a GUID.
  fileprivate static let powerSettingValues: [[UInt8]: [UInt8]] = {
    func number(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    func guid(_ first: UInt32, _ second: UInt16, _ third: UInt16, _ rest: [UInt8]) -> [UInt8] {
      number(first) + [UInt8(second & 0xff), UInt8(second >> 8), UInt8(third & 0xff), UInt8(third >> 8)] + rest
    }
    return [
      // GUID_ACDC_POWER_SOURCE: PoAc
      guid(0x5d3e_9a59, 0xe9d5, 0x4b00, [0xa6, 0xbd, 0xff, 0x34, 0xff, 0x51, 0x65, 0x48]): number(0),
      // GUID_BATTERY_PERCENTAGE_REMAINING
      guid(0xa7ad_8041, 0xb45a, 0x4cae, [0x87, 0xa3, 0xee, 0xcb, 0xb4, 0x68, 0xa9, 0xe1]): number(100),
      // GUID_MONITOR_POWER_ON
      guid(0x0273_1015, 0x4510, 0x4526, [0x99, 0xe6, 0xe5, 0xa1, 0x7e, 0xbd, 0x1a, 0xea]): number(1),
      // GUID_LIDSWITCH_STATE_CHANGE: open
      guid(0xba3e_0f4d, 0xb817, 0x4094, [0xa2, 0xd1, 0xd5, 0x63, 0x79, 0xe6, 0xa0, 0xf3]): number(1),
      // GUID_SYSTEM_AWAYMODE
      guid(0x98a7_f580, 0x01f7, 0x48aa, [0x9c, 0x0f, 0x44, 0x35, 0x2c, 0x29, 0xe5, 0xc0]): number(0),
      // GUID_POWERSCHEME_PERSONALITY: balanced
      guid(0x245d_8541, 0x3943, 0x4422, [0xb0, 0x25, 0x13, 0xa7, 0x84, 0xf6, 0x79, 0xb7]):
        guid(0x381b_4222, 0xf694, 0x41f0, [0x96, 0x85, 0xff, 0x5b, 0xb2, 0x60, 0xdf, 0x2e]),
    ]
  }()

  /// Runs what was queued for the end, the last that came first: WORK_QUEUE_ITEM is its links, a routine and its parameter.
  func runShutdownWorkItems() async throws {
    while let next = io.registrations.last(where: { $0.what == Self.shutdownWorkItem }) {
      unregister(Self.shutdownWorkItem, next.key)
      let words = Pointer<GuestWord>(next.key + 8, in: memory.memory)
      let (routine, parameter) = (try words.load().bits, try words[1].load().bits)
      _ = try await call(routine, [parameter])
    }
  }
}
