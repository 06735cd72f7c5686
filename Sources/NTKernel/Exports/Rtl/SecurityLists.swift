import Guest
import WindowsTypes

extension Export {
  /// Arrays of identifiers and privileges, and descriptors changed in place. `ntifs.h` declares these routines; few have a page.
  static let securityLists: [Export] = [
    export("RtlCopyLuidAndAttributesArray(Count, Src, Dest)") { (kernel, count: UInt32, source: GuestWord, target: GuestWord) in
      try kernel.move(12 * UInt64(count), from: source.bits, to: target.bits)
    },
    // The elements lie in one array, the identifiers one behind the other in another.
    export(
      "RtlCopySidAndAttributesArray(ArrayLength, Source, TargetSidBufferSize, TargetArrayElement, TargetSid, NextTargetSid, RemainingTargetSidBufferSize)"
    ) {
      (
        kernel, count: UInt32, source: Pointer<GuestWord>, size: UInt32, target: Pointer<GuestWord>, identifiers: GuestWord,
        next: Pointer<GuestWord>, rest: Pointer<UInt32>
      ) -> NTSTATUS in
      var (place, left) = (identifiers.bits, size)
      for index in 0..<Int(count) {
        let sid = Pointer<SID>(try source[2 * index].load().bits, in: source.memory)
        let bytes = try sid.bytes()
        guard UInt32(bytes.count) <= left else { return .bufferTooSmall }
        try target[2 * index].store(GuestWord(place))
        try target[2 * index + 1].store(source[2 * index + 1].load())
        try kernel.memory.memory.write(bytes, at: place)
        place += UInt64(bytes.count + 3) & ~3
        left -= min(left, UInt32(bytes.count + 3) & ~3)
      }
      try next.store(GuestWord(place))
      try rest.store(left)
      return .success
    },
    // RtlSidHashInitialize: SID_AND_ATTRIBUTES_HASH is a count, the array and two times sixteen words.
    export("RtlSidHashInitialize(SidAttr, SidCount, SidAttrHash)") {
      (kernel, array: Pointer<GuestWord>, count: UInt32, hash: Pointer<GuestWord>) -> NTSTATUS in
      guard !hash.isNull else { return .invalidParameter }
      try kernel.memory.memory.fill(0, count: 0x88, at: hash.address)
      try hash.store(GuestWord(UInt64(count)))
      try hash[1].store(GuestWord(array.address))
      // One bit for each of the first 32, by the low and by the high four bits of the last subauthority's low byte.
      for index in 0..<Int(min(count, 32)) {
        let sid = Pointer<SID>(try array[2 * index].load().bits, in: array.memory)
        guard let last = try sid.lastSubAuthority() else { continue }
        for row in [Int(last & 0xf), 16 + Int(last >> 4 & 0xf)] {
          let word = hash[2 + row]
          try word.store(GuestWord(word.load().bits | 1 << UInt64(index)))
        }
      }
      return .success
    },
    // RtlSidHashLookup: the SID_AND_ATTRIBUTES, or NULL.
    export("RtlSidHashLookup(SidAttrHash, Sid)") { (_, hash: Pointer<GuestWord>, sid: Pointer<SID>) -> GuestWord in
      guard !hash.isNull, !sid.isNull else { return 0 }
      let (count, array) = (Int(try hash.load().bits), Pointer<GuestWord>(try hash[1].load().bits, in: hash.memory))
      let wanted = try sid.bytes()
      for index in 0..<count {
        let element = array[2 * index]
        if try Pointer<SID>(element.load().bits, in: hash.memory).bytes() == wanted { return GuestWord(element.address) }
      }
      return 0
    },
    // RtlFindAceByType: from an index on, which becomes that of the entry found.
    export("RtlFindAceByType(Acl, AceType, Index)") { (_, list: Pointer<ACL>, type: UInt8, index: Pointer<UInt32>) -> Pointer<KNOWN_ACE> in
      let none = Pointer<KNOWN_ACE>(0, in: list.memory)
      guard !list.isNull else { return none }
      let first = index.isNull ? 0 : Int(try index.load())
      for number in first..<max(first, Int(try list.AceCount.load())) {
        guard let entry = try list.entry(number) else { break }
        if try entry.AceType.load() == type {
          if !index.isNull { try index.store(UInt32(number)) }
          return entry
        }
      }
      return none
    },
    // RtlOwnerAcesPresent: whether an entry means the OWNER RIGHTS, S-1-3-4.
    export("RtlOwnerAcesPresent(pAcl)") { (_, list: Pointer<ACL>) -> UInt8 in
      guard !list.isNull else { return 0 }
      let owner: [UInt8] = [1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0]
      for index in 0..<Int(try list.AceCount.load()) {
        guard let entry = try list.entry(index) else { break }
        // ACCESS_ALLOWED_ACE_TYPE 0, ACCESS_DENIED_ACE_TYPE 1; one that is only inherited does not count.
        guard try entry.AceType.load() <= 1, try entry.AceFlags.load() & 8 == 0 else { continue }
        if try Pointer<SID>(entry.SidStart.address, in: list.memory).bytes() == owner { return 1 }
      }
      return 0
    },
    // RtlSelfRelativeToAbsoluteSD2: in place, for the two forms are of one size on 32 bits.
    export("RtlSelfRelativeToAbsoluteSD2(SelfRelativeSecurityDescriptor, BufferSize)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, size: Pointer<UInt32>) -> NTSTATUS in
      guard !descriptor.isNull else { return .invalidParameter1 }
      guard !size.isNull else { return .invalidParameter2 }
      guard try descriptor.Revision.load() == 1 else { return .unknownRevision }
      guard try descriptor.Control.load() & 0x8000 != 0 else { return .badDescriptorFormat }
      let places = try descriptor.members.map { try descriptor.address(of: $0) }
      for (member, place) in zip(descriptor.members, places) { try member.store(GuestWord(place)) }
      try descriptor.Control.store(descriptor.Control.load() & 0x7fff)
      return .success
    },
    // RtlReplaceSidInSd: an identifier of the same length takes another's place wherever the descriptor has it.
    export("RtlReplaceSidInSd(SecurityDescriptor, OldSid, NewSid, NumChanges)", irql: .apc) {
      (_, descriptor: Pointer<SECURITY_DESCRIPTOR>, old: Pointer<SID>, new: Pointer<SID>, changes: Pointer<UInt32>) -> NTSTATUS in
      try changes.store(0)
      guard try old.isValid, try new.isValid, try old.length == new.length else { return .invalidParameter }
      let (wanted, bytes) = (try old.bytes(), try new.bytes())
      var places: [UInt64] = []
      for (index, member) in descriptor.members.enumerated() {
        let place = try descriptor.address(of: member)
        guard place != 0 else { continue }
        if index >= 2 {
          places.append(place)
          continue
        }
        guard try descriptor.Control.load() & (index == 0 ? 0x10 : 4) != 0 else { continue }
        let list = Pointer<ACL>(place, in: descriptor.memory)
        for number in 0..<Int(try list.AceCount.load()) {
          // The types with an identifier behind the mask: ACCESS_ALLOWED_ACE_TYPE 0 to SYSTEM_ALARM_ACE_TYPE 3.
          guard let entry = try list.entry(number), try entry.AceType.load() <= 3 else { continue }
          places.append(entry.SidStart.address)
        }
      }
      for place in places where try Pointer<SID>(place, in: descriptor.memory).bytes() == wanted {
        try descriptor.memory.write(bytes, at: place)
        try changes.store(changes.load() &+ 1)
      }
      return .success
    }
    .partially("entries for single properties of an object keep their identifiers"),
  ]
}

extension Pointer where Pointee == SID {
  fileprivate func lastSubAuthority() throws -> UInt32? {
    let count = Int(try self.SubAuthorityCount.load())
    return count == 0 ? nil : try self.SubAuthority[count - 1].load()
  }
}
