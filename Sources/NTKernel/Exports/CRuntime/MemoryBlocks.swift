import Guest
import WindowsTypes

extension Export {
  /// The C runtime's routines on blocks of bytes.
  static let memoryBlocks: [Export] = [
    // reference/memcpy-wmemcpy
    export("memcpy(dest, src, count)", .cdecl) {
      (kernel, target: Pointer<UInt8>, source: Pointer<UInt8>, count: GuestWord) -> Pointer<UInt8> in
      try kernel.move(count.bits, from: source.address, to: target.address)
      return target
    },
    // reference/memmove-wmemmove
    export("memmove(dest, src, count)", .cdecl) {
      (kernel, target: Pointer<UInt8>, source: Pointer<UInt8>, count: GuestWord) -> Pointer<UInt8> in
      try kernel.move(count.bits, from: source.address, to: target.address)
      return target
    },
    // reference/memset-wmemset
    export("memset(dest, c, count)", .cdecl) {
      (kernel, target: Pointer<UInt8>, value: UInt32, count: GuestWord) -> Pointer<UInt8> in
      try kernel.memory.memory.fill(UInt8(truncatingIfNeeded: value), count: Int(count.bits), at: target.address)
      return target
    },
    // reference/memcmp-wmemcmp
    export("memcmp(buffer1, buffer2, count)", .cdecl) {
      (_, first: Pointer<UInt8>, second: Pointer<UInt8>, count: GuestWord) -> Int32 in
      for index in 0..<Int(count.bits) {
        let (a, b) = (try first[index].load(), try second[index].load())
        if a != b { return a < b ? -1 : 1 }
      }
      return 0
    },
    // reference/memchr-wmemchr
    export("memchr(buffer, c, count)", .cdecl) {
      (kernel, buffer: Pointer<UInt8>, value: UInt32, count: GuestWord) -> Pointer<UInt8> in
      for index in 0..<Int(count.bits) where try buffer[index].load() == UInt8(truncatingIfNeeded: value) { return buffer[index] }
      return Pointer(0, in: kernel.memory.memory)
    },
  ]

  /// The run-time library's, which take their arguments as Windows routines do.
  static let rtlMemory: [Export] = [
    // nf-wdm-rtlcomparememory: the count of bytes that are equal, up to the first that differ.
    export("RtlCompareMemory(Source1, Source2, Length)") {
      (_, first: Pointer<UInt8>, second: Pointer<UInt8>, length: GuestWord) -> GuestWord in
      for index in 0..<Int(length.bits) where try first[index].load() != second[index].load() { return GuestWord(UInt64(index)) }
      return length
    },
    // nf-ntifs-rtlcomparememoryulong: only whole, aligned words count.
    export("RtlCompareMemoryUlong(Source, Length, Pattern)") {
      (_, source: Pointer<UInt32>, length: GuestWord, pattern: UInt32) -> GuestWord in
      if source.address & 3 != 0 { return 0 }
      for index in 0..<Int(length.bits / 4) where try source[index].load() != pattern { return GuestWord(UInt64(index * 4)) }
      return GuestWord(length.bits & ~3)
    },
    // nf-wdm-rtlmovememory
    export("RtlMoveMemory(Destination, Source, Length)") { (kernel, target: GuestWord, source: GuestWord, length: GuestWord) in
      try kernel.move(length.bits, from: source.bits, to: target.bits)
    },
    // nf-wdm-rtlfillmemory
    export("RtlFillMemory(Destination, Length, Fill)") { (kernel, target: GuestWord, length: GuestWord, value: UInt32) in
      try kernel.memory.memory.fill(UInt8(truncatingIfNeeded: value), count: Int(length.bits), at: target.bits)
    },
    // nf-ntifs-rtlfillmemoryulong: what is left of a length that is no multiple of four stays as it is.
    export("RtlFillMemoryUlong(Destination, Length, Pattern)") {
      (_, target: Pointer<UInt32>, length: GuestWord, pattern: UInt32) in
      for index in 0..<Int(length.bits / 4) { try target[index].store(pattern) }
    },
    // nf-wdm-rtlzeromemory
    export("RtlZeroMemory(Destination, Length)") { (kernel, target: GuestWord, length: GuestWord) in
      try kernel.memory.memory.fill(0, count: Int(length.bits), at: target.bits)
    },
    // nf-wdm-rtlprefetchmemorynontemporal: a hint.
    export("RtlPrefetchMemoryNonTemporal(Source, Length)", .fastcall) { (_, source: GuestWord, length: GuestWord) in },
  ]
}

extension Kernel {
  /// Copies `count` bytes, which may overlap.
  func move(_ count: UInt64, from source: UInt64, to target: UInt64) throws {
    let here = memory.memory
    // In pieces, so that a wild length meets the page fault that it meets on a machine.
    let piece: UInt64 = 1 << 16
    if target > source && target < source + count {
      var left = count
      while left > 0 {
        let size = min(piece, left)
        left -= size
        try here.write(here.bytes(Int(size), at: source + left), at: target + left)
      }
    } else {
      var done: UInt64 = 0
      while done < count {
        let size = min(piece, count - done)
        try here.write(here.bytes(Int(size), at: source + done), at: target + done)
        done += size
      }
    }
  }
}
