import Guest
import WindowsTypes

extension Export {
  /// Lengths of memory beyond 4 GB in resource descriptors.
  static let resourceLengths: [Export] = [
    // nf-wdm-rtlcmdecodememioresource
    export("RtlCmDecodeMemIoResource(Descriptor, Start)") { (_, descriptor: Pointer<UInt8>, start: Pointer<UInt64>) -> UInt64 in
      let memory = descriptor.memory
      if !start.isNull { try start.store(memory.load(UInt64.self, at: descriptor.address &+ 4)) }
      let length = UInt64(try memory.load(UInt32.self, at: descriptor.address &+ 0xc))
      return length << (try largeShift(descriptor.load(), memory.load(UInt16.self, at: descriptor.address &+ 2)))
    },
    // nf-wdm-rtlcmencodememioresource: for ports and memory.
    export("RtlCmEncodeMemIoResource(Descriptor, Type, Length, Start)") {
      (_, descriptor: Pointer<UInt8>, type: UInt8, length: UInt64, start: UInt64) -> NTSTATUS in
      guard let (type, flag, shift) = encoding(type, length, []) else { return .unsuccessful }
      let memory = descriptor.memory
      let flags = try memory.load(UInt16.self, at: descriptor.address &+ 2)
      try descriptor.store(type)
      try memory.store(flags & ~0xe00 | flag, at: descriptor.address &+ 2)
      try memory.store(start, at: descriptor.address &+ 4)
      try memory.store(UInt32(truncatingIfNeeded: length >> shift), at: descriptor.address &+ 0xc)
      return .success
    },
    // nf-wdm-rtliodecodememioresource
    export("RtlIoDecodeMemIoResource(Descriptor, Alignment, MinimumAddress, MaximumAddress)") {
      (
        _, descriptor: Pointer<UInt8>, alignment: Pointer<UInt64>, lowest: Pointer<UInt64>, highest: Pointer<UInt64>
      ) -> UInt64 in
      let (memory, place) = (descriptor.memory, descriptor.address)
      let shift = try largeShift(descriptor[1].load(), memory.load(UInt16.self, at: place &+ 4))
      if !alignment.isNull { try alignment.store(UInt64(memory.load(UInt32.self, at: place &+ 0xc)) << shift) }
      if !lowest.isNull { try lowest.store(memory.load(UInt64.self, at: place &+ 0x10)) }
      if !highest.isNull { try highest.store(memory.load(UInt64.self, at: place &+ 0x18)) }
      return UInt64(try memory.load(UInt32.self, at: place &+ 8)) << shift
    },
    // nf-wdm-rtlioencodememioresource
    export("RtlIoEncodeMemIoResource(Descriptor, Type, Length, Alignment, MinimumAddress, MaximumAddress)") {
      (_, descriptor: Pointer<UInt8>, type: UInt8, length: UInt64, alignment: UInt64, lowest: UInt64, highest: UInt64) -> NTSTATUS in
      guard let (type, flag, shift) = encoding(type, length, [alignment]) else { return .unsuccessful }
      let (memory, place) = (descriptor.memory, descriptor.address)
      let flags = try memory.load(UInt16.self, at: place &+ 4)
      try descriptor[1].store(type)
      try memory.store(flags & ~0xe00 | flag, at: place &+ 4)
      try memory.store(UInt32(truncatingIfNeeded: length >> shift), at: place &+ 8)
      try memory.store(UInt32(truncatingIfNeeded: alignment >> shift), at: place &+ 0xc)
      try memory.store(lowest, at: place &+ 0x10)
      try memory.store(highest, at: place &+ 0x18)
      return .success
    },
    // nf-wdm-rtlfindclosestencodablelength: the length itself, or the next that can be written.
    export("RtlFindClosestEncodableLength(SourceLength, TargetLength)") { (_, length: UInt64, result: Pointer<UInt64>) -> NTSTATUS in
      for (_, shift) in [(0, 0)] + largeFlags.map({ (Int($0.0), Int($0.1)) }) {
        let unit = UInt64(1) << UInt64(shift)
        let (sum, overflows) = length.addingReportingOverflow(unit - 1)
        guard !overflows, sum >> UInt64(shift) <= UInt64(UInt32.max) else { continue }
        try result.store(sum & ~(unit - 1))
        return .success
      }
      return .unsuccessful
    },
  ]

  /// `CM_RESOURCE_MEMORY_LARGE_40`, `_48` and `_64`, and by how much each shifts the length.
  private static let largeFlags: [(UInt16, UInt64)] = [(0x200, 8), (0x400, 16), (0x800, 32)]

  /// `CmResourceTypeMemoryLarge` is 7.
  private static func largeShift(_ type: UInt8, _ flags: UInt16) -> UInt64 {
    type == 7 ? largeFlags.first { flags & $0.0 != 0 }?.1 ?? 0 : 0
  }

  /// The type, flag and shift that show a length exactly; `CmResourceTypePort` is 1, `CmResourceTypeMemory` 3.
  private static func encoding(_ type: UInt8, _ length: UInt64, _ others: [UInt64]) -> (UInt8, UInt16, UInt64)? {
    guard [1, 3, 7].contains(type) else { return nil }
    if ([length] + others).allSatisfy({ $0 <= UInt64(UInt32.max) }) { return (type == 7 ? 3 : type, 0, 0) }
    guard type != 1 else { return nil }
    return largeFlags.first { _, shift in
      ([length] + others).allSatisfy { $0 & ((1 << shift) - 1) == 0 && $0 >> shift <= UInt64(UInt32.max) }
    }.map { (7, $0.0, $0.1) }
  }
}
