import Guest
import WindowsTypes

/// The device interfaces that a plain installation has before anybody's driver starts, by their classes (ntddstor.h, ntddkbd.h,
/// ntddmou.h). Each comes into being when someone first asks for its class.
struct StandingInterface {
  /// The class, as 16 bytes of a `GUID`.
  let classIdentifier: [UInt8]
  /// The device's instance, as its link spells it.
  let instance: String
  /// The device that the link leads to.
  let path: String

  /// `GUID_DEVINTERFACE_VOLUME`, whose interfaces are those of the run's volumes.
  static let volume = storage(0x0d)

  /// `GUID_DEVINTERFACE_DISK` and its like, which differ in their first byte.
  private static func storage(_ first: UInt8) -> [UInt8] {
    [first, 0x63, 0xf5, 0x53, 0xbf, 0xb6, 0xd0, 0x11, 0x94, 0xf2, 0x00, 0xa0, 0xc9, 0x1e, 0xfb, 0x8b]
  }

  /// `GUID_DEVINTERFACE_KEYBOARD`, `GUID_DEVINTERFACE_MOUSE`
  private static func input(_ first: [UInt8]) -> [UInt8] {
    first + [0xef, 0x56, 0xd1, 0x11, 0xbc, 0x8c, 0x00, 0xa0, 0xc9, 0x14, 0x05, 0xdd]
  }

  static let all = [
    StandingInterface(
      classIdentifier: storage(0x07), instance: "IDE#DiskProbelock_Disk__________________________1_______#5&1e0c5050&0&0.0.0",
      path: #"\Device\Harddisk0\DR0"#),
    StandingInterface(
      classIdentifier: storage(0x08), instance: "IDE#CdRomProbelock_CD-ROM________________________1_______#5&1e0c5050&0&1.0.0",
      path: #"\Device\CdRom0"#),
    StandingInterface(
      classIdentifier: input([0xc3, 0x96, 0x4b, 0x88]), instance: "ACPI#PNP0303#4&5050&0", path: #"\Device\KeyboardClass0"#),
    StandingInterface(
      classIdentifier: input([0x4c, 0xe4, 0x8d, 0x37]), instance: "ACPI#PNP0F13#4&5050&0", path: #"\Device\PointerClass0"#),
  ]
}

extension Kernel {
  /// Makes the interfaces of a class that are there in a plain installation.
  func makeStandingInterfaces(of identifier: [UInt8]) throws {
    try unattributed {
      if identifier == StandingInterface.volume {
        if files.volumes.isEmpty { _ = try makeStandingObject(at: #"\Device\HarddiskVolume1"#) }
        for (index, volume) in files.volumes.enumerated() {
          let length = hex(volume.size, digits: 0)
          try makeInterface(
            identifier, "STORAGE#Volume#1&30a96598&0&Signature50501E0COffset\(index == 0 ? "7E00" : "\(index)")Length\(length)",
            volume.storageDevice.address, volume.name)
        }
      }
      for known in StandingInterface.all where known.classIdentifier == identifier {
        _ = try makeStandingObject(at: known.path)
        guard case .found(let entry, "") = try resolve(known.path), entry.kind == .device else { continue }
        try makeInterface(identifier, known.instance, entry.object, known.path)
      }
    }
  }

  private func makeInterface(_ identifier: [UInt8], _ instance: String, _ device: UInt64, _ path: String) throws {
    let link = "\\??\\\(instance)#\(Self.text(of: identifier))"
    guard hardware.plugAndPlay.interfaces[link.lowercased()] == nil else { return }
    hardware.plugAndPlay.interfaces[link.lowercased()] = PlugAndPlayState.DeviceInterface(
      link: link, classIdentifier: identifier, device: device, isEnabled: true)
    try makeNamespace()
    if case .success(let place) = try place(forNew: link) { try makeSymbolicLink(place, to: path) }
  }
}
