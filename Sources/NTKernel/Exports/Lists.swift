import Guest
import WindowsTypes

/// List operations under a spin lock, and the lists that need none.
///
/// The lock's holder would wait on another processor; there is one, so a lock that is held already is an error of the caller's
/// (``Kernel/withLock(_:_:)``). Each routine has a form that takes its arguments on the stack and one that takes them in registers.
extension Export {
  static let stackLists = lists(prefix: "Ex", .stdcall)
  static let fastLists = lists(prefix: "Exf", .fastcall)

  private static func lists(prefix: String, _ convention: CallingConvention) -> [Export] {
    [
      // nf-wdm-exinterlockedinsertheadlist: the entry that was first, or null.
      export("\(prefix)InterlockedInsertHeadList(ListHead, ListEntry, Lock)", convention) {
        (kernel, head: Pointer<LIST_ENTRY>, entry: Pointer<LIST_ENTRY>, lock: Pointer<GuestWord>) -> Pointer<LIST_ENTRY> in
        try kernel.withLock(lock) {
          let first = try head.Flink.load()
          try head.insertHead(entry)
          return first == head ? Pointer(0, in: head.memory) : first
        }
      },
      // nf-wdm-exinterlockedinserttaillist: the entry that was last, or null.
      export("\(prefix)InterlockedInsertTailList(ListHead, ListEntry, Lock)", convention) {
        (kernel, head: Pointer<LIST_ENTRY>, entry: Pointer<LIST_ENTRY>, lock: Pointer<GuestWord>) -> Pointer<LIST_ENTRY> in
        try kernel.withLock(lock) {
          let last = try head.Blink.load()
          try head.insertTail(entry)
          return last == head ? Pointer(0, in: head.memory) : last
        }
      },
      // nf-wdm-exinterlockedremoveheadlist
      export("\(prefix)InterlockedRemoveHeadList(ListHead, Lock)", convention) {
        (kernel, head: Pointer<LIST_ENTRY>, lock: Pointer<GuestWord>) -> Pointer<LIST_ENTRY> in
        try kernel.withLock(lock) { try head.removeHead() ?? Pointer(0, in: head.memory) }
      },
      // nf-wdm-exinterlockedpopentrylist
      export("\(prefix)InterlockedPopEntryList(ListHead, Lock)", convention) {
        (kernel, head: Pointer<SINGLE_LIST_ENTRY>, lock: Pointer<GuestWord>) -> Pointer<SINGLE_LIST_ENTRY> in
        try kernel.withLock(lock) {
          let first = try head.Next.load()
          if !first.isNull { try head.Next.store(first.Next.load()) }
          return first
        }
      },
      // nf-wdm-exinterlockedpushentrylist: the entry that was first, or null.
      export("\(prefix)InterlockedPushEntryList(ListHead, ListEntry, Lock)", convention) {
        (
          kernel, head: Pointer<SINGLE_LIST_ENTRY>, entry: Pointer<SINGLE_LIST_ENTRY>, lock: Pointer<GuestWord>
        ) -> Pointer<SINGLE_LIST_ENTRY> in
        try kernel.withLock(lock) {
          let first = try head.Next.load()
          try entry.Next.store(first)
          try head.Next.store(entry)
          return first
        }
      },
    ]
  }

  /// Sequenced singly linked lists, whose header counts its entries and its changes.
  static let sequencedLists: [Export] = [
    // nf-wdm-exinterlockedpushentryslist: the lock is not used.
    export("ExInterlockedPushEntrySList(ListHead, ListEntry, Lock)", .fastcall) {
      (_, head: Pointer<SLIST_HEADER>, entry: Pointer<SINGLE_LIST_ENTRY>, lock: GuestWord) -> Pointer<SINGLE_LIST_ENTRY> in
      try head.push(entry)
    },
    // nf-wdm-exinterlockedpopentryslist
    export("ExInterlockedPopEntrySList(ListHead, Lock)", .fastcall) {
      (_, head: Pointer<SLIST_HEADER>, lock: GuestWord) -> Pointer<SINGLE_LIST_ENTRY> in try head.pop()
    },
    export("InterlockedPushEntrySList(ListHead, ListEntry)", .fastcall) {
      (_, head: Pointer<SLIST_HEADER>, entry: Pointer<SINGLE_LIST_ENTRY>) -> Pointer<SINGLE_LIST_ENTRY> in try head.push(entry)
    },
    export("InterlockedPopEntrySList(ListHead)", .fastcall) {
      (_, head: Pointer<SLIST_HEADER>) -> Pointer<SINGLE_LIST_ENTRY> in try head.pop()
    },
    // nf-wdm-exinterlockedflushslist
    export("ExInterlockedFlushSList(ListHead)", .fastcall) { (_, head: Pointer<SLIST_HEADER>) -> Pointer<SINGLE_LIST_ENTRY> in
      let first = try head.Next.load()
      if !first.isNull {
        try head.Next.store(Pointer(0, in: head.memory))
        try head.Depth.store(0)
        try head.Sequence.store(head.Sequence.load() &+ 1)
      }
      return first
    },
  ]
}

extension Pointer where Pointee == SLIST_HEADER {
  /// Returns the entry that was first, or null.
  func push(_ entry: Pointer<SINGLE_LIST_ENTRY>) throws -> Pointer<SINGLE_LIST_ENTRY> {
    let first = try self.Next.load()
    try entry.Next.store(first)
    try self.Next.store(entry)
    try self.Depth.store(self.Depth.load() &+ 1)
    try self.Sequence.store(self.Sequence.load() &+ 1)
    return first
  }

  /// Returns the entry that was first, or null.
  func pop() throws -> Pointer<SINGLE_LIST_ENTRY> {
    let first = try self.Next.load()
    if first.isNull { return first }
    try self.Next.store(first.Next.load())
    try self.Depth.store(self.Depth.load() &- 1)
    return first
  }
}
