import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// What a filter has put in place of an operation's buffer, and what else it may ask of an operation.
  static let swappedBuffers: [Export] = [
    // nf-fltkernel-fltgetswappedbuffermdladdress: in a post-operation callback, of the buffer that its own pre-operation callback placed.
    export("FltGetSwappedBufferMdlAddress(CallbackData)", module: "fltMgr") {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>) -> Pointer<MDL> in
      guard let operation = try kernel.operation(data, in: "FltGetSwappedBufferMdlAddress") else {
        return Pointer(0, in: kernel.memory.memory)
      }
      return Pointer(operation.swappedMDL.map { operation.placed[$0].mdl } ?? 0, in: kernel.memory.memory)
    },
    // nf-fltkernel-fltretainswappedbuffermdladdress: from now on the MDL is the filter's to free.
    export("FltRetainSwappedBufferMdlAddress(CallbackData)", module: "fltMgr") { (kernel, data: Pointer<FLT_CALLBACK_DATA>) in
      guard let operation = try kernel.operation(data, in: "FltRetainSwappedBufferMdlAddress") else { return }
      if let index = operation.swappedMDL { operation.placed.remove(at: index) }
    },
    // nf-fltkernel-fltisoperationsynchronous
    export("FltIsOperationSynchronous(CallbackData)", module: "fltMgr", irql: .dispatch) {
      (kernel, data: Pointer<FLT_CALLBACK_DATA>) async throws -> UInt8 in
      guard try data.Flags.load().contains(.irpOperation), let operation = kernel.filterManager.operations[data.address],
        !operation.irp.isNull
      else { return 1 }
      return UInt8(
        truncatingIfNeeded: try await kernel.call(kernel.trapAddress(of: "IoIsOperationSynchronous"), [operation.irp.address]))
    },
    // nf-fltkernel-fltquerysecurityobject
    export(
      "FltQuerySecurityObject(Instance, FileObject, SecurityInformation, SecurityDescriptor, Length, LengthNeeded)", module: "fltMgr",
      irql: .passive
    ) {
      (
        kernel, instance: Pointer<Void>, file: Pointer<FILE_OBJECT>, information: UInt32, descriptor: GuestWord, length: UInt32,
        needed: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      guard let instance = try kernel.object(instance, Instance.self, in: "FltQuerySecurityObject") else { return .invalidParameter }
      let (status, count) = try await kernel.ask(instance, file, .querySecurity) { irp, stack in
        let parameters = stack.Parameters.cast(to: UInt32.self)
        try parameters[0].store(information)
        try parameters[1].store(length)
        try irp.UserBuffer.store(Pointer(descriptor.bits, in: kernel.memory.memory))
      }
      if !needed.isNull { try needed.store(UInt32(truncatingIfNeeded: count)) }
      return status == .bufferOverflow ? .bufferTooSmall : status
    },
    // nf-fltkernel-fltqueryvolumeinformation: by a handle to the volume that the filter manager opens below the instance.
    export("FltQueryVolumeInformation(Instance, Iosb, FsInformation, Length, FsInformationClass)", module: "fltMgr", irql: .passive) {
      (
        kernel, pointer: Pointer<Void>, block: Pointer<IO_STATUS_BLOCK>, buffer: GuestWord, length: UInt32, type: UInt32
      ) async throws -> NTSTATUS in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltQueryVolumeInformation") else { return .invalidParameter }
      return try await kernel.queryVolume(of: instance, block, buffer.bits, length, type)
    },
  ]
}

extension Operation {
  /// Which of the MDLs in ``placed`` the filter that is called has placed.
  fileprivate var swappedMDL: Int? {
    guard stage == .post, let instance = pended?.instance else { return nil }
    return placed.lastIndex { $0.instance === instance }
  }
}

extension Kernel {
  /// Opens the volume itself, asks, and closes it.
  fileprivate func queryVolume(
    of instance: Instance, _ block: Pointer<IO_STATUS_BLOCK>, _ buffer: UInt64, _ length: UInt32, _ type: UInt32
  ) async throws -> NTSTATUS {
    // FILE_READ_ATTRIBUTES | SYNCHRONIZE; shared; FILE_OPEN, synchronously.
    let (status, handle) = try await openBelow(instance, instance.volume.name, access: 0x10_0080, disposition: 1, options: 0x20)
    guard status.isSuccess else { return status }
    guard let file = try fileObject(ofHandle: handle) else { return .invalidHandle }
    let answer = try await askBuffered(instance, file, .queryVolumeInformation, buffer, length, type, isInput: false)
    _ = try await call(trapAddress(of: "ZwClose"), [handle])
    if !block.isNull {
      try block.Status.store(answer.status)
      try block.Information.store(GuestWord(answer.information))
    }
    return answer.status
  }
}
