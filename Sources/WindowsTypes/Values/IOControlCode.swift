import Guest

/// How a control code passes its buffers: its low two bits (`wdm.h`).
public enum TransferMethod: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  case buffered, inDirect, outDirect, neither

  /// The C name: `METHOD_IN_DIRECT`.
  public var description: String {
    switch self {
    case .buffered: "METHOD_BUFFERED"
    case .inDirect: "METHOD_IN_DIRECT"
    case .outDirect: "METHOD_OUT_DIRECT"
    case .neither: "METHOD_NEITHER"
    }
  }
}

/// A device or file-system control code, as the macro `CTL_CODE` puts it together (`wdm.h`).
public struct IOControlCode: GuestScalar, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `CTL_CODE(DeviceType, Function, Method, Access)`.
  public init(deviceType: UInt16, function: UInt16, method: TransferMethod, access: UInt8) {
    rawValue = UInt32(deviceType) << 16 | UInt32(access & 3) << 14 | UInt32(function & 0xfff) << 2 | UInt32(method.rawValue)
  }

  public var deviceType: UInt16 { UInt16(rawValue >> 16) }
  /// 0 any, 1 read, 2 write access to the device.
  public var access: UInt8 { UInt8(rawValue >> 14 & 3) }
  public var function: UInt16 { UInt16(rawValue >> 2 & 0xfff) }
  public var method: TransferMethod { TransferMethod(rawValue: UInt8(rawValue & 3))! }
}

extension IOControlCode: CustomStringConvertible {
  /// The code and its parts: `0x00222003 (device 0x22, function 0x800, METHOD_NEITHER, any access)`.
  public var description: String {
    let access = ["any", "read", "write", "read and write"][Int(access)]
    return
      "0x\(hex(rawValue)) (device 0x\(hex(deviceType, digits: 1)), function 0x\(hex(function, digits: 1)), \(method), \(access) access)"
  }
}
