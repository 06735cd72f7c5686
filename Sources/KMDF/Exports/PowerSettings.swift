import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// What a device says of its power and its plug-and-play before and after it is made; resources, and the target below it.
  static let powerFunctions: [Export] = [
    // nf-wdfdevice-wdfdeviceinitsetpowerpolicyeventcallbacks
    procedure("WdfDeviceInitSetPowerPolicyEventCallbacks(DriverGlobals, DeviceInit, PowerPolicyEventCallbacks)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, callbacks: GuestWord) in
      _ = try kernel.deviceInit(setup)
    }
    .partially("nothing wakes the device, so the callbacks are not called"),
    // nf-wdfdevice-wdfdeviceinitsetpowerpolicyownership
    procedure("WdfDeviceInitSetPowerPolicyOwnership(DriverGlobals, DeviceInit, IsPowerPolicyOwner)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, isOwner: UInt8) in
      _ = try kernel.deviceInit(setup)
    }
    .partially("the framework sends no power requests of its own"),
    // nf-wdfdevice-wdfdeviceinitsetpowernotpageable and its like
    powerFlag("WdfDeviceInitSetPowerNotPageable(DriverGlobals, DeviceInit)"),
    powerFlag("WdfDeviceInitSetPowerPageable(DriverGlobals, DeviceInit)"),
    powerFlag("WdfDeviceInitSetPowerInrush(DriverGlobals, DeviceInit)"),
    // nf-wdfdevice-wdfdevicesetpnpcapabilities, nf-wdfdevice-wdfdevicesetpowercapabilities
    capabilities("WdfDeviceSetPnpCapabilities(DriverGlobals, Device, PnpCapabilities)"),
    capabilities("WdfDeviceSetPowerCapabilities(DriverGlobals, Device, PowerCapabilities)"),
    // nf-wdfdevice-wdfdeviceassigns0idlesettings
    function("WdfDeviceAssignS0IdleSettings(DriverGlobals, Device, Settings)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, settings: Pointer<UInt32>) -> NTSTATUS in
      _ = try kernel.object(device, Device.self)
      let size = try kernel.required(settings).load()
      return size >= 0x14 ? .success : .infoLengthMismatch
    }
    .partially("the device never becomes idle"),
    // nf-wdfresource-wdfcmresourcelistgetcount
    function("WdfCmResourceListGetCount(DriverGlobals, List)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord) -> UInt32 in
      _ = try kernel.object(list, ResourceList.self)
      return 0
    }
    .partially("a device has no hardware, so no resources"),
    // nf-wdfresource-wdfcmresourcelistgetdescriptor: null beyond the last.
    function("WdfCmResourceListGetDescriptor(DriverGlobals, List, Index)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, index: UInt32) -> GuestWord in
      _ = try kernel.object(list, ResourceList.self)
      return 0
    }
    .partially("a device has no hardware, so no resources"),
  ]

  private static func powerFlag(_ prototype: String) -> Export {
    procedure(prototype) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord) in _ = try kernel.deviceInit(setup) }
      .partially("the device object's flag is not set")
  }

  private static func capabilities(_ prototype: String) -> Export {
    procedure(prototype) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, capabilities: GuestWord) in
      _ = try kernel.object(device, Device.self)
    }
    .partially("IRP_MN_QUERY_CAPABILITIES is passed on as it is")
  }

  /// The target below a device, and requests that are sent to it.
  static let targetFunctions: [Export] = [
    // nf-wdfdevice-wdfdevicegetiotarget: a control device has none.
    function("WdfDeviceGetIoTarget(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> GuestWord in
      let device = try kernel.object(device, Device.self)
      guard let below = device.below else { return 0 }
      if let known = device.children.first(where: { ($0 as? Target)?.isRemote == false }) { return known.handle }
      let target = Target(try kernel.objectBlock(), device.binding, below)
      try kernel.adopt(target, Attributes(), parent: device)
      return target.handle
    },
    // nf-wdfiotarget-wdfiotargetwdmgettargetdeviceobject
    function("WdfIoTargetWdmGetTargetDeviceObject(DriverGlobals, IoTarget)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord) -> Pointer<DEVICE_OBJECT> in
      try kernel.object(target, Target.self).below
    },
    // nf-wdfiotarget-wdfiotargetgetdevice
    function("WdfIoTargetGetDevice(DriverGlobals, IoTarget)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord) -> GuestWord in
      try kernel.object(target, Target.self).device?.handle ?? 0
    },
    // nf-wdfiotarget-wdfiotargetgetstate: WdfIoTargetStarted, WdfIoTargetStopped
    function("WdfIoTargetGetState(DriverGlobals, IoTarget)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord) -> UInt32 in
      let target = try kernel.object(target, Target.self)
      return target.below.isNull ? target.closedState : target.isStopped ? 2 : 1
    },
    // nf-wdfiotarget-wdfiotargetstart
    function("WdfIoTargetStart(DriverGlobals, IoTarget)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord) -> NTSTATUS in
      let target = try kernel.object(target, Target.self)
      guard !target.below.isNull else { return .invalidDeviceState }
      target.isStopped = false
      return .success
    },
    // nf-wdfiotarget-wdfiotargetstop
    procedure("WdfIoTargetStop(DriverGlobals, IoTarget, Action)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, action: UInt32) in
      try kernel.object(target, Target.self).isStopped = true
    }
    .partially("requests that were sent are neither waited for nor cancelled"),
    // nf-wdfrequest-wdfrequestformatrequestusingcurrenttype
    procedure("WdfRequestFormatRequestUsingCurrentType(DriverGlobals, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord) in
      try kernel.request(request).isFormatted = true
    },
    // nf-wdfrequest-wdfrequestsetcompletionroutine
    procedure("WdfRequestSetCompletionRoutine(DriverGlobals, Request, CompletionRoutine, CompletionContext)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, routine: GuestWord, context: GuestWord) in
      let request = try kernel.request(request)
      (request.completion, request.completionContext) = (routine, context)
    },
    // nf-wdfrequest-wdfrequestsend
    asyncFunction("WdfRequestSend(DriverGlobals, Request, Target, Options)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, target: GuestWord, options: Pointer<UInt32>
      ) async throws -> UInt8 in
      let (request, target) = try (kernel.request(request), kernel.object(target, Target.self))
      let flags = try options.isNull ? 0 : options[1].load()
      return try await kernel.send(request, to: target, flags) ? 1 : 0
    }
    .partially("a request is waited for, whatever its options, unless it is sent and forgotten; it has no time-out"),
  ]
}

/// The next lower driver, as requests are sent to it.
final class Target: FrameworkObject {
  /// Null while a target that the driver opens itself is closed.
  var below: Pointer<DEVICE_OBJECT>
  var isStopped = false
  var isRemote = false
  /// The file that it was opened by, and whether it is the framework's to give back.
  var file: UInt64 = 0
  var ownsFile = false
  /// `WDF_IO_TARGET_STATE` of a target that is closed.
  var closedState: UInt32 = 0

  init(_ block: UInt64, _ binding: Binding, _ below: Pointer<DEVICE_OBJECT>) {
    self.below = below
    super.init(block, binding)
  }

  override func dispose(_ kernel: Kernel) async throws { try await shut(kernel) }
}

extension Kernel {
  /// `WDF_REQUEST_SEND_OPTIONS_FLAGS`
  private enum SendFlags { static let (synchronous, ignoreState, forget) = (UInt32(2), UInt32(4), UInt32(8)) }

  fileprivate func send(_ request: Request, to target: Target, _ flags: UInt32) async throws -> Bool {
    if target.below.isNull || (target.isStopped && flags & SendFlags.ignoreState == 0) {
      try request.irp.IoStatus.Status.store(.invalidDeviceState)
      return false
    }
    if flags & SendFlags.forget != 0 {
      // The framework is through with it: it goes down as it came.
      framework.requests[request.irp.address] = nil
      reference(request)
      try await delete(request)
      _ = try await skip(request.irp, to: target.below)
      try await giveBack(request)
      try await dereference(request)
      return true
    }
    if let format = request.format {
      let ending = try await perform(format, on: target)
      try request.irp.IoStatus.Status.store(ending.status)
      try request.irp.IoStatus.Information.store(GuestWord(ending.information))
      request.format = nil
    } else {
      guard request.isFormatted, !request.isOwn, try await forward(request.irp, to: target.below) else {
        try request.irp.IoStatus.Status.store(.invalidDeviceRequest)
        return false
      }
    }
    request.isFormatted = false
    request.information = UInt64(try request.irp.IoStatus.Information.load().bits)
    guard flags & SendFlags.synchronous == 0, request.completion.bits != 0 else { return true }
    // WDF_REQUEST_COMPLETION_PARAMS: size, type, the status block.
    let parameters = try allocate(0x28)
    defer { free(parameters) }
    try memory.memory.store(UInt32(0x28), at: parameters)
    try memory.memory.store(UInt32(request.major.rawValue), at: parameters + 4)
    try memory.memory.store(request.irp.IoStatus.Status.load().rawValue, at: parameters + 8)
    try memory.memory.store(UInt32(truncatingIfNeeded: request.information), at: parameters + 12)
    let routine = request.completion
    request.completion = 0
    try await notify(routine, [request.handle.bits, target.handle.bits, parameters, request.completionContext.bits])
    return true
  }
}
