import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Security") struct TokenTests {
  static let file: [UInt32] = [0x12_0089, 0x12_0116, 0x12_00a0, 0x1f_01ff]

  /// A self-relative descriptor whose list has these entries: whether it denies, the rights, to whom.
  private func descriptor(_ g: IOGuest, owner: SecurityIdentifier, _ entries: [(Bool, UInt32, SecurityIdentifier)]) throws -> UInt64 {
    var aces: [UInt8] = []
    for (denies, mask, sid) in entries {
      aces += [denies ? 1 : 0, 0, UInt8(8 + sid.bytes.count), 0] + (0..<4).map { UInt8(truncatingIfNeeded: mask >> (8 * UInt32($0))) }
      aces += sid.bytes
    }
    let list: [UInt8] = [2, 0, UInt8(8 + aces.count), 0, UInt8(entries.count), 0, 0, 0] + aces
    let place = try g.space(0x200)
    try g.k.store([0x8004_0001, UInt32(20 + list.count), 0, 0, 20], at: place)
    try g.k.memory.memory.write(list + owner.bytes, at: place + 20)
    return place
  }

  private func decide(_ g: IOGuest, _ descriptor: UInt64, _ user: ProcessUser, _ desired: UInt32) throws -> AccessDecision {
    let process = try g.k.kernel.createProcess("\(user.rawValue).exe", uniqueID: 2000)
    g.k.kernel.setUser(user, of: process)
    return try g.k.kernel.accessCheck(
      descriptor: Pointer(descriptor, in: g.k.memory.memory), token: g.k.kernel.primaryToken(of: process), desired: desired,
      genericMapping: .file)
  }

  @Test("entries decide in their order; the owner may change the list; no list grants everything") func accessCheck() throws {
    let g = try IOGuest()
    let guarded = try descriptor(g, owner: .localSystem, [(false, 0x1f_0001, .localSystem), (false, 0x1f_0001, .administrators)])
    #expect(try decide(g, guarded, .administrator, 1).status == .success)
    #expect(try decide(g, guarded, .system, 1).granted == 1)
    #expect(try decide(g, guarded, .user, 1).status == .accessDenied)
    // MAXIMUM_ALLOWED
    #expect(try decide(g, guarded, .administrator, 0x200_0000).granted == 0x1f_0001)
    let denied = try descriptor(g, owner: .administrators, [(true, 2, .users), (false, 3, .world)])
    #expect(try decide(g, denied, .user, 1).status == .success)
    #expect(try decide(g, denied, .user, 2).status == .accessDenied)
    #expect(try decide(g, denied, .user, 0x200_0000).granted == 1)
    #expect(try decide(g, denied, .administrator, 0x4_0000).status == .success)
    #expect(try decide(g, denied, .user, 0x4_0000).status == .accessDenied)
    // ACCESS_SYSTEM_SECURITY takes an enabled privilege.
    #expect(try decide(g, denied, .user, 0x100_0000).status == .privilegeNotHeld)
    try g.k.store(0x8000_0001, at: guarded)
    #expect(try decide(g, guarded, .user, 0x1000_0000).granted == 0x1f_01ff)
    #expect(try decide(g, 0, .system, 1).status == .accessDenied)
  }

  @Test("SeAccessCheck and the subject's context") func subject() throws {
    let g = try IOGuest()
    g.k.kernel.setUser(.user, of: g.k.notepad)
    let (context, mapping, granted, status) = (try g.space(), try g.space(), try g.space(), try g.space())
    try g.k.store(Self.file, at: mapping)
    try g.call("SeCaptureSubjectContext", context)
    try g.call("SeLockSubjectContext", context)
    let guarded = try descriptor(g, owner: .localSystem, [(false, 0x1f_0001, .localSystem)])
    #expect(try g.call("SeAccessCheck", guarded, context, 1, 1, 0, 0, mapping, 1, granted, status) & 0xff == 0)
    #expect(try g.k.load(status) == NTSTATUS.accessDenied.rawValue)
    #expect(try g.call("SeAccessCheck", guarded, context, 1, 1, 0, 0, mapping, 0, granted, status) & 0xff == 1)
    #expect(try g.k.load(granted) == 1)
    // SeChangeNotifyPrivilege is everybody's; SeDebugPrivilege is not.
    let set = try g.space(0x20)
    try g.k.store([1, 1, 23, 0, 0], at: set)
    #expect(try g.call("SePrivilegeCheck", set, context, 1) & 0xff == 1)
    try g.k.store([1, 1, 20, 0, 0], at: set)
    #expect(try g.call("SePrivilegeCheck", set, context, 1) & 0xff == 0)
    #expect(try g.call("SeSinglePrivilegeCheck", 23, 0, 1) & 0xff == 1)
    #expect(try g.call("SeSinglePrivilegeCheck", 20, 0, 1) & 0xff == 0)
    #expect(try g.call("SeSinglePrivilegeCheck", 20, 0, 0) & 0xff == 1)
    try g.call("SeUnlockSubjectContext", context)
    try g.call("SeReleaseSubjectContext", context)
    #expect(try g.k.load(context + 8) == 0)
    let (state, auxiliary) = (try g.space(0x80), try g.space(0x40))
    #expect(try g.status("SeCreateAccessState", state, auxiliary, 0x8000_0000, mapping) == .success)
    #expect(try g.k.load(state + 0x18) == 0x12_0089 && g.k.load(state + 0x24) != 0)
    #expect(try g.status("SeAppendPrivileges", state, set) == .success)
    try g.k.store(9, at: set)
    #expect(try g.status("SeAppendPrivileges", state, set) == .insufficientResources)
    try g.call("SeDeleteAccessState", state)
    try g.call("SeFreePrivileges", try g.call("ExAllocatePool", 1, 20))
    #expect(try g.call("SeAuditingFileEvents", 1, guarded) & 0xff == 0)
  }

  @Test("what is in a token") func information() throws {
    let g = try IOGuest()
    g.k.kernel.setUser(.user, of: g.k.notepad)
    let token = try g.call("PsReferencePrimaryToken", g.k.notepad.object.address)
    #expect(try g.call("SeTokenIsAdmin", token) & 0xff == 0)
    #expect(try g.call("SeTokenIsRestricted", token) & 0xff == 0)
    #expect(try g.call("SeTokenType", token) == 1)
    let system = try g.call("PsReferencePrimaryToken", g.k.system.object.address)
    #expect(try g.call("SeTokenIsAdmin", system) & 0xff == 1)
    let (id, result) = (try g.space(), try g.space())
    #expect(try g.status("SeQueryAuthenticationIdToken", system, id) == .success)
    #expect(try g.k.load(id) == 0x3e7)
    #expect(try g.status("SeQuerySessionIdToken", system, id) == .success)
    #expect(try g.status("SeQueryInformationToken", system, 1, result) == .success)
    let user = UInt64(try g.k.load(result))
    let sid = UInt64(try g.k.load(user))
    #expect(try g.k.memory.memory.bytes(12, at: sid) == SecurityIdentifier.localSystem.bytes)
    try g.call("ExFreePool", user)
    #expect(try g.status("SeQueryInformationToken", 0x1234, 1, result) == .invalidParameter)
    let handle = try g.space()
    #expect(try g.status("ZwOpenProcessToken", 0xffff_ffff, 8, handle) == .success)
    #expect(try g.status("NtOpenProcessToken", 0x4444, 8, handle) == .invalidHandle)
    #expect(try g.status("ZwOpenProcessTokenEx", 0xffff_ffff, 8, 0x200, handle) == .success)
    #expect(try g.status("NtOpenProcessTokenEx", 0x4444, 8, 0x200, handle) == .invalidHandle)
    let (block, needed) = (try g.space(0x100), try g.space())
    let value = UInt64(try g.k.load(handle))
    #expect(try g.status("ZwQueryInformationToken", value, 1, block, 4, needed) == .bufferTooSmall)
    #expect(try g.status("NtQueryInformationToken", 0x4444, 1, block, 4, needed) == .invalidHandle)
    #expect(try g.status("ZwQueryInformationToken", value, 1, block, 0x100, needed) == .success)
    #expect(try g.k.load(block) == UInt32(block) + 8)
    for name in ["ZwOpenThreadToken", "NtOpenThreadToken"] {
      #expect(try g.status(name, 0xffff_fffe, 8, 1, handle) == NTSTATUS(rawValue: 0xc000_007c))
    }
    for name in ["ZwOpenThreadTokenEx", "NtOpenThreadTokenEx"] {
      #expect(try g.status(name, 0xffff_fffe, 8, 1, 0x200, handle) == NTSTATUS(rawValue: 0xc000_007c))
    }
    try g.call("PsDereferencePrimaryToken", token)
    try g.call("PsDereferencePrimaryToken", system)
  }

  @Test("a server acts for its client, and reverts") func impersonation() throws {
    let g = try IOGuest()
    g.k.kernel.setUser(.user, of: g.k.notepad)
    let (service, context, subject) = (try g.space(), try g.space(0x40), try g.space())
    try g.k.store([12, 2, 0x100], at: service)
    #expect(try g.status("SeCreateClientSecurity", g.k.worker.object.address, service, 0, context) == .success)
    #expect(try g.status("SeImpersonateClientEx", context, 0) == .success)
    let (copy, only, level) = (try g.space(), try g.space(), try g.space())
    let token = try g.call("PsReferenceImpersonationToken", g.k.client.object.address, copy, only, level)
    #expect(try token != 0 && g.call("SeTokenIsAdmin", token) & 0xff == 1 && g.k.load(level) == 2)
    #expect(try g.call("SeTokenType", token) == 2)
    try g.call("PsDereferenceImpersonationToken", token)
    try g.call("SeCaptureSubjectContext", subject)
    #expect(try g.status("SeCreateClientSecurityFromSubjectContext", subject, service, 0, context) == .success)
    try g.k.store([12, 3, 0x100], at: service)
    #expect(try g.status("SeCreateClientSecurityFromSubjectContext", subject, service, 0, context) == NTSTATUS(rawValue: 0xc000_00a5))
    try g.call("PsRevertToSelf")
    #expect(try g.call("PsReferenceImpersonationToken", g.k.client.object.address, copy, only, level) == 0)
    try g.call("SeImpersonateClient", context, 0)
    #expect(try g.status("PsImpersonateClient", g.k.client.object.address, 0, 0, 0, 0) == .success)
    #expect(try g.status("PsImpersonateClient", g.k.client.object.address, 0x1234, 0, 0, 0) == .invalidParameter)
  }

  @Test("an object's descriptor is set in parts, and read back") func objects() throws {
    let g = try IOGuest()
    let device = try g.device(#"\Device\Demo"#)
    try g.acceptFiles()
    let handle = try g.open(#"\Device\Demo"#)
    let new = try descriptor(g, owner: .administrators, [(false, 1, .world)])
    let (result, allocated, block, needed) = (try g.space(), try g.space(), try g.space(0x200), try g.space())
    #expect(try g.status("ZwSetSecurityObject", handle, 5, new) == .success)
    #expect(try g.status("NtSetSecurityObject", 0x4444, 5, new) == .invalidHandle)
    #expect(try g.status("ObGetObjectSecurity", device, result, allocated) == .success)
    let stored = UInt64(try g.k.load(result))
    #expect(stored != 0)
    #expect(try decide(g, stored, .user, 1).status == .success)
    try g.call("ObReleaseObjectSecurity", stored, UInt64(g.k.load(allocated)) & 0xff)
    #expect(try g.status("ZwQuerySecurityObject", handle, 1, block, 0, needed) == .bufferTooSmall)
    #expect(try g.k.load(needed) == 20 + 16)
    #expect(try g.status("ZwQuerySecurityObject", handle, 1, block, 0x200, needed) == .success)
    #expect(try g.status("NtQuerySecurityObject", 0x4444, 1, block, 0x200, needed) == .invalidHandle)
    #expect(try g.k.memory.memory.bytes(16, at: block + 20) == SecurityIdentifier.administrators.bytes)
    #expect(try g.status("ObSetSecurityObjectByPointer", device, 4, new) == .success)
    try g.k.store(0, at: block)
    #expect(try g.status("ObSetSecurityObjectByPointer", device, 4, block) == NTSTATUS(rawValue: 0xc000_0079))
  }

  @Test("descriptors are captured, assigned and changed") func descriptors() throws {
    let g = try IOGuest()
    let own = try descriptor(g, owner: .administrators, [(false, 1, .world)])
    let (result, context, mapping) = (try g.space(), try g.space(), try g.space())
    try g.k.store(Self.file, at: mapping)
    #expect(try g.status("SeCaptureSecurityDescriptor", own, 0, 1, 1, result) == .success)
    let copy = UInt64(try g.k.load(result))
    #expect(copy != own && copy != 0)
    #expect(try g.status("SeReleaseSecurityDescriptor", copy, 0, 1) == .success)
    #expect(try g.status("SeCaptureSecurityDescriptor", own, 0, 1, 0, result) == .success)
    #expect(try g.k.load(result) == UInt32(own))
    #expect(try g.status("SeCaptureSecurityDescriptor", 0x60_0000, 1, 1, 1, result) == .accessViolation)
    try g.call("SeCaptureSubjectContext", context)
    #expect(try g.status("SeAssignSecurity", 0, 0, result, 0, context, mapping, 1) == .success)
    let assigned = UInt64(try g.k.load(result))
    #expect(try decide(g, assigned, .system, 0x1000_0000).status == .success)
    #expect(try decide(g, assigned, .user, 1).status == .accessDenied)
    let (information, length, block) = (try g.space(), try g.space(), try g.space(0x200))
    try g.k.store(4, at: information)
    try g.k.store(0, at: length)
    #expect(try g.status("SeQuerySecurityDescriptorInfo", information, block, length, result) == .bufferTooSmall)
    #expect(try g.status("SeQuerySecurityDescriptorInfo", information, block, length, result) == .success)
    #expect(try g.status("SeSetSecurityDescriptorInfo", 0, information, own, result, 1, mapping) == .success)
    #expect(try decide(g, UInt64(g.k.load(result)), .user, 1).status == .success)
    #expect(try g.status("SeDeassignSecurity", result) == .success)
    #expect(try g.status("SeSetSecurityDescriptorInfo", 0, information, own, result, 1, mapping) == NTSTATUS(rawValue: 0xc000_00d7))
  }
  @Test("a process's object leads to its token before anybody asks; one that is copied is whom its process then acts as")
  func copiedToken() throws {
    let g = try IOGuest()
    g.k.kernel.setUser(.user, of: g.k.notepad)
    // EPROCESS.Token
    let (system, own) = (g.k.system.object.address + 0xc8, g.k.notepad.object.address + 0xc8)
    let (mighty, limited) = (UInt64(try g.k.load(system)), UInt64(try g.k.load(own)))
    #expect(mighty != 0 && limited != 0 && mighty != limited)
    #expect(try g.call("SeTokenIsAdmin", limited & ~7) & 0xff == 0 && g.call("SeTokenType", mighty & ~7) == 1)
    // OBJECT_HEADER.PointerCount, of one that nobody has asked for.
    let other = UInt64(try g.k.load(g.k.service.object.address + 0xc8)) & ~7
    #expect(try g.k.load(other - 0x18) == 1)
    try g.k.store(UInt32(mighty), at: own)
    let token = try g.call("PsReferencePrimaryToken", g.k.notepad.object.address)
    #expect(try token == mighty & ~7 && g.call("SeTokenIsAdmin", token) & 0xff == 1)
    // What is no token leads to one of the process's own.
    try g.k.store(0x1234_5678, at: own)
    #expect(try g.call("SeTokenIsAdmin", g.call("PsReferencePrimaryToken", g.k.notepad.object.address)) & 0xff == 0)
  }
}
