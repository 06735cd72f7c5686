import Guest

/// A minor function, which has a meaning only together with its major one (`wdm.h`).
public struct MinorFunction: Hashable, Sendable {
  public let major: IRP_MJ
  public let rawValue: UInt8

  public init(_ rawValue: UInt8, of major: IRP_MJ) {
    self.major = major
    self.rawValue = rawValue
  }

  /// The minor function with this C name, spelled in any case: `IRP_MN_QUERY_DIRECTORY`.
  public init?(name: String) {
    let name = name.uppercased()
    for (major, names) in Self.names {
      if let found = names.first(where: { $0.value == name }) {
        self.init(found.key, of: major)
        return
      }
    }
    return nil
  }

  /// The C name, if this major function has such a minor one.
  public var name: String? { Self.names.first { $0.major == major }?.names[rawValue] }

  private static let directory: [UInt8: String] = [1: "IRP_MN_QUERY_DIRECTORY", 2: "IRP_MN_NOTIFY_CHANGE_DIRECTORY"]
  private static let fileSystem: [UInt8: String] = [
    0: "IRP_MN_USER_FS_REQUEST", 1: "IRP_MN_MOUNT_VOLUME", 2: "IRP_MN_VERIFY_VOLUME", 3: "IRP_MN_LOAD_FILE_SYSTEM",
    4: "IRP_MN_KERNEL_CALL",
  ]
  private static let lock: [UInt8: String] = [
    1: "IRP_MN_LOCK", 2: "IRP_MN_UNLOCK_SINGLE", 3: "IRP_MN_UNLOCK_ALL", 4: "IRP_MN_UNLOCK_ALL_BY_KEY",
  ]
  private static let transfer: [UInt8: String] = [
    0: "IRP_MN_NORMAL", 1: "IRP_MN_DPC", 2: "IRP_MN_MDL", 3: "IRP_MN_MDL_DPC", 4: "IRP_MN_COMPLETE", 6: "IRP_MN_COMPLETE_MDL",
    7: "IRP_MN_COMPLETE_MDL_DPC", 8: "IRP_MN_COMPRESSED",
  ]
  private static let power: [UInt8: String] = [
    0: "IRP_MN_WAIT_WAKE", 1: "IRP_MN_POWER_SEQUENCE", 2: "IRP_MN_SET_POWER", 3: "IRP_MN_QUERY_POWER",
  ]
  private static let pnp: [UInt8: String] = [
    0x00: "IRP_MN_START_DEVICE", 0x01: "IRP_MN_QUERY_REMOVE_DEVICE", 0x02: "IRP_MN_REMOVE_DEVICE",
    0x03: "IRP_MN_CANCEL_REMOVE_DEVICE", 0x04: "IRP_MN_STOP_DEVICE", 0x05: "IRP_MN_QUERY_STOP_DEVICE",
    0x06: "IRP_MN_CANCEL_STOP_DEVICE", 0x07: "IRP_MN_QUERY_DEVICE_RELATIONS", 0x08: "IRP_MN_QUERY_INTERFACE",
    0x09: "IRP_MN_QUERY_CAPABILITIES", 0x0a: "IRP_MN_QUERY_RESOURCES", 0x0b: "IRP_MN_QUERY_RESOURCE_REQUIREMENTS",
    0x0c: "IRP_MN_QUERY_DEVICE_TEXT", 0x0d: "IRP_MN_FILTER_RESOURCE_REQUIREMENTS", 0x0f: "IRP_MN_READ_CONFIG",
    0x10: "IRP_MN_WRITE_CONFIG", 0x11: "IRP_MN_EJECT", 0x12: "IRP_MN_SET_LOCK", 0x13: "IRP_MN_QUERY_ID",
    0x14: "IRP_MN_QUERY_PNP_DEVICE_STATE", 0x15: "IRP_MN_QUERY_BUS_INFORMATION", 0x16: "IRP_MN_DEVICE_USAGE_NOTIFICATION",
    0x17: "IRP_MN_SURPRISE_REMOVAL",
  ]
  private static let names: [(major: IRP_MJ, names: [UInt8: String])] = [
    (.directoryControl, directory), (.fileSystemControl, fileSystem), (.lockControl, lock), (.read, transfer),
    (.write, transfer), (.power, power), (.pnp, pnp),
  ]
}

extension MinorFunction: CustomStringConvertible {
  /// The C name, or the value in hexadecimal with `0x`.
  public var description: String { name ?? "0x" + hex(rawValue, digits: 1) }
}
