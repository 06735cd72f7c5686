import Guest
import WindowsTypes

/// Requests that the kernel itself makes of devices, and waits for.
extension Kernel {
  /// Sends a control code down the stack that `device` is in.
  ///
  /// - Returns: the status, and as many bytes of output as the driver says that there are.
  func control(
    _ device: Pointer<DEVICE_OBJECT>, _ code: IOControlCode, _ input: [UInt8], outputLength: Int
  ) async throws -> (status: NTSTATUS, output: [UInt8]) {
    let here = memory.memory
    let buffer = try allocate(UInt64(max(16, input.count + outputLength)))
    defer { free(buffer) }
    try here.write(input, at: buffer)
    let output = buffer + UInt64(input.count)
    let (status, information) = try await sendAndWait(topDevice(device)) { irp in
      try prepareControl(
        irp, code, input: (input.isEmpty ? 0 : buffer, UInt32(input.count)),
        output: (outputLength == 0 ? 0 : output, UInt32(outputLength)), mode: .kernelMode, isInternal: false)
    }
    guard !status.isFailure else { return (status, []) }
    return (status, try here.bytes(Int(min(information, UInt64(outputLength))), at: output))
  }

  /// Reads or writes a device at an offset of its own, in whole sectors.
  func transfer(_ device: Pointer<DEVICE_OBJECT>, _ buffer: UInt64, _ length: UInt32, at offset: Int64, isRead: Bool) async throws
    -> NTSTATUS
  {
    let top = try topDevice(device)
    return try await sendAndWait(top) { irp in
      try prepareTransfer(irp, top, isRead: isRead, (buffer, length), offset: offset, key: 0, mode: .kernelMode)
    }.status
  }

  /// Makes a request of the running thread's, sends it to `device`, and waits until it is complete.
  func sendAndWait(
    _ device: Pointer<DEVICE_OBJECT>, _ prepare: (Pointer<IRP>) throws -> Void
  ) async throws -> (status: NTSTATUS, information: UInt64) {
    let here = memory.memory
    let room = try allocate(0x20)
    defer { free(room) }
    let (event, block) = (Pointer<KEVENT>(room, in: here), Pointer<IO_STATUS_BLOCK>(room + 0x10, in: here))
    try initializeEvent(event, .eventNotification, isSet: false)
    let irp = try build(device, event, block, isQueued: true, prepare)
    guard !irp.isNull else { return (.insufficientResources, 0) }
    var status = try await callDriver(device, irp)
    if status == .pending {
      _ = try await waiting([event.Header])
      status = try block.Status.load()
    }
    return (status, try block.Information.load().bits)
  }
}
