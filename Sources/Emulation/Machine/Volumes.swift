import Guest
import Memory
import NTKernel
import WindowsTypes

extension Machine {
  /// Mounts the fixture's volumes that are there from the start.
  func mountVolumes() throws {
    for volume in fixture.volumes where volume.isMounted { try mount(volume) }
  }

  @discardableResult
  private func mount(_ volume: Fixture.Volume) throws -> Volume {
    do {
      return try kernel.addVolume(volume.description)
    } catch let exception as GuestException {
      throw error(volume.origin.line, "\(quoted(volume.description.device)) cannot be made: \(exception.code)")
    }
  }

  /// Mounts or dismounts a volume while the machine runs, and lets the filters see it.
  func perform(_ change: Fixture.VolumeChange, _ index: Int, _ line: Int?) throws {
    let present = kernel.volumes.first { $0.name.lowercased() == change.device.lowercased() }
    let device: Pointer<DEVICE_OBJECT>
    if change.isMount {
      guard let volume = fixture.volumes.first(where: { $0.description.device.lowercased() == change.device.lowercased() }) else {
        let known = suggestion(for: change.device, among: fixture.volumes.map(\.description.device))
        throw error(line, "“volumes” has no \(quoted(change.device))\(known)")
      }
      guard present == nil else { throw error(line, "\(quoted(change.device)) is mounted already: say “mounted: false” of it") }
      device = try mount(volume).storageDevice
    } else {
      guard let present else { throw error(line, "no volume \(quoted(change.device)) is mounted") }
      device = present.storageDevice
    }
    try perform(
      Fixture.Call(
        on: try systemThread().name,
        .symbol(module: "fltMgr", name: change.isMount ? "FltpVolumeMounted" : "FltpVolumeDismounted", offset: 0),
        with: [.integer(device.address)], expect: change.expect ?? .returns(.integer(0))),
      index, line, title: "\(change.isMount ? "mount" : "dismount") \(change.device)")
  }
}
