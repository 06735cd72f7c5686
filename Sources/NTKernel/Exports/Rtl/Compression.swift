import Guest
import WindowsTypes

extension Export {
  /// LZNT1, the compression of NTFS.
  static let compression: [Export] = [
    // nf-ntifs-rtlgetcompressionworkspacesize
    export("RtlGetCompressionWorkSpaceSize(CompressionFormatAndEngine, CompressBufferWorkSpaceSize, CompressFragmentWorkSpaceSize)") {
      (_, format: UInt16, buffer: Pointer<UInt32>, fragment: Pointer<UInt32>) -> NTSTATUS in
      if let refusal = LZNT1.refusal(of: format) { return refusal }
      guard let size = [0: 0x8010, 0x100: 0x10][Int(format) & 0xff00] else { return .notSupported }
      try buffer.store(UInt32(size))
      try fragment.store(0x1000)
      return .success
    }
    .uncertain("the sizes are not documented: those of XP's standard engine are known, that of its maximum engine is taken to be small"),
    // nf-ntifs-rtlcompressbuffer: chunk by chunk; all zeros are told.
    export(
      "RtlCompressBuffer(CompressionFormatAndEngine, UncompressedBuffer, UncompressedBufferSize, CompressedBuffer, CompressedBufferSize, UncompressedChunkSize, FinalCompressedSize, WorkSpace)",
      irql: .apc
    ) {
      (
        _, format: UInt16, source: Pointer<UInt8>, sourceSize: UInt32, target: Pointer<UInt8>, room: UInt32, chunk: UInt32,
        written: Pointer<UInt32>, space: GuestWord
      ) -> NTSTATUS in
      if let refusal = LZNT1.refusal(of: format) { return refusal }
      guard [0, 0x100].contains(format & 0xff00) else { return .notSupported }
      var (place, end) = (0, UInt64(0))
      var isZero = true
      while place < Int(sourceSize) {
        let bytes = try source[place].array(count: min(LZNT1.chunkSize, Int(sourceSize) - place))
        isZero = isZero && bytes.allSatisfy { $0 == 0 }
        let packed = LZNT1.compress(bytes)
        guard end + UInt64(packed.count) <= UInt64(room) else { return .bufferTooSmall }
        try target.memory.write(packed, at: target.address &+ end)
        (place, end) = (place + bytes.count, end + UInt64(packed.count))
      }
      // A header of zero ends what does not fill its buffer.
      if end + 2 <= UInt64(room) { try target.memory.write([0, 0], at: target.address &+ end) }
      try written.store(UInt32(end))
      return isZero ? .bufferAllZeros : .success
    }
    .uncertain("which of several encodings of the same bytes is written; the maximum engine finds no more than the standard one"),
    // nf-ntifs-rtldecompressbuffer
    export(
      "RtlDecompressBuffer(CompressionFormat, UncompressedBuffer, UncompressedBufferSize, CompressedBuffer, CompressedBufferSize, FinalUncompressedSize)",
      irql: .apc
    ) {
      (
        _, format: UInt16, target: Pointer<UInt8>, room: UInt32, source: Pointer<UInt8>, size: UInt32, written: Pointer<UInt32>
      ) -> NTSTATUS in
      if let refusal = LZNT1.refusal(of: format) { return refusal }
      return try LZNT1.decompress(source, size, from: 0, to: target, room, written)
    },
    // nf-ntifs-rtldecompressfragment: what lies from an offset of the uncompressed data on.
    export(
      "RtlDecompressFragment(CompressionFormat, UncompressedFragment, UncompressedFragmentSize, CompressedBuffer, CompressedBufferSize, FragmentOffset, FinalUncompressedSize, WorkSpace)",
      irql: .apc
    ) {
      (
        _, format: UInt16, target: Pointer<UInt8>, room: UInt32, source: Pointer<UInt8>, size: UInt32, offset: UInt32,
        written: Pointer<UInt32>, space: GuestWord
      ) -> NTSTATUS in
      if let refusal = LZNT1.refusal(of: format) { return refusal }
      return try LZNT1.decompress(source, size, from: offset, to: target, room, written)
    },
    // RtlDescribeChunk (ntifs.h): the next chunk, and where the one behind it begins.
    export("RtlDescribeChunk(CompressionFormat, CompressedBuffer, EndOfCompressedBufferPlus1, ChunkBuffer, ChunkSize)", irql: .apc) {
      (
        _, format: UInt16, place: Pointer<Pointer<UInt8>>, end: GuestWord, chunk: Pointer<GuestWord>, size: Pointer<UInt32>
      ) -> NTSTATUS in
      if let refusal = LZNT1.refusal(of: format) { return refusal }
      let start = try place.load()
      try chunk.store(GuestWord(start.address))
      try size.store(0)
      guard start.address + 2 <= end.bits, case let header = try start.cast(to: UInt16.self).load(), header != 0 else {
        return .noMoreEntries
      }
      let length = UInt64(header & 0xfff) + 3
      guard header & 0x7000 == 0x3000, start.address + length <= end.bits else { return LZNT1.badBuffer }
      // What is stored as it is begins behind the header.
      let isStored = header & 0x8000 == 0
      try chunk.store(GuestWord(start.address + (isStored ? 2 : 0)))
      try size.store(UInt32(isStored ? length - 2 : length))
      try place.store(Pointer(start.address + length, in: start.memory))
      return .success
    },
  ]
}

/// The format: chunks of 4096 bytes, each with a header of 16 bits (MS-XCA, section 2.5).
enum LZNT1 {
  static let chunkSize = 0x1000
  /// `STATUS_BAD_COMPRESSION_BUFFER`
  static let badBuffer = NTSTATUS(rawValue: 0xc000_0242)

  /// `COMPRESSION_FORMAT_NONE` 0 and `_DEFAULT` 1 name no format; beyond `_LZNT1` 2 there is none here.
  static func refusal(of format: UInt16) -> NTSTATUS? {
    switch format & 0xff {
    case 0, 1: .invalidParameter
    case 2: nil
    // STATUS_UNSUPPORTED_COMPRESSION
    default: NTSTATUS(rawValue: 0xc000_025f)
    }
  }

  /// How many bits of a phrase's token are its distance, where `position` bytes of the chunk precede it.
  private static func distanceBits(at position: Int) -> Int {
    position <= 16 ? 4 : Int.bitWidth - (position - 1).leadingZeroBitCount
  }

  /// A chunk with its header: tokens where they are shorter, else the bytes as they are.
  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    var tokens: [UInt8] = []
    var position = 0
    // Where each three bytes were seen last.
    var last: [UInt32: Int] = [:]
    func key(_ place: Int) -> UInt32? {
      guard place + 2 < bytes.count else { return nil }
      return UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16
    }
    while position < bytes.count && tokens.count < bytes.count {
      let flags = tokens.count
      tokens.append(0)
      for bit in 0..<8 where position < bytes.count {
        var step = 1
        if let here = key(position), let match = last[here] {
          let lengthBits = 16 - distanceBits(at: position)
          let longest = min((1 << lengthBits) + 2, bytes.count - position)
          while step < longest && bytes[match + step] == bytes[position + step] { step += 1 }
          let token = UInt16(position - match - 1) << UInt16(lengthBits) | UInt16(step - 3)
          tokens += [UInt8(token & 0xff), UInt8(token >> 8)]
          tokens[flags] |= 1 << UInt8(bit)
        } else {
          tokens.append(bytes[position])
        }
        for place in position..<position + step { if let seen = key(place) { last[seen] = place } }
        position += step
      }
    }
    let isPacked = tokens.count < bytes.count
    let body = isPacked ? tokens : bytes
    let header = UInt16(body.count - 1) | (isPacked ? 0xb000 : 0x3000)
    return [UInt8(header & 0xff), UInt8(header >> 8)] + body
  }

  /// The bytes of a packed chunk; `nil` where a phrase leads outside of it.
  static func unpack(_ tokens: [UInt8]) -> [UInt8]? {
    var bytes: [UInt8] = []
    var place = 0
    while place < tokens.count {
      let flags = tokens[place]
      place += 1
      for bit in 0..<8 where place < tokens.count {
        guard flags >> UInt8(bit) & 1 != 0 else {
          bytes.append(tokens[place])
          place += 1
          continue
        }
        guard place + 1 < tokens.count else { return nil }
        let token = Int(tokens[place]) | Int(tokens[place + 1]) << 8
        place += 2
        let lengthBits = 16 - distanceBits(at: bytes.count)
        let (distance, length) = (token >> lengthBits + 1, token & ((1 << lengthBits) - 1) + 3)
        guard distance <= bytes.count, bytes.count + length <= chunkSize else { return nil }
        for _ in 0..<length { bytes.append(bytes[bytes.count - distance]) }
      }
      if bytes.count > chunkSize { return nil }
    }
    return bytes
  }

  /// - Parameter offset: of the first byte that is wanted. Every chunk but the last is a whole one: what a shorter one lacks is zeros.
  static func decompress(
    _ source: Pointer<UInt8>, _ size: UInt32, from offset: UInt32, to target: Pointer<UInt8>, _ room: UInt32, _ written: Pointer<UInt32>
  ) throws -> NTSTATUS {
    let memory = source.memory
    var place: UInt64 = 0
    var start: UInt64 = 0
    let (first, end) = (UInt64(offset), UInt64(offset) + UInt64(room))
    var reached = first
    while start < end, place + 2 <= UInt64(size) {
      let header = try memory.load(UInt16.self, at: source.address &+ place)
      if header == 0 { break }
      let length = Int(header & 0xfff) + 1
      guard header & 0x7000 == 0x3000, place + 2 + UInt64(length) <= UInt64(size) else { return badBuffer }
      var chunk = try memory.bytes(length, at: source.address &+ place &+ 2)
      if header & 0x8000 != 0 {
        guard let unpacked = unpack(chunk) else { return badBuffer }
        chunk = unpacked
      }
      place += UInt64(length) + 2
      // A chunk that another one follows fills its place.
      let hasNext = try place + 2 <= UInt64(size) && memory.load(UInt16.self, at: source.address &+ place) != 0
      if hasNext { chunk += Array(repeating: 0, count: max(0, chunkSize - chunk.count)) }
      let (from, to) = (max(start, first), min(start + UInt64(chunk.count), end))
      if from < to {
        try memory.write(chunk[Int(from - start)..<Int(to - start)], at: target.address &+ (from - first))
        reached = to
      }
      start += UInt64(chunkSize)
    }
    try written.store(UInt32(reached - first))
    return .success
  }
}
