import Guest
import Memory
import WindowsTypes

/// Adapters for direct memory access: logical addresses are physical ones, as on a PC without a translating bridge.
extension Kernel {
  static let adapterObject = "a DMA adapter"
  static let commonBuffer = "a common buffer"

  /// The operations of `DMA_OPERATIONS` (`wdm.h`), in the structure's order behind its size.
  private static let adapterRoutines = [
    "HalPutDmaAdapter", "HalAllocateCommonBuffer", "HalFreeCommonBuffer", "IoAllocateAdapterChannel", "IoFlushAdapterBuffers",
    "IoFreeAdapterChannel", "IoFreeMapRegisters", "IoMapTransfer", "HalGetDmaAlignment", "HalReadDmaCounter", "HalGetScatterGatherList",
    "HalPutScatterGatherList", "HalCalculateScatterGatherListSize", "HalBuildScatterGatherList", "HalBuildMdlFromScatterGatherList",
  ]

  /// `IoGetDmaAdapter` and `HalGetAdapter`: null where the description is of a version that is not known.
  ///
  /// - Parameter description: a `DEVICE_DESCRIPTION`, whose first word is its version and whose `MaximumLength` is at offset 20h.
  func makeAdapter(_ description: UInt64, _ mapRegisters: Pointer<UInt32>) throws -> UInt64 {
    let here = memory.memory
    guard try here.load(UInt32.self, at: description) <= 2 else { return 0 }
    let longest = try here.load(UInt32.self, at: description + 0x20)
    let registers = UInt32(min(UInt64(longest) >> GuestMemory.pageShift + 2, 0x4000))
    try mapRegisters.store(registers)
    let operations = try adapterOperations()
    // Behind the DMA_ADAPTER lies what no driver may look at.
    let adapter = Pointer<DMA_ADAPTER>(try allocate(0x80), in: here)
    try adapter.Version.store(1)
    try adapter.Size.store(0x80)
    try adapter.DmaOperations.store(Pointer(operations, in: here))
    hardware.adapters[adapter.address] = HardwareState.AdapterState(mapRegisters: registers)
    register(Self.adapterObject, adapter.address)
    return adapter.address
  }

  private func adapterOperations() throws -> UInt64 {
    if let known = hardware.adapterOperations { return known }
    let place = try allocate(0x40)
    try memory.memory.store(UInt32(0x40), at: place)
    for (index, name) in Self.adapterRoutines.enumerated() {
      let address = exports.number(anyOf: name).map { trapAddresses[$0] } ?? trapAddress(of: "HalpRoutineNotProvided")
      try memory.memory.store(UInt32(truncatingIfNeeded: address), at: place + 4 + 4 * UInt64(index))
    }
    hardware.adapterOperations = place
    return place
  }

  func putAdapter(_ adapter: UInt64) throws {
    guard hardware.adapters.removeValue(forKey: adapter) != nil else { throw BugCheck(.badPoolCaller, 7, 0, 0, adapter) }
    unregister(Self.adapterObject, adapter)
    try freePool(adapter)
  }

  /// Gives the adapter to `device`, or has it wait: `ExecutionRoutine` is called at DISPATCH_LEVEL with the map registers' base.
  func allocateChannel(_ adapter: UInt64, _ device: UInt64, _ count: UInt32, _ routine: UInt64, _ context: UInt64) async throws -> NTSTATUS
  {
    guard let state = hardware.adapters[adapter] else { return .invalidParameter }
    guard count <= state.mapRegisters else { return .insufficientResources }
    if state.isBusy {
      hardware.adapters[adapter]?.waiters.append((device, routine, context))
      return .success
    }
    try await runChannel(adapter, device, routine, context)
    return .success
  }

  private func runChannel(_ adapter: UInt64, _ device: UInt64, _ routine: UInt64, _ context: UInt64) async throws {
    hardware.adapters[adapter]?.isBusy = true
    let old = try raiseIRQL(to: .dispatch)
    let irp = try Pointer<DEVICE_OBJECT>(device, in: memory.memory).CurrentIrp.load().address
    // The base of map registers that nothing needs: any value that is not null.
    let action = try await call(routine, [device, irp, adapter + 0x40, context])
    // KeepObject 1; DeallocateObject 2; DeallocateObjectKeepRegisters 3.
    if UInt32(truncatingIfNeeded: action) != 1 { try await freeChannel(adapter) }
    try lowerIRQL(to: old)
  }

  /// The next who waits gets the adapter.
  func freeChannel(_ adapter: UInt64) async throws {
    guard let state = hardware.adapters[adapter] else { return }
    hardware.adapters[adapter]?.isBusy = false
    guard !state.waiters.isEmpty, let next = hardware.adapters[adapter]?.waiters.removeFirst() else { return }
    try await runChannel(adapter, next.device, next.routine, next.context)
  }

  /// The runs of physical addresses behind `length` bytes from `address` on of an MDL's buffer.
  func runs(of mdl: Pointer<MDL>, from address: UInt64, _ length: UInt32) throws -> [(address: UInt64, length: UInt32)] {
    let start = try mdl.virtualAddress()
    var offset = UInt64(try mdl.ByteOffset.load()) &+ below(address, start)
    let pages = try mdl.pageCount()
    var rest = length
    var runs: [(address: UInt64, length: UInt32)] = []
    while rest > 0, offset >> GuestMemory.pageShift < UInt64(pages) {
      let frame = try mdl.frames[Int(offset >> GuestMemory.pageShift)].load().bits
      let part = UInt32(min(UInt64(rest), GuestMemory.pageSize - offset & 0xfff))
      let physical = frame << GuestMemory.pageShift | offset & 0xfff
      if let last = runs.last, last.address + UInt64(last.length) == physical {
        runs[runs.count - 1].length += part
      } else {
        runs.append((physical, part))
      }
      rest -= part
      offset += UInt64(part)
    }
    return runs
  }

  /// Writes a `SCATTER_GATHER_LIST`: a count, a word of the HAL's, then the runs.
  func store(_ runs: [(address: UInt64, length: UInt32)], at place: UInt64) throws {
    let here = memory.memory
    try here.store(UInt32(runs.count), at: place)
    try here.store(UInt32(0), at: place + 4)
    let first = Pointer<SCATTER_GATHER_ELEMENT>(place + 8, in: here)
    for (index, run) in runs.enumerated() {
      let element = first.advanced(by: index)
      try element.Address.store(run.address)
      try element.Length.store(run.length)
      try element.Reserved.store(0)
    }
  }

  /// `GetScatterGatherList`: the list goes to the driver's routine at DISPATCH_LEVEL; `buffer` is `nil` for one of the HAL's own.
  func scatterGather(
    _ device: UInt64, _ mdl: Pointer<MDL>, _ address: UInt64, _ length: UInt32, _ routine: UInt64, _ context: UInt64,
    buffer: (place: UInt64, size: UInt32)?
  ) async throws -> NTSTATUS {
    let runs = try runs(of: mdl, from: address, length)
    let size = UInt64(8 + 16 * runs.count)
    if let buffer, UInt64(buffer.size) < size { return .bufferTooSmall }
    let place: UInt64
    if let buffer {
      place = buffer.place
    } else {
      guard let block = try nonPagedPool.allocate(size, tag: Self.ownTag, in: memory) else { return .insufficientResources }
      register("a scatter/gather list", block)
      place = block
    }
    try store(runs, at: place)
    let old = try raiseIRQL(to: .dispatch)
    let irp = try Pointer<DEVICE_OBJECT>(device, in: memory.memory).CurrentIrp.load().address
    _ = try await call(routine, [device, irp, place, context])
    try lowerIRQL(to: old)
    return .success
  }
}

extension Export {
  /// What drivers import of direct memory access.
  static let directMemoryAccess: [Export] = [
    // nf-wdm-iogetdmaadapter
    export("IoGetDmaAdapter(PhysicalDeviceObject, DeviceDescription, NumberOfMapRegisters)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>, description: GuestWord, registers: Pointer<UInt32>) -> GuestWord in
      GuestWord(try kernel.makeAdapter(description.bits, registers))
    }
    .partially("no device transfers: a list of addresses is all that becomes of it"),
    // nf-ntddk-halgetadapter
    export("HalGetAdapter(DeviceDescription, NumberOfMapRegisters)", module: "hal", irql: .passive) {
      (kernel, description: GuestWord, registers: Pointer<UInt32>) -> GuestWord in
      GuestWord(try kernel.makeAdapter(description.bits, registers))
    }
    .partially("no device transfers: a list of addresses is all that becomes of it"),
    // nf-wdm-ioallocateadapterchannel, and DMA_OPERATIONS' own.
    export("IoAllocateAdapterChannel(AdapterObject, DeviceObject, NumberOfMapRegisters, ExecutionRoutine, Context)", irql: .dispatch) {
      (kernel, adapter: GuestWord, device: GuestWord, count: UInt32, routine: GuestWord, context: GuestWord) async throws -> NTSTATUS in
      try await kernel.allocateChannel(adapter.bits, device.bits, count, routine.bits, context.bits)
    },
    // nf-ntddk-ioflushadapterbuffers: nothing is buffered.
    export("IoFlushAdapterBuffers(AdapterObject, Mdl, MapRegisterBase, CurrentVa, Length, WriteToDevice)", module: "hal", irql: .dispatch) {
      (_, adapter: GuestWord, mdl: GuestWord, base: GuestWord, address: GuestWord, length: UInt32, write: UInt8) -> UInt8 in 1
    },
    // nf-ntddk-iofreeadapterchannel
    export("IoFreeAdapterChannel(AdapterObject)", module: "hal", irql: .dispatch) { (kernel, adapter: GuestWord) async throws in
      try await kernel.freeChannel(adapter.bits)
    },
    // nf-ntddk-iofreemapregisters
    export("IoFreeMapRegisters(AdapterObject, MapRegisterBase, NumberOfMapRegisters)", module: "hal", irql: .dispatch) {
      (_, adapter: GuestWord, base: GuestWord, count: UInt32) in
    },
    // nf-ntddk-iomaptransfer: the first run's address, and how far it goes.
    export("IoMapTransfer(AdapterObject, Mdl, MapRegisterBase, CurrentVa, Length, WriteToDevice)", module: "hal", irql: .dispatch) {
      (
        kernel, adapter: GuestWord, mdl: Pointer<MDL>, base: GuestWord, address: GuestWord, length: Pointer<UInt32>, write: UInt8
      ) -> UInt64 in
      guard let run = try kernel.runs(of: mdl, from: address.bits, length.load()).first else {
        try length.store(0)
        return 0
      }
      try length.store(run.length)
      return run.address
    },
    // nf-ntddk-halallocatecommonbuffer
    export("HalAllocateCommonBuffer(AdapterObject, Length, LogicalAddress, CacheEnabled)", module: "hal", irql: .passive) {
      (kernel, adapter: GuestWord, length: UInt32, logical: Pointer<UInt64>, cached: UInt8) -> GuestWord in
      let base = try kernel.allocateContiguous(UInt64(length))
      if base != 0 { try logical.store(kernel.physicalAddress(of: base)) }
      return GuestWord(base)
    },
    // nf-ntddk-halfreecommonbuffer
    export("HalFreeCommonBuffer(AdapterObject, Length, LogicalAddress, VirtualAddress, CacheEnabled)", module: "hal", irql: .passive) {
      (kernel, adapter: GuestWord, length: UInt32, logical: UInt64, address: GuestWord, cached: UInt8) in
      try kernel.freeBlock(address.bits, what: Kernel.contiguousMemory)
    },
    // nf-ntddk-halreaddmacounter: nothing is left to transfer.
    export("HalReadDmaCounter(AdapterObject)", module: "hal", irql: .dispatch) { (_, adapter: GuestWord) -> UInt32 in 0 },
  ]

  /// What a driver reaches through `DMA_OPERATIONS` alone.
  static let adapterOperations: [Export] = [
    // nc-wdm-pput_dma_adapter
    export("HalPutDmaAdapter(DmaAdapter)", module: "hal", irql: .passive, isImportable: false) { (kernel, adapter: GuestWord) in
      try kernel.putAdapter(adapter.bits)
    },
    // nc-wdm-pget_dma_alignment: no device of a PC needs one.
    export("HalGetDmaAlignment(DmaAdapter)", module: "hal", irql: .passive, isImportable: false) { (_, adapter: GuestWord) -> UInt32 in 1 },
    // nc-wdm-pget_scatter_gather_list
    export(
      "HalGetScatterGatherList(DmaAdapter, DeviceObject, Mdl, CurrentVa, Length, ExecutionRoutine, Context, WriteToDevice)", module: "hal",
      irql: .dispatch, isImportable: false
    ) {
      (
        kernel, adapter: GuestWord, device: GuestWord, mdl: Pointer<MDL>, address: GuestWord, length: UInt32, routine: GuestWord,
        context: GuestWord, write: UInt8
      ) async throws -> NTSTATUS in
      try await kernel.scatterGather(device.bits, mdl, address.bits, length, routine.bits, context.bits, buffer: nil)
    },
    // nc-wdm-pput_scatter_gather_list
    export("HalPutScatterGatherList(DmaAdapter, ScatterGather, WriteToDevice)", module: "hal", irql: .dispatch, isImportable: false) {
      (kernel, adapter: GuestWord, list: GuestWord, write: UInt8) in
      // A list in the driver's own buffer stays.
      if kernel.unregister("a scatter/gather list", list.bits) { try kernel.freePool(list.bits) }
    },
    // nc-wdm-pcalculate_scatter_gather_list_size
    export(
      "HalCalculateScatterGatherListSize(DmaAdapter, Mdl, CurrentVa, Length, ScatterGatherListSize, NumberOfMapRegisters)", module: "hal",
      isImportable: false
    ) {
      (
        kernel, adapter: GuestWord, mdl: Pointer<MDL>, address: GuestWord, length: UInt32, size: Pointer<UInt32>,
        registers: Pointer<UInt32>
      ) -> NTSTATUS in
      let span = UInt32(truncatingIfNeeded: (address.bits & 0xfff + UInt64(length) + 0xfff) >> GuestMemory.pageShift)
      try size.store(8 + 16 * span)
      if !registers.isNull { try registers.store(span) }
      return .success
    },
    // nc-wdm-pbuild_scatter_gather_list
    export(
      "HalBuildScatterGatherList(DmaAdapter, DeviceObject, Mdl, CurrentVa, Length, ExecutionRoutine, Context, WriteToDevice, ScatterGatherBuffer, ScatterGatherLength)",
      module: "hal", irql: .dispatch, isImportable: false
    ) {
      (
        kernel, adapter: GuestWord, device: GuestWord, mdl: Pointer<MDL>, address: GuestWord, length: UInt32, routine: GuestWord,
        context: GuestWord, write: UInt8, buffer: GuestWord, size: UInt32
      ) async throws -> NTSTATUS in
      try await kernel.scatterGather(
        device.bits, mdl, address.bits, length, routine.bits, context.bits, buffer: (buffer.bits, size))
    },
    // nc-wdm-pbuild_mdl_from_scatter_gather_list: addresses are not translated, so the MDL is its own.
    export("HalBuildMdlFromScatterGatherList(DmaAdapter, ScatterGather, OriginalMdl, TargetMdl)", module: "hal", isImportable: false) {
      (_, adapter: GuestWord, list: GuestWord, mdl: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(mdl)
      return .success
    },
  ]
}
