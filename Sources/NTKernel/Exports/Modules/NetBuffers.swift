import Guest
import WindowsTypes

/// ndis.sys: pools of packets, and what is done to the data of one (nblapi.h). No miniport and no protocol is in a run.
extension Export {
  static let netBuffers: [Export] = [
    // nf-nblapi-ndisallocatenetbufferlistpool
    export("NdisAllocateNetBufferListPool(NdisHandle, Parameters)", module: "ndis", irql: .passive) {
      (kernel, handle: GuestWord, parameters: GuestWord) -> GuestWord in
      guard let pool = try kernel.nonPagedPool.allocate(0x20, tag: Kernel.ownTag, in: kernel.memory) else { return 0 }
      kernel.register(Kernel.netBufferPool, pool)
      return GuestWord(pool)
    },
    // nf-nblapi-ndisfreenetbufferlistpool
    export("NdisFreeNetBufferListPool(PoolHandle)", module: "ndis", irql: .dispatch) { (kernel, pool: GuestWord) in
      if kernel.unregister(Kernel.netBufferPool, pool.bits) { _ = kernel.nonPagedPool.free(pool.bits) }
    },
    // nf-nblapi-ndisgetdatabuffer: where the data lies together, it itself; else a copy in `Storage`, or null without one.
    export("NdisGetDataBuffer(NetBuffer, BytesNeeded, Storage, AlignMultiple, AlignOffset)", module: "ndis", irql: .dispatch) {
      (kernel, buffer: Pointer<NET_BUFFER>, count: UInt32, storage: GuestWord, multiple: UInt32, offset: UInt32) -> GuestWord in
      guard count > 0, try count <= buffer.DataLength.load() else { return 0 }
      let pieces = try kernel.pieces(of: buffer, count)
      if pieces.count == 1, let only = pieces.first, multiple <= 1 || (only.address &- UInt64(offset)) % UInt64(multiple) == 0 {
        return GuestWord(only.address)
      }
      guard storage.bits != 0 else { return 0 }
      var place = storage.bits
      for piece in pieces {
        try kernel.memory.memory.write(kernel.memory.memory.bytes(Int(piece.count), at: piece.address), at: place)
        place += UInt64(piece.count)
      }
      return storage
    },
    // nf-nblapi-ndisadvancenetbufferdatastart
    export("NdisAdvanceNetBufferDataStart(NetBuffer, DataOffsetDelta, FreeMdl, FreeMdlHandler)", module: "ndis", irql: .dispatch) {
      (kernel, buffer: Pointer<NET_BUFFER>, delta: UInt32, frees: UInt32, routine: GuestWord) in
      let delta = min(delta, try buffer.DataLength.load())
      try buffer.DataLength.store(buffer.DataLength.load() - delta)
      try kernel.moveStart(of: buffer, to: buffer.DataOffset.load() &+ delta)
    }
    .partially("MDLs in front of the data stay"),
    // nf-nblapi-ndisretreatnetbufferdatastart: into unused space in front of the data.
    export(
      "NdisRetreatNetBufferDataStart(NetBuffer, DataOffsetDelta, DataBackFill, AllocateMdlHandler)", module: "ndis", irql: .dispatch
    ) {
      (kernel, buffer: Pointer<NET_BUFFER>, delta: UInt32, backFill: UInt32, routine: GuestWord) -> NTSTATUS in
      let offset = try buffer.DataOffset.load()
      // NDIS_STATUS_RESOURCES
      guard offset >= delta else { return .insufficientResources }
      try buffer.DataLength.store(buffer.DataLength.load() &+ delta)
      try kernel.moveStart(of: buffer, to: offset - delta)
      return .success
    }
    .partially("no MDL is put in front where there is no unused space"),
    // nf-fwpsk-fwpsallocatenetbufferandnetbufferlist0
    export(
      "FwpsAllocateNetBufferAndNetBufferList0(poolHandle, contextSize, contextBackFill, mdlChain, dataOffset, dataLength, netBufferList)",
      module: "fwpkclnt", irql: .dispatch
    ) {
      (
        kernel, pool: GuestWord, contextSize: UInt32, backFill: UInt32, chain: Pointer<MDL>, offset: UInt32, length: UInt32,
        result: Pointer<Pointer<NET_BUFFER_LIST>>
      ) -> NTSTATUS in
      let here = kernel.memory.memory
      let size = UInt64(Pointer<NET_BUFFER_LIST>.size(in: here))
      // "NDnl"
      guard kernel.io.registrations.contains(where: { $0.what == Kernel.netBufferPool && $0.key == pool.bits }),
        let block = try kernel.nonPagedPool.allocate(
          size + UInt64(Pointer<NET_BUFFER>.size(in: here)), tag: 0x6c6e_444e, in: kernel.memory)
      else { return .insufficientResources }
      try here.fill(0, count: Int(size) + Pointer<NET_BUFFER>.size(in: here), at: block)
      let list = Pointer<NET_BUFFER_LIST>(block, in: here)
      let buffer = Pointer<NET_BUFFER>(block + size, in: here)
      try list.FirstNetBuffer.store(buffer)
      try list.NdisPoolHandle.store(Pointer(pool.bits, in: here))
      try buffer.MdlChain.store(chain)
      try buffer.DataLength.store(length)
      try kernel.moveStart(of: buffer, to: offset)
      try result.store(list)
      return .success
    }
    .partially("no context is allocated with it"),
    // nf-fwpsk-fwpsfreenetbufferlist0
    export("FwpsFreeNetBufferList0(netBufferList)", module: "fwpkclnt", irql: .dispatch) { (kernel, list: GuestWord) in
      try kernel.freePool(list.bits)
    },
  ]
}

extension Kernel {
  static let netBufferPool = "a pool of net buffer lists"

  /// Makes `offset` the place of the data's first byte: the MDL that it is in, and where in it.
  func moveStart(of buffer: Pointer<NET_BUFFER>, to offset: UInt32) throws {
    try buffer.DataOffset.store(offset)
    var (mdl, left) = (try buffer.MdlChain.load(), offset)
    while try !mdl.isNull && left >= mdl.ByteCount.load() && !mdl.Next.load().isNull {
      left -= try mdl.ByteCount.load()
      mdl = try mdl.Next.load()
    }
    try buffer.CurrentMdl.store(mdl)
    try buffer.CurrentMdlOffset.store(left)
  }

  /// Where the first `count` bytes of the data are.
  func pieces(of buffer: Pointer<NET_BUFFER>, _ count: UInt32) throws -> [(address: UInt64, count: UInt32)] {
    var (pieces, left): ([(UInt64, UInt32)], UInt32) = ([], count)
    var (mdl, offset) = (try buffer.CurrentMdl.load(), try buffer.CurrentMdlOffset.load())
    while left > 0, !mdl.isNull, pieces.count < 1024 {
      let size = try mdl.ByteCount.load()
      if offset < size {
        let part = min(left, size - offset)
        pieces.append((try mdl.MappedSystemVa.load().address + UInt64(offset), part))
        left -= part
      }
      (mdl, offset) = (try mdl.Next.load(), offset < size ? 0 : offset - size)
    }
    return left == 0 ? pieces : []
  }
}
