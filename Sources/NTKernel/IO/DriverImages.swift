import Events
import Guest
import Memory
import WindowsTypes

/// An image that drivers are in, as the loader knows it.
public struct DriverImage: Sendable {
  /// `hello`
  public let name: String
  public let range: Range<UInt64>
  public let entryPoint: UInt64?
  /// Whether others import from it, and its `DllInitialize` and `DllUnload` are called in place of `DriverEntry`.
  public let isExportDriver: Bool
  public let dllInitialize: UInt64?
  public let dllUnload: UInt64?
  /// The bases of the images that it imports from.
  public let imports: [UInt64]

  public init(
    name: String, range: Range<UInt64>, entryPoint: UInt64?, isExportDriver: Bool, dllInitialize: UInt64?, dllUnload: UInt64?,
    imports: [UInt64]
  ) {
    self.name = name
    self.range = range
    self.entryPoint = entryPoint
    self.isExportDriver = isExportDriver
    self.dllInitialize = dllInitialize
    self.dllUnload = dllUnload
    self.imports = imports
  }
}

/// Puts images into memory and takes them away again.
public protocol DriverLoader: AnyObject {
  /// The image in the file of that name, in any case.
  func driverImage(file: String) -> DriverImage?
  func driverImage(at base: UInt64) -> DriverImage?
  /// Maps the image as its file has it, unless it is in memory, and returns its entry in the list of modules.
  func mapImage(at base: UInt64) throws -> Pointer<LDR_DATA_TABLE_ENTRY>?
  func unmapImage(at base: UInt64) throws
  /// Takes the pages away that only initialisation needs.
  func discardInitialisation(ofImageAt base: UInt64) throws
  /// The drivers' files, as they lie on the system's volume.
  var driverFiles: [(name: String, content: [UInt8])] { get }
}

extension DriverLoader {
  public var driverFiles: [(name: String, content: [UInt8])] { [] }
}

/// Images and who uses them.
struct DriverImages {
  /// How many drivers and importers use an image: by its base.
  var users: [UInt64: Int] = [:]
  /// Images that nobody uses and that are in memory nonetheless, as their last user left them.
  var left: Set<UInt64> = []
  /// Where images were that are gone, latest last.
  var gone: [(name: String, range: Range<UInt64>)] = []
}

/// The lifetime of driver images: in memory while someone uses them (`LoadCount` of the module's entry says how many).
extension Kernel {
  /// Counts a user of the image at `base`. The first brings it in, with all that it imports from: an export driver's
  /// `DllInitialize` is called then (nf-…-dllinitialize, "DllInitialize and DllUnload Routines").
  ///
  /// - Parameter isImported: whether it is wanted for its exports; a driver's own `DriverEntry` is the caller's business.
  func acquireImage(at base: UInt64, isImported: Bool) async throws -> NTSTATUS {
    guard let image = loader?.driverImage(at: base) else { return .success }
    if let users = images.users[base] {
      try setUsers(of: base, users + 1)
      return .success
    }
    if images.left.remove(base) != nil { try loader?.unmapImage(at: base) }
    guard try loader?.mapImage(at: base) != nil else { return .insufficientResources }
    images.gone.removeAll { $0.range == image.range }
    try setUsers(of: base, 1)
    var acquired: [UInt64] = []
    for other in image.imports where other != base {
      let status = try await acquireImage(at: other, isImported: true)
      guard status.isSuccess else {
        for other in acquired.reversed() { try await releaseImage(at: other) }
        try remove(image)
        return status
      }
      acquired.append(other)
    }
    guard isImported, let routine = image.dllInitialize else { return .success }
    let path = Pointer<UNICODE_STRING>(try allocate(8), in: memory.memory)
    try store(Registry.services + "\\" + image.name, in: path)
    let result = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(routine, [path.address])))
    free(try path.Buffer.load().address)
    free(path.address)
    guard result.isSuccess else {
      stream.append(.note("DllInitialize of \(image.name) failed with \(result)"))
      for other in acquired.reversed() { try await releaseImage(at: other) }
      try remove(image)
      return result
    }
    try loader?.discardInitialisation(ofImageAt: base)
    return .success
  }

  /// A user of the image is gone. After the last one an export driver goes if its `DllUnload` lets it: without that routine it
  /// stays.
  ///
  /// - Parameter keepsPages: its memory stays until it is loaded again.
  func releaseImage(at base: UInt64, keepsPages: Bool = false) async throws {
    guard let image = loader?.driverImage(at: base), let users = images.users[base] else { return }
    try setUsers(of: base, users - 1)
    guard users == 1 else { return }
    if image.isExportDriver {
      guard let routine = image.dllUnload,
        NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(routine, []))).isSuccess
      else { return try setUsers(of: base, users) }
    }
    try remove(image, keepsPages: keepsPages)
    for other in image.imports.reversed() where other != base { try await releaseImage(at: other) }
  }

  private func setUsers(of base: UInt64, _ count: Int) throws {
    images.users[base] = count
    try loader?.mapImage(at: base)?.LoadCount.store(UInt16(clamping: count))
  }

  private func remove(_ image: DriverImage, keepsPages: Bool = false) throws {
    images.users[image.range.lowerBound] = nil
    guard !keepsPages else {
      images.left.insert(image.range.lowerBound)
      return
    }
    try loader?.unmapImage(at: image.range.lowerBound)
    images.gone.append((image.name, image.range))
  }

  /// The driver that was at `address` and has been unloaded.
  func unloadedDriver(at address: UInt64) -> String? { images.gone.last { $0.range.contains(address) }?.name }

  /// DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS (0xCE), where an access meets the place of an unloaded driver: address,
  /// 0 read or 1 write, instruction, reserved.
  func unloadedDriverFault(_ access: Access, at address: UInt64) -> BugCheck? {
    guard let name = unloadedDriver(at: address) else { return nil }
    stream.append(.note("\(hex(address)) was in \(name), which has been unloaded"))
    return BugCheck(
      .driverUnloadedWithoutCancellingPendingOperations, address, access == .write ? 1 : 0, registers[.ip], 0)
  }
}
