import Events
import Guest
import WindowsTypes

/// The keys that drivers have opened through NDIS, and what was read from them.
private final class NdisConfigurations {
  struct Open {
    let key: RegistryKey
    /// What goes with the handle: parameters, and their text.
    var blocks: [UInt64] = []
  }
  var open: [UInt64: Open] = [:]
}

extension Export {
  /// An adapter's settings in the registry (ndis.h).
  static let ndisConfiguration: [Export] = [
    // nf-ndis-ndisopenconfiguration
    export("NdisOpenConfiguration(Status, ConfigurationHandle, WrapperConfigurationContext)", module: "ndis", irql: .passive) {
      (kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, context: GuestWord) in
      guard let key = kernel.ndisKey(of: context.bits) else { return try status.store(.unsuccessful) }
      try result.store(GuestWord(kernel.openNdisConfiguration(key)))
      try status.store(.success)
    },
    // nf-ndis-ndisopenconfigurationex: NDIS_CONFIGURATION_OBJECT names an adapter, or a driver.
    export("NdisOpenConfigurationEx(ConfigObject, ConfigurationHandle)", module: "ndis", irql: .passive) {
      (kernel, object: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let key = kernel.ndisKey(of: try kernel.words(object.bits)[4]) else { return .unsuccessful }
      try result.store(GuestWord(kernel.openNdisConfiguration(key)))
      return .success
    },
    // nf-ndis-ndisopenprotocolconfiguration: `ProtocolSection` is a path of the registry's.
    export("NdisOpenProtocolConfiguration(Status, ConfigurationHandle, ProtocolSection)", module: "ndis", irql: .passive) {
      (kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, section: Pointer<UNICODE_STRING>) in
      let path = try section.string()
      let services = #"\Registry\Machine\System\CurrentControlSet\Services\"#
      guard let key = kernel.registry.key(at: (path.hasPrefix("\\") ? path : services + path) + "\\Parameters") else {
        return try status.store(.unsuccessful)
      }
      try result.store(GuestWord(kernel.openNdisConfiguration(key)))
      try status.store(.success)
    },
    // nf-ndis-ndisopenconfigurationkeybyname
    export("NdisOpenConfigurationKeyByName(Status, ConfigurationHandle, SubKeyName, SubKeyHandle)", module: "ndis", irql: .passive) {
      (kernel, status: Pointer<NTSTATUS>, handle: GuestWord, name: Pointer<UNICODE_STRING>, result: Pointer<GuestWord>) in
      guard let key = try kernel.ndisConfiguration(handle.bits)?.subkey(name.string()) else { return try status.store(.unsuccessful) }
      try result.store(GuestWord(kernel.openNdisConfiguration(key)))
      try status.store(.success)
    },
    // nf-ndis-ndisopenconfigurationkeybyindex
    export("NdisOpenConfigurationKeyByIndex(Status, ConfigurationHandle, Index, KeyName, KeyHandle)", module: "ndis", irql: .passive) {
      (
        kernel, status: Pointer<NTSTATUS>, handle: GuestWord, index: UInt32, name: Pointer<UNICODE_STRING>, result: Pointer<GuestWord>
      ) in
      guard let keys = kernel.ndisConfiguration(handle.bits)?.subkeys, Int(index) < keys.count else {
        return try status.store(.unsuccessful)
      }
      let place = try kernel.openNdisConfiguration(keys[Int(index)])
      try kernel.store(keys[Int(index)].name, in: name)
      try result.store(GuestWord(place))
      try status.store(.success)
    },
    // nf-ndis-ndisreadconfiguration: the parameter is NDIS's until the handle is closed.
    export("NdisReadConfiguration(Status, ParameterValue, ConfigurationHandle, Keyword, ParameterType)", module: "ndis", irql: .passive) {
      (
        kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, handle: GuestWord, keyword: Pointer<UNICODE_STRING>, type: UInt32
      ) in
      let name = try keyword.string()
      // The keywords that NDIS itself answers: Windows NT, an x86, its own version; an adapter's name is its identifier.
      let own: [String: UInt32] = ["environment": 1, "processortype": 0, "ndisversion": kernel.ndisVersion]
      let stored = kernel.ndisConfiguration(handle.bits)?[name.lowercased() == "miniportname" ? "NetCfgInstanceId" : name]
      let data = own[name.lowercased()].map { RegistryData.dword($0) } ?? stored
      guard let data, let place = try kernel.makeNdisParameter(data, type, for: handle.bits) else {
        return try status.store(.unsuccessful)
      }
      try result.store(GuestWord(place))
      try status.store(.success)
    },
    // nf-ndis-ndiswriteconfiguration
    export("NdisWriteConfiguration(Status, ConfigurationHandle, Keyword, ParameterValue)", module: "ndis", irql: .passive) {
      (kernel, status: Pointer<NTSTATUS>, handle: GuestWord, keyword: Pointer<UNICODE_STRING>, parameter: GuestWord) in
      guard let key = kernel.ndisConfiguration(handle.bits) else { return try status.store(.unsuccessful) }
      let (given, here) = (kernel.words(parameter.bits), kernel.memory.memory)
      switch try given[0] {
      case 0, 1: try key[keyword.string()] = .dword(UInt32(given[4]))
      case 2, 3, 4:
        let bytes = try here.bytes(Int(given.half(4)), at: given[8])
        let type: RegistryValueType = try given[0] == 4 ? .binary : given[0] == 3 ? .multiString : .string
        try key[keyword.string()] = RegistryData(type, bytes + (given[0] == 2 ? [0, 0] : []))
      default: return try status.store(.notSupported)
      }
      try status.store(.success)
    },
    // nf-ndis-ndisreadnetworkaddress: an address that an administrator has set.
    export("NdisReadNetworkAddress(Status, NetworkAddress, NetworkAddressLength, ConfigurationHandle)", module: "ndis", irql: .passive) {
      (kernel, status: Pointer<NTSTATUS>, result: Pointer<GuestWord>, length: Pointer<UInt32>, handle: GuestWord) in
      let digits = kernel.ndisConfiguration(handle.bits)?["NetworkAddress"]?.text?.filter(\.isHexDigit) ?? ""
      let bytes = stride(from: 0, to: digits.count & ~1, by: 2).compactMap { index in
        UInt8(digits.dropFirst(index).prefix(2), radix: 16)
      }
      guard !bytes.isEmpty else {
        try length.store(0)
        return try status.store(.unsuccessful)
      }
      let place = try kernel.ndisBlock(UInt64(bytes.count), for: handle.bits)
      try kernel.memory.memory.write(bytes, at: place)
      try result.store(GuestWord(place))
      try length.store(UInt32(bytes.count))
      try status.store(.success)
    },
    // nf-ndis-ndiscloseconfiguration
    export("NdisCloseConfiguration(ConfigurationHandle)", module: "ndis", irql: .passive) { (kernel, handle: GuestWord) in
      let state = kernel.part { NdisConfigurations() }
      guard let known = state.open.removeValue(forKey: handle.bits) else { return }
      for block in known.blocks + [handle.bits] { kernel.free(block) }
      kernel.unregister(Kernel.ndisConfigurationHandle, handle.bits)
    },
  ]
}

extension Kernel {
  fileprivate static let ndisConfigurationHandle = "an NDIS configuration handle"

  /// The key of an adapter's settings, or of a driver's parameters; `nil` for what is neither.
  fileprivate func ndisKey(of handle: UInt64) -> RegistryKey? {
    let services = #"\Registry\Machine\System\CurrentControlSet\Services\"#
    if let (identifier, index) = ndisIdentifier(ofAdapter: handle) {
      let digits = String(index)
      let key = registry.makeKey(
        at: #"\Registry\Machine\System\CurrentControlSet\Control\Class\{4D36E972-E325-11CE-BFC1-08002BE10318}\"#
          + String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
      // As the class installer leaves it.
      if key?["NetCfgInstanceId"] == nil { key?["NetCfgInstanceId"] = .string(identifier) }
      return key
    }
    guard isNdisDriver(handle), let object = try? words(handle)[NdisDriver.object], let driver = driver(at: object) else { return nil }
    return registry.makeKey(at: services + driver.name + "\\Parameters")
  }

  fileprivate func openNdisConfiguration(_ key: RegistryKey) throws -> UInt64 {
    let handle = try allocate(0x10)
    register(Self.ndisConfigurationHandle, handle)
    part { NdisConfigurations() }.open[handle] = NdisConfigurations.Open(key: key)
    return handle
  }

  fileprivate func ndisConfiguration(_ handle: UInt64) -> RegistryKey? { part { NdisConfigurations() }.open[handle]?.key }

  /// Memory that goes when the handle is closed.
  fileprivate func ndisBlock(_ size: UInt64, for handle: UInt64) throws -> UInt64 {
    let place = try allocate(max(8, size))
    part { NdisConfigurations() }.open[handle]?.blocks.append(place)
    return place
  }

  /// NDIS_CONFIGURATION_PARAMETER: NdisParameterInteger 0 and HexInteger 1 are read out of text, too.
  fileprivate func makeNdisParameter(_ data: RegistryData, _ type: UInt32, for handle: UInt64) throws -> UInt64? {
    guard ndisConfiguration(handle) != nil else { return nil }
    var (kind, number) = (type, data.number.map { UInt32(truncatingIfNeeded: $0) })
    if type <= 1, number == nil, let text = data.text { number = UInt32(text, radix: type == 1 ? 16 : 10) ?? 0 }
    if type >= 2, number != nil { kind = 0 }
    let place = try ndisBlock(0x10, for: handle)
    if kind <= 1 {
      guard let number else { return nil }
      try words(place).set([0: UInt64(kind), 4: UInt64(number)])
      return place
    }
    guard kind <= 4, data.bytes.count <= 0xfff0 else { return nil }
    kind = data.type == .multiString ? 3 : data.type == .binary ? 4 : 2
    let text = try ndisBlock(UInt64(data.bytes.count + 2), for: handle)
    try memory.memory.write(data.bytes, at: text)
    let length = UInt64(kind == 2 ? max(2, data.bytes.count) - 2 : data.bytes.count)
    try words(place).set([0: UInt64(kind), 4: length | UInt64(data.bytes.count) << 16, 8: text])
    return place
  }
}
