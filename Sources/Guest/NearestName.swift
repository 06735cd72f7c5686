/// The candidate that a misspelt `word` most likely means: the first of those that differ least, by no more than a third of its
/// letters, or two. Case does not count.
public func nearest(_ word: String, among candidates: some Sequence<String>) -> String? {
  let letters = Array(word.lowercased().utf8)
  guard letters.count <= 128 else { return nil }
  var best: (distance: Int, candidate: String)?
  for candidate in candidates {
    let other = Array(candidate.lowercased().utf8)
    let limit = min(best.map { $0.distance - 1 } ?? max(2, letters.count / 3), other.count - 1)
    if let distance = editDistance(letters, other, limit: limit) { best = (distance, candidate) }
  }
  return best?.candidate
}

/// `; did you mean “x”?` with the candidate that `word` most likely means, or nothing where none is close.
public func suggestion(for word: String, among candidates: some Sequence<String>) -> String {
  nearest(word, among: candidates).map { "; did you mean “\($0)”?" } ?? ""
}

/// How many letters must be inserted, removed or replaced to turn one into the other, unless more than `limit`.
private func editDistance(_ a: [UInt8], _ b: [UInt8], limit: Int) -> Int? {
  guard abs(a.count - b.count) <= limit else { return nil }
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in b.enumerated() {
      (diagonal, row[j + 1]) = (row[j + 1], min(diagonal + (letter == other ? 0 : 1), row[j] + 1, row[j + 1] + 1))
    }
  }
  return row[b.count] <= limit ? row[b.count] : nil
}
