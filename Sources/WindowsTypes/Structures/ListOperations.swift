import Guest

/// The list macros of `wdm.h`, on guest memory.
extension Pointer where Pointee == LIST_ENTRY {
  /// `InitializeListHead`.
  public func initialize() throws {
    try self.Flink.store(self)
    try self.Blink.store(self)
  }

  /// `IsListEmpty`.
  public var isEmpty: Bool { get throws { try self.Flink.load() == self } }

  /// `InsertHeadList`: `self` is the head.
  public func insertHead(_ entry: Self) throws {
    let first = try self.Flink.load()
    try entry.Flink.store(first)
    try entry.Blink.store(self)
    try first.Blink.store(entry)
    try self.Flink.store(entry)
  }

  /// `InsertTailList`: `self` is the head.
  public func insertTail(_ entry: Self) throws {
    let last = try self.Blink.load()
    try entry.Flink.store(self)
    try entry.Blink.store(last)
    try last.Flink.store(entry)
    try self.Blink.store(entry)
  }

  /// `RemoveEntryList`: takes this entry out of its list and returns whether that is empty now. The entry keeps its links.
  @discardableResult
  public func remove() throws -> Bool {
    let (next, previous) = (try self.Flink.load(), try self.Blink.load())
    try previous.Flink.store(next)
    try next.Blink.store(previous)
    return next == previous
  }

  /// `RemoveHeadList`, but `nil` for an empty list instead of the head itself.
  public func removeHead() throws -> Self? {
    let first = try self.Flink.load()
    guard first != self else { return nil }
    try first.remove()
    return first
  }

  /// `RemoveTailList`, but `nil` for an empty list instead of the head itself.
  public func removeTail() throws -> Self? {
    let last = try self.Blink.load()
    guard last != self else { return nil }
    try last.remove()
    return last
  }

  /// `CONTAINING_RECORD`: the structure whose member this entry is.
  public func container<Structure: GuestStructure>(_ member: KeyPath<Structure, Field<LIST_ENTRY>>) -> Pointer<Structure> {
    let offset = Structure.layouts[memory.target][keyPath: member].offset
    return Pointer<Structure>(bits: address &- UInt64(offset), in: memory)
  }

  /// The entries from the head on, which `self` is; at most `limit`, because guest code may have damaged the list.
  public func entries(limit: Int = 1 << 16) throws -> [Self] {
    var result: [Self] = []
    var entry = try self.Flink.load()
    while entry != self && !entry.isNull && result.count < limit {
      result.append(entry)
      entry = try entry.Flink.load()
    }
    return result
  }

  /// The structures on the list whose head `self` is.
  public func elements<Structure: GuestStructure>(
    _ member: KeyPath<Structure, Field<LIST_ENTRY>>, limit: Int = 1 << 16
  ) throws -> [Pointer<Structure>] {
    try entries(limit: limit).map { $0.container(member) }
  }
}
