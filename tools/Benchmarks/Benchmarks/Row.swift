/// One line of the table: what is measured, and what it should be.
struct Row: Sendable {
  let name: String
  let unit: String
  let goal: Goal
  /// Measures once: our value, and what it is compared with, if anything.
  let measure: @Sendable () throws -> (value: Double, baseline: Double?)

  enum Goal: Sendable {
    /// Our value is at least so many times the baseline.
    case ratioAtLeast(Double)
    case ratioAtMost(Double)
    /// Our value differs from the baseline by at most this part of it.
    case within(Double)
    case below(Double)
    case atMost(Double)
    /// A figure of our own.
    case none
  }

  init(_ name: String, _ unit: String, _ goal: Goal, measure: @escaping @Sendable () throws -> (value: Double, baseline: Double?)) {
    self.name = name
    self.unit = unit
    self.goal = goal
    self.measure = measure
  }

  /// The medians of several measurements; the ratio is the median of theirs, so that noise in both at a time cancels.
  func result(repetitions: Int) throws -> Result {
    let all = try (0..<repetitions).map { _ in try measure() }
    let baselines = all.compactMap(\.baseline)
    let ratios = all.compactMap { one in one.baseline.map { one.value / $0 } }
    return Result(
      row: self, value: median(all.map(\.value)), baseline: baselines.isEmpty ? nil : median(baselines),
      ratio: ratios.isEmpty ? nil : median(ratios))
  }

  struct Result: Sendable {
    let row: Row
    let value: Double
    let baseline: Double?
    let ratio: Double?

    /// `nil` where there is no goal.
    var isMet: Bool? {
      switch row.goal {
      case .ratioAtLeast(let least): ratio.map { $0 >= least }
      case .ratioAtMost(let most): ratio.map { $0 <= most }
      case .within(let part): ratio.map { abs($0 - 1) <= part }
      case .below(let limit): value < limit
      case .atMost(let limit): value <= limit
      case .none: nil
      }
    }

    var goalText: String {
      switch row.goal {
      case .ratioAtLeast(let least): "ratio >= \(least)"
      case .ratioAtMost(let most): "ratio <= \(most)"
      case .within(let part): "ratio 1 ± \(part)"
      case .below(let limit): "< \(limit) \(row.unit)"
      case .atMost(let limit): "<= \(limit) \(row.unit)"
      case .none: ""
      }
    }
  }
}

private func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
