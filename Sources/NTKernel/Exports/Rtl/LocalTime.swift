import Guest
import WindowsTypes

extension Export {
  /// Time zones and spans of time.
  static let localTime: [Export] = [
    // RtlSystemTimeToLocalTime, RtlLocalTimeToSystemTime (ntrtl.h): by the zone's bias, as ExSystemTimeToLocalTime.
    export("RtlSystemTimeToLocalTime(SystemTime, LocalTime)") {
      (kernel, system: Pointer<UInt64>, local: Pointer<UInt64>) -> NTSTATUS in
      try local.store(system.load() &- kernel.timeZoneBias())
      return .success
    },
    export("RtlLocalTimeToSystemTime(LocalTime, SystemTime)") {
      (kernel, local: Pointer<UInt64>, system: Pointer<UInt64>) -> NTSTATUS in
      try system.store(local.load() &+ kernel.timeZoneBias())
      return .success
    },
    // RtlTimeToElapsedTimeFields (ntrtl.h): a span has days, and neither month nor year.
    export("RtlTimeToElapsedTimeFields(Time, TimeFields)") { (_, time: Pointer<Int64>, fields: Pointer<TIME_FIELDS>) in
      let milliseconds = try time.load() / 10_000
      let (days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000)
      try fields.zero()
      try fields.Day.store(Int16(truncatingIfNeeded: days))
      try fields.Hour.store(Int16(truncatingIfNeeded: rest / 3_600_000))
      try fields.Minute.store(Int16(truncatingIfNeeded: rest / 60_000 % 60))
      try fields.Second.store(Int16(truncatingIfNeeded: rest / 1000 % 60))
      try fields.Milliseconds.store(Int16(truncatingIfNeeded: rest % 1000))
    },
    // RtlQueryTimeZoneInformation (ntrtl.h): what the registry says, as TIME_ZONE_INFORMATION.
    export("RtlQueryTimeZoneInformation(TimeZoneInformation)", irql: .passive) { (kernel, result: Pointer<UInt8>) -> NTSTATUS in
      guard let key = kernel.registry.key(at: timeZoneKey) else { return .objectNameNotFound }
      try result.write(timeZone(key))
      return .success
    },
    // nf-timezoneapi-getdynamictimezoneinformation: the zone's key behind it, and whether daylight saving is fixed.
    export("RtlQueryDynamicTimeZoneInformation(TimeZoneInformation)", irql: .passive) {
      (kernel, result: Pointer<UInt8>) -> NTSTATUS in
      guard let key = kernel.registry.key(at: timeZoneKey) else { return .objectNameNotFound }
      let name = Array((key.value("TimeZoneKeyName")?.data.units ?? []).prefix { $0 != 0 }.prefix(127))
      let units = name + Array(repeating: 0, count: 128 - name.count)
      let isFixed = key.value("DynamicDaylightTimeDisabled")?.data.number ?? 0 != 0
      try result.write(timeZone(key) + units.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] } + [isFixed ? 1 : 0, 0, 0, 0])
      return .success
    },
  ]

  private static let timeZoneKey = #"\Registry\Machine\System\CurrentControlSet\Control\TimeZoneInformation"#

  /// `RTL_TIME_ZONE_INFORMATION`: the bias, and the name, begin and bias of standard and of daylight time.
  private static func timeZone(_ key: RegistryKey) -> [UInt8] {
    func number(_ name: String) -> [UInt8] {
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: key.value(name)?.data.number ?? 0).littleEndian) { Array($0) }
    }
    func half(_ season: String) -> [UInt8] {
      let units = Array((key.value(season + "Name")?.data.units ?? []).prefix { $0 != 0 }.prefix(31))
      let name = (units + Array(repeating: 0, count: 32 - units.count)).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
      let start = Array((key.value(season + "Start")?.data.bytes ?? []).prefix(16))
      return name + start + Array(repeating: 0, count: 16 - start.count) + number(season + "Bias")
    }
    return number("Bias") + half("Standard") + half("Daylight")
  }
}
