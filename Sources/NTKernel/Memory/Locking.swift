import Events
import Guest
import Memory
import WindowsTypes

/// Locked pages: frames pinned for an MDL, and charged to a process.
extension Kernel {
  /// The mark that ends a frame array early.
  private static let emptyFrame: UInt64 = 0xffff_ffff

  /// `MmProbeAndLockPages`: makes every page of the MDL resident in the current address space, checks access, pins the frames.
  ///
  /// The checks a checked build asserts are not made, as in a free build: what then happens follows from memory.
  func probeAndLock(_ mdl: Pointer<MDL>, _ mode: KPROCESSOR_MODE, _ operation: LOCK_OPERATION) throws {
    let here = memory.memory
    let start = try mdl.StartVa.load().address + UInt64(mdl.ByteOffset.load())
    let length = UInt64(try mdl.ByteCount.load())
    let pages = Int((start & 0xfff + length + 0xfff) >> GuestMemory.pageShift)
    let end = start + length
    let flags = try mdl.MdlFlags.load()
    let frames = mdl.frames
    if length == 0 {
      stream.append(
        .uncertain("MmProbeAndLockPages with a length of 0: a checked build asserts; the range check of a free build is modelled"))
    }
    try frames.store(GuestWord(Self.emptyFrame))
    let probe = memory.target.userProbeAddress
    let isUser = start < probe
    if isUser { noteIRQL(above: .apc) }
    if mode != .kernelMode && (end > probe || end <= start) {
      throw GuestException.access(.accessViolation, .read, at: start)
    }
    do {
      try touch(start, length, operation, below: probe)
    } catch let exception as GuestException {
      try mdl.Process.store(Pointer(0, in: here))
      throw exception
    }
    let process: Pointer<EPROCESS> = isUser ? try currentProcess().cast() : Pointer(0, in: here)
    var newFlags = flags
    if operation.writes { newFlags.insert(.writeOperation) } else { newFlags.remove(.writeOperation) }
    newFlags.insert(.pagesLocked)
    try mdl.Process.store(process)
    let (space, physical) = (memory.current, memory.physical)
    var locked: [UInt32] = []
    locked.reserveCapacity(pages)
    for index in 0..<pages {
      let address = (start & ~0xfff) + UInt64(index) << GuestMemory.pageShift
      // Touched just now, and nothing else runs: the page is resident.
      guard let frame = space.frame(at: address & 0xffff_ffff) else {
        throw GuestException.access(.accessViolation, .read, at: address)
      }
      locked.append(frame)
    }
    try frames.store(locked)
    for frame in locked { physical.pin(frame) }
    try mdl.MdlFlags.store(newFlags)
    if isUser {
      let count = try process.NumberOfLockedPages.load().bits
      try process.NumberOfLockedPages.store(GuestWord(count + UInt64(pages)))
    }
    try recordLock(mdl, start, length, operation, locked, account: process, wasLocked: flags.contains(.pagesLocked))
  }

  /// Reads one byte of each page, and writes it back where the operation stores: faults come as an instruction's would.
  private func touch(_ start: UInt64, _ length: UInt64, _ operation: LOCK_OPERATION, below probe: UInt64) throws {
    guard length > 0 else { return }
    let here = memory.memory
    var address = start
    let last = start + length - 1
    while address <= last {
      let place = address & 0xffff_ffff
      if !here.allows(.read, at: place) { try here.touch(.read, at: place) }
      if operation.writes && place < probe && !here.allows(.write, at: place) { try here.touch(.write, at: place) }
      address = (address & ~0xfff) + GuestMemory.pageSize
    }
  }

  private func recordLock(
    _ mdl: Pointer<MDL>, _ start: UInt64, _ length: UInt64, _ operation: LOCK_OPERATION, _ frames: [UInt32],
    account: Pointer<EPROCESS>, wasLocked: Bool
  ) throws {
    let requestor = try requestor(of: start, length, mdl, frames)
    stream.append(
      .lock(
        LockEvent(
          mdl: mdl.address, address: start, length: length, intent: LockIntent(rawValue: Int(operation.rawValue)) ?? .modify,
          pages: frameList(of: frames, with: requestor, at: start & ~0xfff), current: currentSpaceOwner.id,
          account: process(at: account.address)?.id, requestor: requestor?.id, routine: "MmProbeAndLockPages",
          wasLocked: wasLocked, site: site())))
  }

  /// `MmUnlockPages`: takes the pins back, with the system mapping if there is one.
  package func unlock(_ mdl: Pointer<MDL>) throws {
    let here = memory.memory
    let pages = try mdl.pageCount()
    let flags = try mdl.MdlFlags.load()
    if flags.contains(.mappedToSystemVA) { try unmapSystemView(of: mdl, at: mdl.MappedSystemVa.load().address) }
    let account = try mdl.Process.load()
    if !account.isNull {
      let count = try account.NumberOfLockedPages.load().bits
      // PROCESS_HAS_LOCKED_PAGES with 1: a driver unlocks what is not locked: MDL, count.
      guard count >= UInt64(pages) else { throw BugCheck(.processHasLockedPages, 1, mdl.address, count, 0) }
      try account.NumberOfLockedPages.store(GuestWord(count - UInt64(pages)))
    }
    let (frames, physical, isWritten) = (mdl.frames, memory.physical, flags.contains(.writeOperation))
    for index in 0..<pages {
      let frame = try frames[index].load().bits
      if frame == Self.emptyFrame { break }
      guard physical.contains(UInt32(truncatingIfNeeded: frame)), frame >> 32 == 0,
        physical.unpin(UInt32(truncatingIfNeeded: frame))
      else {
        // PFN_LIST_CORRUPT with 7: a page was unlocked more often than locked: frame, share count.
        throw BugCheck(.pfnListCorrupt, 7, frame, 0, 0)
      }
      if isWritten { physical[UInt32(frame)].isDirty = true }
    }
    try mdl.MdlFlags.store(mdl.MdlFlags.load().subtracting([.pagesLocked]))
    try mdl.Process.store(Pointer(0, in: here))
    stream.append(
      .unlock(
        mdl: mdl.address, account: process(at: account.address)?.id, pages: pages, routine: "MmUnlockPages", site: site()))
  }
}
