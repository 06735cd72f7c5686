import Guest
import Memory
import WindowsTypes

/// Views of sections, in processes and in system space.
extension Kernel {
  static let allocationGranularity: UInt64 = 0x1_0000

  /// What `NtMapViewOfSection` is asked for.
  struct ViewWish {
    /// 0 lets the memory manager choose.
    var base: UInt64
    var offset: UInt64
    /// 0 means the rest of the section.
    var size: UInt64
    var protection: PageProtection
    var allocationType: UInt32
  }

  /// Where a view came to lie.
  struct PlacedView {
    let base: UInt64
    let offset: UInt64
    let size: UInt64
    let status: NTSTATUS
  }

  /// Shows part of a section in a process (nf-wdm-zwmapviewofsection).
  func mapView(_ section: Section, in process: Process, _ wish: ViewWish) async throws -> PlacedView {
    guard wish.protection.isValid, wish.protection.rawValue & 0x100 == 0 else { throw Refusal(.invalidPageProtection) }
    if case .image(let image) = section.backing { return try mapImage(image, section, in: process, wish) }
    guard section.protection.allows(view: wish.protection) else { throw Refusal(.sectionProtection) }
    let offset = wish.offset & ~(Self.allocationGranularity - 1)
    guard offset < section.size else { throw Refusal(.invalidViewSize) }
    let size = wish.size == 0 ? section.size - offset : wish.size + (wish.offset - offset)
    let limit = roundUp(section.size, GuestMemory.pageSize) - offset
    guard size <= limit, size < 1 << 31 else { throw Refusal(.invalidViewSize) }
    let span = roundUp(size, GuestMemory.pageSize)
    let base = try place(span, at: wish.base, in: process, isTopDown: wish.allocationType & 0x10_0000 != 0)
    let pages = Int(span >> GuestMemory.pageShift)
    var store: PageStore?
    switch section.backing {
    case .physicalMemory: try mapFrames(from: offset, pages, at: base, in: process, wish.protection)
    case .pages(let data):
      try await readIn(section, data, offset, pages)
      store = data
      let page = wish.protection.page(.demandZero, isShared: true)
      try process.space.user.set(repeatElement(page, count: pages), at: base)
      try showResidentPages(of: data, from: offset, pages, at: base, in: process)
      data.userViews += 1
    case .image: break
    }
    note(UserArea(base: base, size: span, protection: wish.protection, kind: .view(section, offset: offset, store: store)), in: process)
    return PlacedView(base: base, offset: offset, size: span, status: .success)
  }

  private func mapImage(_ image: ImageLayout, _ section: Section, in process: Process, _ wish: ViewWish) throws -> PlacedView {
    let wanted = wish.base != 0 ? wish.base & ~(Self.allocationGranularity - 1) : image.base
    let base: UInt64
    if isFree(wanted, image.size, in: process) {
      base = wanted
    } else if wish.base != 0 {
      throw Refusal(.conflictingAddresses)
    } else {
      base = try place(image.size, at: 0, in: process, isTopDown: false)
    }
    guard let store = try image.pages(at: base) else { throw Refusal(.conflictingAddresses) }
    let pages = image.protections.map { $0.page(.demandZero, isShared: true) }
    try process.space.user.set(pages, at: base)
    try showResidentPages(of: store, from: 0, pages.count, at: base, in: process)
    store.userViews += 1
    note(UserArea(base: base, size: image.size, protection: .executeWriteCopy, kind: .view(section, offset: 0, store: store)), in: process)
    return PlacedView(base: base, offset: 0, size: image.size, status: base == image.base ? .success : .imageNotAtBase)
  }

  /// Pages that are in memory already need no fault to be seen.
  private func showResidentPages(
    of store: PageStore, from offset: UInt64, _ count: Int, at base: UInt64, in process: Process
  ) throws {
    let first = offset >> GuestMemory.pageShift
    for index in store.residentPages where index >= first && index - first < count {
      let address = base + (index - first) << GuestMemory.pageShift
      var page = process.space.user[address]
      guard page.kind == .demandZero, page.isShared, let frame = store.residentFrame(index) else { continue }
      (page.kind, page.frame) = (.valid, frame)
      try process.space.user.set(page, at: address)
    }
  }

  /// Frames by their own numbers: `\Device\PhysicalMemory`. Where this machine has no memory, nothing answers: all ones.
  private func mapFrames(
    from offset: UInt64, _ count: Int, at base: UInt64, in process: Process, _ protection: PageProtection
  ) throws {
    guard count <= 1 << 16 else { throw Refusal(.noMemory) }
    for index in 0..<count {
      var page = protection.page(.valid, isShared: true)
      let frame = FrameNumber(truncatingIfNeeded: offset >> GuestMemory.pageShift) + FrameNumber(index)
      if memory.physical.contains(frame) {
        page.frame = frame
      } else {
        page.frame = try memory.physical.allocate()
        memory.physical.fill(page.frame, with: absentMemory(at: offset + UInt64(index) << GuestMemory.pageShift))
      }
      try process.space.user.set(page, at: base + UInt64(index) << GuestMemory.pageShift)
    }
  }

  /// Has a driver's file read in what a view shows: later accesses cannot wait for it.
  private func readIn(_ section: Section, _ store: PageStore, _ offset: UInt64, _ pages: Int) async throws {
    guard !section.file.isNull else { return }
    if let node = try node(of: section.file) {
      // At once, for later faults cannot wait.
      return try await readIn(node, offset, min(UInt64(pages) << 12, section.size - offset), section.file, for: 0)
    }
    let first = offset >> GuestMemory.pageShift
    let last = min(first + UInt64(pages), roundUp(section.size, GuestMemory.pageSize) >> GuestMemory.pageShift)
    for page in first..<max(first, last) where store.residentFrame(page) == nil { try await pageIn(page, of: section.file, to: store) }
  }

  /// A paging read of one page of a driver's file: `IRP_MJ_READ` with `IRP_PAGING_IO` and `IRP_NOCACHE`.
  func pageIn(_ page: UInt64, of file: Pointer<FILE_OBJECT>, to store: PageStore) async throws {
    let status = try await transferPage(page, of: file, store, isRead: true)
    guard status.isSuccess || status == .endOfFile else {
      store.forget(page)
      throw Refusal(status)
    }
  }

  /// Sends a page of a cached file to its driver, or asks for it.
  func transferPage(_ page: UInt64, of file: Pointer<FILE_OBJECT>, _ store: PageStore, isRead: Bool) async throws -> NTSTATUS {
    let frame = try store.frame(page)
    let top = try relatedDevice(of: file)
    let irp = try request(isRead ? .read : .write, to: top, of: file, mode: .kernelMode)
    let mdl = try allocateMDL(0, GuestMemory.pageSize, isSecondary: false, irp)
    try mdl.frames[0].store(GuestWord(UInt64(frame)))
    // The frame stays for as long as the request lasts.
    try mdl.MdlFlags.store(mdl.MdlFlags.load().union(.ioPageRead))
    memory.physical.pin(frame)
    defer { _ = memory.physical.unpin(frame) }
    // IRP_SYNCHRONOUS_PAGING_IO is the bit of IRP_INPUT_OPERATION.
    try irp.Flags.store([.noCache, .pagingIO, .synchronousApi, .deferIOCompletion, .inputOperation])
    let parameters = try nextLocation(of: irp).Parameters.Read
    try parameters.Length.store(UInt32(GuestMemory.pageSize))
    try parameters.ByteOffset.QuadPart.store(Int64(page << GuestMemory.pageShift))
    let (status, information) = try await send(irp, to: top, waitingOn: file)
    if isRead { store.zero(page << 12 + min(information, 4096), to: (page + 1) << 12) }
    return status
  }

  /// `NtUnmapViewOfSection` (nf-wdm-zwunmapviewofsection): the whole view that holds the address.
  func unmapView(at address: UInt64, in process: Process) throws -> NTSTATUS {
    guard let index = files.sections.areas[process.id]?.firstIndex(where: { address >= $0.base && address - $0.base < $0.size }),
      let area = files.sections.areas[process.id]?[index], case .view(_, _, let store) = area.kind
    else { return .notMappedView }
    try process.space.user.set(
      repeatElement(Page.free, count: Int(area.size >> GuestMemory.pageShift)), at: area.base)
    store?.userViews -= 1
    files.sections.areas[process.id]?.remove(at: index)
    return .success
  }

  /// A process has ended: its views are gone.
  func forgetAreas(of process: Process) {
    for area in files.sections.areas.removeValue(forKey: process.id) ?? [] {
      if case .view(_, _, let store) = area.kind { store?.userViews -= 1 }
    }
  }

  /// The frame behind a page of a view that nobody has touched yet; `nil` where the page is no view's.
  func sectionFrame(at address: UInt64) throws -> FrameNumber? {
    guard let area = area(at: address, in: currentSpaceOwner), case .view(_, let offset, let store?) = area.kind else { return nil }
    return try store.frame((address - area.base + offset) >> GuestMemory.pageShift)
  }

  // MARK: Addresses

  func area(at address: UInt64, in process: Process) -> UserArea? {
    files.sections.areas[process.id]?.first { address >= $0.base && address - $0.base < $0.size }
  }

  func note(_ area: UserArea, in process: Process) {
    var areas = files.sections.areas[process.id] ?? []
    areas.insert(area, at: areas.firstIndex { $0.base > area.base } ?? areas.count)
    files.sections.areas[process.id] = areas
  }

  func isFree(_ start: UInt64, _ size: UInt64, in process: Process) -> Bool {
    let (lowest, end) = (memory.target.lowestUserAddress, memory.target.userProbeAddress)
    guard start >= lowest, start <= end, size <= end - start else { return false }
    if files.sections.areas[process.id]?.contains(where: { $0.base < start + size && start < $0.base + $0.size }) ?? false {
      return false
    }
    return stride(from: start, to: start + size, by: Int(GuestMemory.pageSize)).allSatisfy { process.space.user[$0].kind == .free }
  }

  /// Addresses for `size` bytes: those asked for, or the first free ones, from below or from above.
  func place(_ size: UInt64, at wanted: UInt64, in process: Process, isTopDown: Bool) throws -> UInt64 {
    let step = Self.allocationGranularity
    if wanted != 0 {
      let base = wanted & ~(step - 1)
      guard isFree(base, roundUp(size, GuestMemory.pageSize), in: process) else { throw Refusal(.conflictingAddresses) }
      return base
    }
    let (lowest, end) = (memory.target.lowestUserAddress, memory.target.userProbeAddress)
    guard size <= end - lowest else { throw Refusal(.noMemory) }
    var taken = (files.sections.areas[process.id] ?? []).map { ($0.base, $0.base + $0.size) }
    var run: (UInt64, UInt64)?
    for page in process.space.user.occupiedPages() {
      let address = UInt64(page) << GuestMemory.pageShift
      if let last = run, last.1 == address {
        run = (last.0, address + GuestMemory.pageSize)
      } else {
        if let run { taken.append(run) }
        run = (address, address + GuestMemory.pageSize)
      }
    }
    if let run { taken.append(run) }
    taken.sort { $0.0 < $1.0 }
    var gaps: [(UInt64, UInt64)] = []
    var next = lowest
    for (start, stop) in taken {
      if start > next { gaps.append((next, start)) }
      next = max(next, stop)
    }
    if next < end { gaps.append((next, end)) }
    for (start, stop) in isTopDown ? gaps.reversed() : gaps {
      let base = isTopDown ? (stop - min(stop, size)) & ~(step - 1) : roundUp(start, step)
      if base >= start, base <= stop, stop - base >= size { return base }
    }
    throw Refusal(.noMemory)
  }

  // MARK: System space

  /// `MmMapViewInSystemSpace`: a view that every process sees.
  func mapSystemView(of section: Section, size: UInt64) async throws -> (base: UInt64, size: UInt64) {
    guard case .pages(let store) = section.backing else { throw Refusal(.invalidParameter) }
    let span = roundUp(size == 0 ? section.size : size, GuestMemory.pageSize)
    guard span <= roundUp(section.size, GuestMemory.pageSize), span <= 64 << 20 else { throw Refusal(.invalidViewSize) }
    try await readIn(section, store, 0, Int(span >> GuestMemory.pageShift))
    guard let base = systemPTEs.allocate(span) else { throw Refusal(.noMemory) }
    let pages = try (0..<span >> GuestMemory.pageShift).map { Page(.valid, frame: try store.frame($0)) }
    try memory.kernel.set(pages, at: base)
    files.sections.systemViews[base] = (span, section)
    return (base, span)
  }

  func unmapSystemSectionView(at address: UInt64) throws -> NTSTATUS {
    guard let view = files.sections.systemViews.removeValue(forKey: address) else { return .notMappedView }
    try memory.kernel.set(repeatElement(Page.free, count: Int(view.size >> GuestMemory.pageShift)), at: address)
    systemPTEs.release(address, view.size)
    return .success
  }
}
