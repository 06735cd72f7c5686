import Guest
import WindowsTypes

/// What the transports and the mount manager of ``StandingObject`` answer.
extension Kernel {
  /// Ends a read of an input device with STATUS_CANCELLED, as the class drivers do when it is cancelled or its file is cleaned up.
  /// Returns whether it is one that waits.
  func cancelInput(_ irp: Pointer<IRP>) async throws -> Bool {
    guard let index = io.inputReads.firstIndex(where: { $0.irp == irp.address }) else { return false }
    io.inputReads.remove(at: index)
    try irp.IoStatus.Status.store(NTSTATUS(rawValue: 0xc000_0120))
    try irp.IoStatus.Information.store(GuestWord(0))
    try await completeRequest(irp)
    return true
  }

  /// A request of the transport driver interface, by its minor function (tdikrnl.h), in a machine without a network.
  func transportAnswer(to minor: UInt8) -> NTSTATUS {
    switch minor {
    // TDI_ASSOCIATE_ADDRESS, TDI_DISASSOCIATE_ADDRESS, TDI_SET_EVENT_HANDLER.
    case 1, 2, 0xb: .success
    // TDI_CONNECT, TDI_SEND_DATAGRAM: STATUS_NETWORK_UNREACHABLE.
    case 3, 9: NTSTATUS(rawValue: 0xc000_023c)
    // TDI_DISCONNECT, TDI_SEND, TDI_RECEIVE: STATUS_INVALID_CONNECTION.
    case 6, 7, 8: NTSTATUS(rawValue: 0xc000_0140)
    default: .invalidDeviceRequest
    }
  }

  /// Control codes of the mount manager (mountmgr.h).
  func mountManagerControl(_ irp: Pointer<IRP>, _ stack: Pointer<IO_STACK_LOCATION>) async throws -> Reply {
    let parameters = stack.Parameters.DeviceIoControl
    let buffer = try irp.AssociatedIrp.SystemBuffer.load().address
    let length = UInt64(try parameters.InputBufferLength.load())
    let here = memory.memory
    func text(_ place: UInt64) throws -> String? {
      let (offset, size) = (
        UInt64(try here.load(UInt16.self, at: buffer + place)), UInt64(try here.load(UInt16.self, at: buffer + place + 2))
      )
      guard offset + size <= length else { return nil }
      return String(decoding: try (0..<size / 2).map { try here.load(UInt16.self, at: buffer + offset + 2 * $0) }, as: UTF16.self)
    }
    switch try parameters.IoControlCode.load().rawValue {
    case 0x6d_c000:  // IOCTL_MOUNTMGR_CREATE_POINT: where the link's name and the device's are
      guard length >= 8, let link = try text(0), let device = try text(4) else { return Reply(.invalidParameter) }
      switch try place(forNew: link) {
      case .success(let place): try makeSymbolicLink(place, to: device)
      case .failure(let refusal): return Reply(refusal.status)
      }
      return .success
    case 0x6d_c004:  // IOCTL_MOUNTMGR_DELETE_POINTS: MOUNTMGR_MOUNT_POINT, whose link's name may say which
      guard length >= 0x18 else { return Reply(.invalidParameter) }
      let (offset, size) = (UInt64(try here.load(UInt32.self, at: buffer)), UInt64(try here.load(UInt16.self, at: buffer + 4)))
      guard size > 0, offset + size <= length else { return Reply(.objectNameNotFound) }
      let name = String(decoding: try (0..<size / 2).map { try here.load(UInt16.self, at: buffer + offset + 2 * $0) }, as: UTF16.self)
      guard case .found(let entry, "") = try resolve(name, followsLast: false), entry.kind == .symbolicLink else {
        return Reply(.objectNameNotFound)
      }
      try await removeLink(name)
      return .success
    // IOCTL_MOUNTMGR_VOLUME_ARRIVAL_NOTIFICATION: the volume has its name from its driver.
    case 0x6d_402c: return length >= 2 ? .success : Reply(.invalidParameter)
    default: return Reply(.invalidDeviceRequest)
    }
  }
}
