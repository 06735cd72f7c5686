import Guest

/// An I/O request packet (`wdm.h`, `ns-wdm-_irp`). Its stack locations follow it.
public struct IRP: GuestStructure {
  public static let name = "_IRP"
  public let `Type`: Field<Int16>
  public let Size: Field<UInt16>
  public let MdlAddress: Field<Pointer<MDL>>
  public let Flags: Field<IRPFlags>
  public let AssociatedIrp: Field<IRP_AssociatedIrp>
  public let ThreadListEntry: Field<LIST_ENTRY>
  public let IoStatus: Field<IO_STATUS_BLOCK>
  public let RequestorMode: Field<KPROCESSOR_MODE>
  public let PendingReturned: Field<UInt8>
  public let StackCount: Field<Int8>
  public let CurrentLocation: Field<Int8>
  public let Cancel: Field<UInt8>
  public let CancelIrql: Field<IRQL>
  public let ApcEnvironment: Field<Int8>
  public let AllocationFlags: Field<UInt8>
  public let UserIosb: Field<Pointer<IO_STATUS_BLOCK>>
  public let UserEvent: Field<Pointer<KEVENT>>
  public let Overlay: Field<IRP_Overlay>
  public let CancelRoutine: Field<Pointer<Procedure<Void>>>
  public let UserBuffer: Field<Pointer<Void>>
  public let Tail: Field<IRP_Tail>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x70,
      IRP(
        Type: 0x00, Size: 0x02, MdlAddress: 0x04, Flags: 0x08, AssociatedIrp: 0x0c, ThreadListEntry: 0x10, IoStatus: 0x18,
        RequestorMode: 0x20, PendingReturned: 0x21, StackCount: 0x22, CurrentLocation: 0x23, Cancel: 0x24, CancelIrql: 0x25,
        ApcEnvironment: 0x26, AllocationFlags: 0x27, UserIosb: 0x28, UserEvent: 0x2c, Overlay: 0x30, CancelRoutine: 0x38,
        UserBuffer: 0x3c, Tail: 0x40
      )
    ))
}

/// The unnamed type of `IRP.AssociatedIrp`.
public struct IRP_AssociatedIrp: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let MasterIrp: Field<Pointer<IRP>>
  public let IrpCount: Field<Int32>
  public let SystemBuffer: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, IRP_AssociatedIrp(MasterIrp: 0x00, IrpCount: 0x00, SystemBuffer: 0x00)))
}

/// The unnamed type of `IRP_Overlay.AsynchronousParameters`.
public struct IRP_Overlay_AsynchronousParameters: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let UserApcRoutine: Field<Pointer<Procedure<Void>>>
  public let UserApcContext: Field<Pointer<Void>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x8, IRP_Overlay_AsynchronousParameters(UserApcRoutine: 0x00, UserApcContext: 0x04)))
}

/// The unnamed type of `IRP.Overlay`.
public struct IRP_Overlay: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let AsynchronousParameters: Field<IRP_Overlay_AsynchronousParameters>
  public let AllocationSize: Field<LARGE_INTEGER>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, IRP_Overlay(AsynchronousParameters: 0x00, AllocationSize: 0x00)))
}

/// The unnamed type of `IRP.Tail`.
public struct IRP_Tail: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let Overlay: Field<IRP_Tail_Overlay>
  public let Apc: Field<KAPC>
  public let CompletionKey: Field<Pointer<Void>>

  public static let layouts = Layouts((.windowsXP_x86, 0x30, IRP_Tail(Overlay: 0x00, Apc: 0x00, CompletionKey: 0x00)))
}

/// The unnamed type of `IRP_Tail.Overlay`.
public struct IRP_Tail_Overlay: GuestStructure {
  public static let name = "<unnamed-tag>"
  public let DeviceQueueEntry: Field<KDEVICE_QUEUE_ENTRY>
  public let DriverContext: Field<Pointer<Void>>
  public let Thread: Field<Pointer<ETHREAD>>
  public let AuxiliaryBuffer: Field<Pointer<Int8>>
  public let ListEntry: Field<LIST_ENTRY>
  public let CurrentStackLocation: Field<Pointer<IO_STACK_LOCATION>>
  public let PacketType: Field<UInt32>
  public let OriginalFileObject: Field<Pointer<FILE_OBJECT>>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x28,
      IRP_Tail_Overlay(
        DeviceQueueEntry: 0x00, DriverContext: Field(0x00, count: 4), Thread: 0x10, AuxiliaryBuffer: 0x14, ListEntry: 0x18,
        CurrentStackLocation: 0x20, PacketType: 0x20, OriginalFileObject: 0x24
      )
    ))
}
