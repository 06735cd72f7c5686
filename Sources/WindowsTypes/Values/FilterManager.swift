import Guest

/// What a pre-operation callback returns (`fltKernel.h`).
public struct FLT_PREOP_CALLBACK_STATUS: NamedValue {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// `FLT_PREOP_SUCCESS_WITH_CALLBACK`, 0x0
  public static let successWithCallback = Self(rawValue: 0)
  /// `FLT_PREOP_SUCCESS_NO_CALLBACK`, 0x1
  public static let successNoCallback = Self(rawValue: 1)
  /// `FLT_PREOP_PENDING`, 0x2
  public static let pending = Self(rawValue: 2)
  /// `FLT_PREOP_DISALLOW_FASTIO`, 0x3
  public static let disallowFastIO = Self(rawValue: 3)
  /// `FLT_PREOP_COMPLETE`, 0x4
  public static let complete = Self(rawValue: 4)
  /// `FLT_PREOP_SYNCHRONIZE`, 0x5
  public static let synchronize = Self(rawValue: 5)

  public static let names: [(Self, String)] = [
    (.successWithCallback, "FLT_PREOP_SUCCESS_WITH_CALLBACK"), (.successNoCallback, "FLT_PREOP_SUCCESS_NO_CALLBACK"),
    (.pending, "FLT_PREOP_PENDING"), (.disallowFastIO, "FLT_PREOP_DISALLOW_FASTIO"), (.complete, "FLT_PREOP_COMPLETE"),
    (.synchronize, "FLT_PREOP_SYNCHRONIZE"),
  ]
}

/// What a post-operation callback returns (`fltKernel.h`).
public struct FLT_POSTOP_CALLBACK_STATUS: NamedValue {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// `FLT_POSTOP_FINISHED_PROCESSING`, 0x0
  public static let finishedProcessing = Self(rawValue: 0)
  /// `FLT_POSTOP_MORE_PROCESSING_REQUIRED`, 0x1
  public static let moreProcessingRequired = Self(rawValue: 1)

  public static let names: [(Self, String)] = [
    (.finishedProcessing, "FLT_POSTOP_FINISHED_PROCESSING"), (.moreProcessingRequired, "FLT_POSTOP_MORE_PROCESSING_REQUIRED"),
  ]
}

/// `FLT_OPERATION_REGISTRATION.Flags` (`fltKernel.h`).
public struct OperationRegistrationFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO`, 0x1
  public static let skipPagingIO = Self(rawValue: 0x1)
  /// `FLTFL_OPERATION_REGISTRATION_SKIP_CACHED_IO`, 0x2
  public static let skipCachedIO = Self(rawValue: 0x2)
  /// `FLTFL_OPERATION_REGISTRATION_SKIP_NON_DASD_IO`, 0x4
  public static let skipNonDASDIO = Self(rawValue: 0x4)

  public static let names: [(Self, String)] = [
    (.skipPagingIO, "FLTFL_OPERATION_REGISTRATION_SKIP_PAGING_IO"), (.skipCachedIO, "FLTFL_OPERATION_REGISTRATION_SKIP_CACHED_IO"),
    (.skipNonDASDIO, "FLTFL_OPERATION_REGISTRATION_SKIP_NON_DASD_IO"),
  ]
}

/// `FLT_REGISTRATION.Flags` (`fltKernel.h`).
public struct FilterRegistrationFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP`, 0x1
  public static let doNotSupportServiceStop = Self(rawValue: 0x1)
  /// `FLTFL_REGISTRATION_SUPPORT_NPFS_MSFS`, 0x2
  public static let supportNPFSMSFS = Self(rawValue: 0x2)
  /// `FLTFL_REGISTRATION_SUPPORT_DAX_VOLUME`, 0x4
  public static let supportDAXVolume = Self(rawValue: 0x4)

  public static let names: [(Self, String)] = [
    (.doNotSupportServiceStop, "FLTFL_REGISTRATION_DO_NOT_SUPPORT_SERVICE_STOP"),
    (.supportNPFSMSFS, "FLTFL_REGISTRATION_SUPPORT_NPFS_MSFS"), (.supportDAXVolume, "FLTFL_REGISTRATION_SUPPORT_DAX_VOLUME"),
  ]
}

/// A kind of context, as a registration names it (`fltKernel.h`).
public struct FLT_CONTEXT_TYPE: NamedFlags {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// `FLT_VOLUME_CONTEXT`, 0x1
  public static let volume = Self(rawValue: 0x1)
  /// `FLT_INSTANCE_CONTEXT`, 0x2
  public static let instance = Self(rawValue: 0x2)
  /// `FLT_FILE_CONTEXT`, 0x4
  public static let file = Self(rawValue: 0x4)
  /// `FLT_STREAM_CONTEXT`, 0x8
  public static let stream = Self(rawValue: 0x8)
  /// `FLT_STREAMHANDLE_CONTEXT`, 0x10
  public static let streamHandle = Self(rawValue: 0x10)
  /// `FLT_TRANSACTION_CONTEXT`, 0x20
  public static let transaction = Self(rawValue: 0x20)

  public static let names: [(Self, String)] = [
    (.volume, "FLT_VOLUME_CONTEXT"), (.instance, "FLT_INSTANCE_CONTEXT"), (.file, "FLT_FILE_CONTEXT"),
    (.stream, "FLT_STREAM_CONTEXT"), (.streamHandle, "FLT_STREAMHANDLE_CONTEXT"), (.transaction, "FLT_TRANSACTION_CONTEXT"),
  ]

  /// `FLT_CONTEXT_END`: ends a table of context registrations.
  public static let end = Self(rawValue: 0xffff)
}

/// Why an instance is set up (`fltKernel.h`).
public struct InstanceSetupFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT`, 0x1
  public static let automaticAttachment = Self(rawValue: 0x1)
  /// `FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT`, 0x2
  public static let manualAttachment = Self(rawValue: 0x2)
  /// `FLTFL_INSTANCE_SETUP_NEWLY_MOUNTED_VOLUME`, 0x4
  public static let newlyMountedVolume = Self(rawValue: 0x4)
  /// `FLTFL_INSTANCE_SETUP_DETACHED_VOLUME`, 0x8
  public static let detachedVolume = Self(rawValue: 0x8)

  public static let names: [(Self, String)] = [
    (.automaticAttachment, "FLTFL_INSTANCE_SETUP_AUTOMATIC_ATTACHMENT"),
    (.manualAttachment, "FLTFL_INSTANCE_SETUP_MANUAL_ATTACHMENT"),
    (.newlyMountedVolume, "FLTFL_INSTANCE_SETUP_NEWLY_MOUNTED_VOLUME"), (.detachedVolume, "FLTFL_INSTANCE_SETUP_DETACHED_VOLUME"),
  ]
}

/// Why an instance is torn down (`fltKernel.h`).
public struct InstanceTeardownFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `FLTFL_INSTANCE_TEARDOWN_MANUAL`, 0x1
  public static let manual = Self(rawValue: 0x1)
  /// `FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD`, 0x2
  public static let filterUnload = Self(rawValue: 0x2)
  /// `FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD`, 0x4
  public static let mandatoryFilterUnload = Self(rawValue: 0x4)
  /// `FLTFL_INSTANCE_TEARDOWN_VOLUME_DISMOUNT`, 0x8
  public static let volumeDismount = Self(rawValue: 0x8)
  /// `FLTFL_INSTANCE_TEARDOWN_INTERNAL_ERROR`, 0x10
  public static let internalError = Self(rawValue: 0x10)

  public static let names: [(Self, String)] = [
    (.manual, "FLTFL_INSTANCE_TEARDOWN_MANUAL"), (.filterUnload, "FLTFL_INSTANCE_TEARDOWN_FILTER_UNLOAD"),
    (.mandatoryFilterUnload, "FLTFL_INSTANCE_TEARDOWN_MANDATORY_FILTER_UNLOAD"),
    (.volumeDismount, "FLTFL_INSTANCE_TEARDOWN_VOLUME_DISMOUNT"), (.internalError, "FLTFL_INSTANCE_TEARDOWN_INTERNAL_ERROR"),
  ]
}

/// Access to a communication port (`fltKernel.h`).
public struct FilterPortAccess: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `FLT_PORT_CONNECT`, 0x1
  public static let connect = Self(rawValue: 0x1)
  /// `FLT_PORT_ALL_ACCESS`, 0x1f0001
  public static let all = Self(rawValue: 0x1f_0001)

  public static let names: [(Self, String)] = [(.all, "FLT_PORT_ALL_ACCESS"), (.connect, "FLT_PORT_CONNECT")]
}

extension FLT_REGISTRATION {
  /// `FLT_REGISTRATION_VERSION` of Windows XP SP2 and Server 2003 SP1; the filter manager compares the high byte alone.
  public static let version: UInt16 = 0x0200
}

extension FLT_CONTEXT_REGISTRATION {
  /// `FLT_VARIABLE_SIZED_CONTEXTS`: contexts of this kind have any size.
  public static let variableSize = UInt64.max
}
