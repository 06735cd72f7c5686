import Guest
import WindowsTypes

/// The links of a node of a binary tree, balanced or splayed.
protocol TreeLinks: GuestStructure {
  var Parent: Field<Pointer<Self>> { get }
  var LeftChild: Field<Pointer<Self>> { get }
  var RightChild: Field<Pointer<Self>> { get }
}
extension RTL_BALANCED_LINKS: TreeLinks {}
extension RTL_SPLAY_LINKS: TreeLinks {}

extension Pointer where Pointee: TreeLinks {
  var isLeftChild: Bool { get throws { try self.Parent.load().LeftChild.load() == self } }

  func child(onLeft: Bool) -> Pointer<Self> { onLeft ? self.LeftChild : self.RightChild }

  /// The node furthest on one side of this subtree.
  func outermost(onLeft: Bool) throws -> Self {
    var node = self
    while case let next = try node.child(onLeft: onLeft).load(), !next.isNull { node = next }
    return node
  }

  /// The next node in order, or the one before; null behind the last, where the path up ends at `top` or in itself.
  func neighbour(onLeft: Bool, below top: Self? = nil) throws -> Self {
    let child = try child(onLeft: onLeft).load()
    if !child.isNull { return try child.outermost(onLeft: !onLeft) }
    var node = self
    while true {
      let parent = try node.Parent.load()
      if parent == node || parent == top { return Pointer(0, in: memory) }
      if try node.isLeftChild != onLeft { return parent }
      node = parent
    }
  }

  /// Puts `node` where this one hangs; a root that is its own parent stays so.
  func replace(with node: Self) throws {
    let parent = try self.Parent.load()
    if parent == self {
      if !node.isNull { try node.Parent.store(node) }
    } else {
      try parent.child(onLeft: isLeftChild).store(node)
      if !node.isNull { try node.Parent.store(parent) }
    }
  }

  /// Rotates this node over its parent.
  func promote() throws {
    let parent = try self.Parent.load()
    let isLeft = try isLeftChild
    let inner = try child(onLeft: !isLeft).load()
    try parent.replace(with: self)
    try parent.child(onLeft: isLeft).store(inner)
    if !inner.isNull { try inner.Parent.store(parent) }
    try child(onLeft: !isLeft).store(parent)
    try parent.Parent.store(self)
  }
}

/// The balanced tree of Knuth's algorithms 6.2.3 A and its deletion: a node's `Balance` is -1, 0 or 1 towards its higher side.
extension Pointer where Pointee == RTL_BALANCED_LINKS {
  /// Restores the balances from a new leaf up to the sentinel `top`. Returns whether the tree is higher now.
  func balanceAfterInsertion(below top: Self) throws -> Bool {
    var node = self
    while case let parent = try node.Parent.load(), parent != top {
      let side: Int8 = try node.isLeftChild ? -1 : 1
      let balance = try parent.Balance.load()
      if balance == 0 {
        try parent.Balance.store(side)
        node = parent
        continue
      }
      if balance == side { _ = try parent.rebalance() } else { try parent.Balance.store(0) }
      return false
    }
    return true
  }

  /// The subtree here leans by two: rotates. Returns whether it is lower than before.
  private func rebalance() throws -> Bool {
    let side = try self.Balance.load()
    let child = try child(onLeft: side < 0).load()
    let balance = try child.Balance.load()
    if balance == side {
      try child.promote()
      try child.Balance.store(0)
      try self.Balance.store(0)
      return true
    }
    if balance == 0 {
      try child.promote()
      try child.Balance.store(-side)
      return false
    }
    let inner = try child.child(onLeft: side > 0).load()
    try inner.promote()
    try inner.promote()
    let lean = try inner.Balance.load()
    try self.Balance.store(lean == side ? -side : 0)
    try child.Balance.store(lean == -side ? side : 0)
    try inner.Balance.store(0)
    return true
  }

  /// Takes this node out of the tree below the sentinel `top`. Returns whether the tree is lower now.
  func removeFromBalancedTree(below top: Self) throws -> Bool {
    let hasBoth = try !self.LeftChild.load().isNull && !self.RightChild.load().isNull
    // A node with two children changes places with its neighbour on the higher side, which has at most one.
    let easy = hasBoth ? try neighbour(onLeft: self.Balance.load() < 0, below: top) : self
    let left = try easy.LeftChild.load()
    var side: Int8 = try easy.isLeftChild ? -1 : 1
    var parent = try easy.Parent.load()
    try easy.replace(with: left.isNull ? easy.RightChild.load() : left)
    var isLower = true
    while parent != top {
      let balance = try parent.Balance.load()
      var subtree = parent
      if balance == side {
        try parent.Balance.store(0)
      } else if balance == 0 {
        try parent.Balance.store(-side)
        isLower = false
      } else {
        isLower = try parent.rebalance()
        subtree = try parent.Parent.load()
        // After a double rotation the old top hangs one below the new one, as after a single.
      }
      guard isLower else { break }
      side = try subtree.isLeftChild ? -1 : 1
      parent = try subtree.Parent.load()
    }
    if hasBoth {
      try replace(with: easy)
      try easy.Balance.store(self.Balance.load())
      for onLeft in [true, false] {
        let child = try child(onLeft: onLeft).load()
        try easy.child(onLeft: onLeft).store(child)
        if !child.isNull { try child.Parent.store(easy) }
      }
    }
    return isLower
  }
}

extension Pointer where Pointee == RTL_SPLAY_LINKS {
  /// Brings this node to the root, two levels at a time (Sleator and Tarjan).
  func splay() throws {
    while case let parent = try self.Parent.load(), parent != self {
      if try parent.Parent.load() != parent {
        let isStraight = try isLeftChild == parent.isLeftChild
        try (isStraight ? parent : self).promote()
      }
      try promote()
    }
  }

  /// Takes this node out. Returns the tree's root, null if none is left.
  func removeFromSplayTree() throws -> Self {
    if try !self.LeftChild.load().isNull && !self.RightChild.load().isNull {
      let other = try neighbour(onLeft: true)
      // The neighbour takes this node's place, and this node the neighbour's, which has no right child.
      let left = try other.LeftChild.load()
      let isDirect = try self.LeftChild.load() == other
      let parent = isDirect ? other : try other.Parent.load()
      if !isDirect { try other.replace(with: left) }
      try replace(with: other)
      if !isDirect {
        let child = try self.LeftChild.load()
        try other.LeftChild.store(child)
        if !child.isNull { try child.Parent.store(other) }
      }
      let right = try self.RightChild.load()
      try other.RightChild.store(right)
      try right.Parent.store(other)
      try parent.splay()
      return parent
    }
    let left = try self.LeftChild.load()
    let child = left.isNull ? try self.RightChild.load() : left
    let parent = try self.Parent.load()
    try replace(with: child)
    if parent == self { return child }
    try parent.splay()
    return parent
  }
}
