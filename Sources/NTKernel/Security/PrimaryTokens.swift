import Guest
import Memory
import WindowsTypes

/// Where the primary tokens of processes lie: `EPROCESS.Token` leads there from the process's first moment, for drivers read it, copy it
/// and compare it. The token itself is made when somebody first asks for it or touches its memory.
extension Kernel {
  /// One page for each, so that a touch says whose it is.
  private static let stride = GuestMemory.pageSize

  /// Gives a new process its place.
  func placeToken(of process: Process) throws {
    let place = layout.primaryTokens.lowerBound + UInt64(process.id) * Self.stride
    guard layout.primaryTokens.contains(place) else { return }
    // EX_FAST_REF: the low three bits count references that are handed out without touching the object.
    try process.object.Token.Value.store(GuestWord(tokenBody(at: place)))
  }

  private func tokenBody(at place: UInt64) -> UInt64 { place + UInt64(OBJECT_HEADER.layouts[memory.target].Body.offset) }

  /// Makes the token whose page `address` is in, if it is a process's and not there yet. Returns whether it did.
  func makePrimaryToken(at address: UInt64) throws -> Bool {
    guard layout.primaryTokens.contains(address) else { return false }
    let place = address & ~(Self.stride - 1)
    let index = Int((place - layout.primaryTokens.lowerBound) / Self.stride)
    guard memory.kernel[place].kind == .free, processes.indices.contains(index) else { return false }
    try mapKernelPages(at: place, size: Self.stride)
    _ = try makeToken(for: processes[index].user, at: place)
    return true
  }

  /// The token whose body is at `address`.
  func token(at address: UInt64) throws -> Token? {
    if let token = security.tokens[address] { return token }
    return try makePrimaryToken(at: address) ? security.tokens[address] : nil
  }

  /// The primary token of `process`: what its object names, which guest code may have copied from another's.
  public func primaryToken(of process: Process) throws -> Token {
    if let token = try token(at: process.object.Token.Value.load().bits & ~7) { return token }
    let token = try makeToken(for: process.user)
    try process.object.Token.Value.store(GuestWord(token.object))
    return token
  }
}
