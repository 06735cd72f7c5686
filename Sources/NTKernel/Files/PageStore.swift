import Glibc
import Guest
import Memory

/// Pages that several views may show at once: a file's data, or a section's that no file backs.
///
/// Pages that nothing was ever written to have no frame, and read as zeros.
final class PageStore {
  private let physical: PhysicalMemory
  private var frames: [UInt64: FrameNumber] = [:]
  /// How many views of user mode show the pages: they forbid truncation (MmCanFileBeTruncated).
  var userViews = 0

  init(in physical: PhysicalMemory) { self.physical = physical }

  deinit { for frame in frames.values { physical.release(frame) } }

  /// The frame of a page, made now if it has none.
  func frame(_ index: UInt64) throws -> FrameNumber {
    if let frame = frames[index] { return frame }
    let frame = try physical.allocate()
    physical.retain(frame)
    frames[index] = frame
    return frame
  }

  /// The frame of a page, if it has one.
  func residentFrame(_ index: UInt64) -> FrameNumber? { frames[index] }

  /// Pages that have frames.
  var residentPages: [UInt64] { frames.keys.sorted() }

  func forget(_ index: UInt64) {
    if let frame = frames.removeValue(forKey: index) { physical.release(frame) }
  }

  /// Up to the end of the page that holds `offset`.
  func piece(_ count: Int, at offset: UInt64) -> [UInt8] {
    let count = min(count, Int(GuestMemory.pageSize - offset % GuestMemory.pageSize))
    guard let frame = frames[offset >> GuestMemory.pageShift] else { return Array(repeating: 0, count: count) }
    return Array(
      UnsafeRawBufferPointer(start: physical.host(frame) + Int(offset % GuestMemory.pageSize), count: count))
  }

  /// `count` bytes from `offset` on. The caller bounds the count.
  func bytes(_ count: Int, at offset: UInt64) -> [UInt8] {
    var result: [UInt8] = []
    while result.count < count { result += piece(count - result.count, at: offset + UInt64(result.count)) }
    return result
  }

  func write(_ bytes: some Collection<UInt8>, at offset: UInt64) throws {
    var (rest, place) = (bytes[...], offset)
    while !rest.isEmpty {
      let inside = Int(place % GuestMemory.pageSize)
      let count = min(rest.count, Int(GuestMemory.pageSize) - inside)
      let frame = try frame(place >> GuestMemory.pageShift)
      UnsafeMutableRawBufferPointer(start: physical.host(frame) + inside, count: count).copyBytes(from: rest.prefix(count))
      rest = rest.dropFirst(count)
      place += UInt64(count)
    }
  }

  /// Zeroes what lies from `start` to `end`, without making frames for it.
  func zero(_ start: UInt64, to end: UInt64) {
    guard start < end else { return }
    for (index, frame) in frames {
      let page = index << GuestMemory.pageShift
      let (from, to) = (max(start, page), min(end, page + GuestMemory.pageSize))
      if from < to { memset(physical.host(frame) + Int(from - page), 0, Int(to - from)) }
    }
  }

  /// Drops the pages behind `size`, and zeroes the rest of the last one.
  func truncate(to size: UInt64) {
    let first = (size + GuestMemory.pageSize - 1) >> GuestMemory.pageShift
    for index in frames.keys where index >= first { forget(index) }
    zero(size, to: first << GuestMemory.pageShift)
  }
}
