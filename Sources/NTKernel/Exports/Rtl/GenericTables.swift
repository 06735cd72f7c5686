import Guest
import WindowsTypes

/// A generic table: elements in a tree, ordered, allocated and freed by the caller's own routines.
protocol GenericTable: GuestStructure {
  associatedtype Links: TreeLinks
  var NumberGenericTableElements: Field<UInt32> { get }
  var CompareRoutine: Field<Pointer<Void>> { get }
  var AllocateRoutine: Field<Pointer<Void>> { get }
  var FreeRoutine: Field<Pointer<Void>> { get }
  var TableContext: Field<Pointer<Void>> { get }

  /// How far behind its node an element's data lies.
  static var header: Int64 { get }
  static func initialize(_ table: Pointer<Self>) throws
  /// Null for an empty table.
  static func root(of table: Pointer<Self>) throws -> Pointer<Links>
  /// Links a new node below `parent`, or as the root where that is null.
  static func attach(_ node: Pointer<Links>, to parent: Pointer<Links>, onLeft: Bool, in table: Pointer<Self>) throws
  static func detach(_ node: Pointer<Links>, from table: Pointer<Self>) throws
  /// A node was looked up.
  static func touch(_ node: Pointer<Links>, in table: Pointer<Self>) throws
  static func successor(of node: Pointer<Links>, in table: Pointer<Self>) throws -> Pointer<Links>
  /// Where the table's own enumeration is.
  static func place(in table: Pointer<Self>) throws -> Pointer<Links>
  static func setPlace(_ node: Pointer<Links>, in table: Pointer<Self>) throws
  /// The element at an index: in order of insertion for a splayed table, in the elements' own order for a balanced one.
  static func node(at index: UInt32, in table: Pointer<Self>) throws -> Pointer<Links>
}

extension RTL_AVL_TABLE: GenericTable {
  typealias Links = RTL_BALANCED_LINKS
  static var header: Int64 { 16 }

  static func initialize(_ table: Pointer<Self>) throws { try table.BalancedRoot.Parent.store(table.BalancedRoot) }
  static func root(of table: Pointer<Self>) throws -> Pointer<Links> { try table.BalancedRoot.RightChild.load() }
  static func attach(_ node: Pointer<Links>, to parent: Pointer<Links>, onLeft: Bool, in table: Pointer<Self>) throws {
    let top = table.BalancedRoot
    let parent = parent.isNull ? top : parent
    try node.zero()
    try node.Parent.store(parent)
    try parent.child(onLeft: onLeft && parent != top).store(node)
    if try node.balanceAfterInsertion(below: top) { _ = try table.DepthOfTree.update { $0 &+ 1 } }
  }
  static func detach(_ node: Pointer<Links>, from table: Pointer<Self>) throws {
    if try table.RestartKey.load() == node {
      // The enumeration goes on behind the element that is gone.
      try table.RestartKey.store(node.neighbour(onLeft: true, below: table.BalancedRoot))
    }
    _ = try table.DeleteCount.update { $0 &+ 1 }
    if try node.removeFromBalancedTree(below: table.BalancedRoot) { _ = try table.DepthOfTree.update { $0 &- 1 } }
  }
  static func touch(_ node: Pointer<Links>, in table: Pointer<Self>) throws {}
  static func successor(of node: Pointer<Links>, in table: Pointer<Self>) throws -> Pointer<Links> {
    try node.neighbour(onLeft: false, below: table.BalancedRoot)
  }
  static func place(in table: Pointer<Self>) throws -> Pointer<Links> { try table.RestartKey.load() }
  static func setPlace(_ node: Pointer<Links>, in table: Pointer<Self>) throws { try table.RestartKey.store(node) }
  static func node(at index: UInt32, in table: Pointer<Self>) throws -> Pointer<Links> {
    var node = try root(of: table).outermost(onLeft: true)
    for _ in 0..<index { node = try successor(of: node, in: table) }
    return node
  }
}

extension RTL_GENERIC_TABLE: GenericTable {
  typealias Links = RTL_SPLAY_LINKS
  static var header: Int64 { 24 }
  /// The entry of the list in order of insertion, behind the links.
  private static func entry(of node: Pointer<Links>) -> Pointer<LIST_ENTRY> { node.advanced(by: 1).cast() }

  static func initialize(_ table: Pointer<Self>) throws {
    try table.InsertOrderList.initialize()
    try table.OrderedPointer.store(table.InsertOrderList)
  }
  static func root(of table: Pointer<Self>) throws -> Pointer<Links> { try table.TableRoot.load() }
  static func attach(_ node: Pointer<Links>, to parent: Pointer<Links>, onLeft: Bool, in table: Pointer<Self>) throws {
    try node.zero()
    try node.Parent.store(parent.isNull ? node : parent)
    if !parent.isNull { try parent.child(onLeft: onLeft).store(node) }
    try table.InsertOrderList.insertTail(entry(of: node))
    try touch(node, in: table)
  }
  static func detach(_ node: Pointer<Links>, from table: Pointer<Self>) throws {
    try table.TableRoot.store(node.removeFromSplayTree())
    try entry(of: node).remove()
    // The walk along the list starts anew.
    try table.WhichOrderedElement.store(0)
    try table.OrderedPointer.store(table.InsertOrderList)
  }
  static func touch(_ node: Pointer<Links>, in table: Pointer<Self>) throws {
    try node.splay()
    try table.TableRoot.store(node)
  }
  static func successor(of node: Pointer<Links>, in table: Pointer<Self>) throws -> Pointer<Links> {
    try node.neighbour(onLeft: false)
  }
  static func place(in table: Pointer<Self>) throws -> Pointer<Links> { try table.TableRoot.load() }
  static func setPlace(_ node: Pointer<Links>, in table: Pointer<Self>) throws {
    if !node.isNull { try touch(node, in: table) }
  }
  static func node(at index: UInt32, in table: Pointer<Self>) throws -> Pointer<Links> {
    var entry = table.InsertOrderList
    for _ in 0...index { entry = try entry.Flink.load() }
    return Pointer<Links>(entry.address, in: table.memory).advanced(by: -1)
  }
}

extension Export {
  static let balancedTables = genericTables(RTL_AVL_TABLE.self, "Avl")
  static let splayedTables = genericTables(RTL_GENERIC_TABLE.self, "")

  /// The routines of one kind of table. Below DISPATCH_LEVEL where the caller's own routines and memory are.
  private static func genericTables<Table: GenericTable>(_: Table.Type, _ suffix: String) -> [Export] {
    [
      // nf-ntddk-rtlinitializegenerictable, nf-ntddk-rtlinitializegenerictableavl
      export(
        "RtlInitializeGenericTable\(suffix)(Table, CompareRoutine, AllocateRoutine, FreeRoutine, TableContext)", irql: .dispatch
      ) {
        (
          _, table: Pointer<Table>, compare: Pointer<Void>, allocate: Pointer<Void>, free: Pointer<Void>, context: Pointer<Void>
        ) in
        try table.zero()
        try Table.initialize(table)
        try table.CompareRoutine.store(compare)
        try table.AllocateRoutine.store(allocate)
        try table.FreeRoutine.store(free)
        try table.TableContext.store(context)
      },
      // nf-ntddk-rtlinsertelementgenerictable: the element that is there already, or a new one with a copy of the buffer.
      export("RtlInsertElementGenericTable\(suffix)(Table, Buffer, BufferSize, NewElement)", irql: .dispatch) {
        (
          kernel, table: Pointer<Table>, buffer: Pointer<UInt8>, size: UInt32, isNew: Pointer<UInt8>
        ) async throws -> Pointer<UInt8> in
        let found = try await kernel.find(buffer, in: table)
        if found.isMatch {
          if !isNew.isNull { try isNew.store(0) }
          try Table.touch(found.node, in: table)
          return found.node.data(of: Table.self)
        }
        let memory = try await kernel.call(
          table.AllocateRoutine.load().address, [table.address, UInt64(size) + UInt64(Table.header)])
        if !isNew.isNull { try isNew.store(memory == 0 ? 0 : 1) }
        let node = Pointer<Table.Links>(memory, in: table.memory)
        if node.isNull { return Pointer(0, in: table.memory) }
        try Table.attach(node, to: found.node, onLeft: found.isOnLeft, in: table)
        _ = try table.NumberGenericTableElements.update { $0 &+ 1 }
        try kernel.move(UInt64(size), from: buffer.address, to: node.data(of: Table.self).address)
        return node.data(of: Table.self)
      },
      // nf-ntddk-rtllookupelementgenerictable
      export("RtlLookupElementGenericTable\(suffix)(Table, Buffer)", irql: .dispatch) {
        (kernel, table: Pointer<Table>, buffer: Pointer<UInt8>) async throws -> Pointer<UInt8> in
        let found = try await kernel.find(buffer, in: table)
        guard found.isMatch else { return Pointer(0, in: table.memory) }
        try Table.touch(found.node, in: table)
        return found.node.data(of: Table.self)
      },
      // nf-ntddk-rtldeleteelementgenerictable
      export("RtlDeleteElementGenericTable\(suffix)(Table, Buffer)", irql: .dispatch) {
        (kernel, table: Pointer<Table>, buffer: Pointer<UInt8>) async throws -> UInt8 in
        let found = try await kernel.find(buffer, in: table)
        guard found.isMatch else { return 0 }
        try Table.detach(found.node, from: table)
        _ = try table.NumberGenericTableElements.update { $0 &- 1 }
        _ = try await kernel.call(table.FreeRoutine.load().address, [table.address, found.node.address])
        return 1
      },
      // nf-ntddk-rtlenumerategenerictable: the first element, or the one behind the last that it gave.
      export("RtlEnumerateGenericTable\(suffix)(Table, Restart)", irql: .dispatch) {
        (_, table: Pointer<Table>, restart: UInt8) -> Pointer<UInt8> in
        let root = try Table.root(of: table)
        if root.isNull { return Pointer(0, in: table.memory) }
        let place = try Table.place(in: table)
        let next =
          restart != 0 || place.isNull ? try root.outermost(onLeft: true) : try Table.successor(of: place, in: table)
        try Table.setPlace(next, in: table)
        return next.isNull ? Pointer(0, in: table.memory) : next.data(of: Table.self)
      },
      // nf-ntddk-rtlenumerategenerictablewithoutsplaying: the same, with the place in the caller's variable.
      export("RtlEnumerateGenericTableWithoutSplaying\(suffix)(Table, RestartKey)", irql: .dispatch) {
        (_, table: Pointer<Table>, key: Pointer<Pointer<Table.Links>>) -> Pointer<UInt8> in
        let root = try Table.root(of: table)
        if root.isNull { return Pointer(0, in: table.memory) }
        let place = try key.load()
        let next = place.isNull ? try root.outermost(onLeft: true) : try Table.successor(of: place, in: table)
        if next.isNull { return Pointer(0, in: table.memory) }
        try key.store(next)
        return next.data(of: Table.self)
      },
      // nf-ntddk-rtlgetelementgenerictable
      export("RtlGetElementGenericTable\(suffix)(Table, I)", irql: .dispatch) {
        (_, table: Pointer<Table>, index: UInt32) -> Pointer<UInt8> in
        guard try index < table.NumberGenericTableElements.load() else { return Pointer(0, in: table.memory) }
        return try Table.node(at: index, in: table).data(of: Table.self)
      },
      // nf-ntddk-rtlnumbergenerictableelements
      export("RtlNumberGenericTableElements\(suffix)(Table)", irql: .dispatch) { (_, table: Pointer<Table>) -> UInt32 in
        try table.NumberGenericTableElements.load()
      },
      // nf-ntddk-rtlisgenerictableempty
      export("RtlIsGenericTableEmpty\(suffix)(Table)", irql: .dispatch) { (_, table: Pointer<Table>) -> UInt8 in
        try Table.root(of: table).isNull ? 1 : 0
      },
    ]
  }

  /// Enumerating a table as a directory is: it may change between two calls.
  static let tableDirectories: [Export] = [
    // nf-ntddk-rtlenumerategenerictablelikeadirectory: STATUS_NO_MORE_MATCHES of the match routine ends it, STATUS_NO_MATCH goes on.
    export(
      "RtlEnumerateGenericTableLikeADirectory(Table, MatchFunction, MatchData, NextFlag, RestartKey, DeleteCount, Buffer)", irql: .dispatch
    ) {
      (
        kernel, table: Pointer<RTL_AVL_TABLE>, match: GuestWord, data: GuestWord, next: UInt32, key: Pointer<Pointer<RTL_BALANCED_LINKS>>,
        deletions: Pointer<UInt32>, buffer: Pointer<UInt8>
      ) async throws -> Pointer<UInt8> in
      let none = Pointer<UInt8>(0, in: table.memory)
      if try RTL_AVL_TABLE.root(of: table).isNull {
        try key.store(Pointer(0, in: table.memory))
        return none
      }
      var node = try key.load()
      // A node that may be gone is looked up again by its element.
      if try node.isNull || table.DeleteCount.load() != deletions.load() {
        let found = try await kernel.find(buffer, in: table)
        node = found.node
        // Below it the element would hang: what follows is the next one in order.
        let isBehind = !found.isMatch && !found.isOnLeft
        if isBehind || found.isMatch && next != 0 { node = try RTL_AVL_TABLE.successor(of: node, in: table) }
      } else if next != 0 {
        node = try RTL_AVL_TABLE.successor(of: node, in: table)
      }
      while !node.isNull {
        let element = node.data(of: RTL_AVL_TABLE.self)
        var status = NTSTATUS.success
        if match.bits != 0 {
          status = NTSTATUS(
            rawValue: UInt32(truncatingIfNeeded: try await kernel.call(match.bits, [table.address, element.address, data.bits])))
        }
        if status.isSuccess {
          try key.store(node)
          try deletions.store(table.DeleteCount.load())
          return element
        }
        if status.rawValue == 0xc000_0273 { break }
        node = try RTL_AVL_TABLE.successor(of: node, in: table)
      }
      return none
    }
  ]

  /// Splay trees that drivers keep themselves.
  static let splayTrees: [Export] = [
    // nf-ntddk-rtlsplay
    export("RtlSplay(Links)") { (_, node: Pointer<RTL_SPLAY_LINKS>) -> Pointer<RTL_SPLAY_LINKS> in
      try node.splay()
      return node
    },
    // nf-ntddk-rtldelete: the new root.
    export("RtlDelete(Links)") { (_, node: Pointer<RTL_SPLAY_LINKS>) -> Pointer<RTL_SPLAY_LINKS> in
      try node.removeFromSplayTree()
    },
    // nf-ntddk-rtlrealsuccessor, nf-ntddk-rtlrealpredecessor: null at the end.
    export("RtlRealSuccessor(Links)") { (_, node: Pointer<RTL_SPLAY_LINKS>) -> Pointer<RTL_SPLAY_LINKS> in
      try node.neighbour(onLeft: false)
    },
    export("RtlRealPredecessor(Links)") { (_, node: Pointer<RTL_SPLAY_LINKS>) -> Pointer<RTL_SPLAY_LINKS> in
      try node.neighbour(onLeft: true)
    },
    // nf-ntddk-rtlsubtreesuccessor, nf-ntddk-rtlsubtreepredecessor: within the node's own subtree.
    export("RtlSubtreeSuccessor(Links)") { (_, node: Pointer<RTL_SPLAY_LINKS>) -> Pointer<RTL_SPLAY_LINKS> in
      let child = try node.RightChild.load()
      return child.isNull ? child : try child.outermost(onLeft: true)
    },
    export("RtlSubtreePredecessor(Links)") { (_, node: Pointer<RTL_SPLAY_LINKS>) -> Pointer<RTL_SPLAY_LINKS> in
      let child = try node.LeftChild.load()
      return child.isNull ? child : try child.outermost(onLeft: false)
    },
  ]
}

extension Pointer where Pointee: TreeLinks {
  /// The element behind the node's header.
  func data<Table: GenericTable>(of _: Table.Type) -> Pointer<UInt8> {
    advanced(byBytes: Table.header).cast()
  }
}

extension Kernel {
  /// The node whose element compares equal to `buffer`, or the node below which it would hang.
  func find<Table: GenericTable>(
    _ buffer: Pointer<UInt8>, in table: Pointer<Table>
  ) async throws -> (node: Pointer<Table.Links>, isMatch: Bool, isOnLeft: Bool) {
    let compare = try table.CompareRoutine.load().address
    var node = try Table.root(of: table)
    var parent = Pointer<Table.Links>(0, in: table.memory)
    var isOnLeft = false
    while !node.isNull {
      let order = try await call(compare, [table.address, buffer.address, node.data(of: Table.self).address])
      // RTL_GENERIC_COMPARE_RESULTS: less than 0, greater than 1, equal 2.
      if order & 0xffff_ffff == 2 { return (node, true, false) }
      parent = node
      isOnLeft = order & 0xffff_ffff == 0
      node = try node.child(onLeft: isOnLeft).load()
    }
    return (parent, false, isOnLeft)
  }
}
