import Guest
import WindowsTypes

extension KernelVariable {
  /// What file systems' drivers import as data.
  static let fileSystems: [KernelVariable] = [
    // ntifs.h: a pointer to flags of the 128 characters: FSRTL_FAT_LEGAL 1, HPFS 2, NTFS 4, WILD_CHARACTER 8, OLE 0x10.
    variable("FsRtlLegalAnsiCharacterArray") { kernel in
      let place = try kernel.allocate(128)
      let table = (0..<128).map { FileNameCharacter.flags(UInt8($0)) }
      try kernel.memory.memory.write(table, at: place)
      return Pointer<UInt8>(place, in: kernel.memory.memory)
    }
  ]
}

/// What a character may be part of, by the macros `FsRtlIsAnsiCharacterLegalFat` and its like (`ntifs.h`).
enum FileNameCharacter {
  static func flags(_ byte: UInt8) -> UInt8 {
    let (legal, wild, stream): (UInt8, UInt8, UInt8) = (7, 8, 0x10)
    switch byte {
    case 0: return 0
    case 1..<0x20: return stream
    case _ where NameExpression.isWildCard(UInt16(byte)): return wild | stream
    // Separators, and the pipe.
    case UInt8(ascii: "\\"), UInt8(ascii: "/"): return 0
    case UInt8(ascii: ":"): return 4
    case UInt8(ascii: "|"): return stream
    // Long names alone.
    case UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "["), UInt8(ascii: "]"):
      return legal & ~1 | stream
    default: return legal | stream
    }
  }
}
