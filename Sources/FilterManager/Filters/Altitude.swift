/// A filter's place in the order of filters: a decimal number of any length, with or without a fraction, kept as text
/// (WDK, "Load order groups and altitudes for minifilter drivers"). Higher ones are nearer to the application.
struct Altitude: Hashable, Comparable {
  let text: String
  private let whole: Substring
  private let fraction: Substring

  /// `nil` for what is no number.
  init?(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard !text.isEmpty, text != ".", parts.joined().allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    self.text = text
    whole = parts[0].drop { $0 == "0" }
    var fraction = parts.count > 1 ? parts[1] : ""
    while fraction.last == "0" { fraction.removeLast() }
    self.fraction = fraction
  }

  static func == (a: Self, b: Self) -> Bool { a.whole == b.whole && a.fraction == b.fraction }
  static func < (a: Self, b: Self) -> Bool {
    if a.whole.utf8.count != b.whole.utf8.count { return a.whole.utf8.count < b.whole.utf8.count }
    return a.whole != b.whole ? a.whole < b.whole : a.fraction < b.fraction
  }
  func hash(into hasher: inout Hasher) {
    hasher.combine(whole)
    hasher.combine(fraction)
  }
}
