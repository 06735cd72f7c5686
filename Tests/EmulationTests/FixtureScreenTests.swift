import Testing
import Yams

@testable import Emulation

private let anchored = """
  a: &x it's
    b
  c:
  - |
    &y z
  - 'q &z'
  - [a, &w b, 'c
     d &e']
  -  &f {k: v}
  - *f
  d: >2-
     *m
     &n
  e: "x\\" &o" # *p
  "f": plain
    *q
  """

/// Whether any of the first `budget` nodes has an anchor.
private func hasAnchor(_ node: Node, _ budget: inout Int) -> Bool {
  budget -= 1
  if budget < 0 || node.anchor != nil { return true }
  switch node {
  case .mapping(let mapping): return mapping.contains { hasAnchor($0.key, &budget) || hasAnchor($0.value, &budget) }
  case .sequence(let sequence): return sequence.contains { hasAnchor($0, &budget) }
  default: return false
  }
}

@Test("the screen finds the anchors that the parser finds, and no others", arguments: 0..<4)
func screenAgrees(batch: UInt64) {
  let texts = [lockFromSystemWorker, everything, anchored, anchored.replacingAnchors].map { Array($0.utf8) }
  var refusals = 0
  for seed in batch * 1000..<(batch + 1) * 1000 {
    var random = SplitMix64(state: seed)
    let text = String(decoding: mutated(texts[Int(seed % 4)], &random), as: UTF8.self)
    var screened: String?
    do throws(FixtureError) { try YAMLScreen.check(text, file: "a.yaml") } catch { screened = error.message }
    guard let parser = try? Parser(yaml: text, resolver: .basic, encoding: .utf8) else { continue }
    var found = false
    do {
      var budget = 10_000
      while let document = try parser.nextRoot() { found = hasAnchor(document, &budget) || found }
    } catch { continue }
    if found { refusals += 1 }
    if found { #expect(screened != nil, "seed \(seed)\n\(text)") }
    if !found, let screened { #expect(!screened.contains("an anchor") && !screened.contains("an alias"), "seed \(seed)\n\(text)") }
  }
  #expect(refusals > 20)
}

extension String {
  fileprivate var replacingAnchors: String {
    replacing("&x ", with: "").replacing("&w ", with: "").replacing("&f ", with: "").replacing("- *f", with: "- f")
  }
}

@Test(
  "large and hostile texts are refused in little time",
  arguments: [
    ("- ", 2_000_000), ("[", 400_000), ("{a: ", 100_000), ("a:\n ", 100_000), ("\"", 400_000), ("\n", 400_000), (" ", 400_000),
    ("&a ", 100_000), ("a ", 200_000), ("a\n", 200_000), ("#", 400_000), ("|\n ", 100_000), ("---\n", 100_000),
    (": ", 100_000),
  ])
func hostile(unit: String, count: Int) {
  for prefix in ["", "fixture: 1\nabout: ", "fixture: 1\nload: ["] {
    let text = prefix + String(repeating: unit, count: count)
    let start = ContinuousClock.now
    do throws(FixtureError) { _ = try Fixture.all(yaml: text, file: "a.yaml") } catch { #expect(!error.message.isEmpty) }
    #expect(ContinuousClock.now - start < .seconds(30), "\(prefix)")
  }
}
