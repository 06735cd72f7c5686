import Guest
import NTKernel
import Testing

@Suite("Internet addresses") struct NetworkAddressTests {
  static let v6: [(bytes: [UInt8], text: String)] = [
    ([0x20, 1, 0xd, 0xb8] + Array(repeating: 0, count: 11) + [1], "2001:db8::1"),
    (Array(repeating: 0, count: 16), "::"), (Array(repeating: 0, count: 15) + [1], "::1"),
    (Array(repeating: 0, count: 10) + [0xff, 0xff, 192, 0, 2, 1], "::ffff:192.0.2.1"),
    (Array(repeating: 0, count: 12) + [192, 0, 2, 1], "::192.0.2.1"),
    ([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0x5e, 0xfe, 192, 0, 2, 1], "fe80::200:5efe:192.0.2.1"),
    ([0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4, 0, 5], "1:0:2::3:4:5"),
  ]

  @Test("addresses are written, with a port and a scope where they are asked for") func writing() throws {
    let g = try RuntimeGuest()
    let (text, length, v4) = (try g.room(0x100), try g.room(4), try g.place([192, 0, 2, 33]))
    #expect(try g.call("RtlIpv4AddressToStringA", v4, text) == text + 10 && g.narrowText(text) == "192.0.2.33")
    #expect(try g.call("RtlIpv4AddressToStringW", v4, text) == text + 20 && g.wideText(text) == "192.0.2.33")
    for (bytes, expected) in Self.v6 {
      let address = try g.place(bytes)
      try g.call("RtlIpv6AddressToStringA", address, text)
      #expect(try g.narrowText(text) == expected)
      try g.call("RtlIpv6AddressToStringW", address, text)
      #expect(try g.wideText(text) == expected)
    }
    func full(_ name: String, _ arguments: [UInt64], room: UInt32 = 64) throws -> UInt64 {
      try g.store(room, at: length)
      guard case .returned(let status, _) = try g.outcome(name, arguments + [text, length]) else { return .max }
      return status
    }
    // Ports are in network order: 80.
    #expect(try full("RtlIpv4AddressToStringExA", [v4, 0x5000]) == 0 && g.narrowText(text) == "192.0.2.33:80" && g.load(length) == 14)
    #expect(try full("RtlIpv4AddressToStringExW", [v4, 0]) == 0 && g.wideText(text) == "192.0.2.33")
    #expect(try full("RtlIpv4AddressToStringExA", [v4, 0], room: 10) == 0xc000_000d && g.load(length) == 11)
    let address = try g.place(Self.v6[0].bytes)
    #expect(try full("RtlIpv6AddressToStringExA", [address, 5, 0x5000]) == 0 && g.narrowText(text) == "[2001:db8::1%5]:80")
    #expect(try full("RtlIpv6AddressToStringExW", [address, 0, 0]) == 0 && g.wideText(text) == "2001:db8::1")
    #expect(try full("RtlIpv6AddressToStringExW", [0, 0, 0]) == 0xc000_000d)
  }

  @Test("addresses are read, in every form that is allowed") func reading() throws {
    let g = try RuntimeGuest()
    let (end, result, scope, port) = (try g.room(4), try g.room(16), try g.room(4), try g.room(4))
    func v4(_ text: String, strict: UInt64) throws -> [UInt8]? {
      let place = try g.narrow(text)
      let status = try g.call("RtlIpv4StringToAddressA", place, strict, end, result)
      #expect(try g.call("RtlIpv4StringToAddressW", g.wide(text), strict, end, result) == status)
      return status == 0 ? try g.bytes(4, at: result) : nil
    }
    #expect(try v4("192.0.2.33", strict: 1) == [192, 0, 2, 33] && v4("0x7f.1", strict: 0) == [127, 0, 0, 1])
    #expect(try v4("017.0.0.1", strict: 0) == [15, 0, 0, 1] && v4("0x7f.1", strict: 1) == nil && v4("1.2.3.256", strict: 1) == nil)
    let place = try g.narrow("1.2.3.4 rest")
    #expect(try g.call("RtlIpv4StringToAddressA", place, 1, end, result) == 0 && UInt64(g.load(end)) == place + 7)
    for (bytes, text) in Self.v6 {
      #expect(try g.call("RtlIpv6StringToAddressA", g.narrow(text), end, result) == 0 && g.bytes(16, at: result) == bytes, "\(text)")
      #expect(try g.call("RtlIpv6StringToAddressW", g.wide(text), end, result) == 0 && g.bytes(16, at: result) == bytes, "\(text)")
    }
    for text in ["", ":", "1:2:3", "g::"] {
      #expect(try g.call("RtlIpv6StringToAddressA", g.narrow(text), end, result) == 0xc000_000d, "\(text)")
    }
    // RtlIpv4StringToAddressExA, RtlIpv4StringToAddressExW, RtlIpv6StringToAddressExA, RtlIpv6StringToAddressExW
    for (suffix, make) in [("A", g.narrow), ("W", g.wide)] as [(String, (String) throws -> UInt64)] {
      #expect(try g.call("RtlIpv4StringToAddressEx\(suffix)", make("1.2.3.4:80"), 1, result, port) == 0 && g.load16(port) == 0x5000)
      #expect(try g.call("RtlIpv4StringToAddressEx\(suffix)", make("1.2.3.4:80x"), 1, result, port) == 0xc000_000d)
      #expect(try g.call("RtlIpv6StringToAddressEx\(suffix)", make("[fe80::1%3]:80"), result, scope, port) == 0)
      #expect(try g.load(scope) == 3 && g.load16(port) == 0x5000)
      #expect(try g.call("RtlIpv6StringToAddressEx\(suffix)", make("[fe80::1"), result, scope, port) == 0xc000_000d)
    }
  }
}
