import Events
import Guest
import Memory
import WindowsTypes

/// An outstanding I/O request's buffer: where it is, and in whose address space, as recorded when the I/O was issued.
public struct BufferRequest: Sendable, Hashable {
  /// The process that was current for the issuing thread.
  public var requestor: ProcessID
  public var address: UInt64
  /// In bytes.
  public var length: UInt64
  /// Where the request keeps the pointer to its MDL, if it has such a field.
  public var mdlField: UInt64?

  public init(requestor: ProcessID, address: UInt64, length: UInt64, mdlField: UInt64? = nil) {
    self.requestor = requestor
    self.address = address
    self.length = length
    self.mdlField = mdlField
  }

  func overlaps(_ address: UInt64, _ length: UInt64) -> Bool {
    address < self.address + max(1, self.length) && self.address < address + max(1, length)
  }
}

extension Kernel {
  /// Records whose buffer an I/O request is about.
  ///
  /// The record outlives the request: what a driver does to the buffer later is still about that process's memory.
  public func record(_ request: BufferRequest) throws {
    if let index = requests.lastIndex(of: request) { requests.remove(at: index) }
    requests.append(request)
    try watch(request)
  }

  /// Whose buffer the `length` bytes at `address` are that `mdl` describes with `frames`.
  ///
  /// Several processes may have I/O outstanding for one address. The request is the one whose MDL this is; where none says so, as
  /// for an MDL of a driver's own, one whose process has these very frames there (and first of these, one that is charged); else
  /// the latest.
  func requestor(of address: UInt64, _ length: UInt64, _ mdl: Pointer<MDL>, _ frames: [UInt32]) throws -> Process? {
    guard address < memory.target.systemRangeStart else { return nil }
    let here = memory.memory
    let candidates = requests.filter { $0.overlaps(address, length) && !processes[$0.requestor].hasExited }
    if let own = candidates.last(where: { request in
      request.mdlField.map { here.allows(.read, at: $0) && (try? GuestWord.load(here, at: $0).bits) == mdl.address } ?? false
    }) {
      return processes[own.requestor]
    }
    let account = process(at: try mdl.Process.load().address)
    let holders = candidates.map { processes[$0.requestor] }.filter { [first = address & ~0xfff] holder in
      frames.indices.allSatisfy { holder.space.frame(at: first + UInt64($0) << GuestMemory.pageShift) == frames[$0] }
    }
    return holders.last { $0 === account } ?? holders.last ?? candidates.last.map { processes[$0.requestor] }
  }

  /// An MDL's frames beside what the page tables of `requestor` hold from `address` on; where they differ, with the process that
  /// maps the frame at that address, if any does.
  func frameList(of frames: [UInt32], with requestor: Process?, at address: UInt64) -> FrameList {
    func place(_ page: Int) -> UInt64 { address + UInt64(page) << GuestMemory.pageShift }
    let others = processes.filter { $0 !== requestor }.map { (id: $0.id, space: $0.space) }
    return FrameList(frames, hasRequestor: requestor != nil) { page in
      requestor?.space.frame(at: place(page))
    } owner: { page, frame in
      others.first { $0.space.frame(at: place(page)) == frame }?.id
    }
  }
}
