import Guest
import WindowsTypes

extension Export {
  /// MDLs and the requestor, as the I/O manager keeps them.
  static let io: [Export] = [
    // nf-ntifs-iothreadtoprocess: the process that owns the thread, whatever it is attached to.
    export("IoThreadToProcess(Thread)", irql: .dispatch) { (_, thread: Pointer<ETHREAD>) -> Pointer<EPROCESS> in
      try thread.threadsProcess.load()
    }
    .uncertain("the page says “the process for the thread”; that it is the owner follows from the XP layout"),

    // nf-wdm-iogetcurrentprocess
    export("IoGetCurrentProcess()") { kernel -> Pointer<EPROCESS> in try kernel.currentProcess().cast() },

    // nf-ntifs-iogetrequestorprocess: the process that the requesting thread is attached to now.
    export("IoGetRequestorProcess(Irp)", irql: .dispatch) { (kernel, irp: Pointer<IRP>) -> Pointer<EPROCESS> in
      let thread = try irp.Tail.Overlay.Thread.load()
      return thread.isNull ? Pointer(0, in: kernel.memory.memory) : try thread.Tcb.ApcState.Process.load().cast()
    },

    // nf-wdm-ioallocatemdl
    export("IoAllocateMdl(VirtualAddress, Length, SecondaryBuffer, ChargeQuota, Irp)", irql: .dispatch) {
      (kernel, address: GuestWord, length: UInt32, isSecondary: UInt8, chargeQuota: UInt8, irp: Pointer<IRP>) -> Pointer<MDL> in
      try kernel.allocateMDL(address.bits, UInt64(length), isSecondary: isSecondary != 0, irp)
    },

    // nf-wdm-iofreemdl
    export("IoFreeMdl(Mdl)", irql: .dispatch) { (kernel, mdl: Pointer<MDL>) in
      if try mdl.MdlFlags.load().contains(.partialHasBeenMapped) {
        try kernel.unmapSystemView(of: mdl, at: mdl.MappedSystemVa.load().address)
      }
      guard kernel.nonPagedPool.free(mdl.address) else {
        // BAD_POOL_CALLER with 7: a block that is already free.
        throw BugCheck(.badPoolCaller, 7, 0, 0, mdl.address)
      }
    },

    // nf-wdm-iobuildpartialmdl
    export("IoBuildPartialMdl(SourceMdl, TargetMdl, VirtualAddress, Length)", irql: .dispatch) {
      (kernel, source: Pointer<MDL>, target: Pointer<MDL>, address: GuestWord, length: UInt32) in
      try kernel.buildPartialMDL(source, target, address.bits, UInt64(length))
    },
  ]
}

extension Kernel {
  /// XP's limit: what a 16-bit size can describe (nf-wdm-ioallocatemdl).
  private var longestMDL: UInt64 {
    let header = UInt64(Pointer<MDL>.size(in: memory.memory))
    return GuestMemory.pageSize * ((65535 - header) / UInt64(memory.target.width.rawValue))
  }

  func allocateMDL(
    _ address: UInt64, _ length: UInt64, isSecondary: Bool, _ irp: Pointer<IRP>
  ) throws -> Pointer<MDL> {
    let here = memory.memory
    let null = Pointer<MDL>(0, in: here)
    guard length <= longestMDL else { return null }
    let size = sizeOfMDL(address, length)
    // The lookaside list's MDLs have room for 23 pages.
    let fixed = UInt64(Pointer<MDL>.size(in: here) + 23 * memory.target.width.rawValue)
    // "Mdl ": the pool tag of MDLs in the debugger's tag list.
    guard let block = try nonPagedPool.allocate(max(size, fixed), tag: 0x206c_644d, in: memory) else { return null }
    let mdl = Pointer<MDL>(block, in: here)
    try mdl.Next.store(null)
    try mdl.Size.store(Int16(truncatingIfNeeded: size))
    try mdl.MdlFlags.store(size <= fixed ? .allocatedFixedSize : [])
    try mdl.StartVa.store(Pointer(address & ~0xfff, in: here))
    try mdl.ByteOffset.store(UInt32(address & 0xfff))
    try mdl.ByteCount.store(UInt32(truncatingIfNeeded: length))
    if !irp.isNull {
      if isSecondary {
        var last = try irp.MdlAddress.load()
        // A chain as long as this closes on itself: the search would never end, on Windows neither.
        var rest = 1 << 16
        while try !last.isNull && !last.Next.load().isNull {
          last = try last.Next.load()
          rest -= 1
          guard rest > 0 else { throw EndlessLoop(description: "the IRP's MDLs form a circle, and IoAllocateMdl looks for its end") }
        }
        if last.isNull { try irp.MdlAddress.store(mdl) } else { try last.Next.store(mdl) }
      } else {
        try irp.MdlAddress.store(mdl)
      }
    }
    return mdl
  }

  /// Makes `target` describe part of a locked or nonpaged `source`; a length of 0 means the rest of it.
  func buildPartialMDL(_ source: Pointer<MDL>, _ target: Pointer<MDL>, _ address: UInt64, _ length: UInt64) throws {
    let here = memory.memory
    let start = try source.virtualAddress()
    // A part outside its source is nobody's check: arithmetic wraps as the routine's own would.
    let offset = below(address, start)
    let length = length == 0 ? below(UInt64(try source.ByteCount.load()), offset) : length
    let span = Int((address & 0xfff + length + 0xfff) >> GuestMemory.pageShift)
    let room = (Int(UInt16(bitPattern: try target.Size.load())) - Pointer<MDL>.size(in: here)) / memory.target.width.rawValue
    // TARGET_MDL_TOO_SMALL.
    guard span <= room else { throw BugCheck(.targetMDLTooSmall) }
    let first = Int(below(address & ~0xfff, start & ~0xfff) >> GuestMemory.pageShift)
    for index in 0..<span { try target.frames[index].store(source.frames[first + index].load()) }
    try target.Process.store(source.Process.load())
    try target.StartVa.store(Pointer(address & ~0xfff, in: here))
    try target.ByteOffset.store(UInt32(address & 0xfff))
    try target.ByteCount.store(UInt32(truncatingIfNeeded: length))
    let inherited = try source.MdlFlags.load().intersection(
      [.ioPageRead, .sourceIsNonpagedPool, .mappedToSystemVA, .ioSpace])
    let own = try target.MdlFlags.load().intersection(.allocatedFixedSize)
    try target.MdlFlags.store(inherited.union(own).union(.partial))
    if !inherited.isDisjoint(with: [.mappedToSystemVA, .sourceIsNonpagedPool]) {
      let mapped = try source.MappedSystemVa.load().address + offset
      try target.MappedSystemVa.store(Pointer(mapped, in: here))
    }
  }
}
