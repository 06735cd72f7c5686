import Events
import Guest
import Memory
import WindowsTypes

/// I/O request packets: a header and a stack of locations, one for each device that they pass.
extension Kernel {
  /// `IoSizeOfIrp`.
  func sizeOfIRP(_ stackSize: Int) -> UInt64 {
    UInt64(Pointer<IRP>.size(in: memory.memory) + stackSize * Pointer<IO_STACK_LOCATION>.size(in: memory.memory))
  }

  /// `IoAllocateIrp` (nf-wdm-ioallocateirp); null where the pool is used up.
  func allocateIRP(stackSize: Int8) throws -> Pointer<IRP> {
    let here = memory.memory
    let size = sizeOfIRP(max(0, Int(stackSize)))
    guard let block = try nonPagedPool.allocate(size, tag: Self.irpTag, in: memory) else { return Pointer(0, in: here) }
    let irp = Pointer<IRP>(block, in: here)
    try initializeIRP(irp, UInt16(truncatingIfNeeded: size), stackSize)
    // IRP_ALLOCATED_FIXED_SIZE: of a lookaside list, which has packets of one and of eight locations.
    try irp.AllocationFlags.store(stackSize <= 8 ? 4 : 0)
    return irp
  }

  /// `IoInitializeIrp` (nf-wdm-ioinitializeirp).
  func initializeIRP(_ irp: Pointer<IRP>, _ size: UInt16, _ stackSize: Int8) throws {
    try memory.memory.fill(0, count: Int(size), at: irp.address)
    try irp.Type.store(IOObjectType.irp.rawValue)
    try irp.Size.store(size)
    try irp.StackCount.store(stackSize)
    try irp.CurrentLocation.store(stackSize &+ 1)
    try irp.ApcEnvironment.store(Int8(truncatingIfNeeded: try currentThread().ApcStateIndex.load()))
    try irp.ThreadListEntry.initialize()
    try irp.Tail.Overlay.CurrentStackLocation.store(stackLocation(Int(stackSize), of: irp))
  }

  /// The location with this index; that with the packet's `StackCount` lies behind the last.
  func stackLocation(_ index: Int, of irp: Pointer<IRP>) -> Pointer<IO_STACK_LOCATION> {
    Pointer<IO_STACK_LOCATION>(irp.address + sizeOfIRP(0), in: memory.memory).advanced(by: index)
  }

  /// `IoGetNextIrpStackLocation`.
  func nextLocation(of irp: Pointer<IRP>) throws -> Pointer<IO_STACK_LOCATION> {
    try irp.Tail.Overlay.CurrentStackLocation.load().advanced(by: -1)
  }

  /// `IoFreeIrp` (nf-wdm-iofreeirp). What is no IRP any more, or still its thread's, is bugcheck 0x44.
  func freeIRP(_ irp: Pointer<IRP>) throws {
    guard try irp.Type.load() == IOObjectType.irp.rawValue, try irp.ThreadListEntry.isEmpty else {
      throw BugCheck(.multipleIRPCompleteRequests, irp.address)
    }
    try irp.Type.store(0)
    io.issued[irp.address] = nil
    io.deferred.remove(irp.address)
    io.createParameters[irp.address] = nil
    guard try releasePool(irp.address) else { throw BugCheck(.badPoolCaller, 7, 0, 0, irp.address) }
  }

  /// Makes the running thread the one that waits for `irp`.
  func queue(_ irp: Pointer<IRP>, requestor: Process) throws {
    guard let running else { return }
    try running.object.IrpList.insertHead(irp.ThreadListEntry)
    io.issued[irp.address] = IOManager.Issue(requestor: requestor, thread: running)
  }

  /// The buffers of a control request (`METHOD_…`), as `IoBuildDeviceIoControlRequest` and the system call both prepare them.
  package func prepareControl(
    _ irp: Pointer<IRP>, _ code: IOControlCode, input: (address: UInt64, length: UInt32), output: (address: UInt64, length: UInt32),
    mode: KPROCESSOR_MODE, isInternal: Bool
  ) throws {
    let here = memory.memory
    let location = try nextLocation(of: irp)
    try location.MajorFunction.store(isInternal ? .internalDeviceControl : .deviceControl)
    let parameters = location.Parameters.DeviceIoControl
    try parameters.OutputBufferLength.store(output.length)
    try parameters.InputBufferLength.store(input.length)
    try parameters.IoControlCode.store(code)
    var flags = try irp.Flags.load()
    switch code.method {
    case .buffered:
      try irp.UserBuffer.store(Pointer(output.address, in: here))
      let size = max(input.length, output.length)
      if size > 0 {
        let buffer = try systemBuffer(size)
        if input.length > 0 { try memory.memory.write(here.bytes(Int(input.length), at: input.address), at: buffer) }
        try irp.AssociatedIrp.SystemBuffer.store(Pointer(buffer, in: here))
        flags.formUnion([.bufferedIO, .deallocateBuffer])
        if output.address != 0 { flags.insert(.inputOperation) }
      }
    case .inDirect, .outDirect:
      if input.length > 0, input.address != 0 {
        let buffer = try systemBuffer(input.length)
        try irp.AssociatedIrp.SystemBuffer.store(Pointer(buffer, in: here))
        try memory.memory.write(here.bytes(Int(input.length), at: input.address), at: buffer)
        flags.formUnion([.bufferedIO, .deallocateBuffer])
      }
      if output.length > 0, output.address != 0 {
        try lock(output, for: irp, mode, code.method == .inDirect ? .read : .write)
      }
    case .neither:
      try irp.UserBuffer.store(Pointer(output.address, in: here))
      try parameters.Type3InputBuffer.store(Pointer(input.address, in: here))
    }
    try irp.Flags.store(flags)
  }

  /// The buffer of a read or write, by what the device asks for: `DO_BUFFERED_IO`, `DO_DIRECT_IO`, or neither.
  package func prepareTransfer(
    _ irp: Pointer<IRP>, _ device: Pointer<DEVICE_OBJECT>, isRead: Bool, _ buffer: (address: UInt64, length: UInt32), offset: Int64,
    key: UInt32, mode: KPROCESSOR_MODE
  ) throws {
    let here = memory.memory
    let location = try nextLocation(of: irp)
    try location.MajorFunction.store(isRead ? .read : .write)
    let parameters = location.Parameters.Read
    try parameters.Length.store(buffer.length)
    try parameters.Key.store(key)
    try parameters.ByteOffset.QuadPart.store(offset)
    var flags = try irp.Flags.load()
    let wanted = try device.Flags.load()
    if wanted.contains(.bufferedIO) {
      if buffer.length > 0 {
        let system = try systemBuffer(buffer.length)
        try irp.AssociatedIrp.SystemBuffer.store(Pointer(system, in: here))
        if !isRead { try memory.memory.write(here.bytes(Int(buffer.length), at: buffer.address), at: system) }
        flags.formUnion([.bufferedIO, .deallocateBuffer])
      } else {
        flags.insert(.bufferedIO)
      }
      if isRead {
        try irp.UserBuffer.store(Pointer(buffer.address, in: here))
        flags.insert(.inputOperation)
      }
    } else if wanted.contains(.directIO) {
      if buffer.length > 0 { try lock(buffer, for: irp, mode, isRead ? .write : .read) }
    } else {
      try irp.UserBuffer.store(Pointer(buffer.address, in: here))
    }
    flags.insert(isRead ? .readOperation : .writeOperation)
    try irp.Flags.store(flags)
  }

  func systemBuffer(_ size: UInt32) throws -> UInt64 {
    // "IoSB": the pool tag of buffers for buffered I/O in the debugger's tag list.
    guard let buffer = try nonPagedPool.allocate(UInt64(size), tag: 0x4253_6f49, in: memory) else {
      throw GuestException(.insufficientResources)
    }
    return buffer
  }

  func lock(
    _ buffer: (address: UInt64, length: UInt32), for irp: Pointer<IRP>, _ mode: KPROCESSOR_MODE, _ operation: LOCK_OPERATION
  ) throws {
    let mdl = try allocateMDL(
      buffer.address, UInt64(buffer.length), isSecondary: false, irp)
    guard !mdl.isNull else { throw GuestException(.insufficientResources) }
    try probeAndLock(mdl, mode, operation)
  }

  /// Takes an IRP back that was prepared and not sent: its buffer, its MDLs, itself.
  package func abandon(_ irp: Pointer<IRP>) throws {
    if try irp.Flags.load().contains(.deallocateBuffer) {
      _ = nonPagedPool.free(try irp.AssociatedIrp.SystemBuffer.load().address)
    } else if case let buffer = try irp.AssociatedIrp.SystemBuffer.load().address, buffer != 0 {
      _ = nonPagedPool.free(buffer)
    }
    try releaseMDLs(of: irp)
    try freeAuxiliaryBuffer(of: irp)
    try forget(irp)
  }

  /// Unlocks and frees the MDLs that hang from `irp`.
  func releaseMDLs(of irp: Pointer<IRP>) throws {
    try unlockMDLs(of: irp)
    var mdl = try irp.MdlAddress.load()
    try irp.MdlAddress.store(Pointer(0, in: memory.memory))
    while !mdl.isNull {
      let next = try mdl.Next.load()
      if try mdl.MdlFlags.load().contains(.partialHasBeenMapped) {
        try unmapSystemView(of: mdl, at: mdl.MappedSystemVa.load().address)
      }
      guard nonPagedPool.free(mdl.address) else { throw BugCheck(.badPoolCaller, 7, 0, 0, mdl.address) }
      mdl = next
    }
  }

  func unlockMDLs(of irp: Pointer<IRP>) throws {
    var mdl = try irp.MdlAddress.load()
    while !mdl.isNull {
      if try mdl.MdlFlags.load().contains(.pagesLocked) { try unlock(mdl) }
      mdl = try mdl.Next.load()
    }
  }

  /// Takes `irp` from its thread and frees it.
  func forget(_ irp: Pointer<IRP>) throws {
    try irp.ThreadListEntry.remove()
    try irp.ThreadListEntry.initialize()
    try freeIRP(irp)
  }

  /// Frees the block of parameters that hangs from `irp`.
  func freeAuxiliaryBuffer(of irp: Pointer<IRP>) throws {
    let buffer = irp.Tail.Overlay.AuxiliaryBuffer
    let block = try buffer.load().address
    // The reparse point that a create came to.
    if block != 0, try irp.Flags.load().contains(.createOperation), try irp.IoStatus.Status.load() == .reparse {
      let file = try irp.Tail.Overlay.OriginalFileObject.load().address
      let size = Int(min(blockSize(block), UInt64(ReparsePoint.maximumSize)))
      io.reparsePoints[file] = try memory.memory.bytes(size, at: block)
    }
    if block != 0 { _ = nonPagedPool.free(block) }
    try buffer.store(Pointer(0, in: memory.memory))
  }
}
