import Events
import Guest
import WindowsTypes

/// The error log: what a driver writes there is shown in the run.
extension Export {
  static let errorLog: [Export] = [
    // nf-wdm-ioallocateerrorlogentry: null for a size that no entry has.
    export("IoAllocateErrorLogEntry(IoObject, EntrySize)", irql: .dispatch) { (kernel, object: GuestWord, size: UInt8) -> GuestWord in
      // From sizeof(IO_ERROR_LOG_PACKET) to ERROR_LOG_MAXIMUM_SIZE.
      guard 0x28...0x98 ~= size else { return 0 }
      // "IoEr" in the debugger's tag list; in front of the packet stand what the port to the log needs.
      guard let block = try kernel.nonPagedPool.allocate(UInt64(size) + Kernel.errorLogHeader, tag: 0x7245_6f49, in: kernel.memory)
      else { return 0 }
      try kernel.memory.memory.store(IOObjectType.errorLog.rawValue, at: block)
      try kernel.memory.memory.store(UInt16(size), at: block + 2)
      try kernel.memory.memory.store(UInt32(truncatingIfNeeded: object.bits), at: block + 12)
      return GuestWord(block + Kernel.errorLogHeader)
    },
    // nf-wdm-iofreeerrorlogentry
    export("IoFreeErrorLogEntry(ElEntry)", irql: .dispatch) { (kernel, entry: GuestWord) in
      try kernel.freePool(entry.bits &- Kernel.errorLogHeader)
    },
    // nf-wdm-iowriteerrorlogentry: the entry goes.
    export("IoWriteErrorLogEntry(ElEntry)", irql: .dispatch) { (kernel, entry: Pointer<IO_ERROR_LOG_PACKET>) in
      try kernel.logError(entry)
      try kernel.freePool(entry.address &- Kernel.errorLogHeader)
    },
    // nf-ntifs-ioraiseharderror: without anybody to answer a box, the request fails as it is.
    export("IoRaiseHardError(Irp, Vpb, RealDeviceObject)", irql: .apc) {
      (kernel, irp: Pointer<IRP>, vpb: GuestWord, device: GuestWord) async throws in
      try kernel.stream.append(.note("a hard error: \(irp.IoStatus.Status.load())"))
      try await kernel.completeRequest(irp)
    }
    .partially("nobody sees a box, so the request is completed at once, as with hard errors disabled"),
    // nf-ntddk-ioraiseinformationalharderror
    export("IoRaiseInformationalHardError(ErrorStatus, String, Thread)", irql: .apc) {
      (kernel, status: NTSTATUS, text: Pointer<UNICODE_STRING>, thread: GuestWord) -> UInt8 in
      let words = text.isNull ? "" : " “\(try text.string())”"
      kernel.stream.append(.note("a hard error: \(status)\(words)"))
      return 1
    },
    // nf-ntddk-iosetthreadharderrormode: HardErrorsAreDisabled, bit 5 of the thread's flags.
    export("IoSetThreadHardErrorMode(EnableHardErrors)") { (kernel, enable: UInt8) -> UInt8 in
      let flags = try kernel.currentThread().cast(to: ETHREAD.self).CrossThreadFlags
      let old = try flags.load()
      try flags.store(enable != 0 ? old & ~0x20 : old | 0x20)
      return old & 0x20 == 0 ? 1 : 0
    },
  ]
}

extension Kernel {
  fileprivate static let errorLogHeader: UInt64 = 0x20

  /// `the error log gets 0xC0040001 of \Driver\hello: final status …, unique value 7, dump data 00000001`
  fileprivate func logError(_ entry: Pointer<IO_ERROR_LOG_PACKET>) throws {
    let here = memory.memory
    let header = entry.address &- Self.errorLogHeader
    guard try here.load(Int16.self, at: header) == IOObjectType.errorLog.rawValue else {
      throw BugCheck(.badPoolCaller, 7, 0, 0, entry.address)
    }
    let size = UInt64(try here.load(UInt16.self, at: header + 2))
    hardware.errorLogSequence += 1
    try entry.SequenceNumber.store(hardware.errorLogSequence)
    let object = UInt64(try here.load(UInt32.self, at: header + 12))
    var parts = ["final status \(try entry.FinalStatus.load())", "unique value \(try entry.UniqueErrorValue.load())"]
    let dumped = min(UInt64(try entry.DumpDataSize.load()), size - 0x28) / 4
    if dumped > 0 {
      let words = try (0..<dumped).map { hex(try here.load(UInt32.self, at: entry.DumpData.address + 4 * $0)) }
      parts.append("dump data " + words.joined(separator: " "))
    }
    var place = entry.address + UInt64(try entry.StringOffset.load())
    for _ in 0..<min(8, try entry.NumberOfStrings.load()) {
      guard place < entry.address + size else { break }
      let units = try Pointer<UInt16>(place, in: here).units(limit: Int(entry.address + size - place) / 2)
      parts.append("“\(String(decoding: units, as: UTF16.self))”")
      place += UInt64(units.count + 1) * 2
    }
    let owner = io.objects[object] == nil ? "somebody" : describe(object: object)
    stream.append(.note("the error log gets \(try entry.ErrorCode.load()) of \(owner): " + parts.joined(separator: ", ")))
  }
}
