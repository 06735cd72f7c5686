import Guest
import Memory
import WindowsTypes

/// `PspCidTable`: a handle table whose handles are the identifiers of processes and threads, as the debugger's data names it and drivers
/// walk it (`HANDLE_TABLE` and `HANDLE_TABLE_ENTRY` of public symbols: ids divided by four count entries of eight bytes).
///
/// It is made when someone first looks. From then on an entry that guest code clears hides what it stood for from
/// `PsLookupProcessByProcessId` and its fellows, as on Windows.
extension Kernel {
  /// Where the variable, the table, its directory and its entries lie: a page, a page, and pages of 512 entries.
  private var tablePlace: (variable: UInt64, table: UInt64, directory: UInt64, entries: UInt64) {
    let base = layout.clientIdentifiers.lowerBound
    return (base, base + 0x10, base + GuestMemory.pageSize, base + 2 * GuestMemory.pageSize)
  }

  var clientIdentifierTable: UInt64 { tablePlace.variable }

  private var hasClientIdentifiers: Bool { memory.kernel[layout.clientIdentifiers.lowerBound].kind != .free }

  /// The entry of an identifier; `nil` beyond those that there is room for.
  private func entry(ofClient id: UInt64) -> UInt64? {
    let place = tablePlace.entries + id / 4 * 8
    return id != 0 && id % 4 == 0 && place < layout.clientIdentifiers.upperBound ? place : nil
  }

  /// Makes the table if `address` lies in it and it is not there yet. Returns whether it did.
  func makeClientIdentifiers(at address: UInt64) throws -> Bool {
    guard layout.clientIdentifiers.contains(address), !hasClientIdentifiers else { return false }
    let range = layout.clientIdentifiers
    try mapKernelPages(at: range.lowerBound, size: UInt64(range.count))
    let (here, place) = (memory.memory, tablePlace)
    try here.store(UInt32(truncatingIfNeeded: place.table), at: place.variable)
    // TableCode: the directory, and level 1 in the low bits.
    try here.store(UInt32(truncatingIfNeeded: place.directory | 1), at: place.table)
    for (index, page) in stride(from: place.entries, to: range.upperBound, by: Int(GuestMemory.pageSize)).enumerated() {
      try here.store(UInt32(truncatingIfNeeded: page), at: place.directory + 4 * UInt64(index))
    }
    let isXP = memory.target.system.release <= .xp
    // HandleTableList, an empty one; NextHandleNeedingPool.
    let list = place.table + (isXP ? 0x1c : 0x10)
    for offset in [0, 4] as [UInt64] { try here.store(UInt32(truncatingIfNeeded: list), at: list + offset) }
    try here.store(UInt32(truncatingIfNeeded: (range.upperBound - place.entries) / 2), at: place.table + (isXP ? 0x38 : 0x34))
    for process in processes where !process.hasExited {
      try noteClient(process.object.UniqueProcessId.load().address, process.object.address)
    }
    for thread in threads where !thread.hasEnded { try noteClient(thread.object.Cid.UniqueThread.load().address, thread.object.address) }
    return true
  }

  /// An identifier stands for `object` from now on; for nothing where that is 0.
  func noteClient(_ id: UInt64, _ object: UInt64) throws {
    guard hasClientIdentifiers, let entry = entry(ofClient: id) else { return }
    let count = tablePlace.table + (memory.target.system.release <= .xp ? 0x3c : 0x30)
    let isNew = try memory.memory.load(UInt32.self, at: entry) == 0
    // The lowest bit says that nobody has the entry locked.
    try memory.memory.store(object == 0 ? 0 : UInt32(truncatingIfNeeded: object | 1), at: entry)
    if isNew != (object == 0) { try memory.memory.store(memory.memory.load(UInt32.self, at: count) &+ (object == 0 ? .max : 1), at: count) }
  }

  /// Whether an identifier that stands for `object` is in the table, where there is one.
  func isListed(_ id: UInt64, _ object: UInt64) throws -> Bool {
    guard hasClientIdentifiers, let entry = entry(ofClient: id) else { return true }
    return UInt64(try memory.memory.load(UInt32.self, at: entry)) & ~7 == object
  }
}
