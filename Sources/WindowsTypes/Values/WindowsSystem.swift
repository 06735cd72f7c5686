import Guest

/// A version of Windows that brought routines which drivers import.
public enum WindowsRelease: Int, Comparable, CaseIterable, Sendable, CustomStringConvertible {
  case xp, server2003, server2003SP1, vista, vistaSP1, windows7, windows8, windows8_1, windows10, windows10_1511, windows10_1607,
    windows10_1703, windows10_1709, windows10_1803, windows10_1809, windows10_1903, windows10_2004, windows11

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// As tables of routines spell it.
  public var rawName: Substring { Self.names[rawValue] }
  private static let names = """
    xp server2003 server2003SP1 vista vistaSP1 windows7 windows8 windows8_1 windows10 windows10_1511 windows10_1607 windows10_1703 \
    windows10_1709 windows10_1803 windows10_1809 windows10_1903 windows10_2004 windows11
    """.split(separator: " ")

  /// As the reference pages call it.
  public var description: String {
    switch self {
    case .xp: "Windows XP"
    case .server2003: "Windows Server 2003"
    case .server2003SP1: "Windows Server 2003 SP1"
    case .vista: "Windows Vista"
    case .vistaSP1: "Windows Vista SP1"
    case .windows7: "Windows 7"
    case .windows8: "Windows 8"
    case .windows8_1: "Windows 8.1"
    case .windows10: "Windows 10"
    case .windows10_1511: "Windows 10, version 1511"
    case .windows10_1607: "Windows 10, version 1607"
    case .windows10_1703: "Windows 10, version 1703"
    case .windows10_1709: "Windows 10, version 1709"
    case .windows10_1803: "Windows 10, version 1803"
    case .windows10_1809: "Windows 10, version 1809"
    case .windows10_1903: "Windows 10, version 1903"
    case .windows10_2004: "Windows 10, version 2004"
    case .windows11: "Windows 11"
    }
  }
}

/// What a run's Windows says of itself, wherever it is asked.
public struct WindowsSystem: Sendable {
  public let release: WindowsRelease
  public let major: UInt32
  public let minor: UInt32
  public let build: UInt32
  public let servicePackMajor: UInt32
  public let servicePackMinor: UInt32 = 0
  /// `VER_PLATFORM_WIN32_NT`.
  public let platform: UInt32 = 2
  /// `VER_SUITE_SINGLEUSERTS`: fast user switching.
  public let suites: UInt32 = 0x100
  /// `VER_NT_WORKSTATION`.
  public let productType: UInt32 = 1
  public let productName: String
  /// As the registry's `BuildLab` has it.
  public let buildLab: String
  /// `TimeDateStamp` of its kernel, as `lm v m nt` shows it.
  public let buildTimestamp: UInt32
  /// The version of the driver model that `IoIsWdmVersionAvailable` compares with.
  public let driverModel: (major: UInt8, minor: UInt8)

  public var servicePackText: String { "Service Pack \(servicePackMajor)" }

  static let all: [WindowsSystem] = [
    WindowsSystem(
      release: .xp, major: 5, minor: 1, build: 2600, servicePackMajor: 3, productName: "Microsoft Windows XP",
      buildLab: "2600.xpsp.080413-2111", buildTimestamp: 0x4802_516a, driverModel: (1, 0x30)),
    WindowsSystem(
      release: .windows7, major: 6, minor: 1, build: 7601, servicePackMajor: 1, productName: "Windows 7 Professional",
      buildLab: "7601.win7sp1_rtm.101119-1850", buildTimestamp: 0x4ce7_8a09, driverModel: (6, 0)),
  ]
}

extension Target {
  /// The Windows that the target is.
  public var system: WindowsSystem { WindowsSystem.all[ordinal] }
  /// As a fixture's `windows` spells it: `xp`, `7`.
  public var windowsName: String { String(name.prefix { $0 != "-" }) }
  public static func windows(named name: String) -> Target? { all.first { $0.windowsName == name } }
}
