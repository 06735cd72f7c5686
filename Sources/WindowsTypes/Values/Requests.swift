import Guest

/// The major function of an I/O request, or one of the filter manager's own (`wdm.h`, `fltKernel.h`).
public struct IRP_MJ: NamedValue {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `IRP_MJ_CREATE`, 0x0
  public static let create = Self(rawValue: 0)
  /// `IRP_MJ_CREATE_NAMED_PIPE`, 0x1
  public static let createNamedPipe = Self(rawValue: 1)
  /// `IRP_MJ_CLOSE`, 0x2
  public static let close = Self(rawValue: 2)
  /// `IRP_MJ_READ`, 0x3
  public static let read = Self(rawValue: 3)
  /// `IRP_MJ_WRITE`, 0x4
  public static let write = Self(rawValue: 4)
  /// `IRP_MJ_QUERY_INFORMATION`, 0x5
  public static let queryInformation = Self(rawValue: 5)
  /// `IRP_MJ_SET_INFORMATION`, 0x6
  public static let setInformation = Self(rawValue: 6)
  /// `IRP_MJ_QUERY_EA`, 0x7
  public static let queryEa = Self(rawValue: 7)
  /// `IRP_MJ_SET_EA`, 0x8
  public static let setEa = Self(rawValue: 8)
  /// `IRP_MJ_FLUSH_BUFFERS`, 0x9
  public static let flushBuffers = Self(rawValue: 9)
  /// `IRP_MJ_QUERY_VOLUME_INFORMATION`, 0xa
  public static let queryVolumeInformation = Self(rawValue: 0xa)
  /// `IRP_MJ_SET_VOLUME_INFORMATION`, 0xb
  public static let setVolumeInformation = Self(rawValue: 0xb)
  /// `IRP_MJ_DIRECTORY_CONTROL`, 0xc
  public static let directoryControl = Self(rawValue: 0xc)
  /// `IRP_MJ_FILE_SYSTEM_CONTROL`, 0xd
  public static let fileSystemControl = Self(rawValue: 0xd)
  /// `IRP_MJ_DEVICE_CONTROL`, 0xe
  public static let deviceControl = Self(rawValue: 0xe)
  /// `IRP_MJ_INTERNAL_DEVICE_CONTROL`, 0xf
  public static let internalDeviceControl = Self(rawValue: 0xf)
  /// `IRP_MJ_SHUTDOWN`, 0x10
  public static let shutdown = Self(rawValue: 0x10)
  /// `IRP_MJ_LOCK_CONTROL`, 0x11
  public static let lockControl = Self(rawValue: 0x11)
  /// `IRP_MJ_CLEANUP`, 0x12
  public static let cleanup = Self(rawValue: 0x12)
  /// `IRP_MJ_CREATE_MAILSLOT`, 0x13
  public static let createMailslot = Self(rawValue: 0x13)
  /// `IRP_MJ_QUERY_SECURITY`, 0x14
  public static let querySecurity = Self(rawValue: 0x14)
  /// `IRP_MJ_SET_SECURITY`, 0x15
  public static let setSecurity = Self(rawValue: 0x15)
  /// `IRP_MJ_POWER`, 0x16
  public static let power = Self(rawValue: 0x16)
  /// `IRP_MJ_SYSTEM_CONTROL`, 0x17
  public static let systemControl = Self(rawValue: 0x17)
  /// `IRP_MJ_DEVICE_CHANGE`, 0x18
  public static let deviceChange = Self(rawValue: 0x18)
  /// `IRP_MJ_QUERY_QUOTA`, 0x19
  public static let queryQuota = Self(rawValue: 0x19)
  /// `IRP_MJ_SET_QUOTA`, 0x1a
  public static let setQuota = Self(rawValue: 0x1a)
  /// `IRP_MJ_PNP`, 0x1b
  public static let pnp = Self(rawValue: 0x1b)
  /// `IRP_MJ_OPERATION_END`, 0x80
  public static let operationEnd = Self(rawValue: 0x80)
  /// `IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION`, 0xff
  public static let acquireForSectionSynchronization = Self(rawValue: 0xff)
  /// `IRP_MJ_RELEASE_FOR_SECTION_SYNCHRONIZATION`, 0xfe
  public static let releaseForSectionSynchronization = Self(rawValue: 0xfe)
  /// `IRP_MJ_ACQUIRE_FOR_MOD_WRITE`, 0xfd
  public static let acquireForModWrite = Self(rawValue: 0xfd)
  /// `IRP_MJ_RELEASE_FOR_MOD_WRITE`, 0xfc
  public static let releaseForModWrite = Self(rawValue: 0xfc)
  /// `IRP_MJ_ACQUIRE_FOR_CC_FLUSH`, 0xfb
  public static let acquireForCcFlush = Self(rawValue: 0xfb)
  /// `IRP_MJ_RELEASE_FOR_CC_FLUSH`, 0xfa
  public static let releaseForCcFlush = Self(rawValue: 0xfa)
  /// `IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE`, 0xf3
  public static let fastIoCheckIfPossible = Self(rawValue: 0xf3)
  /// `IRP_MJ_NETWORK_QUERY_OPEN`, 0xf2
  public static let networkQueryOpen = Self(rawValue: 0xf2)
  /// `IRP_MJ_MDL_READ`, 0xf1
  public static let mdlRead = Self(rawValue: 0xf1)
  /// `IRP_MJ_MDL_READ_COMPLETE`, 0xf0
  public static let mdlReadComplete = Self(rawValue: 0xf0)
  /// `IRP_MJ_PREPARE_MDL_WRITE`, 0xef
  public static let prepareMdlWrite = Self(rawValue: 0xef)
  /// `IRP_MJ_MDL_WRITE_COMPLETE`, 0xee
  public static let mdlWriteComplete = Self(rawValue: 0xee)
  /// `IRP_MJ_VOLUME_MOUNT`, 0xed
  public static let volumeMount = Self(rawValue: 0xed)
  /// `IRP_MJ_VOLUME_DISMOUNT`, 0xec
  public static let volumeDismount = Self(rawValue: 0xec)

  public static let names: [(Self, String)] = [
    (.create, "IRP_MJ_CREATE"), (.createNamedPipe, "IRP_MJ_CREATE_NAMED_PIPE"), (.close, "IRP_MJ_CLOSE"), (.read, "IRP_MJ_READ"),
    (.write, "IRP_MJ_WRITE"), (.queryInformation, "IRP_MJ_QUERY_INFORMATION"), (.setInformation, "IRP_MJ_SET_INFORMATION"),
    (.queryEa, "IRP_MJ_QUERY_EA"), (.setEa, "IRP_MJ_SET_EA"), (.flushBuffers, "IRP_MJ_FLUSH_BUFFERS"),
    (.queryVolumeInformation, "IRP_MJ_QUERY_VOLUME_INFORMATION"), (.setVolumeInformation, "IRP_MJ_SET_VOLUME_INFORMATION"),
    (.directoryControl, "IRP_MJ_DIRECTORY_CONTROL"), (.fileSystemControl, "IRP_MJ_FILE_SYSTEM_CONTROL"),
    (.deviceControl, "IRP_MJ_DEVICE_CONTROL"), (.internalDeviceControl, "IRP_MJ_INTERNAL_DEVICE_CONTROL"),
    (.shutdown, "IRP_MJ_SHUTDOWN"), (.lockControl, "IRP_MJ_LOCK_CONTROL"), (.cleanup, "IRP_MJ_CLEANUP"),
    (.createMailslot, "IRP_MJ_CREATE_MAILSLOT"), (.querySecurity, "IRP_MJ_QUERY_SECURITY"), (.setSecurity, "IRP_MJ_SET_SECURITY"),
    (.power, "IRP_MJ_POWER"), (.systemControl, "IRP_MJ_SYSTEM_CONTROL"), (.deviceChange, "IRP_MJ_DEVICE_CHANGE"),
    (.queryQuota, "IRP_MJ_QUERY_QUOTA"), (.setQuota, "IRP_MJ_SET_QUOTA"), (.pnp, "IRP_MJ_PNP"),
    (.operationEnd, "IRP_MJ_OPERATION_END"), (.acquireForSectionSynchronization, "IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION"),
    (.releaseForSectionSynchronization, "IRP_MJ_RELEASE_FOR_SECTION_SYNCHRONIZATION"),
    (.acquireForModWrite, "IRP_MJ_ACQUIRE_FOR_MOD_WRITE"), (.releaseForModWrite, "IRP_MJ_RELEASE_FOR_MOD_WRITE"),
    (.acquireForCcFlush, "IRP_MJ_ACQUIRE_FOR_CC_FLUSH"), (.releaseForCcFlush, "IRP_MJ_RELEASE_FOR_CC_FLUSH"),
    (.fastIoCheckIfPossible, "IRP_MJ_FAST_IO_CHECK_IF_POSSIBLE"), (.networkQueryOpen, "IRP_MJ_NETWORK_QUERY_OPEN"),
    (.mdlRead, "IRP_MJ_MDL_READ"), (.mdlReadComplete, "IRP_MJ_MDL_READ_COMPLETE"), (.prepareMdlWrite, "IRP_MJ_PREPARE_MDL_WRITE"),
    (.mdlWriteComplete, "IRP_MJ_MDL_WRITE_COMPLETE"), (.volumeMount, "IRP_MJ_VOLUME_MOUNT"),
    (.volumeDismount, "IRP_MJ_VOLUME_DISMOUNT"),
  ]

  /// One more than the last code that a driver object dispatches.
  public static let count = 28
  /// Whether the code exists in the filter manager alone.
  public var isFilterManagerOwn: Bool { rawValue > 0x80 }
}

/// `IRP.Flags` and `FLT_IO_PARAMETER_BLOCK.IrpFlags` (`wdm.h`, `fltKernel.h`).
public struct IRPFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `IRP_NOCACHE`, 0x1
  public static let noCache = Self(rawValue: 0x1)
  /// `IRP_PAGING_IO`, 0x2
  public static let pagingIO = Self(rawValue: 0x2)
  /// `IRP_SYNCHRONOUS_API`, 0x4
  public static let synchronousApi = Self(rawValue: 0x4)
  /// `IRP_ASSOCIATED_IRP`, 0x8
  public static let associatedIRP = Self(rawValue: 0x8)
  /// `IRP_BUFFERED_IO`, 0x10
  public static let bufferedIO = Self(rawValue: 0x10)
  /// `IRP_DEALLOCATE_BUFFER`, 0x20
  public static let deallocateBuffer = Self(rawValue: 0x20)
  /// `IRP_INPUT_OPERATION`, 0x40
  public static let inputOperation = Self(rawValue: 0x40)
  /// `IRP_CREATE_OPERATION`, 0x80
  public static let createOperation = Self(rawValue: 0x80)
  /// `IRP_READ_OPERATION`, 0x100
  public static let readOperation = Self(rawValue: 0x100)
  /// `IRP_WRITE_OPERATION`, 0x200
  public static let writeOperation = Self(rawValue: 0x200)
  /// `IRP_CLOSE_OPERATION`, 0x400
  public static let closeOperation = Self(rawValue: 0x400)
  /// `IRP_DEFER_IO_COMPLETION`, 0x800
  public static let deferIOCompletion = Self(rawValue: 0x800)
  /// `IRP_OB_QUERY_NAME`, 0x1000
  public static let obQueryName = Self(rawValue: 0x1000)
  /// `IRP_HOLD_DEVICE_QUEUE`, 0x2000
  public static let holdDeviceQueue = Self(rawValue: 0x2000)

  public static let names: [(Self, String)] = [
    (.noCache, "IRP_NOCACHE"), (.pagingIO, "IRP_PAGING_IO"), (.synchronousApi, "IRP_SYNCHRONOUS_API"),
    (.associatedIRP, "IRP_ASSOCIATED_IRP"), (.bufferedIO, "IRP_BUFFERED_IO"), (.deallocateBuffer, "IRP_DEALLOCATE_BUFFER"),
    (.inputOperation, "IRP_INPUT_OPERATION"), (.createOperation, "IRP_CREATE_OPERATION"), (.readOperation, "IRP_READ_OPERATION"),
    (.writeOperation, "IRP_WRITE_OPERATION"), (.closeOperation, "IRP_CLOSE_OPERATION"),
    (.deferIOCompletion, "IRP_DEFER_IO_COMPLETION"), (.obQueryName, "IRP_OB_QUERY_NAME"),
    (.holdDeviceQueue, "IRP_HOLD_DEVICE_QUEUE"),
  ]
}

/// `IO_STACK_LOCATION.Control` (`wdm.h`).
public struct StackLocationControl: NamedFlags {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// `SL_PENDING_RETURNED`, 0x1
  public static let pendingReturned = Self(rawValue: 0x1)
  /// `SL_ERROR_RETURNED`, 0x2
  public static let errorReturned = Self(rawValue: 0x2)
  /// `SL_INVOKE_ON_CANCEL`, 0x20
  public static let invokeOnCancel = Self(rawValue: 0x20)
  /// `SL_INVOKE_ON_SUCCESS`, 0x40
  public static let invokeOnSuccess = Self(rawValue: 0x40)
  /// `SL_INVOKE_ON_ERROR`, 0x80
  public static let invokeOnError = Self(rawValue: 0x80)

  public static let names: [(Self, String)] = [
    (.pendingReturned, "SL_PENDING_RETURNED"), (.errorReturned, "SL_ERROR_RETURNED"), (.invokeOnCancel, "SL_INVOKE_ON_CANCEL"),
    (.invokeOnSuccess, "SL_INVOKE_ON_SUCCESS"), (.invokeOnError, "SL_INVOKE_ON_ERROR"),
  ]
}

/// `FLT_CALLBACK_DATA.Flags` (`fltKernel.h`).
public struct CallbackDataFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `FLTFL_CALLBACK_DATA_IRP_OPERATION`, 0x1
  public static let irpOperation = Self(rawValue: 0x1)
  /// `FLTFL_CALLBACK_DATA_FAST_IO_OPERATION`, 0x2
  public static let fastIOOperation = Self(rawValue: 0x2)
  /// `FLTFL_CALLBACK_DATA_FS_FILTER_OPERATION`, 0x4
  public static let fsFilterOperation = Self(rawValue: 0x4)
  /// `FLTFL_CALLBACK_DATA_SYSTEM_BUFFER`, 0x8
  public static let systemBuffer = Self(rawValue: 0x8)
  /// `FLTFL_CALLBACK_DATA_GENERATED_IO`, 0x10000
  public static let generatedIO = Self(rawValue: 0x10000)
  /// `FLTFL_CALLBACK_DATA_REISSUED_IO`, 0x20000
  public static let reissuedIO = Self(rawValue: 0x20000)
  /// `FLTFL_CALLBACK_DATA_DRAINING_IO`, 0x40000
  public static let drainingIO = Self(rawValue: 0x40000)
  /// `FLTFL_CALLBACK_DATA_POST_OPERATION`, 0x80000
  public static let postOperation = Self(rawValue: 0x80000)
  /// `FLTFL_CALLBACK_DATA_NEW_SYSTEM_BUFFER`, 0x100000
  public static let newSystemBuffer = Self(rawValue: 0x100000)
  /// `FLTFL_CALLBACK_DATA_DIRTY`, 0x80000000
  public static let dirty = Self(rawValue: 0x80000000)

  public static let names: [(Self, String)] = [
    (.irpOperation, "FLTFL_CALLBACK_DATA_IRP_OPERATION"), (.fastIOOperation, "FLTFL_CALLBACK_DATA_FAST_IO_OPERATION"),
    (.fsFilterOperation, "FLTFL_CALLBACK_DATA_FS_FILTER_OPERATION"), (.systemBuffer, "FLTFL_CALLBACK_DATA_SYSTEM_BUFFER"),
    (.generatedIO, "FLTFL_CALLBACK_DATA_GENERATED_IO"), (.reissuedIO, "FLTFL_CALLBACK_DATA_REISSUED_IO"),
    (.drainingIO, "FLTFL_CALLBACK_DATA_DRAINING_IO"), (.postOperation, "FLTFL_CALLBACK_DATA_POST_OPERATION"),
    (.newSystemBuffer, "FLTFL_CALLBACK_DATA_NEW_SYSTEM_BUFFER"), (.dirty, "FLTFL_CALLBACK_DATA_DIRTY"),
  ]
}
