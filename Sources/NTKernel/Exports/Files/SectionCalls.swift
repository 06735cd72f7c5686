import Guest
import WindowsTypes

extension Export {
  /// Sections and their views.
  static let sections: [Export] =
    sectionCalls("Nt") { try $0.previousMode() } + sectionCalls("Zw") { _ in .kernelMode } + [
      // nf-wdm-zwopensection
      export("ZwOpenSection(SectionHandle, DesiredAccess, ObjectAttributes)", irql: .passive) {
        (kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>) async throws -> NTSTATUS in
        try await kernel.systemCall {
          try kernel.makePhysicalMemorySection()
          return try kernel.openObject(.section, attributes, access, result)
        }
      },
      // nf-wdm-zwunmapviewofsection
      export("ZwUnmapViewOfSection(ProcessHandle, BaseAddress)", irql: .passive) {
        (kernel, process: GuestWord, address: GuestWord) -> NTSTATUS in
        guard let process = try kernel.process(ofHandle: process.bits) else { return .invalidHandle }
        return try kernel.unmapView(at: address.bits, in: process)
      },
      // NtQuerySection: SectionBasicInformation 0, SectionImageInformation 1.
      export(
        "ZwQuerySection(SectionHandle, SectionInformationClass, SectionInformation, SectionInformationLength, ReturnLength)",
        irql: .passive
      ) {
        (kernel, handle: GuestWord, kind: UInt32, buffer: GuestWord, length: UInt32, result: Pointer<UInt32>) async throws -> NTSTATUS in
        try await kernel.systemCall {
          let section = try kernel.sectionOf(handle.bits)
          let bytes = try kernel.describe(section, kind)
          guard Int(length) >= bytes.count else { return .infoLengthMismatch }
          try kernel.memory.memory.write(bytes, at: buffer.bits)
          if !result.isNull { try result.store(UInt32(bytes.count)) }
          return .success
        }
      },
      // nf-ntifs-ntqueryvirtualmemory: MemoryBasicInformation 0.
      export(
        "ZwQueryVirtualMemory(ProcessHandle, BaseAddress, MemoryInformationClass, MemoryInformation, MemoryInformationLength, ReturnLength)",
        irql: .passive
      ) {
        (
          kernel, process: GuestWord, address: GuestWord, kind: UInt32, buffer: GuestWord, length: UInt32, result: Pointer<GuestWord>
        ) async throws -> NTSTATUS in
        try await kernel.systemCall {
          guard let process = try kernel.process(ofHandle: process.bits) else { return .invalidHandle }
          guard kind == 0 else { return .invalidInfoClass }
          let bytes = try kernel.queryVirtualMemory(address.bits, in: process)
          guard Int(length) >= bytes.count else { return .infoLengthMismatch }
          try kernel.memory.memory.write(bytes, at: buffer.bits)
          if !result.isNull { try result.store(GuestWord(UInt64(bytes.count))) }
          return .success
        }
      }
      .partially("working sets and the names of mapped files are unknown classes"),
      // nf-ntifs-mmflushimagesection: MmFlushForDelete 0, MmFlushForWrite 1.
      export("MmFlushImageSection(SectionObjectPointer, FlushType)", irql: .apc) {
        (kernel, pointers: Pointer<SECTION_OBJECT_POINTERS>, type: UInt32) -> UInt8 in
        try kernel.dropSections(pointers, image: true, data: type == 0) ? 1 : 0
      },
      // nf-ntifs-mmforcesectionclosed
      export("MmForceSectionClosed(SectionObjectPointer, DelayClose)", irql: .apc) {
        (kernel, pointers: Pointer<SECTION_OBJECT_POINTERS>, delay: UInt8) -> UInt8 in
        try kernel.dropSections(pointers, image: true, data: true) ? 1 : 0
      },
      // nf-ntifs-mmcanfilebetruncated: not below what user mode has mapped.
      export("MmCanFileBeTruncated(SectionPointer, NewFileSize)", irql: .apc) {
        (kernel, pointers: Pointer<SECTION_OBJECT_POINTERS>, size: Pointer<Int64>) -> UInt8 in
        try kernel.areMapped(pointers, beyond: size.isNull ? 0 : UInt64(max(0, size.load()))) ? 0 : 1
      },
      // nf-ntifs-mmmapviewofsection and its like are undocumented; the routine is what ZwCreateSection calls.
      export(
        "MmCreateSection(SectionObject, DesiredAccess, ObjectAttributes, MaximumSize, SectionPageProtection, AllocationAttributes, FileHandle, FileObject)",
        irql: .passive
      ) {
        (
          kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, size: Pointer<Int64>,
          protection: UInt32, kind: UInt32, handle: GuestWord, file: Pointer<FILE_OBJECT>
        ) async throws -> NTSTATUS in
        try await kernel.systemCall {
          var file = file
          if handle.bits != 0 {
            guard let entry = try kernel.entry(of: handle.bits) else { return .invalidHandle }
            guard kernel.kind(of: entry.object) == .file else { return .objectTypeMismatch }
            file = Pointer(entry.object, in: kernel.memory.memory)
          }
          let wish = Kernel.SectionWish(
            access: access, maximumSize: size.isNull ? 0 : UInt64(max(0, try size.load())),
            protection: PageProtection(rawValue: protection),
            attributes: kind, mode: .kernelMode)
          try result.store(GuestWord(try await kernel.makeSection(wish, of: file, grantedAccess: .max, path: nil)))
          return .success
        }
      },
      // nf-ntifs-mmmapviewinsystemspace
      export("MmMapViewInSystemSpace(Section, MappedBase, ViewSize)", irql: .passive) {
        (kernel, object: GuestWord, base: Pointer<GuestWord>, size: Pointer<GuestWord>) async throws -> NTSTATUS in
        try await kernel.systemCall {
          guard let section = kernel.section(object.bits) else { return .objectTypeMismatch }
          let view = try await kernel.mapSystemView(of: section, size: size.load().bits)
          try base.store(GuestWord(view.base))
          try size.store(GuestWord(view.size))
          return .success
        }
      },
      export("MmUnmapViewInSystemSpace(MappedBase)", irql: .passive) { (kernel, base: GuestWord) -> NTSTATUS in
        try kernel.unmapSystemSectionView(at: base.bits)
      },
    ]

  private static func sectionCalls(
    _ prefix: String, _ mode: @escaping @Sendable (Kernel) throws -> KPROCESSOR_MODE
  ) -> [Export] {
    [
      // nf-ntifs-ntcreatesection
      export(
        "\(prefix)CreateSection(SectionHandle, DesiredAccess, ObjectAttributes, MaximumSize, SectionPageProtection, AllocationAttributes, FileHandle)",
        irql: .passive
      ) {
        (
          kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, size: Pointer<Int64>,
          protection: UInt32, kind: UInt32, file: GuestWord
        ) async throws -> NTSTATUS in
        try await kernel.createSection(
          result, access, attributes, size, PageProtection(rawValue: protection), kind, file.bits, mode(kernel))
      },
      // nf-wdm-zwmapviewofsection
      export(
        "\(prefix)MapViewOfSection(SectionHandle, ProcessHandle, BaseAddress, ZeroBits, CommitSize, SectionOffset, ViewSize, InheritDisposition, AllocationType, Win32Protect)",
        irql: .passive
      ) {
        (
          kernel, handle: GuestWord, process: GuestWord, base: Pointer<GuestWord>, zeroBits: GuestWord, commit: GuestWord,
          offset: Pointer<Int64>, size: Pointer<GuestWord>, inherit: UInt32, type: UInt32, protection: UInt32
        ) async throws -> NTSTATUS in
        let mode = try mode(kernel)
        return try await kernel.systemCall {
          guard (1...2).contains(inherit) else { return Kernel.invalidParameter(8) }
          guard type & ~0x6050_2000 == 0 else { return Kernel.invalidParameter(9) }
          guard zeroBits.bits <= 21 else { return Kernel.invalidParameter(4) }
          if mode == .userMode { for place in [base.address, size.address] { try kernel.probe(place, 4) } }
          let section = try kernel.sectionOf(handle.bits)
          guard let process = try kernel.process(ofHandle: process.bits) else { return .invalidHandle }
          let wanted = try base.load().bits
          guard wanted < kernel.memory.target.userProbeAddress else { return Kernel.invalidParameter(3) }
          let start = offset.isNull ? 0 : try offset.load()
          guard start >= 0 else { return .invalidViewSize }
          let view = try await kernel.mapView(
            section, in: process,
            .init(
              base: wanted, offset: UInt64(start), size: size.load().bits, protection: PageProtection(rawValue: protection),
              allocationType: type))
          try base.store(GuestWord(view.base))
          try size.store(GuestWord(view.size))
          if !offset.isNull { try offset.store(Int64(view.offset)) }
          return view.status
        }
      },
      // nf-ntifs-ntallocatevirtualmemory
      export("\(prefix)AllocateVirtualMemory(ProcessHandle, BaseAddress, ZeroBits, RegionSize, AllocationType, Protect)", irql: .passive) {
        (
          kernel, process: GuestWord, base: Pointer<GuestWord>, zeroBits: GuestWord, size: Pointer<GuestWord>, type: UInt32,
          protection: UInt32
        ) async throws -> NTSTATUS in
        let mode = try mode(kernel)
        return try await kernel.systemCall {
          guard zeroBits.bits <= 21 else { return Kernel.invalidParameter(3) }
          if mode == .userMode { for place in [base.address, size.address] { try kernel.probe(place, 4) } }
          guard let process = try kernel.process(ofHandle: process.bits) else { return .invalidHandle }
          let made = try kernel.allocateVirtualMemory(
            base.load().bits, size.load().bits, type, PageProtection(rawValue: protection), in: process)
          try base.store(GuestWord(made.base))
          try size.store(GuestWord(made.size))
          return .success
        }
      },
      // nf-ntifs-ntfreevirtualmemory
      export("\(prefix)FreeVirtualMemory(ProcessHandle, BaseAddress, RegionSize, FreeType)", irql: .passive) {
        (kernel, process: GuestWord, base: Pointer<GuestWord>, size: Pointer<GuestWord>, type: UInt32) async throws -> NTSTATUS in
        let mode = try mode(kernel)
        return try await kernel.systemCall {
          if mode == .userMode { for place in [base.address, size.address] { try kernel.probe(place, 4) } }
          guard let process = try kernel.process(ofHandle: process.bits) else { return .invalidHandle }
          let gone = try kernel.freeVirtualMemory(base.load().bits, size.load().bits, type, in: process)
          try base.store(GuestWord(gone.base))
          try size.store(GuestWord(gone.size))
          return .success
        }
      },
    ]
  }
}

extension Kernel {
  /// A system call, whose refusals and whose user's bad pointers are its status.
  func systemCall(_ body: () async throws -> NTSTATUS) async throws -> NTSTATUS {
    do { return try await body() } catch let refusal as Refusal { return refusal.status } catch let exception as GuestException {
      return exception.code
    }
  }

  func sectionOf(_ handle: UInt64) throws -> Section {
    guard let entry = try entry(of: handle) else { throw Refusal(.invalidHandle) }
    guard let section = section(entry.object) else { throw Refusal(.objectTypeMismatch) }
    return section
  }

  func createSection(
    _ result: Pointer<GuestWord>, _ access: UInt32, _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ size: Pointer<Int64>,
    _ protection: PageProtection, _ kind: UInt32, _ file: UInt64, _ mode: KPROCESSOR_MODE
  ) async throws -> NTSTATUS {
    try await systemCall {
      try makeNamespace()
      if mode == .userMode { try probe(result.address, 4) }
      var object = Pointer<FILE_OBJECT>(0, in: memory.memory)
      var granted: UInt32 = 0
      if file != 0 {
        guard let entry = try entry(of: file) else { return .invalidHandle }
        guard self.kind(of: entry.object) == .file else { return .objectTypeMismatch }
        (object, granted) = (Pointer(entry.object, in: memory.memory), entry.grantedAccess)
      }
      let maximum = size.isNull ? 0 : try size.load()
      guard maximum >= 0 else { return Self.invalidParameter(4) }
      var flags = ObjectAttributeFlags(rawValue: 0)
      var path: String?
      if !attributes.isNull {
        flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
        if try !attributes.ObjectName.load().isNull {
          guard case .success(let name) = try self.path(attributes) else { return .invalidHandle }
          switch try place(forNew: name) {
          case .success(let place): path = place
          case .failure(let refusal):
            if refusal.status == .objectNameCollision, flags.contains(.openIf) {
              let status = try openObject(.section, attributes, access, result)
              return status == .success ? .objectNameExists : status
            }
            return refusal.status
          }
        }
      }
      let wish = SectionWish(
        access: access, maximumSize: UInt64(maximum), protection: protection, attributes: kind, mode: mode)
      let section = try await makeSection(wish, of: object, grantedAccess: granted, path: path)
      let handle = try makeHandle(to: section, access: access, attributes: flags, mode: mode)
      // The handle's reference is the only one.
      try result.store(GuestWord(handle))
      return .success
    }
  }

  /// `SECTION_BASIC_INFORMATION` or `SECTION_IMAGE_INFORMATION`.
  func describe(_ section: Section, _ kind: UInt32) throws -> [UInt8] {
    var record = RecordBuilder()
    switch kind {
    case 0:
      record.put(UInt32(0))
      record.put(section.attributes)
      record.put(section.size)
    case 1:
      guard case .image(let image) = section.backing else { throw Refusal(.sectionNotImage) }
      record.put(UInt32(truncatingIfNeeded: image.entryPoint))
      record.put(UInt32(0))
      record.put(image.stackReserve)
      record.put(image.stackCommit)
      record.put(UInt32(image.subsystem))
      record.put(image.subsystemVersion)
      record.put(UInt32(0))
      record.put(image.characteristics)
      record.put(UInt16(0))
      record.put(image.machine)
      record.put(UInt8(1))
      record.put(UInt8(0))
      for _ in 0..<3 { record.put(UInt32(0)) }
    default: throw Refusal(.invalidInfoClass)
    }
    return record.bytes
  }

  /// Opens an object of one kind by its name.
  func openObject(
    _ kind: ObjectKind, _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ access: UInt32, _ result: Pointer<GuestWord>,
    mode: KPROCESSOR_MODE = .kernelMode
  ) throws -> NTSTATUS {
    try makeNamespace()
    let path: String
    switch try self.path(attributes) {
    case .success(let found): path = found
    case .failure(let refusal): return refusal.status
    }
    let flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
    switch try resolve(path, followsLast: kind != .symbolicLink) {
    case .failed(let status): return status
    case .found(let entry, let rest):
      guard entry.kind == kind, rest.isEmpty else { return .objectTypeMismatch }
      try reference(entry.object, for: nil)
      try result.store(GuestWord(try makeHandle(to: entry.object, access: access, attributes: flags, mode: mode)))
      return .success
    }
  }

  /// Whether views of user mode show a file's pages, behind `size`.
  func areMapped(_ pointers: Pointer<SECTION_OBJECT_POINTERS>, beyond size: UInt64) throws -> Bool {
    try files.sections.areas.values.joined().contains { area in
      guard case .view(let section, let offset, _) = area.kind, offset + area.size > size else { return false }
      return try shows(section, pointers, image: true, data: true)
    }
  }

  /// Whether a section is one of the file's, as an image or as data.
  private func shows(_ section: Section, _ pointers: Pointer<SECTION_OBJECT_POINTERS>, image: Bool, data: Bool) throws -> Bool {
    let isImage = section.attributes & SectionAttributes.image != 0
    return try !section.file.isNull && (isImage ? image : data) && section.file.SectionObjectPointer.load() == pointers
  }

  /// Forgets what the memory manager keeps of a file, unless something shows it still.
  func dropSections(_ pointers: Pointer<SECTION_OBJECT_POINTERS>, image: Bool, data: Bool) throws -> Bool {
    let views = files.sections.areas.values.joined().compactMap { area in
      if case .view(let section, _, _) = area.kind { section } else { nil }
    }
    let users = Array(files.sections.sections.values) + views
    if try users.contains(where: { try shows($0, pointers, image: image, data: data) }) { return false }
    for (place, isWanted) in [(pointers.ImageSectionObject, image), (pointers.DataSectionObject, data)] where isWanted {
      let area = try place.load().address
      if area != 0 { _ = nonPagedPool.free(area) }
      try place.store(Pointer(0, in: memory.memory))
    }
    return true
  }
}
