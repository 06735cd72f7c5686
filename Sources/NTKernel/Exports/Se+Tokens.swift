import Guest
import WindowsTypes

extension Export {
  /// Tokens: what is in them, whose they are, and acting for a client.
  static let tokens: [Export] =
    tokenFacts + impersonation + [
      openProcessToken("ZwOpenProcessToken"), openProcessToken("NtOpenProcessToken"),
      openProcessTokenEx("ZwOpenProcessTokenEx"), openProcessTokenEx("NtOpenProcessTokenEx"),
      openThreadToken("ZwOpenThreadToken"), openThreadToken("NtOpenThreadToken"),
      openThreadTokenEx("ZwOpenThreadTokenEx"), openThreadTokenEx("NtOpenThreadTokenEx"),
      queryToken("ZwQueryInformationToken"), queryToken("NtQueryInformationToken"),
    ]

  private static let tokenFacts: [Export] = [
    // nf-ntifs-setokenisadmin
    export("SeTokenIsAdmin(Token)", irql: .passive) { (kernel, token: GuestWord) -> UInt8 in
      try kernel.token(at: token.bits)?.isAdministrator == true ? 1 : 0
    },
    // nf-ntifs-setokenisrestricted
    export("SeTokenIsRestricted(Token)", irql: .passive) { (kernel, token: GuestWord) -> UInt8 in
      try kernel.token(at: token.bits)?.restricted.isEmpty == false ? 1 : 0
    },
    // nf-ntifs-setokentype
    export("SeTokenType(Token)", irql: .passive) { (kernel, token: GuestWord) -> UInt32 in try kernel.token(at: token.bits)?.type ?? 0 },
    // nf-ntifs-sequeryauthenticationidtoken
    export("SeQueryAuthenticationIdToken(Token, AuthenticationId)", irql: .passive) {
      (kernel, token: GuestWord, id: Pointer<UInt64>) -> NTSTATUS in
      guard let token = try kernel.token(at: token.bits) else { return .invalidParameter }
      try id.store(token.authenticationID)
      return .success
    },
    // nf-ntifs-sequerysessionidtoken
    export("SeQuerySessionIdToken(Token, SessionId)", irql: .passive) { (kernel, token: GuestWord, id: Pointer<UInt32>) -> NTSTATUS in
      guard try kernel.token(at: token.bits) != nil else { return .invalidParameter }
      try id.store(0)
      return .success
    },
    // nf-ntifs-sequeryinformationtoken: TokenInformation is the address of a pool block that the caller frees, or a number.
    export("SeQueryInformationToken(Token, TokenInformationClass, TokenInformation)", irql: .passive) {
      (kernel, token: GuestWord, kind: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let token = try kernel.token(at: token.bits) else { return .invalidParameter }
      guard let facts = kernel.information(kind, of: token) else { return NTSTATUS(rawValue: 0xc000_0003) }
      // TokenImpersonationLevel, TokenSessionId: the number itself.
      if kind == 9 || kind == 12 {
        try kernel.memory.memory.write(facts(0), at: result.address)
        return .success
      }
      guard let block = try kernel.pagedPool.allocate(UInt64(facts(0).count), tag: 0x7154_6553, in: kernel.memory) else {
        return .insufficientResources
      }
      try kernel.memory.memory.write(facts(block), at: block)
      try result.store(GuestWord(block))
      return .success
    },
    // nf-ntifs-psreferenceprimarytoken
    export("PsReferencePrimaryToken(Process)", irql: .passive) { (kernel, process: Pointer<EPROCESS>) -> Pointer<Void> in
      guard let process = kernel.process(at: process.address) else { return Pointer(0, in: kernel.memory.memory) }
      let token = try kernel.primaryToken(of: process)
      try kernel.reference(token.object, for: kernel.site())
      return Pointer(token.object, in: kernel.memory.memory)
    },
    // nf-ntifs-psdereferenceprimarytoken
    export("PsDereferencePrimaryToken(PrimaryToken)", irql: .passive) { (kernel, token: GuestWord) async throws in
      _ = try await kernel.dereference(token.bits, by: kernel.servedReturnAddress)
    },
    // nf-ntifs-psreferenceimpersonationtoken: NULL where the thread impersonates nobody.
    export("PsReferenceImpersonationToken(Thread, CopyOnOpen, EffectiveOnly, ImpersonationLevel)", irql: .passive) {
      (
        kernel, thread: Pointer<ETHREAD>, copyOnOpen: Pointer<UInt8>, effectiveOnly: Pointer<UInt8>, level: Pointer<UInt32>
      ) -> Pointer<Void> in
      let here = kernel.memory.memory
      guard let thread = kernel.thread(at: thread.address), let client = try kernel.impersonated(by: thread) else {
        return Pointer(0, in: here)
      }
      try copyOnOpen.store(client.copyOnOpen ? 1 : 0)
      try effectiveOnly.store(client.effectiveOnly ? 1 : 0)
      try level.store(client.level)
      try kernel.reference(client.token.object, for: kernel.site())
      return Pointer(client.token.object, in: here)
    },
    // nf-ntifs-psdereferenceimpersonationtoken
    export("PsDereferenceImpersonationToken(ImpersonationToken)", irql: .passive) { (kernel, token: GuestWord) async throws in
      if token.bits != 0 { _ = try await kernel.dereference(token.bits, by: kernel.servedReturnAddress) }
    },
  ]

  private static let impersonation: [Export] = [
    // nf-ntifs-secreateclientsecurity
    export("SeCreateClientSecurity(ClientThread, ClientSecurityQos, RemoteSession, ClientContext)", irql: .passive) {
      (
        kernel, thread: Pointer<ETHREAD>, service: Pointer<UInt32>, isRemote: UInt8, context: Pointer<SECURITY_CLIENT_CONTEXT>
      ) -> NTSTATUS in
      guard let thread = kernel.thread(at: thread.address) else { return .invalidParameter }
      return try kernel.createClient(try kernel.effectiveToken(of: thread), service, isRemote: isRemote != 0, context)
    },
    // nf-ntifs-secreateclientsecurityfromsubjectcontext
    export("SeCreateClientSecurityFromSubjectContext(SubjectContext, ClientSecurityQos, ServerIsRemote, ClientContext)", irql: .passive) {
      (
        kernel, subject: Pointer<SECURITY_SUBJECT_CONTEXT>, service: Pointer<UInt32>, isRemote: UInt8,
        context: Pointer<SECURITY_CLIENT_CONTEXT>
      ) -> NTSTATUS in
      try kernel.createClient(try kernel.token(of: subject), service, isRemote: isRemote != 0, context)
    },
    // nf-ntifs-seimpersonateclientex
    export("SeImpersonateClientEx(ClientContext, ServerThread)", irql: .passive) {
      (kernel, context: Pointer<SECURITY_CLIENT_CONTEXT>, thread: Pointer<ETHREAD>) -> NTSTATUS in
      try kernel.impersonate(context, thread.address)
    },
    // nf-ntifs-seimpersonateclient
    export("SeImpersonateClient(ClientContext, ServerThread)", irql: .passive) {
      (kernel, context: Pointer<SECURITY_CLIENT_CONTEXT>, thread: Pointer<ETHREAD>) in
      _ = try kernel.impersonate(context, thread.address)
    },
    // nf-ntifs-psimpersonateclient
    export("PsImpersonateClient(Thread, Token, CopyOnOpen, EffectiveOnly, ImpersonationLevel)", irql: .passive) {
      (kernel, thread: Pointer<ETHREAD>, token: GuestWord, copyOnOpen: UInt8, effectiveOnly: UInt8, level: UInt32) -> NTSTATUS in
      guard let thread = kernel.thread(at: thread.address), level <= 3 else { return .invalidParameter }
      let client = try kernel.token(at: token.bits)
      if client == nil, token.bits != 0 { return .invalidParameter }
      try kernel.impersonate(client, by: thread, copyOnOpen: copyOnOpen != 0, effectiveOnly: effectiveOnly != 0, level: level)
      return .success
    },
    // nf-ntifs-psreverttoself
    export("PsRevertToSelf()", irql: .passive) { kernel in
      if let thread = kernel.running { try kernel.impersonate(nil, by: thread, copyOnOpen: false, effectiveOnly: false, level: 0) }
    },
  ]

  private static func openProcessToken(_ name: String) -> Export {
    // nf-ntifs-zwopenprocesstokenex, with handle attributes of 0
    export("\(name)(ProcessHandle, DesiredAccess, TokenHandle)", irql: .passive) {
      (kernel, process: GuestWord, access: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      try kernel.openToken(ofProcess: process.bits, access, 0, result, name)
    }
  }
  private static func openProcessTokenEx(_ name: String) -> Export {
    export("\(name)(ProcessHandle, DesiredAccess, HandleAttributes, TokenHandle)", irql: .passive) {
      (kernel, process: GuestWord, access: UInt32, attributes: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      try kernel.openToken(ofProcess: process.bits, access, attributes, result, name)
    }
  }
  private static func openThreadToken(_ name: String) -> Export {
    // nf-ntifs-zwopenthreadtokenex, with handle attributes of 0
    export("\(name)(ThreadHandle, DesiredAccess, OpenAsSelf, TokenHandle)", irql: .passive) {
      (kernel, thread: GuestWord, access: UInt32, asSelf: UInt8, result: Pointer<GuestWord>) -> NTSTATUS in
      try kernel.openToken(ofThread: thread.bits, access, 0, result, name)
    }
  }
  private static func openThreadTokenEx(_ name: String) -> Export {
    export("\(name)(ThreadHandle, DesiredAccess, OpenAsSelf, HandleAttributes, TokenHandle)", irql: .passive) {
      (kernel, thread: GuestWord, access: UInt32, asSelf: UInt8, attributes: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      try kernel.openToken(ofThread: thread.bits, access, attributes, result, name)
    }
  }
  private static func queryToken(_ name: String) -> Export {
    // nf-ntifs-ntqueryinformationtoken: too short a buffer is STATUS_BUFFER_TOO_SMALL, with the length that is needed.
    export("\(name)(TokenHandle, TokenInformationClass, TokenInformation, TokenInformationLength, ReturnLength)", irql: .passive) {
      (kernel, handle: GuestWord, kind: UInt32, buffer: GuestWord, length: UInt32, needed: Pointer<UInt32>) -> NTSTATUS in
      try kernel.guarded(name) {
        let type = try kernel.objectType(.token)
        switch try kernel.object(handle.bits, access: 8, type: type, mode: kernel.mode(of: name)) {
        case .failure(let refusal): return refusal.status
        case .success(let entry):
          guard let token = try kernel.token(at: entry.object) else { return .invalidHandle }
          guard let facts = kernel.information(kind, of: token) else { return NTSTATUS(rawValue: 0xc000_0003) }
          let bytes = facts(buffer.bits)
          try needed.store(UInt32(bytes.count))
          guard length >= UInt32(bytes.count) else { return .bufferTooSmall }
          try kernel.memory.memory.write(bytes, at: buffer.bits)
          return .success
        }
      }
    }
    .partially("TokenUser to TokenSessionId, without TokenRestrictedSids and TokenGroupsAndPrivileges")
  }
}

extension Kernel {
  /// What a system call's name says of its caller: `Zw` is kernel mode, `Nt` what the thread came from.
  func mode(of name: String) throws -> KPROCESSOR_MODE { name.hasPrefix("Zw") ? .kernelMode : try previousMode() }

  /// What a system call makes of a bad pointer of user mode's: its status. Kernel mode's own is its own fault.
  func guarded(_ name: String, _ body: () throws -> NTSTATUS) throws -> NTSTATUS {
    let isUser = try mode(of: name) == .userMode
    do { return try body() } catch let exception as GuestException where isUser { return exception.code }
  }

  func openToken(
    ofProcess handle: UInt64, _ access: UInt32, _ attributes: UInt32, _ result: Pointer<GuestWord>, _ name: String
  ) throws -> NTSTATUS {
    switch try object(handle, access: 0x400, type: objectType(.process), mode: mode(of: name)) {
    case .failure(let refusal): return refusal.status
    case .success(let entry):
      guard let process = process(at: entry.object) else { return .invalidHandle }
      return try open(try primaryToken(of: process), access, attributes, result, name)
    }
  }

  func openToken(
    ofThread handle: UInt64, _ access: UInt32, _ attributes: UInt32, _ result: Pointer<GuestWord>, _ name: String
  ) throws -> NTSTATUS {
    switch try object(handle, access: 0x40, type: objectType(.thread), mode: mode(of: name)) {
    case .failure(let refusal): return refusal.status
    case .success(let entry):
      guard let thread = thread(at: entry.object) else { return .invalidHandle }
      // STATUS_NO_TOKEN
      guard let client = try impersonated(by: thread) else { return NTSTATUS(rawValue: 0xc000_007c) }
      return try open(client.token, access, attributes, result, name)
    }
  }

  private func open(
    _ token: Token, _ access: UInt32, _ attributes: UInt32, _ result: Pointer<GuestWord>, _ name: String
  ) throws -> NTSTATUS {
    try guarded(name) {
      try reference(token.object, for: nil)
      let mapping = GenericMapping(read: 0x2_0008, write: 0x2_00e0, execute: 0x2_0000, all: 0xf_01ff)
      let wanted = access & 0x200_0000 != 0 ? mapping.all : mapping.map(access)
      let handle = try makeHandle(
        to: token.object, access: wanted, attributes: ObjectAttributeFlags(rawValue: attributes), mode: mode(of: name))
      try result.store(GuestWord(handle))
      return .success
    }
  }

  /// `SECURITY_CLIENT_CONTEXT` for a client's token. Level and tracking are SECURITY_QUALITY_OF_SERVICE's.
  func createClient(
    _ token: Token, _ service: Pointer<UInt32>, isRemote: Bool, _ context: Pointer<SECURITY_CLIENT_CONTEXT>
  ) throws -> NTSTATUS {
    let level = try service[1].load()
    guard level <= 3 else { return NTSTATUS(rawValue: 0xc000_00a5) }
    // STATUS_BAD_IMPERSONATION_LEVEL: a client's client at a lower level than is asked for.
    if token.type == 2, token.impersonationLevel < level { return NTSTATUS(rawValue: 0xc000_00a5) }
    try memory.memory.write(memory.memory.bytes(12, at: service.address), at: context.address)
    let client = try duplicate(token, level: level)
    try context.ClientToken.store(Pointer(client.object, in: memory.memory))
    try context.DirectlyAccessClientToken.store(0)
    try context.DirectAccessEffectiveOnly.store(0)
    try context.ServerIsRemote.store(isRemote ? 1 : 0)
    return .success
  }

  func impersonate(_ context: Pointer<SECURITY_CLIENT_CONTEXT>, _ thread: UInt64) throws -> NTSTATUS {
    guard let server = thread == 0 ? running : self.thread(at: thread),
      let token = try token(at: context.ClientToken.load().address)
    else { return .invalidParameter }
    try impersonate(
      token, by: server, copyOnOpen: false, effectiveOnly: context.EffectiveOnly.load() != 0, level: context.ImpersonationLevel.load())
    return .success
  }

  /// What a class of `TOKEN_INFORMATION_CLASS` says, as bytes that lie at an address: structures point into themselves.
  func information(_ kind: UInt32, of token: Token) -> ((UInt64) -> [UInt8])? {
    func word(_ value: UInt64) -> [UInt8] { words([value]) }
    func long(_ value: UInt64) -> [UInt8] { words([value, value >> 32]) }
    func groups(_ list: [(sid: SecurityIdentifier, attributes: UInt32)], counted: Bool) -> (UInt64) -> [UInt8] {
      { place in
        var head = counted ? word(UInt64(list.count)) : []
        var tail: [UInt8] = []
        let start = place + UInt64(head.count + 8 * list.count)
        for (sid, attributes) in list {
          head += word(start + UInt64(tail.count)) + word(UInt64(attributes))
          tail += sid.bytes
        }
        return head + tail
      }
    }
    func identifier(_ sid: SecurityIdentifier) -> (UInt64) -> [UInt8] { { word($0 + 4) + sid.bytes } }
    switch kind {
    case 1: return groups([(token.user, 0)], counted: false)
    case 2: return groups(token.groups, counted: true)
    case 3:
      return { _ in
        word(UInt64(token.privileges.count)) + token.privileges.flatMap { long(UInt64($0.number)) + word(UInt64($0.attributes)) }
      }
    case 4: return identifier(token.groups.first { $0.attributes & 8 != 0 && token.user != .localSystem }?.sid ?? token.user)
    case 5: return identifier(token.groups.first?.sid ?? token.user)
    // TOKEN_DEFAULT_DACL: full access for the user and the local system.
    case 6: return { [self] place in word(place + 4) + defaultList(for: token) }
    case 7: return { _ in Array("User32 \0".utf8) + long(token.authenticationID) }
    case 8: return { _ in word(UInt64(token.type)) }
    case 9: return token.type == 2 ? { _ in word(UInt64(token.impersonationLevel)) } : nil
    // TOKEN_STATISTICS
    case 10:
      return { _ in
        long(token.id) + long(token.authenticationID) + long(0x7fff_ffff_ffff_ffff) + word(UInt64(token.type))
          + word(UInt64(token.impersonationLevel)) + word(500) + word(400) + word(UInt64(token.groups.count))
          + word(UInt64(token.privileges.count)) + long(token.id)
      }
    case 12: return { _ in word(0) }
    default: return nil
    }
  }

  /// An `ACL` that allows everything to the token's user and to the local system.
  func defaultList(for token: Token) -> [UInt8] {
    let sids = token.user == .localSystem ? [SecurityIdentifier.localSystem, .administrators] : [token.user, .localSystem]
    let entries = sids.flatMap { sid -> [UInt8] in [0, 0, UInt8(8 + sid.bytes.count), 0, 0, 0, 0, 0x10] + sid.bytes }
    return [2, 0, UInt8(8 + entries.count), 0, UInt8(sids.count), 0, 0, 0] + entries
  }
}
