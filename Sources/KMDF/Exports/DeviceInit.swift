import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  static let deviceInitFunctions: [Export] = [
    // nf-wdfcontrol-wdfcontroldeviceinitallocate
    function("WdfControlDeviceInitAllocate(DriverGlobals, Driver, SDDLString)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord, security: Pointer<UNICODE_STRING>) -> GuestWord in
      let driver = try kernel.object(driver, FrameworkDriver.self)
      _ = try kernel.required(security)
      let block = try kernel.allocate(16)
      kernel.framework.deviceInits[block] = DeviceInit(driver, over: nil)
      return GuestWord(block)
    }
    .partially("the security descriptor is not looked at: whoever opens the device may"),
    // nf-wdfdevice-wdfdeviceinitfree
    procedure("WdfDeviceInitFree(DriverGlobals, DeviceInit)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord) in
      _ = try kernel.deviceInit(setup)
      kernel.framework.deviceInits[setup.bits] = nil
      kernel.free(setup.bits)
    },
    // nf-wdfdevice-wdfdeviceinitsetiotype
    procedure("WdfDeviceInitSetIoType(DriverGlobals, DeviceInit, IoType)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, type: UInt32) in
      try kernel.deviceInit(setup).ioType = type
    },
    // nf-wdfdevice-wdfdeviceinitsetexclusive
    procedure("WdfDeviceInitSetExclusive(DriverGlobals, DeviceInit, IsExclusive)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, isExclusive: UInt8) in
      try kernel.deviceInit(setup).isExclusive = isExclusive != 0
    },
    // nf-wdfdevice-wdfdeviceinitsetdevicetype
    procedure("WdfDeviceInitSetDeviceType(DriverGlobals, DeviceInit, DeviceType)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, type: UInt32) in
      try kernel.deviceInit(setup).type = type
    },
    // nf-wdfdevice-wdfdeviceinitsetcharacteristics
    procedure("WdfDeviceInitSetCharacteristics(DriverGlobals, DeviceInit, DeviceCharacteristics, OrInValues)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, characteristics: UInt32, adds: UInt8) in
      let setup = try kernel.deviceInit(setup)
      setup.characteristics = adds == 0 ? characteristics : setup.characteristics | characteristics
    },
    // nf-wdfdevice-wdfdeviceinitassignname: null for no name.
    function("WdfDeviceInitAssignName(DriverGlobals, DeviceInit, DeviceName)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, name: Pointer<UNICODE_STRING>) -> NTSTATUS in
      try kernel.deviceInit(setup).name = name.isNull ? nil : name.string()
      return .success
    },
    // nf-wdfdevice-wdfdeviceinitassignsddlstring
    function("WdfDeviceInitAssignSDDLString(DriverGlobals, DeviceInit, SDDLString)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, security: Pointer<UNICODE_STRING>) -> NTSTATUS in
      _ = try kernel.deviceInit(setup)
      return .success
    }
    .partially("the security descriptor is not looked at: whoever opens the device may"),
    // nf-wdfdevice-wdfdeviceinitsetfileobjectconfig
    procedure("WdfDeviceInitSetFileObjectConfig(DriverGlobals, DeviceInit, FileObjectConfig, FileObjectAttributes)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, config: Pointer<WDF_FILEOBJECT_CONFIG>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>
      ) in
      let setup = try kernel.deviceInit(setup)
      let config = try kernel.required(config)
      setup.file = try FileCallbacks(
        isWanted: true, create: config.EvtDeviceFileCreate.load(), close: config.EvtFileClose.load(),
        cleanup: config.EvtFileCleanup.load())
      do { setup.fileAttributes = try kernel.attributes(attributes, allowsParent: false) } catch let refused as Refused {
        kernel.report(violation: "WdfDeviceInitSetFileObjectConfig is given attributes that are \(refused.status)")
      }
    },
    // nf-wdfdevice-wdfdeviceinitsetrequestattributes
    procedure("WdfDeviceInitSetRequestAttributes(DriverGlobals, DeviceInit, RequestAttributes)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>) in
      let setup = try kernel.deviceInit(setup)
      do { setup.requestAttributes = try kernel.attributes(kernel.required(attributes), allowsParent: false) } catch let refused as Refused
      {
        kernel.report(violation: "WdfDeviceInitSetRequestAttributes is given attributes that are \(refused.status)")
      }
    },
    // nf-wdfdevice-wdfdeviceinitsetioincallercontextcallback
    procedure("WdfDeviceInitSetIoInCallerContextCallback(DriverGlobals, DeviceInit, EvtIoInCallerContext)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, routine: GuestWord) in
      try kernel.deviceInit(setup).inCallerContext = routine
    },
    // nf-wdfdevice-wdfdeviceinitsetpnppowereventcallbacks
    procedure("WdfDeviceInitSetPnpPowerEventCallbacks(DriverGlobals, DeviceInit, PnpPowerEventCallbacks)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, callbacks: GuestWord) in
      let setup = try kernel.deviceInit(setup)
      setup.plugAndPlay = try PlugAndPlayCallbacks(callbacks.bits, kernel)
    }
    .partially("EvtDeviceUsageNotification and EvtDeviceRelationsQuery are not called; IRP_MJ_POWER is passed on"),
    // nf-wdfcontrol-wdfcontroldeviceinitsetshutdownnotification
    procedure("WdfControlDeviceInitSetShutdownNotification(DriverGlobals, DeviceInit, Notification, Flags)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, routine: GuestWord, flags: UInt32) in
      _ = try kernel.deviceInit(setup)
    }
    .partially("the machine is never shut down, so the callback is not called"),
    // nf-wdffdo-wdffdoinitsetfilter
    procedure("WdfFdoInitSetFilter(DriverGlobals, DeviceInit)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord) in
      try kernel.deviceInit(setup).isFilter = true
    },
    // nf-wdffdo-wdffdoinitwdmgetphysicaldevice
    function("WdfFdoInitWdmGetPhysicalDevice(DriverGlobals, DeviceInit)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord) -> Pointer<DEVICE_OBJECT> in
      try kernel.deviceInit(setup).physicalDevice ?? Pointer(0, in: kernel.memory.memory)
    },
  ]
}

extension Kernel {
  func deviceInit(_ pointer: GuestWord) throws -> DeviceInit {
    if pointer.bits == 0 { throw Violation.requiredParameterIsNull.bugCheck(0, site().ip) }
    guard let setup = framework.deviceInits[pointer.bits] else { throw Violation.invalidHandle.bugCheck(pointer.bits) }
    return setup
  }
}
