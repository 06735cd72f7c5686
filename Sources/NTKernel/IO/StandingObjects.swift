import Events
import Guest
import WindowsTypes

/// What a plain installation of Windows has in its namespace before anybody's driver starts, and what drivers look for by name.
///
/// Each comes into being when someone first asks for its name: a run that does not look has no memory, and no addresses, for it. A
/// driver that makes a device of the same name itself, because it is the keyboard's or the beeper's own, finds the place free.
enum StandingObject {
  case directory
  case link(to: String)
  /// A device of a driver that Windows brings along.
  case device(StandingDevice)
  case driver
  /// The system's volume, with the files that are running.
  case systemVolume
}

/// How the device of a ``StandingObject`` answers.
struct StandingDevice {
  /// `\Driver\Kbdclass`
  let driver: String
  /// `FILE_DEVICE_…` (wdm.h)
  let type: UInt32
  var flags: DeviceObjectFlags = []
  var behaviour = Behaviour.opensOnly

  enum Behaviour: Sendable {
    /// It is opened and closed; it has no such control code, and no data.
    case opensOnly
    /// What is written is gone; there is nothing to read.
    case null
    /// A read waits for a key, or a movement, that never comes.
    case input
    /// A hard disk whose one partition is the system's volume.
    case disk
    /// A transport without adapters: addresses and connections are made and take handlers, and nobody can be reached.
    case transport
    /// It gives volumes the names that a driver asks for.
    case mountManager
    /// It says where display miniports register.
    case graphics
  }
}

extension StandingObject {
  /// By path, in lower case.
  static let byPath = Dictionary(uniqueKeysWithValues: all.map { ($0.path.lowercased(), $0) })

  /// "Object Directories" and "MS-DOS Device Names" of the driver documentation, and the names that the drivers' own pages give.
  static let all: [(path: String, object: StandingObject)] =
    [
      "ArcName", "Device\\Harddisk0", "Device\\Http", "KnownDlls", "NLS", "RPC Control", "Sessions", "Windows", "FileSystem\\Filters",
      "Windows\\WindowStations",
    ].map { ("\\" + $0, .directory) }
    + [
      ("SystemRoot", "\\Device\\HarddiskVolume1\\WINDOWS"),
      ("ArcName\\multi(0)disk(0)rdisk(0)", "\\Device\\Harddisk0\\Partition0"),
      ("ArcName\\multi(0)disk(0)rdisk(0)partition(1)", "\\Device\\Harddisk0\\Partition1"),
      ("Device\\Harddisk0\\Partition0", "\\Device\\Harddisk0\\DR0"),
      ("Device\\Harddisk0\\Partition1", "\\Device\\HarddiskVolume1"),
      ("??\\PhysicalDrive0", "\\Device\\Harddisk0\\DR0"), ("??\\CdRom0", "\\Device\\CdRom0"), ("??\\NUL", "\\Device\\Null"),
      ("??\\PIPE", "\\Device\\NamedPipe"), ("??\\MAILSLOT", "\\Device\\MailSlot"), ("??\\UNC", "\\Device\\Mup"),
      ("??\\Tcp", "\\Device\\Tcp"), ("??\\Ip", "\\Device\\Ip"),
      ("??\\NDIS", "\\Device\\Ndis"), ("??\\MountPointManager", "\\Device\\MountPointManager"), ("??\\DISPLAY1", "\\Device\\Video0"),
      ("??\\Global", "\\GLOBAL??"), ("??\\GLOBALROOT", ""),
    ].map { ("\\" + $0.0, .link(to: $0.1)) }
    + [
      ("Null", StandingDevice(driver: "\\Driver\\Null", type: 0x15, behaviour: .null)),
      ("Beep", StandingDevice(driver: "\\Driver\\Beep", type: 1, flags: .bufferedIO)),
      ("KeyboardClass0", StandingDevice(driver: "\\Driver\\Kbdclass", type: 0xb, flags: .bufferedIO, behaviour: .input)),
      ("PointerClass0", StandingDevice(driver: "\\Driver\\Mouclass", type: 0xf, flags: .bufferedIO, behaviour: .input)),
      ("Harddisk0\\DR0", StandingDevice(driver: "\\Driver\\Disk", type: 7, flags: .directIO, behaviour: .disk)),
      ("CdRom0", StandingDevice(driver: "\\Driver\\Cdrom", type: 2, flags: .directIO)),
      ("Video0", StandingDevice(driver: "\\Driver\\VgaSave", type: 0x23)),
      ("Tcp", StandingDevice(driver: "\\Driver\\Tcpip", type: 0x12, flags: .directIO, behaviour: .transport)),
      ("Udp", StandingDevice(driver: "\\Driver\\Tcpip", type: 0x12, flags: .directIO, behaviour: .transport)),
      ("Ip", StandingDevice(driver: "\\Driver\\Tcpip", type: 0x12, flags: .directIO)),
      ("RawIp", StandingDevice(driver: "\\Driver\\Tcpip", type: 0x12, flags: .directIO, behaviour: .transport)),
      ("IPMULTICAST", StandingDevice(driver: "\\Driver\\Tcpip", type: 0x12, flags: .directIO)),
      ("Afd", StandingDevice(driver: "\\Driver\\AFD", type: 0x11)),
      ("Ndis", StandingDevice(driver: "\\Driver\\NDIS", type: 0x12)),
      ("KsecDD", StandingDevice(driver: "\\Driver\\KSecDD", type: 0x39)),
      ("MountPointManager", StandingDevice(driver: "\\Driver\\MountMgr", type: 0x6d, behaviour: .mountManager)),
      ("NamedPipe", StandingDevice(driver: "\\FileSystem\\Npfs", type: 0x11)),
      ("MailSlot", StandingDevice(driver: "\\FileSystem\\Msfs", type: 0xc)),
      ("Mup", StandingDevice(driver: "\\FileSystem\\Mup", type: 0x10)),
      ("LanmanRedirector", StandingDevice(driver: "\\FileSystem\\MRxSmb", type: 0x14)),
      ("RawDisk", StandingDevice(driver: "\\FileSystem\\RAW", type: 8)), ("RawCdRom", StandingDevice(driver: "\\FileSystem\\RAW", type: 3)),
      ("RawTape", StandingDevice(driver: "\\FileSystem\\RAW", type: 0x20)),
      ("WMIDataDevice", StandingDevice(driver: "\\Driver\\WMIxWDM", type: 0x22)),
      ("Nsi", StandingDevice(driver: "\\Driver\\nsiproxy", type: 0x12)),
      ("DxgKrnl", StandingDevice(driver: "\\Driver\\DXGKrnl", type: 0x23, behaviour: .graphics)),
    ].map { ("\\Device\\" + $0.0, .device($0.1)) }
    + [("\\FileSystem\\Filters\\FltMgr", .device(StandingDevice(driver: "\\FileSystem\\FltMgr", type: 8)))]
    + [
      "Driver\\Null", "Driver\\Beep", "Driver\\Kbdclass", "Driver\\Mouclass", "Driver\\i8042prt", "Driver\\Disk", "Driver\\Cdrom",
      "Driver\\atapi", "Driver\\PartMgr", "Driver\\Ftdisk", "Driver\\MountMgr", "Driver\\WMIxWDM", "FileSystem\\RAW", "FileSystem\\FltMgr",
      "Driver\\VgaSave", "Driver\\Tcpip",
      "Driver\\DXGKrnl", "Driver\\AFD", "Driver\\NDIS", "Driver\\KSecDD", "Driver\\ACPI", "Driver\\PCI", "FileSystem\\Npfs",
      "FileSystem\\Msfs",
      "FileSystem\\Mup", "FileSystem\\MRxSmb", "Driver\\PnpManager", "Driver\\VolSnap", "Driver\\volmgr", "Driver\\nsiproxy",
    ].map { ("\\" + $0, .driver) }
    + ["Device\\HarddiskVolume1", "??\\C:", "FileSystem\\Ntfs", "Ntfs"].map { ("\\" + $0, .systemVolume) }

  /// What Windows has from Vista on alone, in lower case.
  private static let later: Set = [
    "\\device\\dxgkrnl", "\\driver\\dxgkrnl", "\\driver\\volmgr", "\\device\\nsi", "\\driver\\nsiproxy",
  ]

  /// Whether a plain installation of `target` has the object at `path`, in lower case.
  static func isThere(_ path: String, in target: Target) -> Bool { target.system.release >= .vista || !later.contains(path) }

  /// The services that run before anybody's driver.
  static let drivers = Set(
    all.compactMap { entry -> FoldedName? in
      guard case .driver = entry.object else { return nil }
      return FoldedName(String(entry.path.split(separator: "\\").last ?? ""))
    })

  /// The directories of a new installation that drivers open.
  static let systemDirectories = [
    #"\WINDOWS\system32\drivers"#, #"\WINDOWS\system32\config"#, #"\WINDOWS\TEMP"#, #"\Program Files"#, #"\Documents and Settings"#,
  ]
}

extension Kernel {
  /// Makes the object that a plain installation has at `path`, if it has one there and it is not there yet. Returns whether it did.
  func makeStandingObject(at path: String) throws -> Bool {
    guard io.namespace[path] == nil, let known = StandingObject.byPath[path.lowercased()],
      StandingObject.isThere(path.lowercased(), in: memory.target)
    else { return false }
    return try unattributed { try make(known.object, at: known.path) }
  }

  /// Makes objects that nobody in the run has made.
  func unattributed<Result>(_ body: () throws -> Result) rethrows -> Result {
    let (before, caller) = (Set(io.objects.keys), self.caller.address)
    defer {
      self.caller.address = caller
      for object in io.objects.keys where !before.contains(object) { io.objects[object]?.site = Site(ip: 0) }
    }
    self.caller.address = 0
    return try body()
  }

  /// Makes what a plain installation has in the directory at `path`.
  func makeStandingObjects(in directory: String) throws {
    let start = directory == "\\" ? "\\" : directory.lowercased() + "\\"
    for (path, _) in StandingObject.all where path.lowercased().hasPrefix(start) && !path.dropFirst(start.count).contains("\\") {
      _ = try makeStandingObject(at: path)
    }
  }

  private func make(_ object: StandingObject, at path: String) throws -> Bool {
    switch object {
    case .directory: _ = try makeObject(.directory, size: 0xa0, path: path)
    case .link(let target):
      try makeDirectories(on: path)
      try makeSymbolicLink(path, to: path == "\\SystemRoot" ? try systemRoot() : target)
    case .device(let description):
      try makeDirectories(on: path)
      let driver = try standingDriver(description.driver)
      guard
        case .success(let device) = try createDevice(
          driver, extensionSize: 0, name: path, type: description.type, characteristics: 0x100, isExclusive: false)
      else { return false }
      try device.Flags.store(device.Flags.load().subtracting(.deviceInitializing).union(description.flags))
    case .driver:
      _ = try standingDriver(path)
      // Whoever has the driver's object looks for its devices.
      for case (let place, .device(let device)) in StandingObject.all where device.driver == path { _ = try makeStandingObject(at: place) }
    case .systemVolume:
      guard files.volumes.isEmpty else { return false }
      try addVolume(
        VolumeDescription(
          device: "\\Device\\HarddiskVolume1", drive: "C:", serialNumber: 0x5050_1e0c, size: 8 << 30,
          files: StandingObject.systemDirectories.map { FileDescription($0, isDirectory: true) }
            + [FileDescription(#"\WINDOWS\system32\ntdll.dll"#, content: ServiceLibrary(memory.target).bytes)]
            + (loader?.driverFiles ?? []).map { FileDescription(#"\WINDOWS\system32\drivers\"# + $0.name, content: $0.content) }))
      if let volume = files.volumes.first {
        try addSystemFiles(to: volume)
        for device in [volume.device, volume.storageDevice] { try moveDispatchRoutines(of: device.DriverObject.load()) }
      }
    }
    return io.namespace[path] != nil
  }

  private func standingDriver(_ path: String) throws -> Pointer<DRIVER_OBJECT> {
    let driver = try kernelDriver(path, "IopStorageRequest")
    try moveDispatchRoutines(of: driver)
    return driver
  }

  /// Where `\SystemRoot` leads: to the volume that is drive C, or to the system's own.
  private func systemRoot() throws -> String {
    let volume = files.volumes.first { $0.drive?.uppercased() == "C:" } ?? files.volumes.first
    return (volume?.name ?? "\\Device\\HarddiskVolume1") + "\\WINDOWS"
  }

  /// What a device of ``StandingObject`` answers; `nil` where it keeps the request.
  func answer(_ irp: Pointer<IRP>, _ stack: Pointer<IO_STACK_LOCATION>, on device: Pointer<DEVICE_OBJECT>) async throws -> Reply? {
    guard let path = io.objects[device.address]?.path, case .device(let known) = StandingObject.byPath[path.lowercased()]?.object else {
      return Reply(.invalidDeviceRequest)
    }
    let major = try stack.MajorFunction.load()
    switch (known.behaviour, major) {
    case (.null, .read): return Reply(.endOfFile)
    case (.null, .write): return Reply(.success, UInt64(try stack.Parameters.Write.Length.load()))
    case (.input, .read):
      try stack.Control.store(stack.Control.load().union(.pendingReturned))
      io.inputReads.append((irp.address, try stack.FileObject.load().address))
      return nil
    case (.input, .cleanup):
      let file = try stack.FileObject.load().address
      for read in io.inputReads where read.file == file { _ = try await cancelInput(Pointer(read.irp, in: memory.memory)) }
      return .success
    case (.disk, .read):
      let (length, offset) = (try stack.Parameters.Read.Length.load(), try stack.Parameters.Read.ByteOffset.QuadPart.load())
      guard offset >= 0, UInt64(offset) % 512 == 0, length % 512 == 0, UInt64(offset) + UInt64(length) <= StandingDisk.size else {
        return Reply(.invalidParameter)
      }
      var bytes = [UInt8](repeating: 0, count: Int(length))
      if offset == 0, length > 0 { bytes.replaceSubrange(0x1b8..<0x200, with: StandingDisk.partitionTable) }
      try store(bytes, of: irp, at: 0)
      return Reply(.success, UInt64(length))
    case (.disk, .deviceControl): return try diskControl(irp, stack)
    case (.transport, .internalDeviceControl): return Reply(try transportAnswer(to: stack.MinorFunction.load()))
    case (.graphics, .internalDeviceControl): return try graphicsControl(irp, stack)
    case (.mountManager, .deviceControl): return try await mountManagerControl(irp, stack)
    default: return Reply(.invalidDeviceRequest)
    }
  }
}
