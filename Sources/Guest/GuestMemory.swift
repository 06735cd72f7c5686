/// The checked accessor of guest memory: the one way in which Swift code reads or writes what the guest sees.
///
/// It walks the page state as the processor does, so it meets the same faults: a page that does not allow the access goes to
/// the ``PageFaultResolver``, and is tried again or throws. The value is one pointer; copying it costs nothing.
///
/// Safety: `translation` and the tables in it are owned by the machine, which outlives every accessor it hands out. A host
/// pointer is formed only inside one page whose entry allows the access, and never leaves the call.
public struct GuestMemory: @unchecked Sendable {
  public let translation: UnsafeMutablePointer<Translation>
  @inlinable public init(_ translation: UnsafeMutablePointer<Translation>) { self.translation = translation }
  @inlinable public var target: Target { translation.pointee.target }

  public static let pageSize: UInt64 = 0x1000
  public static let pageShift: UInt64 = 12

  /// The entry of the page that holds `address`, or `nil` where no table reaches.
  @inlinable @inline(__always)
  public func entry(_ address: UInt64) -> PageEntry? {
    let translation = translation
    let kernel = address >= translation.pointee.kernel.base
    let base = kernel ? translation.pointee.kernel.base : translation.pointee.user.base
    let count = kernel ? translation.pointee.kernel.count : translation.pointee.user.count
    let page = (address &- base) >> Self.pageShift
    guard page < count else { return nil }
    let entries = kernel ? translation.pointee.kernel.entries : translation.pointee.user.entries
    return entries[Int(truncatingIfNeeded: page)]
  }

  /// The host bytes behind `count` bytes at `address`, if all are on one page that allows what `permission` names.
  @inlinable @inline(__always)
  func host(_ address: UInt64, _ count: Int, _ permission: UInt64) -> UnsafeMutableRawPointer? {
    let offset = address & (Self.pageSize - 1)
    translation.pointee.accessesLeft &-= 1
    guard translation.pointee.accessesLeft >= 0, offset &+ UInt64(truncatingIfNeeded: count) <= Self.pageSize, let entry = entry(address),
      entry.bits >> translation.pointee.permissionShift & permission != 0
    else { return nil }
    let place = UInt64(entry.frame) << Self.pageShift | offset
    return translation.pointee.physical + Int(truncatingIfNeeded: place)
  }

  @inlinable @inline(__always)
  public func load<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, at address: UInt64) throws -> T {
    guard let place = host(address, MemoryLayout<T>.size, PageEntry.readable) else {
      return try loadSlowly(T.self, at: address)
    }
    return place.loadUnaligned(as: T.self)
  }

  @inlinable @inline(__always)
  public func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at address: UInt64) throws {
    guard let place = host(address, MemoryLayout<T>.size, PageEntry.writable) else {
      return try storeSlowly(value, at: address)
    }
    place.storeBytes(of: value, as: T.self)
  }

  /// `count` bytes at `address`.
  public func bytes(_ count: Int, at address: UInt64) throws -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(Swift.min(count, 1 << 20))
    try forEachPiece(of: count, at: address, .read) { piece in result.append(contentsOf: piece) }
    return result
  }

  /// Writes `bytes` at `address`. A fault leaves what lies before it written, as a processor would.
  public func write(_ bytes: some Collection<UInt8>, at address: UInt64) throws {
    if try bytes.withContiguousStorageIfAvailable({ try write(UnsafeRawBufferPointer($0), at: address) }) != nil { return }
    var rest = bytes[...]
    try forEachPiece(of: bytes.count, at: address, .write) { piece in
      piece.copyBytes(from: rest.prefix(piece.count))
      rest = rest.dropFirst(piece.count)
    }
  }

  /// Writes `bytes` at `address`, as the other `write` does.
  public func write(_ bytes: UnsafeRawBufferPointer, at address: UInt64) throws {
    var offset = 0
    try forEachPiece(of: bytes.count, at: address, .write) { piece in
      piece.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + piece.count]))
      offset += piece.count
    }
  }

  /// Writes `count` bytes of `value` at `address`.
  public func fill(_ value: UInt8, count: Int, at address: UInt64) throws {
    try forEachPiece(of: count, at: address, .write) { piece in
      piece.initializeMemory(as: UInt8.self, repeating: value)
    }
  }

  /// Whether a read or write of `address` would succeed without the resolver. Asks, changes nothing.
  @inlinable public func allows(_ access: Access, at address: UInt64) -> Bool {
    guard let entry = entry(address) else { return false }
    return entry.bits >> translation.pointee.permissionShift & (access == .write ? PageEntry.writable : PageEntry.readable) != 0
  }

  /// Makes the byte at `address` accessible, through the resolver if need be, or throws.
  public func touch(_ access: Access, at address: UInt64) throws {
    _ = try piece(of: 1, at: address, access)
  }

  /// Up to the end of the page that holds `address`, after the resolver had its say.
  private func piece(of count: Int, at address: UInt64, _ access: Access) throws -> UnsafeMutableRawBufferPointer {
    let here = Swift.min(count, Int(Self.pageSize - address & (Self.pageSize - 1)))
    let permission = access == .write ? PageEntry.writable : PageEntry.readable
    // A resolver that repairs nothing would loop: the second miss at the same page is final.
    for _ in 0..<4 {
      if translation.pointee.accessesLeft <= 0 { throw AccessLimit() }
      if let place = host(address, here, permission) { return UnsafeMutableRawBufferPointer(start: place, count: here) }
      guard let resolver = translation.pointee.resolver else { break }
      try resolver.resolve(access, at: address)
    }
    throw GuestFault(access, at: address)
  }

  private func forEachPiece(
    of count: Int, at address: UInt64, _ access: Access, _ body: (UnsafeMutableRawBufferPointer) -> Void
  ) throws {
    var (address, rest) = (address, count)
    let last: UInt64 = target.width == .x86 ? 0xffff_ffff : .max
    while rest > 0 {
      let piece = try piece(of: rest, at: address & last, access)
      body(piece)
      rest -= piece.count
      address &+= UInt64(piece.count)
    }
  }

  @inline(never) @usableFromInline
  func loadSlowly<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type, at address: UInt64) throws -> T {
    var (value, shift) = (T.zero, 0)
    try forEachPiece(of: MemoryLayout<T>.size, at: address, .read) { piece in
      for byte in piece {
        value |= T(truncatingIfNeeded: byte) << T(truncatingIfNeeded: shift)
        shift += 8
      }
    }
    return value
  }

  @inline(never) @usableFromInline
  func storeSlowly<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at address: UInt64) throws {
    // A store that straddles two pages is all or nothing: both pages are made writable first.
    let size = MemoryLayout<T>.size
    try touch(.write, at: address)
    try touch(.write, at: address &+ UInt64(size - 1))
    try write((0..<size).map { UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: 8 * $0)) }, at: address)
  }
}
