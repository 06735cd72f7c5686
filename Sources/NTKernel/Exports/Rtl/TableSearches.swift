import Guest
import WindowsTypes

extension Export {
  /// Generic tables whose search and insertion are two steps, and splay trees that keep their shape.
  static let tableSearches: [Export] =
    fullSearches(RTL_AVL_TABLE.self, "Avl") + fullSearches(RTL_GENERIC_TABLE.self, "") + [
      // nf-ntddk-rtllookupfirstmatchingelementgenericTableavl: of several that compare equal, the one on the far left.
      export("RtlLookupFirstMatchingElementGenericTableAvl(Table, Buffer, RestartKey)", irql: .dispatch) {
        (
          kernel, table: Pointer<RTL_AVL_TABLE>, buffer: Pointer<UInt8>, key: Pointer<Pointer<RTL_BALANCED_LINKS>>
        ) async throws -> Pointer<UInt8> in
        var (node, isMatch, _) = try await kernel.find(buffer, in: table)
        let compare = try table.CompareRoutine.load().address
        guard isMatch else {
          try key.store(Pointer(0, in: table.memory))
          return Pointer(0, in: table.memory)
        }
        while isMatch {
          try key.store(node)
          let before = try node.neighbour(onLeft: true, below: table.BalancedRoot)
          guard !before.isNull else { break }
          let element: Pointer<UInt8> = before.data(of: RTL_AVL_TABLE.self)
          isMatch = try await kernel.call(compare, [table.address, buffer.address, element.address]) & 0xffff_ffff == 2
          if isMatch { node = before }
        }
        return node.data(of: RTL_AVL_TABLE.self)
      },
      // nf-ntddk-rtldeletenosplay: the tree's shape stays, and its root is told where it changes.
      export("RtlDeleteNoSplay(Links, Root)") { (_, node: Pointer<RTL_SPLAY_LINKS>, root: Pointer<Pointer<RTL_SPLAY_LINKS>>) in
        let isRoot = try root.load() == node
        let new = try node.removeKeepingShape()
        if isRoot { try root.store(new) }
      },
    ]

  private static func fullSearches<Table: GenericTable>(_: Table.Type, _ suffix: String) -> [Export] {
    [
      // nf-ntddk-rtllookupelementgenerictablefull: TableEmptyTree 0, TableFoundNode 1, TableInsertAsLeft 2, TableInsertAsRight 3.
      export("RtlLookupElementGenericTableFull\(suffix)(Table, Buffer, NodeOrParent, SearchResult)", irql: .dispatch) {
        (
          kernel, table: Pointer<Table>, buffer: Pointer<UInt8>, place: Pointer<Pointer<Table.Links>>, result: Pointer<UInt32>
        ) async throws -> Pointer<UInt8> in
        let found = try await kernel.find(buffer, in: table)
        try place.store(found.node)
        try result.store(found.isMatch ? 1 : found.node.isNull ? 0 : found.isOnLeft ? 2 : 3)
        guard found.isMatch else { return Pointer(0, in: table.memory) }
        try Table.touch(found.node, in: table)
        return found.node.data(of: Table.self)
      },
      // nf-ntddk-rtlinsertelementgenerictablefull: where the search ended.
      export(
        "RtlInsertElementGenericTableFull\(suffix)(Table, Buffer, BufferSize, NewElement, NodeOrParent, SearchResult)", irql: .dispatch
      ) {
        (
          kernel, table: Pointer<Table>, buffer: Pointer<UInt8>, size: UInt32, isNew: Pointer<UInt8>, place: Pointer<Table.Links>,
          result: UInt32
        ) async throws -> Pointer<UInt8> in
        if result == 1 {
          if !isNew.isNull { try isNew.store(0) }
          try Table.touch(place, in: table)
          return place.data(of: Table.self)
        }
        let memory = try await kernel.call(table.AllocateRoutine.load().address, [table.address, UInt64(size) + UInt64(Table.header)])
        if !isNew.isNull { try isNew.store(memory == 0 ? 0 : 1) }
        let node = Pointer<Table.Links>(memory, in: table.memory)
        if node.isNull { return Pointer(0, in: table.memory) }
        let parent = result == 0 ? Pointer<Table.Links>(0, in: table.memory) : place
        try Table.attach(node, to: parent, onLeft: result == 2, in: table)
        _ = try table.NumberGenericTableElements.update { $0 &+ 1 }
        try kernel.move(UInt64(size), from: buffer.address, to: node.data(of: Table.self).address)
        return node.data(of: Table.self)
      },
    ]
  }
}

extension Pointer where Pointee == RTL_SPLAY_LINKS {
  /// Takes this node out without splaying. Returns what hangs in its place, null for nothing.
  fileprivate func removeKeepingShape() throws -> Self {
    let (left, right) = (try self.LeftChild.load(), try self.RightChild.load())
    guard !left.isNull, !right.isNull else {
      let child = left.isNull ? right : left
      try replace(with: child)
      return child
    }
    // The one before it, which has no right child, takes its place.
    let other = try left.outermost(onLeft: false)
    if other != left {
      try other.replace(with: other.LeftChild.load())
      try other.LeftChild.store(left)
      try left.Parent.store(other)
    }
    try replace(with: other)
    try other.RightChild.store(right)
    try right.Parent.store(other)
    return other
  }
}
