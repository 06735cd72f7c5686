import Guest
import NTKernel
import WindowsTypes

/// Finding the filter manager's objects, and handing them out.
extension Kernel {
  /// The object of that kind that a driver's pointer means. What is none is said.
  func object<Object: FilterObject>(_ pointer: Pointer<Void>, _ type: Object.Type, in routine: String) throws -> Object? {
    if let object = filterManager.objects[pointer.address] as? Object { return object }
    // As the routine itself would: a pointer to nowhere faults.
    _ = try pointer.cast(to: UInt32.self).load()
    let kind = type == Instance.self ? "instance" : type == FilterVolume.self ? "volume" : "filter"
    report(violation: "\(routine) is called with \(hex(pointer.address)), which is no \(kind) (or no longer one)")
    return nil
  }

  /// The volume of a volume's or an instance's pointer.
  func volume(ofObject pointer: Pointer<Void>, in routine: String) throws -> FilterVolume? {
    if let instance = filterManager.objects[pointer.address] as? Instance { return instance.volume }
    return try object(pointer, FilterVolume.self, in: routine)
  }

  /// The volume that a path means: `\Device\HarddiskVolume1`, `\??\C:` or `C:`, with or without a backslash behind it.
  func filterVolume(named name: String) throws -> FilterVolume? {
    let wanted = (name.hasSuffix("\\") ? String(name.dropLast()) : name).lowercased()
    return try filterVolumes().first { volume in
      let drive = volume.volume.drive?.lowercased()
      return volume.name.lowercased() == wanted || drive.map { [$0, "\\??\\" + $0, "\\dosdevices\\" + $0].contains(wanted) } == true
        || guidName(of: volume).lowercased() == wanted
    }
  }

  /// The volume in whose stack a device is.
  func filterVolume(ofDevice device: Pointer<DEVICE_OBJECT>) throws -> FilterVolume? {
    try filterVolumes().first { $0.volume.storageDevice == device || $0.volume.device == device || $0.device == device }
  }

  /// Stores an object with a reference for the caller; null and `status` where there is none.
  func hand(_ object: FilterObject?, to result: Pointer<GuestWord>, else status: NTSTATUS) throws -> NTSTATUS {
    try result.store(0)
    guard let object else { return status }
    let status = try reference(object, by: site())
    if status.isSuccess { try result.store(GuestWord(object.address)) }
    return status
  }

  /// Stores a list of objects, a reference with each, if they fit; in any case how many there are.
  func list(_ objects: [FilterObject], _ list: Pointer<GuestWord>, _ size: UInt32, _ count: Pointer<UInt32>) throws -> NTSTATUS {
    let present = try objects.filter { try !isGoing($0) }
    try count.store(UInt32(present.count))
    guard present.count <= Int(size), !list.isNull || present.isEmpty else { return .bufferTooSmall }
    for (index, object) in present.enumerated() {
      try handOut(object)
      try list[index].store(GuestWord(object.address))
    }
    return .success
  }

  func attachManually(
    _ filter: Filter, _ volume: FilterVolume, _ name: String, _ altitude: Altitude, _ result: Pointer<GuestWord>
  ) async throws -> NTSTATUS {
    if !result.isNull { try result.store(0) }
    switch try await attach(filter, to: volume, name: name, at: altitude, .manualAttachment) {
    case .failure(let failure): return failure.code
    case .success(let instance): return result.isNull ? .success : try hand(instance, to: result, else: .fltDeletingObject)
    }
  }

  // MARK: Text

  /// Copies `text` into a counted string with room for it; else only its size is told.
  func copy(_ text: String, to string: Pointer<UNICODE_STRING>, _ size: Pointer<UInt32>) throws -> NTSTATUS {
    let units = Array(text.utf16)
    if !size.isNull { try size.store(UInt32(units.count * 2)) }
    guard !string.isNull, try Int(string.MaximumLength.load()) >= units.count * 2 else { return .bufferTooSmall }
    try write(units, at: string.Buffer.load().address)
    try string.Length.store(UInt16(units.count * 2))
    return .success
  }

  func write(_ units: [UInt16], at address: UInt64) throws {
    try memory.memory.write(units.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }, at: address)
  }

  /// `\??\Volume{…}`
  func guidName(of volume: FilterVolume) -> String {
    let place = volumes.firstIndex { $0 === volume.volume } ?? 0
    return "\\??\\Volume{\(hex(volume.volume.serialNumber))-0000-0000-0000-\(hex(place + 1, digits: 12))}"
  }

  /// `FLT_VOLUME_PROPERTIES` and the names behind it; those that do not fit are left out (nf-fltkernel-fltgetvolumeproperties).
  func writeProperties(
    of volume: FilterVolume, _ properties: Pointer<FLT_VOLUME_PROPERTIES>, _ length: Int, _ returned: Pointer<UInt32>
  ) throws -> NTSTATUS {
    let size = Pointer<FLT_VOLUME_PROPERTIES>.size(in: memory.memory)
    let (own, disk) = (volume.volume.device, volume.volume.storageDevice)
    let names = ["\\FileSystem\\\(volume.volume.kind.driverName)", "\\\(volume.volume.kind.deviceName)", volume.name]
    let needed = names.reduce(size) { $0 + $1.utf16.count * 2 }
    try returned.store(UInt32(needed))
    guard length >= size, !properties.isNull else { return .bufferTooSmall }
    try memory.memory.fill(0, count: size, at: properties.address)
    try properties.DeviceType.store(own.DeviceType.load())
    try properties.DeviceCharacteristics.store(disk.Characteristics.load())
    try properties.DeviceObjectFlags.store(own.Flags.load().rawValue)
    try properties.AlignmentRequirement.store(own.AlignmentRequirement.load())
    try properties.SectorSize.store(disk.SectorSize.load())
    var place = properties.address + UInt64(size)
    var left = length - size
    let strings = [properties.FileSystemDriverName, properties.FileSystemDeviceName, properties.RealDeviceName]
    for (string, name) in zip(strings, names) {
      let units = Array(name.utf16)
      guard units.count * 2 <= left else { return .bufferOverflow }
      try write(units, at: place)
      try string.Length.store(UInt16(units.count * 2))
      try string.MaximumLength.store(UInt16(units.count * 2))
      try string.Buffer.store(Pointer(place, in: memory.memory))
      place += UInt64(units.count * 2)
      left -= units.count * 2
    }
    return .success
  }
}
