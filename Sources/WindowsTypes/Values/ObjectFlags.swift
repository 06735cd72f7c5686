import Guest

/// `DEVICE_OBJECT.Flags` (`wdm.h`, `ntifs.h`).
public struct DeviceObjectFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `DO_VERIFY_VOLUME`, 0x2
  public static let verifyVolume = Self(rawValue: 0x2)
  /// `DO_BUFFERED_IO`, 0x4
  public static let bufferedIO = Self(rawValue: 0x4)
  /// `DO_EXCLUSIVE`, 0x8
  public static let exclusive = Self(rawValue: 0x8)
  /// `DO_DIRECT_IO`, 0x10
  public static let directIO = Self(rawValue: 0x10)
  /// `DO_MAP_IO_BUFFER`, 0x20
  public static let mapIoBuffer = Self(rawValue: 0x20)
  /// `DO_DEVICE_HAS_NAME`, 0x40
  public static let deviceHasName = Self(rawValue: 0x40)
  /// `DO_DEVICE_INITIALIZING`, 0x80
  public static let deviceInitializing = Self(rawValue: 0x80)
  /// `DO_SYSTEM_BOOT_PARTITION`, 0x100
  public static let systemBootPartition = Self(rawValue: 0x100)
  /// `DO_LONG_TERM_REQUESTS`, 0x200
  public static let longTermRequests = Self(rawValue: 0x200)
  /// `DO_NEVER_LAST_DEVICE`, 0x400
  public static let neverLastDevice = Self(rawValue: 0x400)
  /// `DO_SHUTDOWN_REGISTERED`, 0x800
  public static let shutdownRegistered = Self(rawValue: 0x800)
  /// `DO_BUS_ENUMERATED_DEVICE`, 0x1000
  public static let busEnumeratedDevice = Self(rawValue: 0x1000)
  /// `DO_POWER_PAGABLE`, 0x2000
  public static let powerPagable = Self(rawValue: 0x2000)
  /// `DO_POWER_INRUSH`, 0x4000
  public static let powerInrush = Self(rawValue: 0x4000)
  /// `DO_LOW_PRIORITY_FILESYSTEM`, 0x10000
  public static let lowPriorityFilesystem = Self(rawValue: 0x10000)

  public static let names: [(Self, String)] = [
    (.verifyVolume, "DO_VERIFY_VOLUME"), (.bufferedIO, "DO_BUFFERED_IO"), (.exclusive, "DO_EXCLUSIVE"), (.directIO, "DO_DIRECT_IO"),
    (.mapIoBuffer, "DO_MAP_IO_BUFFER"), (.deviceHasName, "DO_DEVICE_HAS_NAME"), (.deviceInitializing, "DO_DEVICE_INITIALIZING"),
    (.systemBootPartition, "DO_SYSTEM_BOOT_PARTITION"), (.longTermRequests, "DO_LONG_TERM_REQUESTS"),
    (.neverLastDevice, "DO_NEVER_LAST_DEVICE"), (.shutdownRegistered, "DO_SHUTDOWN_REGISTERED"),
    (.busEnumeratedDevice, "DO_BUS_ENUMERATED_DEVICE"), (.powerPagable, "DO_POWER_PAGABLE"), (.powerInrush, "DO_POWER_INRUSH"),
    (.lowPriorityFilesystem, "DO_LOW_PRIORITY_FILESYSTEM"),
  ]
}

/// The `Type` member of an I/O object (`wdm.h`).
public struct IOObjectType: NamedValue {
  public let rawValue: Int16
  public init(rawValue: Int16) { self.rawValue = rawValue }

  /// `IO_TYPE_ADAPTER`, 0x1
  public static let adapter = Self(rawValue: 1)
  /// `IO_TYPE_CONTROLLER`, 0x2
  public static let controller = Self(rawValue: 2)
  /// `IO_TYPE_DEVICE`, 0x3
  public static let device = Self(rawValue: 3)
  /// `IO_TYPE_DRIVER`, 0x4
  public static let driver = Self(rawValue: 4)
  /// `IO_TYPE_FILE`, 0x5
  public static let file = Self(rawValue: 5)
  /// `IO_TYPE_IRP`, 0x6
  public static let irp = Self(rawValue: 6)
  /// `IO_TYPE_MASTER_ADAPTER`, 0x7
  public static let masterAdapter = Self(rawValue: 7)
  /// `IO_TYPE_OPEN_PACKET`, 0x8
  public static let openPacket = Self(rawValue: 8)
  /// `IO_TYPE_TIMER`, 0x9
  public static let timer = Self(rawValue: 9)
  /// `IO_TYPE_VPB`, 0xa
  public static let vpb = Self(rawValue: 0xa)
  /// `IO_TYPE_ERROR_LOG`, 0xb
  public static let errorLog = Self(rawValue: 0xb)
  /// `IO_TYPE_ERROR_MESSAGE`, 0xc
  public static let errorMessage = Self(rawValue: 0xc)
  /// `IO_TYPE_DEVICE_OBJECT_EXTENSION`, 0xd
  public static let deviceObjectExtension = Self(rawValue: 0xd)

  public static let names: [(Self, String)] = [
    (.adapter, "IO_TYPE_ADAPTER"), (.controller, "IO_TYPE_CONTROLLER"), (.device, "IO_TYPE_DEVICE"), (.driver, "IO_TYPE_DRIVER"),
    (.file, "IO_TYPE_FILE"), (.irp, "IO_TYPE_IRP"), (.masterAdapter, "IO_TYPE_MASTER_ADAPTER"),
    (.openPacket, "IO_TYPE_OPEN_PACKET"), (.timer, "IO_TYPE_TIMER"), (.vpb, "IO_TYPE_VPB"), (.errorLog, "IO_TYPE_ERROR_LOG"),
    (.errorMessage, "IO_TYPE_ERROR_MESSAGE"), (.deviceObjectExtension, "IO_TYPE_DEVICE_OBJECT_EXTENSION"),
  ]
}

/// `OBJECT_ATTRIBUTES.Attributes` (`ntdef.h`).
public struct ObjectAttributeFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `OBJ_INHERIT`, 0x2
  public static let inherit = Self(rawValue: 0x2)
  /// `OBJ_PERMANENT`, 0x10
  public static let permanent = Self(rawValue: 0x10)
  /// `OBJ_EXCLUSIVE`, 0x20
  public static let exclusive = Self(rawValue: 0x20)
  /// `OBJ_CASE_INSENSITIVE`, 0x40
  public static let caseInsensitive = Self(rawValue: 0x40)
  /// `OBJ_OPENIF`, 0x80
  public static let openIf = Self(rawValue: 0x80)
  /// `OBJ_OPENLINK`, 0x100
  public static let openLink = Self(rawValue: 0x100)
  /// `OBJ_KERNEL_HANDLE`, 0x200
  public static let kernelHandle = Self(rawValue: 0x200)
  /// `OBJ_FORCE_ACCESS_CHECK`, 0x400
  public static let forceAccessCheck = Self(rawValue: 0x400)

  public static let names: [(Self, String)] = [
    (.inherit, "OBJ_INHERIT"), (.permanent, "OBJ_PERMANENT"), (.exclusive, "OBJ_EXCLUSIVE"),
    (.caseInsensitive, "OBJ_CASE_INSENSITIVE"), (.openIf, "OBJ_OPENIF"), (.openLink, "OBJ_OPENLINK"),
    (.kernelHandle, "OBJ_KERNEL_HANDLE"), (.forceAccessCheck, "OBJ_FORCE_ACCESS_CHECK"),
  ]
}
