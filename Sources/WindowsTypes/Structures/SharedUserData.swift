import Guest

/// The page that the kernel shares read-only with every process (`ntddk.h`).
public struct KUSER_SHARED_DATA: GuestStructure {
  public static let name = "_KUSER_SHARED_DATA"
  public var TickCountLow: Field<UInt32> = .absent
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
  public var TraceLogging: Field<UInt32> = .absent
  public let TestRetInstruction: Field<UInt64>
  public let SystemCall: Field<UInt32>
  public let SystemCallReturn: Field<UInt32>
  public let SystemCallPad: Field<UInt64>
  public let TickCount: Field<KSYSTEM_TIME>
  public let TickCountQuad: Field<UInt64>
  public let Cookie: Field<UInt32>
  public var TickCountLowDeprecated: Field<UInt32> = .absent
  public var LargePageMinimum: Field<UInt32> = .absent
  public var TscQpcData: Field<UInt8> = .absent
  public var SharedDataFlags: Field<UInt32> = .absent
  public var ConsoleSessionForegroundProcessId: Field<Int64> = .absent
  public var Wow64SharedInformation: Field<UInt32> = .absent
  public var UserModeGlobalLogger: Field<UInt16> = .absent
  public var ImageFileExecutionOptions: Field<UInt32> = .absent
  public var LangGenerationCount: Field<UInt32> = .absent
  public var InterruptTimeBias: Field<UInt64> = .absent
  public var TscQpcBias: Field<UInt64> = .absent
  public var ActiveProcessorCount: Field<UInt32> = .absent
  public var ActiveGroupCount: Field<UInt16> = .absent
  public var AitSamplingValue: Field<UInt32> = .absent
  public var AppCompatFlag: Field<UInt32> = .absent
  public var SystemDllNativeRelocation: Field<UInt64> = .absent
  public var SystemDllWowRelocation: Field<UInt32> = .absent

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
    ),
    (
      .windows7_x86, 0x5f0,
      KUSER_SHARED_DATA(
        TickCountMultiplier: 0x04, InterruptTime: 0x08, SystemTime: 0x14, TimeZoneBias: 0x20, ImageNumberLow: 0x2c, ImageNumberHigh: 0x2e,
        NtSystemRoot: Field(0x30, count: 260), MaxStackTraceDepth: 0x238, CryptoExponent: 0x23c, TimeZoneId: 0x240,
        Reserved2: Field(0x248, count: 7), NtProductType: 0x264, ProductTypeIsValid: 0x268, NtMajorVersion: 0x26c, NtMinorVersion: 0x270,
        ProcessorFeatures: Field(0x274, count: 64), Reserved1: 0x2b4, Reserved3: 0x2b8, TimeSlip: 0x2bc, AlternativeArchitecture: 0x2c0,
        SystemExpirationDate: 0x2c8, SuiteMask: 0x2d0, KdDebuggerEnabled: 0x2d4, NXSupportPolicy: 0x2d5, ActiveConsoleId: 0x2d8,
        DismountCount: 0x2dc, ComPlusPackage: 0x2e0, LastSystemRITEventTickCount: 0x2e4, NumberOfPhysicalPages: 0x2e8, SafeBootMode: 0x2ec,
        TestRetInstruction: 0x2f8, SystemCall: 0x300, SystemCallReturn: 0x304, SystemCallPad: Field(0x308, count: 3), TickCount: 0x320,
        TickCountQuad: 0x320, Cookie: 0x330, TickCountLowDeprecated: 0x00, LargePageMinimum: 0x244, TscQpcData: 0x2ed,
        SharedDataFlags: 0x2f0, ConsoleSessionForegroundProcessId: 0x338, Wow64SharedInformation: Field(0x340, count: 16),
        UserModeGlobalLogger: Field(0x380, count: 16), ImageFileExecutionOptions: 0x3a0, LangGenerationCount: 0x3a4,
        InterruptTimeBias: 0x3b0, TscQpcBias: 0x3b8, ActiveProcessorCount: 0x3c0, ActiveGroupCount: 0x3c4, AitSamplingValue: 0x3c8,
        AppCompatFlag: 0x3cc, SystemDllNativeRelocation: 0x3d0, SystemDllWowRelocation: 0x3d8)
    ))
}
