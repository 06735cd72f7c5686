import Guest
import WindowsTypes

extension Export {
  /// Security identifiers.
  static let identifiers: [Export] = [
    // nf-ntifs-rtllengthrequiredsid
    export("RtlLengthRequiredSid(SubAuthorityCount)") { (_, count: UInt32) -> UInt32 in 8 &+ 4 &* count },
    // nf-ntifs-rtllengthsid
    export("RtlLengthSid(Sid)") { (_, sid: Pointer<SID>) -> UInt32 in UInt32(try sid.length) },
    // nf-ntifs-rtlinitializesid
    export("RtlInitializeSid(Sid, IdentifierAuthority, SubAuthorityCount)") {
      (_, sid: Pointer<SID>, authority: Pointer<UInt8>, count: UInt8) -> NTSTATUS in
      guard count <= SID.mostSubAuthorities else { return .invalidParameter }
      try sid.Revision.store(SID.revision)
      try sid.SubAuthorityCount.store(count)
      try sid.IdentifierAuthority.write(authority.array(count: 6))
      return .success
    },
    // nf-ntifs-rtlsubauthoritysid: its address; nothing is checked.
    export("RtlSubAuthoritySid(Sid, SubAuthority)") { (_, sid: Pointer<SID>, index: UInt32) -> Pointer<UInt32> in
      sid.SubAuthority[Int(index)]
    },
    // nf-ntifs-rtlsubauthoritycountsid
    export("RtlSubAuthorityCountSid(Sid)") { (_, sid: Pointer<SID>) -> Pointer<UInt8> in sid.SubAuthorityCount },
    // nf-ntifs-rtlcopysid
    export("RtlCopySid(DestinationSidLength, DestinationSid, SourceSid)") {
      (kernel, size: UInt32, target: Pointer<SID>, source: Pointer<SID>) -> NTSTATUS in
      let length = try source.length
      guard length <= size else { return .bufferTooSmall }
      try kernel.move(UInt64(length), from: source.address, to: target.address)
      return .success
    },
    // nf-ntifs-rtlequalsid
    export("RtlEqualSid(Sid1, Sid2)") { (_, first: Pointer<SID>, second: Pointer<SID>) -> UInt8 in
      try first.bytes() == second.bytes() ? 1 : 0
    },
    // nf-ntifs-rtlvalidsid: a revision of 1 and at most 15 subauthorities. Memory that is not there is not valid, either.
    export("RtlValidSid(Sid)") { (_, sid: Pointer<SID>) -> UInt8 in
      do { return try sid.isValid ? 1 : 0 } catch is GuestException { return 0 }
    },
    // nf-ntifs-rtlconvertsidtounicodestring
    export("RtlConvertSidToUnicodeString(UnicodeString, Sid, AllocateDestinationString)", irql: .passive) {
      (kernel, text: Pointer<UNICODE_STRING>, sid: Pointer<SID>, allocate: UInt8) -> NTSTATUS in
      guard try sid.isValid else { return .invalidSID }
      let units = Array(try sid.string().utf16)
      if allocate != 0 {
        guard try kernel.allocate(text, count: units.count + 1) else { return .noMemory }
      } else if try units.count >= text.capacity {
        return .bufferOverflow
      }
      try text.text.write(units + [0])
      try text.set(count: units.count)
      return .success
    },
    // nf-ntifs-rtlcopyluid
    export("RtlCopyLuid(DestinationLuid, SourceLuid)") { (_, target: Pointer<UInt64>, source: Pointer<UInt64>) in
      try target.store(source.load())
    },
    // nf-ntifs-rtlequalluid, a macro in newer headers
    export("RtlEqualLuid(Luid1, Luid2)") { (_, first: Pointer<UInt64>, second: Pointer<UInt64>) -> UInt8 in
      try first.load() == second.load() ? 1 : 0
    },
    // nf-wdm-rtlmapgenericmask: the four generic rights become the type's own.
    export("RtlMapGenericMask(AccessMask, GenericMapping)") {
      (_, mask: Pointer<UInt32>, mapping: Pointer<GENERIC_MAPPING>) in
      var access = try mask.load()
      let members = [mapping.GenericRead, mapping.GenericWrite, mapping.GenericExecute, mapping.GenericAll]
      let bits: [UInt32] = [1 << 31, 1 << 30, 1 << 29, 1 << 28]
      for (bit, member) in zip(bits, members) where access & bit != 0 {
        access |= try member.load()
      }
      try mask.store(access & 0x0fff_ffff)
    },
  ]
}

extension SID {
  static let revision: UInt8 = 1
  /// `SID_MAX_SUB_AUTHORITIES`
  static let mostSubAuthorities: UInt8 = 15
}

extension Pointer where Pointee == SID {
  /// In bytes.
  var length: Int { get throws { 8 + 4 * Int(try self.SubAuthorityCount.load()) } }
  var isValid: Bool {
    get throws {
      if isNull { return false }
      return try self.Revision.load() & 0xf == SID.revision && self.SubAuthorityCount.load() <= SID.mostSubAuthorities
    }
  }
  func bytes() throws -> [UInt8] { try memory.bytes(length, at: address) }

  /// `S-1-5-32-544`; an authority beyond 32 bits is in hexadecimal.
  fileprivate func string() throws -> String {
    let authority = try self.IdentifierAuthority.array(count: 6).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let parts = try self.SubAuthority.array(count: Int(self.SubAuthorityCount.load())).map { "\($0)" }
    let head = authority >> 32 == 0 ? String(authority) : "0x\(hex(authority, digits: 12))"
    return (["S", String(try self.Revision.load()), head] + parts).joined(separator: "-")
  }
}
