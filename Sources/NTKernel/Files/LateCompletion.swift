import Guest
import WindowsTypes

/// When the file system of a volume completes reads and writes.
public enum VolumeCompletion: String, CaseIterable, Sendable {
  /// In the thread that asked for them, before its call returns.
  case atOnce = "at-once"
  /// Later, at DISPATCH_LEVEL, in whatever process is there, as for what had to come from the disk.
  case atDispatch = "at-dispatch"
}

/// How the I/O manager prepares the buffers of a volume's reads and writes.
public enum VolumeBuffers: String, CaseIterable, Sendable {
  /// Not at all, as NTFS and FAT have it.
  case neither
  /// `DO_BUFFERED_IO`
  case buffered
  /// `DO_DIRECT_IO`
  case direct

  var flags: DeviceObjectFlags {
    switch self {
    case .neither: []
    case .buffered: .bufferedIO
    case .direct: .directIO
    }
  }
}

extension Kernel {
  /// Where a transfer's data are, when no MDL says so: the system buffer of a buffered request, else the user's own.
  func buffer(of irp: Pointer<IRP>) throws -> UInt64 {
    let isBuffered = try irp.Flags.load().contains(.bufferedIO)
    return isBuffered ? try irp.AssociatedIrp.SystemBuffer.load().address : try irp.UserBuffer.load().address
  }

  func completesLater(_ stack: Pointer<IO_STACK_LOCATION>, on device: Pointer<DEVICE_OBJECT>) throws -> Bool {
    guard volume(of: device)?.completion == .atDispatch else { return false }
    return try [.read, .write].contains(stack.MajorFunction.load())
  }

  /// Leaves a request whose status is known to a DPC, which a timer brings a tenth of a millisecond later.
  func completeLater(_ irp: Pointer<IRP>) throws -> NTSTATUS {
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    try stack.Control.store(stack.Control.load().union(.pendingReturned))
    let here = memory.memory
    let (dpcSize, timerSize) = (UInt64(Pointer<KDPC>.size(in: here)), UInt64(Pointer<KTIMER>.size(in: here)))
    let dpc = Pointer<KDPC>(try allocate(dpcSize + timerSize), in: here)
    let timer = Pointer<KTIMER>(dpc.address + dpcSize, in: here)
    try dpc.Type.store(0x13)
    try dpc.Importance.store(1)
    try dpc.DeferredRoutine.store(Pointer(trapAddress(of: "IopCompleteLate"), in: here))
    try dpc.DeferredContext.store(irp.cast())
    try timer.initialize(.timerNotification)
    _ = try setTimer(timer, due: -1000, period: 0, dpc)
    return .pending
  }
}

extension Export {
  /// The DPC of the run's own file systems.
  static let lateCompletion: [Export] = [
    export("IopCompleteLate(Dpc, DeferredContext, SystemArgument1, SystemArgument2)", isImportable: false) {
      (kernel, dpc: GuestWord, irp: Pointer<IRP>, first: GuestWord, second: GuestWord) async throws in
      _ = kernel.nonPagedPool.free(dpc.bits)
      try await kernel.completeRequest(irp)
    }
  ]
}
