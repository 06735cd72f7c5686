import Guest
import Memory
import WindowsTypes

extension Export {
  /// Device memory and physical addresses.
  static let deviceMemory: [Export] = [
    // nf-wdm-mmmapiospace
    export("MmMapIoSpace(PhysicalAddress, NumberOfBytes, CacheType)", irql: .dispatch) {
      (kernel, address: UInt64, size: GuestWord, cache: MEMORY_CACHING_TYPE) -> GuestWord in
      GuestWord(try kernel.mapDeviceMemory(address, size.bits))
    }
    .partially("where no device answers, a store that WRITE_REGISTER_… does not make is read back"),
    // nf-wdm-mmunmapiospace
    export("MmUnmapIoSpace(BaseAddress, NumberOfBytes)", irql: .dispatch) { (kernel, base: GuestWord, size: GuestWord) in
      try kernel.unmapDeviceMemory(base.bits, size.bits)
    },
    // nf-ntddk-mmmapvideodisplay: obsolete, and the same as MmMapIoSpace.
    export("MmMapVideoDisplay(PhysicalAddress, NumberOfBytes, CacheType)", irql: .dispatch) {
      (kernel, address: UInt64, size: GuestWord, cache: MEMORY_CACHING_TYPE) -> GuestWord in
      GuestWord(try kernel.mapDeviceMemory(address, size.bits))
    }
    .partially("where no device answers, a store that WRITE_REGISTER_… does not make is read back"),
    export("MmUnmapVideoDisplay(BaseAddress, NumberOfBytes)", irql: .dispatch) { (kernel, base: GuestWord, size: GuestWord) in
      try kernel.unmapDeviceMemory(base.bits, size.bits)
    },
    // nf-ntddk-mmgetphysicaladdress
    export("MmGetPhysicalAddress(BaseAddress)") { (kernel, address: GuestWord) -> UInt64 in
      try kernel.physicalAddress(of: address.bits)
    },
    // nf-ntddk-mmgetvirtualforphysical
    export("MmGetVirtualForPhysical(PhysicalAddress)") { (kernel, address: UInt64) -> GuestWord in
      GuestWord(kernel.virtualAddress(for: address))
    },
    // nf-ntddk-mmgetphysicalmemoryranges: its caller frees the array, which an entry of zeros ends.
    export("MmGetPhysicalMemoryRanges()", irql: .passive) { kernel -> GuestWord in
      // "hPmM" in the debugger's tag list.
      guard let block = try kernel.nonPagedPool.allocate(32, tag: 0x4d6d_5068, in: kernel.memory) else { return 0 }
      try kernel.memory.memory.store(GuestMemory.pageSize, at: block)
      try kernel.memory.memory.store(UInt64(kernel.memory.physical.capacity - 1) << GuestMemory.pageShift, at: block + 8)
      return GuestWord(block)
    },
  ]

  /// Memory that is more than pool.
  static let specialMemory: [Export] = [
    // nf-wdm-mmallocatecontiguousmemory
    export("MmAllocateContiguousMemory(NumberOfBytes, HighestAcceptableAddress)", irql: .dispatch) {
      (kernel, size: GuestWord, highest: UInt64) -> GuestWord in
      GuestWord(try kernel.allocateContiguous(size.bits, highest: highest))
    },
    // nf-wdm-mmallocatecontiguousmemoryspecifycache
    export(
      "MmAllocateContiguousMemorySpecifyCache(NumberOfBytes, LowestAcceptableAddress, HighestAcceptableAddress, BoundaryAddressMultiple, CacheType)",
      irql: .dispatch
    ) { (kernel, size: GuestWord, lowest: UInt64, highest: UInt64, boundary: UInt64, cache: MEMORY_CACHING_TYPE) -> GuestWord in
      GuestWord(try kernel.allocateContiguous(size.bits, lowest: lowest, highest: highest, boundary: boundary))
    }
    .partially("memory above the lowest acceptable address is not looked for: null where the next free run lies below it"),
    // nf-wdm-mmfreecontiguousmemory
    export("MmFreeContiguousMemory(BaseAddress)", irql: .dispatch) { (kernel, base: GuestWord) in
      try kernel.freeBlock(base.bits, what: Kernel.contiguousMemory)
    },
    // nf-wdm-mmfreecontiguousmemoryspecifycache
    export("MmFreeContiguousMemorySpecifyCache(BaseAddress, NumberOfBytes, CacheType)", irql: .dispatch) {
      (kernel, base: GuestWord, size: GuestWord, cache: MEMORY_CACHING_TYPE) in
      try kernel.freeBlock(base.bits, what: Kernel.contiguousMemory)
    },
    // nf-ntddk-mmallocatenoncachedmemory
    export("MmAllocateNonCachedMemory(NumberOfBytes)", irql: .apc) { (kernel, size: GuestWord) -> GuestWord in
      GuestWord(try kernel.allocateNonCached(size.bits))
    },
    // nf-ntddk-mmfreenoncachedmemory
    export("MmFreeNonCachedMemory(BaseAddress, NumberOfBytes)", irql: .apc) { (kernel, base: GuestWord, size: GuestWord) in
      try kernel.freeBlock(base.bits, what: Kernel.nonCachedMemory)
    },
    // nf-wdm-mmallocatepagesformdl: zeroed pages, locked and not mapped.
    export("MmAllocatePagesForMdl(LowAddress, HighAddress, SkipBytes, TotalBytes)", irql: .apc) {
      (kernel, low: UInt64, high: UInt64, skip: UInt64, size: GuestWord) -> Pointer<MDL> in
      try kernel.allocatePages(size.bits, from: low, to: high)
    }
    .partially("SkipBytes is not looked at; of memory far above the lowest free page little is found"),
    // nf-wdm-mmallocatepagesformdlex
    export("MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes, TotalBytes, CacheType, Flags)", irql: .apc) {
      (kernel, low: UInt64, high: UInt64, skip: UInt64, size: GuestWord, cache: MEMORY_CACHING_TYPE, flags: UInt32) -> Pointer<MDL> in
      let mdl = try kernel.allocatePages(size.bits, from: low, to: high)
      // MM_ALLOCATE_FULLY_REQUIRED
      guard flags & 4 != 0, !mdl.isNull, UInt64(try mdl.ByteCount.load()) < size.bits else { return mdl }
      try kernel.freePages(of: mdl)
      try kernel.freePool(mdl.address)
      return Pointer(0, in: kernel.memory.memory)
    }
    .partially("SkipBytes is not looked at; of memory far above the lowest free page little is found"),
    // nf-wdm-mmfreepagesfrommdl
    export("MmFreePagesFromMdl(MemoryDescriptorList)", irql: .apc) { (kernel, mdl: Pointer<MDL>) in try kernel.freePages(of: mdl) },
    // nf-wdm-mmallocatemappingaddress
    export("MmAllocateMappingAddress(NumberOfBytes, PoolTag)", irql: .apc) { (kernel, size: GuestWord, tag: UInt32) -> GuestWord in
      GuestWord(try kernel.reserveMapping(size.bits, tag: tag))
    },
    // nf-wdm-mmfreemappingaddress
    export("MmFreeMappingAddress(BaseAddress, PoolTag)", irql: .apc) { (kernel, base: GuestWord, tag: UInt32) in
      try kernel.freeMapping(base.bits, tag: tag)
    }
    .uncertain("which of the reasons of bugcheck 0xDA a wrong tag has"),
    // nf-wdm-mmmaplockedpageswithreservedmapping
    export("MmMapLockedPagesWithReservedMapping(MappingAddress, PoolTag, MemoryDescriptorList, CacheType)", irql: .dispatch) {
      (kernel, base: GuestWord, tag: UInt32, mdl: Pointer<MDL>, cache: MEMORY_CACHING_TYPE) -> GuestWord in
      GuestWord(try kernel.map(mdl, reserved: base.bits, tag: tag))
    },
    // nf-wdm-mmunmapreservedmapping
    export("MmUnmapReservedMapping(BaseAddress, PoolTag, MemoryDescriptorList)", irql: .dispatch) {
      (kernel, base: GuestWord, tag: UInt32, mdl: Pointer<MDL>) in
      try kernel.unmap(mdl, reserved: base.bits, tag: tag)
    },
  ]

  /// MDLs beside locking and mapping.
  static let moreMDLs: [Export] = [
    // nf-ntddk-mmcreatemdl: obsolete; into the caller's memory, or nonpaged pool.
    export("MmCreateMdl(MemoryDescriptorList, Base, Length)", irql: .dispatch) {
      (kernel, mdl: Pointer<MDL>, base: GuestWord, length: GuestWord) -> Pointer<MDL> in
      guard !mdl.isNull else { return try kernel.createMDL(base.bits, length.bits) }
      try kernel.describe(mdl, base.bits, length.bits, kernel.sizeOfMDL(base.bits, length.bits))
      return mdl
    },
    // nf-wdm-mmadvancemdl
    export("MmAdvanceMdl(Mdl, NumberOfBytes)", irql: .dispatch) { (kernel, mdl: Pointer<MDL>, count: UInt32) -> NTSTATUS in
      try kernel.advance(mdl, by: count)
    },
    // nf-wdm-mmprotectmdlsystemaddress
    export("MmProtectMdlSystemAddress(MemoryDescriptorList, NewProtect)", irql: .dispatch) {
      (kernel, mdl: Pointer<MDL>, protection: UInt32) -> NTSTATUS in
      try kernel.protect(mdl, protection)
    },
  ]

  /// Paging of drivers, and what the memory manager says of itself.
  static let residency: [Export] = [
    // nf-ntddk-mmpageentiredriver: the image's base.
    export("MmPageEntireDriver(AddressWithinSection)", irql: .apc) { (kernel, address: GuestWord) -> GuestWord in
      kernel.driver(containing: address.bits).map { GuestWord($0.range.lowerBound) } ?? 0
    }
    .partially("a driver's code is always resident"),
    // nf-ntddk-mmresetdriverpaging
    export("MmResetDriverPaging(AddressWithinSection)", irql: .apc) { (_, address: GuestWord) in }
      .partially("a driver's code is always resident"),
    // nf-wdm-mmlockpagabledatasection; MmLockPagableCodeSection is a macro over it.
    export("MmLockPagableDataSection(AddressWithinSection)", irql: .apc) { (kernel, address: GuestWord) -> GuestWord in
      GuestWord(address.bits & ~0xfff)
    }
    .partially("a driver's sections are always resident: the handle is the page's address"),
    export("MmLockPagableImageSection(AddressWithinSection)", irql: .apc) { (kernel, address: GuestWord) -> GuestWord in
      GuestWord(address.bits & ~0xfff)
    }
    .partially("a driver's sections are always resident: the handle is the page's address"),
    // nf-ntddk-mmlockpagablesectionbyhandle
    export("MmLockPagableSectionByHandle(ImageSectionHandle)", irql: .apc) { (_, handle: GuestWord) in }
      .partially("a driver's sections are always resident"),
    // nf-wdm-mmunlockpagableimagesection
    export("MmUnlockPagableImageSection(ImageSectionHandle)", irql: .apc) { (_, handle: GuestWord) in }
      .partially("a driver's sections are always resident"),
    // nf-ntddk-mmsecurevirtualmemory: null where the range does not allow the access.
    export("MmSecureVirtualMemory(Address, Size, ProbeMode)", irql: .apc) {
      (kernel, address: GuestWord, size: GuestWord, mode: UInt32) -> GuestWord in
      guard size.bits > 0, address.bits + size.bits <= kernel.memory.target.userProbeAddress else { return 0 }
      for place in stride(from: address.bits & ~0xfff, to: address.bits + size.bits, by: Int(GuestMemory.pageSize)) {
        let page = kernel.memory.current[place]
        // PAGE_READONLY asks for less than PAGE_READWRITE.
        let allows = page.protection == .readOnly ? mode != 4 : page.protection != .noAccess
        guard ![.free, .reserved, .decommitted].contains(page.kind), !page.isGuard, allows else { return 0 }
      }
      let handle = kernel.hardware.nextSecureHandle
      kernel.hardware.nextSecureHandle += 4
      kernel.hardware.secured[handle] = address.bits...address.bits + size.bits - 1
      kernel.register("secured memory", handle)
      return GuestWord(handle)
    }
    .partially("the process is not kept from changing the range's protection"),
    // nf-ntddk-mmunsecurevirtualmemory
    export("MmUnsecureVirtualMemory(SecureHandle)", irql: .apc) { (kernel, handle: GuestWord) in
      // Of a handle that is none Windows makes bugcheck 0x1A of another kind with each build.
      guard kernel.hardware.secured.removeValue(forKey: handle.bits) != nil else {
        throw BugCheck(.memoryManagement, 0x1234, handle.bits)
      }
      kernel.unregister("secured memory", handle.bits)
    }
    .uncertain("which bugcheck a handle that is none gives"),
    // nf-ntddk-mmquerysystemsize: MmLargeSystem, as on any machine with 256 MB or more.
    export("MmQuerySystemSize()") { _ -> UInt32 in 2 },
    // nf-ntddk-mmisthisanntassystem: a workstation.
    export("MmIsThisAnNtAsSystem()") { _ -> UInt8 in 0 },
    // nf-ntddk-mmisnonpagedsystemaddressvalid: resident, of system space, and not of the paged pool.
    export("MmIsNonPagedSystemAddressValid(VirtualAddress)", irql: .dispatch) { (kernel, address: GuestWord) -> UInt8 in
      guard address.bits >= kernel.memory.target.systemRangeStart, !kernel.layout.pagedPool.contains(address.bits) else { return 0 }
      _ = try kernel.provide(address.bits)
      return kernel.memory.memory.allows(.read, at: address.bits) ? 1 : 0
    },
    // nf-wdm-mmisdriververifying: no driver is.
    export("MmIsDriverVerifying(DriverObject)", irql: .dispatch) { (_, driver: GuestWord) -> UInt32 in 0 },
    // nf-ntddk-mmisverifierenabled
    export("MmIsVerifierEnabled(VerifierFlags)", irql: .dispatch) { (_, flags: Pointer<UInt32>) -> NTSTATUS in
      try flags.store(0)
      return .notSupported
    },
  ]
}
