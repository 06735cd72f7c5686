import CHost
import Glibc
import Guest

/// The number of a page frame, as an MDL holds it: its offset in physical memory, in pages.
public typealias FrameNumber = UInt32

/// The run's memory budget, or the host's, is used up.
public struct MemoryExhausted: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  public init(description: String) { self.description = description }
}

/// The guest's physical memory: page frames in one memory file, so that a frame can be mapped at any number of places.
///
/// Frames are handed out lowest first, zeroed, and count who uses them: `mappings` (page tables) and `pins` (locked MDLs).
/// A frame returns to the free list when both are zero, so a pinned frame outlives its mapping, as on Windows.
/// Safety: `base` spans the whole file for as long as the object lives, and the file never shrinks; `frames` has room for all.
public final class PhysicalMemory {
  public struct Frame: Sendable {
    public var mappings: UInt32 = 0
    public var pins: UInt32 = 0
    /// A store went through an MDL or a page table entry since the frame was filled.
    public var isDirty = false
    /// It is on the free list.
    var isFree = false
  }

  public let base: UnsafeMutableRawPointer
  /// The budget, in frames.
  public let capacity: Int
  let file: Int32
  /// Room for every frame of the budget; those below ``count`` exist. Frame 0 is never handed out: 0 means "none" in a page entry.
  private let frames: UnsafeMutablePointer<Frame>
  private var count = 1
  private var free: [FrameNumber] = []

  /// - Parameter limit: the budget, in bytes.
  public init(limit: Int) throws(MemoryExhausted) {
    capacity = max(16, limit / Int(GuestMemory.pageSize))
    // One page more than can be handed out: a read of whole words at the end of the last frame stays inside.
    let size = (capacity + 1) * Int(GuestMemory.pageSize)
    file = memfd_create("probelock", memfd_close_on_exec)
    guard file >= 0, ftruncate(file, size) == 0,
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0), base != MAP_FAILED
    else { throw MemoryExhausted(description: "the host has no \(limit) bytes of address space for the guest's memory") }
    self.base = base
    // Fresh pages of the host's: zeroed, and there once they are touched.
    let room = mmap(
      nil, capacity * MemoryLayout<Frame>.stride, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let room, room != MAP_FAILED else {
      throw MemoryExhausted(description: "the host has no address space for \(capacity) frames")
    }
    frames = room.bindMemory(to: Frame.self, capacity: capacity)
    frames[0] = Frame(mappings: 1)
  }

  deinit {
    munmap(base, (capacity + 1) * Int(GuestMemory.pageSize))
    munmap(frames, capacity * MemoryLayout<Frame>.stride)
    close(file)
  }

  /// Frames in use.
  public var used: Int { count - 1 - free.count }

  /// A zeroed frame that nothing uses yet.
  public func allocate() throws(MemoryExhausted) -> FrameNumber {
    while let frame = free.popLast() {
      frames[Int(frame)].isFree = false
      // Someone named it by number while nobody used it, and uses it now.
      guard frames[Int(frame)].mappings == 0 && frames[Int(frame)].pins == 0 else { continue }
      memset(host(frame), 0, Int(GuestMemory.pageSize))
      frames[Int(frame)] = Frame()
      return frame
    }
    return try allocate(contiguous: 1)
  }

  /// The first of `count` zeroed frames that follow each other.
  public func allocate(contiguous wanted: Int) throws(MemoryExhausted) -> FrameNumber {
    guard wanted >= 0, count + wanted <= capacity else {
      throw MemoryExhausted(description: "the memory budget of \(capacity * 4) KiB is used up")
    }
    defer { count += wanted }
    return FrameNumber(count)
  }

  /// Whether `frame` is one of this machine's, in use or not: what Windows' PFN database covers.
  public func contains(_ frame: FrameNumber) -> Bool { frame != 0 && Int(frame) < count }

  public subscript(frame: FrameNumber) -> Frame {
    get { frames[checked(frame)] }
    set { frames[checked(frame)] = newValue }
  }

  private func checked(_ frame: FrameNumber) -> Int {
    precondition(Int(frame) < count, "no such frame")
    return Int(frame)
  }

  /// Counts one page table entry more, or one owner that keeps the frame for them, without a bounds question: `frame` came from
  /// this object.
  public func retain(_ frame: FrameNumber) { frames[Int(frame)].mappings += 1 }

  /// Takes one ``retain(_:)`` back.
  public func release(_ frame: FrameNumber) {
    frames[Int(frame)].mappings -= 1
    freeIfUnused(frame)
  }

  public func pin(_ frame: FrameNumber) { frames[checked(frame)].pins += 1 }

  /// Takes one pin back; returns `false` where there was none.
  public func unpin(_ frame: FrameNumber) -> Bool {
    let index = checked(frame)
    guard frames[index].pins > 0 else { return false }
    frames[index].pins -= 1
    freeIfUnused(frame)
    return true
  }

  private func freeIfUnused(_ frame: FrameNumber) {
    if frames[Int(frame)].mappings == 0 && frames[Int(frame)].pins == 0 && !frames[Int(frame)].isFree {
      frames[Int(frame)].isFree = true
      free.append(frame)
    }
  }

  /// The frame's bytes.
  public func host(_ frame: FrameNumber) -> UnsafeMutableRawPointer {
    base + Int(frame) << Int(GuestMemory.pageShift)
  }

  public func bytes(of frame: FrameNumber) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: host(frame), count: Int(GuestMemory.pageSize)))
  }

  public func fill(_ frame: FrameNumber, with bytes: some Collection<UInt8>) {
    UnsafeMutableRawBufferPointer(start: host(frame), count: Int(GuestMemory.pageSize)).copyBytes(
      from: bytes.prefix(Int(GuestMemory.pageSize)))
  }

  /// Puts `bytes` into the frame from `offset` on; what does not fit is left out.
  public func write(_ bytes: ArraySlice<UInt8>, to frame: FrameNumber, at offset: Int) {
    let room = UnsafeMutableRawBufferPointer(start: host(frame), count: Int(GuestMemory.pageSize)).dropFirst(offset)
    UnsafeMutableRawBufferPointer(rebasing: room).copyBytes(from: bytes.prefix(room.count))
  }
}
