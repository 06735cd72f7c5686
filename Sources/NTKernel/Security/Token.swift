import Events
import Guest
import WindowsTypes

/// What a process or a client may do. To guest code its object is opaque (ntifs.h: `PACCESS_TOKEN`).
public final class Token {
  /// Its body's address.
  public let object: UInt64
  public let user: SecurityIdentifier
  /// With their attributes: mandatory 1, enabled by default 2, enabled 4, owner 8, deny only 0x10.
  public var groups: [(sid: SecurityIdentifier, attributes: UInt32)]
  /// By number, with their attributes: enabled by default 1, enabled 2.
  public var privileges: [(number: UInt32, attributes: UInt32)]
  let id: UInt64
  let authenticationID: UInt64
  /// `TokenPrimary` 1, `TokenImpersonation` 2.
  let type: UInt32
  /// `SecurityAnonymous` 0 to `SecurityDelegation` 3.
  let impersonationLevel: UInt32
  var restricted: [SecurityIdentifier] = []

  init(
    object: UInt64, id: UInt64, authenticationID: UInt64, user: SecurityIdentifier,
    groups: [(sid: SecurityIdentifier, attributes: UInt32)], privileges: [(number: UInt32, attributes: UInt32)], type: UInt32 = 1,
    impersonationLevel: UInt32 = 0
  ) {
    self.object = object
    self.id = id
    self.authenticationID = authenticationID
    self.user = user
    self.groups = groups
    self.privileges = privileges
    self.type = type
    self.impersonationLevel = impersonationLevel
  }

  /// Whether what is granted to `sid` is granted to this token.
  func isGranted(_ sid: SecurityIdentifier) -> Bool {
    sid == user || groups.contains { $0.sid == sid && $0.attributes & 4 != 0 && $0.attributes & 0x10 == 0 }
  }

  /// Whether what is denied to `sid` is denied to this token.
  func isDenied(_ sid: SecurityIdentifier) -> Bool { sid == user || groups.contains { $0.sid == sid && $0.attributes & 0x14 != 0 } }

  /// `SE_LOAD_DRIVER_PRIVILEGE`
  public static let loadDriverPrivilege: UInt32 = 10

  /// Whether it has the privilege of this number, enabled.
  public func hasEnabled(_ privilege: UInt32) -> Bool { privileges.contains { $0.number == privilege && $0.attributes & 2 != 0 } }

  /// Whether the Administrators alias is among its enabled groups (SeTokenIsAdmin).
  var isAdministrator: Bool { isGranted(.administrators) }
}

/// The tokens of a run.
struct SecurityState {
  var tokens: [UInt64: Token] = [:]
  /// The last LUID that was given out.
  var lastID: UInt64 = 0x1_0000
}

extension Kernel {
  /// Whose `process` is: decided before anybody asks for its token.
  public func setUser(_ user: ProcessUser, of process: Process) { process.user = user }

  func allocateLUID() -> UInt64 {
    security.lastID += 1
    return security.lastID
  }

  /// - Parameter place: where its object is to lie, if not in pool.
  func makeToken(for user: ProcessUser, at place: UInt64? = nil) throws -> Token {
    typealias Groups = [(sid: SecurityIdentifier, attributes: UInt32)]
    let everybody: Groups = [(.world, 7), (.authenticatedUsers, 7), (.local, 7)]
    let nearly: [UInt32] = [7, 4, 15, 14, 16, 20, 21, 13, 29, 30]
    func privileges(_ numbers: [UInt32], enabled: Set<UInt32>) -> [(number: UInt32, attributes: UInt32)] {
      numbers.sorted().map { ($0, enabled.contains($0) ? 3 : 0) }
    }
    switch user {
    case .system:
      return try makeToken(
        .localSystem, groups: [(.administrators, 0xe), (.world, 7), (.authenticatedUsers, 7)],
        privileges(Array(Privilege.all), enabled: Set(nearly + [23])), logon: 0x3e7, at: place)
    case .administrator:
      return try makeToken(
        .account(500), groups: [(.account(513), 7), (.administrators, 0xf), (.users, 7), (.interactive, 7)] + everybody,
        privileges([5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 22, 23, 24, 25, 28, 29, 30], enabled: [10, 23, 25, 29, 30]),
        logon: 0xa0d1, at: place)
    case .user:
      return try makeToken(
        .account(1001), groups: [(.account(513), 7), (.users, 7), (.interactive, 7)] + everybody,
        privileges([19, 23, 25], enabled: [23, 25]), logon: 0xb2c3, at: place)
    case .localService:
      return try makeToken(
        .localService, groups: [(.users, 7), (.service, 7)] + everybody, privileges([21, 23, 29, 30], enabled: [23, 29, 30]), logon: 0x3e5,
        at: place)
    case .networkService:
      return try makeToken(
        .networkService, groups: [(.users, 7), (.service, 7)] + everybody, privileges([21, 23, 29, 30], enabled: [23, 29, 30]),
        logon: 0x3e4, at: place)
    }
  }

  func makeToken(
    _ user: SecurityIdentifier, groups: [(sid: SecurityIdentifier, attributes: UInt32)],
    _ privileges: [(number: UInt32, attributes: UInt32)], logon: UInt64, type: UInt32 = 1, level: UInt32 = 0, at place: UInt64? = nil
  ) throws -> Token {
    let object = try makeObject(.token, size: 0xa8, at: place)
    let token = Token(
      object: object, id: allocateLUID(), authenticationID: logon, user: user, groups: groups, privileges: privileges, type: type,
      impersonationLevel: level)
    security.tokens[object] = token
    return token
  }

  /// A token for impersonation that says the same as `token`.
  func duplicate(_ token: Token, level: UInt32) throws -> Token {
    try makeToken(token.user, groups: token.groups, token.privileges, logon: token.authenticationID, type: 2, level: level)
  }

  /// The token that a thread acts with: its client's, or its process's.
  public func effectiveToken(of thread: Thread) throws -> Token {
    if let client = try impersonated(by: thread) { return client.token }
    return try primaryToken(of: thread.owner)
  }

  /// The client that a thread impersonates, and how.
  struct Client {
    let token: Token
    let copyOnOpen: Bool
    let effectiveOnly: Bool
    let level: UInt32
  }

  /// Whether a thread keeps its client in one word, as it does from Vista on, and not in a block of its own.
  private var hasClientWord: Bool { ETHREAD.layouts[memory.target].ImpersonationInfo.isAbsent }

  /// The client that a thread impersonates, and how.
  func impersonated(by thread: Thread) throws -> Client? {
    guard try thread.object.load(bits: \.ActiveImpersonationInfo) != 0 else { return nil }
    if hasClientWord {
      let context = thread.object.ClientSecurity
      guard let token = try token(at: context.ImpersonationData.load().bits & ~7) else { return nil }
      return Client(
        token: token, copyOnOpen: try thread.object.load(bits: \.CopyTokenOnOpen) != 0,
        effectiveOnly: try context.load(bits: \.EffectiveOnly) != 0, level: UInt32(try context.load(bits: \.ImpersonationLevel)))
    }
    let information = try thread.object.ImpersonationInfo.load()
    guard !information.isNull, let token = try token(at: information.Token.load().address) else { return nil }
    return Client(
      token: token, copyOnOpen: try information.CopyOnOpen.load() != 0, effectiveOnly: try information.EffectiveOnly.load() != 0,
      level: try information.ImpersonationLevel.load())
  }

  /// `PsImpersonateClient` (nf-ntifs-psimpersonateclient); no token ends it.
  func impersonate(_ token: Token?, by thread: Thread, copyOnOpen: Bool, effectiveOnly: Bool, level: UInt32) throws {
    if let current = try impersonated(by: thread) {
      try thread.object.store(bits: \.ActiveImpersonationInfo, 0)
      try decrement(current.token.object)
    }
    guard let token else { return }
    try reference(token.object, for: nil)
    try store(Client(token: token, copyOnOpen: copyOnOpen, effectiveOnly: effectiveOnly, level: level), for: thread)
    try thread.object.store(bits: \.ActiveImpersonationInfo, 1)
  }

  private func store(_ client: Client, for thread: Thread) throws {
    if hasClientWord {
      let context = thread.object.ClientSecurity
      try context.ImpersonationData.store(GuestWord(client.token.object))
      try context.store(bits: \.ImpersonationLevel, UInt64(client.level))
      try context.store(bits: \.EffectiveOnly, client.effectiveOnly ? 1 : 0)
      return try thread.object.store(bits: \.CopyTokenOnOpen, client.copyOnOpen ? 1 : 0)
    }
    var information = try thread.object.ImpersonationInfo.load()
    if information.isNull {
      information = Pointer(try allocate(UInt64(Pointer<PS_IMPERSONATION_INFORMATION>.size(in: memory.memory))), in: memory.memory)
      try thread.object.ImpersonationInfo.store(information)
    }
    try information.Token.store(Pointer(client.token.object, in: memory.memory))
    try information.CopyOnOpen.store(client.copyOnOpen ? 1 : 0)
    try information.EffectiveOnly.store(client.effectiveOnly ? 1 : 0)
    try information.ImpersonationLevel.store(client.level)
  }

  /// Gives a reference of the kernel's own back to an object that a process keeps anyway.
  func decrement(_ object: UInt64) throws {
    let count = header(of: object).PointerCount
    try count.store(count.load() &- 1)
  }
}
