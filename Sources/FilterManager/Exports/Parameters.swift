import Guest
import NTKernel
import WindowsTypes

/// The filter manager's own routines.
public enum FilterManager {
  /// All of them. Traces depend on the order, so what is new goes to the end.
  public static let exports: [Export] = [
    parameters, filters, contexts, volumes, instances, operations, names, files, queues, internals, ports, userSide, volumeChanges,
    pushLocks, swappedBuffers, reissue, oplocks, fileAttributes, information, extraCreateParameters, redirection,
  ].flatMap { $0 }

  static let parameters: [Export] = [
    // nf-fltkernel-fltdecodeparameters: hands out the addresses of the operation's parameter fields.
    export("FltDecodeParameters(CallbackData, MdlAddressPointer, Buffer, Length, DesiredAccess)", module: "fltMgr") {
      (
        kernel, data: Pointer<FLT_CALLBACK_DATA>, mdl: Pointer<GuestWord>, buffer: Pointer<GuestWord>, length: Pointer<GuestWord>,
        access: Pointer<LOCK_OPERATION>
      ) -> NTSTATUS in
      guard let fields = try OperationBuffer(data) else { return .invalidParameter }
      if let uncertainty = fields.uncertainty { kernel.note(uncertain: uncertainty) }
      try mdl.store(GuestWord(fields.mdl ?? 0))
      if !buffer.isNull { try buffer.store(GuestWord(fields.buffer ?? 0)) }
      if !length.isNull { try length.store(GuestWord(fields.length ?? 0)) }
      if !access.isNull { try access.store(fields.access) }
      return .success
    }
    .uncertain("the access of operations other than read and write is taken from the direction of their data")
  ]
}
