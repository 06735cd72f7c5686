import Guest

/// `MDL.MdlFlags` (`wdm.h`).
public struct MdlFlags: NamedFlags {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// `MDL_MAPPED_TO_SYSTEM_VA`, 0x1
  public static let mappedToSystemVA = Self(rawValue: 0x1)
  /// `MDL_PAGES_LOCKED`, 0x2
  public static let pagesLocked = Self(rawValue: 0x2)
  /// `MDL_SOURCE_IS_NONPAGED_POOL`, 0x4
  public static let sourceIsNonpagedPool = Self(rawValue: 0x4)
  /// `MDL_ALLOCATED_FIXED_SIZE`, 0x8
  public static let allocatedFixedSize = Self(rawValue: 0x8)
  /// `MDL_PARTIAL`, 0x10
  public static let partial = Self(rawValue: 0x10)
  /// `MDL_PARTIAL_HAS_BEEN_MAPPED`, 0x20
  public static let partialHasBeenMapped = Self(rawValue: 0x20)
  /// `MDL_IO_PAGE_READ`, 0x40
  public static let ioPageRead = Self(rawValue: 0x40)
  /// `MDL_WRITE_OPERATION`, 0x80
  public static let writeOperation = Self(rawValue: 0x80)
  /// `MDL_PARENT_MAPPED_SYSTEM_VA`, 0x100
  public static let parentMappedSystemVA = Self(rawValue: 0x100)
  /// `MDL_FREE_EXTRA_PTES`, 0x200
  public static let freeExtraPTEs = Self(rawValue: 0x200)
  /// `MDL_DESCRIBES_AWE`, 0x400
  public static let describesAWE = Self(rawValue: 0x400)
  /// `MDL_IO_SPACE`, 0x800
  public static let ioSpace = Self(rawValue: 0x800)
  /// `MDL_NETWORK_HEADER`, 0x1000
  public static let networkHeader = Self(rawValue: 0x1000)
  /// `MDL_MAPPING_CAN_FAIL`, 0x2000
  public static let mappingCanFail = Self(rawValue: 0x2000)
  /// `MDL_ALLOCATED_MUST_SUCCEED`, 0x4000
  public static let allocatedMustSucceed = Self(rawValue: 0x4000)
  /// `MDL_INTERNAL`, 0x8000
  public static let `internal` = Self(rawValue: 0x8000)

  public static let names: [(Self, String)] = [
    (.mappedToSystemVA, "MDL_MAPPED_TO_SYSTEM_VA"), (.pagesLocked, "MDL_PAGES_LOCKED"),
    (.sourceIsNonpagedPool, "MDL_SOURCE_IS_NONPAGED_POOL"), (.allocatedFixedSize, "MDL_ALLOCATED_FIXED_SIZE"),
    (.partial, "MDL_PARTIAL"), (.partialHasBeenMapped, "MDL_PARTIAL_HAS_BEEN_MAPPED"), (.ioPageRead, "MDL_IO_PAGE_READ"),
    (.writeOperation, "MDL_WRITE_OPERATION"), (.parentMappedSystemVA, "MDL_PARENT_MAPPED_SYSTEM_VA"),
    (.freeExtraPTEs, "MDL_FREE_EXTRA_PTES"), (.describesAWE, "MDL_DESCRIBES_AWE"), (.ioSpace, "MDL_IO_SPACE"),
    (.networkHeader, "MDL_NETWORK_HEADER"), (.mappingCanFail, "MDL_MAPPING_CAN_FAIL"),
    (.allocatedMustSucceed, "MDL_ALLOCATED_MUST_SUCCEED"), (.internal, "MDL_INTERNAL"),
  ]
}

/// The access that a lock of pages is for (`wdm.h`).
public struct LOCK_OPERATION: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `IoReadAccess`, 0x0
  public static let read = Self(rawValue: 0)
  /// `IoWriteAccess`, 0x1
  public static let write = Self(rawValue: 1)
  /// `IoModifyAccess`, 0x2
  public static let modify = Self(rawValue: 2)

  public static let names: [(Self, String)] = [
    (.read, "IoReadAccess"), (.write, "IoWriteAccess"), (.modify, "IoModifyAccess"),
  ]

  /// Whether the pages must be writable: the memory manager treats write and modify alike.
  public var writes: Bool { self != .read }
}

/// How a mapping is cached (`wdm.h`).
public struct MEMORY_CACHING_TYPE: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `MmNonCached`, 0x0
  public static let nonCached = Self(rawValue: 0)
  /// `MmCached`, 0x1
  public static let cached = Self(rawValue: 1)
  /// `MmWriteCombined`, 0x2
  public static let writeCombined = Self(rawValue: 2)

  public static let names: [(Self, String)] = [
    (.nonCached, "MmNonCached"), (.cached, "MmCached"), (.writeCombined, "MmWriteCombined"),
  ]
}

/// How dearly a mapping is wanted (`wdm.h`).
public struct MM_PAGE_PRIORITY: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `LowPagePriority`, 0x0
  public static let low = Self(rawValue: 0)
  /// `NormalPagePriority`, 0x10
  public static let normal = Self(rawValue: 0x10)
  /// `HighPagePriority`, 0x20
  public static let high = Self(rawValue: 0x20)

  public static let names: [(Self, String)] = [
    (.low, "LowPagePriority"), (.normal, "NormalPagePriority"), (.high, "HighPagePriority"),
  ]
}

/// The kind of pool to allocate from (`wdm.h`).
public struct POOL_TYPE: NamedValue {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `NonPagedPool`, 0x0
  public static let nonPaged = Self(rawValue: 0)
  /// `PagedPool`, 0x1
  public static let paged = Self(rawValue: 1)
  /// `NonPagedPoolMustSucceed`, 0x2
  public static let nonPagedMustSucceed = Self(rawValue: 2)
  /// `DontUseThisType`, 0x3
  public static let dontUseThisType = Self(rawValue: 3)
  /// `NonPagedPoolCacheAligned`, 0x4
  public static let nonPagedCacheAligned = Self(rawValue: 4)
  /// `PagedPoolCacheAligned`, 0x5
  public static let pagedCacheAligned = Self(rawValue: 5)
  /// `NonPagedPoolCacheAlignedMustS`, 0x6
  public static let nonPagedCacheAlignedMustSucceed = Self(rawValue: 6)
  /// `NonPagedPoolSession`, 0x20
  public static let nonPagedSession = Self(rawValue: 0x20)
  /// `PagedPoolSession`, 0x21
  public static let pagedSession = Self(rawValue: 0x21)
  /// `NonPagedPoolNx`, 0x200
  public static let nonPagedNX = Self(rawValue: 0x200)

  public static let names: [(Self, String)] = [
    (.nonPaged, "NonPagedPool"), (.paged, "PagedPool"), (.nonPagedMustSucceed, "NonPagedPoolMustSucceed"),
    (.dontUseThisType, "DontUseThisType"), (.nonPagedCacheAligned, "NonPagedPoolCacheAligned"),
    (.pagedCacheAligned, "PagedPoolCacheAligned"), (.nonPagedCacheAlignedMustSucceed, "NonPagedPoolCacheAlignedMustS"),
    (.nonPagedSession, "NonPagedPoolSession"), (.pagedSession, "PagedPoolSession"), (.nonPagedNX, "NonPagedPoolNx"),
  ]

  /// Whether the pages may be written to a paging file.
  public var isPaged: Bool { rawValue & 1 != 0 }
  public var isCacheAligned: Bool { rawValue & 4 != 0 }
  public var mustSucceed: Bool { rawValue & 3 == 2 }
  /// `POOL_QUOTA_FAIL_INSTEAD_OF_RAISE`
  public var failsInsteadOfRaising: Bool { rawValue & 8 != 0 }
  /// `POOL_RAISE_IF_ALLOCATION_FAILURE`
  public var raisesOnFailure: Bool { rawValue & 0x10 != 0 }
}

/// The protection of user pages: `PAGE_READONLY` and its like (`ntifs.h`).
public struct PageProtection: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `PAGE_NOACCESS`, 0x1
  public static let noAccess = Self(rawValue: 0x1)
  /// `PAGE_READONLY`, 0x2
  public static let readOnly = Self(rawValue: 0x2)
  /// `PAGE_READWRITE`, 0x4
  public static let readWrite = Self(rawValue: 0x4)
  /// `PAGE_WRITECOPY`, 0x8
  public static let writeCopy = Self(rawValue: 0x8)
  /// `PAGE_EXECUTE`, 0x10
  public static let execute = Self(rawValue: 0x10)
  /// `PAGE_EXECUTE_READ`, 0x20
  public static let executeRead = Self(rawValue: 0x20)
  /// `PAGE_EXECUTE_READWRITE`, 0x40
  public static let executeReadWrite = Self(rawValue: 0x40)
  /// `PAGE_EXECUTE_WRITECOPY`, 0x80
  public static let executeWriteCopy = Self(rawValue: 0x80)
  /// `PAGE_GUARD`, 0x100
  public static let `guard` = Self(rawValue: 0x100)
  /// `PAGE_NOCACHE`, 0x200
  public static let noCache = Self(rawValue: 0x200)
  /// `PAGE_WRITECOMBINE`, 0x400
  public static let writeCombine = Self(rawValue: 0x400)

  public static let names: [(Self, String)] = [
    (.noAccess, "PAGE_NOACCESS"), (.readOnly, "PAGE_READONLY"), (.readWrite, "PAGE_READWRITE"), (.writeCopy, "PAGE_WRITECOPY"),
    (.execute, "PAGE_EXECUTE"), (.executeRead, "PAGE_EXECUTE_READ"), (.executeReadWrite, "PAGE_EXECUTE_READWRITE"),
    (.executeWriteCopy, "PAGE_EXECUTE_WRITECOPY"), (.`guard`, "PAGE_GUARD"), (.noCache, "PAGE_NOCACHE"),
    (.writeCombine, "PAGE_WRITECOMBINE"),
  ]
}

/// How to allocate or free virtual memory (`ntifs.h`).
public struct AllocationType: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `MEM_COMMIT`, 0x1000
  public static let commit = Self(rawValue: 0x1000)
  /// `MEM_RESERVE`, 0x2000
  public static let reserve = Self(rawValue: 0x2000)
  /// `MEM_DECOMMIT`, 0x4000
  public static let decommit = Self(rawValue: 0x4000)
  /// `MEM_RELEASE`, 0x8000
  public static let release = Self(rawValue: 0x8000)
  /// `MEM_FREE`, 0x10000
  public static let free = Self(rawValue: 0x10000)
  /// `MEM_PRIVATE`, 0x20000
  public static let `private` = Self(rawValue: 0x20000)
  /// `MEM_MAPPED`, 0x40000
  public static let mapped = Self(rawValue: 0x40000)
  /// `MEM_RESET`, 0x80000
  public static let reset = Self(rawValue: 0x80000)
  /// `MEM_TOP_DOWN`, 0x100000
  public static let topDown = Self(rawValue: 0x100000)
  /// `MEM_PHYSICAL`, 0x400000
  public static let physical = Self(rawValue: 0x400000)
  /// `MEM_LARGE_PAGES`, 0x20000000
  public static let largePages = Self(rawValue: 0x20000000)

  public static let names: [(Self, String)] = [
    (.commit, "MEM_COMMIT"), (.reserve, "MEM_RESERVE"), (.decommit, "MEM_DECOMMIT"), (.release, "MEM_RELEASE"), (.free, "MEM_FREE"),
    (.`private`, "MEM_PRIVATE"), (.mapped, "MEM_MAPPED"), (.reset, "MEM_RESET"), (.topDown, "MEM_TOP_DOWN"),
    (.physical, "MEM_PHYSICAL"), (.largePages, "MEM_LARGE_PAGES"),
  ]
}
