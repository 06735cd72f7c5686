import Guest
import WindowsTypes

/// The list that `PsLoadedModuleList` heads, and the addresses of the images in it.
///
/// It is there once the first file is loaded; the kernel and the HAL stand first, as on Windows.
extension Kernel {
  /// What the list says of an image.
  public struct LoadedModule: Sendable {
    /// `hello.sys`
    public let fileName: String
    public let base: UInt64
    public let size: UInt64
    public let entryPoint: UInt64
    public let timestamp: UInt32
    public let checksum: UInt32
    /// Whether its signature was checked because the image asks for it.
    public let forcesIntegrity: Bool

    public init(
      fileName: String, base: UInt64, size: UInt64, entryPoint: UInt64 = 0, timestamp: UInt32 = 0, checksum: UInt32 = 0,
      forcesIntegrity: Bool = false
    ) {
      self.fileName = fileName
      self.base = base
      self.size = size
      self.entryPoint = entryPoint
      self.timestamp = timestamp
      self.checksum = checksum
      self.forcesIntegrity = forcesIntegrity
    }
  }

  /// Addresses for an image of `size` bytes that cannot stay at its own; `nil` where none are left.
  public func allocateImageAddresses(_ size: UInt64) -> UInt64? { imageAddresses.allocate(size) }

  /// Whether an image can lie in `range`: nothing is there, and the kernel does not keep it for itself.
  public func isFreeForImage(_ range: Range<UInt64>) -> Bool {
    guard range.lowerBound >= memory.target.systemRangeStart, range.upperBound <= layout.drivers.upperBound,
      !layout.reserved.contains(where: { $0.overlaps(range) })
    else { return false }
    return stride(from: range.lowerBound, to: range.upperBound, by: Int(GuestMemory.pageSize)).allSatisfy {
      memory.kernel[$0].kind == .free
    }
  }

  /// Puts an image at the end of the list, and returns its entry: a driver object's `DriverSection`.
  @discardableResult
  public func addLoadedModule(_ module: LoadedModule) throws -> Pointer<LDR_DATA_TABLE_ENTRY> {
    let here = memory.memory
    let entry = Pointer<LDR_DATA_TABLE_ENTRY>(
      try allocateInModuleSpace(UInt64(Pointer<LDR_DATA_TABLE_ENTRY>.size(in: here))), in: here)
    try entry.DllBase.store(Pointer(module.base, in: here))
    try entry.EntryPoint.store(Pointer(module.entryPoint, in: here))
    try entry.SizeOfImage.store(UInt32(truncatingIfNeeded: module.size))
    try entry.TimeDateStamp.store(module.timestamp)
    try entry.CheckSum.store(module.checksum)
    try entry.LoadCount.store(1)
    // LDRP_ENTRY_PROCESSED, and for a driver LDRP_SYSTEM_MAPPED; LDRP_IMAGE_INTEGRITY_FORCED, which Vista brought.
    let isChecked = module.forcesIntegrity && memory.target.system.release >= .vista
    try entry.Flags.store(0x0100_4000 | (isChecked ? 0x20 : 0))
    let isSystemFile = ["ntoskrnl.exe", "hal.dll"].contains(module.fileName.lowercased())
    let folder = isSystemFile ? "\\WINDOWS\\system32\\" : "\\SystemRoot\\System32\\Drivers\\"
    try storeInModuleSpace(folder + module.fileName, in: entry.FullDllName)
    try storeInModuleSpace(module.fileName, in: entry.BaseDllName)
    try moduleList().insertTail(entry.InLoadOrderLinks)
    return entry
  }

  /// Takes an image's entry out of the list again.
  public func removeLoadedModule(_ entry: Pointer<LDR_DATA_TABLE_ENTRY>) throws { _ = try entry.InLoadOrderLinks.remove() }

  /// `PsLoadedModuleList`, made with the kernel's and the HAL's own entries in it.
  public func moduleList() throws -> Pointer<LIST_ENTRY> {
    if let loadedModules { return loadedModules }
    let head = Pointer<LIST_ENTRY>(try allocateInModuleSpace(8), in: memory.memory)
    try head.initialize()
    loadedModules = head
    for image in kernelImages {
      try addLoadedModule(
        LoadedModule(fileName: image.fileName, base: image.base, size: image.size, timestamp: buildTimestamp))
    }
    return head
  }

  private func storeInModuleSpace(_ text: String, in string: Pointer<UNICODE_STRING>) throws {
    let units = text.utf16.prefix(1024).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    let buffer = try allocateInModuleSpace(UInt64(units.count + 2))
    try memory.memory.write(units, at: buffer)
    try string.Length.store(UInt16(units.count))
    try string.MaximumLength.store(UInt16(units.count + 2))
    try string.Buffer.store(Pointer(buffer, in: memory.memory))
  }

  /// Zeroed memory that is apart from the pools, so that loading a file leaves their addresses as they are.
  private func allocateInModuleSpace(_ size: UInt64) throws -> UInt64 {
    guard let place = moduleSpace.allocate(size) else { throw KernelError("too many modules are loaded") }
    try mapModuleSpace(at: place, size)
    return place
  }

  /// Makes the pages of a run of addresses of that space exist.
  func mapModuleSpace(at place: UInt64, _ size: UInt64) throws {
    for page in stride(from: place & ~0xfff, to: place + size, by: Int(GuestMemory.pageSize)) where memory.kernel[page].kind == .free {
      try mapKernelPages(at: page, size: GuestMemory.pageSize)
    }
  }
}
