import Emulation
import Guest
import Reporting
import Verification

/// The lines of `run`, and the count of what is as expected.
struct RunReport {
  let palette: Palette
  /// Columns of the terminal; `nil` where nothing is to be cut.
  let width: Int?
  private let nameWidth: Int
  private(set) var count = 0
  private(set) var asExpected = 0

  init(names: [String], palette: Palette, width: Int?) {
    self.palette = palette
    self.width = width
    nameWidth = (names.map(\.count).max() ?? 0) + 3
  }

  mutating func note(_ run: Run) {
    count += 1
    if run.isAsExpected { asExpected += 1 }
  }

  /// One line for the run, and one for each thing that is not as expected.
  func lines(for run: Run, file: String) -> String {
    let name = Console.printable(run.fixture.name).padded(to: nameWidth)
    let verdict = run.verdict.title.padded(to: Verdict.allCases.map(\.title.count).max() ?? 0)
    let room = width.map { $0 - 6 - name.count - verdict.count - 4 } ?? .max
    let head = run.isAsExpected ? palette.green("ok") + "    " : palette.red("FAIL") + "  "
    let painted = run.verdict == .wrongProcess ? palette.red(verdict) : verdict
    let drivers = run.fixture.name.hasSuffix(".sys") ? run.drivers.map(\.summary) : []
    let sentence = room < 1 && width != nil ? nil : painted + "    " + Console.printable(run.sentence).cut(to: room)
    var text =
      drivers.first.map { head + name + "   " + Console.printable($0) + "\n" }
      ?? Self.trimmed(head + name, sentence)
    for line in drivers.dropFirst() {
      text += String(repeating: " ", count: 6 + name.count + 3) + Console.printable(line) + "\n"
    }
    for stub in run.stubs {
      let times = stub.count == 1 ? "once" : "\(stub.count) times"
      let place = run.names.symbol(at: stub.site.ip) ?? hex(stub.site.ip)
      text += "      "
      text += Console.printable("stub \(stub.routine) returned \(hex(UInt64(stub.value))) \(times), first to \(place)") + "\n"
    }
    for name in run.unusedStubs { text += "      stub \(Console.printable(name)) was never called\n" }
    for mismatch in run.mismatches {
      let place = mismatch.line.map { "\(file):\($0): " } ?? "\(file): "
      text += "      " + Console.printable(place + mismatch.sentence) + "\n"
    }
    return text
  }

  /// What went over communication ports, a line each, and what the run says of it.
  func story(of run: Run) -> String {
    run.conversation.map { "      " + Console.printable($0) + "\n" }.joined()
  }

  /// The name alone where the terminal has no room for more.
  private static func trimmed(_ name: String, _ rest: String?) -> String {
    var line = Substring(name + (rest ?? ""))
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }
}
