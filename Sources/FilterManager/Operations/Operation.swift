import Events
import Guest
import NTKernel
import WindowsTypes

/// An operation on its way through the filters of a volume: down by their pre-operation callbacks, up by their post-operation ones.
final class Operation {
  /// A filter that is to be called again on the way up.
  struct Completion {
    let instance: Instance
    let routine: UInt64
    /// What its pre-operation callback left as `CompletionContext`.
    let context: UInt64
    /// The parameters as its pre-operation callback received them: it gets them again.
    var parameters: ParameterBlock
    let synchronizes: Bool
  }

  enum Stage { case pre, below, post, finished }

  /// What a callback that pended waits for.
  struct Pended {
    let instance: Instance
    /// The parameters that the callback received.
    let parameters: ParameterBlock
    /// Of `FltCompletePendedPreOperation` or `…PostOperation`, once that was called; that may be before the callback returned.
    var answer: (status: Int32, context: UInt64)?
    /// Whether the callback has returned.
    var hasReturned = false
  }

  /// Where it goes on: another one's once a filter has sent it to an instance of its own there.
  var volume: FilterVolume
  /// Null for fast I/O, and for what a filter allocated and has not sent yet.
  var irp: Pointer<IRP>
  let major: IRP_MJ
  var map: ParameterMap
  let data: Pointer<FLT_CALLBACK_DATA>
  /// Who is asked, from the highest altitude down.
  var instances: [Instance]
  var next = 0
  var completions: [Completion] = []
  var stage = Stage.pre
  var pended: Pended?
  /// The thread that ran when it was pended: mostly, it waits.
  var waiter: ThreadID?
  /// Some filter changed the parameters: the IRP gets them before it goes on.
  var isChanged = false
  /// The buffers of the IRP were exchanged, and go back into it on the way up.
  var original: (system: UInt64, user: UInt64, mdl: UInt64)?
  /// Where the operation's own buffer is, and the MDL that a filter had FltLockUserBuffer make for it.
  var buffer: UInt64 = 0
  var lockedMDL: UInt64 = 0
  /// MDLs that filters put in place of the operation's: whoever placed it, and what goes when that one is done.
  var placed: [(instance: Instance, mdl: UInt64)] = []
  /// Set when the part below has completed, where the thread waits for that.
  var waits = false
  var isBelowDone = false
  /// Called when the operation may be taken back (nf-fltkernel-fltsetcancelcompletion).
  var cancelCallback: UInt64 = 0
  /// What it came to.
  var status = NTSTATUS.success
  /// Who is told what the device below returned: `FltRequestOperationStatusCallback`.
  var statusCallbacks: [(instance: Instance, routine: UInt64, context: UInt64)] = []
  /// The queue that a filter keeps it in, and where the context for taking it out is.
  var queue: Pointer<FLT_CALLBACK_DATA_QUEUE>?
  var queueContext: UInt64 = 0
  /// Who is giving the file's name at the moment, for others above: asked by them, it is told that of those below it.
  var askedProviders: [Instance] = []
  /// Whether the filter whose post-operation callback is running has returned FLT_PREOP_SYNCHRONIZE before.
  var isSynchronized = false
  /// A filter's post-operation callback has sent it down once more (FltReissueSynchronousIo).
  var isReissued = false
  /// The packet by which it asks for an oplock, while it waits to hear that the lock is broken; and whether it is just asking.
  var oplockRequest: UInt64 = 0
  var isAskingForOplock = false
  /// Who is called when the break of an oplock that it waits for is over, and when it begins to wait.
  var oplockWait: (routine: UInt64, post: UInt64, context: UInt64)?
  /// The filter that allocated it for I/O of its own.
  var initiator: Instance?

  init(
    _ volume: FilterVolume, _ irp: Pointer<IRP>, _ major: IRP_MJ, _ map: ParameterMap, _ data: Pointer<FLT_CALLBACK_DATA>,
    _ instances: [Instance]
  ) {
    self.volume = volume
    self.irp = irp
    self.major = major
    self.map = map
    self.data = data
    self.instances = instances
  }

  var isFast: Bool { irp.isNull }

  /// The filter that it is with.
  var current: Instance? { askedProviders.last ?? pended?.instance ?? initiator }

  // The guest's side: callback data, parameter block, related objects and a word for the completion context, one behind the other.
  static let blockOffset: UInt64 = 0x2c
  static let relatedOffset: UInt64 = 0x58
  static let contextOffset: UInt64 = 0x70
  static let size: UInt64 = 0x78

  var block: Pointer<FLT_IO_PARAMETER_BLOCK> { Pointer(data.address + Self.blockOffset, in: data.memory) }
  var related: Pointer<FLT_RELATED_OBJECTS> { Pointer(data.address + Self.relatedOffset, in: data.memory) }
  var contextSlot: Pointer<GuestWord> { Pointer(data.address + Self.contextOffset, in: data.memory) }
}

/// A copy of `FLT_IO_PARAMETER_BLOCK`.
struct ParameterBlock: Equatable {
  /// Its eleven words.
  var words: [UInt32]
  static let count = 11
  /// The index of `TargetInstance`.
  static let targetInstance = 3
  /// The index of the first word of `Parameters`.
  static let parameters = 4

  init(_ block: Pointer<FLT_IO_PARAMETER_BLOCK>) throws {
    let bytes = try block.memory.bytes(Self.count * 4, at: block.address)
    words = bytes.withUnsafeBytes { bytes in (0..<Self.count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) } }
  }

  func store(_ block: Pointer<FLT_IO_PARAMETER_BLOCK>) throws {
    try words.withUnsafeBytes { try block.memory.write($0, at: block.address) }
  }

  subscript(parameter: Int?) -> UInt64 {
    get { parameter.map { UInt64(words[Self.parameters + $0]) } ?? 0 }
    set { if let parameter { words[Self.parameters + parameter] = UInt32(truncatingIfNeeded: newValue) } }
  }
}

extension Kernel {
  /// The callback data of an IRP that has come to the filter manager's device.
  func makeOperation(
    _ volume: FilterVolume, _ irp: Pointer<IRP>, _ stack: Pointer<IO_STACK_LOCATION>, _ instances: [Instance]
  ) throws -> Operation {
    let (major, minor) = (try stack.MajorFunction.load(), try stack.MinorFunction.load())
    let map = try ParameterMap.of(major, minor: minor, code: stack.Parameters.DeviceIoControl.IoControlCode.load())
    let operation = Operation(volume, irp, major, map, try takeBlock(), instances)
    let (data, block) = (operation.data, operation.block)
    var flags: CallbackDataFlags = .irpOperation
    let thread = try irp.Tail.Overlay.Thread.load()
    var words = [UInt32](repeating: 0, count: 7)
    let parameters = stack.Parameters.cast(to: UInt32.self)
    for (index, word) in map.words.enumerated() {
      switch word {
      case .stack(let place): words[index] = try parameters[place].load()
      case .buffer:
        let (place, isSystem) = try map.place(of: irp)
        var buffer = try place.load().address
        if isSystem, buffer != 0 { flags.insert(.systemBuffer) }
        if buffer == 0, !isSystem, case let mdl = try irp.MdlAddress.load(), !mdl.isNull {
          buffer = try mdl.StartVa.load().address + UInt64(mdl.ByteOffset.load())
        }
        words[index] = UInt32(truncatingIfNeeded: buffer)
      case .systemBuffer: words[index] = UInt32(truncatingIfNeeded: try irp.AssociatedIrp.SystemBuffer.load().address)
      case .mdl: words[index] = UInt32(truncatingIfNeeded: try irp.MdlAddress.load().address)
      case .allocationSize(let isHigh): words[index] = try irp.Overlay.cast(to: UInt32.self)[isHigh ? 1 : 0].load()
      case .process: words[index] = UInt32(truncatingIfNeeded: thread.isNull ? 0 : try thread.threadsProcess.load().address)
      case .lockFlags:
        // SL_FAIL_IMMEDIATELY, SL_EXCLUSIVE_LOCK
        let flags = try stack.Flags.load()
        words[index] = UInt32(flags & 1) | UInt32(flags & 2) << 7
      case .nothing: break
      }
    }
    try data.Flags.store(flags)
    try data.Thread.store(thread)
    try data.Iopb.store(block)
    try data.RequestorMode.store(irp.RequestorMode.load())
    try block.IrpFlags.store(irp.Flags.load())
    try block.MajorFunction.store(major)
    try block.MinorFunction.store(minor)
    try block.OperationFlags.store(stack.Flags.load())
    try block.TargetFileObject.store(stack.FileObject.load())
    try words.withUnsafeBytes { try memory.memory.write($0, at: block.Parameters.address) }
    if let place = map.bufferWord { operation.buffer = UInt64(words[place]) }
    filterManager.operations[data.address] = operation
    return operation
  }

  /// Zeroed memory for an operation's callback data, from those that are done where there are any.
  func takeBlock() throws -> Pointer<FLT_CALLBACK_DATA> {
    guard let block = filterManager.spareBlocks.popLast() else { return Pointer(try allocate(Operation.size), in: memory.memory) }
    try memory.memory.fill(0, count: Int(Operation.size), at: block)
    return Pointer(block, in: memory.memory)
  }

  func release(_ operation: Operation) {
    operation.stage = .finished
    filterManager.operations[operation.data.address] = nil
    filterManager.spareBlocks.append(operation.data.address)
  }

  /// Puts changed parameters into the IRP and the stack location of whoever is next.
  func apply(_ operation: Operation, to stack: Pointer<IO_STACK_LOCATION>) throws {
    let (irp, block) = (operation.irp, operation.block)
    let values = try ParameterBlock(block)
    let parameters = stack.Parameters.cast(to: UInt32.self)
    try stack.MinorFunction.store(block.MinorFunction.load())
    try stack.Flags.store(block.OperationFlags.load())
    try stack.FileObject.store(block.TargetFileObject.load())
    if operation.original == nil {
      operation.original = (
        try irp.AssociatedIrp.SystemBuffer.load().address, try irp.UserBuffer.load().address, try irp.MdlAddress.load().address
      )
    }
    for (index, word) in operation.map.words.enumerated() {
      let value = UInt32(truncatingIfNeeded: values[index])
      switch word {
      case .stack(let place): try parameters[place].store(value)
      case .buffer: try operation.map.place(of: irp).place.store(Pointer(UInt64(value), in: memory.memory))
      case .systemBuffer: try irp.AssociatedIrp.SystemBuffer.store(Pointer(UInt64(value), in: memory.memory))
      case .mdl: try irp.MdlAddress.store(Pointer(UInt64(value), in: memory.memory))
      case .allocationSize(let isHigh): try irp.Overlay.cast(to: UInt32.self)[isHigh ? 1 : 0].store(value)
      case .process, .lockFlags, .nothing: break
      }
    }
  }

  /// The IRP's own buffers go back into it; what was locked for the operation goes with it, and ends with it.
  func restore(_ operation: Operation) throws {
    let irp = operation.irp
    if let original = operation.original {
      try irp.AssociatedIrp.SystemBuffer.store(Pointer(original.system, in: memory.memory))
      try irp.UserBuffer.store(Pointer(original.user, in: memory.memory))
      try irp.MdlAddress.store(Pointer(original.mdl, in: memory.memory))
    }
    if operation.lockedMDL != 0 { try irp.MdlAddress.store(Pointer(operation.lockedMDL, in: memory.memory)) }
  }
}
