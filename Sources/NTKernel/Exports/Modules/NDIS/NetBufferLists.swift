import Guest
import WindowsTypes

/// NET_BUFFER_LIST_CONTEXT (ndis.h): the next, what is taken and what there is, then the data.
private enum NetBufferContext {
  static let (next, size, offset, data): (UInt64, UInt64, UInt64, UInt64) = (0, 4, 6, 8)
}

/// ndis.sys: net buffers and lists of them as they are made, taken apart and copied (nblapi.h; NDIS 6.20).
extension Export {
  static let netBufferLists: [Export] = [
    // nf-ndis-ndisallocatenetbufferpool: NET_BUFFER_POOL_PARAMETERS is a header of NDIS_OBJECT_TYPE_DEFAULT, a tag and a size of data.
    export("NdisAllocateNetBufferPool(NdisHandle, Parameters)", module: "ndis", irql: .passive) {
      (kernel, handle: GuestWord, parameters: GuestWord) -> GuestWord in
      guard try kernel.words(parameters.bits).byte(0) == 0x80 else { return 0 }
      let pool = try kernel.allocate(0x20)
      try kernel.words(pool).set(0, kernel.words(parameters.bits)[8])
      kernel.register(Kernel.singleBufferPool, pool)
      return GuestWord(pool)
    },
    export("NdisFreeNetBufferPool(PoolHandle)", module: "ndis", irql: .dispatch) { (kernel, pool: GuestWord) in
      if kernel.unregister(Kernel.singleBufferPool, pool.bits) { kernel.free(pool.bits) }
    },
    // nf-ndis-ndisallocatenetbuffer: null for what is no pool, and where memory is used up.
    export("NdisAllocateNetBuffer(PoolHandle, MdlChain, DataOffset, DataLength)", module: "ndis", irql: .dispatch) {
      (kernel, pool: GuestWord, chain: Pointer<MDL>, offset: UInt32, length: UInt32) -> GuestWord in
      guard kernel.isPool(Kernel.singleBufferPool, pool.bits) else { return 0 }
      let buffer = try kernel.netBuffer(pool.bits, chain, offset, length)
      return GuestWord(buffer?.address ?? 0)
    },
    // nf-nblapi-ndisallocatenetbuffermdlanddata: as much data as the pool was made for.
    export("NdisAllocateNetBufferMdlAndData(PoolHandle)", module: "ndis", irql: .dispatch) {
      (kernel, pool: GuestWord) async throws -> GuestWord in
      guard kernel.isPool(Kernel.singleBufferPool, pool.bits), case let size = try kernel.words(pool.bits)[0], 1...0x10_0000 ~= size,
        let data = try kernel.nonPagedPool.allocate(size, tag: Kernel.ownTag, in: kernel.memory)
      else { return 0 }
      let mdl = try kernel.allocateMDL(data, size, isSecondary: false, Pointer(0, in: kernel.memory.memory))
      guard !mdl.isNull else { return 0 }
      try await kernel.nt("MmBuildMdlForNonPagedPool", mdl.address)
      guard let buffer = try kernel.netBuffer(pool.bits, mdl, 0, 0) else { return 0 }
      try kernel.words(buffer.address).set(Kernel.ownData, data)
      return GuestWord(buffer.address)
    },
    export("NdisFreeNetBuffer(NetBuffer)", module: "ndis", irql: .dispatch) {
      (kernel, buffer: Pointer<NET_BUFFER>) async throws in
      if case let data = try kernel.words(buffer.address)[Kernel.ownData], data != 0 {
        try await kernel.nt("IoFreeMdl", buffer.MdlChain.load().address)
        kernel.free(data)
      }
      try kernel.freePool(buffer.address)
    },
    // nf-ndis-ndisallocatenetbufferlist: the context's size is a multiple of MEMORY_ALLOCATION_ALIGNMENT.
    export("NdisAllocateNetBufferList(PoolHandle, ContextSize, ContextBackFill)", module: "ndis", irql: .dispatch) {
      (kernel, pool: GuestWord, size: UInt16, backFill: UInt16) -> GuestWord in
      GuestWord(try kernel.netBufferList(pool.bits, size, backFill)?.address ?? 0)
    },
    // nf-ndis-ndisallocatenetbufferandnetbufferlist
    export(
      "NdisAllocateNetBufferAndNetBufferList(PoolHandle, ContextSize, ContextBackFill, MdlChain, DataOffset, DataLength)", module: "ndis",
      irql: .dispatch
    ) {
      (
        kernel, pool: GuestWord, size: UInt16, backFill: UInt16, chain: Pointer<MDL>, offset: UInt32, length: UInt32
      ) -> GuestWord in
      guard let list = try kernel.netBufferList(pool.bits, size, backFill) else { return 0 }
      guard let buffer = try kernel.netBuffer(pool.bits, chain, offset, length) else {
        try kernel.freeNetBufferList(list)
        return 0
      }
      try list.FirstNetBuffer.store(buffer)
      try kernel.words(list.address).set(Kernel.ownBuffer, buffer.address)
      return GuestWord(list.address)
    },
    // nf-ndis-ndisfreenetbufferlist: with the buffer that was allocated with it, and no other.
    export("NdisFreeNetBufferList(NetBufferList)", module: "ndis", irql: .dispatch) { (kernel, list: Pointer<NET_BUFFER_LIST>) in
      try kernel.freeNetBufferList(list)
    },
    // nf-ndis-ndisallocatenetbufferlistcontext: more of the context that there is, or another in front of it.
    export("NdisAllocateNetBufferListContext(NetBufferList, ContextSize, ContextBackFill, PoolTag)", module: "ndis", irql: .dispatch) {
      (kernel, list: Pointer<NET_BUFFER_LIST>, size: UInt16, backFill: UInt16, tag: UInt32) -> NTSTATUS in
      guard size % 8 == 0, backFill % 8 == 0 else { return .invalidParameter }
      return try kernel.addContext(to: list, size, backFill) ? .success : .insufficientResources
    },
    // nf-ndis-ndisfreenetbufferlistcontext
    export("NdisFreeNetBufferListContext(NetBufferList, ContextSize)", module: "ndis", irql: .dispatch) {
      (kernel, list: Pointer<NET_BUFFER_LIST>, size: UInt16) in
      let context = try list.Context.load().address
      guard context != 0 else { return }
      let block = kernel.words(context)
      let (offset, whole) = (try block.half(NetBufferContext.offset) &+ size, try block.half(NetBufferContext.size))
      try kernel.memory.memory.store(min(offset, whole), at: context + NetBufferContext.offset)
      guard offset >= whole else { return }
      try list.Context.store(Pointer(block[NetBufferContext.next], in: kernel.memory.memory))
      try kernel.freePool(context)
    },
    export("NdisGetPoolFromNetBufferList(NetBufferList)", module: "ndis", irql: .dispatch) {
      (_, list: Pointer<NET_BUFFER_LIST>) -> Pointer<Void> in try list.NdisPoolHandle.load()
    },
    export("NdisGetPoolFromNetBuffer(NetBuffer)", module: "ndis", irql: .dispatch) {
      (_, buffer: Pointer<NET_BUFFER>) -> Pointer<Void> in try buffer.NdisPoolHandle.load()
    },
    // nf-ndis-ndisallocateclonenetbufferlist: the clone describes the same data.
    export(
      "NdisAllocateCloneNetBufferList(OriginalNetBufferList, NetBufferListPoolHandle, NetBufferPoolHandle, AllocateCloneFlags)",
      module: "ndis", irql: .dispatch
    ) {
      (
        kernel, original: Pointer<NET_BUFFER_LIST>, pool: GuestWord, bufferPool: GuestWord, flags: UInt32
      ) -> GuestWord in GuestWord(try kernel.clone(original, pool.bits)?.address ?? 0)
    }
    .partially("the clone's MDLs are the original's, as with NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS, whatever the flags"),
    export("NdisFreeCloneNetBufferList(CloneNetBufferList, FreeCloneFlags)", module: "ndis", irql: .dispatch) {
      (kernel, list: Pointer<NET_BUFFER_LIST>, flags: UInt32) in try kernel.freeClone(list)
    },
    // nf-fwpsk-fwpsallocateclonenetbufferlist0, nf-fwpsk-fwpsfreeclonenetbufferlist0
    export(
      "FwpsAllocateCloneNetBufferList0(originalNetBufferList, netBufferListPoolHandle, netBufferPoolHandle, allocateCloneFlags, netBufferList)",
      module: "fwpkclnt", irql: .dispatch
    ) {
      (
        kernel, original: Pointer<NET_BUFFER_LIST>, pool: GuestWord, bufferPool: GuestWord, flags: UInt32, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      guard let list = try kernel.clone(original, pool.bits) else { return .insufficientResources }
      try result.store(GuestWord(list.address))
      return .success
    }
    .partially("the clone's MDLs are the original's"),
    export("FwpsFreeCloneNetBufferList0(netBufferList, freeCloneFlags)", module: "fwpkclnt", irql: .dispatch) {
      (kernel, list: Pointer<NET_BUFFER_LIST>, flags: UInt32) in try kernel.freeClone(list)
    },
    // nf-ndis-ndiscopyfromnetbuffertonetbuffer: as many bytes as both have.
    export(
      "NdisCopyFromNetBufferToNetBuffer(Destination, DestinationOffset, BytesToCopy, Source, SourceOffset, BytesCopied)", module: "ndis",
      irql: .dispatch
    ) {
      (
        kernel, target: Pointer<NET_BUFFER>, targetOffset: UInt32, count: UInt32, source: Pointer<NET_BUFFER>, sourceOffset: UInt32,
        result: Pointer<UInt32>
      ) -> NTSTATUS in
      let (from, to) = (try source.DataLength.load(), try target.DataLength.load())
      try result.store(0)
      guard sourceOffset <= min(from, 0x100_0000), targetOffset <= min(to, 0x100_0000) else { return .invalidParameter }
      let wanted = min(count, from - sourceOffset, to - targetOffset, 0x100_0000)
      let bytes = try kernel.pieces(of: source, sourceOffset + wanted).flatMap {
        try kernel.memory.memory.bytes(Int($0.count), at: $0.address)
      }
      guard bytes.count == Int(sourceOffset + wanted) else { return .insufficientResources }
      var (rest, passed) = (bytes.dropFirst(Int(sourceOffset)), UInt32(0))
      for piece in try kernel.pieces(of: target, targetOffset + wanted) {
        let skip = min(piece.count, targetOffset > passed ? targetOffset - passed : 0)
        let part = rest.prefix(Int(piece.count - skip))
        try kernel.memory.memory.write(Array(part), at: piece.address + UInt64(skip))
        rest = rest.dropFirst(part.count)
        passed += piece.count
      }
      try result.store(wanted)
      return .success
    },
    // nf-ndis-ndisadvancenetbufferlistdatastart: each buffer of the list.
    export("NdisAdvanceNetBufferListDataStart(NetBufferList, DataOffsetDelta, FreeMdl, FreeMdlHandler)", module: "ndis", irql: .dispatch) {
      (kernel, list: Pointer<NET_BUFFER_LIST>, delta: UInt32, frees: UInt8, routine: GuestWord) in
      for buffer in try kernel.buffers(of: list) {
        let delta = min(delta, try buffer.DataLength.load())
        try buffer.DataLength.store(buffer.DataLength.load() - delta)
        try kernel.moveStart(of: buffer, to: buffer.DataOffset.load() &+ delta)
      }
    }
    .partially("MDLs in front of the data stay"),
    // nf-ndis-ndisretreatnetbufferlistdatastart: all of them, or none.
    export(
      "NdisRetreatNetBufferListDataStart(NetBufferList, DataOffsetDelta, DataBackFill, AllocateMdlHandler, FreeMdlHandler)",
      module: "ndis", irql: .dispatch
    ) {
      (
        kernel, list: Pointer<NET_BUFFER_LIST>, delta: UInt32, backFill: UInt32, allocate: GuestWord, free: GuestWord
      ) -> NTSTATUS in
      let buffers = try kernel.buffers(of: list)
      guard try buffers.allSatisfy({ try $0.DataOffset.load() >= delta }) else { return .insufficientResources }
      for buffer in buffers {
        try buffer.DataLength.store(buffer.DataLength.load() &+ delta)
        try kernel.moveStart(of: buffer, to: buffer.DataOffset.load() - delta)
      }
      return .success
    }
    .partially("no MDL is put in front where there is no unused space"),
    // nf-ndis-ndisadjustnetbuffercurrentmdl
    export("NdisAdjustNetBufferCurrentMdl(NetBuffer)", module: "ndis", irql: .dispatch) { (kernel, buffer: Pointer<NET_BUFFER>) in
      try kernel.moveStart(of: buffer, to: buffer.DataOffset.load())
    },
    // nf-ndis-ndisquerynetbufferphysicalcount: how many pages the data lies in.
    export("NdisQueryNetBufferPhysicalCount(NetBuffer)", module: "ndis", irql: .dispatch) {
      (kernel, buffer: Pointer<NET_BUFFER>) -> UInt32 in
      try kernel.pieces(of: buffer, buffer.DataLength.load()).reduce(0) { count, piece in
        count + UInt32((piece.address & 0xfff + UInt64(piece.count) + 0xfff) >> 12)
      }
    },
    // nf-ndis-ndiscopysendnetbufferlistinfo, nf-ndis-ndiscopyreceivenetbufferlistinfo
    netBufferListInformation("NdisCopySendNetBufferListInfo(DestNetBufferList, SrcNetBufferList)"),
    netBufferListInformation("NdisCopyReceiveNetBufferListInfo(DestNetBufferList, SrcNetBufferList)"),
  ]

  private static func netBufferListInformation(_ prototype: String) -> Export {
    export(prototype, module: "ndis", irql: .dispatch) { (kernel, target: GuestWord, source: GuestWord) in
      // NetBufferListInfo, behind Status.
      try kernel.move(0x60, from: source.bits + 0x50, to: target.bits + 0x50)
    }
  }
}

extension Kernel {
  fileprivate static let singleBufferPool = "a pool of net buffers"
  /// In what NDIS reserves in a net buffer: the data that was allocated with it. In a list: the buffer that was.
  fileprivate static let (ownData, ownBuffer): (UInt64, UInt64) = (0x20, 0x14)
  private static let mostBuffers = 4096

  fileprivate func isPool(_ what: String, _ pool: UInt64) -> Bool { io.registrations.contains { $0.what == what && $0.key == pool } }

  fileprivate func netBuffer(_ pool: UInt64, _ chain: Pointer<MDL>, _ offset: UInt32, _ length: UInt32) throws -> Pointer<NET_BUFFER>? {
    let here = memory.memory
    let size = Pointer<NET_BUFFER>.size(in: here)
    // "NDnb"
    guard let block = try nonPagedPool.allocate(UInt64(size), tag: 0x626e_444e, in: memory) else { return nil }
    try here.fill(0, count: size, at: block)
    let buffer = Pointer<NET_BUFFER>(block, in: here)
    try buffer.MdlChain.store(chain)
    try buffer.DataLength.store(length)
    try buffer.NdisPoolHandle.store(Pointer(pool, in: here))
    try moveStart(of: buffer, to: offset)
    return buffer
  }

  fileprivate func netBufferList(_ pool: UInt64, _ contextSize: UInt16, _ backFill: UInt16) throws -> Pointer<NET_BUFFER_LIST>? {
    let here = memory.memory
    let size = Pointer<NET_BUFFER_LIST>.size(in: here)
    // "NDnl"
    guard isPool(Self.netBufferPool, pool), contextSize % 8 == 0, backFill % 8 == 0,
      let block = try nonPagedPool.allocate(UInt64(size), tag: 0x6c6e_444e, in: memory)
    else { return nil }
    try here.fill(0, count: size, at: block)
    let list = Pointer<NET_BUFFER_LIST>(block, in: here)
    try list.NdisPoolHandle.store(Pointer(pool, in: here))
    if contextSize > 0, try !addContext(to: list, contextSize, backFill) {
      try freePool(block)
      return nil
    }
    return list
  }

  /// NET_BUFFER_LIST_CONTEXT_DATA_START is the data at the offset, which grows downwards.
  fileprivate func addContext(to list: Pointer<NET_BUFFER_LIST>, _ size: UInt16, _ backFill: UInt16) throws -> Bool {
    let (here, known) = (memory.memory, try list.Context.load())
    if !known.isNull, case let offset = try words(known.address).half(NetBufferContext.offset), offset >= size {
      try here.store(offset - size, at: known.address + NetBufferContext.offset)
      return true
    }
    let whole = UInt32(size) + UInt32(backFill)
    guard whole <= 0xffff,
      let block = try nonPagedPool.allocate(NetBufferContext.data + UInt64(whole), tag: 0x636e_444e, in: memory)
    else { return false }
    try here.fill(0, count: Int(NetBufferContext.data) + Int(whole), at: block)
    try words(block).set(NetBufferContext.next, known.address)
    try here.store(UInt16(whole), at: block + NetBufferContext.size)
    try here.store(backFill, at: block + NetBufferContext.offset)
    try list.Context.store(Pointer(block, in: here))
    return true
  }

  fileprivate func freeNetBufferList(_ list: Pointer<NET_BUFFER_LIST>) throws {
    if case let own = try words(list.address)[Self.ownBuffer], own != 0 { try freePool(own) }
    var (context, count) = (try list.Context.load().address, 0)
    while context != 0, count < Self.mostBuffers, nonPagedPool.blocks[context] != nil {
      let next = try words(context)[NetBufferContext.next]
      try freePool(context)
      (context, count) = (next, count + 1)
    }
    try freePool(list.address)
  }

  fileprivate func buffers(of list: Pointer<NET_BUFFER_LIST>) throws -> [Pointer<NET_BUFFER>] {
    var (buffers, next): ([Pointer<NET_BUFFER>], Pointer<NET_BUFFER>) = ([], try list.FirstNetBuffer.load())
    while !next.isNull, buffers.count < Self.mostBuffers {
      buffers.append(next)
      next = try next.Next.load()
    }
    return buffers
  }

  /// A null pool is NDIS's own.
  fileprivate func clone(_ original: Pointer<NET_BUFFER_LIST>, _ pool: UInt64) throws -> Pointer<NET_BUFFER_LIST>? {
    let here = memory.memory
    let size = Pointer<NET_BUFFER_LIST>.size(in: here)
    guard pool == 0 || isPool(Self.netBufferPool, pool),
      let block = try nonPagedPool.allocate(UInt64(size), tag: 0x6c6e_444e, in: memory)
    else { return nil }
    try here.fill(0, count: size, at: block)
    let list = Pointer<NET_BUFFER_LIST>(block, in: here)
    try list.ParentNetBufferList.store(original)
    try list.NdisPoolHandle.store(Pointer(pool, in: here))
    var last: Pointer<NET_BUFFER>?
    for buffer in try buffers(of: original) {
      guard let copy = try netBuffer(0, buffer.MdlChain.load(), buffer.DataOffset.load(), buffer.DataLength.load()) else { break }
      if let last { try last.Next.store(copy) } else { try list.FirstNetBuffer.store(copy) }
      last = copy
    }
    return list
  }

  fileprivate func freeClone(_ list: Pointer<NET_BUFFER_LIST>) throws {
    for buffer in try buffers(of: list) { try freePool(buffer.address) }
    try list.FirstNetBuffer.store(Pointer(0, in: memory.memory))
    try freeNetBufferList(list)
  }
}
