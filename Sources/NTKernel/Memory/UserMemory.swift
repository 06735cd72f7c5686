import Guest
import Memory
import WindowsTypes

/// What a process does to its own memory, as the run arranges it.
extension Kernel {
  /// Gives `pages` at `address` of `process` their states. Pages of kind `.valid` without a frame get a fresh one each, in a
  /// contiguous run.
  public func map(_ page: Page, pages count: Int, at address: UInt64, in process: Process) throws {
    guard page.kind == .valid, page.frame == 0 else {
      return try process.space.user.set(repeatElement(page, count: count), at: address)
    }
    let first = try memory.physical.allocate(contiguous: count)
    try map(page, frames: (0..<count).map { first + FrameNumber($0) }, at: address, in: process)
  }

  /// Maps `frames` one after another from `address` on.
  public func map(_ page: Page, frames: [FrameNumber], at address: UInt64, in process: Process) throws {
    try process.space.user.set(
      frames.map {
        var page = page
        page.frame = $0
        return page
      }, at: address)
  }

  /// Puts the content of a page with the pager, or has the pager fail with `status`.
  public func pageOut(_ page: Page, at address: UInt64, content: [UInt8]?, failing status: NTSTATUS?, in process: Process) throws {
    pagingFile.append(status.map { .failing($0) } ?? .content(content ?? []))
    var out = page
    out.kind = .pagedOut
    out.frame = FrameNumber(pagingFile.count - 1)
    try process.space.user.set(out, at: address)
  }

  /// Puts a resident page with the pager, content and all; does nothing to a page that is not resident or is locked.
  public func trim(_ address: UInt64, in process: Process) throws {
    let page = process.space[address]
    guard page.kind == .valid, memory.physical[page.frame].pins == 0 else { return }
    try pageOut(page, at: address, content: memory.physical.bytes(of: page.frame), failing: nil, in: process)
  }

  /// A frame for a section that several processes share.
  public func makeFrame(_ bytes: some Collection<UInt8>) throws -> FrameNumber {
    let frame = try memory.physical.allocate()
    memory.physical.fill(frame, with: bytes)
    return frame
  }

  /// Stores `bytes` as the process's own thread would, whatever is current: through its pages, with its faults.
  public func store(_ bytes: [UInt8], at address: UInt64, in process: Process) throws {
    let before = memory.current
    memory.activate(process.space)
    defer { memory.activate(before) }
    try memory.memory.write(bytes, at: address)
  }
}
