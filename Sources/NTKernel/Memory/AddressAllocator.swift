import Guest

/// Hands out runs of addresses of a range, lowest first, and takes them back. Counts only addresses: memory is the caller's.
struct AddressAllocator {
  private let range: Range<UInt64>
  private let granule: UInt64
  private var next: UInt64
  /// Runs that came back, by address.
  private var free: [(start: UInt64, size: UInt64)] = []

  init(_ range: Range<UInt64>, granule: UInt64) {
    self.range = range
    self.granule = granule
    next = range.lowerBound
  }

  /// A run of at least `size` bytes, or `nil` where none is left.
  mutating func allocate(_ size: UInt64) -> UInt64? {
    let size = max(granule, (size + granule - 1) / granule * granule)
    if let index = free.firstIndex(where: { $0.size >= size }) {
      let start = free[index].start
      if free[index].size == size { free.remove(at: index) } else { free[index] = (start + size, free[index].size - size) }
      return start
    }
    guard size <= range.upperBound - next else { return nil }
    defer { next += size }
    return next
  }

  mutating func release(_ start: UInt64, _ size: UInt64) {
    let size = max(granule, (size + granule - 1) / granule * granule)
    let index = free.firstIndex { $0.start > start } ?? free.endIndex
    free.insert((start, size), at: index)
    if index + 1 < free.count && free[index].start + free[index].size == free[index + 1].start {
      free[index].size += free.remove(at: index + 1).size
    }
    if index > 0 && free[index - 1].start + free[index - 1].size == free[index].start {
      free[index - 1].size += free.remove(at: index).size
    }
  }
}
