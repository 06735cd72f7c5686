import Memory
import NTKernel
import WindowsTypes

extension Machine {
  /// Mounts the fixture's volumes.
  func mountVolumes() throws {
    for volume in fixture.volumes {
      do {
        try kernel.addVolume(volume.description)
      } catch let exception as GuestException {
        throw error(volume.origin.line, "\(quoted(volume.description.device)) cannot be made: \(exception.code)")
      }
    }
  }
}
