import Guest
import WindowsTypes

extension Export {
  /// Small calculations, and what is known of the system.
  static let smallServices: [Export] = [
    // RtlComputeCrc32 (ntrtl.h): the polynomial of Ethernet and ZIP, begun where a former call left off.
    export("RtlComputeCrc32(PartialCrc, Buffer, Length)") { (_, start: UInt32, buffer: Pointer<UInt8>, length: UInt32) -> UInt32 in
      var value = ~start
      var place = 0
      while place < Int(length) {
        let count = min(0x1000, Int(length) - place)
        for byte in try buffer[place].array(count: count) {
          value ^= UInt32(byte)
          for _ in 0..<8 { value = value & 1 != 0 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
        }
        place += count
      }
      return ~value
    },
    // nf-wdm (no page): RtlFillMemoryUlong for patterns of eight bytes.
    export("RtlFillMemoryUlonglong(Destination, Length, Pattern)") { (_, target: Pointer<UInt64>, length: UInt32, pattern: UInt64) in
      for index in 0..<Int(length / 8) { try target[index].store(pattern) }
    },
    // nf-wdm-rtlnumberofsetbitsulongptr
    export("RtlNumberOfSetBitsUlongPtr(Target)") { (_, value: GuestWord) -> UInt32 in UInt32(value.bits.nonzeroBitCount) },
    // RtlEnlargedUnsignedDivide (ntrtl.h): the processor's own division, which raises where the quotient does not fit.
    export("RtlEnlargedUnsignedDivide(Dividend, Divisor, Remainder)") {
      (_, dividend: UInt64, divisor: UInt32, remainder: Pointer<UInt32>) -> UInt32 in
      guard divisor != 0 else { throw GuestException(.integerDivideByZero) }
      guard let quotient = UInt32(exactly: dividend / UInt64(divisor)) else { throw GuestException(.integerOverflow) }
      if !remainder.isNull { try remainder.store(UInt32(dividend % UInt64(divisor))) }
      return quotient
    },
    // nf-ntifs (no page): access masks.
    export("RtlAreAllAccessesGranted(GrantedAccess, DesiredAccess)") { (_, granted: UInt32, desired: UInt32) -> UInt8 in
      ~granted & desired == 0 ? 1 : 0
    },
    export("RtlAreAnyAccessesGranted(GrantedAccess, DesiredAccess)") { (_, granted: UInt32, desired: UInt32) -> UInt8 in
      granted & desired != 0 ? 1 : 0
    },
    // RtlGetNtGlobalFlags (ntrtl.h): NtGlobalFlag.
    export("RtlGetNtGlobalFlags()") { kernel -> UInt32 in
      guard let place = try kernel.address(ofVariable: "NtGlobalFlag", in: "nt") else { return 0 }
      return try kernel.memory.memory.load(UInt32.self, at: place)
    },
    // nf-wdm-rtlisntddiversionavailable: of NTDDI_WIN7 and its like, without a service pack.
    export("RtlIsNtDdiVersionAvailable(Version)") { (kernel, version: UInt32) -> UInt8 in
      version & 0xffff == 0 && kernel.driverInterfaceVersion & 0xffff_0000 >= version ? 1 : 0
    },
    // nf-wdm-rtlisservicepackversioninstalled: of that very Windows.
    export("RtlIsServicePackVersionInstalled(Version)") { (kernel, version: UInt32) -> UInt8 in
      let own = kernel.driverInterfaceVersion
      return own >> 16 == version >> 16 && own >> 8 & 0xff >= version >> 8 & 0xff ? 1 : 0
    },
    // nf-sysinfoapi-getproductinfo: PRODUCT_PROFESSIONAL, PRODUCT_UNDEFINED for what had no editions.
    export("RtlGetProductInfo(OSMajorVersion, OSMinorVersion, SpMajorVersion, SpMinorVersion, ReturnedProductType)", irql: .passive) {
      (_, major: UInt32, minor: UInt32, servicePack: UInt32, servicePackMinor: UInt32, result: Pointer<UInt32>) -> UInt8 in
      guard !result.isNull else { return 0 }
      try result.store(major < 6 ? 0 : 0x30)
      return major < 6 ? 0 : 1
    },
    // nf-ntddk-rtlgetenabledextendedfeatures: the processor has no XSAVE.
    export("RtlGetEnabledExtendedFeatures(FeatureMask)") { (_, mask: UInt64) -> UInt64 in 0 },
    // nf-ntifs-rtlimagedirectoryentrytodata (ntimage.h): where a directory's data lies; of a file that is not mapped as an image by sections.
    export("RtlImageDirectoryEntryToData(BaseAddress, MappedAsImage, DirectoryEntry, Size)") {
      (kernel, base: GuestWord, mapped: UInt8, entry: UInt16, size: Pointer<UInt32>) -> GuestWord in
      // The lowest bit says that the base is a data file's.
      let isMapped = mapped != 0 && base.bits & 1 == 0
      guard let found = try kernel.imageDirectory(Int(entry), at: base.bits & ~1, isMapped: isMapped) else { return 0 }
      try size.store(found.size)
      return GuestWord(found.address)
    },
  ]
}

extension Kernel {
  /// `NTDDI_VERSION` of the run's Windows with its service pack: 0x05010300.
  fileprivate var driverInterfaceVersion: UInt32 {
    let system = memory.target.system
    return system.major << 24 | system.minor << 16 | system.servicePackMajor << 8
  }

  /// A directory of an image, or of a file that lies in memory as it is on a disk; `nil` where it has none.
  fileprivate func imageDirectory(_ index: Int, at base: UInt64, isMapped: Bool) throws -> (address: UInt64, size: UInt32)? {
    let here = memory.memory
    guard try here.load(UInt16.self, at: base) == 0x5a4d else { return nil }
    let header = base &+ UInt64(try here.load(UInt32.self, at: base &+ 0x3c))
    guard try here.load(UInt32.self, at: header) == 0x4550 else { return nil }
    let isWide: Bool
    switch try here.load(UInt16.self, at: header &+ 0x18) {
    case 0x10b: isWide = false
    case 0x20b: isWide = true
    default: return nil
    }
    let directories = header &+ (isWide ? 0x88 : 0x78)
    guard index < Int(try here.load(UInt32.self, at: directories &- 4)) else { return nil }
    let place = directories &+ UInt64(8 * index)
    let (offset, size) = (try here.load(UInt32.self, at: place), try here.load(UInt32.self, at: place &+ 4))
    guard offset != 0 else { return nil }
    // SizeOfHeaders
    if try isMapped || offset < here.load(UInt32.self, at: header &+ 0x54) { return (base &+ UInt64(offset), size) }
    let sections = header &+ 0x18 &+ UInt64(try here.load(UInt16.self, at: header &+ 0x14))
    for number in 0..<UInt64(min(96, try here.load(UInt16.self, at: header &+ 6))) {
      let section = sections &+ 40 &* number
      let (start, length) = (try here.load(UInt32.self, at: section &+ 0xc), try here.load(UInt32.self, at: section &+ 0x10))
      if offset >= start, offset - start < length {
        return (base &+ UInt64(try here.load(UInt32.self, at: section &+ 0x14)) &+ UInt64(offset - start), size)
      }
    }
    return nil
  }
}
