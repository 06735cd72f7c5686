import Guest
import WindowsTypes

/// The cache of one stream, on a volume whose files' data passes a cache: `FileNode.data` is what is in memory, this is the rest.
///
/// Reads and writes of users, and views, meet in memory; between memory and disk there is paging I/O alone, which filters see.
final class StreamCache {
  /// What the disk holds: what paging and non-cached transfers read and write.
  let disk: PageStore
  /// What the pages in memory held when they were last read or written: one that differs is dirty, whoever has written to it.
  private var clean: [UInt64: Int] = [:]
  /// The file object that paging requests name, which stays for as long as the cache is used; null where nobody uses it.
  var file: UInt64 = 0
  /// The lazy writer has been told that the last handle is gone.
  var isClosing = false

  init(disk: PageStore) { self.disk = disk }

  private static func digest(_ page: UInt64, _ data: PageStore) -> Int {
    var hasher = StableHash()
    hasher.combine(data.bytes(Int(GuestMemory.pageSize), at: page << GuestMemory.pageShift))
    return hasher.value
  }

  func noteClean(_ page: UInt64, _ data: PageStore) { clean[page] = Self.digest(page, data) }

  /// Pages in memory, up to the stream's end, that differ from what was last read or written, in order.
  func dirtyPages(of data: PageStore, size: UInt64) -> [UInt64] {
    data.residentPages.filter { $0 << GuestMemory.pageShift < size && clean[$0] != Self.digest($0, data) }
  }

  func truncate(to size: UInt64, _ data: PageStore) {
    disk.truncate(to: size)
    let end = (size + GuestMemory.pageSize - 1) >> GuestMemory.pageShift
    clean = clean.filter { $0.key < end }
    if end > 0, clean[end - 1] != nil { noteClean(end - 1, data) }
  }
}

/// FNV-1a over 64 bits: the same in every run, unlike the standard library's.
private struct StableHash {
  private var state: UInt64 = 0xcbf2_9ce4_8422_2325
  mutating func combine(_ bytes: [UInt8]) { for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 } }
  var value: Int { Int(truncatingIfNeeded: state) }
}

/// Paging I/O of the run's own volumes, where they have it (“IRP_MJ_READ and paging I/O”, irp-mj-read and irp-mj-write of the file system
/// documentation; FSRTL_CACHE_TOP_LEVEL_IRP, nf-ntifs-iosettoplevelirp).
extension Kernel {
  /// `FSRTL_CACHE_TOP_LEVEL_IRP` (`ntifs.h`): the cache manager is the top-level component.
  private static let cacheTopLevel: UInt64 = 2

  private func topLevel() throws -> Pointer<GuestWord> { try currentThread().cast(to: ETHREAD.self).TopLevelIrp }

  /// Does `body` as the top-level component `value`, if there is none yet.
  private func asTopLevel<Result>(_ value: UInt64, _ body: () async throws -> Result) async throws -> Result {
    let place = try topLevel()
    guard try place.load().bits == 0 else { return try await body() }
    try place.store(GuestWord(value))
    do {
      let result = try await body()
      try place.store(0)
      return result
    } catch {
      try place.store(0)
      throw error
    }
  }

  /// Reads in what is not in memory yet: by page faults of the running thread's, which are served at APC_LEVEL.
  ///
  /// - Parameter irp: the request that needs it, which the file system makes the top-level one; 0 for a fault of its own.
  func readIn(_ node: FileNode, _ offset: UInt64, _ count: UInt64, _ file: Pointer<FILE_OBJECT>, for irp: UInt64) async throws {
    guard let cache = node.cache, count > 0 else { return }
    try beginCaching(node, file)
    try await asTopLevel(irp) {
      for page in offset >> 12...(offset + count - 1) >> 12 where node.data.residentFrame(page) == nil {
        guard page << 12 < node.size else {
          _ = try node.data.frame(page)
          cache.noteClean(page, node.data)
          continue
        }
        let irql = try raiseIRQL(to: .apc)
        do {
          try await pageIn(page, of: Pointer(cache.file, in: memory.memory), to: node.data)
        } catch {
          try lowerIRQL(to: irql)
          throw error
        }
        try lowerIRQL(to: irql)
        cache.noteClean(page, node.data)
      }
    }
  }

  /// The first cached transfer keeps the file object: IRP_MJ_CLOSE waits for the cache manager.
  private func beginCaching(_ node: FileNode, _ file: Pointer<FILE_OBJECT>) throws {
    guard let cache = node.cache, cache.file == 0 else { return }
    cache.file = file.address
    _ = try reference(file.address, for: nil)
  }

  /// Has a cached write find room in memory: pages that it writes in part are read in.
  func prepareWrite(_ node: FileNode, _ offset: UInt64, _ count: UInt64, _ file: Pointer<FILE_OBJECT>, for irp: UInt64) async throws {
    guard node.cache != nil, count > 0 else { return }
    try beginCaching(node, file)
    let end = offset + count
    if offset & 0xfff != 0 || count < 0x1000 { try await readIn(node, offset, 1, file, for: irp) }
    if end & 0xfff != 0 { try await readIn(node, end - 1, 1, file, for: irp) }
  }

  /// Writes what is dirty to the disk, page by page, by paging writes that every filter sees.
  func writeBack(_ node: FileNode) async throws -> NTSTATUS {
    guard let cache = node.cache, cache.file != 0 else { return .success }
    let file = Pointer<FILE_OBJECT>(cache.file, in: memory.memory)
    let dirty = cache.dirtyPages(of: node.data, size: node.size)
    guard !dirty.isEmpty else { return .success }
    do {
      return try await acquired(file, for: .flush) {
        for page in dirty {
          let status = try await transferPage(page, of: file, node.data, isRead: false)
          guard status.isSuccess else { return status }
          cache.noteClean(page, node.data)
        }
        return .success
      }
    } catch let refusal as Refusal { return refusal.status }
  }

  /// Writes back what a request needs on the disk.
  func writeBack(_ node: FileNode, for request: FileRequest) async throws {
    let status = try await asTopLevel(request.irp.address) { try await writeBack(node) }
    guard status.isSuccess else { throw Refusal(status) }
  }

  /// `IRP_MJ_FLUSH_BUFFERS`: of a file, or of every file of a volume.
  func flushBuffers(_ request: FileRequest) async throws -> Reply {
    let volume = request.volume
    guard volume.hasPagingIO else { return .success }
    var nodes = request.node.map { [$0] } ?? []
    if request.node == nil {
      for open in files.opens.sorted(by: { $0.key < $1.key }).map(\.value) where open.volume === volume {
        if let node = open.node, !nodes.contains(where: { $0 === node }) { nodes.append(node) }
      }
    }
    return try await asTopLevel(request.irp.address) {
      for node in nodes {
        let status = try await writeBack(node)
        guard status.isSuccess else { return Reply(status) }
      }
      return .success
    }
  }

  /// The last handle is gone: the rest is the lazy writer's, a system worker.
  func leaveToLazyWriter(_ node: FileNode) throws {
    guard let cache = node.cache, cache.file != 0, !cache.isClosing else { return }
    cache.isClosing = true
    try queue(WorkItem(routine: trapAddress(of: "CcpLazyWriter"), arguments: [node.controlBlock], finish: {}), queue: 1)
  }

  /// Writes what is dirty of a stream that nobody has a handle to, and lets its file object go.
  func writeLazily(_ controlBlock: UInt64) async throws {
    guard let node = files.nodes[controlBlock], let cache = node.cache, cache.isClosing else { return }
    cache.isClosing = false
    guard node.handles <= 0 else { return }
    if !node.isDeleted {
      let status = try await asTopLevel(Self.cacheTopLevel) { try await writeBack(node) }
      if !status.isSuccess { stream.append(.note("the lazy writer could not write \(node.path): \(status); what was dirty is lost")) }
    }
    guard node.handles <= 0 else { return }
    let file = cache.file
    cache.file = 0
    for page in node.data.residentPages where node.data.userViews == 0 { node.data.forget(page) }
    try await dereference(file)
  }
}

extension Export {
  /// The cache manager's own worker routine.
  static let lazyWriter: [Export] = [
    export("CcpLazyWriter(ControlBlock)", isImportable: false) { (kernel, block: GuestWord) async throws in
      try await kernel.writeLazily(block.bits)
    }
  ]
}
