import Guest
import Memory
import WindowsTypes

extension Export {
  /// Probing and locking.
  static let mm: [Export] = [
    // nf-wdm-mmprobeandlockpages
    export("MmProbeAndLockPages(MemoryDescriptorList, AccessMode, Operation)", irql: .dispatch) {
      (kernel, mdl: Pointer<MDL>, mode: KPROCESSOR_MODE, operation: LOCK_OPERATION) in
      try kernel.probeAndLock(mdl, mode, operation)
    }
    .uncertain(
      "the order of checks, and what a length of 0 or a second lock of one MDL does, follow observed free builds; the page requires "
        + "a length above 0 and an unlocked MDL"),

    // nf-wdm-mmunlockpages
    export("MmUnlockPages(MemoryDescriptorList)", irql: .dispatch) { (kernel, mdl: Pointer<MDL>) in
      try kernel.unlock(mdl)
    },

    // nf-wdm-mmbuildmdlfornonpagedpool
    export("MmBuildMdlForNonPagedPool(MemoryDescriptorList)", irql: .dispatch) { (kernel, mdl: Pointer<MDL>) in
      let start = try mdl.virtualAddress()
      for index in 0..<(try mdl.pageCount()) {
        let address = (start & ~0xfff) + UInt64(index) << GuestMemory.pageShift
        // Registers of a device that is not there are given memory when someone asks.
        _ = try kernel.provide(address)
        guard let frame = kernel.memory.current.frame(at: address) else {
          throw BugCheck(.pageFaultInNonpagedArea, address, 0, kernel.registers[.ip], 0)
        }
        try mdl.frames[index].store(GuestWord(UInt64(frame)))
      }
      try mdl.Process.store(Pointer(0, in: kernel.memory.memory))
      try mdl.MappedSystemVa.store(Pointer(start, in: kernel.memory.memory))
      try mdl.MdlFlags.store(mdl.MdlFlags.load().union(.sourceIsNonpagedPool))
    },

    // nf-wdm-mmsizeofmdl
    export("MmSizeOfMdl(Base, Length)") { (kernel, base: GuestWord, length: GuestWord) -> GuestWord in
      GuestWord(kernel.sizeOfMDL(base.bits, length.bits))
    },

    // nf-wdm-probeforread: checks addresses, touches nothing.
    export("ProbeForRead(Address, Length, Alignment)", irql: .apc) {
      (kernel, address: GuestWord, length: GuestWord, alignment: UInt32) in
      kernel.noteForeignProbe(at: address.bits, length.bits, routine: "ProbeForRead")
      try kernel.checkUserRange(address.bits, length.bits, alignment)
    },

    // nf-wdm-probeforwrite: the same, and every page is read and written back.
    export("ProbeForWrite(Address, Length, Alignment)", irql: .apc) {
      (kernel, address: GuestWord, length: GuestWord, alignment: UInt32) in
      kernel.noteForeignProbe(at: address.bits, length.bits, routine: "ProbeForWrite")
      try kernel.checkUserRange(address.bits, length.bits, alignment)
      guard length.bits > 0 else { return }
      var place = address.bits
      while place < address.bits + length.bits {
        try kernel.memory.memory.touch(.read, at: place)
        try kernel.memory.memory.touch(.write, at: place)
        place = (place & ~0xfff) + GuestMemory.pageSize
      }
    },
  ]

  /// Mapping.
  static let mmMapping: [Export] = [
    // nf-wdm-mmmaplockedpagesspecifycache
    export(
      "MmMapLockedPagesSpecifyCache(MemoryDescriptorList, AccessMode, CacheType, RequestedAddress, BugCheckOnFailure, Priority)",
      irql: .dispatch
    ) {
      (
        kernel, mdl: Pointer<MDL>, mode: KPROCESSOR_MODE, cache: MEMORY_CACHING_TYPE, base: GuestWord, bugCheckOnFailure: UInt32,
        priority: UInt32
      ) -> Pointer<Void> in
      try kernel.map(mdl, mode, base.bits, bugCheckOnFailure != 0, routine: "MmMapLockedPagesSpecifyCache")
    },

    // nf-wdm-mmmaplockedpages
    export("MmMapLockedPages(MemoryDescriptorList, AccessMode)", irql: .dispatch) {
      (kernel, mdl: Pointer<MDL>, mode: KPROCESSOR_MODE) -> Pointer<Void> in
      try kernel.map(mdl, mode, 0, true, routine: "MmMapLockedPages")
    },

    // nf-wdm-mmunmaplockedpages
    export("MmUnmapLockedPages(BaseAddress, MemoryDescriptorList)", irql: .dispatch) {
      (kernel, address: GuestWord, mdl: Pointer<MDL>) in
      if address.bits < kernel.memory.target.systemRangeStart {
        kernel.noteIRQL(above: .apc)
        try kernel.unmapUserView(of: mdl, at: address.bits)
      } else {
        try kernel.unmapSystemView(of: mdl, at: address.bits)
      }
    },

    // nf-wdm-mmpreparemdlforreuse
    export("MmPrepareMdlForReuse(MDL)", irql: .dispatch) { (kernel, mdl: Pointer<MDL>) in
      if try mdl.MdlFlags.load().contains(.partialHasBeenMapped) {
        try kernel.unmapSystemView(of: mdl, at: mdl.MappedSystemVa.load().address)
      }
    },
  ]
}

extension Kernel {
  /// In bytes: the header and a frame number for each page that the range spans.
  func sizeOfMDL(_ base: UInt64, _ length: UInt64) -> UInt64 {
    let span = (base & 0xfff + length + 0xfff) >> GuestMemory.pageShift
    return UInt64(Pointer<MDL>.size(in: memory.memory)) + span * UInt64(memory.target.width.rawValue)
  }

  /// The check that both probes begin with: nothing for a length of 0, else alignment, then the range.
  package func checkUserRange(_ address: UInt64, _ length: UInt64, _ alignment: UInt32) throws {
    guard length > 0 else { return }
    if address & UInt64(max(1, alignment) - 1) != 0 { throw GuestException(.datatypeMisalignment) }
    let end = (address + length) & 0xffff_ffff
    if end <= address || end > memory.target.userProbeAddress {
      throw GuestException.access(.accessViolation, .read, at: memory.target.userProbeAddress)
    }
  }

  /// One of the two mapping routines: the system's half for `KernelMode`, the current process's for `UserMode`, which raises.
  fileprivate func map(
    _ mdl: Pointer<MDL>, _ mode: KPROCESSOR_MODE, _ base: UInt64, _ bugCheckOnFailure: Bool, routine: String
  ) throws -> Pointer<Void> {
    let here = memory.memory
    if mode == .userMode {
      noteIRQL(above: .apc)
      return Pointer(try mapUserView(of: mdl, at: base, routine: routine), in: here)
    }
    if let address = try mapSystemView(of: mdl, routine: routine) { return Pointer(address, in: here) }
    if bugCheckOnFailure { throw BugCheck(.noMoreSystemPTEs, 0, UInt64(try mdl.pageCount()), 0, 0) }
    return Pointer(0, in: here)
  }
}
