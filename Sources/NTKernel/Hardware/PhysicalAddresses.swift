import Guest
import Memory
import WindowsTypes

/// Physical memory as drivers ask for it: views of device registers, contiguous blocks, pages for an MDL.
extension Kernel {
  static let contiguousMemory = "contiguous memory"
  static let nonCachedMemory = "noncached memory"
  static let deviceMapping = "a mapping of device memory"
  static let reservedMapping = "reserved mapping addresses"

  /// Whether a frame of this machine's memory is in use at this physical page: anywhere else no memory answers.
  private func isMemory(_ page: UInt64) -> Bool {
    guard page <= UInt64(FrameNumber.max), memory.physical.contains(FrameNumber(page)),
      processByDirectory[page << GuestMemory.pageShift] == nil
    else { return false }
    let frame = memory.physical[FrameNumber(page)]
    // From 640 KB to 1 MB adapters and the BIOS answer, where no memory is in use.
    return !(0xa0..<0x100 ~= page) || frame.mappings > 0 || frame.pins > 0
  }

  /// `MmMapIoSpace` (nf-wdm-mmmapiospace): null where the range is empty, wraps, or lies above what the processor can address.
  func mapDeviceMemory(_ physical: UInt64, _ size: UInt64) throws -> UInt64 {
    guard size > 0, physical < 1 << 32, physical + size <= 1 << 32 else { return 0 }
    let (first, offset) = (physical >> GuestMemory.pageShift, physical & 0xfff)
    let pages = Int((offset + size + 0xfff) >> GuestMemory.pageShift)
    guard let base = systemPTEs.allocate(UInt64(pages) << GuestMemory.pageShift) else { return 0 }
    for index in 0..<pages where isMemory(first + UInt64(index)) {
      try memory.kernel.set(
        Page(.valid, frame: FrameNumber(first + UInt64(index))), at: base + UInt64(index) << GuestMemory.pageShift)
    }
    hardware.deviceViews[base] = HardwareState.DeviceView(pages: pages, physical: physical & ~0xfff)
    register(Self.deviceMapping, base)
    return base + offset
  }

  /// `MmUnmapIoSpace`. A view that is none is bugcheck 0xDA, SYSTEM_PTE_MISUSE.
  func unmapDeviceMemory(_ address: UInt64, _ size: UInt64) throws {
    let base = address & ~0xfff
    guard let view = hardware.deviceViews.removeValue(forKey: base) else {
      throw BugCheck(BugCheckCode(rawValue: 0xda), 0x300, address, size, 0)
    }
    try memory.kernel.set(repeatElement(Page.free, count: view.pages), at: base)
    systemPTEs.release(base, UInt64(view.pages) << GuestMemory.pageShift)
    unregister(Self.deviceMapping, base)
  }

  /// `MmGetPhysicalAddress`; 0 where nothing is resident.
  package func physicalAddress(of address: UInt64) throws -> UInt64 {
    _ = try provide(address)
    for (base, view) in hardware.deviceViews where base <= address && address - base < UInt64(view.pages) << GuestMemory.pageShift {
      return view.physical + (address - base)
    }
    return memory.current.frame(at: address).map { UInt64($0) << GuestMemory.pageShift | address & 0xfff } ?? 0
  }

  /// `MmGetVirtualForPhysical`: some address of system space where the frame is mapped; 0 where it is not.
  func virtualAddress(for physical: UInt64) -> UInt64 {
    let wanted = physical >> GuestMemory.pageShift
    for index in memory.kernel.occupiedPages() {
      let address = memory.target.systemRangeStart + UInt64(index) << GuestMemory.pageShift
      let page = memory.kernel[address]
      if page.kind == .valid, UInt64(page.frame) == wanted { return address | physical & 0xfff }
    }
    return 0
  }

  /// Memory of frames that follow each other, mapped into system space; 0 where the limits or what is left do not allow it.
  func allocateContiguous(_ size: UInt64, lowest: UInt64 = 0, highest: UInt64 = .max, boundary: UInt64 = 0) throws -> UInt64 {
    let pages = Int((size + 0xfff) >> GuestMemory.pageShift)
    guard pages > 0, pages < memory.physical.capacity, boundary == 0 || size <= boundary else { return 0 }
    guard var first = try? memory.physical.allocate(contiguous: pages) else { return 0 }
    let start = UInt64(first) << GuestMemory.pageShift
    if boundary > GuestMemory.pageSize, start / boundary != (start + size - 1) / boundary {
      // A fresh run is handed out behind the last: from the next boundary on it does not cross one.
      let next = (UInt64(memory.physical.used + 2) << GuestMemory.pageShift + boundary) / boundary * boundary
      let wanted = Int(next >> GuestMemory.pageShift) + pages - Int(first)
      guard wanted < memory.physical.capacity, let second = try? memory.physical.allocate(contiguous: wanted) else { return 0 }
      let aligned = ((UInt64(second) << GuestMemory.pageShift) + boundary - 1) / boundary * boundary
      first = FrameNumber(aligned >> GuestMemory.pageShift)
    }
    let (low, high) = (UInt64(first) << GuestMemory.pageShift, UInt64(first) << GuestMemory.pageShift + size - 1)
    guard low >= lowest, high <= highest else { return 0 }
    return try place(frames: (0..<pages).map { first + FrameNumber($0) }, what: Self.contiguousMemory)
  }

  /// Memory of frames from anywhere, mapped into system space; 0 where there are not enough.
  func allocateNonCached(_ size: UInt64) throws -> UInt64 {
    let pages = Int((size + 0xfff) >> GuestMemory.pageShift)
    guard pages > 0, pages <= memory.physical.capacity - memory.physical.used - 1 else { return 0 }
    return try place(frames: (0..<pages).map { _ in try memory.physical.allocate() }, what: Self.nonCachedMemory)
  }

  private func place(frames: [FrameNumber], what: String) throws -> UInt64 {
    guard let base = systemPTEs.allocate(UInt64(frames.count) << GuestMemory.pageShift) else { return 0 }
    try memory.kernel.set(frames.map { Page(.valid, frame: $0) }, at: base)
    hardware.blocks[base] = frames.count
    register(what, base)
    return base
  }

  /// Takes such memory back. What is none is bugcheck 0xC2, BAD_POOL_CALLER with 0x60: a bad pointer to contiguous memory.
  func freeBlock(_ base: UInt64, what: String) throws {
    guard let pages = hardware.blocks.removeValue(forKey: base) else { throw BugCheck(.badPoolCaller, 0x60, base, 0, 0) }
    try memory.kernel.set(repeatElement(Page.free, count: pages), at: base)
    systemPTEs.release(base, UInt64(pages) << GuestMemory.pageShift)
    unregister(what, base)
  }

  /// `MmAllocatePagesForMdl`: an MDL of as many pages as there are from `low` to `high`, up to `size`; null where there is none.
  func allocatePages(_ size: UInt64, from low: UInt64, to high: UInt64) throws -> Pointer<MDL> {
    let here = memory.memory
    let header = Pointer<MDL>.size(in: here)
    // What an MDL's 16-bit size can describe, and what is left without starving everyone else.
    let most = min((0xffff - header) / memory.target.width.rawValue, (memory.physical.capacity - memory.physical.used) / 2)
    let pages = min(Int((size + 0xfff) >> GuestMemory.pageShift), most)
    guard pages > 0 else { return Pointer(0, in: here) }
    let frames = try takeFrames(pages, from: low, to: high)
    guard !frames.isEmpty else { return Pointer(0, in: here) }
    let mdl = try createMDL(0, UInt64(frames.count) << GuestMemory.pageShift)
    guard !mdl.isNull else {
      for frame in frames { _ = memory.physical.unpin(frame) }
      return mdl
    }
    for (index, frame) in frames.enumerated() { try mdl.frames[index].store(GuestWord(UInt64(frame))) }
    try mdl.MdlFlags.store(.pagesLocked)
    return mdl
  }

  /// Up to `count` frames between two physical addresses, of which the last is meant as well. What is free elsewhere is passed over, up
  /// to as much as a search is worth.
  private func takeFrames(_ count: Int, from low: UInt64, to high: UInt64) throws -> [FrameNumber] {
    let first = low >> GuestMemory.pageShift + (low % GuestMemory.pageSize == 0 ? 0 : 1)
    let end = high == .max ? .max >> UInt64(GuestMemory.pageShift) : (high + 1) >> GuestMemory.pageShift
    guard first < end else { return [] }
    var (frames, others): ([FrameNumber], [FrameNumber]) = ([], [])
    while frames.count < count && others.count < 1024 {
      let frame = try memory.physical.allocate()
      memory.physical.pin(frame)
      if first <= frame && frame < end { frames.append(frame) } else { others.append(frame) }
    }
    for frame in others { _ = memory.physical.unpin(frame) }
    return frames
  }

  /// An MDL without pages, in nonpaged pool.
  func createMDL(_ base: UInt64, _ length: UInt64) throws -> Pointer<MDL> {
    let here = memory.memory
    let size = sizeOfMDL(base, length)
    guard size <= 0xffff, let block = try nonPagedPool.allocate(size, tag: Self.mdlTag, in: memory) else { return Pointer(0, in: here) }
    let mdl = Pointer<MDL>(block, in: here)
    try describe(mdl, base, length, size)
    return mdl
  }

  /// `MmInitializeMdl`.
  func describe(_ mdl: Pointer<MDL>, _ base: UInt64, _ length: UInt64, _ size: UInt64) throws {
    try mdl.Next.store(Pointer(0, in: memory.memory))
    try mdl.Size.store(Int16(truncatingIfNeeded: size))
    try mdl.MdlFlags.store([])
    try mdl.StartVa.store(Pointer(base & ~0xfff, in: memory.memory))
    try mdl.ByteOffset.store(UInt32(base & 0xfff))
    try mdl.ByteCount.store(UInt32(truncatingIfNeeded: length))
  }

  /// `MmFreePagesFromMdl`: the pages go, the MDL stays its caller's.
  func freePages(of mdl: Pointer<MDL>) throws {
    for index in 0..<(try mdl.pageCount()) {
      let frame = try mdl.frames[index].load().bits
      guard frame <= UInt64(FrameNumber.max), memory.physical.contains(FrameNumber(frame)), memory.physical.unpin(FrameNumber(frame))
      else { throw BugCheck(.pfnListCorrupt, 7, frame, 0, 0) }
    }
    try mdl.MdlFlags.store(mdl.MdlFlags.load().subtracting(.pagesLocked))
  }

  /// `MmAdvanceMdl` (nf-wdm-mmadvancemdl): the first bytes of the buffer are done with; whole pages of them are unlocked.
  func advance(_ mdl: Pointer<MDL>, by count: UInt32) throws -> NTSTATUS {
    let length = try mdl.ByteCount.load()
    guard count <= length else { return .invalidParameter2 }
    let flags = try mdl.MdlFlags.load()
    let before = try mdl.pageCount()
    let offset = try mdl.ByteOffset.load() &+ count
    let gone = min(Int(offset >> 12), before)
    if flags.contains(.mappedToSystemVA) {
      let mapped = try mdl.MappedSystemVa.load().address
      try mdl.MappedSystemVa.store(Pointer(mapped &+ UInt64(count), in: memory.memory))
      let base = mapped & ~0xfff
      if gone > 0, let pages = systemViews.removeValue(forKey: base) {
        let size = UInt64(gone) << GuestMemory.pageShift
        try memory.kernel.set(repeatElement(Page.free, count: gone), at: base)
        systemPTEs.release(base, size)
        if pages > gone { systemViews[base + size] = pages - gone }
      }
    }
    if gone > 0 {
      let frames = try (0..<before).map { try mdl.frames[$0].load() }
      if flags.contains(.pagesLocked) {
        for frame in frames[..<gone] {
          guard frame.bits <= UInt64(FrameNumber.max), memory.physical.contains(FrameNumber(frame.bits)),
            memory.physical.unpin(FrameNumber(frame.bits))
          else { throw BugCheck(.pfnListCorrupt, 7, frame.bits, 0, 0) }
        }
        let account = try mdl.Process.load()
        if !account.isNull {
          try account.NumberOfLockedPages.store(GuestWord(account.NumberOfLockedPages.load().bits &- UInt64(gone)))
        }
      }
      for (index, frame) in frames[gone...].enumerated() { try mdl.frames[index].store(frame) }
      try mdl.StartVa.store(Pointer(mdl.StartVa.load().address &+ UInt64(gone) << GuestMemory.pageShift, in: memory.memory))
    }
    try mdl.ByteOffset.store(offset & 0xfff)
    try mdl.ByteCount.store(length - count)
    return .success
  }

  /// `MmProtectMdlSystemAddress` (nf-wdm-mmprotectmdlsystemaddress).
  func protect(_ mdl: Pointer<MDL>, _ protection: UInt32) throws -> NTSTATUS {
    // PAGE_NOACCESS; PAGE_READONLY and PAGE_EXECUTE(_READ); PAGE_READWRITE and PAGE_EXECUTE_READWRITE.
    let kinds: [UInt32: Page.Protection] = [1: .noAccess, 2: .readOnly, 0x10: .readOnly, 0x20: .readOnly, 4: .readWrite, 0x40: .readWrite]
    // STATUS_INVALID_PAGE_PROTECTION
    guard let kind = kinds[protection & 0xff] else { return NTSTATUS(rawValue: 0xc000_0045) }
    // STATUS_NOT_MAPPED_VIEW
    guard try mdl.MdlFlags.load().contains(.mappedToSystemVA), case let base = try mdl.MappedSystemVa.load().address & ~0xfff,
      let pages = systemViews[base]
    else { return NTSTATUS(rawValue: 0xc000_0019) }
    for index in 0..<pages {
      let place = base + UInt64(index) << GuestMemory.pageShift
      var page = memory.kernel[place]
      page.protection = kind
      try memory.kernel.set(page, at: place)
    }
    return .success
  }

  // MARK: Reserved mappings

  /// A bugcheck 0xDA, SYSTEM_PTE_MISUSE, of a reserved mapping.
  private func misuse(_ kind: UInt64, _ address: UInt64, _ tag: UInt32) -> BugCheck {
    BugCheck(BugCheckCode(rawValue: 0xda), kind, address, UInt64(tag), 0)
  }

  func reserveMapping(_ size: UInt64, tag: UInt32) throws -> UInt64 {
    let pages = Int((size + 0xfff) >> GuestMemory.pageShift)
    guard pages > 0, let base = systemPTEs.allocate(UInt64(pages) << GuestMemory.pageShift) else { return 0 }
    hardware.reservedMappings[base] = (pages, tag)
    register(Self.reservedMapping, base)
    return base
  }

  func freeMapping(_ base: UInt64, tag: UInt32) throws {
    guard let mapping = hardware.reservedMappings[base], mapping.tag == tag, systemViews[base] == nil else {
      throw misuse(0x101, base, tag)
    }
    hardware.reservedMappings[base] = nil
    systemPTEs.release(base, UInt64(mapping.pages) << GuestMemory.pageShift)
    unregister(Self.reservedMapping, base)
  }

  /// The first byte's address; 0 where the reservation is too small.
  func map(_ mdl: Pointer<MDL>, reserved base: UInt64, tag: UInt32) throws -> UInt64 {
    guard let mapping = hardware.reservedMappings[base], mapping.tag == tag else { throw misuse(0x104, base, tag) }
    let frames = try frames(of: mdl)
    guard systemViews[base] == nil, frames.count <= mapping.pages else { return 0 }
    try memory.kernel.set(frames.map { Page(.valid, frame: $0) }, at: base)
    systemViews[base] = frames.count
    let address = base + UInt64(try mdl.ByteOffset.load())
    try mdl.MappedSystemVa.store(Pointer(address, in: memory.memory))
    var flags = try mdl.MdlFlags.load()
    flags.insert(.mappedToSystemVA)
    if flags.contains(.partial) { flags.insert(.partialHasBeenMapped) }
    try mdl.MdlFlags.store(flags)
    return address
  }

  func unmap(_ mdl: Pointer<MDL>, reserved base: UInt64, tag: UInt32) throws {
    guard let mapping = hardware.reservedMappings[base & ~0xfff], mapping.tag == tag else { throw misuse(0x108, base, tag) }
    guard let pages = systemViews.removeValue(forKey: base & ~0xfff) else { throw misuse(0x109, base, tag) }
    try memory.kernel.set(repeatElement(Page.free, count: pages), at: base & ~0xfff)
    try mdl.MdlFlags.store(mdl.MdlFlags.load().subtracting([.mappedToSystemVA, .partialHasBeenMapped]))
  }
}
