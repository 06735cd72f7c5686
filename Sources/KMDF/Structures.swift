import Guest
import WindowsTypes

// What a driver and the framework hand each other: the public headers of KMDF 1.9, for 32 bits. A later version's structure is
// longer, and begins as its predecessor does.

/// `fxldr.h` of Windows-Driver-Frameworks.
struct WDF_BIND_INFO: GuestStructure {
  static let name = "_WDF_BIND_INFO"
  let Size: Field<UInt32>
  let Component: Field<Pointer<UInt16>>
  let Major: Field<UInt32>
  let Minor: Field<UInt32>
  let Build: Field<UInt32>
  let FuncCount: Field<UInt32>
  let FuncTable: Field<Pointer<GuestWord>>
  let Module: Field<Pointer<Void>>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x20,
      WDF_BIND_INFO(
        Size: 0x00, Component: 0x04, Major: 0x08, Minor: 0x0c, Build: 0x10, FuncCount: 0x14, FuncTable: 0x18, Module: 0x1c)
    ))
}

/// `wdfglobals.h`
struct WDF_DRIVER_GLOBALS: GuestStructure {
  static let name = "_WDF_DRIVER_GLOBALS"
  let Driver: Field<GuestWord>
  let DriverFlags: Field<UInt32>
  let DriverTag: Field<UInt32>
  let DriverName: Field<UInt8>
  let DisplaceDriverUnload: Field<UInt8>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x30,
      WDF_DRIVER_GLOBALS(Driver: 0x00, DriverFlags: 0x04, DriverTag: 0x08, DriverName: Field(0x0c, count: 32), DisplaceDriverUnload: 0x2c)
    ))
}

/// ns-wdfdriver-_wdf_driver_config
struct WDF_DRIVER_CONFIG: GuestStructure {
  static let name = "_WDF_DRIVER_CONFIG"
  let Size: Field<UInt32>
  let EvtDriverDeviceAdd: Field<GuestWord>
  let EvtDriverUnload: Field<GuestWord>
  let DriverInitFlags: Field<UInt32>
  let DriverPoolTag: Field<UInt32>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x14,
      WDF_DRIVER_CONFIG(Size: 0x00, EvtDriverDeviceAdd: 0x04, EvtDriverUnload: 0x08, DriverInitFlags: 0x0c, DriverPoolTag: 0x10)
    ))
}

/// ns-wdfobject-_wdf_object_attributes
struct WDF_OBJECT_ATTRIBUTES: GuestStructure {
  static let name = "_WDF_OBJECT_ATTRIBUTES"
  let Size: Field<UInt32>
  let EvtCleanupCallback: Field<GuestWord>
  let EvtDestroyCallback: Field<GuestWord>
  let ExecutionLevel: Field<UInt32>
  let SynchronizationScope: Field<UInt32>
  let ParentObject: Field<GuestWord>
  let ContextSizeOverride: Field<UInt32>
  let ContextTypeInfo: Field<Pointer<WDF_OBJECT_CONTEXT_TYPE_INFO>>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x20,
      WDF_OBJECT_ATTRIBUTES(
        Size: 0x00, EvtCleanupCallback: 0x04, EvtDestroyCallback: 0x08, ExecutionLevel: 0x0c, SynchronizationScope: 0x10,
        ParentObject: 0x14, ContextSizeOverride: 0x18, ContextTypeInfo: 0x1c)
    ))
}

/// ns-wdfobject-_wdf_object_context_type_info
struct WDF_OBJECT_CONTEXT_TYPE_INFO: GuestStructure {
  static let name = "_WDF_OBJECT_CONTEXT_TYPE_INFO"
  let Size: Field<UInt32>
  let ContextName: Field<GuestWord>
  let ContextSize: Field<UInt32>
  let UniqueType: Field<GuestWord>
  let EvtDriverGetUniqueContextType: Field<GuestWord>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x14,
      WDF_OBJECT_CONTEXT_TYPE_INFO(
        Size: 0x00, ContextName: 0x04, ContextSize: 0x08, UniqueType: 0x0c, EvtDriverGetUniqueContextType: 0x10)
    ))
}

/// ns-wdfdevice-_wdf_fileobject_config
struct WDF_FILEOBJECT_CONFIG: GuestStructure {
  static let name = "_WDF_FILEOBJECT_CONFIG"
  let Size: Field<UInt32>
  let EvtDeviceFileCreate: Field<GuestWord>
  let EvtFileClose: Field<GuestWord>
  let EvtFileCleanup: Field<GuestWord>
  let AutoForwardCleanupClose: Field<UInt32>
  let FileObjectClass: Field<UInt32>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      WDF_FILEOBJECT_CONFIG(
        Size: 0x00, EvtDeviceFileCreate: 0x04, EvtFileClose: 0x08, EvtFileCleanup: 0x0c, AutoForwardCleanupClose: 0x10,
        FileObjectClass: 0x14)
    ))
}

/// ns-wdfio-_wdf_io_queue_config
struct WDF_IO_QUEUE_CONFIG: GuestStructure {
  static let name = "_WDF_IO_QUEUE_CONFIG"
  let Size: Field<UInt32>
  let DispatchType: Field<UInt32>
  let PowerManaged: Field<UInt32>
  let AllowZeroLengthRequests: Field<UInt8>
  let DefaultQueue: Field<UInt8>
  let EvtIoDefault: Field<GuestWord>
  let EvtIoRead: Field<GuestWord>
  let EvtIoWrite: Field<GuestWord>
  let EvtIoDeviceControl: Field<GuestWord>
  let EvtIoInternalDeviceControl: Field<GuestWord>
  let EvtIoStop: Field<GuestWord>
  let EvtIoResume: Field<GuestWord>
  let EvtIoCanceledOnQueue: Field<GuestWord>
  /// `Settings.Parallel`: since 1.9.
  let NumberOfPresentedRequests: Field<UInt32>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x34,
      WDF_IO_QUEUE_CONFIG(
        Size: 0x00, DispatchType: 0x04, PowerManaged: 0x08, AllowZeroLengthRequests: 0x0c, DefaultQueue: 0x0d, EvtIoDefault: 0x10,
        EvtIoRead: 0x14, EvtIoWrite: 0x18, EvtIoDeviceControl: 0x1c, EvtIoInternalDeviceControl: 0x20, EvtIoStop: 0x24,
        EvtIoResume: 0x28, EvtIoCanceledOnQueue: 0x2c, NumberOfPresentedRequests: 0x30)
    ))
}

/// ns-wdftimer-_wdf_timer_config, ns-wdfdpc-_wdf_dpc_config and ns-wdfworkitem-_wdf_workitem_config begin alike.
struct WDF_CALLBACK_CONFIG: GuestStructure {
  static let name = "_WDF_TIMER_CONFIG"
  let Size: Field<UInt32>
  let EvtFunc: Field<GuestWord>
  /// Of a timer alone, in milliseconds; the others' `AutomaticSerialization` is here.
  let Period: Field<UInt32>

  static let layouts = Layouts((.windowsXP_x86, 0x0c, WDF_CALLBACK_CONFIG(Size: 0x00, EvtFunc: 0x04, Period: 0x08)))
}

/// ns-wdfrequest-_wdf_request_parameters
struct WDF_REQUEST_PARAMETERS: GuestStructure {
  static let name = "_WDF_REQUEST_PARAMETERS"
  let Size: Field<UInt16>
  let MinorFunction: Field<UInt8>
  let `Type`: Field<UInt32>
  /// Four words; a read's or write's offset takes the last two.
  let Parameters: Field<GuestWord>

  static let layouts = Layouts(
    (.windowsXP_x86, 0x18, WDF_REQUEST_PARAMETERS(Size: 0x00, MinorFunction: 0x02, Type: 0x04, Parameters: Field(0x08, count: 4))))
}
