import Guest
import NTKernel
import WindowsTypes

/// `WDFDMAENABLER`
final class TransferEnabler: FrameworkObject {
  let maximumLength: UInt32
  /// WDF_DMA_ENABLER_UNLIMITED_FRAGMENTS until the driver says otherwise.
  var maximumElements = UInt32.max

  init(_ block: UInt64, _ binding: Binding, maximumLength: UInt32) {
    self.maximumLength = maximumLength
    super.init(block, binding)
  }
}

/// `WDFCOMMONBUFFER`
final class CommonBuffer: FrameworkObject {
  let address: UInt64
  let size: UInt32

  init(_ block: UInt64, _ binding: Binding, address: UInt64, size: UInt32) {
    self.address = address
    self.size = size
    super.init(block, binding)
  }

  override func dispose(_ kernel: Kernel) async throws {
    _ = try await kernel.call(kernel.trapAddress(of: "MmFreeContiguousMemory"), [address])
  }
}

/// `WDFDMATRANSACTION`
final class Transaction: FrameworkObject {
  let enabler: TransferEnabler
  /// What the driver has prepared it for.
  var transfer: Transfer?
  var maximumLength: UInt32?
  var (isExecuting, transferred) = (false, UInt32(0))
  /// How much the hardware was told of last.
  var current: UInt32 = 0

  struct Transfer {
    let program: GuestWord
    let direction: UInt32
    let mdl: Pointer<MDL>
    let offset: UInt64
    let length: UInt32
    var request: Request?
    var context: GuestWord = 0
  }

  init(_ block: UInt64, _ binding: Binding, _ enabler: TransferEnabler) {
    self.enabler = enabler
    super.init(block, binding)
  }
}

extension KMDF {
  /// Transfers by the device itself (wdfdmaenabler.h, wdfcommonbuffer.h, wdfdmatransaction.h).
  static let transferFunctions: [Export] = [
    // nf-wdfdmaenabler-wdfdmaenablercreate: WDF_DMA_ENABLER_CONFIG is its size, a profile and a length.
    asyncFunction("WdfDmaEnablerCreate(DriverGlobals, Device, Config, Attributes, DmaEnablerHandle)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, config: Pointer<UInt32>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let device = try kernel.object(device, Device.self)
        guard try kernel.required(config).load() >= 0xc else { return .infoLengthMismatch }
        // WdfDmaProfilePacket to WdfDmaProfileScatterGather64Duplex, and the system profiles.
        guard try 1...9 ~= config[1].load(), case let length = try config[2].load(), length > 0, device.physical != nil else {
          return .invalidParameter
        }
        let enabler = TransferEnabler(try kernel.objectBlock(), device.binding, maximumLength: length)
        try kernel.adopt(enabler, kernel.attributes(attributes, allowsParent: false), parent: device)
        try result.store(enabler.handle)
        return .success
      }
    }
    .partially("EvtDmaEnablerFill and its like are not called"),
    function("WdfDmaEnablerGetMaximumLength(DriverGlobals, DmaEnabler)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, enabler: GuestWord) -> UInt32 in
      try kernel.object(enabler, TransferEnabler.self).maximumLength
    },
    function("WdfDmaEnablerGetFragmentLength(DriverGlobals, DmaEnabler, DmaDirection)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, enabler: GuestWord, direction: UInt32) -> UInt32 in
      try kernel.object(enabler, TransferEnabler.self).maximumLength
    },
    function("WdfDmaEnablerGetMaximumScatterGatherElements(DriverGlobals, DmaEnabler)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, enabler: GuestWord) -> UInt32 in
      try kernel.object(enabler, TransferEnabler.self).maximumElements
    },
    procedure("WdfDmaEnablerSetMaximumScatterGatherElements(DriverGlobals, DmaEnabler, MaximumElements)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, enabler: GuestWord, elements: UInt32) in
      try kernel.object(enabler, TransferEnabler.self).maximumElements = elements
    },
    // nf-wdfcommonbuffer-wdfcommonbuffercreate, nf-wdfcommonbuffer-wdfcommonbuffercreatewithconfig
    asyncFunction("WdfCommonBufferCreate(DriverGlobals, DmaEnabler, Length, Attributes, CommonBuffer)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, enabler: GuestWord, length: UInt32, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in try await kernel.createCommonBuffer(enabler, length, attributes, result)
    },
    asyncFunction("WdfCommonBufferCreateWithConfig(DriverGlobals, DmaEnabler, Length, Config, Attributes, CommonBuffer)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, enabler: GuestWord, length: UInt32, config: Pointer<UInt32>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      guard try kernel.required(config).load() >= 8 else { return .infoLengthMismatch }
      return try await kernel.createCommonBuffer(enabler, length, attributes, result)
    }
    .partially("a buffer is aligned to a page, whatever is asked for"),
    function("WdfCommonBufferGetAlignedVirtualAddress(DriverGlobals, CommonBuffer)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, buffer: GuestWord) -> GuestWord in
      GuestWord(try kernel.object(buffer, CommonBuffer.self).address)
    },
    function("WdfCommonBufferGetAlignedLogicalAddress(DriverGlobals, CommonBuffer)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, buffer: GuestWord) -> UInt64 in
      try kernel.physicalAddress(of: kernel.object(buffer, CommonBuffer.self).address)
    },
    function("WdfCommonBufferGetLength(DriverGlobals, CommonBuffer)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, buffer: GuestWord) -> UInt32 in
      try kernel.object(buffer, CommonBuffer.self).size
    },
    // nf-wdfdmatransaction-wdfdmatransactioncreate
    asyncFunction("WdfDmaTransactionCreate(DriverGlobals, DmaEnabler, Attributes, DmaTransaction)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, enabler: GuestWord, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let enabler = try kernel.object(enabler, TransferEnabler.self)
        let transaction = Transaction(try kernel.objectBlock(), enabler.binding, enabler)
        try kernel.adopt(transaction, kernel.attributes(attributes), parent: enabler)
        try result.store(transaction.handle)
        return .success
      }
    },
    // nf-wdfdmatransaction-wdfdmatransactioninitialize: one that is prepared already is STATUS_INVALID_DEVICE_REQUEST.
    function("WdfDmaTransactionInitialize(DriverGlobals, DmaTransaction, EvtProgramDmaFunction, DmaDirection, Mdl, VirtualAddress, Length)")
    {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord, program: GuestWord, direction: UInt32, mdl: Pointer<MDL>,
        address: GuestWord, length: UInt32
      ) -> NTSTATUS in
      let transaction = try kernel.object(transaction, Transaction.self)
      guard program.bits != 0, !mdl.isNull, length > 0, direction <= 1 else { return .invalidParameter }
      guard transaction.transfer == nil else { return .invalidDeviceRequest }
      let start = UInt64(try mdl.StartVa.load().address) + UInt64(try mdl.ByteOffset.load())
      transaction.transfer = .init(
        program: program, direction: direction, mdl: mdl, offset: address.bits >= start ? address.bits - start : 0, length: length)
      return .success
    },
    // nf-wdfdmatransaction-wdfdmatransactioninitializeusingrequest
    function("WdfDmaTransactionInitializeUsingRequest(DriverGlobals, DmaTransaction, Request, EvtProgramDmaFunction, DmaDirection)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord, request: GuestWord, program: GuestWord, direction: UInt32
      ) -> NTSTATUS in
      let (transaction, request) = try (kernel.object(transaction, Transaction.self), kernel.request(request))
      guard program.bits != 0, direction <= 1 else { return .invalidParameter }
      guard transaction.transfer == nil else { return .invalidDeviceRequest }
      let (mdl, sizes) = (try request.irp.MdlAddress.load(), try request.sizes())
      let length = UInt32(clamping: max(sizes.input, sizes.output))
      guard !mdl.isNull, length > 0 else { return .invalidDeviceRequest }
      transaction.transfer = .init(program: program, direction: direction, mdl: mdl, offset: 0, length: length, request: request)
      return .success
    }
    .partially("a request that is buffered has no MDL: STATUS_INVALID_DEVICE_REQUEST"),
    // nf-wdfdmatransaction-wdfdmatransactionexecute: EvtProgramDma is called with the first transfer's pages.
    asyncFunction("WdfDmaTransactionExecute(DriverGlobals, DmaTransaction, Context)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord, context: GuestWord) async throws -> NTSTATUS in
      let transaction = try kernel.object(transaction, Transaction.self)
      guard transaction.transfer != nil, !transaction.isExecuting else { return .invalidDeviceRequest }
      transaction.transfer?.context = context
      (transaction.isExecuting, transaction.transferred) = (true, 0)
      try await kernel.program(transaction)
      return .success
    },
    // nf-wdfdmatransaction-wdfdmatransactiondmacompleted and its like: TRUE once all is transferred.
    completed("WdfDmaTransactionDmaCompleted(DriverGlobals, DmaTransaction, Status)"),
    asyncFunction("WdfDmaTransactionDmaCompletedWithLength(DriverGlobals, DmaTransaction, TransferredLength, Status)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord, length: UInt32, status: Pointer<NTSTATUS>
      ) async throws -> UInt8 in
      try await kernel.goOn(kernel.object(transaction, Transaction.self), length, isLast: false, status)
    },
    asyncFunction("WdfDmaTransactionDmaCompletedFinal(DriverGlobals, DmaTransaction, FinalTransferredLength, Status)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord, length: UInt32, status: Pointer<NTSTATUS>
      ) async throws -> UInt8 in
      try await kernel.goOn(kernel.object(transaction, Transaction.self), length, isLast: true, status)
    },
    // nf-wdfdmatransaction-wdfdmatransactionrelease
    function("WdfDmaTransactionRelease(DriverGlobals, DmaTransaction)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord) -> NTSTATUS in
      let transaction = try kernel.object(transaction, Transaction.self)
      guard transaction.transfer != nil else { return .invalidDeviceRequest }
      (transaction.transfer, transaction.isExecuting, transaction.current) = (nil, false, 0)
      return .success
    },
    function("WdfDmaTransactionGetBytesTransferred(DriverGlobals, DmaTransaction)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord) -> UInt32 in
      try kernel.object(transaction, Transaction.self).transferred
    },
    function("WdfDmaTransactionGetCurrentDmaTransferLength(DriverGlobals, DmaTransaction)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord) -> UInt32 in
      try kernel.object(transaction, Transaction.self).current
    },
    procedure("WdfDmaTransactionSetMaximumLength(DriverGlobals, DmaTransaction, MaximumLength)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord, length: UInt32) in
      try kernel.object(transaction, Transaction.self).maximumLength = length
    },
    function("WdfDmaTransactionGetRequest(DriverGlobals, DmaTransaction)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord) -> GuestWord in
      try kernel.object(transaction, Transaction.self).transfer?.request?.handle ?? 0
    },
    function("WdfDmaTransactionGetDevice(DriverGlobals, DmaTransaction)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord) -> GuestWord in
      try kernel.object(transaction, Transaction.self).device?.handle ?? 0
    },
  ]

  private static func completed(_ prototype: String) -> Export {
    asyncFunction(prototype) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, transaction: GuestWord, status: Pointer<NTSTATUS>) async throws -> UInt8 in
      let transaction = try kernel.object(transaction, Transaction.self)
      return try await kernel.goOn(transaction, transaction.current, isLast: false, status)
    }
  }
}

extension Kernel {
  fileprivate func createCommonBuffer(
    _ enabler: GuestWord, _ length: UInt32, _ attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, _ result: Pointer<GuestWord>
  ) async throws -> NTSTATUS {
    try await refusing {
      try required(result).store(0)
      let enabler = try object(enabler, TransferEnabler.self)
      guard 1...0x100_0000 ~= length else { return length == 0 ? .invalidParameter : .insufficientResources }
      let address = try await call(trapAddress(of: "MmAllocateContiguousMemory"), [UInt64(length), 0xffff_ffff, 0]) & 0xffff_ffff
      guard address != 0 else { return .insufficientResources }
      let buffer = CommonBuffer(try objectBlock(), enabler.binding, address: address, size: length)
      try adopt(buffer, self.attributes(attributes, allowsParent: false), parent: enabler)
      try result.store(buffer.handle)
      return .success
    }
  }

  /// Calls EvtProgramDma with the next part of the transfer (nc-wdfdmatransaction-evt_wdf_program_dma): a SCATTER_GATHER_LIST of
  /// physically contiguous pieces.
  fileprivate func program(_ transaction: Transaction) async throws {
    guard let transfer = transaction.transfer else { return }
    let limit = min(transaction.enabler.maximumLength, transaction.maximumLength ?? .max)
    let wanted = min(transfer.length - min(transaction.transferred, transfer.length), max(1, limit))
    var pieces: [(address: UInt64, length: UInt64)] = []
    var (mdl, skip, left) = (transfer.mdl, transfer.offset + UInt64(transaction.transferred), UInt64(wanted))
    while left > 0, !mdl.isNull, pieces.count < 512 {
      let (count, first) = (UInt64(try mdl.ByteCount.load()), UInt64(try mdl.ByteOffset.load()))
      let frames = mdl.address + UInt64(MDL.layouts.size(in: memory.target))
      while skip < count, left > 0, pieces.count < 512 {
        let place = first + skip
        let length = min(0x1000 - place & 0xfff, count - skip, left)
        let frame = UInt64(try memory.memory.load(UInt32.self, at: frames + 4 * (place >> 12)))
        let address = frame << 12 + place & 0xfff
        if let last = pieces.last, last.address + last.length == address {
          pieces[pieces.count - 1].length += length
        } else if pieces.count < Int(clamping: transaction.enabler.maximumElements) {
          pieces.append((address, length))
        } else {
          break
        }
        (skip, left) = (skip + length, left - length)
      }
      guard skip >= count else { break }
      (mdl, skip) = (try mdl.Next.load(), skip - count)
    }
    transaction.current = wanted - UInt32(left)
    // NumberOfElements, a reserved word; then address, length and a reserved word each.
    let list = try allocate(8 + 0x18 * UInt64(max(1, pieces.count)))
    defer { free(list) }
    try memory.memory.store(UInt32(pieces.count), at: list)
    for (index, piece) in pieces.enumerated() {
      try memory.memory.store(piece.address, at: list + 8 + 0x10 * UInt64(index))
      try memory.memory.store(UInt32(piece.length), at: list + 0x10 + 0x10 * UInt64(index))
    }
    try await notify(
      transfer.program,
      [
        transaction.handle.bits, transaction.device?.handle.bits ?? 0, transfer.context.bits, UInt64(transfer.direction), list,
      ])
  }

  /// A part is through: STATUS_MORE_PROCESSING_REQUIRED, and the next is begun, until all are.
  fileprivate func goOn(_ transaction: Transaction, _ length: UInt32, isLast: Bool, _ status: Pointer<NTSTATUS>) async throws -> UInt8 {
    guard let transfer = transaction.transfer, transaction.isExecuting else {
      try required(status).store(.invalidDeviceRequest)
      return 0
    }
    transaction.transferred = min(transfer.length, transaction.transferred &+ min(length, transaction.current))
    guard !isLast, transaction.transferred < transfer.length, transaction.current > 0 else {
      transaction.isExecuting = false
      try required(status).store(.success)
      return 1
    }
    try required(status).store(.moreProcessingRequired)
    try await program(transaction)
    return 0
  }
}
