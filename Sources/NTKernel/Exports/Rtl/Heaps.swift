import Guest
import WindowsTypes

/// A heap of a driver's: ranges of a process's memory, and the blocks in them.
final class Heap {
  /// Whose memory it is, or `nil` for memory that the driver gave.
  let owner: Process?
  let flags: UInt32
  /// In the order in which they were added; the first begins with the heap's own head.
  var segments: [Range<UInt64>] = []
  /// The size that was asked for, by address.
  var blocks: [UInt64: UInt64] = [:]
  static let head: UInt64 = 0x40

  init(owner: Process?, flags: UInt32) {
    self.owner = owner
    self.flags = flags
  }

  static func span(_ size: UInt64) -> UInt64 { (max(size, 1) + 15) & ~7 }

  /// The lowest place in which so many bytes are free.
  func place(for size: UInt64) -> UInt64? {
    let span = Self.span(size)
    for (index, segment) in segments.enumerated() {
      var place = segment.lowerBound + (index == 0 ? Self.head : 0)
      for (start, length) in blocks.filter({ segment.contains($0.key) }).sorted(by: { $0.key < $1.key }) {
        if start >= place + span { break }
        place = start + Self.span(length)
      }
      if place + span <= segment.upperBound { return place }
    }
    return nil
  }
}

/// The run's heaps, by handle.
final class Heaps { var all: [UInt64: Heap] = [:] }

extension Export {
  /// Heaps: a process's memory, which no other process sees, unless the driver brings its own.
  static let heaps: [Export] = [
    // nf-ntifs-rtlcreateheap
    export("RtlCreateHeap(Flags, HeapBase, ReserveSize, CommitSize, Lock, Parameters)", irql: .passive) {
      (kernel, flags: UInt32, base: GuestWord, reserve: UInt32, commit: UInt32, lock: GuestWord, parameters: GuestWord) -> GuestWord in
      let size = max(UInt64(reserve), UInt64(commit), 0x1000)
      if base.bits != 0 {
        // Memory of the caller's, as long as CommitSize says, or ReserveSize where that is 0.
        let given = UInt64(commit == 0 ? reserve : commit)
        guard given >= Heap.head else { return 0 }
        let heap = Heap(owner: nil, flags: flags)
        heap.segments = [base.bits..<base.bits + given]
        try kernel.memory.memory.fill(0, count: Int(Heap.head), at: base.bits)
        kernel.heaps.all[base.bits] = heap
        return base
      }
      guard let owner = kernel.process(at: try kernel.currentProcess().address) else { return 0 }
      let heap = Heap(owner: owner, flags: flags)
      guard size <= 1 << 28, let segment = try kernel.heapMemory(reserve == 0 ? max(size, 0x1_0000) : size, in: owner) else { return 0 }
      heap.segments = [segment]
      kernel.heaps.all[segment.lowerBound] = heap
      return GuestWord(segment.lowerBound)
    }
    .partially("the heap's head is empty: nothing of a debugger's finds blocks in it; all of it is committed at once"),
    // nf-ntifs-rtlallocateheap: HEAP_GENERATE_EXCEPTIONS 4, HEAP_ZERO_MEMORY 8.
    export("RtlAllocateHeap(HeapHandle, Flags, Size)", irql: .apc) {
      (kernel, handle: GuestWord, flags: UInt32, size: UInt32) -> GuestWord in
      guard let heap = kernel.heaps.all[handle.bits] else { return 0 }
      let flags = flags | heap.flags
      var place = heap.place(for: UInt64(size))
      // HEAP_GROWABLE
      if place == nil, heap.flags & 2 != 0, let owner = heap.owner, size <= 1 << 28 {
        if let more = try kernel.heapMemory(max(Heap.span(UInt64(size)), 0x1_0000), in: owner) { heap.segments.append(more) }
        place = heap.place(for: UInt64(size))
      }
      guard let place else {
        if flags & 4 != 0 { throw GuestException(.noMemory) }
        return 0
      }
      heap.blocks[place] = UInt64(size)
      if flags & 8 != 0 { try kernel.memory.memory.fill(0, count: Int(size), at: place) }
      return GuestWord(place)
    },
    // nf-ntifs-rtlfreeheap
    export("RtlFreeHeap(HeapHandle, Flags, BaseAddress)", irql: .apc) {
      (kernel, handle: GuestWord, flags: UInt32, block: GuestWord) -> UInt8 in
      if block.bits == 0 { return 1 }
      return kernel.heaps.all[handle.bits]?.blocks.removeValue(forKey: block.bits) == nil ? 0 : 1
    },
    // RtlSizeHeap (ntrtl.h): the size that was asked for, or -1.
    export("RtlSizeHeap(HeapHandle, Flags, BaseAddress)", irql: .apc) {
      (kernel, handle: GuestWord, flags: UInt32, block: GuestWord) -> GuestWord in
      GuestWord(kernel.heaps.all[handle.bits]?.blocks[block.bits] ?? 0xffff_ffff)
    },
    // RtlZeroHeap (ntrtl.h): what is free becomes zero.
    export("RtlZeroHeap(HeapHandle, Flags)", irql: .apc) { (kernel, handle: GuestWord, flags: UInt32) -> NTSTATUS in
      guard let heap = kernel.heaps.all[handle.bits] else { return .invalidParameter }
      for (index, segment) in heap.segments.enumerated() {
        var place = segment.lowerBound + (index == 0 ? Heap.head : 0)
        for (start, length) in heap.blocks.filter({ segment.contains($0.key) }).sorted(by: { $0.key < $1.key }) {
          try kernel.memory.memory.fill(0, count: Int(start - place), at: place)
          place = start + Heap.span(length)
        }
        try kernel.memory.memory.fill(0, count: Int(segment.upperBound - place), at: place)
      }
      return .success
    },
    // nf-ntifs-rtldestroyheap: NULL where it is gone, else the handle.
    export("RtlDestroyHeap(HeapHandle)", irql: .passive) { (kernel, handle: GuestWord) -> GuestWord in
      guard let heap = kernel.heaps.all.removeValue(forKey: handle.bits) else { return handle }
      guard let owner = heap.owner, !owner.hasExited else { return 0 }
      for segment in heap.segments {
        do { _ = try kernel.freeVirtualMemory(segment.lowerBound, 0, AllocationKind.release, in: owner) } catch is Kernel.Refusal {}
      }
      return 0
    },
  ]
}

extension Kernel {
  fileprivate var heaps: Heaps { part { Heaps() } }

  fileprivate func heapMemory(_ size: UInt64, in owner: Process) throws -> Range<UInt64>? {
    do {
      // PAGE_READWRITE
      let area = try allocateVirtualMemory(
        0, size, AllocationKind.reserve | AllocationKind.commit, PageProtection(rawValue: 4), in: owner)
      return area.base..<area.base + area.size
    } catch is Refusal { return nil }
  }
}
