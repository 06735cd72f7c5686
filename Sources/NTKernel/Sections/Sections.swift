import Guest
import Memory
import WindowsTypes

/// What the memory manager knows of sections and of taken addresses.
struct SectionTable {
  /// By the section object's address.
  var sections: [UInt64: Section] = [:]
  /// What each process has taken, by address.
  var areas: [Int: [UserArea]] = [:]
  /// Views in system space, by their first address.
  var systemViews: [UInt64: (size: UInt64, section: Section)] = [:]
  /// The image of a file, while something shows it: by the file's control block.
  var images: [ObjectIdentifier: ImageLayout] = [:]
  /// The pages of files that are not on the run's own volumes: by their `SECTION_OBJECT_POINTERS`.
  var stores: [UInt64: PageStore] = [:]
}

/// Section objects.
extension Kernel {
  /// What `NtCreateSection` is asked for.
  struct SectionWish {
    var access: UInt32
    var maximumSize: UInt64
    var protection: PageProtection
    var attributes: UInt32
    var mode: KPROCESSOR_MODE
  }

  /// `STATUS_INVALID_PARAMETER_4` and its like.
  static func invalidParameter(_ number: UInt32) -> NTSTATUS { NTSTATUS(rawValue: 0xc000_00ee + number) }

  /// Makes a section (nf-ntifs-ntcreatesection), of `file` if there is one; its object has no name yet.
  func makeSection(_ wish: SectionWish, of file: Pointer<FILE_OBJECT>, grantedAccess: UInt32, path: String?) async throws -> UInt64 {
    let kinds = wish.attributes & (SectionAttributes.commit | SectionAttributes.reserve | SectionAttributes.image)
    guard wish.attributes & ~SectionAttributes.known == 0, kinds.nonzeroBitCount == 1 else { throw Refusal(Self.invalidParameter(6)) }
    guard wish.protection.isValid, wish.protection.rawValue & 0x101 == 0 else { throw Refusal(.invalidPageProtection) }
    let section: Section
    let null = Pointer<FILE_OBJECT>(0, in: memory.memory)
    if file.isNull {
      if wish.attributes & SectionAttributes.image != 0 { throw Refusal(.invalidFileForSection) }
      guard wish.maximumSize > 0 else { throw Refusal(Self.invalidParameter(4)) }
      // Half of the address space is more than any view can show.
      guard wish.maximumSize <= 1 << 31 else { throw Refusal(.sectionTooBig) }
      section = Section(
        .pages(PageStore(in: memory.physical)), size: roundUp(wish.maximumSize, GuestMemory.pageSize), protection: wish.protection,
        attributes: wish.attributes, file: null)
    } else {
      // SyncTypeCreateSection is 1.
      section = try await acquired(file, for: .section, [1, wish.protection.rawValue]) {
        try await makeSection(wish, of: file, grantedAccess)
      }
      try reference(file.address, for: nil)
    }
    let object = try makeObject(.section, size: 0x28, path: path)
    files.sections.sections[object] = section
    return object
  }

  private func makeSection(_ wish: SectionWish, of file: Pointer<FILE_OBJECT>, _ granted: UInt32) async throws -> Section {
    let pointers = try file.SectionObjectPointer.load()
    guard !pointers.isNull else { throw Refusal(.invalidFileForSection) }
    if let node = try node(of: file), node.isDirectory { throw Refusal(.invalidFileForSection) }
    let isWriting = wish.protection.rawValue & 0x44 != 0 && wish.attributes & SectionAttributes.image == 0
    // FILE_READ_DATA or FILE_EXECUTE, and FILE_WRITE_DATA for shared writing.
    if wish.mode == .userMode, granted & 0x21 == 0 || isWriting && granted & FileAccess.writeData == 0 { throw Refusal(.accessDenied) }
    let store = try await pages(of: file)
    var size = try fileSize(of: file)
    if wish.attributes & SectionAttributes.image != 0 {
      let key = ObjectIdentifier(store)
      let image = try files.sections.images[key] ?? ImageLayout(store, fileSize: size, in: memory.physical)
      files.sections.images[key] = image
      try pointers.ImageSectionObject.store(Pointer(try controlArea(pointers.ImageSectionObject), in: memory.memory))
      return Section(
        .image(image), size: image.size, protection: .executeWriteCopy, attributes: wish.attributes | SectionAttributes.file, file: file)
    }
    if wish.maximumSize == 0, size == 0 { throw Refusal(.mappedFileSizeZero) }
    if wish.maximumSize > size {
      guard isWriting else { throw Refusal(.sectionTooBig) }
      guard let node = try node(of: file), let volume = files.opens[try file.FsContext2.load().address]?.volume else {
        throw Refusal(.sectionNotExtended)
      }
      try extend(node, to: wish.maximumSize, on: volume)
      node.resize(to: wish.maximumSize, cluster: volume.kind.clusterSize)
      try publishSizes(of: node)
      size = wish.maximumSize
    }
    try pointers.DataSectionObject.store(Pointer(try controlArea(pointers.DataSectionObject), in: memory.memory))
    return Section(
      .pages(store), size: wish.maximumSize == 0 ? size : wish.maximumSize, protection: wish.protection,
      attributes: wish.attributes | SectionAttributes.file, file: file)
  }

  /// What stands in `SECTION_OBJECT_POINTERS` while something is mapped: an address that says so.
  private func controlArea(_ place: Pointer<Pointer<Void>>) throws -> UInt64 {
    let known = try place.load().address
    return known != 0 ? known : try allocate(0x30)
  }

  /// The size of a file as its file system says it in the common header.
  func fileSize(of file: Pointer<FILE_OBJECT>) throws -> UInt64 {
    if let node = try node(of: file) { return node.size }
    let context = try file.FsContext.load()
    guard !context.isNull else { throw Refusal(.invalidFileForSection) }
    return UInt64(max(0, try Pointer<FSRTL_ADVANCED_FCB_HEADER>(context.address, in: memory.memory).FileSize.load()))
  }

  /// The pages of a file: those of the volume itself, or what its driver reads in by paging requests.
  func pages(of file: Pointer<FILE_OBJECT>) async throws -> PageStore {
    if let node = try node(of: file) { return node.data }
    let pointers = try file.SectionObjectPointer.load().address
    if let known = files.sections.stores[pointers] { return known }
    let store = PageStore(in: memory.physical)
    files.sections.stores[pointers] = store
    return store
  }

  /// A section by its object.
  func section(_ object: UInt64) -> Section? { files.sections.sections[object] }

  /// The object is gone: so is its reference to the file.
  func deleteSection(_ object: UInt64) async throws {
    guard let section = files.sections.sections.removeValue(forKey: object) else { return }
    if !section.file.isNull { try await dereference(section.file.address) }
  }

  /// `\Device\PhysicalMemory`, which exists from the first time that someone asks for it.
  func makePhysicalMemorySection() throws {
    let path = "\\Device\\PhysicalMemory"
    guard io.namespace[path] == nil else { return }
    let object = try makeObject(.section, size: 0x28, path: path)
    files.sections.sections[object] = Section(
      .physicalMemory, size: 1 << 32, protection: .executeReadWrite, attributes: SectionAttributes.commit,
      file: Pointer(0, in: memory.memory))
  }
}
