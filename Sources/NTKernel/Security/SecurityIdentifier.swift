import Guest

/// A user, a group or a role: `S-1-5-18`.
public struct SecurityIdentifier: Hashable, Sendable, CustomStringConvertible {
  public let authority: UInt64
  public let subAuthorities: [UInt32]

  public init(_ authority: UInt64, _ subAuthorities: UInt32...) { self.init(authority, Array(subAuthorities)) }
  public init(_ authority: UInt64, _ subAuthorities: [UInt32]) {
    self.authority = authority
    self.subAuthorities = subAuthorities
  }

  /// The one whose `SID` these bytes are; `nil` where they are none.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count >= 8, bytes[0] & 0xf == 1, bytes[1] <= 15, bytes.count >= 8 + 4 * Int(bytes[1]) else { return nil }
    authority = bytes[2..<8].reduce(0) { $0 << 8 | UInt64($1) }
    subAuthorities = (0..<Int(bytes[1])).map { index in
      (0..<4).reduce(0) { $0 | UInt32(bytes[8 + 4 * index + $1]) << (8 * UInt32($1)) }
    }
  }

  /// As a `SID` lies in memory.
  public var bytes: [UInt8] {
    [1, UInt8(subAuthorities.count)] + (0..<6).map { UInt8(truncatingIfNeeded: authority >> (8 * UInt64(5 - $0))) }
      + subAuthorities.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) } }
  }

  public var description: String { (["S-1", "\(authority)"] + subAuthorities.map { "\($0)" }).joined(separator: "-") }

  // Well-known ones (winnt.h; "Well-known SIDs").
  public static let null = Self(0, 0)
  public static let world = Self(1, 0)
  public static let local = Self(2, 0)
  public static let creatorOwner = Self(3, 0)
  public static let creatorGroup = Self(3, 1)
  public static let interactive = Self(5, 4)
  public static let service = Self(5, 6)
  public static let anonymous = Self(5, 7)
  public static let authenticatedUsers = Self(5, 11)
  public static let localSystem = Self(5, 18)
  public static let localService = Self(5, 19)
  public static let networkService = Self(5, 20)
  public static let administrators = Self(5, 32, 544)
  public static let users = Self(5, 32, 545)
  /// The accounts of the run's machine: the built-in administrator has 500, the first user 1001, everybody's group 513.
  static func account(_ number: UInt32) -> Self { Self(5, 21, 1_004_336_348, 1_177_238_915, 682_003_330, number) }
}

/// Whose a process is.
public enum ProcessUser: String, CaseIterable, Hashable, Sendable {
  /// The local system account.
  case system
  case administrator
  /// An account without privileges to speak of.
  case user
  case localService = "local-service"
  case networkService = "network-service"
}

/// Privileges, by the low part of their `LUID` (`wdm.h`, `SE_…_PRIVILEGE`).
enum Privilege {
  static let createToken: UInt32 = 2
  static let security: UInt32 = 8
  static let takeOwnership: UInt32 = 9
  static let changeNotify: UInt32 = 23
  static let all: ClosedRange<UInt32> = 2...30
}
