import Guest

/// A connected interrupt (public symbols of XP SP3).
public struct KINTERRUPT: GuestStructure {
  public static let name = "_KINTERRUPT"
  public let `Type`: Field<Int16>
  public let Size: Field<Int16>
  public let InterruptListEntry: Field<LIST_ENTRY>
  public let ServiceRoutine: Field<Pointer<Procedure<UInt8>>>
  public let ServiceContext: Field<Pointer<Void>>
  public let SpinLock: Field<GuestWord>
  public let TickCount: Field<UInt32>
  public let ActualLock: Field<Pointer<GuestWord>>
  public let DispatchAddress: Field<Pointer<Procedure<Void>>>
  public let Vector: Field<UInt32>
  public let Irql: Field<IRQL>
  public let SynchronizeIrql: Field<IRQL>
  public let FloatingSave: Field<UInt8>
  public let Connected: Field<UInt8>
  public var Number: Field<UInt8> = .absent
  public let ShareVector: Field<UInt8>
  public let Mode: Field<UInt32>
  public let ServiceCount: Field<UInt32>
  public let DispatchCount: Field<UInt32>
  public let DispatchCode: Field<UInt32>
  public var MessageServiceRoutine: Field<Pointer<Procedure<UInt8>>> = .absent
  public var MessageIndex: Field<UInt32> = .absent
  public var Number_7: Field<UInt32> = .absent
  public var Polarity: Field<UInt32> = .absent
  public var Rsvd1: Field<UInt64> = .absent

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1e4,
      KINTERRUPT(
        Type: 0x00, Size: 0x02, InterruptListEntry: 0x04, ServiceRoutine: 0x0c, ServiceContext: 0x10, SpinLock: 0x14, TickCount: 0x18,
        ActualLock: 0x1c, DispatchAddress: 0x20, Vector: 0x24, Irql: 0x28, SynchronizeIrql: 0x29, FloatingSave: 0x2a, Connected: 0x2b,
        Number: 0x2c, ShareVector: 0x2d, Mode: 0x30, ServiceCount: 0x34, DispatchCount: 0x38, DispatchCode: Field(0x3c, count: 106)
      )
    ),
    (
      .windows7_x86, 0x278,
      KINTERRUPT(
        Type: 0x00, Size: 0x02, InterruptListEntry: 0x04, ServiceRoutine: 0x0c, ServiceContext: 0x18, SpinLock: 0x1c, TickCount: 0x20,
        ActualLock: 0x24, DispatchAddress: 0x28, Vector: 0x2c, Irql: 0x30, SynchronizeIrql: 0x31, FloatingSave: 0x32, Connected: 0x33,
        ShareVector: 0x38, Mode: 0x3c, ServiceCount: 0x44, DispatchCount: 0x48, DispatchCode: Field(0x58, count: 135),
        MessageServiceRoutine: 0x10, MessageIndex: 0x14, Number_7: 0x34, Polarity: 0x40, Rsvd1: 0x50)
    ))
}

/// A device's once-a-second timer (public symbols of XP SP3).
public struct IO_TIMER: GuestStructure {
  public static let name = "_IO_TIMER"
  public let `Type`: Field<Int16>
  public let TimerFlag: Field<Int16>
  public let TimerList: Field<LIST_ENTRY>
  public let TimerRoutine: Field<Pointer<Procedure<Void>>>
  public let Context: Field<Pointer<Void>>
  public let DeviceObject: Field<Pointer<DEVICE_OBJECT>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x18,
      IO_TIMER(Type: 0x00, TimerFlag: 0x02, TimerList: 0x04, TimerRoutine: 0x0c, Context: 0x10, DeviceObject: 0x14)
    ))
}

/// A cancel-safe queue of IRPs (`wdm.h`).
public struct IO_CSQ: GuestStructure {
  public static let name = "_IO_CSQ"
  public let `Type`: Field<UInt32>
  public let CsqInsertIrp: Field<Pointer<Procedure<Void>>>
  public let CsqRemoveIrp: Field<Pointer<Procedure<Void>>>
  public let CsqPeekNextIrp: Field<Pointer<Procedure<Void>>>
  public let CsqAcquireLock: Field<Pointer<Procedure<Void>>>
  public let CsqReleaseLock: Field<Pointer<Procedure<Void>>>
  public let CsqCompleteCanceledIrp: Field<Pointer<Procedure<Void>>>
  public let ReservePointer: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x20,
      IO_CSQ(
        Type: 0x00, CsqInsertIrp: 0x04, CsqRemoveIrp: 0x08, CsqPeekNextIrp: 0x0c, CsqAcquireLock: 0x10, CsqReleaseLock: 0x14,
        CsqCompleteCanceledIrp: 0x18, ReservePointer: 0x1c
      )
    ))
}

/// Where a caller finds its IRP in a cancel-safe queue again (`wdm.h`).
public struct IO_CSQ_IRP_CONTEXT: GuestStructure {
  public static let name = "_IO_CSQ_IRP_CONTEXT"
  public let `Type`: Field<UInt32>
  public let Irp: Field<Pointer<IRP>>
  public let Csq: Field<Pointer<IO_CSQ>>

  public static let layouts = Layouts((.windowsXP_x86, 0xc, IO_CSQ_IRP_CONTEXT(Type: 0x00, Irp: 0x04, Csq: 0x08)))
}

/// What keeps a device from going while someone uses it (`wdm.h`): the common part, which every build of a driver has.
public struct IO_REMOVE_LOCK_COMMON_BLOCK: GuestStructure {
  public static let name = "_IO_REMOVE_LOCK_COMMON_BLOCK"
  public let Removed: Field<UInt8>
  public let Reserved: Field<UInt8>
  public let IoCount: Field<Int32>
  public let RemoveEvent: Field<KEVENT>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x18, IO_REMOVE_LOCK_COMMON_BLOCK(Removed: 0x00, Reserved: Field(0x01, count: 3), IoCount: 0x04, RemoveEvent: 0x08)))
}

/// What is to be called when the machine stops (`wdm.h`).
public struct KBUGCHECK_CALLBACK_RECORD: GuestStructure {
  public static let name = "_KBUGCHECK_CALLBACK_RECORD"
  public let Entry: Field<LIST_ENTRY>
  public let CallbackRoutine: Field<Pointer<Procedure<Void>>>
  public let Buffer: Field<Pointer<Void>>
  public let Length: Field<UInt32>
  public let Component: Field<Pointer<UInt8>>
  public let Checksum: Field<GuestWord>
  public let State: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x20,
      KBUGCHECK_CALLBACK_RECORD(
        Entry: 0x00, CallbackRoutine: 0x08, Buffer: 0x0c, Length: 0x10, Component: 0x14, Checksum: 0x18, State: 0x1c
      )
    ))
}

/// What is to be called when the machine stops, with a reason (`wdm.h`).
public struct KBUGCHECK_REASON_CALLBACK_RECORD: GuestStructure {
  public static let name = "_KBUGCHECK_REASON_CALLBACK_RECORD"
  public let Entry: Field<LIST_ENTRY>
  public let CallbackRoutine: Field<Pointer<Procedure<Void>>>
  public let Component: Field<Pointer<UInt8>>
  public let Checksum: Field<GuestWord>
  public let Reason: Field<UInt32>
  public let State: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x1c,
      KBUGCHECK_REASON_CALLBACK_RECORD(Entry: 0x00, CallbackRoutine: 0x08, Component: 0x0c, Checksum: 0x10, Reason: 0x14, State: 0x18)
    ))
}

/// An adapter for transfers between devices and memory (`wdm.h`).
public struct DMA_ADAPTER: GuestStructure {
  public static let name = "_DMA_ADAPTER"
  public let Version: Field<UInt16>
  public let Size: Field<UInt16>
  public let DmaOperations: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, DMA_ADAPTER(Version: 0x00, Size: 0x02, DmaOperations: 0x04)))
}

/// One run of physical addresses of a transfer (`wdm.h`).
public struct SCATTER_GATHER_ELEMENT: GuestStructure {
  public static let name = "_SCATTER_GATHER_ELEMENT"
  public let Address: Field<UInt64>
  public let Length: Field<UInt32>
  public let Reserved: Field<GuestWord>

  public static let layouts = Layouts((.windowsXP_x86, 0x10, SCATTER_GATHER_ELEMENT(Address: 0x00, Length: 0x08, Reserved: 0x0c)))
}

/// An entry of the error log (`wdm.h`).
public struct IO_ERROR_LOG_PACKET: GuestStructure {
  public static let name = "_IO_ERROR_LOG_PACKET"
  public let MajorFunctionCode: Field<UInt8>
  public let RetryCount: Field<UInt8>
  public let DumpDataSize: Field<UInt16>
  public let NumberOfStrings: Field<UInt16>
  public let StringOffset: Field<UInt16>
  public let EventCategory: Field<UInt16>
  public let ErrorCode: Field<NTSTATUS>
  public let UniqueErrorValue: Field<UInt32>
  public let FinalStatus: Field<NTSTATUS>
  public let SequenceNumber: Field<UInt32>
  public let IoControlCode: Field<UInt32>
  public let DeviceOffset: Field<UInt64>
  public let DumpData: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x30,
      IO_ERROR_LOG_PACKET(
        MajorFunctionCode: 0x00, RetryCount: 0x01, DumpDataSize: 0x02, NumberOfStrings: 0x04, StringOffset: 0x06, EventCategory: 0x08,
        ErrorCode: 0x0c, UniqueErrorValue: 0x10, FinalStatus: 0x14, SequenceNumber: 0x18, IoControlCode: 0x1c, DeviceOffset: 0x20,
        DumpData: 0x28
      )
    ))
}
