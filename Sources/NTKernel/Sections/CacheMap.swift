import Guest
import Memory
import WindowsTypes

/// The cached data of a file: what `SECTION_OBJECT_POINTERS.SharedCacheMap` stands for.
final class CacheMap {
  let store: PageStore
  /// The file object that paging requests name.
  let file: Pointer<FILE_OBJECT>
  /// In bytes: `CC_FILE_SIZES`.
  var allocationSize: Int64 = 0
  var fileSize: Int64 = 0
  var validDataLength: Int64 = 0
  /// The file objects that have initialised caching.
  var users: Set<UInt64> = []
  /// Pages that differ from what the driver last wrote or read.
  var dirty: Set<UInt64> = []

  init(_ store: PageStore, file: Pointer<FILE_OBJECT>) {
    self.store = store
    self.file = file
  }
}

/// A view of a cached file, by the address of the block that the caller holds as its `Bcb`.
struct CacheView {
  let map: CacheMap
  let base: UInt64
  let pages: Range<UInt64>
  var references = 1
}

/// The cache manager, over pages that paging requests read in and write back.
extension Kernel {
  /// The map of a file object; bugcheck 0x34, CACHE_MANAGER, where there is none.
  func cacheMap(of file: Pointer<FILE_OBJECT>) throws -> CacheMap {
    let pointers = try file.SectionObjectPointer.load()
    guard !pointers.isNull, let map = files.caches[pointers.address] else { throw BugCheck(BugCheckCode(rawValue: 0x34), file.address) }
    return map
  }

  /// Reads in the pages of a range that are not there yet. A driver's failure is raised.
  func bringIn(_ map: CacheMap, _ offset: UInt64, _ length: UInt64) async throws {
    guard length > 0 else { return }
    if let node = try node(of: map.file) {
      do { return try await readIn(node, offset, length, map.file, for: 0) } catch let refusal as Refusal {
        throw GuestException(refusal.status)
      }
    }
    let valid = UInt64(max(0, map.fileSize))
    for page in offset >> 12...(offset + length - 1) >> 12 where map.store.residentFrame(page) == nil {
      // Behind the end nothing is to be read.
      if page << 12 >= valid {
        _ = try map.store.frame(page)
        continue
      }
      do { try await pageIn(page, of: map.file, to: map.store) } catch let refusal as Refusal { throw GuestException(refusal.status) }
    }
  }

  func isResident(_ map: CacheMap, _ offset: UInt64, _ length: UInt64) throws -> Bool {
    guard length > 0, try node(of: map.file) == nil else { return true }
    return (offset >> 12...(offset + length - 1) >> 12).allSatisfy { map.store.residentFrame($0) != nil }
  }

  /// Writes what has changed back, page by page.
  func flush(_ map: CacheMap, _ pages: ClosedRange<UInt64>? = nil) async throws -> NTSTATUS {
    do { return try await acquired(map.file, for: .flush) { try await writeBack(map, pages) } } catch let refusal as Refusal {
      return refusal.status
    }
  }

  private func writeBack(_ map: CacheMap, _ pages: ClosedRange<UInt64>?) async throws -> NTSTATUS {
    for page in map.dirty.sorted() where pages?.contains(page) ?? true {
      map.dirty.remove(page)
      guard try node(of: map.file) == nil else { continue }
      let status = try await transferPage(page, of: map.file, map.store, isRead: false)
      guard status.isSuccess else {
        map.dirty.insert(page)
        return status
      }
    }
    return .success
  }

  /// Copies cached data to a buffer, up to the end of the file. Returns how much; `nil` where that would have to wait.
  func copyOut(_ map: CacheMap, _ start: UInt64, _ length: UInt64, to buffer: UInt64, waits: Bool) async throws -> UInt64? {
    let end = UInt64(max(0, map.fileSize))
    let count = min(length, end - min(start, end))
    if !waits, try !isResident(map, start, count) { return nil }
    try await bringIn(map, start, count)
    var done: UInt64 = 0
    while done < count {
      let piece = map.store.piece(Int(min(count - done, 4096)), at: start + done)
      try memory.memory.write(piece, at: buffer + done)
      done += UInt64(piece.count)
    }
    return count
  }

  /// Copies a buffer to the cache. Returns whether it did: `false` where that would have to wait.
  func copyIn(_ map: CacheMap, _ start: UInt64, _ length: UInt64, from buffer: UInt64, waits: Bool) async throws -> Bool {
    guard length > 0 else { return true }
    if !waits, try !isResident(map, start, length) { return false }
    // Only pages that are written in part are read in.
    for end in [start, start + length - 1] { try await bringIn(map, end & ~0xfff, 1) }
    var done: UInt64 = 0
    while done < length {
      let count = min(length - done, 4096 - (start + done) % 4096)
      try map.store.write(memory.memory.bytes(Int(count), at: buffer + done), at: start + done)
      map.dirty.insert((start + done) >> 12)
      done += count
    }
    map.validDataLength = max(map.validDataLength, Int64(start + length))
    return true
  }

  /// Shows pages of a cached file in system space.
  func mapView(of map: CacheMap, _ offset: UInt64, _ length: UInt64, _ bcb: Pointer<GuestWord>, _ buffer: Pointer<GuestWord>) async throws {
    guard length > 0, length <= 0x4_0000 else { throw GuestException(.invalidParameter) }
    try await bringIn(map, offset, length)
    let pages = offset >> 12..<((offset + length - 1) >> 12) + 1
    let size = UInt64(pages.count) << 12
    guard let base = systemPTEs.allocate(size) else { throw GuestException(.insufficientResources) }
    try memory.kernel.set(try pages.map { Page(.valid, frame: try map.store.frame($0)) }, at: base)
    let block = try allocate(0x10)
    files.cacheViews[block] = CacheView(map: map, base: base, pages: pages)
    try bcb.store(GuestWord(block))
    try buffer.store(GuestWord(base + offset & 0xfff))
  }

  func unmapCacheView(_ bcb: UInt64) throws {
    guard var view = files.cacheViews[bcb] else { return }
    view.references -= 1
    files.cacheViews[bcb] = view
    guard view.references == 0 else { return }
    files.cacheViews[bcb] = nil
    try memory.kernel.set(repeatElement(Page.free, count: view.pages.count), at: view.base)
    systemPTEs.release(view.base, UInt64(view.pages.count) << 12)
    _ = nonPagedPool.free(bcb)
  }
}
