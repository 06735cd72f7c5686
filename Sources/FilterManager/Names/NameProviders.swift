import Events
import Guest
import NTKernel
import WindowsTypes

/// Filters that provide the names that others above them see (nc-fltkernel-pflt_generate_file_name).
extension Kernel {
  /// The nearest name provider of a volume below an instance, or that instance itself.
  ///
  /// - Parameters:
  ///   - instance: who asks; `nil` for somebody above all filters.
  ///   - isIncluded: the caller asks for its own names, too: FLT_FILE_NAME_REQUEST_FROM_CURRENT_PROVIDER.
  func nameProvider(on volume: FilterVolume, below instance: Instance?, isIncluded: Bool) throws -> Instance? {
    try volume.instances.first { candidate in
      guard candidate.filter.registration.generateFileName != 0, try !isGoing(candidate) else { return false }
      guard let instance else { return true }
      return candidate.altitude < instance.altitude || isIncluded && candidate === instance
    }
  }

  /// The name that a provider gives to a file: the opened name, whose components it then normalizes, where the normalized one is
  /// wanted, as the filter manager asks for it before Windows 8.
  func providedName(
    _ file: Pointer<FILE_OBJECT>, by provider: Instance, _ operation: Operation?, _ options: FileNameOptions
  ) async throws -> Result<Pointer<FLT_FILE_NAME_INFORMATION>, Failure> {
    // FLT_NAME_CONTROL, and the BOOLEAN that says whether the name may be kept.
    let here = memory.memory
    let block = try allocate(0x10)
    defer { free(block) }
    let control = Pointer<UNICODE_STRING>(block, in: here)
    guard let buffer = try allocatePool(Self.nameBufferSize, tag: Self.nameTag) else { return .failure(Failure(.insufficientResources)) }
    try control.MaximumLength.store(UInt16(Self.nameBufferSize))
    try control.Buffer.store(Pointer(buffer, in: here))
    let format = options.format == .normalized ? FileNameOptions.Format.opened : options.format
    let status = try await whileProviding(provider, in: operation) {
      NTSTATUS(
        rawValue: UInt32(
          truncatingIfNeeded: try await call(
            provider.filter.registration.generateFileName,
            [
              provider.address, file.address, operation?.data.address ?? 0, UInt64(options.bits & ~0xff | format.rawValue), block + 8,
              control.address,
            ])))
    }
    let (length, maximum) = (try control.Length.load(), try control.MaximumLength.load())
    if status.isSuccess, length == 0 || length > maximum {
      report(
        violation: "GenerateFileNameCallback of \(provider.filter.name) returned \(status) and a name of \(length) bytes in \(maximum)",
        at: Site(ip: provider.filter.registration.generateFileName))
      if length > maximum { try control.Length.store(maximum) }
    }
    let text = status.isSuccess ? try control.string() : ""
    let isKept = try here.load(UInt8.self, at: block + 8) != 0
    let last = try control.Buffer.load().address
    if isPoolBlock(last) { try freePool(last) }
    guard status.isSuccess else { return .failure(Failure(status)) }
    let volume = provider.volume
    // A short name has no volume in front of it.
    let prefix = text.lowercased().hasPrefix(volume.name.lowercased()) ? volume.name : ""
    var name = text
    if options.format == .normalized {
      switch try await normalize(text, volume: prefix, by: provider, file) {
      case .failure(let failure): return .failure(failure)
      case .success(let normalized): name = normalized
      }
    }
    if isKept { filterManager.queriedNames.insert(Manager.NameKey(file: file.address, format: options.format.rawValue)) }
    return .success(try makeName(name, volume: prefix, options.format.rawValue))
  }

  /// Does `body` while a provider is asked in an operation, whose questions are its own meanwhile.
  private func whileProviding<Result>(_ provider: Instance, in operation: Operation?, _ body: () async throws -> Result) async throws
    -> Result
  {
    operation?.askedProviders.append(provider)
    defer { _ = operation?.askedProviders.popLast() }
    return try await body()
  }

  private static let nameBufferSize: UInt64 = 0x200
  /// The tag of names' buffers: `FMFn`.
  static let nameTag: UInt32 = 0x6e46_4d46

  /// Normalizes the components of an opened name one after the other (nc-fltkernel-pflt_normalize_name_component).
  ///
  /// - Parameter isDestination: of a rename or a link: FLTFL_NORMALIZE_NAME_DESTINATION_FILE_NAME.
  func normalize(
    _ text: String, volume prefix: String, by provider: Instance, _ file: Pointer<FILE_OBJECT>, isDestination: Bool = false
  ) async throws -> Result<String, Failure> {
    let registration = provider.filter.registration
    let rest = text.dropFirst(prefix.count)
    let isExtended = registration.normalizeNameComponentEx != 0 && memory.target.system.release >= .windows7
    guard isExtended || registration.normalizeNameComponent != 0 else {
      guard let long = longPath(of: String(rest), on: provider.volume.volume) else { return .failure(Failure(.objectPathNotFound)) }
      return .success(prefix + long)
    }
    let here = memory.memory
    // Two counted strings, the context, FILE_NAMES_INFORMATION with the longest name.
    let block = try allocate(0x20 + Self.expandedSize)
    defer { free(block) }
    let (parent, component) = (Pointer<UNICODE_STRING>(block, in: here), Pointer<UNICODE_STRING>(block + 8, in: here))
    let (context, expanded) = (block + 0x10, block + 0x20)
    var done = prefix
    let components = rest.split(separator: "\\")
    var failure: Failure?
    for (index, part) in components.enumerated() {
      let isLast = index == components.count - 1
      let colon = part.firstIndex(of: ":") ?? part.endIndex
      try store(done + "\\", in: parent)
      try store(String(part[..<colon]), in: component)
      try here.fill(0, count: Int(Self.expandedSize), at: expanded)
      var arguments = [
        parent.address, UInt64(prefix.utf16.count * 2), component.address, expanded, Self.expandedSize, isDestination ? 2 : 0, context,
      ]
      arguments.insert(contentsOf: isExtended ? [provider.address, file.address] : [provider.address], at: 0)
      let routine = isExtended ? registration.normalizeNameComponentEx : registration.normalizeNameComponent
      let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(routine, arguments)))
      for string in [parent, component] { free(try string.Buffer.load().address) }
      if status.isSuccess {
        let given = UInt64(try here.load(UInt32.self, at: expanded + 8))
        let length = min(given, Self.expandedSize - 12)
        if given == 0 || given != length {
          report(
            violation: "NormalizeNameComponentCallback of \(provider.filter.name) returned \(status) and a component of \(given) bytes",
            at: Site(ip: routine))
        }
        let units = try (0..<length / 2).map { try here.load(UInt16.self, at: expanded + 12 + 2 * $0) }
        done += "\\" + String(decoding: units, as: UTF16.self) + part[colon...]
      } else if isLast, status == .noSuchFile || status == .objectNameNotFound {
        // What is not there yet has the name that it is to get.
        done += "\\" + part
      } else {
        failure = Failure(status == .noSuchFile ? .objectPathNotFound : status)
        break
      }
    }
    if try here.load(UInt32.self, at: context) != 0, registration.normalizeContextCleanup != 0 {
      _ = try await call(registration.normalizeContextCleanup, [context])
    }
    if let failure { return .failure(failure) }
    return .success(components.isEmpty ? text : done)
  }

  /// A path on the provider's volume, with its directory as an open through the provider finds it.
  func resolveDirectory(of path: String, by provider: Instance) async throws -> Result<String, Failure> {
    guard let slash = path.lastIndex(of: "\\") else { return .failure(Failure(.objectPathNotFound)) }
    let (directory, last) = (path[..<slash], path[path.index(after: slash)...])
    let here = memory.memory
    // A handle, a status block, a counted string, OBJECT_ATTRIBUTES.
    let block = try allocate(0x40)
    let string = Pointer<UNICODE_STRING>(block + 0x10, in: here)
    defer { free(block) }
    try store(provider.volume.name + directory + "\\", in: string)
    for (index, word) in [0x18, 0, string.address, 0x240, 0, 0].enumerated() {
      try here.store(UInt32(truncatingIfNeeded: word), at: block + 0x20 + 4 * UInt64(index))
    }
    // The provider itself sees it, and those below.
    let upper = provider.volume.instances.prefix { $0 !== provider }.last
    // FILE_READ_ATTRIBUTES | SYNCHRONIZE, shared; FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT
    let result = try await withPendingCreate(below: upper) {
      try await call(trapAddress(of: "ZwCreateFile"), [block, 0x10_0080, block + 0x20, block + 8, 0, 0, 7, 1, 0x4021, 0, 0])
    }
    free(try string.Buffer.load().address)
    let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: result))
    guard status.isSuccess else { return .failure(Failure(status == .objectNameNotFound ? .objectPathNotFound : status)) }
    let handle = UInt64(try here.load(UInt32.self, at: block))
    let opened = try fileObject(ofHandle: handle).flatMap { try self.path(of: $0) } ?? String(directory)
    _ = try await call(trapAddress(of: "ZwClose"), [handle])
    return .success((opened.hasSuffix("\\") ? String(opened.dropLast()) : opened) + "\\" + last)
  }

  /// `FILE_NAMES_INFORMATION` with a component of 255 units.
  private static let expandedSize: UInt64 = 0x210
}
