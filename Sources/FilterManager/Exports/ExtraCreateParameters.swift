import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Extra create parameters: the kernel's own, by names that take the filter, too.
  static let extraCreateParameters: [Export] = [
    // nf-fltkernel-fltallocateextracreateparameterlist
    export("FltAllocateExtraCreateParameterList(Filter, Flags, EcpList)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, flags: GuestWord, result: GuestWord) async throws -> NTSTATUS in
      try await kernel.forward(filter, "AllocateExtraCreateParameterList", [flags, result])
    },
    // nf-fltkernel-fltfreeextracreateparameterlist
    export("FltFreeExtraCreateParameterList(Filter, EcpList)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, list: GuestWord) async throws in
      _ = try await kernel.forward(filter, "FreeExtraCreateParameterList", [list])
    },
    // nf-fltkernel-fltallocateextracreateparameter
    export(
      "FltAllocateExtraCreateParameter(Filter, EcpType, SizeOfContext, Flags, CleanupCallback, PoolTag, EcpContext)", module: "fltMgr",
      irql: .apc
    ) {
      (
        kernel, filter: Pointer<FLT_FILTER>, type: GuestWord, size: GuestWord, flags: GuestWord, cleanup: GuestWord, tag: GuestWord,
        result: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.forward(filter, "AllocateExtraCreateParameter", [type, size, flags, cleanup, tag, result])
    },
    // nf-fltkernel-fltfreeextracreateparameter
    export("FltFreeExtraCreateParameter(Filter, EcpContext)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, context: GuestWord) async throws in
      _ = try await kernel.forward(filter, "FreeExtraCreateParameter", [context])
    },
    // nf-fltkernel-fltinsertextracreateparameter
    export("FltInsertExtraCreateParameter(Filter, EcpList, EcpContext)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, list: GuestWord, context: GuestWord) async throws -> NTSTATUS in
      try await kernel.forward(filter, "InsertExtraCreateParameter", [list, context])
    },
    // nf-fltkernel-fltfindextracreateparameter
    export("FltFindExtraCreateParameter(Filter, EcpList, EcpType, EcpContext, EcpContextSize)", module: "fltMgr", irql: .apc) {
      (
        kernel, filter: Pointer<FLT_FILTER>, list: GuestWord, type: GuestWord, context: GuestWord, size: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.forward(filter, "FindExtraCreateParameter", [list, type, context, size])
    },
    // nf-fltkernel-fltremoveextracreateparameter
    export("FltRemoveExtraCreateParameter(Filter, EcpList, EcpType, EcpContext, EcpContextSize)", module: "fltMgr", irql: .apc) {
      (
        kernel, filter: Pointer<FLT_FILTER>, list: GuestWord, type: GuestWord, context: GuestWord, size: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.forward(filter, "RemoveExtraCreateParameter", [list, type, context, size])
    },
    // nf-fltkernel-fltacknowledgeecp
    export("FltAcknowledgeEcp(Filter, EcpContext)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, context: GuestWord) async throws in
      _ = try await kernel.forward(filter, "AcknowledgeEcp", [context])
    },
    // nf-fltkernel-fltisecpacknowledged
    export("FltIsEcpAcknowledged(Filter, EcpContext)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, context: GuestWord) async throws -> UInt8 in
      UInt8(truncatingIfNeeded: try await kernel.forward(filter, "IsEcpAcknowledged", [context]).rawValue)
    },
    // nf-fltkernel-fltsetecplistintocallbackdata
    export("FltSetEcpListIntoCallbackData(Filter, CallbackData, EcpList)", module: "fltMgr", irql: .apc) {
      (
        kernel, filter: Pointer<FLT_FILTER>, data: Pointer<FLT_CALLBACK_DATA>, list: GuestWord
      ) async throws -> NTSTATUS in
      guard let irp = try kernel.createPacket(of: data, in: "FltSetEcpListIntoCallbackData") else { return .invalidParameter }
      return try await kernel.forward(filter, "SetEcpListIntoIrp", [irp, list])
    },
  ]
}

extension Kernel {
  /// What the kernel's routine of that name, behind its `FsRtl`, makes of the arguments.
  func forward(_ filter: Pointer<FLT_FILTER>, _ name: String, _ arguments: [GuestWord]) async throws -> NTSTATUS {
    guard try self.filter(filter, in: "Flt\(name)") != nil else { return .invalidParameter }
    return NTSTATUS(
      rawValue: UInt32(truncatingIfNeeded: try await call(trapAddress(of: "FsRtl\(name)"), arguments.map(\.bits))))
  }

  /// The packet of a create's callback data; `nil` for any other operation.
  func createPacket(of data: Pointer<FLT_CALLBACK_DATA>, in routine: String) throws -> GuestWord? {
    guard let operation = try operation(data, in: routine), operation.major == .create, !operation.isFast else { return nil }
    return GuestWord(operation.irp.address)
  }
}
