import Guest

extension Pointer where Pointee: GuestStructure {
  /// The value of a bit field, shifted down: `try process.load(bits: \.ProcessExiting) != 0`.
  public func load<Member: GuestValue>(bits member: KeyPath<Pointee, Field<Member>>) throws -> UInt64 {
    let field = Pointee.layouts[memory.target][keyPath: member]
    let value = try self[dynamicMember: member].load().bits
    return field.bits.map { value >> UInt64($0.lowerBound) & mask($0) } ?? value
  }

  /// Writes a bit field and leaves its neighbours as they are; of `value` the low bits count.
  public func store<Member: GuestValue>(bits member: KeyPath<Pointee, Field<Member>>, _ value: UInt64) throws {
    let field = Pointee.layouts[memory.target][keyPath: member]
    let place = self[dynamicMember: member]
    guard let bits = field.bits else { return try place.store(Member(bits: value, in: memory)) }
    let shift = UInt64(bits.lowerBound)
    let rest = try place.load().bits & ~(mask(bits) << shift)
    try place.store(Member(bits: rest | (value & mask(bits)) << shift, in: memory))
  }

  private func mask(_ bits: ClosedRange<Int>) -> UInt64 { bits.count == 64 ? ~0 : 1 << UInt64(bits.count) - 1 }

  /// The structure that follows this one, as in an array: `location.advanced(by: -1)`.
  public func advanced(by count: Int) -> Self { advanced(byBytes: Int64(count * Pointee.layouts.size(in: memory.target))) }

  /// Writes zeros over the whole structure.
  public func zero() throws { try memory.fill(0, count: Pointee.layouts.size(in: memory.target), at: address) }
}

extension Pointer where Pointee == UNICODE_STRING {
  /// The text, of which `Length` is the size in bytes; an unpaired surrogate reads as U+FFFD.
  public func string() throws -> String {
    let count = Int(try self.Length.load()) / 2
    let buffer = try self.Buffer.load()
    guard count > 0 else { return "" }
    let bytes = try memory.bytes(count * 2, at: buffer.address)
    let units = stride(from: 0, to: bytes.count, by: 2).map { (at: Int) -> UInt16 in UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 }
    return String(decoding: units, as: UTF16.self)
  }

  /// Writes `text` and a terminating zero at `buffer`, which has room for them, and makes this the string that describes it.
  public func store(_ text: String, buffer: Pointer<UInt16>) throws {
    let units = Array(text.utf16)
    for (index, unit) in (units + [0]).enumerated() { try buffer[index].store(unit) }
    try self.Length.store(UInt16(units.count * 2))
    try self.MaximumLength.store(UInt16(units.count * 2 + 2))
    try self.Buffer.store(buffer)
  }
}

extension Pointer where Pointee == MDL {
  /// The frame numbers, which follow the header.
  public var frames: Pointer<GuestWord> {
    advanced(byBytes: Int64(MDL.layouts.size(in: memory.target))).cast()
  }

  /// `MmGetMdlVirtualAddress`: where the buffer starts in the address space it was described in.
  public func virtualAddress() throws -> UInt64 { try self.StartVa.load().address + UInt64(try self.ByteOffset.load()) }

  /// `ADDRESS_AND_SIZE_TO_SPAN_PAGES` of the buffer.
  public func pageCount() throws -> Int {
    let end = UInt64(try self.ByteOffset.load()) + UInt64(try self.ByteCount.load())
    return Int((end + GuestMemory.pageSize - 1) >> GuestMemory.pageShift)
  }
}
