import Events
import Guest
import Memory

/// The address spaces of a run that is over.
struct FinalMemory {
  /// By ``ProcessID``.
  let spaces: [AddressSpace]
  /// Which was current at the end.
  let current: AddressSpace
}

extension Run {
  /// Calls `body` with memory as the run left it, in the address space of `process`, or of the one that was current.
  ///
  /// Nothing decides about faults any more: an access that its page does not allow throws. The memory is valid until `body`
  /// returns.
  public func withMemory<Result>(of process: ProcessID? = nil, _ body: (GuestMemory) throws -> Result) rethrows -> Result {
    let space = process.map { memory.spaces[$0] } ?? memory.current
    return try withExtendedLifetime(memory) { try body(space.memory) }
  }
}
