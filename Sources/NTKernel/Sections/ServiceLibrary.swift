import Guest
import WindowsTypes

/// The bytes of an `ntdll.dll` that holds what drivers read of it: for every system service its two names, `NtClose` and `ZwClose`, and
/// behind them the instructions that user mode enters the kernel by, the first of which has the service's number. None of its bytes
/// is Windows'; its other routines are not there.
struct ServiceLibrary {
  private(set) var bytes: [UInt8] = []

  /// Where Windows XP SP3 has it.
  private static let base: UInt32 = 0x7c90_0000
  /// Of the one section, in memory and in the file.
  private static let (section, fileOffset): (UInt32, UInt32) = (0x1000, 0x400)

  init(_ target: Target) {
    let services = SystemServices.services(in: target)
    var stubs: [UInt8] = []
    var names: [(name: String, place: UInt32)] = []
    for (number, service) in services.enumerated() {
      let place = Self.section + UInt32(stubs.count)
      for prefix in ["Nt", "Zw"] { names.append((prefix + service.name, place)) }
      // mov eax,number; mov edx,7FFE0300h (KUSER_SHARED_DATA.SystemCall); call dword ptr [edx]; ret n; nop
      stubs += SystemServices.code(for: number) + [0xba, 0x00, 0x03, 0xfe, 0x7f, 0xff, 0x12]
      stubs += [0xc2, service.argumentCount &* 4, 0, 0x90]
    }
    names.sort { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
    let directory = Self.exportDirectory(names, at: Self.section + UInt32(stubs.count))
    let content = stubs + directory
    let (sizeInFile, sizeInMemory) = ((content.count + 0x1ff) & ~0x1ff, (content.count + 0xfff) & ~0xfff)
    put(Array("MZ".utf8) + [UInt8](repeating: 0, count: 0x3a))
    put([0x80] as [UInt32])
    pad(to: 0x80)
    put(Array("PE\0\0".utf8))
    // i386, one section; an executable DLL of 32 bits.
    put([0x14c, 1] as [UInt16])
    put([target.system.buildTimestamp, 0, 0] as [UInt32])
    put([0xe0, 0x210e, 0x10b, 0x000a] as [UInt16])
    put([UInt32(sizeInFile), 0, 0, 0, Self.section, 0, Self.base, 0x1000, 0x200] as [UInt32])
    let version = target.system.minor << 16 | target.system.major
    put([version, version, 0xa_0004, 0, Self.section + UInt32(sizeInMemory), Self.fileOffset, 0] as [UInt32])
    // IMAGE_SUBSYSTEM_WINDOWS_CUI
    put([3, 0] as [UInt16])
    put([0x4_0000, 0x1000, 0x10_0000, 0x1000, 0, 16] as [UInt32])
    put([Self.section + UInt32(stubs.count), UInt32(directory.count)] as [UInt32])
    put([UInt32](repeating: 0, count: 30))
    put(Array(".text\0\0\0".utf8))
    put([UInt32(content.count), Self.section, UInt32(sizeInFile), Self.fileOffset, 0, 0, 0, 0x6000_0020] as [UInt32])
    pad(to: Int(Self.fileOffset))
    put(content)
    pad(to: Int(Self.fileOffset) + sizeInFile)
  }

  /// `IMAGE_EXPORT_DIRECTORY`, its tables and its names (PE format, "The .edata Section").
  private static func exportDirectory(_ names: [(name: String, place: UInt32)], at start: UInt32) -> [UInt8] {
    var library = ServiceLibrary()
    let count = UInt32(names.count)
    let (functions, pointers, ordinals) = (start + 40, start + 40 + 4 * count, start + 40 + 8 * count)
    let firstText = ordinals + 2 * count
    var texts = Array("ntdll.dll".utf8) + [0]
    library.put([0, 0, 0, firstText, 1, count, count, functions, pointers, ordinals] as [UInt32])
    library.put(names.map(\.place))
    for (name, _) in names {
      library.put([firstText + UInt32(texts.count)] as [UInt32])
      texts += Array(name.utf8) + [0]
    }
    library.put((0..<names.count).map { UInt16(truncatingIfNeeded: $0) })
    return library.bytes + texts
  }

  private init() {}

  private mutating func put(_ more: [UInt8]) { bytes += more }
  private mutating func put(_ values: [UInt16]) { for value in values { bytes += [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] } }
  private mutating func put(_ values: [UInt32]) {
    for value in values { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
  }
  private mutating func pad(to size: Int) { bytes += [UInt8](repeating: 0, count: max(0, size - bytes.count)) }
}
