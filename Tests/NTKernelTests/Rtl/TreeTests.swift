import Testing

@Suite("Generic tables") struct TreeTests {
  let g: RuntimeGuest
  /// Blocks that the table's routines gave out and took back.
  final class Blocks { var live: Set<UInt64> = [] }
  let blocks = Blocks()
  static let (compare, allocate, free) = (UInt64(0xf8b0_2000), UInt64(0xf8b0_3000), UInt64(0xf8b0_4000))

  init() throws {
    g = try RuntimeGuest()
    let blocks = blocks
    g.routines[Self.compare] = { g in
      let (a, b) = (try g.load(g.argument(1)), try g.load(g.argument(2)))
      return a < b ? 0 : a > b ? 1 : 2
    }
    g.routines[Self.allocate] = { g in
      let block = try g.kernel.allocate(g.argument(1))
      blocks.live.insert(block)
      return block
    }
    g.routines[Self.free] = { g in
      let block = try g.argument(1)
      #expect(blocks.live.remove(block) != nil)
      return 0
    }
  }

  /// A table of the values, each inserted in turn.
  func table(_ suffix: String, _ values: [UInt32]) throws -> UInt64 {
    let table = try g.room(0x38)
    try g.call("RtlInitializeGenericTable\(suffix)", table, Self.compare, Self.allocate, Self.free, 0x77)
    let (key, isNew) = (try g.room(4), try g.room(4))
    for value in values {
      try g.store(value, at: key)
      let element = try g.call("RtlInsertElementGenericTable\(suffix)", table, key, 4, isNew)
      #expect(try g.load(element) == value && g.load8(isNew) == 1)
    }
    return table
  }

  func elements(_ suffix: String, _ table: UInt64) throws -> [UInt32] {
    var result: [UInt32] = []
    var element = try g.call("RtlEnumerateGenericTable\(suffix)", table, 1)
    while element != 0 && result.count < 1000 {
      result.append(try g.load(element))
      element = try g.call("RtlEnumerateGenericTable\(suffix)", table, 0)
    }
    return result
  }

  /// Checks links and balances of the subtree, and returns its height.
  func height(_ node: UInt64, parent: UInt64) throws -> Int {
    if node == 0 { return 0 }
    #expect(try UInt64(g.load(node)) == parent)
    let (left, right) = (
      try height(UInt64(g.load(node + 4)), parent: node), try height(UInt64(g.load(node + 8)), parent: node)
    )
    #expect(try Int(Int8(bitPattern: g.load8(node + 12))) == right - left)
    #expect(abs(right - left) <= 1)
    return max(left, right) + 1
  }

  @Test("a balanced table stays balanced through insertions and deletions", arguments: [1, 7, 31] as [UInt32])
  func balance(step: UInt32) throws {
    let values = (0..<61).map { $0 * step % 61 }
    let table = try table("Avl", values)
    let key = try g.room(4)
    func check() throws {
      #expect(try height(UInt64(g.load(table + 8)), parent: table) == Int(g.load(table + 0x1c)))
    }
    try check()
    #expect(try elements("Avl", table) == Array(0..<61))
    var left = Set(values)
    for index in 0..<UInt32(61) {
      let value = index * 17 % 61
      try g.store(value, at: key)
      #expect(try g.call("RtlDeleteElementGenericTableAvl", table, key) == 1)
      left.remove(value)
      try check()
      if index % 10 == 0 { #expect(try elements("Avl", table) == left.sorted()) }
    }
    #expect(blocks.live.isEmpty)
    #expect(try g.call("RtlIsGenericTableEmptyAvl", table) == 1)
  }

  @Test("a splayed table keeps its elements in order through insertions and deletions")
  func splayed() throws {
    let values = (0..<40).map { UInt32($0 * 13 % 40) }
    let table = try table("", values)
    let key = try g.room(4)
    #expect(try elements("", table) == Array(0..<40))
    var left = Set(values)
    for value in stride(from: UInt32(0), to: 40, by: 3) {
      try g.store(value * 7 % 40, at: key)
      #expect(try g.call("RtlDeleteElementGenericTable", table, key) == (left.remove(value * 7 % 40) == nil ? 0 : 1))
      #expect(try elements("", table) == left.sorted())
    }
    #expect(blocks.live.count == left.count)
    #expect(try g.call("RtlIsGenericTableEmpty", table) == 0)
  }

  @Test("elements are found, once each, and counted", arguments: ["", "Avl"])
  func find(suffix: String) throws {
    let table = try table(suffix, [30, 10, 20])
    let (key, isNew) = (try g.room(4), try g.room(4))
    try g.store(20, at: key)
    let element = try g.call("RtlLookupElementGenericTable\(suffix)", table, key)
    #expect(try g.load(element) == 20)
    #expect(try g.call("RtlInsertElementGenericTable\(suffix)", table, key, 4, isNew) == element)
    #expect(try g.load8(isNew) == 0)
    #expect(try g.call("RtlNumberGenericTableElements\(suffix)", table) == 3)
    // In order of insertion, or in the elements' own.
    #expect(
      try (0..<3).map { try g.load(g.call("RtlGetElementGenericTable\(suffix)", table, $0)) }
        == (suffix == "" ? [30, 10, 20] : [10, 20, 30]))
    #expect(try g.call("RtlGetElementGenericTable\(suffix)", table, 3) == 0)
    try g.store(25, at: key)
    #expect(try g.call("RtlLookupElementGenericTable\(suffix)", table, key) == 0)
    #expect(try g.call("RtlDeleteElementGenericTable\(suffix)", table, key) == 0)
    let restart = try g.place([0, 0, 0, 0])
    var values: [UInt32] = []
    while case let element = try g.call("RtlEnumerateGenericTableWithoutSplaying\(suffix)", table, restart), element != 0 {
      values.append(try g.load(element))
    }
    #expect(values == [10, 20, 30])
    g.routines[Self.allocate] = { _ in 0 }
    #expect(try g.call("RtlInsertElementGenericTable\(suffix)", table, key, 4, isNew) == 0)
    #expect(try g.load8(isNew) == 0)
    let empty = try self.table(suffix, [])
    #expect(try g.call("RtlIsGenericTableEmpty\(suffix)", empty) == 1)
    #expect(try g.call("RtlEnumerateGenericTable\(suffix)", empty, 1) == 0)
    #expect(try g.call("RtlEnumerateGenericTableWithoutSplaying\(suffix)", empty, restart) == 0)
    let missing = RuntimeGuest.missing
    #expect(try RuntimeGuest().failure("RtlInitializeGenericTable\(suffix)", missing, 0, 0, 0, 0) == accessViolation)
    for name in ["RtlNumberGenericTableElements\(suffix)", "RtlIsGenericTableEmpty\(suffix)"] {
      #expect(try RuntimeGuest().failure(name, missing) == accessViolation)
    }
  }

  @Test("a driver's own splay tree") func splayTree() throws {
    // 2 over 1 and 3.
    let nodes = try (0..<3).map { _ in try g.place([UInt8](repeating: 0, count: 12)) }
    try g.store(UInt32(nodes[1]), at: nodes[1])
    for (index, offset) in [(0, 4), (2, 8)] as [(Int, UInt64)] {
      try g.store(UInt32(nodes[index]), at: nodes[1] + offset)
      try g.store(UInt32(nodes[1]), at: nodes[index])
    }
    #expect(try g.call("RtlRealSuccessor", nodes[0]) == nodes[1])
    #expect(try g.call("RtlRealSuccessor", nodes[2]) == 0)
    #expect(try g.call("RtlRealPredecessor", nodes[2]) == nodes[1])
    #expect(try g.call("RtlRealPredecessor", nodes[0]) == 0)
    #expect(try g.call("RtlSubtreeSuccessor", nodes[1]) == nodes[2])
    #expect(try g.call("RtlSubtreeSuccessor", nodes[0]) == 0)
    #expect(try g.call("RtlSubtreePredecessor", nodes[1]) == nodes[0])
    #expect(try g.call("RtlSubtreePredecessor", nodes[0]) == 0)
    #expect(try g.call("RtlSplay", nodes[0]) == nodes[0])
    #expect(try UInt64(g.load(nodes[0])) == nodes[0] && UInt64(g.load(nodes[0] + 8)) == nodes[1])
    #expect(try g.call("RtlDelete", nodes[0]) == nodes[1])
    #expect(try UInt64(g.load(nodes[1])) == nodes[1])
    #expect(try g.call("RtlDelete", nodes[2]) == nodes[1])
    #expect(try g.call("RtlDelete", nodes[1]) == 0)
    for name in ["RtlSplay", "RtlDelete", "RtlRealSuccessor", "RtlRealPredecessor", "RtlSubtreeSuccessor", "RtlSubtreePredecessor"] {
      #expect(try RuntimeGuest().failure(name, RuntimeGuest.missing) == accessViolation)
    }
  }

  @Test("a debugger's message with a prefix") func prefix() throws {
    let list = try g.place([7, 0, 0, 0])
    #expect(try g.call("vDbgPrintExWithPrefix", g.narrow("drv: "), 1, 2, g.narrow("%d"), list) == 0)
    #expect(g.stream.events.contains { if case .message(let text) = $0 { text == "drv: 7" } else { false } })
    #expect(try g.failure("vDbgPrintExWithPrefix", RuntimeGuest.missing, 1, 2, 0, 0) == accessViolation)
  }
}
