import Guest
import Memory
import WindowsTypes

/// An executable file as an image section shows it: headers and sections at their own addresses (the PE/COFF specification).
final class ImageLayout {
  let base: UInt64
  let size: UInt64
  let entryPoint: UInt64
  let stackReserve: UInt32
  let stackCommit: UInt32
  let subsystem: UInt16
  let subsystemVersion: UInt32
  let characteristics: UInt16
  let machine: UInt16
  /// The pages where the image wants to be.
  let store: PageStore
  /// By page.
  private(set) var protections: [PageProtection]
  private let relocations: [UInt64]
  private let physical: PhysicalMemory
  /// Pages at other bases, with the relocations made.
  private var moved: [UInt64: PageStore] = [:]

  /// - Throws: STATUS_INVALID_IMAGE_NOT_MZ and its like, where the file is no 32-bit image.
  init(_ data: PageStore, fileSize: UInt64, in physical: PhysicalMemory) throws {
    func refuse(_ status: UInt32 = 0xc000_007b) -> Kernel.Refusal { Kernel.Refusal(NTSTATUS(rawValue: status)) }
    func word<Value: FixedWidthInteger>(_ offset: UInt64, _: Value.Type = Value.self) throws -> Value {
      guard offset <= fileSize, fileSize - offset >= UInt64(MemoryLayout<Value>.size) else { throw refuse() }
      return data.bytes(MemoryLayout<Value>.size, at: offset).reversed().reduce(0) { $0 << 8 | Value($1) }
    }
    // STATUS_INVALID_IMAGE_NOT_MZ
    guard fileSize >= 64, try word(0, UInt16.self) == 0x5a4d else { throw refuse(0xc000_012f) }
    let header = UInt64(try word(60, UInt32.self))
    // STATUS_INVALID_IMAGE_PROTECT: an MS-DOS program.
    guard header <= fileSize, try word(header, UInt32.self) == 0x4550 else { throw refuse(0xc000_0130) }
    machine = try word(header + 4)
    guard machine == 0x14c, try word(header + 24, UInt16.self) == 0x10b else { throw refuse() }
    let count = UInt64(try word(header + 6, UInt16.self))
    characteristics = try word(header + 22)
    let optional = header + 24
    base = UInt64(try word(optional + 28, UInt32.self))
    size = roundUp(UInt64(try word(optional + 56, UInt32.self)), GuestMemory.pageSize)
    let headers = UInt64(try word(optional + 60, UInt32.self))
    entryPoint = base + UInt64(try word(optional + 16, UInt32.self))
    subsystem = try word(optional + 68)
    subsystemVersion = UInt32(try word(optional + 48, UInt16.self)) << 16 | UInt32(try word(optional + 50, UInt16.self))
    stackReserve = try word(optional + 72)
    stackCommit = try word(optional + 76)
    guard size > 0, size <= 64 << 20, count <= 96, headers <= fileSize, headers <= size, base & 0xffff == 0 else { throw refuse() }
    let store = PageStore(in: physical)
    self.store = store
    self.physical = physical
    try store.write(data.bytes(Int(headers), at: 0), at: 0)
    var protections = Array(repeating: PageProtection.readOnly, count: Int(size >> GuestMemory.pageShift))
    let table = optional + UInt64(try word(header + 20, UInt16.self))
    for index in 0..<count {
      let entry = table + 40 * index
      let (virtualSize, address) = (UInt64(try word(entry + 8, UInt32.self)), UInt64(try word(entry + 12, UInt32.self)))
      let (rawSize, place) = (UInt64(try word(entry + 16, UInt32.self)), UInt64(try word(entry + 20, UInt32.self)))
      let flags: UInt32 = try word(entry + 36)
      let extent = max(virtualSize, virtualSize == 0 ? rawSize : 0)
      guard address < size, extent <= size - address, address & 0xfff == 0 else { throw refuse() }
      let copied = min(rawSize, roundUp(extent, GuestMemory.pageSize), place < fileSize ? fileSize - place : 0)
      if copied > 0 { try store.write(data.bytes(Int(copied), at: place), at: address) }
      // IMAGE_SCN_MEM_EXECUTE, IMAGE_SCN_MEM_WRITE: writers get copies.
      let isExecutable = flags & 0x2000_0000 != 0
      let kind = PageProtection(rawValue: flags & 0x8000_0000 != 0 ? (isExecutable ? 0x80 : 8) : isExecutable ? 0x20 : 2)
      for page in Int(address >> GuestMemory.pageShift)..<Int((address + roundUp(extent, GuestMemory.pageSize)) >> GuestMemory.pageShift)
      where page < protections.count { protections[page] = kind }
    }
    self.protections = protections
    relocations = try Self.relocations(
      store, size, UInt64(word(optional + 96 + 40, UInt32.self)), UInt64(word(optional + 96 + 44, UInt32.self)))
  }

  /// The places that hold addresses, from the image's start on: IMAGE_REL_BASED_HIGHLOW.
  private static func relocations(_ store: PageStore, _ size: UInt64, _ start: UInt64, _ length: UInt64) throws -> [UInt64] {
    guard start > 0, start < size, length <= size - start else { return [] }
    func word(_ offset: UInt64, _ count: Int) -> UInt64 { store.bytes(count, at: offset).reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    var (places, block): ([UInt64], UInt64) = ([], start)
    while block + 8 <= start + length {
      let (page, blockSize) = (word(block, 4), word(block + 4, 4))
      guard blockSize >= 8, blockSize <= start + length - block else { break }
      for offset in stride(from: block + 8, to: block + blockSize - 1, by: 2) {
        let entry = word(offset, 2)
        let place = page + (entry & 0xfff)
        if entry >> 12 == 3, place + 4 <= size { places.append(place) }
      }
      block += blockSize
    }
    return places
  }

  /// The pages for a view at `address`; `nil` where the image can only be at its own base.
  func pages(at address: UInt64) throws -> PageStore? {
    if address == base { return store }
    if let known = moved[address] { return known }
    // IMAGE_FILE_RELOCS_STRIPPED
    guard characteristics & 1 == 0 else { return nil }
    let copy = PageStore(in: physical)
    for page in store.residentPages {
      try copy.write(store.piece(4096, at: page << GuestMemory.pageShift), at: page << GuestMemory.pageShift)
    }
    let distance = UInt32(truncatingIfNeeded: address &- base)
    for place in relocations {
      let old = store.bytes(4, at: place).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      try copy.write(withUnsafeBytes(of: (old &+ distance).littleEndian) { Array($0) }, at: place)
    }
    moved[address] = copy
    return copy
  }
}
