import Guest
import WindowsTypes

extension Export {
  /// The other ways to allocate pool, and identifiers.
  static let poolVariants: [Export] = [
    // nf-wdm-exallocatepool: with the tag "None".
    export("ExAllocatePool(PoolType, NumberOfBytes)", irql: .dispatch) {
      (kernel, type: POOL_TYPE, size: GuestWord) -> Pointer<Void> in
      Pointer(try kernel.allocatePool(type, size.bits, tag: 0x656e_6f4e), in: kernel.memory.memory)
    },
    // nf-wdm-exallocatepoolwithquotatag: raises STATUS_INSUFFICIENT_RESOURCES, unless the type holds POOL_QUOTA_FAIL_INSTEAD_OF_RAISE.
    export("ExAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, Tag)", irql: .dispatch) {
      (kernel, type: POOL_TYPE, size: GuestWord, tag: UInt32) -> Pointer<Void> in
      Pointer(try kernel.allocateWithQuota(type, size.bits, tag: tag), in: kernel.memory.memory)
    }
    .partially("a process may have as much as there is"),
    // nf-wdm-exallocatepoolwithquota
    export("ExAllocatePoolWithQuota(PoolType, NumberOfBytes)", irql: .dispatch) {
      (kernel, type: POOL_TYPE, size: GuestWord) -> Pointer<Void> in
      Pointer(try kernel.allocateWithQuota(type, size.bits, tag: 0x656e_6f4e), in: kernel.memory.memory)
    }
    .partially("a process may have as much as there is"),
    // nf-wdm-exallocatepoolwithtagpriority
    export("ExAllocatePoolWithTagPriority(PoolType, NumberOfBytes, Tag, Priority)", irql: .dispatch) {
      (kernel, type: POOL_TYPE, size: GuestWord, tag: UInt32, priority: UInt32) -> Pointer<Void> in
      Pointer(try kernel.allocatePool(type, size.bits, tag: tag), in: kernel.memory.memory)
    }
    .partially("the priority is not looked at: the pool is not low until it is used up"),
    // nf-ntddk-exuuidcreate: a version 1 identifier; without a network card it is unique on the machine alone.
    export("ExUuidCreate(Uuid)", irql: .apc) { (kernel, result: Pointer<UInt32>) -> NTSTATUS in
      // 100 ns since 15 October 1582: 17 October 1582 to 1601 in between.
      let time = kernel.systemTime &+ 0x14_6bf3_3e42_c000 &+ kernel.allocateLUID()
      try result[0].store(UInt32(truncatingIfNeeded: time))
      try result[1].store(UInt32(truncatingIfNeeded: time >> 32 & 0xffff) | UInt32(truncatingIfNeeded: time >> 48 & 0xfff | 0x1000) << 16)
      try result[2].store(0x0200_0180)
      try result[3].store(0x0000_0100)
      // RPC_NT_UUID_LOCAL_ONLY
      return NTSTATUS(rawValue: 0x4002_0056)
    },
  ]
}
