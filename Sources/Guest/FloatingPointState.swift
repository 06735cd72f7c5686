/// What a thread has in the floating-point unit and in the SSE registers.
public struct FloatingPointState: Sendable, Hashable {
  /// The control and the status word, as `fnstcw` and `fnstsw` store them.
  public var control: UInt16
  public var status: UInt16
  /// The tag word, as `fnstenv` stores it: two bits for each of the unit's registers, 3 for an empty one.
  public var tag: UInt16
  public var mxcsr: UInt32
  /// The unit's eight registers, ten bytes each, by their own numbers.
  public var registers: [UInt8]
  /// `xmm0` to `xmm7`, sixteen bytes each.
  public var vectors: [UInt8]

  public init(control: UInt16, status: UInt16, tag: UInt16, mxcsr: UInt32, registers: [UInt8], vectors: [UInt8]) {
    self.control = control
    self.status = status
    self.tag = tag
    self.mxcsr = mxcsr
    self.registers = registers
    self.vectors = vectors
  }

  /// What Windows gives to a new thread: all empty and masked, with 53 bits of precision.
  public static let initial = FloatingPointState(
    control: 0x27f, status: 0, tag: 0xffff, mxcsr: 0x1f80, registers: [UInt8](repeating: 0, count: 80),
    vectors: [UInt8](repeating: 0, count: 128))

  /// In bytes, what `fxsave` stores.
  public static let imageSize = 512

  /// As `fxsave` stores it: the registers from the top of the stack on, and one bit in the tag for each that is not empty.
  public var image: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.imageSize)
    func put(_ value: some FixedWidthInteger, at place: Int) {
      for index in 0..<value.bitWidth / 8 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
    put(control, at: 0)
    put(status, at: 2)
    for index in 0..<8 where tag >> (2 * UInt16(index)) & 3 != 3 { bytes[4] |= 1 << UInt8(index) }
    put(mxcsr, at: 0x18)
    let top = Int(status >> 11 & 7)
    for index in 0..<8 {
      let own = (top + index) & 7
      bytes.replaceSubrange(0x20 + 16 * index..<0x2a + 16 * index, with: registers[10 * own..<10 * own + 10])
    }
    bytes.replaceSubrange(0xa0..<0x120, with: vectors)
    return bytes
  }

  /// What an image of ``imageSize`` bytes says; bits of `mxcsr` that no processor has are left out.
  public init(image bytes: [UInt8]) {
    func word(_ place: Int) -> UInt16 { UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8 }
    self = .initial
    guard bytes.count >= Self.imageSize else { return }
    (control, status) = (word(0), word(2))
    mxcsr = (UInt32(word(0x18)) | UInt32(word(0x1a)) << 16) & 0xffff
    let top = Int(status >> 11 & 7)
    for index in 0..<8 {
      let own = (top + index) & 7
      if bytes[4] >> UInt8(index) & 1 != 0 { tag &= ~(3 << (2 * UInt16(index))) }
      registers.replaceSubrange(10 * own..<10 * own + 10, with: bytes[0x20 + 16 * index..<0x2a + 16 * index])
    }
    vectors = Array(bytes[0xa0..<0x120])
  }
}
