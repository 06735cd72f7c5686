import Guest
import NTKernel
import WindowsTypes

/// A file's name as the filter manager takes it apart (nf-fltkernel-fltparsefilenameinformation), in UTF-16 units.
struct FileNameParts: Equatable {
  var volume = 0..<0
  var share = 0..<0
  var parentDirectory = 0..<0
  var finalComponent = 0..<0
  var `extension` = 0..<0
  /// With its colon.
  var stream = 0..<0

  /// - Parameter prefix: how many units name the volume; 0 for a short name.
  init(_ units: [UInt16], volume prefix: Int) {
    let (backslash, colon, dot) = (UInt16(0x5c), UInt16(0x3a), UInt16(0x2e))
    volume = 0..<min(prefix, units.count)
    let start = volume.upperBound
    // A colon in front of the last backslash belongs to a volume's name.
    let slash = units[start...].lastIndex(of: backslash)
    let first = slash.map { $0 + 1 } ?? start
    if slash != nil { parentDirectory = start..<first }
    finalComponent = first..<units.count
    let streamStart = units[first...].firstIndex(of: colon) ?? units.count
    if streamStart < units.count { stream = streamStart..<units.count }
    if let last = units[first..<streamStart].lastIndex(of: dot), last + 1 < streamStart { self.extension = last + 1..<streamStart }
  }
}

/// `FLT_FILE_NAME_OPTIONS`: a format, a way of asking, and flags.
struct FileNameOptions {
  enum Format: UInt32 { case normalized = 1, opened, short }
  let format: Format
  let bits: UInt32
  /// `FLT_FILE_NAME_QUERY_CACHE_ONLY`
  let cacheOnly: Bool
  /// `FLT_FILE_NAME_REQUEST_FROM_CURRENT_PROVIDER`
  var includesCaller: Bool { bits & 0x100_0000 != 0 }

  init?(_ options: UInt32) {
    guard let format = Format(rawValue: options & 0xff), (1...4).contains(options >> 8 & 0xff), options & 0xf8ff_0000 == 0 else {
      return nil
    }
    self.format = format
    bits = options
    cacheOnly = options >> 8 & 0xff == 2
  }
}

extension Kernel {
  // MARK: Names of files

  /// `FltGetFileNameInformation` (nf-fltkernel-fltgetfilenameinformation).
  ///
  /// - Parameters:
  ///   - isPreCreate: the file is not open yet.
  ///   - operation: in which it is asked for; `nil` outside of any.
  ///   - caller: who asks: those below it give the name.
  func fileName(
    _ file: Pointer<FILE_OBJECT>, _ volume: FilterVolume, _ options: UInt32, isPreCreate: Bool, _ operation: Operation?,
    for caller: Instance?
  ) async throws -> Result<Pointer<FLT_FILE_NAME_INFORMATION>, Failure> {
    guard let options = FileNameOptions(options) else { return .failure(Failure(.invalidParameter)) }
    if file.isNull { return .failure(Failure(.invalidParameter)) }
    let key = Manager.NameKey(file: file.address, format: options.format.rawValue)
    if options.cacheOnly, !filterManager.queriedNames.contains(key) { return .failure(Failure(.fltNameCacheMiss)) }
    // There is no short name of what is not there yet.
    if isPreCreate, options.format == .short { return .failure(Failure(.fltInvalidNameRequest)) }
    if let provider = try nameProvider(on: volume, below: caller, isIncluded: options.includesCaller) {
      return try await providedName(file, by: provider, operation, options)
    }
    let text: String
    var prefix = volume.name
    switch options.format {
    case .short:
      guard let name = try shortName(of: file) else { return .failure(Failure(.fltInvalidNameRequest)) }
      (text, prefix) = (name, "")
    case .opened:
      guard let path = try openedPath(of: file) else { return .failure(Failure(.fltInvalidNameRequest)) }
      text = prefix + path
    case .normalized:
      if !isPreCreate, let path = try path(of: file) {
        text = prefix + path
      } else {
        guard let path = try openedPath(of: file) else { return .failure(Failure(.fltInvalidNameRequest)) }
        guard let long = longPath(of: path, on: volume.volume) else { return .failure(Failure(.objectPathNotFound)) }
        text = prefix + long
      }
    }
    filterManager.queriedNames.insert(key)
    return .success(try makeName(text, volume: prefix, options.format.rawValue))
  }

  /// The name that a file was opened by, from the volume's root on.
  private func openedPath(of file: Pointer<FILE_OBJECT>, depth: Int = 0) throws -> String? {
    var name = try file.FileName.string()
    let related = try file.RelatedFileObject.load()
    if !related.isNull, depth < 8, let above = try path(of: related) ?? openedPath(of: related, depth: depth + 1) {
      name = name.isEmpty ? above : name.hasPrefix(":") ? above + name : above + (above.hasSuffix("\\") ? "" : "\\") + name
    }
    // Only the root keeps its backslash.
    return name.utf16.count > 1 && name.hasSuffix("\\") ? String(name.dropLast()) : name
  }

  /// A name in guest memory, with one reference; parsed as far as the volume.
  func makeName(_ text: String, volume: String, _ format: UInt32) throws -> Pointer<FLT_FILE_NAME_INFORMATION> {
    // What a counted string holds.
    let units = Array(text.utf16.prefix(0x7fff))
    let size = UInt64(Pointer<FLT_FILE_NAME_INFORMATION>.size(in: memory.memory))
    guard let block = try allocatePool(size + UInt64(units.count * 2), tag: Self.contextTag) else {
      throw GuestException(.insufficientResources)
    }
    let name = Pointer<FLT_FILE_NAME_INFORMATION>(block, in: memory.memory)
    try write(units, at: block + size)
    try name.Size.store(UInt16(size))
    try name.Format.store(format)
    try put(0..<units.count, of: name, name.Name)
    try put(0..<min(volume.utf16.count, units.count), of: name, name.Volume)
    filterManager.names[block] = Manager.Name(units: units, volume: volume.utf16.count, references: 1)
    register(Self.nameKind, block)
    return name
  }

  static let nameKind = "a file name information"

  /// Makes one of the strings a part of the name.
  private func put(_ range: Range<Int>, of name: Pointer<FLT_FILE_NAME_INFORMATION>, _ string: Pointer<UNICODE_STRING>) throws {
    let size = UInt64(Pointer<FLT_FILE_NAME_INFORMATION>.size(in: memory.memory))
    try string.Length.store(UInt16(range.count * 2))
    try string.MaximumLength.store(UInt16(range.count * 2))
    let place = range.isEmpty ? 0 : name.address + size + UInt64(range.lowerBound * 2)
    try string.Buffer.store(Pointer(place, in: memory.memory))
  }

  /// `FltParseFileNameInformation`
  func parse(_ name: Pointer<FLT_FILE_NAME_INFORMATION>) throws -> NTSTATUS {
    guard let known = filterManager.names[name.address] else {
      _ = try name.Size.load()
      report(violation: "FltParseFileNameInformation is called with \(hex(name.address)), which is no file name information")
      return .invalidParameter
    }
    let parts = FileNameParts(known.units, volume: known.volume)
    for (range, string) in [
      (parts.volume, name.Volume), (parts.share, name.Share), (parts.extension, name.Extension), (parts.stream, name.Stream),
      (parts.finalComponent, name.FinalComponent), (parts.parentDirectory, name.ParentDir),
    ] { try put(range, of: name, string) }
    // FLTFL_FILE_NAME_PARSED_FINAL_COMPONENT, _EXTENSION, _STREAM, _PARENT_DIR
    try name.NamesParsed.store(0xf)
    return .success
  }

  /// Gives a reference back; the last one takes the name away. One too many is bugcheck 0xF5, 0x68.
  func releaseName(_ name: Pointer<FLT_FILE_NAME_INFORMATION>) throws {
    guard var known = filterManager.names[name.address] else {
      _ = try name.Size.load()
      report(violation: "FltReleaseFileNameInformation is called with \(hex(name.address)), which is no file name information (any more)")
      throw BugCheck(BugCheckCode(rawValue: 0xf5), 0x68, 0, name.address, 0)
    }
    known.references -= 1
    filterManager.names[name.address] = known.references > 0 ? known : nil
    guard known.references == 0 else { return }
    unregister(Self.nameKind, name.address)
    try freePool(name.address)
  }

  /// `FltGetDestinationFileNameInformation` (nf-fltkernel-fltgetdestinationfilenameinformation): of a rename or a link.
  func destinationName(
    _ instance: Instance, _ file: Pointer<FILE_OBJECT>, root: UInt64, _ name: String, _ options: UInt32
  ) async throws -> Result<Pointer<FLT_FILE_NAME_INFORMATION>, Failure> {
    guard let options = FileNameOptions(options), options.format != .short else { return .failure(Failure(.invalidParameter)) }
    let volume = instance.volume
    var path = name
    if root != 0 {
      guard let directory = try fileObject(ofHandle: root), let above = try self.path(of: directory) else {
        return .failure(Failure(.invalidHandle))
      }
      path = above + (above.hasSuffix("\\") ? "" : "\\") + name
    } else if name.hasPrefix("\\") {
      // A path of the object manager's, or of the volume's.
      if let found = try self.volume(at: name) { path = found.rest }
    } else {
      guard let own = try self.path(of: file), let slash = own.lastIndex(of: "\\") else { return .failure(Failure(.invalidParameter)) }
      path = own[...slash] + name
    }
    let provider = try nameProvider(on: volume, below: instance, isIncluded: options.includesCaller)
    if let provider {
      // Where its directory really is, whoever redirects opens: the provider sees the filter manager open it.
      switch try await resolveDirectory(of: path, by: provider) {
      case .failure(let failure): return .failure(failure)
      case .success(let resolved): path = resolved
      }
    }
    if options.format == .normalized {
      if let provider {
        switch try await normalize(volume.name + path, volume: volume.name, by: provider, file, isDestination: true) {
        case .failure(let failure): return .failure(failure)
        case .success(let name): return .success(try makeName(name, volume: volume.name, options.format.rawValue))
        }
      }
      guard let long = longPath(of: path, on: volume.volume) else { return .failure(Failure(.objectPathNotFound)) }
      path = long
    }
    return .success(try makeName(volume.name + path, volume: volume.name, options.format.rawValue))
  }
}
