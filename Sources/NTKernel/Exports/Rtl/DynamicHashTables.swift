import Guest
import WindowsTypes

/// A table of chains that its owner grows and shrinks (`ntddk.h`); macros of the header read its counts.
struct RTL_DYNAMIC_HASH_TABLE: GuestStructure {
  static let name = "_RTL_DYNAMIC_HASH_TABLE"
  let Flags: Field<UInt32>
  let Shift: Field<UInt32>
  let TableSize: Field<UInt32>
  let Pivot: Field<UInt32>
  let DivisorMask: Field<UInt32>
  let NumEntries: Field<UInt32>
  let NonEmptyBuckets: Field<UInt32>
  let NumEnumerators: Field<UInt32>
  let Directory: Field<Pointer<LIST_ENTRY>>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x24,
      RTL_DYNAMIC_HASH_TABLE(
        Flags: 0x00, Shift: 0x04, TableSize: 0x08, Pivot: 0x0c, DivisorMask: 0x10, NumEntries: 0x14, NonEmptyBuckets: 0x18,
        NumEnumerators: 0x1c, Directory: 0x20)
    ))

  /// `RTL_HASH_ALLOCATED_HEADER`
  static let ownsHeader: UInt32 = 1
  static let smallest: UInt32 = 128
  static let largest: UInt32 = 1 << 20
  /// "HTab"
  static let tag: UInt32 = 0x6261_5448
}

/// An element's links and signature; an enumerator that stands in a chain has the signature 0.
struct RTL_DYNAMIC_HASH_TABLE_ENTRY: GuestStructure {
  static let name = "_RTL_DYNAMIC_HASH_TABLE_ENTRY"
  let Linkage: Field<LIST_ENTRY>
  let Signature: Field<GuestWord>

  static let layouts = Layouts((.windowsXP_x86, 0xc, RTL_DYNAMIC_HASH_TABLE_ENTRY(Linkage: 0x00, Signature: 0x08)))
}

/// Where a search ended.
struct RTL_DYNAMIC_HASH_TABLE_CONTEXT: GuestStructure {
  static let name = "_RTL_DYNAMIC_HASH_TABLE_CONTEXT"
  let ChainHead: Field<Pointer<LIST_ENTRY>>
  let PrevLinkage: Field<Pointer<LIST_ENTRY>>
  let Signature: Field<GuestWord>

  static let layouts = Layouts(
    (.windowsXP_x86, 0xc, RTL_DYNAMIC_HASH_TABLE_CONTEXT(ChainHead: 0x00, PrevLinkage: 0x04, Signature: 0x08)))
}

/// A place in the table that survives changes of it, or, where it is weak, does not.
struct RTL_DYNAMIC_HASH_TABLE_ENUMERATOR: GuestStructure {
  static let name = "_RTL_DYNAMIC_HASH_TABLE_ENUMERATOR"
  let HashEntry: Field<RTL_DYNAMIC_HASH_TABLE_ENTRY>
  let ChainHead: Field<Pointer<LIST_ENTRY>>
  let BucketIndex: Field<UInt32>

  static let layouts = Layouts(
    (.windowsXP_x86, 0x14, RTL_DYNAMIC_HASH_TABLE_ENUMERATOR(HashEntry: 0x00, ChainHead: 0x0c, BucketIndex: 0x10)))
}

extension Export {
  /// Dynamic hash tables, of Windows 7: linear hashing, a bucket at a time.
  static let dynamicHashTables: [Export] = [
    // nf-ntddk-rtlcreatehashtable: in the caller's memory, or in pool.
    export("RtlCreateHashTable(HashTable, Shift, Flags)", irql: .dispatch) {
      (kernel, place: Pointer<Pointer<RTL_DYNAMIC_HASH_TABLE>>, shift: UInt32, flags: UInt32) -> UInt8 in
      guard flags == 0 else { return 0 }
      var table = try place.load()
      let isOwn = table.isNull
      if isOwn {
        guard let block = try kernel.nonPagedPool.allocate(0x24, tag: RTL_DYNAMIC_HASH_TABLE.tag, in: kernel.memory) else { return 0 }
        table = Pointer(block, in: kernel.memory.memory)
      }
      try table.zero()
      if isOwn { try table.Flags.store(RTL_DYNAMIC_HASH_TABLE.ownsHeader) }
      try table.Shift.store(shift)
      try table.TableSize.store(RTL_DYNAMIC_HASH_TABLE.smallest)
      try table.DivisorMask.store(RTL_DYNAMIC_HASH_TABLE.smallest - 1)
      guard try kernel.makeBuckets(of: table) else {
        if isOwn { try kernel.freePool(table.address) }
        return 0
      }
      try place.store(table)
      return 1
    },
    // nf-ntddk-rtldeletehashtable: the elements are their owner's.
    export("RtlDeleteHashTable(HashTable)", irql: .dispatch) { (kernel, table: Pointer<RTL_DYNAMIC_HASH_TABLE>) in
      let directory = try table.Directory.load()
      if !directory.isNull { try kernel.freePool(directory.address) }
      try table.Directory.store(Pointer(0, in: table.memory))
      if try table.Flags.load() & RTL_DYNAMIC_HASH_TABLE.ownsHeader != 0 { try kernel.freePool(table.address) }
    },
    // nf-ntddk-rtlinsertentryhashtable: a signature of 0 becomes 1.
    export("RtlInsertEntryHashTable(HashTable, Entry, Signature, Context)", irql: .dispatch) {
      (
        _, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, entry: Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY>, signature: GuestWord,
        context: Pointer<RTL_DYNAMIC_HASH_TABLE_CONTEXT>
      ) -> UInt8 in
      let signature = max(signature.bits, 1)
      let head: Pointer<LIST_ENTRY>
      let before: Pointer<LIST_ENTRY>
      if !context.isNull, try !context.ChainHead.load().isNull {
        (head, before) = (try context.ChainHead.load(), try context.PrevLinkage.load())
      } else {
        head = try table.chain(for: signature)
        before = try head.predecessor(of: signature)
        if !context.isNull { try context.store(head, before, signature) }
      }
      if try head.isEmpty { try table.NonEmptyBuckets.store(table.NonEmptyBuckets.load() &+ 1) }
      try entry.Signature.store(GuestWord(signature))
      try before.insertHead(entry.Linkage)
      try table.NumEntries.store(table.NumEntries.load() &+ 1)
      return 1
    },
    // nf-ntddk-rtlremoveentryhashtable
    export("RtlRemoveEntryHashTable(HashTable, Entry, Context)", irql: .dispatch) {
      (
        _, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, entry: Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY>,
        context: Pointer<RTL_DYNAMIC_HASH_TABLE_CONTEXT>
      ) -> UInt8 in
      try entry.Linkage.remove()
      try table.NumEntries.store(table.NumEntries.load() &- 1)
      let signature = try entry.Signature.load().bits
      let head = try table.chain(for: signature)
      if try head.isEmpty { try table.NonEmptyBuckets.store(table.NonEmptyBuckets.load() &- 1) }
      if !context.isNull, try context.ChainHead.load().isNull {
        try context.store(head, head.predecessor(of: signature), signature)
      }
      return 1
    },
    // nf-ntddk-rtllookupentryhashtable: the first of a signature.
    export("RtlLookupEntryHashTable(HashTable, Signature, Context)", irql: .dispatch) {
      (
        _, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, signature: GuestWord, context: Pointer<RTL_DYNAMIC_HASH_TABLE_CONTEXT>
      ) -> Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY> in
      let signature = max(signature.bits, 1)
      let head = try table.chain(for: signature)
      let before = try head.predecessor(of: signature)
      if !context.isNull { try context.store(head, before, signature) }
      return try before.next(of: signature, in: head)
    },
    // nf-ntddk-rtlgetnextentryhashtable: the next of the same signature.
    export("RtlGetNextEntryHashTable(HashTable, Context)", irql: .dispatch) {
      (
        _, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, context: Pointer<RTL_DYNAMIC_HASH_TABLE_CONTEXT>
      ) -> Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY> in
      let (head, signature) = (try context.ChainHead.load(), try context.Signature.load().bits)
      let current = try context.PrevLinkage.load().next(of: signature, in: head)
      guard !current.isNull else { return current }
      try context.PrevLinkage.store(current.Linkage)
      return try current.Linkage.next(of: signature, in: head)
    },
    // nf-ntddk-rtlinitenumerationhashtable: the enumerator stands in the first chain.
    export("RtlInitEnumerationHashTable(HashTable, Enumerator)", irql: .dispatch) {
      (_, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, enumerator: Pointer<RTL_DYNAMIC_HASH_TABLE_ENUMERATOR>) -> UInt8 in
      let head = try table.Directory.load()
      try enumerator.zero()
      try enumerator.ChainHead.store(head)
      if try head.isEmpty { try table.NonEmptyBuckets.store(table.NonEmptyBuckets.load() &+ 1) }
      try head.insertHead(enumerator.HashEntry.Linkage)
      try table.NumEnumerators.store(table.NumEnumerators.load() &+ 1)
      return 1
    },
    // nf-ntddk-rtlenumerateentryhashtable
    export("RtlEnumerateEntryHashTable(HashTable, Enumerator)", irql: .dispatch) {
      (
        _, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, enumerator: Pointer<RTL_DYNAMIC_HASH_TABLE_ENUMERATOR>
      ) -> Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY> in
      let (old, place) = (try enumerator.ChainHead.load(), enumerator.HashEntry.Linkage)
      guard let (entry, head, index) = try table.entry(behind: place, in: old, enumerator.BucketIndex.load()) else {
        return Pointer(0, in: table.memory)
      }
      try place.remove()
      if old != head, try old.isEmpty { try table.NonEmptyBuckets.store(table.NonEmptyBuckets.load() &- 1) }
      try entry.Linkage.insertHead(place)
      try enumerator.ChainHead.store(head)
      try enumerator.BucketIndex.store(index)
      return entry
    },
    // nf-ntddk-rtlendenumerationhashtable
    export("RtlEndEnumerationHashTable(HashTable, Enumerator)", irql: .dispatch) {
      (_, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, enumerator: Pointer<RTL_DYNAMIC_HASH_TABLE_ENUMERATOR>) in
      try enumerator.HashEntry.Linkage.remove()
      if try enumerator.ChainHead.load().isEmpty { try table.NonEmptyBuckets.store(table.NonEmptyBuckets.load() &- 1) }
      try table.NumEnumerators.store(table.NumEnumerators.load() &- 1)
    },
    // nf-ntddk-rtlinitweakenumerationhashtable: a place outside of the chains, which does not bear removals.
    export("RtlInitWeakEnumerationHashTable(HashTable, Enumerator)", irql: .dispatch) {
      (_, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, enumerator: Pointer<RTL_DYNAMIC_HASH_TABLE_ENUMERATOR>) -> UInt8 in
      let head = try table.Directory.load()
      try enumerator.zero()
      try enumerator.ChainHead.store(head)
      // The place behind which the next element is looked for.
      try enumerator.HashEntry.Linkage.Flink.store(head)
      return 1
    },
    // nf-ntddk-rtlweaklyenumerateentryhashtable
    export("RtlWeaklyEnumerateEntryHashTable(HashTable, Enumerator)", irql: .dispatch) {
      (
        _, table: Pointer<RTL_DYNAMIC_HASH_TABLE>, enumerator: Pointer<RTL_DYNAMIC_HASH_TABLE_ENUMERATOR>
      ) -> Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY> in
      let place = enumerator.HashEntry.Linkage.Flink
      let found = try table.entry(behind: place.load(), in: enumerator.ChainHead.load(), enumerator.BucketIndex.load())
      guard let (entry, head, index) = found else { return Pointer(0, in: table.memory) }
      try place.store(entry.Linkage)
      try enumerator.ChainHead.store(head)
      try enumerator.BucketIndex.store(index)
      return entry
    },
    // nf-ntddk-rtlendweakenumerationhashtable
    export("RtlEndWeakEnumerationHashTable(HashTable, Enumerator)", irql: .dispatch) {
      (_, table: GuestWord, enumerator: Pointer<RTL_DYNAMIC_HASH_TABLE_ENUMERATOR>) in
      try enumerator.ChainHead.store(Pointer(0, in: enumerator.memory))
    },
    // nf-ntddk-rtlexpandhashtable: one more bucket; not while somebody enumerates.
    export("RtlExpandHashTable(HashTable)", irql: .dispatch) { (kernel, table: Pointer<RTL_DYNAMIC_HASH_TABLE>) -> UInt8 in
      try kernel.expand(table) ? 1 : 0
    },
    // nf-ntddk-rtlcontracthashtable: one bucket less, down to 128.
    export("RtlContractHashTable(HashTable)", irql: .dispatch) { (kernel, table: Pointer<RTL_DYNAMIC_HASH_TABLE>) -> UInt8 in
      try kernel.contract(table) ? 1 : 0
    },
  ]
}

extension Pointer where Pointee == RTL_DYNAMIC_HASH_TABLE_CONTEXT {
  fileprivate func store(_ head: Pointer<LIST_ENTRY>, _ before: Pointer<LIST_ENTRY>, _ signature: UInt64) throws {
    try self.ChainHead.store(head)
    try self.PrevLinkage.store(before)
    try self.Signature.store(GuestWord(signature))
  }
}

extension Pointer where Pointee == LIST_ENTRY {
  private var signature: Pointer<GuestWord> { Pointer<GuestWord>(address &+ 8, in: memory) }

  /// In the chain whose head this is: what a signature's elements stand behind. Chains are in the order of their signatures.
  fileprivate func predecessor(of signature: UInt64) throws -> Self {
    var place = self
    for entry in try entries() {
      let other = try entry.signature.load().bits
      // Enumerators are passed by.
      if other >= signature { break }
      if other != 0 { place = entry }
    }
    return place
  }

  /// The next element behind this place, if it has the signature; null if not.
  fileprivate func next(of signature: UInt64, in head: Self) throws -> Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY> {
    var entry = try self.Flink.load()
    while try entry != head && !entry.isNull && entry.signature.load().bits == 0 { entry = try entry.Flink.load() }
    guard entry != head, !entry.isNull, try entry.signature.load().bits == signature else {
      return Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY>(0, in: memory)
    }
    return entry.cast()
  }
}

extension Pointer where Pointee == RTL_DYNAMIC_HASH_TABLE {
  /// Which bucket a signature belongs to: of those in front of the pivot there are twice as many.
  fileprivate func bucket(of signature: UInt64) throws -> UInt32 {
    let mask = try self.DivisorMask.load()
    let value = UInt32(truncatingIfNeeded: signature >> UInt64(try self.Shift.load() & 31))
    let index = value & mask
    return try index < self.Pivot.load() ? value & (mask << 1 | 1) : index
  }

  fileprivate func head(_ index: UInt32) throws -> Pointer<LIST_ENTRY> {
    Pointer<LIST_ENTRY>(try self.Directory.load().address &+ 8 &* UInt64(index), in: memory)
  }

  fileprivate func chain(for signature: UInt64) throws -> Pointer<LIST_ENTRY> { try head(bucket(of: signature)) }

  /// The next element behind a place, in its chain or in one of the next.
  fileprivate func entry(
    behind place: Pointer<LIST_ENTRY>, in head: Pointer<LIST_ENTRY>, _ index: UInt32
  ) throws -> (Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY>, Pointer<LIST_ENTRY>, UInt32)? {
    var (head, index, next) = (head, index, try place.Flink.load())
    let count = try self.TableSize.load()
    while true {
      while next != head, !next.isNull {
        let entry: Pointer<RTL_DYNAMIC_HASH_TABLE_ENTRY> = next.cast()
        if try entry.Signature.load().bits != 0 { return (entry, head, index) }
        next = try next.Flink.load()
      }
      index &+= 1
      guard index < count else { return nil }
      head = try self.head(index)
      next = try head.Flink.load()
    }
  }
}

extension Kernel {
  /// Room for twice as many buckets as the mask tells, so that the table can grow until the pivot comes round.
  fileprivate func makeBuckets(of table: Pointer<RTL_DYNAMIC_HASH_TABLE>) throws -> Bool {
    let room = 2 * (UInt64(try table.DivisorMask.load()) + 1)
    guard room <= 2 * UInt64(RTL_DYNAMIC_HASH_TABLE.largest),
      let block = try nonPagedPool.allocate(8 * room, tag: RTL_DYNAMIC_HASH_TABLE.tag, in: memory)
    else { return false }
    let new = Pointer<LIST_ENTRY>(block, in: memory.memory)
    let old = try table.Directory.load()
    let count = try table.TableSize.load()
    for index in 0..<room {
      let head = Pointer<LIST_ENTRY>(block + 8 * index, in: memory.memory)
      try head.initialize()
      guard !old.isNull, index < UInt64(count) else { continue }
      for entry in try Pointer<LIST_ENTRY>(old.address + 8 * index, in: memory.memory).entries() { try head.insertTail(entry) }
    }
    if !old.isNull { try freePool(old.address) }
    try table.Directory.store(new)
    return true
  }

  /// Moves what the chain at `index` holds to where it belongs now.
  private func redistribute(_ index: UInt32, of table: Pointer<RTL_DYNAMIC_HASH_TABLE>) throws {
    let head = try table.head(index)
    let entries = try head.entries()
    try head.initialize()
    for entry in entries {
      let signature = try Pointer<GuestWord>(entry.address &+ 8, in: memory.memory).load().bits
      try table.chain(for: signature).insertTail(entry)
    }
  }

  fileprivate func expand(_ table: Pointer<RTL_DYNAMIC_HASH_TABLE>) throws -> Bool {
    let size = try table.TableSize.load()
    let (pivot, mask) = (try table.Pivot.load(), try table.DivisorMask.load())
    // What is no table of this library's has other numbers.
    guard try table.NumEnumerators.load() == 0, size < RTL_DYNAMIC_HASH_TABLE.largest, pivot <= mask, size == mask &+ 1 &+ pivot else {
      return false
    }
    let wasEmpty = try table.head(pivot).isEmpty
    try table.Pivot.store(pivot + 1)
    try table.TableSize.store(size + 1)
    try redistribute(pivot, of: table)
    if !wasEmpty {
      let filled = UInt32(try (table.head(pivot).isEmpty ? 0 : 1) + (table.head(size).isEmpty ? 0 : 1))
      try table.NonEmptyBuckets.store(table.NonEmptyBuckets.load() &- 1 &+ filled)
    }
    guard pivot == mask else { return true }
    // The pivot has come round: every bucket is split.
    try table.Pivot.store(0)
    try table.DivisorMask.store(mask << 1 | 1)
    if try makeBuckets(of: table) { return true }
    // There is no room to grow any further: back to before the last step.
    try table.Pivot.store(mask + 1)
    try table.DivisorMask.store(mask)
    return try contract(table) && false
  }

  fileprivate func contract(_ table: Pointer<RTL_DYNAMIC_HASH_TABLE>) throws -> Bool {
    let size = try table.TableSize.load()
    var (pivot, mask) = (try table.Pivot.load(), try table.DivisorMask.load())
    guard try table.NumEnumerators.load() == 0, size > RTL_DYNAMIC_HASH_TABLE.smallest, size <= RTL_DYNAMIC_HASH_TABLE.largest,
      pivot <= mask &+ 1, size == mask &+ 1 &+ pivot
    else { return false }
    if pivot == 0 { (pivot, mask) = ((mask >> 1) + 1, mask >> 1) }
    let (kept, last) = (try table.head(pivot - 1), try table.head(size - 1))
    if try !kept.isEmpty && !last.isEmpty { try table.NonEmptyBuckets.store(table.NonEmptyBuckets.load() &- 1) }
    try table.Pivot.store(pivot - 1)
    try table.DivisorMask.store(mask)
    try table.TableSize.store(size - 1)
    let moved = try (kept.entries() + last.entries()).map {
      ($0, try Pointer<GuestWord>($0.address &+ 8, in: memory.memory).load().bits)
    }
    try kept.initialize()
    try last.initialize()
    for (entry, _) in moved.sorted(by: { $0.1 < $1.1 }) { try kept.insertTail(entry) }
    return true
  }
}
