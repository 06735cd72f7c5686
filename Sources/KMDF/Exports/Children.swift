import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// Children of a bus: what is said of one before its device is made (wdfpdo.h), and those that the driver reports itself (wdffdo.h).
  static let childFunctions: [Export] = [
    // nf-wdfpdo-wdfpdoinitallocate
    function("WdfPdoInitAllocate(DriverGlobals, ParentDevice)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, parent: GuestWord) -> GuestWord in
      let parent = try kernel.object(parent, Device.self)
      guard parent.physical != nil else { return 0 }
      let block = try kernel.allocate(16)
      let setup = DeviceInit(parent.setup.driver, over: nil)
      setup.child = ChildInit(parent)
      kernel.framework.deviceInits[block] = setup
      return GuestWord(block)
    },
    // nf-wdfpdo-wdfpdoinitseteventcallbacks
    procedure("WdfPdoInitSetEventCallbacks(DriverGlobals, DeviceInit, DispatchTable)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, callbacks: GuestWord) in _ = try kernel.childInit(setup)
    }
    .partially("resources, ejection, locking and waking of a child are not asked for, so the callbacks are not called"),
    // nf-wdfpdo-wdfpdoinitassigndeviceid and its like: of what is no child's it is STATUS_INVALID_DEVICE_REQUEST.
    identifier("WdfPdoInitAssignDeviceID(DriverGlobals, DeviceInit, DeviceID)") { $0.deviceID = $1 },
    identifier("WdfPdoInitAssignInstanceID(DriverGlobals, DeviceInit, InstanceID)") { $0.instanceID = $1 },
    identifier("WdfPdoInitAddHardwareID(DriverGlobals, DeviceInit, HardwareID)") { $0.hardwareIDs.append($1) },
    identifier("WdfPdoInitAddCompatibleID(DriverGlobals, DeviceInit, CompatibleID)") { $0.compatibleIDs.append($1) },
    identifier("WdfPdoInitAssignContainerID(DriverGlobals, DeviceInit, ContainerID)") { $0.containerID = $1 },
    // nf-wdfpdo-wdfpdoinitadddevicetext
    function("WdfPdoInitAddDeviceText(DriverGlobals, DeviceInit, DeviceDescription, DeviceLocation, LocaleId)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, description: Pointer<UNICODE_STRING>,
        location: Pointer<UNICODE_STRING>, locale: UInt32
      ) -> NTSTATUS in
      guard let child = try kernel.deviceInit(setup).child else { return .invalidDeviceRequest }
      guard !child.texts.contains(where: { $0.locale == locale }) else { return .objectNameCollision }
      child.texts.append((locale, try kernel.required(description).string(), try kernel.required(location).string()))
      return .success
    },
    procedure("WdfPdoInitSetDefaultLocale(DriverGlobals, DeviceInit, LocaleId)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, locale: UInt32) in
      try kernel.childInit(setup).defaultLocale = locale
    },
    // nf-wdfpdo-wdfpdoinitassignrawdevice: the child needs no function driver.
    function("WdfPdoInitAssignRawDevice(DriverGlobals, DeviceInit, DeviceClassGuid)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, guid: GuestWord) -> NTSTATUS in
      try kernel.deviceInit(setup).child == nil ? .invalidDeviceRequest : .success
    }
    .partially("no child is started, raw or not"),
    procedure("WdfPdoInitAllowForwardingRequestToParent(DriverGlobals, DeviceInit)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord) in _ = try kernel.childInit(setup)
    },
    // nf-wdfpdo-wdfpdomarkmissing: STATUS_NO_SUCH_DEVICE for a child that its bus does not report.
    asyncFunction("WdfPdoMarkMissing(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) async throws -> NTSTATUS in
      let device = try kernel.object(device, Device.self)
      guard let child = device.setup.child else { return .invalidDeviceRequest }
      let isReported = child.parent.staticChildren.contains { $0 === device } || child.entry?.isPresent == true
      guard isReported, !device.isGone else { return .noSuchDevice }
      device.isGone = true
      child.entry?.isPresent = false
      child.parent.staticChildren.removeAll { $0 === device }
      try await kernel.changeRelations(of: child.parent)
      return .success
    },
    // nf-wdfpdo-wdfpdorequesteject
    procedure("WdfPdoRequestEject(DriverGlobals, Device)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) in
      _ = try kernel.child(device)
    }
    .partially("nothing is ejected"),
    function("WdfPdoGetParent(DriverGlobals, Device)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> GuestWord in
      guard let child = try kernel.object(device, Device.self).setup.child else { return 0 }
      return child.parent.handle
    },
    // nf-wdfpdo-wdfpdoretrieveidentificationdescription and its like: of a child of a dynamic list alone.
    description("WdfPdoRetrieveIdentificationDescription(DriverGlobals, Device, IdentificationDescription)") { kernel, entry, list, place in
      try kernel.copy(UInt64(list.configuration.identificationSize), from: entry.identification, to: place)
    },
    description("WdfPdoRetrieveAddressDescription(DriverGlobals, Device, AddressDescription)") { kernel, entry, list, place in
      guard entry.address != 0 else { throw Refused(.invalidDeviceRequest) }
      try kernel.copy(UInt64(list.configuration.addressSize), from: entry.address, to: place)
    },
    description("WdfPdoUpdateAddressDescription(DriverGlobals, Device, AddressDescription)") { kernel, entry, list, place in
      guard entry.address != 0 else { throw Refused(.invalidDeviceRequest) }
      try kernel.copy(UInt64(list.configuration.addressSize), from: place, to: entry.address)
    },
    // nf-wdfpdo-wdfpdoaddejectionrelationsphysicaldevice and the pages beside it
    relation("WdfPdoAddEjectionRelationsPhysicalDevice(DriverGlobals, Device, PhysicalDevice)"),
    relation("WdfDeviceAddRemovalRelationsPhysicalDevice(DriverGlobals, Device, PhysicalDevice)"),
    relation("WdfDeviceAddDependentUsageDeviceObject(DriverGlobals, Device, DependentDevice)"),
    noRelation("WdfPdoRemoveEjectionRelationsPhysicalDevice(DriverGlobals, Device, PhysicalDevice)"),
    noRelation("WdfDeviceRemoveRemovalRelationsPhysicalDevice(DriverGlobals, Device, PhysicalDevice)"),
    noRelation("WdfDeviceRemoveDependentUsageDeviceObject(DriverGlobals, Device, DependentDevice)"),
    noRelations("WdfPdoClearEjectionRelationsDevices(DriverGlobals, Device)"),
    noRelations("WdfDeviceClearRemovalRelationsDevices(DriverGlobals, Device)"),
    // nf-wdffdo-wdffdoaddstaticchild
    asyncFunction("WdfFdoAddStaticChild(DriverGlobals, Fdo, Child)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, parent: GuestWord, child: GuestWord) async throws -> NTSTATUS in
      let (parent, child) = try (kernel.object(parent, Device.self), kernel.object(child, Device.self))
      guard child.setup.child?.parent === parent, child.setup.child?.entry == nil, !parent.staticChildren.contains(where: { $0 === child })
      else { return .invalidParameter }
      parent.staticChildren.append(child)
      parent.hasStaticChildren = true
      try await kernel.changeRelations(of: parent)
      return .success
    },
    // nf-wdffdo-wdffdolockstaticchildlistforiteration: nobody else changes the list meanwhile on one processor.
    procedure("WdfFdoLockStaticChildListForIteration(DriverGlobals, Fdo)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, parent: GuestWord) in _ = try kernel.object(parent, Device.self)
    },
    procedure("WdfFdoUnlockStaticChildListFromIteration(DriverGlobals, Fdo)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, parent: GuestWord) in _ = try kernel.object(parent, Device.self)
    },
    // nf-wdffdo-wdffdoretrievenextstaticchild: null behind the last. WdfRetrievePresentChildren 1.
    function("WdfFdoRetrieveNextStaticChild(DriverGlobals, Fdo, PreviousChild, Flags)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, parent: GuestWord, previous: GuestWord, flags: UInt32) -> GuestWord in
      let children = try kernel.object(parent, Device.self).staticChildren
      guard flags & 7 != 0, previous.bits != 0 else { return flags & 7 == 0 ? 0 : children.first?.handle ?? 0 }
      guard let index = children.firstIndex(where: { $0.handle == previous }), index + 1 < children.count else { return 0 }
      return children[index + 1].handle
    }
    .partially("every child counts as present"),
    // nf-wdffdo-wdffdoinitsetdefaultchildlistconfig
    procedure("WdfFdoInitSetDefaultChildListConfig(DriverGlobals, DeviceInit, Config, DefaultDeviceListAttributes)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, config: Pointer<GuestWord>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>
      ) in
      let setup = try kernel.deviceInit(setup)
      do {
        setup.childList = (
          try ChildList.Configuration(kernel.required(config)), try kernel.attributes(attributes, allowsParent: false)
        )
      } catch let refused as Refused {
        kernel.report(violation: "WdfFdoInitSetDefaultChildListConfig is given a configuration that is \(refused.status)")
      }
    },
    function("WdfFdoGetDefaultChildList(DriverGlobals, Fdo)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) -> GuestWord in
      try kernel.object(device, Device.self).defaultChildList?.handle ?? 0
    },
    // nf-wdffdo-wdffdoinitseteventcallbacks
    procedure("WdfFdoInitSetEventCallbacks(DriverGlobals, DeviceInit, FdoEventCallbacks)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, callbacks: GuestWord) in _ = try kernel.deviceInit(setup)
    }
    .partially("a device has no resources to filter, so the callbacks are not called"),
    // nf-wdfdevice-wdfdevicesetbusinformationforchildren
    procedure("WdfDeviceSetBusInformationForChildren(DriverGlobals, Device, BusInformation)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, information: GuestWord) in
      try kernel.object(device, Device.self).busInformation = kernel.memory.memory.bytes(0x18, at: information.bits)
    },
  ]

  private static func identifier(_ prototype: String, _ assign: @escaping @Sendable (ChildInit, String) -> Void) -> Export {
    function(prototype, irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, setup: GuestWord, text: Pointer<UNICODE_STRING>) -> NTSTATUS in
      guard let child = try kernel.deviceInit(setup).child else { return .invalidDeviceRequest }
      assign(child, try kernel.required(text).string())
      return .success
    }
  }

  private static func description(
    _ prototype: String, _ use: @escaping @Sendable (Kernel, ChildList.Entry, ChildList, UInt64) throws -> Void
  ) -> Export {
    asyncFunction(prototype) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, place: GuestWord) async throws -> NTSTATUS in
      try await kernel.refusing {
        guard let child = try kernel.object(device, Device.self).setup.child, let entry = child.entry,
          let list = child.parent.childLists.first(where: { $0.entries.contains { $0 === entry } })
        else { return .invalidDeviceRequest }
        try use(kernel, entry, list, place.bits)
        return .success
      }
    }
    .partially("the driver's own routines for copying a description are not called")
  }

  private static func relation(_ prototype: String) -> Export {
    function(prototype) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, other: GuestWord) -> NTSTATUS in
      _ = try kernel.object(device, Device.self)
      return other.bits == 0 ? .invalidParameter : .success
    }
    .partially("nobody is told of the relation")
  }

  private static func noRelation(_ prototype: String) -> Export {
    procedure(prototype) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, other: GuestWord) in
      _ = try kernel.object(device, Device.self)
    }
  }

  private static func noRelations(_ prototype: String) -> Export {
    procedure(prototype) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord) in _ = try kernel.object(device, Device.self) }
  }
}

extension Kernel {
  fileprivate func childInit(_ pointer: GuestWord) throws -> ChildInit {
    guard let child = try deviceInit(pointer).child else { throw Violation.invalidHandle.bugCheck(pointer.bits) }
    return child
  }

  fileprivate func child(_ device: GuestWord) throws -> ChildInit {
    guard let child = try object(device, Device.self).setup.child else { throw Violation.invalidHandle.bugCheck(device.bits) }
    return child
  }
}
