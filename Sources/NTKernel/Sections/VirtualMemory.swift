import Guest
import Memory
import WindowsTypes

/// `MEM_…` (`winnt.h`).
enum AllocationKind {
  static let commit: UInt32 = 0x1000
  static let reserve: UInt32 = 0x2000
  static let decommit: UInt32 = 0x4000
  static let release: UInt32 = 0x8000
  static let free: UInt32 = 0x1_0000
  static let reset: UInt32 = 0x8_0000
  static let topDown: UInt32 = 0x10_0000
}

/// A process's own memory: reserved, committed, given back, asked about.
extension Kernel {
  /// `NtAllocateVirtualMemory` (nf-ntifs-ntallocatevirtualmemory): where the pages came to lie, and how many bytes they are.
  func allocateVirtualMemory(
    _ base: UInt64, _ size: UInt64, _ type: UInt32, _ protection: PageProtection, in process: Process
  ) throws -> (base: UInt64, size: UInt64) {
    let known = AllocationKind.commit | AllocationKind.reserve | AllocationKind.reset | AllocationKind.topDown
    guard type & ~known == 0, type & (known & ~AllocationKind.topDown) != 0 else { throw Refusal(Self.invalidParameter(5)) }
    guard protection.isValid, protection.rawValue & 0x88 == 0 else { throw Refusal(.invalidPageProtection) }
    let end = memory.target.userProbeAddress
    guard base < end else { throw Refusal(Self.invalidParameter(2)) }
    guard size > 0, size <= end - base else { throw Refusal(Self.invalidParameter(4)) }
    if type & AllocationKind.reset != 0 { return (base & ~0xfff, roundUp(base + size, GuestMemory.pageSize) - base & ~0xfff) }
    if base == 0 || type & AllocationKind.reserve != 0 {
      let start = base & ~(Self.allocationGranularity - 1)
      let span = base == 0 ? roundUp(size, GuestMemory.pageSize) : roundUp(base + size, GuestMemory.pageSize) - start
      let place = try place(span, at: start, in: process, isTopDown: type & AllocationKind.topDown != 0)
      let isCommitted = type & AllocationKind.commit != 0
      let page = isCommitted ? protection.page(.demandZero) : Page(.reserved, .noAccess)
      try process.space.user.set(repeatElement(page, count: Int(span >> GuestMemory.pageShift)), at: place)
      note(UserArea(base: place, size: span, protection: protection, kind: .memory), in: process)
      return (place, span)
    }
    let start = base & ~0xfff
    let span = roundUp(base + size, GuestMemory.pageSize) - start
    guard let area = areaOrRun(at: start, in: process), span <= area.base + area.size - start else { throw Refusal(.conflictingAddresses) }
    if case .view = area.kind { throw Refusal(.alreadyCommitted) }
    for address in stride(from: start, to: start + span, by: Int(GuestMemory.pageSize)) {
      let page = process.space.user[address]
      var new = protection.page(page.kind == .reserved || page.kind == .decommitted ? .demandZero : page.kind, isShared: page.isShared)
      new.frame = page.kind == .valid || page.kind == .pagedOut ? page.frame : 0
      try process.space.user.set(new, at: address)
    }
    return (start, span)
  }

  /// `NtFreeVirtualMemory` (nf-ntifs-ntfreevirtualmemory).
  func freeVirtualMemory(_ base: UInt64, _ size: UInt64, _ type: UInt32, in process: Process) throws -> (base: UInt64, size: UInt64) {
    guard type == AllocationKind.decommit || type == AllocationKind.release else { throw Refusal(Self.invalidParameter(4)) }
    let end = memory.target.userProbeAddress
    guard base < end else { throw Refusal(Self.invalidParameter(2)) }
    guard size <= end - base else { throw Refusal(Self.invalidParameter(3)) }
    let start = base & ~0xfff
    guard let area = areaOrRun(at: start, in: process) else { throw Refusal(.memoryNotAllocated) }
    if case .view = area.kind { throw Refusal(.unableToDeleteSection) }
    if size == 0, start != area.base { throw Refusal(.freeVMNotAtBase) }
    let span = size == 0 ? area.size : roundUp(base + size, GuestMemory.pageSize) - start
    guard span <= area.base + area.size - start else { throw Refusal(.unableToFreeVM) }
    let page = type == AllocationKind.decommit ? Page(.decommitted, .noAccess) : .free
    try process.space.user.set(repeatElement(page, count: Int(span >> GuestMemory.pageShift)), at: start)
    if type == AllocationKind.release {
      files.sections.areas[process.id]?.removeAll { $0.base == area.base }
      // What is left of it on either side.
      for (from, to) in [(area.base, start), (start + span, area.base + area.size)] where from < to {
        note(UserArea(base: from, size: to - from, protection: area.protection, kind: .memory), in: process)
      }
    }
    return (start, span)
  }

  /// The area that holds an address: one that was allocated, or the run of pages that the fixture put there.
  private func areaOrRun(at address: UInt64, in process: Process) -> UserArea? {
    if let area = area(at: address, in: process) { return area }
    let range = process.space.user
    let size = GuestMemory.pageSize
    func isTaken(_ place: UInt64) -> Bool { range[place].kind != .free && area(at: place, in: process) == nil }
    guard isTaken(address & ~0xfff) else { return nil }
    var (first, last) = (address & ~0xfff, (address & ~0xfff) + size)
    while first >= size, isTaken(first - size) { first -= size }
    while last < memory.target.userProbeAddress, isTaken(last) { last += size }
    return UserArea(
      base: first, size: last - first, protection: PageProtection(rawValue: range[first].windowsProtection), kind: .memory)
  }

  /// `MEMORY_BASIC_INFORMATION` of the pages from `address` on that are alike (nf-ntifs-ntqueryvirtualmemory).
  func queryVirtualMemory(_ address: UInt64, in process: Process) throws -> [UInt8] {
    let size = GuestMemory.pageSize
    let (start, end) = (address & ~0xfff, memory.target.userProbeAddress)
    guard address < end else { throw Refusal(.invalidParameter) }
    let range = process.space.user
    let area = areaOrRun(at: start, in: process)
    func state(_ page: Page) -> (UInt32, UInt32) {
      switch page.kind {
      case .free: (AllocationKind.free, 1)
      case .reserved, .decommitted: (AllocationKind.reserve, 0)
      case .demandZero, .valid, .pagedOut: (AllocationKind.commit, page.windowsProtection)
      }
    }
    let own = state(range[start])
    let limit = area.map { $0.base + $0.size } ?? end
    var last = start + size
    if area == nil {
      // Up to whatever is next.
      let taken = range.occupiedPages().first { UInt64($0) << GuestMemory.pageShift > start }
      last = min(taken.map { UInt64($0) << GuestMemory.pageShift } ?? end, end)
    } else {
      while last < limit, state(range[last]) == own { last += size }
    }
    var record = RecordBuilder()
    record.put(UInt32(truncatingIfNeeded: start))
    record.put(UInt32(truncatingIfNeeded: area?.base ?? 0))
    record.put(area?.protection.rawValue ?? 0)
    record.put(UInt32(truncatingIfNeeded: last - start))
    record.put(own.0)
    record.put(own.1)
    record.put(area?.type ?? 0)
    return record.bytes
  }
}
