import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  static let deviceFunctions: [Export] = [
    // nf-wdfdevice-wdfdevicecreate
    asyncFunction("WdfDeviceCreate(DriverGlobals, DeviceInit, DeviceAttributes, Device)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: Pointer<GuestWord>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let pointer = try kernel.required(setup).load()
        let device = try await kernel.createFrameworkDevice(
          kernel.deviceInit(pointer), kernel.attributes(attributes, allowsParent: false))
        kernel.framework.deviceInits[pointer.bits] = nil
        kernel.free(pointer.bits)
        try setup.store(0)
        try kernel.required(result).store(device.handle)
        return .success
      }
    },
    // nf-wdfminiport-wdfdeviceminiportcreate: a handle for a device that another framework made, and takes requests for.
    asyncFunction("WdfDeviceMiniportCreate(DriverGlobals, Driver, Attributes, DeviceObject, AttachedDeviceObject, Pdo, Device)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>,
        object: Pointer<DEVICE_OBJECT>, attached: Pointer<DEVICE_OBJECT>, physical: Pointer<DEVICE_OBJECT>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let driver = try kernel.object(driver, FrameworkDriver.self)
        try kernel.required(result).store(0)
        let setup = DeviceInit(driver, over: physical.isNull ? nil : physical)
        let device = Device(try kernel.objectBlock(), driver.binding, try kernel.required(object), setup)
        device.isMiniport = true
        device.below = attached.isNull ? nil : attached
        try kernel.adopt(device, kernel.attributes(attributes, allowsParent: false), parent: driver)
        kernel.framework.devices[object.address] = device
        try result.store(device.handle)
        return .success
      }
    },
    // nf-wdfminiport-wdfdriverminiportunload
    asyncProcedure("WdfDriverMiniportUnload(DriverGlobals, Driver)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord) async throws in
      try await kernel.delete(kernel.object(driver, FrameworkDriver.self))
    },
    // nf-wdfcontrol-wdfcontrolfinishinitializing: until then nobody can open the device.
    procedure("WdfControlFinishInitializing(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) in
      let object = try kernel.object(device, Device.self).object
      try object.Flags.store(object.Flags.load().subtracting(.deviceInitializing))
    },
    // nf-wdfdevice-wdfdevicecreatesymboliclink
    function("WdfDeviceCreateSymbolicLink(DriverGlobals, Device, SymbolicLinkName)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, name: Pointer<UNICODE_STRING>) -> NTSTATUS in
      let device = try kernel.object(device, Device.self)
      guard let path = kernel.path(of: device.object) else { return .invalidDeviceState }
      let link = try kernel.required(name).string()
      let status = try kernel.makeLink(link, to: path)
      if status.isSuccess { device.links.append(link) }
      return status
    },
    // nf-wdfdevice-wdfdevicewdmgetdeviceobject
    function("WdfDeviceWdmGetDeviceObject(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> Pointer<DEVICE_OBJECT> in
      try kernel.object(device, Device.self).object
    },
    // nf-wdfdevice-wdfdevicewdmgetattacheddevice
    function("WdfDeviceWdmGetAttachedDevice(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> Pointer<DEVICE_OBJECT> in
      try kernel.object(device, Device.self).below ?? Pointer(0, in: kernel.memory.memory)
    },
    // nf-wdfdevice-wdfdevicewdmgetphysicaldevice
    function("WdfDeviceWdmGetPhysicalDevice(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> Pointer<DEVICE_OBJECT> in
      try kernel.object(device, Device.self).physical ?? Pointer(0, in: kernel.memory.memory)
    },
    // nf-wdfdevice-wdfwdmdevicegetwdfdevicehandle
    function("WdfWdmDeviceGetWdfDeviceHandle(DriverGlobals, DeviceObject)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: Pointer<DEVICE_OBJECT>) -> GuestWord in
      kernel.framework.devices[device.address]?.handle ?? 0
    },
    // nf-wdfdevice-wdfdevicegetdriver
    function("WdfDeviceGetDriver(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> GuestWord in
      try kernel.object(device, Device.self).setup.driver.handle
    },
    // nf-wdfdevice-wdfdevicegetdefaultqueue
    function("WdfDeviceGetDefaultQueue(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> GuestWord in
      try kernel.object(device, Device.self).defaultQueue?.handle ?? 0
    },
    // nf-wdfdevice-wdfdeviceconfigurerequestdispatching: WDF_REQUEST_TYPE is the major function's number.
    function("WdfDeviceConfigureRequestDispatching(DriverGlobals, Device, Queue, RequestType)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, queue: GuestWord, type: UInt32) -> NTSTATUS in
      let device = try kernel.object(device, Device.self)
      let queue = try kernel.object(queue, Queue.self)
      guard queue.device === device, [0, 3, 4, 0xe, 0xf].contains(type) else { return .invalidParameter }
      guard device.dispatching[UInt8(type)] == nil else { return .wdfBusy }
      device.dispatching[UInt8(type)] = queue
      return .success
    }
    .partially("a queue for create requests gets none: they come by EvtDeviceFileCreate"),
    // nf-wdfdevice-wdfdeviceenqueuerequest
    asyncFunction("WdfDeviceEnqueueRequest(DriverGlobals, Device, Request)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, request: GuestWord) async throws -> NTSTATUS in
      let (device, request) = try (kernel.object(device, Device.self), kernel.request(request))
      guard request.isInCallerContext, request.device === device else { return .invalidDeviceRequest }
      guard device.dispatching[request.major.rawValue] ?? device.defaultQueue != nil else { return .invalidDeviceRequest }
      return try await kernel.enqueue(request, in: device)
    },
    // nf-wdfdevice-wdfdevicesetcharacteristics, nf-wdfdevice-wdfdevicegetcharacteristics
    procedure("WdfDeviceSetCharacteristics(DriverGlobals, Device, DeviceCharacteristics)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, characteristics: UInt32) in
      try kernel.object(device, Device.self).object.Characteristics.store(characteristics)
    },
    function("WdfDeviceGetCharacteristics(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> UInt32 in
      try kernel.object(device, Device.self).object.Characteristics.load()
    },
    // nf-wdfdevice-wdfdevicegetalignmentrequirement, nf-wdfdevice-wdfdevicesetalignmentrequirement
    function("WdfDeviceGetAlignmentRequirement(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> UInt32 in
      try kernel.object(device, Device.self).object.AlignmentRequirement.load()
    },
    procedure("WdfDeviceSetAlignmentRequirement(DriverGlobals, Device, AlignmentRequirement)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, requirement: UInt32) in
      try kernel.object(device, Device.self).object.AlignmentRequirement.store(requirement)
    },
    // nf-wdfdevice-wdfdevicecreatedeviceinterface
    asyncFunction("WdfDeviceCreateDeviceInterface(DriverGlobals, Device, InterfaceClassGUID, ReferenceString)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, guid: GuestWord, reference: Pointer<UNICODE_STRING>
      ) async throws -> NTSTATUS in
      let device = try kernel.object(device, Device.self)
      // A control device has none.
      guard device.physical != nil else { return .invalidDeviceRequest }
      let name = try reference.isNull ? "" : reference.string()
      device.interfaces.append(.init(identifier: try kernel.memory.memory.bytes(16, at: guid.bits), reference: name))
      // Of a device that has started it is enabled at once.
      if device.progress.isInD0 { try await kernel.setInterfaces(of: device, areEnabled: true) }
      return .success
    },
  ]

  static let fileFunctions: [Export] = [
    // nf-wdfdevice-wdfdevicegetfileobject
    function("WdfDeviceGetFileObject(DriverGlobals, Device, FileObject)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, file: Pointer<FILE_OBJECT>) -> GuestWord in
      try kernel.object(device, Device.self).files[file.address]?.handle ?? 0
    },
    // nf-wdffileobject-wdffileobjectgetfilename
    function("WdfFileObjectGetFileName(DriverGlobals, FileObject)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, file: GuestWord) -> Pointer<UNICODE_STRING> in
      try kernel.object(file, FileObject.self).object.FileName
    },
    // nf-wdffileobject-wdffileobjectgetflags
    function("WdfFileObjectGetFlags(DriverGlobals, FileObject)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, file: GuestWord) -> UInt32 in
      try kernel.object(file, FileObject.self).object.Flags.load()
    },
    // nf-wdffileobject-wdffileobjectgetdevice
    function("WdfFileObjectGetDevice(DriverGlobals, FileObject)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, file: GuestWord) -> GuestWord in
      try kernel.object(file, FileObject.self).device?.handle ?? 0
    },
    // nf-wdffileobject-wdffileobjectwdmgetfileobject
    function("WdfFileObjectWdmGetFileObject(DriverGlobals, FileObject)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, file: GuestWord) -> Pointer<FILE_OBJECT> in
      try kernel.object(file, FileObject.self).object
    },
  ]
}

extension Kernel {
  func createFrameworkDevice(_ setup: DeviceInit, _ attributes: Attributes) async throws -> Device {
    let binding = setup.driver.binding
    if let child = setup.child, child.deviceID.isEmpty { throw Refused(.invalidDeviceState) }
    let made = try makeDevice(
      of: binding.driverObject, name: setup.name, type: setup.type,
      // FILE_AUTOGENERATED_DEVICE_NAME
      characteristics: setup.characteristics | (setup.child != nil && setup.name == nil ? 0x80 : 0), isExclusive: setup.isExclusive)
    guard let object = made.device else { throw Refused(made.status) }
    var flags = try object.Flags.load()
    if setup.ioType == 2 { flags.insert(.bufferedIO) }
    if setup.ioType == 3 { flags.insert(.directIO) }
    if setup.child != nil { flags.remove(.deviceInitializing) }
    try object.Flags.store(flags)
    let device = Device(try objectBlock(), binding, object, setup)
    if let physical = setup.physicalDevice {
      let below = try put(object, over: physical)
      guard !below.isNull else {
        try await removeDevice(object)
        throw Refused(.noSuchDevice)
      }
      device.below = below
      try object.Flags.store(flags.subtracting(.deviceInitializing))
    }
    // Such an IRP's first receiver passes it on to the framework.
    if !setup.preprocessing.isEmpty { try object.StackSize.store(object.StackSize.load() &+ 1) }
    try adopt(device, attributes, parent: setup.child?.parent ?? setup.driver)
    framework.devices[object.address] = device
    setup.child?.entry?.device = device
    if let (configuration, attributes) = setup.childList {
      device.defaultChildList = try makeChildList(device, configuration, attributes)
    }
    return device
  }
}
