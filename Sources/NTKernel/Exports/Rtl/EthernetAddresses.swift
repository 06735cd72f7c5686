import Guest
import WindowsTypes

extension Export {
  /// Ethernet addresses as text: `F4-CE-46-2D-90-8C`.
  static let ethernetAddresses = ethernetAddresses(UInt8.self, "A") + ethernetAddresses(UInt16.self, "W")

  private static func ethernetAddresses<Unit: CodeUnit>(_: Unit.Type, _ width: String) -> [Export] {
    [
      // nf-ip2string-rtlethernetaddresstostringa: where the terminating zero lies.
      export("RtlEthernetAddressToString\(width)(Addr, S)") { (_, address: Pointer<UInt8>, text: Pointer<Unit>) -> Pointer<Unit> in
        let pairs = try address.array(count: 6).map { hex($0, digits: 2).uppercased() }
        let units = pairs.joined(separator: "-").utf8.map { Unit($0) }
        try text.write(units + [0])
        return text[units.count]
      },
      // nf-ip2string-rtlethernetstringtoaddressa: six pairs of digits with dashes between them.
      export("RtlEthernetStringToAddress\(width)(S, Terminator, Addr)") {
        (_, text: Pointer<Unit>, end: Pointer<Pointer<Unit>>, result: Pointer<UInt8>) -> NTSTATUS in
        let units = try text.units(limit: 18)
        var bytes: [UInt8] = []
        var position = 0
        func digit() -> UInt8? {
          guard position < units.count, let value = units[position].digitValue, value < 16 else { return nil }
          return UInt8(value)
        }
        while bytes.count < 6 {
          if !bytes.isEmpty {
            guard position < units.count, units[position] == Unit(ascii: "-") else { break }
            position += 1
          }
          guard let high = digit() else { break }
          position += 1
          guard let low = digit() else { break }
          position += 1
          bytes.append(high << 4 | low)
        }
        try end.store(text[position])
        guard bytes.count == 6 else { return .invalidParameter }
        try result.write(bytes)
        return .success
      },
    ]
  }
}
