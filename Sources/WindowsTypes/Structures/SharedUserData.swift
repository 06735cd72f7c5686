import Guest

/// The page that the kernel shares read-only with every process (`ntddk.h`).
public struct KUSER_SHARED_DATA: GuestStructure {
  public static let name = "_KUSER_SHARED_DATA"
  public let TickCountLow: Field<UInt32>
  public let TickCountMultiplier: Field<UInt32>
  public let InterruptTime: Field<KSYSTEM_TIME>
  public let SystemTime: Field<KSYSTEM_TIME>
  public let TimeZoneBias: Field<KSYSTEM_TIME>
  public let ImageNumberLow: Field<UInt16>
  public let ImageNumberHigh: Field<UInt16>
  public let NtSystemRoot: Field<UInt16>
  public let MaxStackTraceDepth: Field<UInt32>
  public let CryptoExponent: Field<UInt32>
  public let TimeZoneId: Field<UInt32>
  public let Reserved2: Field<UInt32>
  public let NtProductType: Field<UInt32>
  public let ProductTypeIsValid: Field<UInt8>
  public let NtMajorVersion: Field<UInt32>
  public let NtMinorVersion: Field<UInt32>
  public let ProcessorFeatures: Field<UInt8>
  public let Reserved1: Field<UInt32>
  public let Reserved3: Field<UInt32>
  public let TimeSlip: Field<UInt32>
  public let AlternativeArchitecture: Field<UInt32>
  public let SystemExpirationDate: Field<LARGE_INTEGER>
  public let SuiteMask: Field<UInt32>
  public let KdDebuggerEnabled: Field<UInt8>
  public let NXSupportPolicy: Field<UInt8>
  public let ActiveConsoleId: Field<UInt32>
  public let DismountCount: Field<UInt32>
  public let ComPlusPackage: Field<UInt32>
  public let LastSystemRITEventTickCount: Field<UInt32>
  public let NumberOfPhysicalPages: Field<UInt32>
  public let SafeBootMode: Field<UInt8>
  public let TraceLogging: Field<UInt32>
  public let TestRetInstruction: Field<UInt64>
  public let SystemCall: Field<UInt32>
  public let SystemCallReturn: Field<UInt32>
  public let SystemCallPad: Field<UInt64>
  public let TickCount: Field<KSYSTEM_TIME>
  public let TickCountQuad: Field<UInt64>
  public let Cookie: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x338,
      KUSER_SHARED_DATA(
        TickCountLow: 0x00, TickCountMultiplier: 0x04, InterruptTime: 0x08, SystemTime: 0x14, TimeZoneBias: 0x20,
        ImageNumberLow: 0x2c, ImageNumberHigh: 0x2e, NtSystemRoot: Field(0x30, count: 260), MaxStackTraceDepth: 0x238,
        CryptoExponent: 0x23c, TimeZoneId: 0x240, Reserved2: Field(0x244, count: 8), NtProductType: 0x264,
        ProductTypeIsValid: 0x268, NtMajorVersion: 0x26c, NtMinorVersion: 0x270, ProcessorFeatures: Field(0x274, count: 64),
        Reserved1: 0x2b4, Reserved3: 0x2b8, TimeSlip: 0x2bc, AlternativeArchitecture: 0x2c0, SystemExpirationDate: 0x2c8,
        SuiteMask: 0x2d0, KdDebuggerEnabled: 0x2d4, NXSupportPolicy: 0x2d5, ActiveConsoleId: 0x2d8, DismountCount: 0x2dc,
        ComPlusPackage: 0x2e0, LastSystemRITEventTickCount: 0x2e4, NumberOfPhysicalPages: 0x2e8, SafeBootMode: 0x2ec,
        TraceLogging: 0x2f0, TestRetInstruction: 0x2f8, SystemCall: 0x300, SystemCallReturn: 0x304,
        SystemCallPad: Field(0x308, count: 3), TickCount: 0x320, TickCountQuad: 0x320, Cookie: 0x330
      )
    ))
}
