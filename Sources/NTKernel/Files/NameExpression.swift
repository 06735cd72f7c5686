import Guest

/// Matching of names with wild cards (nf-ntifs-_fsrtl_advanced... `FsRtlIsNameInExpression`): `*` and `?`, and the three characters
/// that stand for what they mean to MS-DOS programs: `<` (DOS_STAR), `>` (DOS_QM) and `"` (DOS_DOT).
enum NameExpression {
  static let (star, question): (UInt16, UInt16) = (0x2a, 0x3f)
  static let (dosStar, dosQuestion, dosDot): (UInt16, UInt16, UInt16) = (0x3c, 0x3e, 0x22)
  private static let dot: UInt16 = 0x2e

  static func isWildCard(_ unit: UInt16) -> Bool { [star, question, dosStar, dosQuestion, dosDot].contains(unit) }

  /// Whether the whole of `name` matches. Both are in capitals where case does not matter.
  static func matches(_ name: [UInt16], _ expression: [UInt16]) -> Bool {
    if name.isEmpty || expression.isEmpty { return name.isEmpty && expression.isEmpty }
    if expression == [star] { return true }
    let lastDot = name.lastIndex(of: dot)
    var states = Array(repeating: false, count: expression.count + 1)
    states[0] = true
    for (index, unit) in name.enumerated() {
      skip(&states, expression, before: unit)
      var next = Array(repeating: false, count: expression.count + 1)
      for (place, wanted) in expression.enumerated() where states[place] {
        switch wanted {
        case star: next[place] = true
        // Everything but the last period of the name.
        case dosStar: if unit != dot || index != lastDot { next[place] = true }
        case question: next[place + 1] = true
        case dosQuestion: if unit != dot { next[place + 1] = true }
        case dosDot: if unit == dot { next[place + 1] = true }
        default: if unit == wanted { next[place + 1] = true }
        }
      }
      states = next
      if !states.contains(true) { return false }
    }
    skip(&states, expression, before: nil)
    return states[expression.count]
  }

  /// Takes the steps that use up nothing of the name.
  private static func skip(_ states: inout [Bool], _ expression: [UInt16], before unit: UInt16?) {
    for (place, wanted) in expression.enumerated() where states[place] {
      switch wanted {
      case star, dosStar: states[place + 1] = true
      case dosQuestion where unit == nil || unit == dot: states[place + 1] = true
      case dosDot where unit == nil: states[place + 1] = true
      default: break
      }
    }
  }
}
