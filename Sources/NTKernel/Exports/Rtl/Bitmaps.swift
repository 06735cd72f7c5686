import Guest
import WindowsTypes

/// Bitmaps: the header says how many bits there are, and where the words with them lie.
extension Export {
  static let bitmaps: [Export] = [
    // nf-wdm-rtlinitializebitmap: the bits stay as they are.
    export("RtlInitializeBitMap(BitMapHeader, BitMapBuffer, SizeOfBitMap)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, buffer: Pointer<UInt32>, size: UInt32) in
      try header.SizeOfBitMap.store(size)
      try header.Buffer.store(buffer)
    },
    // nf-wdm-rtlclearallbits
    export("RtlClearAllBits(BitMapHeader)", irql: .apc) { (_, header: Pointer<RTL_BITMAP>) in try header.setAllWords(0) },
    // nf-wdm-rtlsetallbits
    export("RtlSetAllBits(BitMapHeader)", irql: .apc) { (_, header: Pointer<RTL_BITMAP>) in try header.setAllWords(.max) },
    // nf-wdm-rtlclearbit
    export("RtlClearBit(BitMapHeader, BitNumber)", irql: .apc) { (_, header: Pointer<RTL_BITMAP>, bit: UInt32) in
      try header.set(false, bit, 1)
    },
    // nf-wdm-rtlsetbit
    export("RtlSetBit(BitMapHeader, BitNumber)", irql: .apc) { (_, header: Pointer<RTL_BITMAP>, bit: UInt32) in
      try header.set(true, bit, 1)
    },
    // nf-wdm-rtltestbit
    export("RtlTestBit(BitMapHeader, BitNumber)", irql: .apc) { (_, header: Pointer<RTL_BITMAP>, bit: UInt32) -> UInt8 in
      try header.Buffer.load()[Int(bit / 32)].load() >> (bit % 32) & 1 != 0 ? 1 : 0
    },
    // nf-wdm-rtlclearbits
    export("RtlClearBits(BitMapHeader, StartingIndex, NumberToClear)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, start: UInt32, count: UInt32) in
      try header.set(false, start, count)
    },
    // nf-wdm-rtlsetbits
    export("RtlSetBits(BitMapHeader, StartingIndex, NumberToSet)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, start: UInt32, count: UInt32) in
      try header.set(true, start, count)
    },
    // nf-wdm-rtlarebitsclear: a range that is empty or leaves the bitmap is not.
    export("RtlAreBitsClear(BitMapHeader, StartingIndex, Length)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, start: UInt32, count: UInt32) -> UInt8 in
      try header.all(false, start, count) ? 1 : 0
    },
    // nf-wdm-rtlarebitsset
    export("RtlAreBitsSet(BitMapHeader, StartingIndex, Length)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, start: UInt32, count: UInt32) -> UInt8 in
      try header.all(true, start, count) ? 1 : 0
    },
    // nf-wdm-rtlnumberofclearbits
    export("RtlNumberOfClearBits(BitMapHeader)", irql: .apc) { (_, header: Pointer<RTL_BITMAP>) -> UInt32 in
      UInt32(try header.bits().count { !$0 })
    },
    // nf-wdm-rtlnumberofsetbits
    export("RtlNumberOfSetBits(BitMapHeader)", irql: .apc) { (_, header: Pointer<RTL_BITMAP>) -> UInt32 in
      UInt32(try header.bits().count { $0 })
    },
    // nf-wdm-rtlfindclearbits: from the hint on, then from the start; -1 where there is no such run.
    export("RtlFindClearBits(BitMapHeader, NumberToFind, HintIndex)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, count: UInt32, hint: UInt32) -> UInt32 in
      try header.find(false, count, hint)
    },
    // nf-wdm-rtlfindsetbits
    export("RtlFindSetBits(BitMapHeader, NumberToFind, HintIndex)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, count: UInt32, hint: UInt32) -> UInt32 in
      try header.find(true, count, hint)
    },
    // nf-wdm-rtlfindclearbitsandset
    export("RtlFindClearBitsAndSet(BitMapHeader, NumberToFind, HintIndex)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, count: UInt32, hint: UInt32) -> UInt32 in
      let found = try header.find(false, count, hint)
      if found != .max { try header.set(true, found, count) }
      return found
    },
    // nf-wdm-rtlfindsetbitsandclear
    export("RtlFindSetBitsAndClear(BitMapHeader, NumberToFind, HintIndex)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, count: UInt32, hint: UInt32) -> UInt32 in
      let found = try header.find(true, count, hint)
      if found != .max { try header.set(false, found, count) }
      return found
    },
  ]

  static let bitmapRuns: [Export] = [
    // nf-wdm-rtlfindfirstrunclear: the run's length; 0 and an index of the bitmap's size where there is none.
    export("RtlFindFirstRunClear(BitMapHeader, StartingIndex)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, start: Pointer<UInt32>) -> UInt32 in
      try header.run(from: 0, start)
    }
    .uncertain("without a clear bit StartingIndex is the bitmap's size"),
    // nf-wdm-rtlfindnextforwardrunclear
    export("RtlFindNextForwardRunClear(BitMapHeader, FromIndex, StartingRunIndex)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, from: UInt32, start: Pointer<UInt32>) -> UInt32 in
      try header.run(from: Int(from), start)
    },
    // nf-wdm-rtlfindlastbackwardrunclear
    export("RtlFindLastBackwardRunClear(BitMapHeader, FromIndex, StartingRunIndex)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, from: UInt32, start: Pointer<UInt32>) -> UInt32 in
      let bits = try header.bits()
      guard let last = bits.prefix(Int(from) + 1).lastIndex(of: false) else {
        try start.store(from)
        return 0
      }
      let first = bits.prefix(last).lastIndex(of: true).map { $0 + 1 } ?? 0
      try start.store(UInt32(first))
      return UInt32(last - first + 1)
    },
    // nf-wdm-rtlfindlongestrunclear: the first of the longest.
    export("RtlFindLongestRunClear(BitMapHeader, StartingIndex)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, start: Pointer<UInt32>) -> UInt32 in
      let runs = try header.clearRuns()
      guard let longest = runs.map(\.count).max(), let run = runs.first(where: { $0.count == longest }) else { return 0 }
      try start.store(UInt32(run.lowerBound))
      return UInt32(run.count)
    },
    // nf-wdm-rtlfindclearruns
    export("RtlFindClearRuns(BitMapHeader, RunArray, SizeOfRunArray, LocateLongestRuns)", irql: .apc) {
      (_, header: Pointer<RTL_BITMAP>, array: Pointer<RTL_BITMAP_RUN>, size: UInt32, longest: UInt8) -> UInt32 in
      var runs = try header.clearRuns()
      // The longest first; among equals the earlier one.
      if longest != 0 { runs.sort { ($1.count, $0.lowerBound) < ($0.count, $1.lowerBound) } }
      for (index, run) in runs.prefix(Int(size)).enumerated() {
        try array.advanced(by: index).StartingIndex.store(UInt32(run.lowerBound))
        try array.advanced(by: index).NumberOfBits.store(UInt32(run.count))
      }
      return UInt32(min(runs.count, Int(size)))
    },
    // nf-wdm-rtlfindleastsignificantbit, nf-wdm-rtlfindmostsignificantbit: -1 for 0.
    export("RtlFindLeastSignificantBit(Set)") { (_, value: UInt64) -> Int8 in
      value == 0 ? -1 : Int8(value.trailingZeroBitCount)
    },
    export("RtlFindMostSignificantBit(Set)") { (_, value: UInt64) -> Int8 in
      value == 0 ? -1 : Int8(63 - value.leadingZeroBitCount)
    },
  ]
}

extension Pointer where Pointee == RTL_BITMAP {
  fileprivate func bits() throws -> [Bool] {
    let count = Int(try self.SizeOfBitMap.load())
    let words = try self.Buffer.load().array(count: (count + 31) / 32)
    return (0..<count).map { words[$0 / 32] >> UInt32($0 % 32) & 1 != 0 }
  }

  /// Whole words: the bits beyond the bitmap's end change, too.
  fileprivate func setAllWords(_ word: UInt32) throws {
    let (buffer, count) = (try self.Buffer.load(), Int(try self.SizeOfBitMap.load()))
    for index in 0..<(count + 31) / 32 { try buffer[index].store(word) }
  }

  fileprivate func set(_ value: Bool, _ start: UInt32, _ count: UInt32) throws {
    let buffer = try self.Buffer.load()
    var (bit, left) = (start, count)
    while left > 0 {
      let width = Swift.min(32 - bit % 32, left)
      let mask = (UInt32.max >> (32 - width)) << (bit % 32)
      _ = try buffer[Int(bit / 32)].update { value ? $0 | mask : $0 & ~mask }
      (bit, left) = (bit &+ width, left - width)
    }
  }

  fileprivate func all(_ value: Bool, _ start: UInt32, _ count: UInt32) throws -> Bool {
    let size = UInt64(try self.SizeOfBitMap.load())
    guard count > 0, UInt64(start) + UInt64(count) <= size else { return false }
    return try bits()[Int(start)..<Int(start) + Int(count)].allSatisfy { $0 == value }
  }

  /// Where `count` bits of `value` begin, from `hint` on or else from the start; -1 where they do not.
  fileprivate func find(_ value: Bool, _ count: UInt32, _ hint: UInt32) throws -> UInt32 {
    let bits = try bits()
    let start = Int(hint) < bits.count ? Int(hint) : 0
    // No bits are found right at the hint, at the start of its byte.
    if count == 0 { return UInt32(start & ~7) }
    for range in [start..<bits.count, 0..<bits.count] {
      var length: UInt32 = 0
      for index in range {
        length = bits[index] == value ? length + 1 : 0
        if length == count { return UInt32(index) + 1 - count }
      }
    }
    return .max
  }

  fileprivate func clearRuns() throws -> [Range<Int>] {
    var (runs, start): ([Range<Int>], Int?) = ([], nil)
    for (index, bit) in (try bits() + [true]).enumerated() {
      if !bit {
        start = start ?? index
      } else if let first = start.take() {
        runs.append(first..<index)
      }
    }
    return runs
  }

  /// The first run of clear bits at or after `index`.
  fileprivate func run(from index: Int, _ start: Pointer<UInt32>) throws -> UInt32 {
    let bits = try bits()
    guard index < bits.count, let first = bits[index...].firstIndex(of: false) else {
      try start.store(UInt32(bits.count))
      return 0
    }
    let end = bits[first...].firstIndex(of: true) ?? bits.count
    try start.store(UInt32(first))
    return UInt32(end - first)
  }
}
