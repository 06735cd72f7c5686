/// The results as people read them, and as programs do.
enum Table {
  static func text(_ result: Row.Result) -> String {
    let met = result.isMet.map { $0 ? "yes" : "NO" } ?? ""
    return [
      result.row.name.padded(52), "\(number(result.value)) \(result.row.unit)".padded(18),
      (result.baseline.map(number) ?? "").padded(10), (result.ratio.map(number) ?? "").padded(8), result.goalText.padded(14), met,
    ].joined(separator: " ")
  }

  static let header = [
    "what".padded(52), "ours".padded(18), "baseline".padded(10), "ratio".padded(8), "goal".padded(14), "met",
  ].joined(separator: " ")

  static func json(_ results: [Row.Result]) -> String {
    let objects = results.map { result in
      let fields: [(String, String)] = [
        ("name", "\"\(result.row.name)\""), ("value", number(result.value)), ("unit", "\"\(result.row.unit)\""),
        ("baseline", result.baseline.map(number) ?? "null"), ("ratio", result.ratio.map(number) ?? "null"),
        ("goal", result.goalText.isEmpty ? "null" : "\"\(result.goalText)\""), ("met", result.isMet.map(String.init) ?? "null"),
      ]
      return "  {" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }
    return "[\n" + objects.joined(separator: ",\n") + "\n]"
  }

  /// Three decimals are more than a noisy machine can tell.
  private static func number(_ value: Double) -> String {
    let rounded = (value * 1000).rounded() / 1000
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
  }
}

extension String {
  fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
