import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// A request's buffers, by whatever method they come.
  static let requestBufferFunctions: [Export] =
    directed(isInput: true) + directed(isInput: false) + [
      // nf-wdfrequest-wdfrequestretrieveoutputwdmmdl
      asyncFunction("WdfRequestRetrieveOutputWdmMdl(DriverGlobals, Request, Mdl)") {
        (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, result: Pointer<Pointer<MDL>>) async throws -> NTSTATUS in
        let request = try kernel.request(request)
        let mdl = try request.irp.MdlAddress.load()
        try result.store(mdl)
        let method = try request.method()
        guard method == .inDirect || method == .outDirect, request.major != .write else { return .invalidDeviceRequest }
        return mdl.isNull ? .bufferTooSmall : .success
      }
      .partially("a system buffer has no MDL: STATUS_INVALID_DEVICE_REQUEST")
    ]

  /// The functions that there are for either direction.
  private static func directed(isInput: Bool) -> [Export] {
    let name = isInput ? "Input" : "Output"
    let access: LOCK_OPERATION = isInput ? .read : .write
    return [
      // nf-wdfrequest-wdfrequestretrieveinputmemory, nf-wdfrequest-wdfrequestretrieveoutputmemory
      asyncFunction("WdfRequestRetrieve\(name)Memory(DriverGlobals, Request, Memory)") {
        (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, result: Pointer<GuestWord>) async throws -> NTSTATUS in
        try await kernel.refusing {
          try result.store(0)
          try result.store(kernel.memory(of: kernel.request(request), isInput: isInput).handle)
          return .success
        }
      },
      // nf-wdfrequest-wdfrequestretrieveinputbuffer, nf-wdfrequest-wdfrequestretrieveoutputbuffer
      asyncFunction("WdfRequestRetrieve\(name)Buffer(DriverGlobals, Request, MinimumRequiredLength, Buffer, Length)") {
        (
          kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, minimum: GuestWord, result: Pointer<GuestWord>,
          length: Pointer<GuestWord>
        ) async throws -> NTSTATUS in
        try await kernel.refusing {
          try result.store(0)
          if !length.isNull { try length.store(0) }
          let memory = try kernel.memory(of: kernel.request(request), isInput: isInput)
          guard memory.size >= minimum.bits else { return .bufferTooSmall }
          try result.store(GuestWord(memory.buffer))
          if !length.isNull { try length.store(GuestWord(memory.size)) }
          return .success
        }
      },
      // nf-wdfrequest-wdfrequestretrieveunsafeuserinputbuffer, nf-wdfrequest-wdfrequestretrieveunsafeuseroutputbuffer
      asyncFunction("WdfRequestRetrieveUnsafeUser\(name)Buffer(DriverGlobals, Request, MinimumRequiredLength, Buffer, Length)") {
        (
          kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, minimum: GuestWord, result: Pointer<GuestWord>,
          length: Pointer<GuestWord>
        ) async throws -> NTSTATUS in
        try await kernel.refusing {
          try result.store(0)
          if !length.isNull { try length.store(0) }
          let (address, size) = try kernel.userBuffer(of: kernel.request(request), isInput: isInput, atLeast: minimum.bits)
          try result.store(GuestWord(address))
          if !length.isNull { try length.store(GuestWord(size)) }
          return .success
        }
      },
      // nf-wdfrequest-wdfrequestprobeandlockuserbufferforread, nf-wdfrequest-wdfrequestprobeandlockuserbufferforwrite
      asyncFunction(
        "WdfRequestProbeAndLockUserBufferFor\(isInput ? "Read" : "Write")(DriverGlobals, Request, Buffer, Length, MemoryObject)", irql: .apc
      ) {
        (
          kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, request: GuestWord, buffer: GuestWord, length: GuestWord,
          result: Pointer<GuestWord>
        ) async throws -> NTSTATUS in
        try await kernel.refusing {
          try result.store(0)
          let memory = try kernel.lock(kernel.request(request), buffer.bits, length.bits, access)
          try result.store(memory.handle)
          return .success
        }
      },
    ]
  }
}
