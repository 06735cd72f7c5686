import Emulation
import Images

/// Why a command ends without a result: one line on standard error, and an exit code.
struct Failure: Error, Hashable {
  enum Code: Int32 {
    case usage = 64, badInput = 65, missingFile = 66, software = 70
  }

  let code: Code
  let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  init(_ error: FixtureError) {
    self.init(error.kind == .missingFile ? .missingFile : .badInput, error.description)
  }

  init(_ error: ListingError) {
    self.init(.badInput, error.description)
  }
}

/// `; did you mean trace?`, or nothing where no candidate is close: within a third of the letters, at least two.
func suggestion(_ word: String, among candidates: some Sequence<String>) -> String {
  nearest(word, among: candidates).map { "; did you mean \($0)?" } ?? ""
}

/// The candidate that a misspelt word most likely means.
func nearest(_ word: String, among candidates: some Sequence<String>) -> String? {
  let letters = Array(word.lowercased().utf8.prefix(128))
  var best: (distance: Int, candidate: String)?
  for candidate in candidates {
    let distance = editDistance(letters, Array(candidate.lowercased().utf8.prefix(128)))
    guard distance <= max(2, letters.count / 3), distance < candidate.utf8.count, distance < best?.distance ?? .max else { continue }
    best = (distance, candidate)
  }
  return best?.candidate
}

private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let replaced = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j + 1] + 1, row[j] + 1)
    }
  }
  return row[b.count]
}
