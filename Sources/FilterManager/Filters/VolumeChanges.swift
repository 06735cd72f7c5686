import Guest
import NTKernel
import WindowsTypes

/// Volumes that come and go while filters run.
extension FilterManager {
  static let volumeChanges: [Export] = [
    export("FltpVolumeMounted(StorageDevice)", module: "fltMgr", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in try await kernel.noteMounted(device)
    },
    export("FltpVolumeDismounted(StorageDevice)", module: "fltMgr", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in try await kernel.dismount(device)
    },
  ]
}

extension Kernel {
  /// A volume was mounted: every filter that has started is offered it (FLTFL_INSTANCE_SETUP_NEWLY_MOUNTED_VOLUME).
  fileprivate func noteMounted(_ device: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    let filters = filterManager.filters.filter(\.isStarted)
    guard !filters.isEmpty, let volume = try filterVolumes().first(where: { $0.volume.storageDevice == device }) else { return .success }
    for filter in filters { try await attachAutomatically(filter, to: [volume], [.automaticAttachment, .newlyMountedVolume]) }
    return .success
  }

  /// A volume is dismounted, and its device goes: the instances on it are torn down from the highest altitude down, then what filters
  /// hung on the volume goes. Files that are open keep it.
  fileprivate func dismount(_ device: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS {
    guard let volume = volumes.first(where: { $0.storageDevice == device }) else { return .objectNameNotFound }
    if hasOpenFiles(on: volume) { return .accessDenied }
    if let own = filterManager.volumes.first(where: { $0.volume === volume }) {
      for instance in own.instances { try await tearDown(instance, .volumeDismount, in: "dismounting \(own.name)") }
      try await dropContexts(of: own)
      try beginRundown(own)
      try await awaitRundown(own, in: "dismounting \(own.name)")
      filterManager.volumes.removeAll { $0 === own }
      filterManager.volumeByDevice[own.device.address] = nil
      try await detach(from: own.below)
      try await deleteDevice(own.device)
      try free(own)
    }
    try await removeVolume(volume)
    return .success
  }
}
