import Guest

/// `IO_STACK_LOCATION.Flags` and `FLT_IO_PARAMETER_BLOCK.OperationFlags`, whose bits depend on the operation (`wdm.h`).
public enum StackLocationFlags {
  public static let caseSensitive: UInt8 = 0x80
  public static let openPagingFile: UInt8 = 0x02
  public static let openTargetDirectory: UInt8 = 0x04
  public static let forceAccessCheck: UInt8 = 0x01
  public static let keyIsSpecified: UInt8 = 0x01
  public static let overrideVerifyVolume: UInt8 = 0x02
  public static let writeThrough: UInt8 = 0x04
  public static let failImmediately: UInt8 = 0x01
  public static let exclusiveLock: UInt8 = 0x02
  public static let restartScan: UInt8 = 0x01
  public static let returnSingleEntry: UInt8 = 0x02
  public static let indexSpecified: UInt8 = 0x04
  public static let watchTree: UInt8 = 0x01
  public static let allowRawMount: UInt8 = 0x01

  /// The C names of the bits that `flags` has for `major`, then the rest in hexadecimal.
  public static func names(of flags: UInt8, for major: IRP_MJ) -> [String] {
    let known: [(UInt8, String)] =
      switch major {
      case .create:
        [
          (forceAccessCheck, "SL_FORCE_ACCESS_CHECK"), (openPagingFile, "SL_OPEN_PAGING_FILE"),
          (openTargetDirectory, "SL_OPEN_TARGET_DIRECTORY"), (caseSensitive, "SL_CASE_SENSITIVE"),
        ]
      case .read, .write:
        [
          (keyIsSpecified, "SL_KEY_SPECIFIED"), (overrideVerifyVolume, "SL_OVERRIDE_VERIFY_VOLUME"),
          (writeThrough, "SL_WRITE_THROUGH"),
        ]
      case .deviceControl: [(overrideVerifyVolume, "SL_OVERRIDE_VERIFY_VOLUME")]
      case .lockControl: [(failImmediately, "SL_FAIL_IMMEDIATELY"), (exclusiveLock, "SL_EXCLUSIVE_LOCK")]
      case .directoryControl:
        [
          (restartScan, "SL_RESTART_SCAN"), (returnSingleEntry, "SL_RETURN_SINGLE_ENTRY"),
          (indexSpecified, "SL_INDEX_SPECIFIED"),
        ]
      case .fileSystemControl: [(allowRawMount, "SL_ALLOW_RAW_MOUNT")]
      default: []
      }
    var rest = flags
    var result: [String] = []
    for (bit, name) in known where rest & bit != 0 {
      result.append(name)
      rest &= ~bit
    }
    return rest == 0 ? result : result + ["0x" + hex(rest, digits: 1)]
  }
}
