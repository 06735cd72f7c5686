import Guest
import NTKernel
import WindowsTypes

/// Who may connect.
extension Kernel {
  /// The pool tag of the filter manager's own blocks: `Fltl`.
  private static let tag: UInt32 = 0x6c74_6c46

  /// `FltBuildDefaultSecurityDescriptor` (nf-fltkernel-fltbuilddefaultsecuritydescriptor): the access for SYSTEM and Administrators.
  func buildDefaultSecurity(_ result: Pointer<Pointer<Void>>, _ access: UInt32) throws -> NTSTATUS {
    let block = try defaultSecurity(access)
    guard block != 0 else { return .insufficientResources }
    try result.store(Pointer(block, in: memory.memory))
    return .success
  }

  /// The descriptor in paged pool; 0 where there is no room.
  private func defaultSecurity(_ access: UInt32) throws -> UInt64 {
    let lists: [[UInt8]] = [[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0], [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]]
    // ACCESS_ALLOWED_ACE: type, flags, size, mask, then the identifier.
    var entries: [UInt8] = []
    for sid in lists { entries += [0, 0, UInt8(8 + sid.count), 0] + words([UInt64(access)]) + sid }
    let size = 8 + entries.count
    guard let block = try allocatePool(UInt64(0x14 + size), tag: Self.tag, paged: true) else { return 0 }
    // SE_DACL_PRESENT, and the list behind the descriptor.
    try memory.memory.write([1, 0, 4, 0] + words([0, 0, 0, block + 0x14]), at: block)
    try memory.memory.write([2, 0, UInt8(size), 0, UInt8(lists.count), 0, 0, 0] + entries, at: block + 0x14)
    return block
  }

  /// Whether the port's descriptor grants the thread, by the token that it acts with, to connect.
  func mayConnect(to port: ServerPort, _ thread: NTKernel.Thread) throws -> NTSTATUS {
    let (connect, all) = (FilterPortAccess.connect.rawValue, FilterPortAccess.all.rawValue)
    let mapping = GenericMapping(read: 0x2_0000 | connect, write: 0x2_0000 | connect, execute: 0x2_0000 | connect, all: all)
    return try accessCheck(
      descriptor: Pointer(port.security, in: memory.memory), token: effectiveToken(of: thread), desired: connect, genericMapping: mapping
    ).status
  }

  /// A copy of a descriptor's list, absolute or self-relative, as the port keeps it: self-relative, in paged pool. Where there is
  /// none, SYSTEM and Administrators may do everything.
  func captureSecurity(_ address: UInt64) throws -> Result<UInt64, Failure> {
    guard address != 0 else {
      let block = try defaultSecurity(FilterPortAccess.all.rawValue)
      return block == 0 ? .failure(Failure(.insufficientResources)) : .success(block)
    }
    let here = memory.memory
    let control = try here.load(UInt16.self, at: address + 2)
    guard try here.load(UInt8.self, at: address) == 1 else { return .failure(Failure(.init(rawValue: 0xc000_0079))) }
    let isRelative = control & 0x8000 != 0
    var list: [UInt8] = []
    let field = UInt64(try here.load(UInt32.self, at: address + 0x10))
    let isNull = control & 4 != 0 && field == 0
    if control & 4 != 0, field != 0 {
      let place = isRelative ? (address + field) & 0xffff_ffff : field
      let size = try here.load(UInt16.self, at: place + 2)
      list = try here.bytes(Int(max(8, size)), at: place)
    }
    guard let block = try allocatePool(UInt64(0x14 + list.count), tag: Self.tag, paged: true) else {
      return .failure(Failure(.insufficientResources))
    }
    let kept = 0x8000 | control & 4
    try here.store(UInt8(1), at: block)
    try here.store(kept, at: block + 2)
    try here.store(UInt32(isNull || list.isEmpty ? 0 : 0x14), at: block + 0x10)
    try here.write(list, at: block + 0x14)
    return .success(block)
  }
}
