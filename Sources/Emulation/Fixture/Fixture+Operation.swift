extension Fixture {
  /// An I/O operation as a filter sees it: what `FLT_CALLBACK_DATA` and its parameter block are built from.
  public struct Operation: Hashable, Sendable {
    public var kind: Kind
    /// The minor function; nil for the kind's own: ``Kind/minorFunction``.
    public var minor: UInt8?
    /// The user's buffer (the output buffer of a control operation), as an address in the requestor's process.
    public var buffer: UInt64?
    /// In bytes.
    public var length: UInt32?
    /// A control operation's input buffer, as an address in the requestor's process.
    public var input: UInt64?
    /// In bytes.
    public var inputLength: UInt32?
    /// The control code, whose low two bits are the transfer method.
    public var code: UInt32?
    /// The name of the thread that issued the operation; nil where there is none.
    public var requestor: String?
    /// The process whose address space was current when the operation was issued; nil where the requestor's thread runs.
    public var process: String?
    public var mode: Mode
    /// Names of ``callbackFlags``, ``irpFlags`` and ``stackFlags``.
    public var flags: [String]
    /// The value or result that is the MDL of the user's buffer, where the operation has one already.
    public var mdl: String?
    /// Whether the operation is a fast I/O call and has no IRP.
    public var isFastIO: Bool
    /// Whether the operation has come back from below: its filters' post-operation callbacks run.
    public var isPostOperation: Bool
    /// Whether the operation's data is in a system buffer.
    public var hasSystemBuffer: Bool

    public init(
      _ kind: Kind, buffer: UInt64? = nil, length: UInt32? = nil, requestor: String? = nil, process: String? = nil,
      mode: Mode = .user, minor: UInt8? = nil, input: UInt64? = nil, inputLength: UInt32? = nil, code: UInt32? = nil,
      flags: [String] = [], mdl: String? = nil, isFastIO: Bool = false, isPostOperation: Bool = false,
      hasSystemBuffer: Bool = false
    ) {
      self.kind = kind
      self.minor = minor
      self.buffer = buffer
      self.length = length
      self.input = input
      self.inputLength = inputLength
      self.code = code
      self.requestor = requestor
      self.process = process
      self.mode = mode
      self.flags = flags
      self.mdl = mdl
      self.isFastIO = isFastIO
      self.isPostOperation = isPostOperation
      self.hasSystemBuffer = hasSystemBuffer
    }

    /// `RequestorMode`.
    public enum Mode: String, CaseIterable, Hashable, Sendable { case kernel, user }

    /// How a control operation's data travels: the low two bits of its code.
    public enum Method: String, CaseIterable, Hashable, Sendable {
      case buffered
      case inDirect = "in-direct"
      case outDirect = "out-direct"
      case neither
    }

    /// The transfer method that ``code`` says; buffered without one.
    public var method: Method { Method.allCases[Int((code ?? 0) & 3)] }
    /// ``minor``, or the kind's own.
    public var minorFunction: UInt8 { minor ?? kind.minorFunction }

    /// `FLT_CALLBACK_DATA.Flags`.
    public static let callbackFlags: [String: UInt32] = [
      "FLTFL_CALLBACK_DATA_IRP_OPERATION": 1, "FLTFL_CALLBACK_DATA_FAST_IO_OPERATION": 2,
      "FLTFL_CALLBACK_DATA_FS_FILTER_OPERATION": 4, "FLTFL_CALLBACK_DATA_SYSTEM_BUFFER": 8,
      "FLTFL_CALLBACK_DATA_GENERATED_IO": 0x1_0000, "FLTFL_CALLBACK_DATA_REISSUED_IO": 0x2_0000,
      "FLTFL_CALLBACK_DATA_DRAINING_IO": 0x4_0000, "FLTFL_CALLBACK_DATA_POST_OPERATION": 0x8_0000,
      "FLTFL_CALLBACK_DATA_NEW_SYSTEM_BUFFER": 0x10_0000, "FLTFL_CALLBACK_DATA_DIRTY": 0x8000_0000,
    ]
    /// `FLT_IO_PARAMETER_BLOCK.IrpFlags`.
    public static let irpFlags: [String: UInt32] = [
      "IRP_NOCACHE": 1, "IRP_PAGING_IO": 2, "IRP_SYNCHRONOUS_API": 4, "IRP_ASSOCIATED_IRP": 8, "IRP_BUFFERED_IO": 0x10,
      "IRP_DEALLOCATE_BUFFER": 0x20, "IRP_INPUT_OPERATION": 0x40, "IRP_SYNCHRONOUS_PAGING_IO": 0x40,
      "IRP_CREATE_OPERATION": 0x80, "IRP_READ_OPERATION": 0x100, "IRP_WRITE_OPERATION": 0x200, "IRP_CLOSE_OPERATION": 0x400,
      "IRP_DEFER_IO_COMPLETION": 0x800,
    ]
    /// `FLT_IO_PARAMETER_BLOCK.OperationFlags`.
    public static let stackFlags: [String: UInt8] = [
      "SL_KEY_SPECIFIED": 1, "SL_OVERRIDE_VERIFY_VOLUME": 2, "SL_WRITE_THROUGH": 4, "SL_RESTART_SCAN": 1,
      "SL_RETURN_SINGLE_ENTRY": 2, "SL_INDEX_SPECIFIED": 4, "SL_WATCH_TREE": 1,
    ]
  }
}

extension Fixture.Operation {
  /// The major function, and for a directory its minor function too.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case read, write, create, cleanup, close, shutdown, pnp, power
    case queryInformation = "query-information"
    case setInformation = "set-information"
    case queryEA = "query-ea"
    case setEA = "set-ea"
    case queryVolumeInformation = "query-volume-information"
    case setVolumeInformation = "set-volume-information"
    case queryDirectory = "query-directory"
    case notifyDirectory = "notify-directory"
    case querySecurity = "query-security"
    case setSecurity = "set-security"
    case queryQuota = "query-quota"
    case setQuota = "set-quota"
    case deviceControl = "device-control"
    case internalDeviceControl = "internal-device-control"
    case fileSystemControl = "file-system-control"
    case lockControl = "lock-control"
    case flushBuffers = "flush-buffers"
    case systemControl = "system-control"
    case acquireForSectionSynchronization = "acquire-for-section-synchronization"
    case releaseForSectionSynchronization = "release-for-section-synchronization"
    case acquireForModWrite = "acquire-for-mod-write"
    case releaseForModWrite = "release-for-mod-write"
    case acquireForCcFlush = "acquire-for-cc-flush"
    case releaseForCcFlush = "release-for-cc-flush"
    case fastIOCheckIfPossible = "fast-io-check-if-possible"
    case networkQueryOpen = "network-query-open"
    case mdlRead = "mdl-read"
    case mdlReadComplete = "mdl-read-complete"
    case prepareMdlWrite = "prepare-mdl-write"
    case mdlWriteComplete = "mdl-write-complete"
    case volumeMount = "volume-mount"
    case volumeDismount = "volume-dismount"

    /// `IRP_MJ_…`; the filter manager's own majors count down from 0xff.
    public var majorFunction: UInt8 {
      switch self {
      case .create: 0x00
      case .close: 0x02
      case .read: 0x03
      case .write: 0x04
      case .queryInformation: 0x05
      case .setInformation: 0x06
      case .queryEA: 0x07
      case .setEA: 0x08
      case .flushBuffers: 0x09
      case .queryVolumeInformation: 0x0a
      case .setVolumeInformation: 0x0b
      case .queryDirectory, .notifyDirectory: 0x0c
      case .fileSystemControl: 0x0d
      case .deviceControl: 0x0e
      case .internalDeviceControl: 0x0f
      case .shutdown: 0x10
      case .lockControl: 0x11
      case .cleanup: 0x12
      case .querySecurity: 0x14
      case .setSecurity: 0x15
      case .power: 0x16
      case .systemControl: 0x17
      case .queryQuota: 0x19
      case .setQuota: 0x1a
      case .pnp: 0x1b
      case .acquireForSectionSynchronization: 0xff
      case .releaseForSectionSynchronization: 0xfe
      case .acquireForModWrite: 0xfd
      case .releaseForModWrite: 0xfc
      case .acquireForCcFlush: 0xfb
      case .releaseForCcFlush: 0xfa
      case .fastIOCheckIfPossible: 0xf3
      case .networkQueryOpen: 0xf2
      case .mdlRead: 0xf1
      case .mdlReadComplete: 0xf0
      case .prepareMdlWrite: 0xef
      case .mdlWriteComplete: 0xee
      case .volumeMount: 0xed
      case .volumeDismount: 0xec
      }
    }

    /// The minor function where the fixture gives none.
    public var minorFunction: UInt8 {
      switch self {
      case .queryDirectory: 1
      case .notifyDirectory: 2
      default: 0
      }
    }

    /// Whether the operation carries a control code and an input buffer.
    public var isControl: Bool {
      self == .deviceControl || self == .internalDeviceControl || self == .fileSystemControl
    }
  }
}
