import Events
import Guest
import Memory

/// That a use of one request's buffer address was recorded in one process.
struct NotedAccess: Hashable {
  let request: BufferRequest
  let process: ProcessID
}

/// Who uses an outstanding request's buffer address in a process that the request is not of: the bug that no bugcheck shows where
/// both processes have memory there.
///
/// The pages of the other processes that lie at the buffer's addresses are watched: the first use of one, by an instruction or in
/// an export, is recorded, and lifts the watch. A process that has a request of its own at the address is not watched, for there
/// it cannot be told whose buffer was meant. Locks are judged as locks. A first use of a watched page beside the buffer lifts that
/// page's watch unrecorded.
extension Kernel {
  /// Watches the addresses of `request` in every process but its own.
  func watch(_ request: BufferRequest) throws {
    if !notedAccesses.isEmpty { notedAccesses = notedAccesses.filter { $0.request != request } }
    for process in processes where !process.hasExited {
      let isOwn = requests.contains { $0.requestor == process.id && $0.overlaps(request.address, request.length) }
      try setWatch(!isOwn, on: request.address, request.length, in: process)
    }
  }

  /// Watches the user pages that hold `length` bytes at `start`, as far as there are any, or no longer does.
  func setWatch(_ isWatched: Bool, on start: UInt64, _ length: UInt64, in process: Process) throws {
    let range = process.space.user
    var page = start & ~(GuestMemory.pageSize - 1)
    while page < start &+ max(1, length), range.contains(page) {
      var state = range[page]
      if state.isWatched != isWatched, state.kind == .valid || state.kind == .demandZero || state.kind == .pagedOut {
        state.isWatched = isWatched
        try range.set(state, at: page)
      }
      page += GuestMemory.pageSize
    }
  }

  /// A watched page is about to be used: the watch goes, and the use is recorded if it concerns a request.
  ///
  /// - Returns: whether the page allows the access now, so that there is no fault at all.
  func liftWatch(_ access: Access, at address: UInt64, in process: Process, routine: String?) throws -> Bool {
    let page = address & ~(GuestMemory.pageSize - 1)
    try setWatch(false, on: page, GuestMemory.pageSize, in: process)
    noteForeignAccess(access, at: address, in: process, routine: routine)
    return memory.memory.allows(access, at: address)
  }

  /// Records that `address` was used in `process`, if it is another process's request's.
  func noteForeignAccess(_ access: Access, at address: UInt64, in process: Process, routine: String?) {
    guard access != .execute else { return }
    note(access == .write ? .write : .read, at: address, 1, in: process, routine: routine)
  }

  /// Records that the current process's memory was probed at the addresses of another process's request.
  func noteForeignProbe(at address: UInt64, _ length: UInt64, routine: String) {
    if !requests.isEmpty { note(.probe, at: address, length, in: currentSpaceOwner, routine: routine) }
  }

  private func note(_ kind: ForeignAccessEvent.Kind, at address: UInt64, _ length: UInt64, in process: Process, routine: String?) {
    guard address < memory.target.systemRangeStart,
      let request = requests.last(where: {
        $0.requestor != process.id && $0.overlaps(address, length) && !processes[$0.requestor].hasExited
      }),
      !requests.contains(where: { $0.requestor == process.id && $0.overlaps(address, length) }),
      notedAccesses.insert(NotedAccess(request: request, process: process.id)).inserted
    else { return }
    stream.append(
      .foreignAccess(
        ForeignAccessEvent(
          kind: kind, address: address, process: process.id, requestor: request.requestor, routine: routine, site: site())))
  }
}
