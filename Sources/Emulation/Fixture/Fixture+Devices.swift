import WindowsTypes

extension Fixture {
  /// What the Plug and Play and the power manager ask of a device that a driver serves.
  public struct DeviceRequest: Hashable, Sendable {
    public var driver: String
    public var kind: Kind
    /// How it must end; nil for a success.
    public var expect: CallExpectation?
    /// Whether it is left out where the driver has no `AddDevice`, or no device any more.
    public var isOptional: Bool

    public enum Kind: Hashable, Sendable {
      /// A root-enumerated device is found: the driver's `AddDevice` is called.
      case add
      case plugAndPlay(PlugAndPlayRequest)
      case power(PowerRequest, PowerState)
    }

    public init(_ driver: String, _ kind: Kind, expect: CallExpectation? = nil, isOptional: Bool = false) {
      self.driver = driver
      self.kind = kind
      self.expect = expect
      self.isOptional = isOptional
    }
  }

  /// The requests of `IRP_MJ_PNP` that a fixture can send.
  public enum PlugAndPlayRequest: String, CaseIterable, Hashable, Sendable {
    case startDevice = "start-device"
    case queryRemoveDevice = "query-remove-device"
    case removeDevice = "remove-device"
    case cancelRemoveDevice = "cancel-remove-device"
    case stopDevice = "stop-device"
    case queryStopDevice = "query-stop-device"
    case cancelStopDevice = "cancel-stop-device"
    case queryDeviceRelations = "query-device-relations"
    case queryCapabilities = "query-capabilities"
    case queryPnpDeviceState = "query-pnp-device-state"
    case surpriseRemoval = "surprise-removal"

    /// `IRP_MN_…`
    public var minorFunction: UInt8 { MinorFunction(name: "IRP_MN_" + title)?.rawValue ?? 0 }
    /// `START_DEVICE`
    public var title: String { rawValue.uppercased().split(separator: "-").joined(separator: "_") }
  }

  public enum PowerRequest: String, CaseIterable, Hashable, Sendable {
    case set, query
  }

  /// A state of the system, `S0` to `S5`, or of a device, `D0` to `D3`.
  public enum PowerState: String, CaseIterable, Hashable, Sendable {
    case s0 = "S0", s1 = "S1", s2 = "S2", s3 = "S3", s4 = "S4", s5 = "S5"
    case d0 = "D0", d1 = "D1", d2 = "D2", d3 = "D3"

    /// `POWER_STATE_TYPE`: 0 for the system, 1 for a device.
    public var type: UInt32 { rawValue.hasPrefix("S") ? 0 : 1 }
    /// `SYSTEM_POWER_STATE` or `DEVICE_POWER_STATE`: the working state is 1.
    public var value: UInt32 { (UInt32(rawValue.dropFirst()) ?? 0) + 1 }
  }
}

extension FixtureReader {
  /// The step that `node` is, if it is about a device of the Plug and Play manager's.
  mutating func readDeviceStep(_ node: FixtureNode) throws(FixtureError) -> Fixture.Step.Action? {
    let roles = try node.entries().map(\.value.role)
    if roles.contains("interrupt") {
      let fields = try node.fields(.interrupt)
      let vector = UInt32(truncatingIfNeeded: try fields.required("interrupt").word(upTo: 0xff))
      return .interrupt(vector: vector, expect: try expectation(fields))
    }
    let request: Fixture.DeviceRequest
    if roles.contains("add-device") {
      let fields = try node.fields(.addDevice)
      request = Fixture.DeviceRequest(try fields.required("add-device").text(), .add, expect: try expectation(fields))
    } else if roles.contains("pnp") {
      let fields = try node.fields(.pnp)
      let kind = try fields.required("pnp").word(Fixture.PlugAndPlayRequest.self)
      request = Fixture.DeviceRequest(try fields.required("of").text(), .plugAndPlay(kind), expect: try expectation(fields))
    } else if roles.contains("power") {
      let fields = try node.fields(.power)
      let kind = try fields.required("power").word(Fixture.PowerRequest.self)
      let state = try fields.required("state").word(Fixture.PowerState.self)
      request = Fixture.DeviceRequest(try fields.required("of").text(), .power(kind, state), expect: try expectation(fields))
    } else {
      return nil
    }
    return .device(request)
  }

  private func expectation(_ fields: Fields) throws(FixtureError) -> Fixture.CallExpectation? {
    guard let node = fields["expect"] else { return nil }
    return try readCallExpectation(node)
  }
}

extension KeyTable {
  static let addDevice = KeyTable("add-device", "the step “add-device”", ["add-device", "expect"], required: ["add-device"])
  static let pnp = KeyTable("pnp", "the step “pnp”", ["pnp", "of", "expect"], required: ["pnp", "of"])
  static let power = KeyTable("power", "the step “power”", ["power", "of", "state", "expect"], required: ["power", "of", "state"])
  static let interrupt = KeyTable("interrupt", "the step “interrupt”", ["interrupt", "expect"], required: ["interrupt"])
}
