import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// What a driver asks about a device, and what it says of one (wdfdevice.h, wdffdo.h).
  static let deviceFactFunctions: [Export] = [
    // nf-wdfdevice-wdfdeviceretrievedevicename: of a device without a name it is STATUS_INVALID_DEVICE_STATE.
    function("WdfDeviceRetrieveDeviceName(DriverGlobals, Device, String)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, string: GuestWord) -> NTSTATUS in
      let (device, string) = try (kernel.object(device, Device.self), kernel.object(string, StringObject.self))
      guard let path = kernel.path(of: device.object) else { return .invalidDeviceState }
      try string.replace(with: path, kernel)
      return .success
    },
    // nf-wdfdevice-wdfdeviceassignmofresourcename
    function("WdfDeviceAssignMofResourceName(DriverGlobals, Device, MofResourceName)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, name: Pointer<UNICODE_STRING>) -> NTSTATUS in
      _ = try (kernel.object(device, Device.self), kernel.required(name))
      return .success
    }
    .partially("nobody asks for the device's WMI blocks"),
    // nf-wdfdevice-wdfdevicegetdevicestate, nf-wdfdevice-wdfdevicesetdevicestate: WDF_DEVICE_STATE.
    procedure("WdfDeviceGetDeviceState(DriverGlobals, Device, DeviceState)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, result: Pointer<UInt32>) in
      let device = try kernel.object(device, Device.self)
      for (index, value) in device.state.enumerated() { try kernel.required(result)[index + 1].store(value) }
    },
    procedure("WdfDeviceSetDeviceState(DriverGlobals, Device, DeviceState)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, state: Pointer<UInt32>) in
      let device = try kernel.object(device, Device.self)
      for index in device.state.indices { device.state[index] = try kernel.required(state)[index + 1].load() }
    }
    .partially("the Plug and Play manager is not told"),
    // nf-wdfdevice-wdfdevicesetfailed
    procedure("WdfDeviceSetFailed(DriverGlobals, Device, FailedAction)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, action: UInt32) in
      try kernel.object(device, Device.self).state[2] = 1
    }
    .partially("the Plug and Play manager is not told, and does not start the device again"),
    // nf-wdfdevice-wdfdevicequeryproperty, nf-wdffdo-wdffdoinitqueryproperty, nf-wdfiotarget-wdfiotargetquerytargetproperty: what
    // IoGetDeviceProperty says.
    query("WdfDeviceQueryProperty(DriverGlobals, Device, DeviceProperty, BufferLength, PropertyBuffer, ResultLength)", of: ofDevice),
    query("WdfFdoInitQueryProperty(DriverGlobals, DeviceInit, DeviceProperty, BufferLength, PropertyBuffer, ResultLength)", of: ofSetup),
    query(
      "WdfIoTargetQueryTargetProperty(DriverGlobals, IoTarget, DeviceProperty, BufferLength, PropertyBuffer, ResultLength)", of: ofTarget),
    // nf-wdfdevice-wdfdeviceallocandqueryproperty and its like
    allocateAndQuery(
      "WdfDeviceAllocAndQueryProperty(DriverGlobals, Device, DeviceProperty, PoolType, Attributes, PropertyMemory)", of: ofDevice),
    allocateAndQuery(
      "WdfFdoInitAllocAndQueryProperty(DriverGlobals, DeviceInit, DeviceProperty, PoolType, Attributes, PropertyMemory)", of: ofSetup),
    allocateAndQuery(
      "WdfIoTargetAllocAndQueryTargetProperty(DriverGlobals, IoTarget, DeviceProperty, PoolType, Attributes, PropertyMemory)", of: ofTarget),
    // nf-wdfdevice-wdfdeviceopenregistrykey, nf-wdffdo-wdffdoinitopenregistrykey
    openKey("WdfDeviceOpenRegistryKey(DriverGlobals, Device, DeviceInstanceKeyType, DesiredAccess, KeyAttributes, Key)", of: ofDevice),
    openKey("WdfFdoInitOpenRegistryKey(DriverGlobals, DeviceInit, DeviceInstanceKeyType, DesiredAccess, KeyAttributes, Key)", of: ofSetup),
    // nf-wdfdevice-wdfdevicesetspecialfilesupport
    procedure("WdfDeviceSetSpecialFileSupport(DriverGlobals, Device, FileType, FileTypeIsSupported)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, type: UInt32, isSupported: UInt8) in
      _ = try kernel.object(device, Device.self)
    }
    .partially("IRP_MN_DEVICE_USAGE_NOTIFICATION is passed on as it is"),
    procedure("WdfDeviceSetStaticStopRemove(DriverGlobals, Device, Stoppable)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, isStoppable: UInt8) in _ = try kernel.object(device, Device.self)
    }
    .partially("the device can be stopped and removed whatever it says"),
    // nf-wdfdevice-wdfdeviceassignsxwakesettings: STATUS_POWER_STATE_INVALID of a device that cannot wake the system.
    function("WdfDeviceAssignSxWakeSettings(DriverGlobals, Device, Settings)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, settings: Pointer<UInt32>) -> NTSTATUS in
      _ = try kernel.object(device, Device.self)
      return try kernel.required(settings).load() >= 0x10 ? NTSTATUS(rawValue: 0xc000_02d3) : .infoLengthMismatch
    },
    // nf-wdfdevice-wdfdeviceindicatewakestatus: nobody waits for the device to wake.
    function("WdfDeviceIndicateWakeStatus(DriverGlobals, Device, WaitWakeStatus)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, status: NTSTATUS) -> NTSTATUS in
      _ = try kernel.object(device, Device.self)
      return .invalidDeviceRequest
    },
    // nf-wdfdevice-wdfdevicestopidle, nf-wdfdevice-wdfdeviceresumeidle: the device works, so it need not wake.
    function("WdfDeviceStopIdleNoTrack(DriverGlobals, Device, WaitForD0)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, waits: UInt8) -> NTSTATUS in
      try kernel.object(device, Device.self).progress.isInD0 ? .success : NTSTATUS(rawValue: 0xc000_02d3)
    },
    function("WdfDeviceStopIdleActual(DriverGlobals, Device, WaitForD0, Tag, Line, File)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, waits: UInt8, tag: GuestWord, line: Int32, file: GuestWord
      ) -> NTSTATUS in
      try kernel.object(device, Device.self).progress.isInD0 ? .success : NTSTATUS(rawValue: 0xc000_02d3)
    },
    procedure("WdfDeviceResumeIdleNoTrack(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) in _ = try kernel.object(device, Device.self)
    },
    procedure("WdfDeviceResumeIdleActual(DriverGlobals, Device, Tag, Line, File)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, tag: GuestWord, line: Int32, file: GuestWord) in
      _ = try kernel.object(device, Device.self)
    },
    // nf-wdfdevice-wdfdevicegetsystempoweraction: PowerActionNone
    function("WdfDeviceGetSystemPowerAction(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> UInt32 in
      _ = try kernel.object(device, Device.self)
      return 0
    },
    // nf-wdfdevice-wdfdeviceinitregisterpnpstatechangecallback and the pages beside it
    stateChange("WdfDeviceInitRegisterPnpStateChangeCallback(DriverGlobals, DeviceInit, PnpState, EvtDevicePnpStateChange, CallbackTypes)"),
    stateChange(
      "WdfDeviceInitRegisterPowerStateChangeCallback(DriverGlobals, DeviceInit, PowerState, EvtDevicePowerStateChange, CallbackTypes)"),
    stateChange(
      "WdfDeviceInitRegisterPowerPolicyStateChangeCallback(DriverGlobals, DeviceInit, PowerPolicyState, EvtDevicePowerPolicyStateChange, CallbackTypes)"
    ),
    // nf-wdfdevice-wdfdeviceinitsetdeviceclass
    setting("WdfDeviceInitSetDeviceClass(DriverGlobals, DeviceInit, DeviceClassGuid)")
      .partially("the class's settings of security and type are not looked for"),
    setting("WdfDeviceInitSetReleaseHardwareOrderOnFailure(DriverGlobals, DeviceInit, ReleaseHardwareOrderOnFailure)"),
    setting("WdfDeviceInitSetRemoveLockOptions(DriverGlobals, DeviceInit, Options)"),
    // nf-wdfdevice-wdfdeviceinitsetiotypeex: WDF_IO_TYPE_CONFIG is its size, then the type for reads and writes.
    procedure("WdfDeviceInitSetIoTypeEx(DriverGlobals, DeviceInit, IoTypeConfig)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, config: Pointer<UInt32>) in
      try kernel.deviceInit(setup).ioType = kernel.required(config)[1].load()
    }
    .partially("a control request's buffers come as its code says, and no transfer is direct for its length alone"),
    // nf-wdfdevice-wdfdeviceinitassignwdmirppreprocesscallback
    function(
      "WdfDeviceInitAssignWdmIrpPreprocessCallback(DriverGlobals, DeviceInit, EvtDeviceWdmIrpPreprocess, MajorFunction, MinorFunctions, NumMinorFunctions)",
      irql: .passive
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, routine: GuestWord, major: UInt8, minors: GuestWord, count: UInt32
      ) -> NTSTATUS in
      let setup = try kernel.deviceInit(setup)
      guard routine.bits != 0, major < 28 else { return .invalidParameter }
      guard setup.preprocessing[major] == nil else { return .invalidDeviceRequest }
      guard count <= 256 else { return .invalidParameter }
      let bytes = minors.bits == 0 || count == 0 ? [] : try kernel.memory.memory.bytes(Int(count), at: minors.bits)
      setup.preprocessing[major] = (routine, bytes)
      return .success
    },
    // nf-wdfdevice-wdfdevicewdmdispatchpreprocessedirp: its caller has called IoSkipCurrentIrpStackLocation or copied it to the next.
    asyncFunction("WdfDeviceWdmDispatchPreprocessedIrp(DriverGlobals, Device, Irp)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, irp: Pointer<IRP>) async throws -> NTSTATUS in
      let device = try kernel.object(device, Device.self)
      let location = try irp.Tail.Overlay.CurrentStackLocation.load().advanced(by: -1)
      try irp.CurrentLocation.store(irp.CurrentLocation.load() &- 1)
      try irp.Tail.Overlay.CurrentStackLocation.store(location)
      return try await kernel.dispatch(device, irp, location.MajorFunction.load())
    },
    // nf-wdfdriver-wdfdriverretrieveversionstring
    function("WdfDriverRetrieveVersionString(DriverGlobals, Driver, String)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord, string: GuestWord) -> NTSTATUS in
      _ = try kernel.object(driver, FrameworkDriver.self)
      try kernel.object(string, StringObject.self).replace(with: "KMDF Library Version 1.15.0", kernel)
      return .success
    }
    .uncertain("the page does not say how the string is worded"),
    // WdfDriverRegisterTraceInfo (wdfdriver.h), which its framework never did anything for.
    function("WdfDriverRegisterTraceInfo(DriverGlobals, DriverObject, EvtTraceCallback, ControlBlock)") {
      (_, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord, routine: GuestWord, block: GuestWord) -> NTSTATUS in .notImplemented
    },
  ]

  /// How a function finds the physical device that a handle stands for.
  private typealias Finder = @Sendable (Kernel, GuestWord) throws -> Pointer<DEVICE_OBJECT>?
  private static let ofDevice: Finder = { try $0.object($1, Device.self).physical }
  private static let ofSetup: Finder = { try $0.deviceInit($1).physicalDevice }
  private static let ofTarget: Finder = { try $0.object($1, Target.self).below }

  private static func query(_ prototype: String, of find: @escaping Finder) -> Export {
    asyncFunction(prototype, irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, subject: GuestWord, property: UInt32, length: UInt32, buffer: GuestWord,
        result: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      guard let physical = try find(kernel, subject) else { return .invalidDeviceRequest }
      return try await kernel.property(property, of: physical, length, buffer.bits, kernel.required(result))
    }
  }

  private static func allocateAndQuery(_ prototype: String, of find: @escaping Finder) -> Export {
    asyncFunction(prototype, irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, subject: GuestWord, property: UInt32, pool: UInt32,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        guard let physical = try find(kernel, subject) else { return .invalidDeviceRequest }
        let binding = try kernel.binding(globals)
        let size = Pointer<UInt32>(try kernel.allocate(8), in: kernel.memory.memory)
        defer { kernel.free(size.address) }
        var status = try await kernel.property(property, of: physical, 0, 0, size)
        guard status == .bufferTooSmall || status.isSuccess else { return status }
        let length = try max(2, size.load())
        guard let block = try kernel.allocatePool(UInt64(length), tag: globals.DriverTag.load(), paged: pool & 1 != 0) else {
          return .insufficientResources
        }
        status = try await kernel.property(property, of: physical, length, block, size)
        guard status.isSuccess else {
          try kernel.freePool(block)
          return status
        }
        let memory = MemoryObject(try kernel.objectBlock(), binding, buffer: block, size: UInt64(length))
        memory.ownedBlock = block
        try kernel.adopt(memory, kernel.attributes(attributes), parent: binding.driver)
        try result.store(memory.handle)
        return .success
      }
    }
  }

  private static func openKey(_ prototype: String, of find: @escaping Finder) -> Export {
    asyncFunction(prototype, irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, subject: GuestWord, kind: UInt32, access: UInt32,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let physical = try find(kernel, subject)
        return try kernel.open(
          physical.flatMap { kernel.registryKey(ofDevice: $0.address, kind: kind) }, kernel.binding(globals), attributes, result)
      }
    }
    .partially("the access that is asked for is not checked")
  }

  private static func stateChange(_ prototype: String) -> Export {
    function(prototype, irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, state: UInt32, routine: GuestWord, types: UInt32
      ) -> NTSTATUS in
      _ = try kernel.deviceInit(setup)
      return routine.bits == 0 || types == 0 ? .invalidParameter : .success
    }
    .partially("the callback is not called")
  }

  private static func setting(_ prototype: String) -> Export {
    procedure(prototype) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, value: GuestWord) in
      _ = try kernel.deviceInit(setup)
    }
  }
}

extension Kernel {
  /// `IoGetDeviceProperty`
  fileprivate func property(
    _ property: UInt32, of physical: Pointer<DEVICE_OBJECT>, _ length: UInt32, _ buffer: UInt64, _ result: Pointer<UInt32>
  ) async throws -> NTSTATUS {
    NTSTATUS(
      rawValue: UInt32(
        truncatingIfNeeded: try await call(
          trapAddress(of: "IoGetDeviceProperty"), [physical.address, UInt64(property), UInt64(length), buffer, result.address])))
  }
}
