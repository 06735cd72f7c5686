import Guest
import WindowsTypes

/// The calendar: times are counts of 100 ns from 1601-01-01, and years have the Gregorian length.
extension Export {
  static let calendar: [Export] = [
    // nf-wdm-rtltimetotimefields
    export("RtlTimeToTimeFields(Time, TimeFields)") { (_, time: Pointer<Int64>, fields: Pointer<TIME_FIELDS>) in
      let milliseconds = try time.load() / 10_000
      let (days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000)
      let date = Calendar.date(day: days)
      try fields.Year.store(Int16(truncatingIfNeeded: date.year))
      try fields.Month.store(Int16(date.month))
      try fields.Day.store(Int16(date.day))
      try fields.Hour.store(Int16(rest / 3_600_000))
      try fields.Minute.store(Int16(rest / 60_000 % 60))
      try fields.Second.store(Int16(rest / 1000 % 60))
      try fields.Milliseconds.store(Int16(rest % 1000))
      // 1601-01-01 was a Monday.
      try fields.Weekday.store(Int16((days + 1) % 7))
    },
    // nf-wdm-rtltimefieldstotime: FALSE for a date or a time that there is not; the weekday does not count.
    export("RtlTimeFieldsToTime(TimeFields, Time)") {
      (_, fields: Pointer<TIME_FIELDS>, time: Pointer<Int64>) -> UInt8 in
      let (year, month, day) = (try fields.Year.load(), try fields.Month.load(), try fields.Day.load())
      let (hour, minute, second) = (try fields.Hour.load(), try fields.Minute.load(), try fields.Second.load())
      let millisecond = try fields.Milliseconds.load()
      guard year >= 1601, 1...12 ~= month, day >= 1, Int(day) <= Calendar.days(in: Int(month), of: Int64(year)),
        0...23 ~= hour, 0...59 ~= minute, 0...59 ~= second, 0...999 ~= millisecond
      else { return 0 }
      let days = Calendar.day(year: Int64(year), month: Int(month), day: Int(day))
      let seconds = ((days * 24 + Int64(hour)) * 60 + Int64(minute)) * 60 + Int64(second)
      try time.store((seconds * 1000 + Int64(millisecond)) * 10_000)
      return 1
    },
    // nf-ntddk-rtltimetosecondssince1970: FALSE outside of what 32 bits count.
    export("RtlTimeToSecondsSince1970(Time, ElapsedSeconds)") {
      (_, time: Pointer<UInt64>, seconds: Pointer<UInt32>) -> UInt8 in try count(time, since: Calendar.start1970, seconds)
    },
    export("RtlTimeToSecondsSince1980(Time, ElapsedSeconds)") {
      (_, time: Pointer<UInt64>, seconds: Pointer<UInt32>) -> UInt8 in try count(time, since: Calendar.start1980, seconds)
    },
    // nf-ntddk-rtlsecondssince1970totime
    export("RtlSecondsSince1970ToTime(ElapsedSeconds, Time)") { (_, seconds: UInt32, time: Pointer<UInt64>) in
      try time.store((UInt64(seconds) + Calendar.start1970) * 10_000_000)
    },
    export("RtlSecondsSince1980ToTime(ElapsedSeconds, Time)") { (_, seconds: UInt32, time: Pointer<UInt64>) in
      try time.store((UInt64(seconds) + Calendar.start1980) * 10_000_000)
    },
  ]

  private static func count(_ time: Pointer<UInt64>, since start: UInt64, _ seconds: Pointer<UInt32>) throws -> UInt8 {
    let whole = try time.load() / 10_000_000
    guard whole >= start, whole - start <= UInt64(UInt32.max) else { return 0 }
    try seconds.store(UInt32(whole - start))
    return 1
  }
}

private enum Calendar {
  /// In seconds from 1601.
  static let start1970: UInt64 = 11_644_473_600
  static let start1980: UInt64 = 11_960_006_400

  private static let yearStarts = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]

  static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && year % 100 != 0 || year % 400 == 0 }

  static func days(in month: Int, of year: Int64) -> Int {
    yearStarts[month] - yearStarts[month - 1] + (month == 2 && isLeap(year) ? 1 : 0)
  }

  /// How many days the years before `year` have, from 1601 on.
  private static func start(of year: Int64) -> Int64 {
    let years = year - 1601
    return years * 365 + years / 4 - years / 100 + years / 400
  }

  static func day(year: Int64, month: Int, day: Int) -> Int64 {
    start(of: year) + Int64(yearStarts[month - 1] + day - 1) + (month > 2 && isLeap(year) ? 1 : 0)
  }

  static func date(day: Int64) -> (year: Int64, month: Int, day: Int) {
    var year = 1601 + day * 400 / 146_097
    while start(of: year) > day { year -= 1 }
    while start(of: year + 1) <= day { year += 1 }
    var rest = Int(day - start(of: year))
    var month = 1
    while month < 12 && rest >= days(in: month, of: year) {
      rest -= days(in: month, of: year)
      month += 1
    }
    return (year, month, rest + 1)
  }
}
