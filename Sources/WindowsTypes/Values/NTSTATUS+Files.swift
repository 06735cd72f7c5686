/// Statuses of file systems, sections and directories.
extension NTSTATUS {
  /// `STATUS_NOTIFY_CLEANUP`, 0x0000010B
  public static let notifyCleanup = Self(rawValue: 0x0000_010b)
  /// `STATUS_NOTIFY_ENUM_DIR`, 0x0000010C
  public static let notifyEnumDir = Self(rawValue: 0x0000_010c)
  /// `STATUS_MORE_ENTRIES`, 0x00000105
  public static let moreEntries = Self(rawValue: 0x0000_0105)
  /// `STATUS_OPLOCK_BREAK_IN_PROGRESS`, 0x00000108
  public static let oplockBreakInProgress = Self(rawValue: 0x0000_0108)
  /// `STATUS_IMAGE_NOT_AT_BASE`, 0x40000003
  public static let imageNotAtBase = Self(rawValue: 0x4000_0003)
  /// `STATUS_EA_LIST_INCONSISTENT`, 0x80000014
  public static let eaListInconsistent = Self(rawValue: 0x8000_0014)
  /// `STATUS_NOT_MAPPED_VIEW`, 0xC0000019
  public static let notMappedView = Self(rawValue: 0xc000_0019)
  /// `STATUS_INVALID_VIEW_SIZE`, 0xC000001F
  public static let invalidViewSize = Self(rawValue: 0xc000_001f)
  /// `STATUS_INVALID_FILE_FOR_SECTION`, 0xC0000020
  public static let invalidFileForSection = Self(rawValue: 0xc000_0020)
  /// `STATUS_EA_TOO_LARGE`, 0xC0000050
  public static let eaTooLarge = Self(rawValue: 0xc000_0050)
  /// `STATUS_DIRECTORY_NOT_EMPTY`, 0xC0000101
  public static let directoryNotEmpty = Self(rawValue: 0xc000_0101)
  /// `STATUS_MAPPED_FILE_SIZE_ZERO`, 0xC000011E
  public static let mappedFileSizeZero = Self(rawValue: 0xc000_011e)
  /// `STATUS_CANNOT_DELETE`, 0xC0000121
  public static let cannotDelete = Self(rawValue: 0xc000_0121)
  /// `STATUS_UNRECOGNIZED_VOLUME`, 0xC000014F
  public static let unrecognizedVolume = Self(rawValue: 0xc000_014f)
  /// `STATUS_NOT_SAME_DEVICE`, 0xC00000D4
  public static let notSameDevice = Self(rawValue: 0xc000_00d4)
  /// `STATUS_UNEXPECTED_IO_ERROR`, 0xC00000E9
  public static let unexpectedIOError = Self(rawValue: 0xc000_00e9)
  /// `STATUS_OPLOCK_NOT_GRANTED`, 0xC00000E2
  public static let oplockNotGranted = Self(rawValue: 0xc000_00e2)
  /// `STATUS_INVALID_OPLOCK_PROTOCOL`, 0xC00000E3
  public static let invalidOplockProtocol = Self(rawValue: 0xc000_00e3)
  /// `STATUS_SECTION_NOT_EXTENDED`, 0xC0000087
  public static let sectionNotExtended = Self(rawValue: 0xc000_0087)
  /// `STATUS_NOT_MAPPED_DATA`, 0xC0000088
  public static let notMappedData = Self(rawValue: 0xc000_0088)
  /// `STATUS_SECTION_NOT_IMAGE`, 0xC0000049
  public static let sectionNotImage = Self(rawValue: 0xc000_0049)
  /// `STATUS_USER_MAPPED_FILE`, 0xC0000243
  public static let userMappedFile = Self(rawValue: 0xc000_0243)
}
