import Guest
import WindowsTypes

/// The end of the machine, as devices see it: `IRP_MJ_SHUTDOWN`.
extension Kernel {
  static let shutdownNotification = "a shutdown notification"
  static let lastChanceNotification = "a last-chance shutdown notification"

  func unregisterShutdown(of device: Pointer<DEVICE_OBJECT>) {
    for what in [Self.shutdownNotification, Self.lastChanceNotification] { unregister(what, device.address) }
  }

  /// Tells those who asked, then the file systems, then those who asked for the last chance, when nothing can be read or written any
  /// more (nf-wdm-ioregistershutdownnotification, nf-ntifs-ioregisterlastchanceshutdownnotification); among each, the last that came first.
  ///
  /// Whoever has been told is told no second time.
  func shutDownDevices() async throws {
    try await runShutdownWorkItems()
    try await shutDown(registered: Self.shutdownNotification)
    for device in files.registered { try await shutDown(Pointer(device, in: memory.memory)) }
    try await shutDown(registered: Self.lastChanceNotification)
  }

  private func shutDown(registered what: String) async throws {
    while let next = io.registrations.last(where: { $0.what == what }) {
      unregister(what, next.key)
      try await shutDown(Pointer(next.key, in: memory.memory))
    }
  }

  private func shutDown(_ device: Pointer<DEVICE_OBJECT>) async throws {
    guard kind(of: device.address) == .device else { return }
    _ = try await sendAndWait(topDevice(device)) { irp in try nextLocation(of: irp).MajorFunction.store(.shutdown) }
  }
}
