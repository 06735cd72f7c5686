import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("The run-time library's registry routines") struct RegistryRoutineTests {
  private static let services: UInt64 = 1

  private func wide(_ g: IOGuest, _ text: String) throws -> UInt64 { UInt64(try g.k.load(try g.string(text + "\0") + 4)) }

  @Test func writeAndDelete() throws {
    let g = try IOGuest()
    let data = try g.space()
    try g.k.store(7, at: data)
    func write(_ place: UInt64, _ path: UInt64) throws -> NTSTATUS {
      try g.status("RtlWriteRegistryValue", place, path, wide(g, "Count"), 4, data, 4)
    }
    #expect(try write(Self.services, wide(g, #"demo\Parameters"#)) == .success)
    #expect(g.k.kernel.serviceKey("demo")?.subkey("parameters")?["count"]?.number == 7)
    #expect(try write(Self.services, wide(g, #"missing\Parameters"#)) == .objectNameNotFound)
    #expect(try write(6, wide(g, "demo")) == .invalidParameter)
    #expect(try write(0x4000_0000, g.key(IOGuest.demo)) == .success)
    let path = try wide(g, #"demo\Parameters"#)
    #expect(try g.status("RtlDeleteRegistryValue", Self.services, path, wide(g, "Count")) == .success)
    #expect(try g.status("RtlDeleteRegistryValue", Self.services, path, wide(g, "Count")) == .objectNameNotFound)
  }

  @Test func createAndCheck() throws {
    let g = try IOGuest()
    let path = try wide(g, #"demo\Own"#)
    #expect(try g.status("RtlCheckRegistryKey", Self.services, path) == .objectNameNotFound)
    #expect(try g.status("RtlCreateRegistryKey", Self.services, path) == .success)
    #expect(try g.status("RtlCheckRegistryKey", Self.services, path) == .success)
    #expect(try g.status("RtlCreateRegistryKey", 2, wide(g, #"a\b"#)) == .objectNameNotFound)
    let string = try g.space()
    #expect(try g.status("RtlFormatCurrentUserKeyPath", string) == .success)
    #expect(try g.text(at: UInt64(g.k.load(string + 4)), bytes: UInt32(g.k.half(string))) == #"\REGISTRY\USER\S-1-5-18"#)
  }

  /// One entry of a query table: routine, flags, name, context, default type, data and length.
  private func table(_ g: IOGuest, _ entries: [UInt64]...) throws -> UInt64 {
    let table = try g.space(UInt64(28 * (entries.count + 1)))
    for (index, entry) in entries.enumerated() { try g.k.store(entry.map { UInt32($0) }, at: table + 28 * UInt64(index)) }
    return table
  }

  private func fill(_ g: IOGuest) throws -> UInt64 {
    let key = try #require(g.k.kernel.registry.makeKey(at: #"Services\demo\Parameters"#))
    key["Limit"] = .dword(5)
    key["Name"] = .string("disk")
    key["Path"] = .expandableString("%Root%\\x")
    key["List"] = .strings(["a", "bc"])
    key["Raw"] = .binary([1, 2, 3, 4, 5, 6])
    return try wide(g, #"demo\Parameters"#)
  }

  @Test("a routine is called for each value, with lists taken apart and variables replaced") func routines() throws {
    let g = try IOGuest()
    let path = try fill(g)
    var seen: [String] = []
    g.routine(at: 0xf8b0_7000, 6) { arguments in
      let name = arguments[0] == 0 ? "-" : try self.terminated(g, arguments[0])
      let value = arguments[1] == 1 ? try self.terminated(g, arguments[2]) : "\(arguments[3])"
      seen.append("\(name) \(arguments[1]) \(value) \(arguments[4]) \(arguments[5])")
      return 0
    }
    let environment = try wide(g, "Root=C:\\w\0\0")
    let all = try table(g, [0xf8b0_7000, 0, 0, 9, 0, 0, 0])
    #expect(try g.status("RtlQueryRegistryValues", Self.services, path, all, 8, environment) == .success)
    #expect(
      seen == ["Limit 4 4 8 9", "Name 1 disk 8 9", #"Path 1 C:\w\x 8 9"#, "List 1 a 8 9", "List 1 bc 8 9", "Raw 3 6 8 9"])
    seen = []
    // NOEXPAND, NOVALUE, a default, and one that is missing without.
    let some = try table(
      g, [0xf8b0_7000, 0x10, wide(g, "List"), 1, 0, 0, 0], [0xf8b0_7000, 8, 0, 2, 0, 0, 0],
      [0xf8b0_7000, 0, wide(g, "Missing"), 3, 1, wide(g, "own"), 0], [0xf8b0_7000, 0, wide(g, "Missing"), 4, 0, 0, 0])
    #expect(try g.status("RtlQueryRegistryValues", Self.services, path, some, 8, 0) == .success)
    #expect(seen == ["List 7 12 8 1", "- 0 0 8 2", "Missing 1 own 8 3"])
    // A subkey's values, the first key again, a failure, and what comes after it.
    seen = []
    let nested = try table(
      g, [0xf8b0_7000, 1, wide(g, "Parameters"), 1, 0, 0, 0], [0xf8b0_7000, 2, wide(g, "ImagePath"), 2, 0, 0, 0],
      [0xf8b0_7000, 4, wide(g, "Limit"), 3, 0, 0, 0], [0xf8b0_7000, 8, 0, 4, 0, 0, 0])
    #expect(try g.status("RtlQueryRegistryValues", Self.services, wide(g, "demo"), nested, 8, 0) == .objectNameNotFound)
    #expect(seen.count == 7 && seen[6].hasPrefix("ImagePath 1"))
  }

  private func terminated(_ g: IOGuest, _ address: UInt64) throws -> String {
    var units: [UInt16] = []
    while units.count < 100, case let unit = try g.k.half(address + 2 * UInt64(units.count)), unit != 0 { units.append(unit) }
    return String(decoding: units, as: UTF16.self)
  }

  @Test("DIRECT fills variables: numbers, strings and buffers by their size") func direct() throws {
    let g = try IOGuest()
    let path = try fill(g)
    let (number, string, raw, small) = (try g.space(), try g.space(), try g.space(32), try g.space(32))
    try g.k.store([32], at: raw)
    try g.k.store([UInt32(bitPattern: -6)], at: small)
    func query(_ entries: [UInt64]...) throws -> NTSTATUS {
      let table = try g.space(UInt64(28 * (entries.count + 1)))
      for (index, entry) in entries.enumerated() { try g.k.store(entry.map { UInt32($0) }, at: table + 28 * UInt64(index)) }
      return try g.status("RtlQueryRegistryValues", Self.services, path, table, 0, 0)
    }
    #expect(
      try query(
        [0, 0x120, wide(g, "Limit"), number, 4 << 24, 0, 0], [0, 0x20, wide(g, "Name"), string, 0, 0, 0],
        [0, 0x20, wide(g, "Raw"), raw, 0, 0, 0], [0, 0x20, wide(g, "Raw"), small, 0, 0, 0]) == .success)
    #expect(try g.k.load(number) == 5)
    #expect(try g.text(at: UInt64(g.k.load(string + 4)), bytes: UInt32(g.k.half(string))) == "disk")
    #expect(try g.k.half(string + 2) == 10)
    #expect(try [0, 4, 8].map { try g.k.load(raw + $0) } == [6, 3, 0x0403_0201])
    #expect(try g.k.load(small) == 0x0403_0201)
    // Another type than the table wants; a buffer that is too small; a routine beside DIRECT; a missing value that is required.
    #expect(try query([0, 0x120, wide(g, "Name"), string, 4 << 24, 0, 0]) == .objectTypeMismatch)
    try g.k.store(UInt32(8) << 16, at: string)
    #expect(try query([0, 0x20, wide(g, "Name"), string, 0, 0, 0]) == .bufferTooSmall)
    #expect(try query([0xf8b0_7000, 0x20, wide(g, "Name"), string, 0, 0, 0]) == .invalidParameter)
    #expect(try query([0, 0x24, wide(g, "Missing"), number, 0, 0, 0]) == .objectNameNotFound)
    // DELETE
    #expect(try query([0, 0x60, wide(g, "Limit"), number, 0, 0, 0]) == .success)
    #expect(g.k.kernel.serviceKey("demo")?.subkey("Parameters")?["Limit"] == nil)
  }

  @Test("a key that is missing is an error, unless it is optional") func optional() throws {
    let g = try IOGuest()
    let table = try table(g)
    #expect(try g.status("RtlQueryRegistryValues", Self.services, wide(g, "missing"), table, 0, 0) == .objectNameNotFound)
    #expect(try g.status("RtlQueryRegistryValues", 0x8000_0001, wide(g, "missing"), table, 0, 0) == .success)
    #expect(try g.status("RtlQueryRegistryValues", 9, wide(g, "missing"), table, 0, 0) == .invalidParameter)
  }
}

@Suite("Registry callbacks") struct RegistryCallbackTests {
  private func register(_ g: IOGuest, at routine: UInt64, _ body: @escaping ([UInt64]) throws -> NTSTATUS) throws -> UInt64 {
    g.routine(at: routine, 3) { UInt64(try body($0).rawValue) }
    let cookie = try g.space()
    #expect(try g.status("CmRegisterCallback", routine, 0x77, cookie) == .success)
    return cookie
  }

  @Test("XP's kind: told before and after a key is opened, and before all else") func plain() throws {
    let g = try IOGuest()
    var seen: [String] = []
    let cookie = try register(g, at: 0xf8b0_7000) { arguments in
      #expect(arguments[0] == 0x77)
      var text = "\(arguments[1])"
      if [10, 12].contains(arguments[1]) {
        let string = UInt64(try g.k.load(arguments[2]))
        text += " " + (try g.text(at: UInt64(g.k.load(string + 4)), bytes: UInt32(g.k.half(string))))
      }
      seen.append(text)
      return .success
    }
    let key = try g.key(IOGuest.demo)
    try g.set(key, "v", 4, [1, 0, 0, 0])
    #expect(try g.status("ZwDeleteValueKey", key, g.string("v")) == .success)
    #expect(try g.status("ZwDeleteKey", key) == .success)
    #expect(try g.status("ZwClose", key) == .success)
    #expect(seen == [#"10 \REGISTRY\Machine\Software\Demo"#, "11", "1", "2", "0", "14"])
    #expect(try g.k.kernel.leftovers(of: g.driver).map(\.what).contains("a registry callback"))
    #expect(try g.status("CmUnRegisterCallback", UInt64(g.k.load(cookie)), UInt64(g.k.load(cookie + 4))) == .success)
    #expect(try g.status("CmUnRegisterCallback", UInt64(g.k.load(cookie)), UInt64(g.k.load(cookie + 4))) == .invalidParameter)
    _ = try g.key(IOGuest.demo)
    #expect(seen.count == 6)
  }

  @Test("a callback's failure is the operation's, which does not happen") func refusal() throws {
    let g = try IOGuest()
    let key = try g.key(IOGuest.demo)
    _ = try register(g, at: 0xf8b0_7000) { $0[1] == 1 ? .accessDenied : .success }
    #expect(try g.status("ZwSetValueKey", key, g.string("v"), 0, 4, g.space(), 4) == .accessDenied)
    #expect(g.k.kernel.registry.key(at: IOGuest.demo)?.values.isEmpty == true)
  }

  @Test("Vista's kind: in order of altitude, told of the end, and asked for a key's name") func extended() throws {
    let g = try IOGuest()
    var seen: [String] = []
    var cookie: UInt64 = 0
    for (index, altitude) in ["320000", "380000.5"].enumerated() {
      let routine = 0xf8b0_7000 + 16 * UInt64(index)
      g.routine(at: routine, 3) { arguments in
        seen.append("\(index) \(arguments[1])")
        guard arguments[1] == 1, index == 0 else { return 0 }
        let name = try g.space()
        #expect(try g.status("CmCallbackGetKeyObjectID", cookie, UInt64(g.k.load(arguments[2])), 0, name) == .success)
        let string = UInt64(try g.k.load(name))
        seen.append(try g.text(at: UInt64(g.k.load(string + 4)), bytes: UInt32(g.k.half(string))))
        // STATUS_CALLBACK_BYPASS
        return 0xc000_0503
      }
      cookie = try g.space()
      #expect(try g.status("CmRegisterCallbackEx", routine, g.string(altitude), 0, 0, cookie, 0) == .success)
    }
    // STATUS_FLT_INSTANCE_ALTITUDE_COLLISION
    #expect(
      try g.status("CmRegisterCallbackEx", 0xf8b0_7000, g.string("320000"), 0, 0, g.space(), 0) == NTSTATUS(rawValue: 0xc01c_0011))
    let key = try g.key(IOGuest.demo)
    #expect(seen == ["1 26", "0 26", "1 27", "0 27"])
    seen = []
    #expect(try g.status("ZwSetValueKey", key, g.string("v"), 0, 4, g.space(), 4) == .success)
    #expect(seen == ["1 1", "0 1", #"\REGISTRY\MACHINE\SOFTWARE\Demo"#])
    #expect(g.k.kernel.registry.key(at: IOGuest.demo)?.values.isEmpty == true)
    #expect(try g.status("CmCallbackGetKeyObjectID", g.space(), 0, 0, 0) == .invalidParameter)
  }

  @Test("a callback's contexts come back with the key and the call, and are cleaned up with the key or the callback") func contexts() throws
  {
    let g = try IOGuest()
    let (cookie, old, place) = (try g.space(), try g.space(), try g.space())
    var seen: [[UInt32]] = []
    g.routine(at: 0xf8b0_7000, 3) { arguments in
      let structure = arguments[2]
      switch arguments[1] {
      // RegNtPreSetValueKey: the call's context and the object's are behind six members.
      case 1:
        seen.append([1, try g.k.load(structure + 0x1c)])
        try g.k.store([0x1234], at: structure + 0x18)
      case 16: seen.append([16, try g.k.load(structure + 0x10), try g.k.load(structure + 0x14)])
      case 40: seen.append([40, try g.k.load(structure + 4)])
      default: break
      }
      return 0
    }
    #expect(try g.status("CmRegisterCallbackEx", 0xf8b0_7000, g.string("320000"), 0, 0, cookie, 0) == .success)
    let key = try g.key(IOGuest.demo)
    #expect(try g.status("ObReferenceObjectByHandle", key, 0, 0, 0, place, 0) == .success)
    let object = UInt64(try g.k.load(place))
    #expect(try g.status("CmSetCallbackObjectContext", object, g.space(), 0x77, old) == .invalidParameter)
    #expect(try g.status("CmSetCallbackObjectContext", 0x1234, cookie, 0x77, old) == .invalidParameter)
    #expect(try g.status("CmSetCallbackObjectContext", object, cookie, 0x77, old) == .success && g.k.load(old) == 0)
    #expect(try g.status("CmSetCallbackObjectContext", object, cookie, 0x88, old) == .success && g.k.load(old) == 0x77)
    #expect(try g.status("ZwSetValueKey", key, g.string("v"), 0, 4, g.space(), 4) == .success)
    #expect(seen == [[1, 0x88], [16, 0x1234, 0x88]])
    try g.call("ObfDereferenceObject", object)
    #expect(try g.status("ZwClose", key) == .success && seen.last == [40, 0x88])
    // The callback goes before the key.
    let second = try g.key(IOGuest.demo)
    #expect(try g.status("ObReferenceObjectByHandle", second, 0, 0, 0, place, 0) == .success)
    #expect(try g.status("CmSetCallbackObjectContext", UInt64(g.k.load(place)), cookie, 0x99, 0) == .success)
    #expect(try g.status("CmUnRegisterCallback", UInt64(g.k.load(cookie)), UInt64(g.k.load(cookie + 4))) == .success)
    #expect(seen.last == [40, 0x99] && seen.count == 4)
  }
}
