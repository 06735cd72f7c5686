import Events
import Guest
import Memory
import WindowsTypes

/// Views of an MDL's frames at other addresses.
extension Kernel {
  /// Maps the MDL's frames into system space and returns the first byte's address; `nil` where no addresses are left.
  func mapSystemView(of mdl: Pointer<MDL>, routine: String) throws -> UInt64? {
    let frames = try frames(of: mdl)
    guard let base = systemPTEs.allocate(UInt64(frames.count) << GuestMemory.pageShift) else { return nil }
    try memory.kernel.set(frames.map { Page(.valid, frame: $0) }, at: base)
    systemViews[base] = frames.count
    let address = base + UInt64(try mdl.ByteOffset.load())
    try mdl.MappedSystemVa.store(Pointer(address, in: memory.memory))
    var flags = try mdl.MdlFlags.load()
    flags.insert(.mappedToSystemVA)
    if flags.contains(.partial) { flags.insert(.partialHasBeenMapped) }
    try mdl.MdlFlags.store(flags)
    try recordMapping(of: mdl, at: address, frames, process: nil, routine)
    return address
  }

  /// Removes the view whose first byte is at `address`. A view that is none is bugcheck 0xDA, SYSTEM_PTE_MISUSE.
  func unmapSystemView(of mdl: Pointer<MDL>, at address: UInt64) throws {
    let base = address & ~0xfff
    guard let count = systemViews.removeValue(forKey: base) else {
      throw BugCheck(BugCheckCode(rawValue: 0xda), 0x300, address, UInt64(try mdl.pageCount()), 0)
    }
    try memory.kernel.set(repeatElement(Page.free, count: count), at: base)
    systemPTEs.release(base, UInt64(count) << GuestMemory.pageShift)
    try mdl.MdlFlags.store(mdl.MdlFlags.load().subtracting([.mappedToSystemVA, .partialHasBeenMapped]))
    try mdl.MappedSystemVa.store(Pointer(0, in: memory.memory))
    stream.append(.unmapping(mdl: mdl.address, address: address, routine: exports.exports[servedExport].name, site: site()))
  }

  /// Maps the MDL's frames into the current process, at `base` or wherever there is room, and returns the first byte's address.
  func mapUserView(of mdl: Pointer<MDL>, at base: UInt64, routine: String) throws -> UInt64 {
    let frames = try frames(of: mdl)
    let size = UInt64(frames.count) << GuestMemory.pageShift
    let range = memory.current.user
    func isFree(_ start: UInt64) -> Bool {
      start >= memory.target.lowestUserAddress && start + size <= memory.target.userProbeAddress
        && stride(from: start, to: start + size, by: Int(GuestMemory.pageSize)).allSatisfy { range[$0].kind == .free }
    }
    var place = base & ~0xfff
    if base == 0 {
      // Allocation granularity is 64 KB.
      place = memory.target.lowestUserAddress
      while place + size <= memory.target.userProbeAddress && !isFree(place) { place += 0x1_0000 }
    }
    guard isFree(place) else { throw GuestException(base == 0 ? .insufficientResources : .conflictingAddresses) }
    try range.set(frames.map { Page(.valid, frame: $0, isShared: true) }, at: place)
    let address = place + UInt64(try mdl.ByteOffset.load())
    try recordMapping(of: mdl, at: address, frames, process: currentSpaceOwner, routine)
    return address
  }

  /// Removes a view from the current process, whoever's it is: an unrelated range goes the same way (MmUnmapLockedPages, remarks).
  func unmapUserView(of mdl: Pointer<MDL>, at address: UInt64) throws {
    let range = memory.current.user
    for index in 0..<(try mdl.pageCount()) {
      let place = (address & ~0xfff) + UInt64(index) << GuestMemory.pageShift
      if range.contains(place) && place < memory.target.userProbeAddress { try range.set(.free, at: place) }
    }
    stream.append(.unmapping(mdl: mdl.address, address: address, routine: "MmUnmapLockedPages", site: site()))
  }

  /// The frame numbers that the MDL holds. One that is no frame of this machine's is bugcheck 0x1A, MEMORY_MANAGEMENT.
  func frames(of mdl: Pointer<MDL>) throws -> [FrameNumber] {
    try (0..<mdl.pageCount()).map { index in
      let number = try mdl.frames[index].load().bits
      guard number <= UInt64(FrameNumber.max), memory.physical.contains(FrameNumber(number)) else {
        throw BugCheck(.memoryManagement, 0x1236, mdl.address, mdl.frames[index].address, number)
      }
      return FrameNumber(number)
    }
  }

  private func recordMapping(
    of mdl: Pointer<MDL>, at address: UInt64, _ frames: [FrameNumber], process: Process?, _ routine: String
  ) throws {
    let buffer = try mdl.virtualAddress()
    let length = UInt64(try mdl.ByteCount.load())
    let requestor = try requestor(of: buffer, length, mdl, frames)
    stream.append(
      .mapping(
        MappingEvent(
          mdl: mdl.address, address: address, length: length, bufferAddress: buffer,
          pages: frameList(of: frames, with: requestor, at: buffer & ~0xfff), process: process?.id, requestor: requestor?.id,
          isLockedByKernel: frames.allSatisfy { memory.physical[$0].pins > 0 }, routine: routine, site: site())))
  }
}
