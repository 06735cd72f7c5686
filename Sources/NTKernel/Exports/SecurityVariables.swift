import Guest
import WindowsTypes

/// What `SeExports` points at, and the default access lists: real identifiers in guest memory (`ntifs.h`, `SE_EXPORTS`).
enum SecurityVariables {
  /// A member of `SE_EXPORTS`, in the structure's order.
  private enum Member {
    /// A `LUID`, whose low part is the privilege's number.
    case privileges([UInt32])
    /// Pointers to `SID`s: an authority, and what follows it.
    case identifiers([(authority: UInt8, parts: [UInt32])])
  }

  private static let builtIn: UInt32 = 32
  /// `S-1-5-18` and `S-1-5-32-544`.
  static let localSystem: (authority: UInt8, parts: [UInt32]) = (5, [18])
  static let administrators: (authority: UInt8, parts: [UInt32]) = (5, [builtIn, 544])
  static let world: (authority: UInt8, parts: [UInt32]) = (1, [0])

  private static let members: [Member] = [
    // SeCreateTokenPrivilege to SeRemoteShutdownPrivilege; the structure has the page file's before the base priority's.
    .privileges([2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 14, 11, 12, 13, 16, 17, 18, 19, 20, 21, 22, 23, 24]),
    .identifiers([
      // Null, World, Local, Creator Owner, Creator Group; NT Authority alone, Dialup, Network, Batch, Interactive, Local System.
      (0, [0]), world, (2, [0]), (3, [0]), (3, [1]), (5, []), (5, [1]), (5, [2]), (5, [3]), (5, [4]), localSystem,
      // Administrators, Users, Guests, Power Users, Account, System, Print and Backup Operators.
      administrators, (5, [builtIn, 545]), (5, [builtIn, 546]), (5, [builtIn, 547]), (5, [builtIn, 548]), (5, [builtIn, 549]),
      (5, [builtIn, 550]), (5, [builtIn, 551]),
      // Authenticated Users, Restricted Code, Anonymous Logon.
      (5, [11]), (5, [12]), (5, [7]),
    ]),
    // Undock, Sync Agent, Enable Delegation.
    .privileges([25, 26, 27]),
    // Local Service, Network Service.
    .identifiers([(5, [19]), (5, [20])]),
    // Manage Volume, Impersonate, Create Global.
    .privileges([28, 29, 30]),
  ]

  /// Makes the structure and the identifiers that it points at, and returns its address.
  static func makeExports(_ kernel: Kernel) throws -> UInt64 {
    let here = kernel.memory.memory
    let width = UInt64(kernel.memory.target.width.rawValue)
    let size = members.reduce(UInt64(0)) { sum, member in
      switch member {
      case .privileges(let numbers): sum + UInt64(numbers.count) * 8
      case .identifiers(let list): sum + UInt64(list.count) * width
      }
    }
    let start = try kernel.allocate(size)
    var place = start
    for member in members {
      switch member {
      case .privileges(let numbers):
        for number in numbers {
          try here.store(UInt64(number), at: place)
          place += 8
        }
      case .identifiers(let list):
        for (authority, parts) in list {
          let bytes = identifier(authority, parts)
          let address = try kernel.allocate(UInt64(bytes.count))
          try here.write(bytes, at: address)
          try GuestWord(address).store(here, at: place)
          place += width
        }
      }
    }
    return start
  }

  /// A `SID`: revision 1, a 48-bit authority, and the parts behind it.
  static func identifier(_ authority: UInt8, _ parts: [UInt32]) -> [UInt8] {
    [1, UInt8(parts.count), 0, 0, 0, 0, 0, authority] + parts.flatMap { part in withUnsafeBytes(of: part.littleEndian) { Array($0) } }
  }

  /// Makes an `ACL` that allows each identifier its access, and returns its address.
  static func makeList(_ kernel: Kernel, _ entries: [(access: UInt32, who: (authority: UInt8, parts: [UInt32]))]) throws -> UInt64 {
    var body: [UInt8] = []
    for (access, who) in entries {
      let sid = identifier(who.authority, who.parts)
      let size = UInt16(8 + sid.count)
      // ACCESS_ALLOWED_ACE_TYPE, without flags.
      body += [0, 0, UInt8(size & 0xff), UInt8(size >> 8)] + withUnsafeBytes(of: access.littleEndian) { Array($0) } + sid
    }
    let size = UInt16(8 + body.count)
    let address = try kernel.allocate(UInt64(size))
    // ACL_REVISION 2.
    try kernel.memory.memory.write(
      [2, 0, UInt8(size & 0xff), UInt8(size >> 8), UInt8(entries.count), 0, 0, 0] + body, at: address)
    return address
  }
}

extension KernelVariable {
  static let security: [KernelVariable] = [
    // ntifs.h: a pointer to SE_EXPORTS.
    variable("SeExports") { kernel in GuestWord(try SecurityVariables.makeExports(kernel)) },
    // GENERIC_EXECUTE for everyone, GENERIC_ALL for the system and its administrators.
    variable("SePublicDefaultDacl") { kernel in
      GuestWord(
        try SecurityVariables.makeList(
          kernel,
          [
            (0x2000_0000, SecurityVariables.world), (0x1000_0000, SecurityVariables.localSystem),
            (0x1000_0000, SecurityVariables.administrators),
          ]))
    },
    // GENERIC_ALL for the system; GENERIC_READ, GENERIC_EXECUTE and READ_CONTROL for administrators.
    variable("SeSystemDefaultDacl") { kernel in
      GuestWord(
        try SecurityVariables.makeList(
          kernel, [(0x1000_0000, SecurityVariables.localSystem), (0xa002_0000, SecurityVariables.administrators)]))
    },
  ]
}
