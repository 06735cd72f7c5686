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

  public init(requestor: ProcessID, address: UInt64, length: UInt64) {
    self.requestor = requestor
    self.address = address
    self.length = length
  }

  func overlaps(_ address: UInt64, _ length: UInt64) -> Bool {
    address < self.address + max(1, self.length) && self.address < address + max(1, length)
  }
}

extension Kernel {
  /// Records whose buffer an I/O request is about.
  public func record(_ request: BufferRequest) { requests.append(request) }

  /// Whose buffer the `length` bytes at `address` are: of the outstanding requests that overlap it, the latest.
  func requestor(of address: UInt64, _ length: UInt64) -> Process? {
    guard address < memory.target.systemRangeStart,
      let request = requests.last(where: { $0.overlaps(address, length) })
    else { return nil }
    return processes[request.requestor]
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
