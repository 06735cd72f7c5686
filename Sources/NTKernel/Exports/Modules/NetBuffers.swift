import Guest
import WindowsTypes

/// A packet's data, somewhere in a chain of MDLs (`ns-nbl-net_buffer`, `nbl.h`).
struct NET_BUFFER: GuestStructure {
  static let name = "_NET_BUFFER"
  let Next: Field<Pointer<NET_BUFFER>>
  let CurrentMdl: Field<Pointer<MDL>>
  let CurrentMdlOffset: Field<UInt32>
  let DataLength: Field<UInt32>
  let MdlChain: Field<Pointer<MDL>>
  let DataOffset: Field<UInt32>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x60,
      NET_BUFFER(Next: 0x00, CurrentMdl: 0x04, CurrentMdlOffset: 0x08, DataLength: 0x0c, MdlChain: 0x10, DataOffset: 0x14)
    ))
}

/// Pools of NET_BUFFER_LISTs, by handle.
final class NetBufferPools {
  var handles: Set<UInt64> = []
}

extension Export {
  /// ndis.sys: packets' data in memory. No adapter and no protocol is there.
  static let netBuffers: [Export] = [
    // nf-nblapi-ndisallocatenetbufferlistpool: NET_BUFFER_LIST_POOL_PARAMETERS, whose header has type 80h and revision 1.
    export("NdisAllocateNetBufferListPool(NdisHandle, Parameters)", module: "ndis", irql: .passive) {
      (kernel, handle: GuestWord, parameters: GuestWord) -> GuestWord in
      let here = kernel.memory.memory
      guard parameters.bits != 0, try here.load(UInt8.self, at: parameters.bits) == 0x80,
        try here.load(UInt16.self, at: parameters.bits + 2) >= 0x10
      else { return 0 }
      let pool = try kernel.allocate(0x10)
      kernel.netBufferPools.handles.insert(pool)
      kernel.register(Kernel.netBufferPool, pool)
      return GuestWord(pool)
    },
    // nf-nblapi-ndisfreenetbufferlistpool
    export("NdisFreeNetBufferListPool(PoolHandle)", module: "ndis", irql: .passive) { (kernel, pool: GuestWord) in
      guard kernel.netBufferPools.handles.remove(pool.bits) != nil else { return }
      kernel.unregister(Kernel.netBufferPool, pool.bits)
      kernel.free(pool.bits)
    },
    // nf-nblapi-ndisgetdatabuffer: where the data lies in one piece, else a copy in the caller's storage; NULL where it has none.
    export("NdisGetDataBuffer(NetBuffer, BytesNeeded, Storage, AlignMultiple, AlignOffset)", module: "ndis", irql: .dispatch) {
      (kernel, buffer: Pointer<NET_BUFFER>, count: UInt32, storage: GuestWord, multiple: UInt32, offset: UInt32) -> GuestWord in
      let count = UInt64(count)
      guard count > 0, try count <= UInt64(buffer.DataLength.load()) else { return 0 }
      let pieces = try kernel.pieces(of: buffer.MdlChain.load(), from: UInt64(buffer.DataOffset.load()))
      guard let first = pieces.first else { return 0 }
      let isAligned = multiple <= 1 || (first.address &- UInt64(offset)) % UInt64(multiple) == 0
      if first.length >= count, isAligned { return GuestWord(first.address) }
      guard storage.bits != 0 else { return 0 }
      var done: UInt64 = 0
      for piece in pieces where done < count {
        let length = min(piece.length, count - done)
        try kernel.move(length, from: piece.address, to: storage.bits + done)
        done += length
      }
      return done == count ? GuestWord(storage.bits) : 0
    },
    // nf-nblapi-ndisadvancenetbufferdatastart
    export("NdisAdvanceNetBufferDataStart(NetBuffer, DataOffsetDelta, FreeMdl, FreeMdlHandler)", module: "ndis", irql: .dispatch) {
      (kernel, buffer: Pointer<NET_BUFFER>, delta: UInt32, free: UInt8, handler: GuestWord) in
      let length = try buffer.DataLength.load()
      try buffer.DataOffset.store(buffer.DataOffset.load() &+ delta)
      try buffer.DataLength.store(length &- min(delta, length))
      try kernel.findCurrentMDL(of: buffer)
    }
    .partially("MDLs that hold no data any more stay in the chain"),
    // nf-nblapi-ndisretreatnetbufferdatastart: into unused room, else a new MDL is put in front.
    export("NdisRetreatNetBufferDataStart(NetBuffer, DataOffsetDelta, DataBackFill, AllocateMdlHandler)", module: "ndis", irql: .dispatch) {
      (kernel, buffer: Pointer<NET_BUFFER>, delta: UInt32, backFill: UInt32, handler: GuestWord) async throws -> NTSTATUS in
      var offset = try buffer.DataOffset.load()
      if delta > offset {
        guard delta <= 0x1_0000, backFill <= 0x1_0000 else { return .insufficientResources }
        let here = kernel.memory.memory
        let size = delta - offset + backFill
        let mdl: Pointer<MDL>
        if handler.bits != 0 {
          // It is told how much, and may give more.
          let room = Pointer<UInt32>(try kernel.allocate(8), in: here)
          defer { kernel.free(room.address) }
          try room.store(size)
          mdl = Pointer(try await kernel.call(handler.bits, [room.address]), in: here)
        } else {
          // "NDnb"
          guard let block = try kernel.nonPagedPool.allocate(UInt64(size), tag: 0x626e_444e, in: kernel.memory) else {
            return .insufficientResources
          }
          mdl = Pointer(try await kernel.call(kernel.trapAddress(of: "IoAllocateMdl"), [block, UInt64(size), 0, 0, 0]), in: here)
          if !mdl.isNull { _ = try await kernel.call(kernel.trapAddress(of: "MmBuildMdlForNonPagedPool"), [mdl.address]) }
        }
        guard !mdl.isNull else { return .insufficientResources }
        try mdl.Next.store(buffer.MdlChain.load())
        try buffer.MdlChain.store(mdl)
        offset = offset &+ (try mdl.ByteCount.load())
      }
      try buffer.DataOffset.store(offset &- delta)
      try buffer.DataLength.store(buffer.DataLength.load() &+ delta)
      try kernel.findCurrentMDL(of: buffer)
      return .success
    },
  ]
}

extension Kernel {
  fileprivate var netBufferPools: NetBufferPools { part { NetBufferPools() } }
  static let netBufferPool = "a pool of NET_BUFFER_LISTs"

  func isNetBufferPool(_ handle: UInt64) -> Bool { netBufferPools.handles.contains(handle) }

  /// A NET_BUFFER_LIST (next list, first buffer, …, pool) with its buffer behind it; `nil` where the pool is used up.
  func makeNetBufferList(_ pool: UInt64, _ chain: Pointer<MDL>, _ offset: UInt32, _ length: UInt32) throws -> UInt64? {
    // "NDnl"
    guard let list = try nonPagedPool.allocate(0x100, tag: 0x6c6e_444e, in: memory) else { return nil }
    let buffer = Pointer<NET_BUFFER>(list + 0xa0, in: memory.memory)
    try memory.memory.store(UInt32(truncatingIfNeeded: buffer.address), at: list + 4)
    try memory.memory.store(UInt32(truncatingIfNeeded: pool), at: list + 0x10)
    try buffer.MdlChain.store(chain)
    try buffer.DataOffset.store(offset)
    try buffer.DataLength.store(length)
    try findCurrentMDL(of: buffer)
    return list
  }

  /// Has the buffer say in which MDL its data begins.
  fileprivate func findCurrentMDL(of buffer: Pointer<NET_BUFFER>) throws {
    var (mdl, offset) = (try buffer.MdlChain.load(), try buffer.DataOffset.load())
    while !mdl.isNull, case let count = try mdl.ByteCount.load(), offset >= count, case let next = try mdl.Next.load(), !next.isNull {
      offset -= count
      mdl = next
    }
    try buffer.CurrentMdl.store(mdl)
    try buffer.CurrentMdlOffset.store(offset)
  }
}
