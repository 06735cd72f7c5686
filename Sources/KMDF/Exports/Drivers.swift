import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  static let driverFunctions: [Export] = [
    // nf-wdfdriver-wdfdrivercreate
    asyncFunction("WdfDriverCreate(DriverGlobals, DriverObject, RegistryPath, DriverAttributes, DriverConfig, Driver)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: Pointer<DRIVER_OBJECT>, path: Pointer<UNICODE_STRING>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, config: Pointer<WDF_DRIVER_CONFIG>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let driver = try kernel.createDriver(globals, object, kernel.attributes(attributes, allowsParent: false), kernel.required(config))
        if !result.isNull { try result.store(driver.handle) }
        return .success
      }
    },
    // nf-wdfdriver-wdfdrivergetregistrypath
    function("WdfDriverGetRegistryPath(DriverGlobals, Driver)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord) -> Pointer<UInt16> in
      let driver = try kernel.object(driver, FrameworkDriver.self)
      return Pointer(try kernel.registryPathText(of: driver), in: kernel.memory.memory)
    },
    // nf-wdfdriver-wdfdriverwdmgetdriverobject
    function("WdfDriverWdmGetDriverObject(DriverGlobals, Driver)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord) -> Pointer<DRIVER_OBJECT> in
      try kernel.object(driver, FrameworkDriver.self).binding.driverObject
    },
    // nf-wdfdriver-wdfwdmdrivergetwdfdriverhandle
    function("WdfWdmDriverGetWdfDriverHandle(DriverGlobals, DriverObject)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: Pointer<DRIVER_OBJECT>) -> GuestWord in
      kernel.framework.bindings.values.first { $0.driverObject == object }?.driver?.handle ?? 0
    },
    // nf-wdfdriver-wdfdriverisversionavailable: WDF_DRIVER_VERSION_AVAILABLE_PARAMS is its size, then major and minor version.
    function("WdfDriverIsVersionAvailable(DriverGlobals, Driver, VersionAvailableParameters)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord, version: Pointer<UInt32>) -> UInt8 in
      _ = try kernel.object(driver, FrameworkDriver.self)
      return try kernel.required(version)[1].load() == 1 && version[2].load() <= 15 ? 1 : 0
    },
  ]
}

extension Kernel {
  func createDriver(
    _ globals: Pointer<WDF_DRIVER_GLOBALS>, _ object: Pointer<DRIVER_OBJECT>, _ attributes: Attributes,
    _ config: Pointer<WDF_DRIVER_CONFIG>
  ) throws -> FrameworkDriver {
    let binding = try binding(globals)
    guard try config.Size.load() == UInt32(WDF_DRIVER_CONFIG.layouts.size(in: memory.target)) else { throw Refused(.infoLengthMismatch) }
    guard binding.driver == nil else { throw Refused(.driverInternalError) }
    let flags = try config.DriverInitFlags.load()
    // WdfDriverInitNonPnpDriver, WdfDriverInitNoDispatchOverride
    let (isNonPnP, keepsDispatch) = (flags & 1 != 0, flags & 2 != 0)
    let addDevice = try config.EvtDriverDeviceAdd.load()
    if isNonPnP && addDevice.bits != 0 { throw Refused(.invalidParameter) }
    let driver = FrameworkDriver(try objectBlock(), binding)
    driver.evtDeviceAdd = addDevice
    driver.evtUnload = try config.EvtDriverUnload.load()
    try adopt(driver, attributes, parent: nil)
    binding.driver = driver
    try globals.Driver.store(driver.handle)
    try globals.DriverFlags.store(flags)
    if case let tag = try config.DriverPoolTag.load(), tag != 0 { try globals.DriverTag.store(tag) }
    guard !keepsDispatch else { return driver }
    let dispatch = frameworkTrap("FxDispatch")
    for index in 0..<28 { try object.MajorFunction[index].store(Pointer(dispatch, in: memory.memory)) }
    if addDevice.bits != 0 {
      try object.DriverExtension.load().AddDevice.store(Pointer(frameworkTrap("FxAddDevice"), in: memory.memory))
    }
    // A driver of no device's that has no unload callback cannot be unloaded.
    if !isNonPnP || driver.evtUnload.bits != 0 {
      try object.DriverUnload.store(Pointer(frameworkTrap("FxDriverUnload"), in: memory.memory))
      try globals.DisplaceDriverUnload.store(1)
    }
    return driver
  }

  /// The registry path as a zero-terminated string, kept in the driver's block list until it goes.
  func registryPathText(of driver: FrameworkDriver) throws -> UInt64 {
    let text = driver.binding.registryPath
    if let known = driver.children.lazy.compactMap({ $0 as? StringObject }).first(where: { (try? $0.string.string()) == text }) {
      return try known.string.Buffer.load().address
    }
    return try makeString(text, driver.binding, Attributes(), parent: driver).string.Buffer.load().address
  }

  /// The I/O manager asks for a device over `physicalDevice` (nc-wdfdriver-evt_wdf_driver_device_add).
  func addFrameworkDevice(_ object: Pointer<DRIVER_OBJECT>, _ physicalDevice: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    guard let driver = framework.bindings.values.first(where: { $0.driverObject == object })?.driver else { return .noSuchDevice }
    let block = try allocate(16)
    framework.deviceInits[block] = DeviceInit(driver, over: physicalDevice)
    let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await notify(driver.evtDeviceAdd, [driver.handle.bits, block])))
    // Success without a device: the driver filters nothing here.
    if framework.deviceInits.removeValue(forKey: block) != nil { free(block) }
    return status
  }
}
