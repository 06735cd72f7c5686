import Events
import Guest
import WindowsTypes

/// `NDIS_PACKET` (ndis.h): the chain of buffers in front, what protocol and miniport have in it, then out-of-band data.
private enum Packet {
  static let (head, tail, pool, count): (UInt64, UInt64, UInt64, UInt64) = (0x8, 0xc, 0x10, 0x14)
  static let (countsAreValid, flags, outOfBand, reserved): (UInt64, UInt64, UInt64, UInt64) = (0x1c, 0x1d, 0x1e, 0x38)
  /// `NDIS_PACKET_OOB_DATA` and `NDIS_PACKET_EXTENSION`.
  static let behind: UInt64 = 0x20 + 0x30
}

/// A pool of packets or of buffers: a mark, how many there may be, how many there are, and the bytes that protocols have in each.
private enum PacketPool {
  static let packets: UInt64 = 0x4b50_444e
  static let buffers: UInt64 = 0x4642_444e
}

extension Export {
  /// Packets of NDIS 5 and their buffers, which are MDLs.
  static let ndisPackets: [Export] =
    [
      // nf-ndis-ndisallocatepacketpool
      export("NdisAllocatePacketPool(Status, PoolHandle, NumberOfDescriptors, ProtocolReservedLength)", module: "ndis", irql: .dispatch) {
        (kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, count: UInt32, reserved: UInt32) in
        try kernel.makePacketPool(status, result, UInt64(count), reserved)
      },
      // nf-ndis-ndisallocatepacketpoolex
      export(
        "NdisAllocatePacketPoolEx(Status, PoolHandle, NumberOfDescriptors, NumberOfOverflowDescriptors, ProtocolReservedLength)",
        module: "ndis", irql: .dispatch
      ) {
        (kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, count: UInt32, overflow: UInt32, reserved: UInt32) in
        try kernel.makePacketPool(status, result, UInt64(count) + UInt64(overflow), reserved)
      },
      // nf-ndis-ndisfreepacketpool
      export("NdisFreePacketPool(PoolHandle)", module: "ndis", irql: .dispatch) { (kernel, pool: GuestWord) in
        if kernel.unregister(Kernel.packetPool, pool.bits) { kernel.free(pool.bits) }
      },
      // nf-ndis-ndispacketpoolusage: how many packets are allocated.
      export("NdisPacketPoolUsage(PoolHandle)", module: "ndis", irql: .dispatch) { (kernel, pool: GuestWord) -> UInt32 in
        UInt32(try kernel.words(pool.bits)[8])
      },
      // nf-ndis-ndisgetpoolfrompacket
      export("NdisGetPoolFromPacket(Packet)", module: "ndis", irql: .dispatch) { (kernel, packet: GuestWord) -> GuestWord in
        GuestWord(try kernel.words(packet.bits)[Packet.pool])
      },
      // nf-ndis-ndissetpacketpoolprotocolid: the protocol's identifier, which NDIS gives each packet of the pool in turn.
      export("NdisSetPacketPoolProtocolId(PacketPoolHandle, ProtocolId)", module: "ndis", irql: .dispatch) {
        (_, pool: GuestWord, identifier: UInt32) in
      }
      .partially("the packets do not carry the identifier"),
      // NdisPacketSize (ndis.h): a packet of so many bytes for protocols, with all that is behind it.
      export("NdisPacketSize(ProtocolReservedSize)", module: "ndis", irql: .dispatch) { (_, reserved: UInt32) -> UInt32 in
        UInt32(truncatingIfNeeded: (Packet.reserved + UInt64(reserved) + 7) & ~7 + Packet.behind)
      },
      // nf-ndis-ndisallocatebufferpool: MDLs come from nonpaged pool, and the handle is for form's sake.
      export("NdisAllocateBufferPool(Status, PoolHandle, NumberOfDescriptors)", module: "ndis", irql: .dispatch) {
        (kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, count: UInt32) in
        let pool = try kernel.allocate(0x10)
        try kernel.words(pool).set(0, PacketPool.buffers)
        kernel.register(Kernel.bufferPool, pool)
        try result.store(GuestWord(pool))
        try status.store(.success)
      },
      // nf-ndis-ndisfreebufferpool
      export("NdisFreeBufferPool(PoolHandle)", module: "ndis", irql: .dispatch) { (kernel, pool: GuestWord) in
        if kernel.unregister(Kernel.bufferPool, pool.bits) { kernel.free(pool.bits) }
      },
      // nf-ndis-ndisallocatebuffer: an MDL of nonpaged memory.
      export("NdisAllocateBuffer(Status, Buffer, PoolHandle, VirtualAddress, Length)", module: "ndis", irql: .dispatch) {
        (
          kernel, status: Pointer<NTSTATUS>, result: Pointer<Pointer<MDL>>, pool: GuestWord, address: GuestWord, length: UInt32
        ) async throws in
        let mdl = try kernel.allocateMDL(
          address.bits, UInt64(length), isSecondary: false, Pointer(0, in: kernel.memory.memory))
        try result.store(mdl)
        guard !mdl.isNull else { return try status.store(.insufficientResources) }
        try await kernel.nt("MmBuildMdlForNonPagedPool", mdl.address)
        try status.store(.success)
      },
      // nf-ndis-ndisallocatemdl
      export("NdisAllocateMdl(NdisHandle, VirtualAddress, Length)", module: "ndis", irql: .dispatch) {
        (kernel, handle: GuestWord, address: GuestWord, length: UInt32) async throws -> Pointer<MDL> in
        let mdl = try kernel.allocateMDL(
          address.bits, UInt64(length), isSecondary: false, Pointer(0, in: kernel.memory.memory))
        if !mdl.isNull { try await kernel.nt("MmBuildMdlForNonPagedPool", mdl.address) }
        return mdl
      },
      export("NdisFreeMdl(Mdl)", module: "ndis", irql: .dispatch) { (kernel, mdl: GuestWord) async throws in
        try await kernel.nt("IoFreeMdl", mdl.bits)
      },
      export("NdisFreeBuffer(Buffer)", module: "ndis", irql: .dispatch) { (kernel, mdl: GuestWord) async throws in
        try await kernel.nt("IoFreeMdl", mdl.bits)
      },
      // nf-ndis-ndiscopybuffer: a part of an MDL's pages.
      export("NdisCopyBuffer(Status, Buffer, PoolHandle, MemoryDescriptor, Offset, Length)", module: "ndis", irql: .dispatch) {
        (
          kernel, status: Pointer<NTSTATUS>, result: Pointer<Pointer<MDL>>, pool: GuestWord, source: Pointer<MDL>, offset: UInt32,
          length: UInt32
        ) async throws in
        guard try UInt64(offset) + UInt64(length) <= UInt64(source.ByteCount.load()) else { return try status.store(.ndisInvalidLength) }
        let address = try source.virtualAddress() + UInt64(offset)
        let mdl = try kernel.allocateMDL(address, UInt64(length), isSecondary: false, Pointer(0, in: kernel.memory.memory))
        try result.store(mdl)
        guard !mdl.isNull else { return try status.store(.insufficientResources) }
        try await kernel.nt("IoBuildPartialMdl", source.address, mdl.address, address, UInt64(length))
        try status.store(.success)
      },
      // nf-ndis-ndisquerybuffer: both results; the address is optional.
      export("NdisQueryBuffer(Buffer, VirtualAddress, Length)", module: "ndis", irql: .dispatch) {
        (kernel, mdl: Pointer<MDL>, address: Pointer<GuestWord>, length: Pointer<UInt32>) in
        if !address.isNull { try address.store(GuestWord(kernel.systemAddress(of: mdl) ?? 0)) }
        try length.store(mdl.ByteCount.load())
      },
      export("NdisQueryBufferSafe(Buffer, VirtualAddress, Length, Priority)", module: "ndis", irql: .dispatch) {
        (kernel, mdl: Pointer<MDL>, address: Pointer<GuestWord>, length: Pointer<UInt32>, priority: UInt32) in
        if !address.isNull { try address.store(GuestWord(kernel.systemAddress(of: mdl) ?? 0)) }
        try length.store(mdl.ByteCount.load())
      },
      export("NdisQueryBufferOffset(Buffer, Offset, Length)", module: "ndis", irql: .dispatch) {
        (_, mdl: Pointer<MDL>, offset: Pointer<UInt32>, length: Pointer<UInt32>) in
        try offset.store(mdl.ByteOffset.load())
        try length.store(mdl.ByteCount.load())
      },
      export("NdisBufferLength(Buffer)", module: "ndis", irql: .dispatch) { (_, mdl: Pointer<MDL>) -> UInt32 in
        try mdl.ByteCount.load()
      },
      export("NdisBufferVirtualAddress(Buffer)", module: "ndis", irql: .dispatch) { (kernel, mdl: Pointer<MDL>) -> GuestWord in
        GuestWord(try kernel.systemAddress(of: mdl) ?? 0)
      },
      export("NdisAdjustBufferLength(Buffer, Length)", module: "ndis", irql: .dispatch) { (_, mdl: Pointer<MDL>, length: UInt32) in
        try mdl.ByteCount.store(length)
      },
      export("NDIS_BUFFER_TO_SPAN_PAGES(Buffer)", module: "ndis", irql: .dispatch) { (_, mdl: Pointer<MDL>) -> UInt32 in
        UInt32(max(1, try mdl.pageCount()))
      },
      export("NdisGetBufferPhysicalArraySize(Buffer, ArraySize)", module: "ndis", irql: .dispatch) {
        (_, mdl: Pointer<MDL>, result: Pointer<UInt32>) in try result.store(UInt32(mdl.pageCount()))
      },
      // nf-ndis-ndisunchainbufferatfront, nf-ndis-ndisunchainbufferatback: null where the packet has none.
      export("NdisUnchainBufferAtFront(Packet, Buffer)", module: "ndis", irql: .dispatch) {
        (kernel, packet: GuestWord, result: Pointer<Pointer<MDL>>) in
        try result.store(kernel.unchain(packet.bits, atBack: false))
      },
      export("NdisUnchainBufferAtBack(Packet, Buffer)", module: "ndis", irql: .dispatch) {
        (kernel, packet: GuestWord, result: Pointer<Pointer<MDL>>) in
        try result.store(kernel.unchain(packet.bits, atBack: true))
      },
      firstBuffer("NdisGetFirstBufferFromPacket(Packet, FirstBuffer, FirstBufferVA, FirstBufferLength, TotalBufferLength)"),
      // nf-ndis-ndisgetfirstbufferfrompacketsafe
      export(
        "NdisGetFirstBufferFromPacketSafe(Packet, FirstBuffer, FirstBufferVA, FirstBufferLength, TotalBufferLength, Priority)",
        module: "ndis", irql: .dispatch
      ) {
        (
          kernel, packet: GuestWord, first: Pointer<Pointer<MDL>>, address: Pointer<GuestWord>, length: Pointer<UInt32>,
          total: Pointer<UInt32>, priority: UInt32
        ) in try kernel.firstBuffer(of: packet.bits, first, address, length, total)
      },
      // nf-ndis-ndiscopyfrompackettopacket
      export(
        "NdisCopyFromPacketToPacket(Destination, DestinationOffset, BytesToCopy, Source, SourceOffset, BytesCopied)", module: "ndis",
        irql: .dispatch
      ) {
        (
          kernel, target: GuestWord, targetOffset: UInt32, count: UInt32, source: GuestWord, sourceOffset: UInt32, copied: Pointer<UInt32>
        ) in
        let here = kernel.memory.memory
        func pieces(_ packet: UInt64, _ offset: UInt32) throws -> [(address: UInt64, length: UInt64)] {
          try kernel.pieces(of: Pointer(kernel.words(packet)[Packet.head], in: here), from: UInt64(offset))
        }
        var (from, to) = (try pieces(source.bits, sourceOffset)[...], try pieces(target.bits, targetOffset)[...])
        var done: UInt64 = 0
        while done < UInt64(count), let a = from.first, let b = to.first {
          let length = min(a.length, b.length, UInt64(count) - done)
          try kernel.move(length, from: a.address, to: b.address)
          done += length
          if a.length == length { from.removeFirst() } else { from[from.startIndex] = (a.address + length, a.length - length) }
          if b.length == length { to.removeFirst() } else { to[to.startIndex] = (b.address + length, b.length - length) }
        }
        try copied.store(UInt32(done))
      },
      // nf-ndis-ndisreturnpackets: no miniport has indicated any.
      export("NdisReturnPackets(PacketsToReturn, NumberOfPackets)", module: "ndis", irql: .dispatch) {
        (_, packets: GuestWord, count: UInt32) in
      },
    ]
    + ["NdisAllocatePacket", "NdisDprAllocatePacket", "NdisDprAllocatePacketNonInterlocked"].map { name in
      // nf-ndis-ndisallocatepacket: NDIS_STATUS_RESOURCES where the pool has no more.
      export("\(name)(Status, Packet, PoolHandle)", module: "ndis", irql: .dispatch) {
        (kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, pool: GuestWord) in
        let packet = try kernel.makePacket(pool.bits)
        try result.store(GuestWord(packet))
        try status.store(packet == 0 ? .insufficientResources : .success)
      }
    }
    + ["NdisFreePacket", "NdisDprFreePacket", "NdisDprFreePacketNonInterlocked"].map { name in
      // nf-ndis-ndisfreepacket
      export("\(name)(Packet)", module: "ndis", irql: .dispatch) { (kernel, packet: GuestWord) in
        let pool = try kernel.words(packet.bits)[Packet.pool]
        try kernel.freePool(packet.bits)
        guard kernel.isPacketPool(pool), case let used = try kernel.words(pool)[8], used > 0 else { return }
        try kernel.words(pool).set(8, used - 1)
      }
    }

  private static func firstBuffer(_ prototype: String) -> Export {
    // nf-ndis-ndisgetfirstbufferfrompacket
    export(prototype, module: "ndis", irql: .dispatch) {
      (
        kernel, packet: GuestWord, first: Pointer<Pointer<MDL>>, address: Pointer<GuestWord>, length: Pointer<UInt32>,
        total: Pointer<UInt32>
      ) in try kernel.firstBuffer(of: packet.bits, first, address, length, total)
    }
  }
}

extension Kernel {
  fileprivate static let packetPool = "a pool of NDIS packets"
  fileprivate static let bufferPool = "a pool of NDIS buffers"

  fileprivate func makePacketPool(
    _ status: Pointer<NTSTATUS>, _ result: Pointer<GuestWord>, _ count: UInt64, _ reserved: UInt32
  ) throws {
    // A pool has no more than 65535 descriptors.
    guard count > 0, reserved < 0x1_0000 - 0x100 else { return try status.store(.insufficientResources) }
    let pool = try allocate(0x10)
    try words(pool).set([0: PacketPool.packets, 4: min(count, 0xffff), 0xc: UInt64(reserved)])
    register(Self.packetPool, pool)
    try result.store(GuestWord(pool))
    try status.store(.success)
  }

  fileprivate func isPacketPool(_ pool: UInt64) -> Bool {
    io.registrations.contains { $0.what == Self.packetPool && $0.key == pool }
  }

  /// A zeroed packet; 0 where the pool has no more.
  fileprivate func makePacket(_ pool: UInt64) throws -> UInt64 {
    guard isPacketPool(pool), case let data = words(pool), try data[8] < data[4] else { return 0 }
    let offset = (Packet.reserved + (try data[0xc]) + 7) & ~7
    // "NDpp"
    guard let packet = try nonPagedPool.allocate(offset + Packet.behind, tag: 0x7070_444e, in: memory) else { return 0 }
    try memory.memory.fill(0, count: Int(offset + Packet.behind), at: packet)
    try data.set(8, data[8] + 1)
    try words(packet).set(Packet.pool, pool)
    // fPACKET_ALLOCATED_BY_NDIS
    try words(packet).set(byte: 0x80, at: Packet.flags)
    try memory.memory.store(UInt16(truncatingIfNeeded: offset), at: packet + Packet.outOfBand)
    return packet
  }

  fileprivate func unchain(_ packet: UInt64, atBack: Bool) throws -> Pointer<MDL> {
    let (data, here) = (words(packet), memory.memory)
    let head = Pointer<MDL>(try data[Packet.head], in: here)
    guard !head.isNull else { return head }
    try data.set(byte: 0, at: Packet.countsAreValid)
    var (previous, last) = (Pointer<MDL>(0, in: here), head)
    var count = 0
    while atBack, count < 0x1_0000, case let next = try last.Next.load(), !next.isNull {
      (previous, last) = (last, next)
      count += 1
    }
    if !atBack {
      try data.set(Packet.head, head.Next.load().address)
      try head.Next.store(Pointer(0, in: here))
    } else if previous.isNull {
      try data.set(Packet.head, 0)
    } else {
      try previous.Next.store(Pointer(0, in: here))
      try data.set(Packet.tail, previous.address)
    }
    return atBack ? last : head
  }

  fileprivate func firstBuffer(
    of packet: UInt64, _ first: Pointer<Pointer<MDL>>, _ address: Pointer<GuestWord>, _ length: Pointer<UInt32>, _ total: Pointer<UInt32>
  ) throws {
    let head = Pointer<MDL>(try words(packet)[Packet.head], in: memory.memory)
    try first.store(head)
    try address.store(GuestWord(head.isNull ? 0 : systemAddress(of: head) ?? 0))
    try length.store(head.isNull ? 0 : head.ByteCount.load())
    var (sum, mdl, count): (UInt32, Pointer<MDL>, Int) = (0, head, 0)
    while !mdl.isNull, count < 0x1_0000 {
      sum &+= try mdl.ByteCount.load()
      mdl = try mdl.Next.load()
      count += 1
    }
    try total.store(sum)
  }
}
