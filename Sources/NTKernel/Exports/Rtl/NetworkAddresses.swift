import Guest
import WindowsTypes

extension Export {
  /// Internet addresses as text, for bytes (`A`) and for UTF-16 (`W`).
  static let narrowAddresses = networkAddresses(UInt8.self, "A")
  static let wideAddresses = networkAddresses(UInt16.self, "W")

  private static func networkAddresses<Unit: CodeUnit>(_: Unit.Type, _ width: String) -> [Export] {
    [
      // nf-ip2string-rtlipv4addresstostringa: where the terminating zero lies.
      export("RtlIpv4AddressToString\(width)(Addr, S)") { (_, address: Pointer<UInt8>, text: Pointer<Unit>) -> Pointer<Unit> in
        try text.writeTerminated(NetworkAddress.text(v4: address.array(count: 4)))
      },
      // nf-ip2string-rtlipv4addresstostringexa: with a port that is not 0; the length counts the terminating zero.
      export("RtlIpv4AddressToStringEx\(width)(Address, Port, AddressString, AddressStringLength)") {
        (_, address: Pointer<UInt8>, port: UInt16, text: Pointer<Unit>, length: Pointer<UInt32>) -> NTSTATUS in
        guard !address.isNull, !length.isNull else { return .invalidParameter }
        let suffix = port == 0 ? "" : ":\(port.byteSwapped)"
        return try text.fill(NetworkAddress.text(v4: address.array(count: 4)) + suffix, length)
      },
      // nf-ip2string-rtlipv6addresstostringa
      export("RtlIpv6AddressToString\(width)(Addr, S)") { (_, address: Pointer<UInt8>, text: Pointer<Unit>) -> Pointer<Unit> in
        try text.writeTerminated(NetworkAddress.text(v6: address.array(count: 16)))
      },
      // nf-ip2string-rtlipv6addresstostringexa: `[address%scope]:port`
      export("RtlIpv6AddressToStringEx\(width)(Address, ScopeId, Port, AddressString, AddressStringLength)") {
        (
          _, address: Pointer<UInt8>, scope: UInt32, port: UInt16, text: Pointer<Unit>, length: Pointer<UInt32>
        ) -> NTSTATUS in
        guard !address.isNull, !length.isNull else { return .invalidParameter }
        let core = NetworkAddress.text(v6: try address.array(count: 16)) + (scope == 0 ? "" : "%\(scope)")
        return try text.fill(port == 0 ? core : "[\(core)]:\(port.byteSwapped)", length)
      },
      // nf-ip2string-rtlipv4stringtoaddressa: the first character that is none of the address's is told.
      export("RtlIpv4StringToAddress\(width)(S, Strict, Terminator, Addr)") {
        (_, text: Pointer<Unit>, strict: UInt8, end: Pointer<Pointer<Unit>>, result: Pointer<UInt8>) -> NTSTATUS in
        var reader = NetworkAddress.Reader(try text.addressText())
        let address = reader.v4(isStrict: strict != 0)
        try end.store(text[reader.position])
        guard let address else { return .invalidParameter }
        try result.write(address)
        return .success
      },
      // nf-ip2string-rtlipv4stringtoaddressexa: a port may follow, and nothing else; it is in network order.
      export("RtlIpv4StringToAddressEx\(width)(AddressString, Strict, Address, Port)") {
        (_, text: Pointer<Unit>, strict: UInt8, result: Pointer<UInt8>, port: Pointer<UInt16>) -> NTSTATUS in
        guard !text.isNull, !result.isNull, !port.isNull else { return .invalidParameter }
        var reader = NetworkAddress.Reader(try text.addressText())
        guard let address = reader.v4(isStrict: strict != 0), let number = reader.port(), reader.isAtEnd else { return .invalidParameter }
        try result.write(address)
        try port.store(number.byteSwapped)
        return .success
      },
      // nf-ip2string-rtlipv6stringtoaddressa
      export("RtlIpv6StringToAddress\(width)(S, Terminator, Addr)") {
        (_, text: Pointer<Unit>, end: Pointer<Pointer<Unit>>, result: Pointer<UInt8>) -> NTSTATUS in
        var reader = NetworkAddress.Reader(try text.addressText())
        let address = reader.v6()
        try end.store(text[reader.position])
        guard let address else { return .invalidParameter }
        try result.write(address)
        return .success
      },
      // nf-ip2string-rtlipv6stringtoaddressexa
      export("RtlIpv6StringToAddressEx\(width)(AddressString, Address, ScopeId, Port)") {
        (_, text: Pointer<Unit>, result: Pointer<UInt8>, scope: Pointer<UInt32>, port: Pointer<UInt16>) -> NTSTATUS in
        guard !text.isNull, !result.isNull, !scope.isNull, !port.isNull else { return .invalidParameter }
        var reader = NetworkAddress.Reader(try text.addressText())
        let isBracketed = reader.take("[")
        guard let address = reader.v6(), let zone = reader.scope() else { return .invalidParameter }
        var number: UInt16? = 0
        if isBracketed {
          guard reader.take("]") else { return .invalidParameter }
          number = reader.port()
        }
        guard let number, reader.isAtEnd else { return .invalidParameter }
        try result.write(address)
        try scope.store(zone)
        try port.store(number.byteSwapped)
        return .success
      },
    ]
  }
}

extension Pointer where Pointee: CodeUnit {
  /// Writes text and a zero, and says where the zero is.
  fileprivate func writeTerminated(_ text: String) throws -> Self {
    let units = text.utf8.map { Pointee($0) }
    try write(units + [0])
    return self[units.count]
  }

  /// Writes text and a zero where they fit into the length, which is then theirs.
  fileprivate func fill(_ text: String, _ length: Pointer<UInt32>) throws -> NTSTATUS {
    let needed = UInt32(text.utf8.count + 1)
    let room = try length.load()
    try length.store(needed)
    guard !isNull, room >= needed else { return .invalidParameter }
    _ = try writeTerminated(text)
    return .success
  }

  /// As much text as an address can have, one character for each unit.
  fileprivate func addressText() throws -> [UInt8] {
    try units(limit: 128).map { $0 < 0x80 ? UInt8(truncatingIfNeeded: $0) : 0xff }
  }
}

enum NetworkAddress {
  static func text(v4 bytes: some Sequence<UInt8>) -> String { bytes.map(String.init).joined(separator: ".") }

  /// The longest run of zero groups, of two or more, is left out (RFC 5952's form, as the page's examples have it); the last four
  /// bytes are an IPv4 address in mapped, compatible and ISATAP addresses.
  static func text(v6 bytes: [UInt8]) -> String {
    let words = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    let isMapped = words[0..<5].allSatisfy { $0 == 0 } && words[5] == 0xffff
    let isTranslated = words[0..<4].allSatisfy { $0 == 0 } && words[4] == 0xffff && words[5] == 0
    let isCompatible = words[0..<6].allSatisfy { $0 == 0 } && words[6] != 0
    let isISATAP = words[4] & 0xfdff == 0 && words[5] == 0x5efe
    let endsInV4 = isMapped || isTranslated || isCompatible || isISATAP
    let groups = endsInV4 ? words[..<6] : words[...]
    var (best, start) = (0..<0, 0)
    for (index, word) in groups.enumerated() {
      if word != 0 { start = index + 1 } else if index + 1 - start > max(1, best.count) { best = start..<index + 1 }
    }
    func joined(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
    let tail = endsInV4 ? text(v4: bytes[12...]) : ""
    if best.isEmpty { return joined(groups) + (endsInV4 ? ":" + tail : "") }
    let after = joined(groups[best.upperBound...])
    return joined(groups[..<best.lowerBound]) + "::" + after + (endsInV4 && !after.isEmpty ? ":" : "") + tail
  }

  /// Reads an address from the front of a text.
  struct Reader {
    let text: [UInt8]
    private(set) var position = 0

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { position == text.count }
    private var next: UInt8? { position < text.count ? text[position] : nil }

    mutating func take(_ character: Character) -> Bool {
      guard let next, next == character.asciiValue else { return false }
      position += 1
      return true
    }

    private mutating func number(radix: UInt64, digits: Int = 16) -> UInt64? {
      let start = position
      var value: UInt64 = 0
      while let digit = next?.digitValue, digit < radix, position - start < digits {
        value = value * radix + digit
        guard value <= UInt64(UInt32.max) else { return nil }
        position += 1
      }
      return position == start ? nil : value
    }

    /// One to four parts, each decimal, octal behind a 0 or hexadecimal behind 0x; four decimal ones where it is strict.
    mutating func v4(isStrict: Bool) -> [UInt8]? {
      var parts: [UInt64] = []
      repeat {
        var radix: UInt64 = 10
        if next == 0x30, position + 1 < text.count, !isStrict {
          if text[position + 1] | 0x20 == 0x78 {
            position += 2
            radix = 16
          } else if text[position + 1].isASCIIDigit {
            radix = 8
          }
        }
        guard let part = number(radix: radix) else { return nil }
        parts.append(part)
      } while parts.count < 4 && take(".")
      guard let last = parts.last, parts.dropLast().allSatisfy({ $0 < 256 }), !isStrict || parts.count == 4 else { return nil }
      guard last < 1 << UInt64(8 * (5 - parts.count)) else { return nil }
      let value = parts.dropLast().enumerated().reduce(last) { $0 | $1.element << UInt64(24 - 8 * $1.offset) }
      return (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt64(24 - 8 * $0)) }
    }

    mutating func v6() -> [UInt8]? {
      var (groups, gap): ([UInt16], Int?) = ([], nil)
      if next == 0x3a {
        guard position + 1 < text.count, text[position + 1] == 0x3a else { return nil }
        position += 2
        gap = 0
      }
      while groups.count < 8, next?.digitValue.map({ $0 < 16 }) ?? false {
        let start = position
        // Four groups' worth of IPv4 may stand at the end.
        if groups.count <= 6, text[start...].prefix(4).contains(0x2e) {
          var trial = self
          if let tail = trial.v4(isStrict: true) {
            self = trial
            groups += [UInt16(tail[0]) << 8 | UInt16(tail[1]), UInt16(tail[2]) << 8 | UInt16(tail[3])]
            break
          }
        }
        guard let group = number(radix: 16, digits: 4) else { return nil }
        groups.append(UInt16(group))
        guard groups.count < 8, next == 0x3a else { break }
        if position + 1 < text.count, text[position + 1] == 0x3a {
          guard gap == nil else { break }
          position += 2
          gap = groups.count
        } else {
          guard position + 1 < text.count, text[position + 1].digitValue.map({ $0 < 16 }) ?? false else { break }
          position += 1
        }
      }
      if let gap {
        guard groups.count < 8 else { return nil }
        groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
      }
      guard groups.count == 8 else { return nil }
      return groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    }

    /// Behind a percent sign; 0 where none is. `nil` for one that is no number.
    mutating func scope() -> UInt32? {
      guard take("%") else { return 0 }
      return number(radix: 10).map { UInt32($0) }
    }

    /// Behind a colon; 0 where none is. `nil` for one that is no port.
    mutating func port() -> UInt16? {
      guard take(":") else { return 0 }
      return number(radix: 10).flatMap { UInt16(exactly: $0) }
    }
  }
}
