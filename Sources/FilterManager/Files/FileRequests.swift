import Guest
import NTKernel
import WindowsTypes

/// What a filter asks of files itself: it starts below the filter's own instance.
extension Kernel {
  /// Sends a request about `file` to the filters below `instance` and to the file system, and waits for it.
  ///
  /// - Parameter prepare: fills the IRP and the next stack location.
  func ask(
    _ instance: Instance?, _ file: Pointer<FILE_OBJECT>, _ major: IRP_MJ,
    _ prepare: (Pointer<IRP>, Pointer<IO_STACK_LOCATION>) throws -> Void
  ) async throws -> (status: NTSTATUS, information: UInt64) {
    let device = try instance?.volume.device ?? relatedDevice(of: file)
    let irp = try request(major, to: device, of: file, mode: .kernelMode)
    try irp.Flags.store([.synchronousApi, .deferIOCompletion])
    endInline(irp)
    do {
      try prepare(irp, irp.Tail.Overlay.CurrentStackLocation.load().advanced(by: -1))
    } catch let exception as GuestException {
      try abandon(irp)
      return (exception.code, 0)
    }
    if let instance { filterManager.starts[irp.address] = instance }
    return try await send(irp, to: device, waitingOn: file)
  }

  /// A request whose data passes through a system buffer: information of files and volumes.
  func askBuffered(
    _ instance: Instance?, _ file: Pointer<FILE_OBJECT>, _ major: IRP_MJ, _ buffer: UInt64, _ length: UInt32, _ `class`: UInt32,
    isInput: Bool, _ prepare: (Pointer<IO_STACK_LOCATION>) throws -> Void = { _ in }
  ) async throws -> (status: NTSTATUS, information: UInt64) {
    try await ask(instance, file, major) { irp, stack in
      let parameters = stack.Parameters.cast(to: UInt32.self)
      try parameters[0].store(length)
      try parameters[1].store(`class`)
      try prepare(stack)
      // "IoSB": the pool tag of buffers for buffered I/O.
      guard length > 0, let system = try allocatePool(UInt64(length), tag: 0x4253_6f49) else {
        throw GuestException(length == 0 ? .infoLengthMismatch : .insufficientResources)
      }
      if isInput { try memory.memory.write(memory.memory.bytes(Int(length), at: buffer), at: system) }
      try irp.AssociatedIrp.SystemBuffer.store(Pointer(system, in: memory.memory))
      try irp.UserBuffer.store(Pointer(buffer, in: memory.memory))
      var flags = try irp.Flags.load().union([.bufferedIO, .deallocateBuffer])
      if !isInput { flags.insert(.inputOperation) }
      try irp.Flags.store(flags)
    }
  }

  /// `FltReadFile` and `FltWriteFile`.
  func transfer(
    _ instance: Instance, _ file: Pointer<FILE_OBJECT>, isRead: Bool, _ buffer: (address: UInt64, length: UInt32),
    offset: Pointer<Int64>, flags: UInt32
  ) async throws -> (status: NTSTATUS, information: UInt64) {
    // FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET; without an offset, where the file object stands.
    let position = try file.CurrentByteOffset.QuadPart.load()
    let place = offset.isNull ? position : try offset.load()
    let result = try await ask(instance, file, isRead ? .read : .write) { irp, _ in
      try prepareTransfer(
        irp, instance.volume.device, isRead: isRead, buffer, offset: place, key: 0, mode: .kernelMode)
      // FLTFL_IO_OPERATION_NON_CACHED
      if flags & 1 != 0 { try irp.Flags.store(irp.Flags.load().union(.noCache)) }
    }
    if flags & 4 != 0 {
      try file.CurrentByteOffset.QuadPart.store(position)
    } else if result.status.isSuccess {
      try file.CurrentByteOffset.QuadPart.store(place &+ Int64(result.information))
    }
    return result
  }

  /// `FltFsControlFile` and `FltDeviceIoControlFile`.
  func control(
    _ instance: Instance, _ file: Pointer<FILE_OBJECT>, _ major: IRP_MJ, _ code: IOControlCode,
    input: (address: UInt64, length: UInt32), output: (address: UInt64, length: UInt32)
  ) async throws -> (status: NTSTATUS, information: UInt64) {
    try await ask(instance, file, major) { irp, stack in
      try prepareControl(irp, code, input: input, output: output, mode: .kernelMode, isInternal: false)
      try stack.MajorFunction.store(major)
    }
  }

  /// `FltCreateFile` and its like: the create, and all that is done with the file later, passes the instance's filter and those
  /// above it by.
  func createFile(below instance: GuestWord, _ arguments: [UInt64]) async throws -> NTSTATUS {
    let target = self.instance(instance.bits)
    if instance.bits != 0, target == nil { return .invalidParameter }
    return try await withPendingCreate(below: target) {
      NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(trapAddress(of: "ZwCreateFile"), arguments)))
    }
  }

  /// Does `body`, whose next create in this thread passes `instance` and the filters above it by.
  func withPendingCreate<Result>(below instance: Instance?, _ body: () async throws -> Result) async throws -> Result {
    let thread = running?.id ?? 0
    if let instance { filterManager.pendingCreates[thread] = instance }
    defer { filterManager.pendingCreates[thread] = nil }
    return try await body()
  }

  // MARK: Operations of the filter's own

  /// `FltAllocateCallbackData` (nf-fltkernel-fltallocatecallbackdata).
  func allocateCallbackData(_ instance: Instance, _ file: Pointer<FILE_OBJECT>) throws -> Operation {
    let null = Pointer<IRP>(0, in: memory.memory)
    let operation = Operation(
      instance.volume, null, .create, ParameterMap.of(.pnp, minor: 0, code: IOControlCode(rawValue: 0)), try takeBlock(), [])
    let (data, block) = (operation.data, operation.block)
    try data.Flags.store([.irpOperation, .generatedIO])
    try data.Iopb.store(block)
    try data.Thread.store(currentThread().cast())
    try data.RequestorMode.store(.kernelMode)
    try block.TargetFileObject.store(file)
    try block.TargetInstance.store(instance.object.cast())
    operation.initiator = instance
    filterManager.operations[data.address] = operation
    register(Self.callbackDataKind, data.address)
    return operation
  }

  static let callbackDataKind = "callback data of its own"

  /// `FltPerformSynchronousIo` (nf-fltkernel-fltperformsynchronousio): the parameter block becomes an IRP.
  func perform(_ operation: Operation) async throws {
    let (data, block) = (operation.data, operation.block)
    let result = try await ask(operation.initiator, block.TargetFileObject.load(), block.MajorFunction.load()) { irp, stack in
      try prepare(irp, stack, from: operation)
    }
    try data.IoStatus.Status.store(result.status)
    try data.IoStatus.Information.store(GuestWord(result.information))
  }

  /// Fills an IRP from the parameter block of callback data that a filter has allocated.
  func prepare(_ irp: Pointer<IRP>, _ stack: Pointer<IO_STACK_LOCATION>, from operation: Operation) throws {
    let block = operation.block
    let values = try ParameterBlock(block)
    let minor = try block.MinorFunction.load()
    let map = ParameterMap.of(try block.MajorFunction.load(), minor: minor, code: IOControlCode(rawValue: UInt32(values[2])))
    try stack.MinorFunction.store(minor)
    try stack.Flags.store(block.OperationFlags.load())
    try irp.Flags.store(irp.Flags.load().union(block.IrpFlags.load().intersection([.noCache, .pagingIO])))
    let parameters = stack.Parameters.cast(to: UInt32.self)
    for (index, word) in map.words.enumerated() {
      let value = Pointer<Void>(values[index], in: memory.memory)
      switch word {
      case .stack(let place): try parameters[place].store(UInt32(truncatingIfNeeded: value.address))
      case .buffer where map.kind == .system: try irp.AssociatedIrp.SystemBuffer.store(value)
      case .buffer: try irp.UserBuffer.store(value)
      case .systemBuffer: try irp.AssociatedIrp.SystemBuffer.store(value)
      default: break
      }
    }
  }
}
