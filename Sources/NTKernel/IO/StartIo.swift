import Guest
import WindowsTypes

/// Devices that take one request at a time: the I/O manager queues what comes meanwhile, and calls the driver's StartIo for each.
extension Kernel {
  /// `IoStartPacket` (nf-ntifs-iostartpacket): StartIo at DISPATCH_LEVEL if the device is idle, else the request waits, behind those
  /// with its key or a smaller one; without a key, behind all.
  ///
  /// One that is cancelled already when it would wait goes to its cancel routine instead, with the cancel lock held.
  func startPacket(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>, _ key: UInt32?, cancelRoutine: UInt64) async throws {
    let old = try raiseIRQL(to: .dispatch)
    if cancelRoutine != 0 { try irp.CancelRoutine.store(Pointer(cancelRoutine, in: memory.memory)) }
    if try device.DeviceQueue.insert(irp.Tail.Overlay.DeviceQueueEntry, key: key) == 0 {
      if cancelRoutine != 0, try device.startIoFlags().load() & StartIoFlags.notCancelable != 0 {
        try irp.CancelRoutine.store(Pointer(0, in: memory.memory))
      }
      try await start(irp, on: device)
    } else if cancelRoutine != 0, try irp.Cancel.load() != 0 {
      try irp.CancelRoutine.store(Pointer(0, in: memory.memory))
      try irp.CancelIrql.store(.dispatch)
      _ = try await call(cancelRoutine, [device.address, irp.address])
    }
    try lowerIRQL(to: old)
  }

  /// `IoStartNextPacket` (nf-ntifs-iostartnextpacket): the next request becomes the device's current one, and StartIo is called; by key
  /// (nf-ntifs-iostartnextpacketbykey), the first with at least that key.
  ///
  /// Where StartIo is deferred (nf-ntifs-iosetstartioattributes), a call from within StartIo leaves the next one to the first call.
  func startNextPacket(_ device: Pointer<DEVICE_OBJECT>, key: UInt32? = nil) async throws {
    let flags = try device.startIoFlags()
    guard try flags.load() & StartIoFlags.deferred != 0 else { return try await startNext(device, key) }
    let count = try device.DeviceObjectExtension.load().StartIoCount
    try count.store(count.load() &+ 1)
    if try count.load() > 1 {
      try device.DeviceObjectExtension.load().StartIoKey.store(Int32(bitPattern: key ?? 0))
      return try flags.store(flags.load() | (key == nil ? StartIoFlags.again : StartIoFlags.againByKey))
    }
    var key = key
    while true {
      try flags.store(flags.load() & ~(StartIoFlags.again | StartIoFlags.againByKey))
      try await startNext(device, key)
      let asked = try flags.load()
      guard asked & (StartIoFlags.again | StartIoFlags.againByKey) != 0 else { break }
      key = asked & StartIoFlags.againByKey != 0 ? UInt32(bitPattern: try device.DeviceObjectExtension.load().StartIoKey.load()) : nil
    }
    try count.store(0)
  }

  private func startNext(_ device: Pointer<DEVICE_OBJECT>, _ key: UInt32?) async throws {
    try device.CurrentIrp.store(Pointer(0, in: memory.memory))
    let entry = try device.DeviceQueue.next(key: key)
    guard !entry.isNull else { return }
    let offset = UInt64(IRP.layouts[memory.target].Tail.offset)
    try await start(Pointer(entry.address - offset, in: memory.memory), on: device)
  }

  private func start(_ irp: Pointer<IRP>, on device: Pointer<DEVICE_OBJECT>) async throws {
    try device.CurrentIrp.store(irp)
    _ = try await call(device.DriverObject.load().DriverStartIo.load().address, [device.address, irp.address])
  }
}

/// `DOE_SIO_…`: what `DEVOBJ_EXTENSION.StartIoFlags` holds of a device's StartIo.
enum StartIoFlags {
  static let againByKey: UInt32 = 0x40
  static let again: UInt32 = 0x80
  static let deferred: UInt32 = 0x100
  static let notCancelable: UInt32 = 0x200
}

extension Pointer where Pointee == DEVICE_OBJECT {
  func startIoFlags() throws -> Pointer<UInt32> { try self.DeviceObjectExtension.load().StartIoFlags }
}
