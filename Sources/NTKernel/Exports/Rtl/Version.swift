import Guest
import WindowsTypes

extension Export {
  /// Which Windows this is: a workstation, with the last service pack.
  static let version: [Export] = [
    // nf-wdm-rtlgetversion: the size that the caller set says which of the two forms is filled in.
    export("RtlGetVersion(lpVersionInformation)", irql: .passive) { (_, info: Pointer<OSVERSIONINFOEXW>) -> NTSTATUS in
      let size = try info.dwOSVersionInfoSize.load()
      let system = info.memory.target.system
      try info.dwMajorVersion.store(system.major)
      try info.dwMinorVersion.store(system.minor)
      try info.dwBuildNumber.store(system.build)
      try info.dwPlatformId.store(system.platform)
      try info.szCSDVersion.write(Array(system.servicePackText.utf16) + [0])
      if size == UInt32(Pointer<OSVERSIONINFOEXW>.size(in: info.memory)) {
        try info.wServicePackMajor.store(UInt16(system.servicePackMajor))
        try info.wServicePackMinor.store(UInt16(system.servicePackMinor))
        try info.wSuiteMask.store(UInt16(system.suites))
        try info.wProductType.store(UInt8(system.productType))
        try info.wReserved.store(0)
      }
      return .success
    },
    // nf-wdm-rtlverifyversioninfo
    export("RtlVerifyVersionInfo(VersionInfo, TypeMask, ConditionMask)", irql: .passive) {
      (_, info: Pointer<OSVERSIONINFOEXW>, types: UInt32, conditions: UInt64) -> NTSTATUS in
      try verify(info, types, conditions)
    },
    // nf-wdm-versetconditionmask: three bits for each member, in the order of the type bits.
    export("VerSetConditionMask(ConditionMask, TypeMask, Condition)") {
      (_, mask: UInt64, types: UInt32, condition: UInt8) -> UInt64 in
      guard types != 0, condition & 7 != 0 else { return mask }
      // Several type bits at once stand for the highest of them.
      let position = UInt64(31 - types.leadingZeroBitCount)
      return mask | UInt64(condition & 7) << (3 * position)
    },
    // nf-ntddk-psgetversion
    export("PsGetVersion(MajorVersion, MinorVersion, BuildNumber, CSDVersion)") {
      (
        kernel, major: Pointer<UInt32>, minor: Pointer<UInt32>, build: Pointer<UInt32>, pack: Pointer<UNICODE_STRING>
      ) -> UInt8 in
      let system = kernel.memory.target.system
      for (place, value) in [(major, system.major), (minor, system.minor), (build, system.build)] where !place.isNull {
        try place.store(value)
      }
      if !pack.isNull {
        let units = Array(system.servicePackText.utf16)
        guard try kernel.allocate(pack, count: units.count + 1) else { return 0 }
        try pack.text.write(units + [0])
        try pack.set(count: units.count)
      }
      // Whether it is a checked build.
      return 0
    }
    .uncertain("the service pack's text lies in pool that nobody frees"),
    // nf-ntddk-ioiswdmversionavailable: XP is WDM 1.30, Windows 7 is 6.0.
    export("IoIsWdmVersionAvailable(MajorVersion, MinorVersion)") { (kernel, major: UInt8, minor: UInt8) -> UInt8 in
      (major, minor) <= kernel.memory.target.system.driverModel ? 1 : 0
    },
    // nf-wdm-exisprocessorfeaturepresent: what the shared page says; nothing beyond its 64 features.
    export("ExIsProcessorFeaturePresent(ProcessorFeature)") { (kernel, feature: UInt32) -> UInt8 in
      guard feature < 64 else { return 0 }
      let shared = Pointer<KUSER_SHARED_DATA>(kernel.memory.target.sharedUserDataAddress, in: kernel.memory.memory)
      return try shared.ProcessorFeatures[Int(feature)].load()
    },
    // nf-ntddk-exverifysuite: by the suite's number in SUITE_TYPE.
    export("ExVerifySuite(SuiteType)") { (kernel, suite: UInt32) -> UInt8 in
      suite < 32 && kernel.memory.target.system.suites >> suite & 1 != 0 ? 1 : 0
    },
  ]

  /// A member of the structure, its bit in the type mask, and the system's value.
  private static func verify(_ info: Pointer<OSVERSIONINFOEXW>, _ types: UInt32, _ conditions: UInt64) throws -> NTSTATUS {
    if types == 0 { return .invalidParameter }
    if conditions == 0 { return .invalidParameter }
    let system = info.memory.target.system
    func condition(_ type: UInt32) -> UInt64 { conditions >> UInt64(3 * type.trailingZeroBitCount) & 7 }
    let mismatch = NTSTATUS.revisionMismatch
    // Suites and product type are judged on their own; the version's parts from the highest down, as one number.
    if types & VersionType.suite != 0 {
      let wanted = UInt32(try info.wSuiteMask.load())
      switch condition(VersionType.suite) {
      case VersionCondition.and: if system.suites & wanted != wanted { return mismatch }
      case VersionCondition.or: if wanted != 0 && system.suites & wanted == 0 { return mismatch }
      default: return .invalidParameter
      }
    }
    let parts: [(UInt32, UInt32, UInt32)] = [
      (VersionType.major, system.major, try info.dwMajorVersion.load()),
      (VersionType.minor, system.minor, try info.dwMinorVersion.load()),
      (VersionType.servicePackMajor, system.servicePackMajor, UInt32(try info.wServicePackMajor.load())),
      (VersionType.servicePackMinor, system.servicePackMinor, UInt32(try info.wServicePackMinor.load())),
    ]
    let asked = parts.filter { types & $0.0 != 0 }
    if let first = asked.first {
      // The condition of the highest part that is asked for goes for all.
      guard let holds = holds(condition(first.0), asked.map(\.1), asked.map(\.2)) else { return .invalidParameter }
      if !holds { return mismatch }
    }
    let others: [(UInt32, UInt32, UInt32)] = [
      (VersionType.build, system.build, try info.dwBuildNumber.load()),
      (VersionType.platform, system.platform, try info.dwPlatformId.load()),
      (VersionType.productType, system.productType, UInt32(try info.wProductType.load())),
    ]
    for (type, actual, wanted) in others where types & type != 0 {
      guard let holds = holds(condition(type), [actual], [wanted]) else { return .invalidParameter }
      if !holds { return mismatch }
    }
    return .success
  }

  private static func holds(_ condition: UInt64, _ actual: [UInt32], _ wanted: [UInt32]) -> Bool? {
    switch condition {
    case VersionCondition.equal: actual == wanted
    case VersionCondition.greater: wanted.lexicographicallyPrecedes(actual)
    case VersionCondition.greaterOrEqual: !actual.lexicographicallyPrecedes(wanted)
    case VersionCondition.less: actual.lexicographicallyPrecedes(wanted)
    case VersionCondition.lessOrEqual: !wanted.lexicographicallyPrecedes(actual)
    default: nil
    }
  }
}

/// Type bits of `VerSetConditionMask` (`winnt.h`).
private enum VersionType {
  static let minor: UInt32 = 0x1
  static let major: UInt32 = 0x2
  static let build: UInt32 = 0x4
  static let platform: UInt32 = 0x8
  static let servicePackMinor: UInt32 = 0x10
  static let servicePackMajor: UInt32 = 0x20
  static let suite: UInt32 = 0x40
  static let productType: UInt32 = 0x80
}

/// Conditions of `VerSetConditionMask` (`winnt.h`).
private enum VersionCondition {
  static let equal: UInt64 = 1
  static let greater: UInt64 = 2
  static let greaterOrEqual: UInt64 = 3
  static let less: UInt64 = 4
  static let lessOrEqual: UInt64 = 5
  static let and: UInt64 = 6
  static let or: UInt64 = 7
}
