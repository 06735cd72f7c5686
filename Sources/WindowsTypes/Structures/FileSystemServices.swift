import Guest

/// What a file system keeps of the names that its directories have lost (`ntifs.h`, opaque to its owner).
public struct TUNNEL: GuestStructure {
  public static let name = "_TUNNEL"
  public let Mutex: Field<FAST_MUTEX>
  public let Cache: Field<Pointer<Void>>
  public let TimerQueue: Field<LIST_ENTRY>
  public let NumEntries: Field<UInt16>

  public static let layouts = Layouts((.windowsXP_x86, 0x30, TUNNEL(Mutex: 0x00, Cache: 0x20, TimerQueue: 0x24, NumEntries: 0x2c)))
}

/// A filter's own data about a stream or a file (`ns-ntifs-_fsrtl_per_stream_context`, `ns-ntifs-_fsrtl_per_file_context`).
public struct FSRTL_PER_STREAM_CONTEXT: GuestStructure {
  public static let name = "_FSRTL_PER_STREAM_CONTEXT"
  public let Links: Field<LIST_ENTRY>
  public let OwnerId: Field<Pointer<Void>>
  public let InstanceId: Field<Pointer<Void>>
  public let FreeCallback: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x14, FSRTL_PER_STREAM_CONTEXT(Links: 0x00, OwnerId: 0x08, InstanceId: 0x0c, FreeCallback: 0x10)))
}

/// What a driver adds to a create (`ns-ntddk-_io_driver_create_context`).
public struct IO_DRIVER_CREATE_CONTEXT: GuestStructure {
  public static let name = "_IO_DRIVER_CREATE_CONTEXT"
  public let Size: Field<Int16>
  public let ExtraCreateParameter: Field<Pointer<Void>>
  public let DeviceObjectHint: Field<Pointer<DEVICE_OBJECT>>
  public let TxnParameters: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x10,
      IO_DRIVER_CREATE_CONTEXT(Size: 0x00, ExtraCreateParameter: 0x04, DeviceObjectHint: 0x08, TxnParameters: 0x0c)
    ))
}

/// The entry points that a file system filter wants to be called at (`ns-ntifs-_fs_filter_callbacks`), before and after each of seven
/// operations; the first six have a place.
public struct FS_FILTER_CALLBACKS: GuestStructure {
  public static let name = "_FS_FILTER_CALLBACKS"
  public let SizeOfFsFilterCallbacks: Field<UInt32>
  public let Reserved: Field<UInt32>
  public let Routines: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x38, FS_FILTER_CALLBACKS(SizeOfFsFilterCallbacks: 0x00, Reserved: 0x04, Routines: 0x08)))
}

/// What a callback of `FS_FILTER_CALLBACKS` is told (`ns-ntifs-_fs_filter_callback_data`).
public struct FS_FILTER_CALLBACK_DATA: GuestStructure {
  public static let name = "_FS_FILTER_CALLBACK_DATA"
  public let SizeOfFsFilterCallbackData: Field<UInt32>
  public let Operation: Field<UInt8>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>
  public let FileObject: Field<Pointer<FILE_OBJECT>>
  public let Parameters: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x24,
      FS_FILTER_CALLBACK_DATA(SizeOfFsFilterCallbackData: 0x00, Operation: 0x04, DeviceObject: 0x08, FileObject: 0x0c, Parameters: 0x10)
    ))
}
