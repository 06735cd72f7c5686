import Guest
import NTKernel
import WindowsTypes

/// How the words of `FLT_PARAMETERS` come from an IRP and its stack location, and go back there.
///
/// The pages flt-parameters-for-irp-mj-… give the fields, those of the IRP_MJ_… the stack location; most of both are the same
/// four words, with the buffer and its MDL behind them.
struct ParameterMap {
  /// Where one word comes from.
  enum Word {
    /// The stack location's word of this index.
    case stack(Int)
    /// The buffer that the request is about.
    case buffer
    /// The system's copy, beside another buffer.
    case systemBuffer
    case mdl
    case allocationSize(high: Bool)
    /// Of a lock: the requestor's process, and the flags of the stack location.
    case process, lockFlags
    case nothing
  }

  /// Where the buffer is.
  enum BufferKind {
    case none
    /// `AssociatedIrp.SystemBuffer`, whatever the device asks for.
    case system
    /// What the device asks for: the system buffer of a buffered request, else `UserBuffer`.
    case device
    /// `UserBuffer`
    case user
  }

  let words: [Word]
  let kind: BufferKind

  private init(_ words: [Word], _ kind: BufferKind = .none) {
    self.words = words
    self.kind = kind
  }

  private static let four: [Word] = [.stack(0), .stack(1), .stack(2), .stack(3)]
  private static let plain = ParameterMap(four)
  private static let transfer = ParameterMap(four + [.buffer, .mdl], .device)
  private static let create = ParameterMap(
    four + [.buffer, .allocationSize(high: false), .allocationSize(high: true)], .system)
  private static let query = ParameterMap([.stack(0), .stack(1), .buffer], .system)
  private static let set = ParameterMap(four + [.buffer], .system)
  private static let simple = ParameterMap([.stack(0), .buffer, .mdl], .device)
  private static let notify = ParameterMap([.stack(0), .stack(1), .nothing, .nothing, .buffer, .mdl], .device)
  private static let buffered = ParameterMap([.stack(0), .stack(1), .stack(2), .buffer], .system)
  private static let direct = ParameterMap([.stack(0), .stack(1), .stack(2), .systemBuffer, .buffer, .mdl], .user)
  private static let neither = ParameterMap(four + [.buffer, .mdl], .user)
  private static let lock = ParameterMap(four + [.process, .lockFlags])
  private static let security = ParameterMap([.stack(0), .stack(1), .buffer, .mdl], .user)

  /// The map of an operation; of a control operation, by its code's transfer method.
  static func of(_ major: IRP_MJ, minor: UInt8, code: @autoclosure () throws -> IOControlCode) rethrows -> ParameterMap {
    switch major {
    case .create: create
    case .read, .write, .queryEa, .queryQuota: transfer
    case .directoryControl: minor == 2 ? notify : transfer
    case .queryInformation, .queryVolumeInformation, .setVolumeInformation: query
    case .setInformation: set
    case .setEa, .setQuota: simple
    case .fileSystemControl where minor != 0 && minor != 4: plain
    case .fileSystemControl, .deviceControl, .internalDeviceControl:
      switch try code().method {
      case .buffered: buffered
      case .inDirect, .outDirect: direct
      case .neither: neither
      }
    case .lockControl: lock
    case .querySecurity: security
    default: plain
    }
  }

  /// The index of the word that holds the buffer, and of that which holds its MDL.
  var bufferWord: Int? { words.firstIndex { if case .buffer = $0 { true } else { false } } }
  var mdlWord: Int? { words.firstIndex { if case .mdl = $0 { true } else { false } } }

  /// Where in the IRP the buffer of this request is, and whether it is the system's own.
  func place(of irp: Pointer<IRP>) throws -> (place: Pointer<Pointer<Void>>, isSystem: Bool) {
    switch kind {
    case .system: return (irp.AssociatedIrp.SystemBuffer, true)
    case .device:
      let isBuffered = try irp.Flags.load().contains(.bufferedIO) && !irp.AssociatedIrp.SystemBuffer.load().isNull
      return isBuffered ? (irp.AssociatedIrp.SystemBuffer, true) : (irp.UserBuffer, false)
    case .user, .none: return (irp.UserBuffer, false)
    }
  }
}
