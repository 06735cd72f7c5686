import Guest
import Memory
import WindowsTypes

/// Pool as drivers ask for it: by a type that says where, how it is aligned and what a failure comes to, on a process's account if they
/// say so.
extension Kernel {
  /// A block of a driver's (nf-wdm-exallocatepoolwithtag); 0 where the pool is used up.
  ///
  /// With POOL_RAISE_IF_ALLOCATION_FAILURE that raises STATUS_INSUFFICIENT_RESOURCES instead; for the types that must succeed it is
  /// bugcheck 0x41, MUST_SUCCEED_POOL_EMPTY, with the size that was asked for.
  func allocatePool(_ type: POOL_TYPE, _ size: UInt64, tag: UInt32) throws -> UInt64 {
    let block = try allocateBlock(type, size, tag: tag)
    if block != 0 { return block }
    if type.mustSucceed { throw BugCheck(.mustSucceedPoolEmpty, size) }
    if type.raisesOnFailure { throw GuestException(.insufficientResources) }
    return 0
  }

  /// A block on the current process's account (nf-wdm-exallocatepoolwithquotatag); System has none.
  ///
  /// A failure raises STATUS_INSUFFICIENT_RESOURCES, unless the type holds POOL_QUOTA_FAIL_INSTEAD_OF_RAISE.
  func allocateWithQuota(_ type: POOL_TYPE, _ size: UInt64, tag: UInt32) throws -> UInt64 {
    let block = try allocateBlock(type, size, tag: tag)
    guard block != 0 else {
      if type.failsInsteadOfRaising { return 0 }
      throw GuestException(.insufficientResources)
    }
    try charge(block)
    return block
  }

  /// Puts a block on the current process's account, until it is freed.
  func charge(_ block: UInt64) throws {
    guard let process = running?.owner, process.id != 0 else { return }
    let isPaged = pagedPool.charge(block, to: process.object.address)
    guard isPaged || nonPagedPool.charge(block, to: process.object.address),
      let size = (isPaged ? pagedPool : nonPagedPool).blocks[block]?.charge
    else { return }
    let usage = process.object.quotaUsage(isPaged: isPaged)
    let now = try usage.load().bits + size
    try usage.store(GuestWord(now))
    let peak = process.object.quotaPeak(isPaged: isPaged)
    if try peak.load().bits < now { try peak.store(GuestWord(now)) }
  }

  private func allocateBlock(_ type: POOL_TYPE, _ size: UInt64, tag: UInt32) throws -> UInt64 {
    let alignment: UInt64 = type.isCacheAligned ? Self.cacheLine : 8
    if specialPool != nil {
      let irql = try kpcr.Irql.load()
      // Subtype 30h: paged pool above APC_LEVEL, any pool above DISPATCH_LEVEL.
      if irql > (type.isPaged ? .apc : .dispatch) {
        throw BugCheck(.specialPoolDetectedMemoryCorruption, UInt64(irql.rawValue), UInt64(type.rawValue), size, 0x30)
      }
      if let block = try specialPool?.allocate(
        size, tag: tag, isPaged: type.isPaged, alignment: alignment, site: caller.address, in: memory)
      {
        return block
      }
    }
    return try
      (type.isPaged
      ? pagedPool.allocate(size, tag: tag, alignment: alignment, in: memory)
      : nonPagedPool.allocate(size, tag: tag, alignment: alignment, in: memory)) ?? 0
  }

  /// In bytes: what `KeGetRecommendedSharedDataAlignment` answers.
  static let cacheLine: UInt64 = 64

  /// Takes a block back, whoever's account it is on. Returns `false` if it is none.
  func releasePool(_ block: UInt64) throws -> Bool {
    let isPaged = pagedPool.blocks[block] != nil
    guard let record = (isPaged ? pagedPool : nonPagedPool).blocks[block] else { return false }
    _ = isPaged ? pagedPool.free(block) : nonPagedPool.free(block)
    guard record.payer != 0, let process = process(at: record.payer) else { return true }
    let usage = process.object.quotaUsage(isPaged: isPaged)
    // Guest code may have written there.
    try usage.store(GuestWord(usage.load().bits - min(usage.load().bits, record.charge)))
    return true
  }

  /// Frees a block (nf-ntddk-exfreepool, nf-wdm-exfreepoolwithtag).
  ///
  /// One that is none is bugcheck 0xC2, BAD_POOL_CALLER, with 7: it is already free. So is one whose tag holds PROTECTED_POOL and
  /// that is freed with another tag, with 0Ah, the address and both tags (bug-check-0xc2).
  package func freePool(_ block: UInt64, tag: UInt32 = 0) throws {
    if try freeSpecialPool(block) { return }
    if let own = (nonPagedPool.blocks[block] ?? pagedPool.blocks[block])?.tag, own & Self.protectedPool != 0, own != tag {
      throw BugCheck(.badPoolCaller, 0xa, block, UInt64(own), UInt64(tag))
    }
    guard try releasePool(block) else { throw BugCheck(.badPoolCaller, 7, 0, 0, block) }
  }

  /// `PROTECTED_POOL` (ntddk.h): the bit of a tag that makes the kernel compare it.
  private static let protectedPool: UInt32 = 0x8000_0000
}
