import Guest
import NTKernel
import WindowsTypes

/// `WDFWMIPROVIDER`
final class InstrumentationProvider: FrameworkObject {}

/// `WDFWMIINSTANCE`
final class InstrumentationInstance: FrameworkObject {
  let provider: InstrumentationProvider
  var isRegistered: Bool

  init(_ block: UInt64, _ binding: Binding, _ provider: InstrumentationProvider, isRegistered: Bool) {
    self.provider = provider
    self.isRegistered = isRegistered
    super.init(block, binding)
  }
}

extension KMDF {
  /// Windows Management Instrumentation (wdfwmi.h). Nobody asks for a block or listens to an event.
  static let wmiFunctions: [Export] = [
    // nf-wdfwmi-wdfwmiprovidercreate: WDF_WMI_PROVIDER_CONFIG has a GUID behind its size.
    asyncFunction("WdfWmiProviderCreate(DriverGlobals, Device, WmiProviderConfig, ProviderAttributes, WmiProvider)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, config: Pointer<UInt32>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let provider = try kernel.makeProvider(
          kernel.object(device, Device.self), kernel.required(config), kernel.attributes(attributes, allowsParent: false))
        try result.store(provider.handle)
        return .success
      }
    }
    .partially("EvtWmiProviderFunctionControl is not called"),
    function("WdfWmiProviderGetDevice(DriverGlobals, WmiProvider)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, provider: GuestWord) -> GuestWord in
      try kernel.object(provider, InstrumentationProvider.self).device?.handle ?? 0
    },
    // nf-wdfwmi-wdfwmiproviderisenabled: neither collection nor events.
    function("WdfWmiProviderIsEnabled(DriverGlobals, WmiProvider, ProviderControl)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, provider: GuestWord, control: UInt32) -> UInt8 in
      _ = try kernel.object(provider, InstrumentationProvider.self)
      return 0
    },
    function("WdfWmiProviderGetTracingHandle(DriverGlobals, WmiProvider)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, provider: GuestWord) -> UInt64 in
      _ = try kernel.object(provider, InstrumentationProvider.self)
      return 0
    },
    // nf-wdfwmi-wdfwmiinstancecreate: WDF_WMI_INSTANCE_CONFIG names a provider or the configuration of one, not both.
    asyncFunction("WdfWmiInstanceCreate(DriverGlobals, Device, InstanceConfig, InstanceAttributes, Instance)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, config: Pointer<GuestWord>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        if !result.isNull { try result.store(0) }
        let device = try kernel.object(device, Device.self)
        guard try kernel.required(config).load().bits >= 0x20 else { return .infoLengthMismatch }
        let (given, described) = (try config[1].load(), try config[2].load())
        guard (given.bits == 0) != (described.bits == 0) else { return .invalidParameter }
        let provider =
          given.bits != 0
          ? try kernel.object(given, InstrumentationProvider.self)
          : try kernel.makeProvider(device, Pointer(described.bits, in: kernel.memory.memory), Attributes())
        let instance = InstrumentationInstance(
          try kernel.objectBlock(), device.binding, provider, isRegistered: try config[4].load().bits & 0xff != 0)
        try kernel.adopt(instance, kernel.attributes(attributes, allowsParent: false), parent: provider)
        if !result.isNull { try result.store(instance.handle) }
        return .success
      }
    }
    .partially("its callbacks are not called"),
    // nf-wdfwmi-wdfwmiinstanceregister: one that is registered is STATUS_INVALID_DEVICE_REQUEST.
    function("WdfWmiInstanceRegister(DriverGlobals, WmiInstance)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, instance: GuestWord) -> NTSTATUS in
      let instance = try kernel.object(instance, InstrumentationInstance.self)
      guard !instance.isRegistered else { return .invalidDeviceRequest }
      instance.isRegistered = true
      return .success
    },
    procedure("WdfWmiInstanceDeregister(DriverGlobals, WmiInstance)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, instance: GuestWord) in
      try kernel.object(instance, InstrumentationInstance.self).isRegistered = false
    },
    function("WdfWmiInstanceGetDevice(DriverGlobals, WmiInstance)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, instance: GuestWord) -> GuestWord in
      try kernel.object(instance, InstrumentationInstance.self).device?.handle ?? 0
    },
    function("WdfWmiInstanceGetProvider(DriverGlobals, WmiInstance)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, instance: GuestWord) -> GuestWord in
      try kernel.object(instance, InstrumentationInstance.self).provider.handle
    },
    // nf-wdfwmi-wdfwmiinstancefireevent
    function("WdfWmiInstanceFireEvent(DriverGlobals, WmiInstance, EventDataSize, EventData)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, instance: GuestWord, size: UInt32, data: GuestWord) -> NTSTATUS in
      _ = try kernel.object(instance, InstrumentationInstance.self)
      return .success
    }
    .partially("nobody listens to the event"),
  ]
}

extension Kernel {
  fileprivate func makeProvider(_ device: Device, _ config: Pointer<UInt32>, _ attributes: Attributes) throws -> InstrumentationProvider {
    guard try config.load() >= 0x20 else { throw Refused(.infoLengthMismatch) }
    let provider = InstrumentationProvider(try objectBlock(), device.binding)
    try adopt(provider, attributes, parent: device)
    return provider
  }
}
