import Guest
import Testing

@Suite("Security identifiers, lists and descriptors") struct SecurityTests {
  let g: RuntimeGuest
  init() throws { g = try RuntimeGuest() }

  /// S-1-5-32-544 and S-1-1-0.
  static let administrators: [UInt8] = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]
  static let everyone: [UInt8] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]

  @Test("identifiers") func identifiers() throws {
    let (sid, authority) = (try g.room(16), try g.place([0, 0, 0, 0, 0, 5]))
    #expect(try g.call("RtlLengthRequiredSid", 2) == 16)
    #expect(try g.call("RtlInitializeSid", sid, authority, 2) == 0)
    #expect(try g.call("RtlInitializeSid", sid, authority, 16) == 0xc000_000d)
    #expect(try g.call("RtlSubAuthoritySid", sid, 1) == sid + 12)
    #expect(try g.call("RtlSubAuthorityCountSid", sid) == sid + 1)
    try g.store(32, at: sid + 8)
    try g.store(544, at: sid + 12)
    #expect(try g.bytes(16, at: sid) == Self.administrators)
    #expect(try g.call("RtlLengthSid", sid) == 16)
    #expect(try g.call("RtlValidSid", sid) == 1)
    let copy = try g.room(16)
    #expect(try g.call("RtlCopySid", 15, copy, sid) == 0xc000_0023)
    #expect(try g.call("RtlCopySid", 16, copy, sid) == 0)
    #expect(try g.call("RtlEqualSid", sid, copy) == 1)
    try g.store(545, at: copy + 12)
    #expect(try g.call("RtlEqualSid", sid, copy) == 0)
    let text = try g.room(8)
    #expect(try g.call("RtlConvertSidToUnicodeString", text, sid, 1) == 0)
    #expect(try g.text(text) == "S-1-5-32-544")
    #expect(try g.call("RtlConvertSidToUnicodeString", try g.unicode("xxxx"), sid, 0) == 0x8000_0005)
    try g.memory.memory.store(UInt8(2), at: sid)
    #expect(try g.call("RtlValidSid", sid) == 0)
    #expect(try g.call("RtlValidSid", RuntimeGuest.missing) == 0)
    #expect(try g.call("RtlConvertSidToUnicodeString", text, sid, 1) == 0xc000_0078)
    let luid = try g.room(8)
    try g.call("RtlCopyLuid", luid, sid)
    #expect(try g.call("RtlEqualLuid", luid, sid) == 1)
    #expect(try g.call("RtlEqualLuid", luid, sid + 8) == 0)
    let (mask, mapping) = (try g.room(4), try g.room(16))
    for index in 0..<UInt64(4) { try g.store(1 << UInt32(index), at: mapping + 4 * index) }
    try g.store(0xa001_0000, at: mask)
    try g.call("RtlMapGenericMask", mask, mapping)
    #expect(try g.load(mask) == 0x1_0005)
    for name in ["RtlLengthSid"] { #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing) == accessViolation) }
    for name in ["RtlEqualSid", "RtlCopyLuid", "RtlEqualLuid", "RtlMapGenericMask"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing, RuntimeGuest.missing) == accessViolation)
    }
  }

  @Test("access control lists") func lists() throws {
    let (list, sid) = (try g.room(64), try g.place(Self.administrators))
    #expect(try g.call("RtlCreateAcl", list, 7, 2) == 0xc000_0023)
    #expect(try g.call("RtlCreateAcl", list, 64, 1) == 0xc000_000d)
    #expect(try g.call("RtlCreateAcl", list, 59, 2) == 0)
    #expect(try g.bytes(8, at: list) == [2, 0, 56, 0, 0, 0, 0, 0])
    #expect(try g.call("RtlAddAccessAllowedAce", list, 2, 0x1f01ff, sid) == 0)
    #expect(try g.bytes(24, at: list + 8) == [0, 0, 24, 0, 0xff, 1, 0x1f, 0] + Self.administrators)
    #expect(try g.call("RtlAddAccessAllowedAceEx", list, 2, 3, 1, sid) == 0)
    #expect(try g.load8(list + 33) == 3)
    #expect(try g.call("RtlAddAccessAllowedAceEx", list, 2, 0x40, 1, sid) == 0xc000_000d)
    #expect(try g.call("RtlAddAccessAllowedAce", list, 2, 1, sid) == 0xc000_0099)
    #expect(try g.call("RtlAddAccessAllowedAce", list, 5, 1, sid) == 0xc000_0059)
    #expect(try g.call("RtlAddAccessAllowedAce", list, 2, 1, list) == 0xc000_0078)
    let place = try g.room(4)
    #expect(try g.call("RtlGetAce", list, 1, place) == 0)
    #expect(try g.load(place) == UInt32(list + 32))
    #expect(try g.call("RtlGetAce", list, 2, place) == 0xc000_000d)
    #expect(try g.call("RtlDeleteAce", list, 0) == 0)
    #expect(try g.load16(list + 4) == 1 && g.load8(list + 9) == 3)
    #expect(try g.call("RtlDeleteAce", list, 1) == 0xc000_000d)
    let entry = try g.place([1, 0, 20, 0, 7, 0, 0, 0] + Self.everyone)
    #expect(try g.call("RtlAddAce", list, 2, 0, entry, 20) == 0)
    #expect(try g.load16(list + 4) == 2 && g.load8(list + 8) == 1 && g.load8(list + 29) == 3)
    #expect(try g.call("RtlAddAce", list, 2, 0, entry, 20) == 0xc000_0023)
    #expect(try g.call("RtlAddAce", list, 2, 0, entry, 19) == 0xc000_000d)
    try g.store16(9, at: list + 4)
    #expect(try g.call("RtlAddAccessAllowedAce", list, 2, 1, sid) == 0xc000_0077)
  }

  @Test("descriptors, absolute and self-relative") func descriptors() throws {
    let (descriptor, list, owner) = (try g.room(20), try g.room(32), try g.place(Self.administrators))
    let group = try g.place(Self.everyone)
    try g.call("RtlCreateAcl", list, 32, 2)
    try g.call("RtlAddAccessAllowedAce", list, 2, 1, group)
    #expect(try g.call("RtlCreateSecurityDescriptor", descriptor, 2) == 0xc000_0058)
    #expect(try g.call("RtlCreateSecurityDescriptor", descriptor, 1) == 0)
    #expect(try g.call("RtlSetDaclSecurityDescriptor", descriptor, 1, list, 0) == 0)
    #expect(try g.call("RtlSetOwnerSecurityDescriptor", descriptor, owner, 1) == 0)
    #expect(try g.call("RtlSetGroupSecurityDescriptor", descriptor, group, 0) == 0)
    #expect(try g.load16(descriptor + 2) == 5)
    #expect(try g.load(descriptor + 4) == UInt32(owner) && g.load(descriptor + 16) == UInt32(list))
    #expect(try g.call("RtlSetSaclSecurityDescriptor", descriptor, 0, 0, 0) == 0)
    #expect(try g.call("RtlValidSecurityDescriptor", descriptor) == 1)
    #expect(try g.call("RtlLengthSecurityDescriptor", descriptor) == 20 + 32 + 16 + 12)
    let (flat, size) = (try g.room(96), try g.room(4))
    try g.store(79, at: size)
    #expect(try g.call("RtlAbsoluteToSelfRelativeSD", descriptor, flat, size) == 0xc000_0023)
    #expect(try g.load(size) == 80)
    #expect(try g.call("RtlAbsoluteToSelfRelativeSD", descriptor, flat, size) == 0)
    #expect(try g.load16(flat + 2) == 0x8005)
    #expect(try (0..<4).map { try g.load(flat + 4 + 4 * $0) } == [52, 68, 0, 20])
    #expect(try g.bytes(16, at: flat + 52) == Self.administrators)
    #expect(try g.call("RtlAbsoluteToSelfRelativeSD", flat, flat, size) == 0xc000_00e7)
    #expect(try g.call("RtlSetDaclSecurityDescriptor", flat, 1, list, 0) == 0xc000_0079)
    #expect(try g.call("RtlSetOwnerSecurityDescriptor", flat, owner, 0) == 0xc000_0079)
    #expect(try g.call("RtlSetGroupSecurityDescriptor", flat, owner, 0) == 0xc000_0079)
    #expect(try g.call("RtlSetSaclSecurityDescriptor", flat, 1, 0, 0) == 0xc000_0079)
    #expect(try g.call("RtlValidRelativeSecurityDescriptor", flat, 80, 7) == 1)
    #expect(try g.call("RtlValidRelativeSecurityDescriptor", flat, 79, 7) == 0)
    let (present, part, defaulted) = (try g.room(4), try g.room(4), try g.room(4))
    #expect(try g.call("RtlGetDaclSecurityDescriptor", flat, present, part, defaulted) == 0)
    #expect(try g.load8(present) == 1 && g.load(part) == UInt32(flat + 20) && g.load8(defaulted) == 0)
    #expect(try g.call("RtlGetSaclSecurityDescriptor", flat, present, part, defaulted) == 0)
    #expect(try g.load8(present) == 0)
    #expect(try g.call("RtlGetOwnerSecurityDescriptor", flat, part, defaulted) == 0)
    #expect(try g.load(part) == UInt32(flat + 52) && g.load8(defaulted) == 1)
    #expect(try g.call("RtlGetGroupSecurityDescriptor", flat, part, defaulted) == 0)
    #expect(try g.load(part) == UInt32(flat + 68))
    let target = try g.room(20)
    let sizes = try (0..<5).map { _ in try g.place([0, 0, 0, 0]) }
    let (dacl, sacl, user, primary) = (try g.room(64), try g.room(64), try g.room(64), try g.room(64))
    let arguments = [flat, target, sizes[0], dacl, sizes[1], sacl, sizes[2], user, sizes[3], primary, sizes[4]]
    #expect(try g.outcome("RtlSelfRelativeToAbsoluteSD", arguments) == .returned(0xc000_0023, g.registers[.dx]))
    #expect(try sizes.map { try g.load($0) } == [20, 32, 0, 16, 12])
    #expect(try g.outcome("RtlSelfRelativeToAbsoluteSD", arguments) == .returned(0, g.registers[.dx]))
    #expect(try (0..<4).map { try UInt64(g.load(target + 4 + 4 * $0)) } == [user, primary, 0, dacl])
    #expect(try g.load16(target + 2) == 5)
    #expect(try g.bytes(12, at: primary) == Self.everyone)
    try g.memory.memory.store(UInt8(7), at: flat)
    for name in ["RtlGetDaclSecurityDescriptor", "RtlGetSaclSecurityDescriptor"] {
      #expect(try g.call(name, flat, present, part, defaulted) == 0xc000_0058)
    }
    for name in ["RtlGetOwnerSecurityDescriptor", "RtlGetGroupSecurityDescriptor"] {
      #expect(try g.call(name, flat, part, defaulted) == 0xc000_0058)
    }
    #expect(try g.call("RtlValidSecurityDescriptor", flat) == 0)
    #expect(try g.call("RtlValidSecurityDescriptor", RuntimeGuest.missing) == 0)
    #expect(try g.failure("RtlLengthSecurityDescriptor", RuntimeGuest.missing) == accessViolation)
  }

  @Test("frames, contexts and images") func frames() throws {
    let (trace, hash) = (try g.room(64), try g.room(4))
    #expect(try g.call("RtlCaptureStackBackTrace", 0, 4, trace, hash) >= 1)
    #expect(try UInt64(g.load(trace)) == RuntimeGuest.caller)
    #expect(try g.call("RtlCaptureStackBackTrace", 60, 4, trace, hash) == 0)
    #expect(try g.call("RtlWalkFrameChain", trace, 4, 0) >= 1)
    #expect(try g.call("RtlWalkFrameChain", trace, 4, 1) == 0)
    try g.call("RtlGetCallersAddress", trace, hash)
    #expect(try g.load(trace) == 0)
    let context = try g.room(0x2cc)
    try g.call("RtlCaptureContext", context)
    #expect(try g.load(context + 0xb8) == UInt32(RuntimeGuest.caller))
    #expect(try UInt64(g.load(context + 0xc4)) == g.registers[.sp])
    #expect(try g.load(context + 0x9c) == 0xd1d1 && g.load(context + 0xa0) == 0x5151)
    try g.call("RtlAssert", try g.narrow("x > 0"), try g.narrow("a.c"), 7, 0)
    let image = try g.place([0x4d, 0x5a] + [UInt8](repeating: 0, count: 0x3a) + [0x40, 0, 0, 0, 0x50, 0x45, 0, 0])
    #expect(try g.call("RtlImageNtHeader", image) == image + 0x40)
    #expect(try g.call("RtlImageNtHeader", image + 0x40) == 0)
    #expect(try g.call("RtlImageNtHeader", 0) == 0)
    let missing = RuntimeGuest.missing
    #expect(try RuntimeGuest().failure("RtlCaptureContext", missing) == accessViolation)
    #expect(try RuntimeGuest().failure("RtlGetCallersAddress", missing, missing) == accessViolation)
    #expect(try RuntimeGuest().failure("RtlAssert", missing, 0, 0, 0) == accessViolation)
    #expect(try RuntimeGuest().failure("RtlCaptureStackBackTrace", 0, 4, missing, 0) == accessViolation)
  }
}
