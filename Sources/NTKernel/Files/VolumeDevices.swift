import Guest
import WindowsTypes

/// What the file systems of the run know that guest code cannot see.
struct FileSystems {
  var volumes: [Volume] = []
  /// The driver objects of the run's own file systems and disks, by path.
  var drivers: [String: Pointer<DRIVER_OBJECT>] = [:]
  /// Whose control block lies at an address: `FILE_OBJECT.FsContext`.
  var nodes: [UInt64: FileNode] = [:]
  /// What a file object was opened for: `FILE_OBJECT.FsContext2`.
  var opens: [UInt64: OpenFile] = [:]
  /// The devices that registered as file systems, the latest first.
  var registered: [UInt64] = []
  /// Who is told when a file system comes or goes: driver object and routine.
  var watchers: [(driver: UInt64, routine: UInt64)] = []
  var sections = SectionTable()
  /// Inherit 1, ProtectFromClose 2: `OBJECT_HANDLE_FLAG_INFORMATION`.
  var handleFlags: [HandleKey: UInt8] = [:]
  struct HandleKey: Hashable {
    let process: Int
    let handle: UInt64
  }
  /// Cached files, by the address of their `SECTION_OBJECT_POINTERS`, and views of them, by that of the `Bcb`.
  var caches: [UInt64: CacheMap] = [:]
  var cacheViews: [UInt64: CacheView] = [:]
  /// MDLs of cached pages, and who watches directories, by the address of the list.
  var cacheMDLs: Set<UInt64> = []
  var watches: [UInt64: [DirectoryWatch]] = [:]
  /// Run lists, by the address of the `LARGE_MCB`.
  var runLists: [UInt64: RunList] = [:]
  /// Locked ranges, by the address of the `FILE_LOCK`, and the requests that wait for one.
  var locks: [UInt64: ByteRangeLocks] = [:]
  var waitingLocks: [(irp: UInt64, lock: UInt64, wanted: ByteRangeLock)] = []
}

/// The state of one open of a file.
final class OpenFile {
  let node: FileNode?
  let volume: Volume
  /// `FILE_OBJECT`'s address.
  let file: UInt64
  let access: UInt32
  /// Asked for when it was opened.
  let isDeleteOnClose: Bool
  /// By which of the file's names, where that is not the first.
  var link: FileNode.Link?
  /// What a directory's first query asked for, in capitals, and where the next one goes on.
  var pattern: [UInt16]?
  var entries: [(name: String, node: FileNode)] = []
  var position = 0
  /// Which extended attribute the next query begins with.
  var attributePosition = 0
  var isCleanedUp = false

  init(_ node: FileNode?, on volume: Volume, file: UInt64, access: UInt32, isDeleteOnClose: Bool) {
    self.node = node
    self.volume = volume
    self.file = file
    self.access = access
    self.isDeleteOnClose = isDeleteOnClose
  }
}

/// Volumes as objects: the disk's device, which has the name, and the file system's on top of its parameter block.
///
/// Every operation on a file goes to the top of the stack of devices above ``Volume/device``, as an IRP, by
/// ``relatedDevice(of:)`` and ``send(_:to:waitingOn:)``; at the bottom of that stack is ``fileSystemRequest(_:_:)``. A filter is a
/// device that is attached to ``Volume/device``, whether a driver's or the filter manager's own.
extension Kernel {
  public var volumes: [Volume] { files.volumes }

  /// Mounts a volume.
  @discardableResult
  public func addVolume(_ description: VolumeDescription) throws -> Volume {
    try makeNamespace()
    let here = memory.memory
    caller.address = 0
    let volume = Volume(
      description, time: Int64(truncatingIfNeeded: systemTime), in: memory.physical, null: Pointer(0, in: here))
    for file in description.files { try volume.add(file) }
    let disks = try kernelDriver(description.fileSystem == .cdfs ? "\\Driver\\Cdrom" : "\\Driver\\Ftdisk", "IopStorageRequest")
    let system = try kernelDriver("\\FileSystem\\" + description.fileSystem.driver, "IopFileSystemRequest")
    try makeControlDevice(of: system, description.fileSystem)
    try makeDirectories(on: description.device)
    volume.storageDevice = try made(
      createDevice(
        disks, extensionSize: 0, name: description.device, type: volume.kind.deviceType, characteristics: 0, isExclusive: false))
    volume.device = try made(
      createDevice(system, extensionSize: 0, name: nil, type: volume.kind.volumeType, characteristics: 0, isExclusive: false))
    for device in [volume.storageDevice, volume.device] {
      try device.Flags.store(device.Flags.load().subtracting(.deviceInitializing))
      try device.SectorSize.store(UInt16(volume.kind.sectorSize))
    }
    try volume.storageDevice.Flags.store(volume.storageDevice.Flags.load().union(.directIO))
    try volume.device.Flags.store(volume.device.Flags.load().union(description.buffers.flags))
    try volume.device.StackSize.store(volume.storageDevice.StackSize.load() + 1)
    try mount(volume)
    if let drive = volume.drive { try makeSymbolicLink("\\??\\" + drive, to: description.device) }
    files.volumes.append(volume)
    return volume
  }

  /// Whether files of a volume are open.
  package func hasOpenFiles(on volume: Volume) -> Bool { files.opens.values.contains { $0.volume === volume } }

  /// Dismounts a volume whose devices nobody is attached to any more; the disk goes with it, and the names of both.
  package func removeVolume(_ volume: Volume) async throws {
    files.volumes.removeAll { $0 === volume }
    if let drive = volume.drive { io.namespace.remove("\\??\\" + drive) }
    let vpb = try volume.storageDevice.Vpb.load()
    try vpb.Flags.store(0)
    try vpb.DeviceObject.store(Pointer(0, in: memory.memory))
    for device in [volume.device, volume.storageDevice] { try await deleteDevice(device) }
  }

  /// The device that stands for a file system as a whole: `\Ntfs`.
  private func makeControlDevice(of driver: Pointer<DRIVER_OBJECT>, _ kind: FileSystemKind) throws {
    let path = "\\" + kind.controlDevice
    guard io.namespace[path] == nil else { return }
    let device = try made(
      createDevice(driver, extensionSize: 0, name: path, type: kind.volumeType, characteristics: 0, isExclusive: false))
    try device.Flags.store(device.Flags.load().subtracting(.deviceInitializing))
    files.registered.insert(device.address, at: 0)
  }

  private func made(_ result: Result<Pointer<DEVICE_OBJECT>, Refusal>) throws -> Pointer<DEVICE_OBJECT> {
    switch result {
    case .success(let device): return device
    case .failure(let refusal): throw GuestException(refusal.status)
    }
  }

  /// The directories that a path lies in: `\Device\Harddisk0` of `\Device\Harddisk0\Partition1`.
  func makeDirectories(on path: String) throws {
    var place = ""
    for part in path.split(separator: "\\").dropLast() {
      place += "\\" + part
      if io.namespace[place] == nil { _ = try makeObject(.directory, size: 0xa0, path: place) }
    }
  }

  /// Fills the parameter block of the disk's device: `VPB_MOUNTED`, label, serial number.
  func mount(_ volume: Volume) throws {
    let vpb = try volume.storageDevice.Vpb.load()
    try vpb.Flags.store(1)
    try vpb.DeviceObject.store(volume.device)
    try vpb.RealDevice.store(volume.storageDevice)
    try vpb.SerialNumber.store(volume.serialNumber)
    try vpb.ReferenceCount.store(1)
    try storeLabel(of: volume)
    try volume.device.DeviceObjectExtension.load().Vpb.store(vpb)
  }

  func storeLabel(of volume: Volume) throws {
    let vpb = try volume.storageDevice.Vpb.load()
    let units = Array(volume.label.utf16.prefix(32))
    try vpb.VolumeLabelLength.store(UInt16(units.count * 2))
    for (index, unit) in units.enumerated() { try vpb.VolumeLabel[index].store(unit) }
  }

  /// A driver object of the run's own, all of whose dispatch routines are one export.
  func kernelDriver(_ path: String, _ routine: String) throws -> Pointer<DRIVER_OBJECT> {
    let isKnown = files.drivers[path.lowercased()] != nil
    let object = try kernelDriver(path, routine: trapAddress(of: routine))
    if !isKnown { try giveImage(to: object, path) }
    return object
  }

  /// A driver object of the run's own, all of whose dispatch routines are at `routine`.
  package func kernelDriver(_ path: String, routine: UInt64) throws -> Pointer<DRIVER_OBJECT> {
    if let known = files.drivers[path.lowercased()] { return known }
    let here = memory.memory
    let size = UInt64(Pointer<DRIVER_OBJECT>.size(in: here))
    let total = size + UInt64(Pointer<DRIVER_EXTENSION>.size(in: here))
    let object = Pointer<DRIVER_OBJECT>(try makeObject(.driver, size: total, path: path), in: here)
    let driverExtension = Pointer<DRIVER_EXTENSION>(object.address + size, in: here)
    try object.Type.store(IOObjectType.driver.rawValue)
    try object.Size.store(Int16(size))
    // DRVO_BUILTIN_DRIVER, DRVO_INITIALIZED
    try object.Flags.store(0x12)
    try object.DriverExtension.store(driverExtension)
    try store(path, in: object.DriverName)
    try driverExtension.DriverObject.store(object)
    try store(String(path.split(separator: "\\").last ?? ""), in: driverExtension.ServiceKeyName)
    let dispatch = Pointer<Procedure<NTSTATUS>>(routine, in: here)
    for index in 0..<IRP_MJ.count { try object.MajorFunction[index].store(dispatch) }
    files.drivers[path.lowercased()] = object
    return object
  }

  /// The volume whose file system's device this is, or whose disk's.
  func volume(of device: Pointer<DEVICE_OBJECT>) -> Volume? {
    files.volumes.first { $0.device == device || $0.storageDevice == device }
  }

  /// The volume that a path of the object manager's leads to, and the file's name on it.
  package func volume(at path: String) throws -> (volume: Volume, rest: String)? {
    guard case .found(let entry, let rest) = try resolve(path),
      let volume = files.volumes.first(where: { $0.storageDevice.address == entry.object })
    else { return nil }
    return (volume, rest)
  }
}
