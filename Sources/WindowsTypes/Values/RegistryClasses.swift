import Guest

/// What `ZwQueryKey` and `ZwEnumerateKey` say of a key (ne-wdm-_key_information_class).
public struct KEY_INFORMATION_CLASS: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let basic = Self(rawValue: 0)
  public static let node = Self(rawValue: 1)
  public static let full = Self(rawValue: 2)
  /// The whole path; of XP and later, and `ZwQueryKey` alone.
  public static let keyName = Self(rawValue: 3)
  public static let cached = Self(rawValue: 4)
  public static let names: [(Self, String)] = [
    (.basic, "KeyBasicInformation"), (.node, "KeyNodeInformation"), (.full, "KeyFullInformation"), (.keyName, "KeyNameInformation"),
    (.cached, "KeyCachedInformation"),
  ]
}

/// What `ZwQueryValueKey` and `ZwEnumerateValueKey` say of a value (ne-wdm-_key_value_information_class).
public struct KEY_VALUE_INFORMATION_CLASS: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let basic = Self(rawValue: 0)
  public static let full = Self(rawValue: 1)
  public static let partial = Self(rawValue: 2)
  public static let fullAlign64 = Self(rawValue: 3)
  public static let partialAlign64 = Self(rawValue: 4)
  public static let names: [(Self, String)] = [
    (.basic, "KeyValueBasicInformation"), (.full, "KeyValueFullInformation"), (.partial, "KeyValuePartialInformation"),
    (.fullAlign64, "KeyValueFullInformationAlign64"), (.partialAlign64, "KeyValuePartialInformationAlign64"),
  ]
}

/// What a registry callback is called for (ne-wdm-_reg_notify_class): up to 14 on XP, the others on later versions.
public struct REG_NOTIFY_CLASS: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let names: [(Self, String)] = [
    "RegNtPreDeleteKey", "RegNtPreSetValueKey", "RegNtPreDeleteValueKey", "RegNtPreSetInformationKey", "RegNtPreRenameKey",
    "RegNtPreEnumerateKey", "RegNtPreEnumerateValueKey", "RegNtPreQueryKey", "RegNtPreQueryValueKey",
    "RegNtPreQueryMultipleValueKey", "RegNtPreCreateKey", "RegNtPostCreateKey", "RegNtPreOpenKey", "RegNtPostOpenKey",
    "RegNtPreKeyHandleClose", "RegNtPostDeleteKey", "RegNtPostSetValueKey", "RegNtPostDeleteValueKey",
    "RegNtPostSetInformationKey", "RegNtPostRenameKey", "RegNtPostEnumerateKey", "RegNtPostEnumerateValueKey",
    "RegNtPostQueryKey", "RegNtPostQueryValueKey", "RegNtPostQueryMultipleValueKey", "RegNtPostKeyHandleClose",
    "RegNtPreCreateKeyEx", "RegNtPostCreateKeyEx", "RegNtPreOpenKeyEx", "RegNtPostOpenKeyEx",
  ].enumerated().map { (Self(rawValue: UInt32($0)), $1) }
}

/// The rights to a key (`wdm.h`).
public struct KeyAccess: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// `KEY_QUERY_VALUE`, 0x1
  public static let queryValue = Self(rawValue: 0x1)
  /// `KEY_SET_VALUE`, 0x2
  public static let setValue = Self(rawValue: 0x2)
  /// `KEY_CREATE_SUB_KEY`, 0x4
  public static let createSubKey = Self(rawValue: 0x4)
  /// `KEY_ENUMERATE_SUB_KEYS`, 0x8
  public static let enumerateSubKeys = Self(rawValue: 0x8)
  /// `KEY_NOTIFY`, 0x10
  public static let notify = Self(rawValue: 0x10)
  /// `KEY_CREATE_LINK`, 0x20
  public static let createLink = Self(rawValue: 0x20)
  /// `DELETE`, 0x10000
  public static let delete = Self(rawValue: 0x1_0000)

  public static let names: [(Self, String)] = [
    (.queryValue, "KEY_QUERY_VALUE"), (.setValue, "KEY_SET_VALUE"), (.createSubKey, "KEY_CREATE_SUB_KEY"),
    (.enumerateSubKeys, "KEY_ENUMERATE_SUB_KEYS"), (.notify, "KEY_NOTIFY"), (.createLink, "KEY_CREATE_LINK"), (.delete, "DELETE"),
  ]

  /// What generic rights stand for: `KEY_READ`, `KEY_WRITE`, `KEY_EXECUTE`, `KEY_ALL_ACCESS`.
  public static func mapping(_ access: UInt32) -> UInt32 {
    var rights = access & 0x0fff_ffff
    if access & 0x8000_0000 != 0 { rights |= 0x2_0019 }
    if access & 0x4000_0000 != 0 { rights |= 0x2_0006 }
    if access & 0x2000_0000 != 0 { rights |= 0x2_0019 }
    if access & 0x1200_0000 != 0 { rights = rights & ~0x0200_0000 | 0xf_003f }
    return rights
  }
}
