extension FixtureNode {
  /// An address: `0x` and hexadecimal digits.
  func address() throws(FixtureError) -> UInt64 {
    let text = try text()
    if let address = Fixture.Place.hexadecimal(text) { return address }
    if !text.isEmpty, text.utf8.count <= 16, text.allSatisfy({ $0.isHexDigit && $0.isASCII }) {
      throw error("an address needs 0x: write 0x\(text)")
    }
    throw error("\(described) is not an address: write 0x and up to 16 hexadecimal digits")
  }

  /// A number of bytes: `0x3000`, `4096`, `4KiB`.
  func size() throws(FixtureError) -> UInt64 {
    let text = try text()
    for (unit, shift) in [("KiB", 10), ("MiB", 20), ("GiB", 30)] as [(String, UInt64)] where text.hasSuffix(unit) {
      guard let count = Self.plainNumber(text.dropLast(3)), count <= UInt64.max >> shift, !text.hasPrefix("0x") else { break }
      return count << shift
    }
    guard let size = Self.plainNumber(text) else { throw error("\(described) is not a size: write 0x3000, 12288 or 12KiB") }
    return size
  }

  /// A size of whole pages, at least one.
  func pages() throws(FixtureError) -> UInt64 {
    let size = try size()
    if size == 0 { throw error("\(quoted(role)) is zero: memory comes in whole pages of 0x1000 bytes") }
    guard size % Fixture.pageSize == 0 else {
      let text = try text()
      let meant = UInt64(text, radix: 16).map { $0 != 0 && $0 % Fixture.pageSize == 0 } ?? false
      throw error("\(quoted(role)) is not in whole pages of 0x1000 bytes" + (meant ? " (did you mean 0x\(text)?)" : ""))
    }
    return size
  }

  /// An address at which a page begins.
  func pageAddress() throws(FixtureError) -> UInt64 {
    let address = try address()
    if address % Fixture.pageSize != 0 {
      throw error("0x\(String(address, radix: 16)) is not the first address of a page of 0x1000 bytes")
    }
    return address
  }

  /// A count: decimal, or `0x` and hexadecimal digits.
  func count(upTo limit: UInt64 = .max) throws(FixtureError) -> UInt64 {
    let text = try text()
    guard let count = Self.plainNumber(text) else {
      if text.first == "0", text.allSatisfy({ $0.isNumber }) {
        throw error("\(quoted(text)) begins with a zero: write \(text.drop { $0 == "0" }) or 0x\(text.drop { $0 == "0" })")
      }
      throw error("\(quoted(role)) takes a number, not \(described)")
    }
    if count > limit { throw error("\(quoted(role)) is at most 0x\(String(limit, radix: 16)), not \(described)") }
    return count
  }

  /// A number that may be an address: eight decimal digits and more are refused, for they mostly lack their `0x`.
  func word(upTo limit: UInt64) throws(FixtureError) -> UInt64 {
    let text = try text()
    if text.utf8.count >= 8, text.allSatisfy({ $0.isHexDigit && $0.isASCII }) {
      let decimal = UInt64(text).map { ", or 0x\(String($0, radix: 16)) for the decimal number" } ?? ""
      throw error("\(quoted(text)) needs 0x: write 0x\(text)\(decimal)")
    }
    return try count(upTo: limit)
  }

  /// A duration with its unit: `100ns`, `5us`, `2ms`, `10s`, `1min`.
  func duration() throws(FixtureError) -> Duration {
    let text = try text()
    let digits = text.prefix { $0.isNumber && $0.isASCII }
    let units: [Substring: Int64] = [
      "ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000,
    ]
    guard let count = Int64(digits), let unit = units[text[digits.endIndex...]] else {
      let advice = digits.count == text.count && !text.isEmpty ? "\(described) needs its unit" : "\(described) is not a duration"
      throw error("\(advice): write 100ns, 5us, 2ms, 10s or 1min")
    }
    let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit)
    if overflow { throw error("\(described) is longer than 292 years") }
    return .nanoseconds(nanoseconds)
  }

  /// Bytes as pairs of hexadecimal digits, blanks between them allowed.
  func bytes() throws(FixtureError) -> [UInt8] {
    let text = try text()
    var bytes: [UInt8] = []
    for group in text.split(whereSeparator: \.isWhitespace) {
      let digits = Array(group.utf8)
      guard digits.count % 2 == 0 else { throw error("\(quoted(role)): \(quoted(group)) is not pairs of hexadecimal digits") }
      for index in stride(from: 0, to: digits.count, by: 2) {
        let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
        guard let byte = UInt8(pair, radix: 16), !pair.hasPrefix("+") else {
          throw error("\(quoted(role)): \(quoted(pair)) is not two hexadecimal digits")
        }
        bytes.append(byte)
      }
    }
    if bytes.isEmpty { throw error("\(quoted(role)) has no bytes") }
    return bytes
  }

  /// Decimal without a leading zero, or `0x` and hexadecimal digits.
  static func plainNumber(_ text: some StringProtocol) -> UInt64? {
    if text.hasPrefix("0x") { return Fixture.Place.hexadecimal(text) }
    guard text.allSatisfy({ $0.isNumber && $0.isASCII }), text == "0" || !text.hasPrefix("0") else { return nil }
    return UInt64(text)
  }
}

extension Fixture {
  /// In bytes, on every target there is.
  public static let pageSize: UInt64 = 0x1000
}
