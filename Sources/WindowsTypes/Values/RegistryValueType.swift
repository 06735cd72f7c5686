import Guest

/// What the data of a registry value is (`winnt.h`, `wdm.h`). Any number is stored and read back; these have names.
public struct RegistryValueType: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `REG_NONE`, 0x0
  public static let none = Self(rawValue: 0)
  /// `REG_SZ`, 0x1
  public static let string = Self(rawValue: 1)
  /// `REG_EXPAND_SZ`, 0x2
  public static let expandableString = Self(rawValue: 2)
  /// `REG_BINARY`, 0x3
  public static let binary = Self(rawValue: 3)
  /// `REG_DWORD`, 0x4
  public static let dword = Self(rawValue: 4)
  /// `REG_DWORD_BIG_ENDIAN`, 0x5
  public static let bigEndianDword = Self(rawValue: 5)
  /// `REG_LINK`, 0x6
  public static let link = Self(rawValue: 6)
  /// `REG_MULTI_SZ`, 0x7
  public static let multiString = Self(rawValue: 7)
  /// `REG_RESOURCE_LIST`, 0x8
  public static let resourceList = Self(rawValue: 8)
  /// `REG_FULL_RESOURCE_DESCRIPTOR`, 0x9
  public static let fullResourceDescriptor = Self(rawValue: 9)
  /// `REG_RESOURCE_REQUIREMENTS_LIST`, 0xA
  public static let resourceRequirementsList = Self(rawValue: 10)
  /// `REG_QWORD`, 0xB
  public static let qword = Self(rawValue: 11)

  public static let names: [(Self, String)] = [
    (.none, "REG_NONE"), (.string, "REG_SZ"), (.expandableString, "REG_EXPAND_SZ"), (.binary, "REG_BINARY"), (.dword, "REG_DWORD"),
    (.bigEndianDword, "REG_DWORD_BIG_ENDIAN"), (.link, "REG_LINK"), (.multiString, "REG_MULTI_SZ"),
    (.resourceList, "REG_RESOURCE_LIST"), (.fullResourceDescriptor, "REG_FULL_RESOURCE_DESCRIPTOR"),
    (.resourceRequirementsList, "REG_RESOURCE_REQUIREMENTS_LIST"), (.qword, "REG_QWORD"),
  ]

  /// Whether the data is UTF-16 text.
  public var isText: Bool { [.string, .expandableString, .multiString, .link].contains(self) }
}
