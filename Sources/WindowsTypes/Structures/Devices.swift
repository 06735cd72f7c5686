import Guest

/// A loaded driver (`wdm.h`, `ns-wdm-_driver_object`).
public struct DRIVER_OBJECT: GuestStructure {
  public static let name = "_DRIVER_OBJECT"
  public let `Type`: Field<Int16>
  public let Size: Field<Int16>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>
  public let Flags: Field<UInt32>
  public let DriverStart: Field<Pointer<Void>>
  public let DriverSize: Field<UInt32>
  public let DriverSection: Field<Pointer<Void>>
  public let DriverExtension: Field<Pointer<DRIVER_EXTENSION>>
  public let DriverName: Field<UNICODE_STRING>
  public let HardwareDatabase: Field<Pointer<UNICODE_STRING>>
  public let FastIoDispatch: Field<Pointer<FAST_IO_DISPATCH>>
  public let DriverInit: Field<Pointer<Procedure<NTSTATUS>>>
  public let DriverStartIo: Field<Pointer<Procedure<Void>>>
  public let DriverUnload: Field<Pointer<Procedure<Void>>>
  public let MajorFunction: Field<Pointer<Procedure<NTSTATUS>>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xa8,
      DRIVER_OBJECT(
        Type: 0x00, Size: 0x02, DeviceObject: 0x04, Flags: 0x08, DriverStart: 0x0c, DriverSize: 0x10, DriverSection: 0x14,
        DriverExtension: 0x18, DriverName: 0x1c, HardwareDatabase: 0x24, FastIoDispatch: 0x28, DriverInit: 0x2c,
        DriverStartIo: 0x30, DriverUnload: 0x34, MajorFunction: Field(0x38, count: 28)
      )
    ))
}

/// What a driver object keeps apart (`wdm.h`).
public struct DRIVER_EXTENSION: GuestStructure {
  public static let name = "_DRIVER_EXTENSION"
  public let DriverObject: Field<Pointer<DRIVER_OBJECT>>
  public let AddDevice: Field<Pointer<Procedure<NTSTATUS>>>
  public let Count: Field<UInt32>
  public let ServiceKeyName: Field<UNICODE_STRING>
  public let ClientDriverExtension: Field<Pointer<IO_CLIENT_EXTENSION>>
  public let FsFilterCallbacks: Field<Pointer<FS_FILTER_CALLBACKS>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      DRIVER_EXTENSION(
        DriverObject: 0x00, AddDevice: 0x04, Count: 0x08, ServiceKeyName: 0x0c, ClientDriverExtension: 0x14, FsFilterCallbacks: 0x18
      )
    ))
}

/// The unnamed type of `DEVICE_OBJECT.Queue`.
public struct DEVICE_OBJECT_Queue: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let ListEntry: Field<LIST_ENTRY>
  public let Wcb: Field<WAIT_CONTEXT_BLOCK>

  public static let layouts = Layouts((.windowsXP_x86, 0x28, DEVICE_OBJECT_Queue(ListEntry: 0x00, Wcb: 0x00)))
}

/// A device (`wdm.h`, `ns-wdm-_device_object`).
public struct DEVICE_OBJECT: GuestStructure {
  public static let name = "_DEVICE_OBJECT"
  public let `Type`: Field<Int16>
  public let Size: Field<UInt16>
  public let ReferenceCount: Field<Int32>
  public let DriverObject: Field<Pointer<DRIVER_OBJECT>>
  public let NextDevice: Field<Pointer<DEVICE_OBJECT>>
  public let AttachedDevice: Field<Pointer<DEVICE_OBJECT>>
  public let CurrentIrp: Field<Pointer<IRP>>
  public let Timer: Field<Pointer<IO_TIMER>>
  public let Flags: Field<DeviceObjectFlags>
  public let Characteristics: Field<UInt32>
  public let Vpb: Field<Pointer<VPB>>
  public let DeviceExtension: Field<Pointer<Void>>
  public let DeviceType: Field<UInt32>
  public let StackSize: Field<Int8>
  public let Queue: Field<DEVICE_OBJECT_Queue>
  public let AlignmentRequirement: Field<UInt32>
  public let DeviceQueue: Field<KDEVICE_QUEUE>
  public let Dpc: Field<KDPC>
  public let ActiveThreadCount: Field<UInt32>
  public let SecurityDescriptor: Field<Pointer<Void>>
  public let DeviceLock: Field<KEVENT>
  public let SectorSize: Field<UInt16>
  public let Spare1: Field<UInt16>
  public let DeviceObjectExtension: Field<Pointer<DEVOBJ_EXTENSION>>
  public let Reserved: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0xb8,
      DEVICE_OBJECT(
        Type: 0x00, Size: 0x02, ReferenceCount: 0x04, DriverObject: 0x08, NextDevice: 0x0c, AttachedDevice: 0x10, CurrentIrp: 0x14,
        Timer: 0x18, Flags: 0x1c, Characteristics: 0x20, Vpb: 0x24, DeviceExtension: 0x28, DeviceType: 0x2c, StackSize: 0x30,
        Queue: 0x34, AlignmentRequirement: 0x5c, DeviceQueue: 0x60, Dpc: 0x74, ActiveThreadCount: 0x94, SecurityDescriptor: 0x98,
        DeviceLock: 0x9c, SectorSize: 0xac, Spare1: 0xae, DeviceObjectExtension: 0xb0, Reserved: 0xb4
      )
    ))
}

/// A request for an adapter or controller (`wdm.h`).
public struct WAIT_CONTEXT_BLOCK: GuestStructure {
  public static let name = "_WAIT_CONTEXT_BLOCK"
  public let WaitQueueEntry: Field<KDEVICE_QUEUE_ENTRY>
  public let DeviceRoutine: Field<Pointer<Procedure<NTSTATUS>>>
  public let DeviceContext: Field<Pointer<Void>>
  public let NumberOfMapRegisters: Field<UInt32>
  public let DeviceObject: Field<Pointer<Void>>
  public let CurrentIrp: Field<Pointer<Void>>
  public let BufferChainingDpc: Field<Pointer<KDPC>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x28,
      WAIT_CONTEXT_BLOCK(
        WaitQueueEntry: 0x00, DeviceRoutine: 0x10, DeviceContext: 0x14, NumberOfMapRegisters: 0x18, DeviceObject: 0x1c,
        CurrentIrp: 0x20, BufferChainingDpc: 0x24
      )
    ))
}

/// What the I/O manager keeps of a device (`wdm.h`).
public struct DEVOBJ_EXTENSION: GuestStructure {
  public static let name = "_DEVOBJ_EXTENSION"
  public let `Type`: Field<Int16>
  public let Size: Field<UInt16>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>
  public let PowerFlags: Field<UInt32>
  public let Dope: Field<Pointer<DEVICE_OBJECT_POWER_EXTENSION>>
  public let ExtensionFlags: Field<UInt32>
  public let DeviceNode: Field<Pointer<Void>>
  public let AttachedTo: Field<Pointer<DEVICE_OBJECT>>
  public let StartIoCount: Field<Int32>
  public let StartIoKey: Field<Int32>
  public let StartIoFlags: Field<UInt32>
  public let Vpb: Field<Pointer<VPB>>
  public var DependentList: Field<LIST_ENTRY> = .absent
  public var ProviderList: Field<LIST_ENTRY> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x2c,
      DEVOBJ_EXTENSION(
        Type: 0x00, Size: 0x02, DeviceObject: 0x04, PowerFlags: 0x08, Dope: 0x0c, ExtensionFlags: 0x10, DeviceNode: 0x14,
        AttachedTo: 0x18, StartIoCount: 0x1c, StartIoKey: 0x20, StartIoFlags: 0x24, Vpb: 0x28
      )
    ),
    (
      .windows7_x86, 0x3c,
      DEVOBJ_EXTENSION(
        Type: 0x00, Size: 0x02, DeviceObject: 0x04, PowerFlags: 0x08, Dope: 0x0c, ExtensionFlags: 0x10, DeviceNode: 0x14, AttachedTo: 0x18,
        StartIoCount: 0x1c, StartIoKey: 0x20, StartIoFlags: 0x24, Vpb: 0x28, DependentList: 0x2c, ProviderList: 0x34)
    ))
}

/// An open file (`wdm.h`, `ns-wdm-_file_object`).
public struct FILE_OBJECT: GuestStructure {
  public static let name = "_FILE_OBJECT"
  public let `Type`: Field<Int16>
  public let Size: Field<Int16>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>
  public let Vpb: Field<Pointer<VPB>>
  public let FsContext: Field<Pointer<Void>>
  public let FsContext2: Field<Pointer<Void>>
  public let SectionObjectPointer: Field<Pointer<SECTION_OBJECT_POINTERS>>
  public let PrivateCacheMap: Field<Pointer<Void>>
  public let FinalStatus: Field<NTSTATUS>
  public let RelatedFileObject: Field<Pointer<FILE_OBJECT>>
  public let LockOperation: Field<UInt8>
  public let DeletePending: Field<UInt8>
  public let ReadAccess: Field<UInt8>
  public let WriteAccess: Field<UInt8>
  public let DeleteAccess: Field<UInt8>
  public let SharedRead: Field<UInt8>
  public let SharedWrite: Field<UInt8>
  public let SharedDelete: Field<UInt8>
  public let Flags: Field<UInt32>
  public let FileName: Field<UNICODE_STRING>
  public let CurrentByteOffset: Field<LARGE_INTEGER>
  public let Waiters: Field<UInt32>
  public let Busy: Field<UInt32>
  public let LastLock: Field<Pointer<Void>>
  public let Lock: Field<KEVENT>
  public let Event: Field<KEVENT>
  public let CompletionContext: Field<Pointer<IO_COMPLETION_CONTEXT>>
  public var IrpListLock: Field<GuestWord> = .absent
  public var IrpList: Field<LIST_ENTRY> = .absent
  public var FileObjectExtension: Field<Pointer<Void>> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x70,
      FILE_OBJECT(
        Type: 0x00, Size: 0x02, DeviceObject: 0x04, Vpb: 0x08, FsContext: 0x0c, FsContext2: 0x10, SectionObjectPointer: 0x14,
        PrivateCacheMap: 0x18, FinalStatus: 0x1c, RelatedFileObject: 0x20, LockOperation: 0x24, DeletePending: 0x25,
        ReadAccess: 0x26, WriteAccess: 0x27, DeleteAccess: 0x28, SharedRead: 0x29, SharedWrite: 0x2a, SharedDelete: 0x2b,
        Flags: 0x2c, FileName: 0x30, CurrentByteOffset: 0x38, Waiters: 0x40, Busy: 0x44, LastLock: 0x48, Lock: 0x4c, Event: 0x5c,
        CompletionContext: 0x6c
      )
    ),
    (
      .windows7_x86, 0x80,
      FILE_OBJECT(
        Type: 0x00, Size: 0x02, DeviceObject: 0x04, Vpb: 0x08, FsContext: 0x0c, FsContext2: 0x10, SectionObjectPointer: 0x14,
        PrivateCacheMap: 0x18, FinalStatus: 0x1c, RelatedFileObject: 0x20, LockOperation: 0x24, DeletePending: 0x25, ReadAccess: 0x26,
        WriteAccess: 0x27, DeleteAccess: 0x28, SharedRead: 0x29, SharedWrite: 0x2a, SharedDelete: 0x2b, Flags: 0x2c, FileName: 0x30,
        CurrentByteOffset: 0x38, Waiters: 0x40, Busy: 0x44, LastLock: 0x48, Lock: 0x4c, Event: 0x5c, CompletionContext: 0x6c,
        IrpListLock: 0x70, IrpList: 0x74, FileObjectExtension: 0x7c)
    ))
}

/// What the memory and cache managers hold of a file's data (`wdm.h`).
public struct SECTION_OBJECT_POINTERS: GuestStructure {
  public static let name = "_SECTION_OBJECT_POINTERS"
  public let DataSectionObject: Field<Pointer<Void>>
  public let SharedCacheMap: Field<Pointer<Void>>
  public let ImageSectionObject: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, SECTION_OBJECT_POINTERS(DataSectionObject: 0x00, SharedCacheMap: 0x04, ImageSectionObject: 0x08)))
}

/// The completion port of a file (`wdm.h`).
public struct IO_COMPLETION_CONTEXT: GuestStructure {
  public static let name = "_IO_COMPLETION_CONTEXT"
  public let Port: Field<Pointer<Void>>
  public let Key: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, IO_COMPLETION_CONTEXT(Port: 0x00, Key: 0x04)))
}

/// The link of a storage device and the volume mounted on it (`wdm.h`).
public struct VPB: GuestStructure {
  public static let name = "_VPB"
  public let `Type`: Field<Int16>
  public let Size: Field<Int16>
  public let Flags: Field<UInt16>
  public let VolumeLabelLength: Field<UInt16>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>
  public let RealDevice: Field<Pointer<DEVICE_OBJECT>>
  public let SerialNumber: Field<UInt32>
  public let ReferenceCount: Field<UInt32>
  public let VolumeLabel: Field<UInt16>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x58,
      VPB(
        Type: 0x00, Size: 0x02, Flags: 0x04, VolumeLabelLength: 0x06, DeviceObject: 0x08, RealDevice: 0x0c, SerialNumber: 0x10,
        ReferenceCount: 0x14, VolumeLabel: Field(0x18, count: 32)
      )
    ))
}
