import Guest
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

  init(_ error: PEError) {
    self.init(.badInput, error.description)
  }
}

/// `; did you mean trace?`, or nothing where no candidate is close: within a third of the letters, at least two.
func suggestion(_ word: String, among candidates: some Sequence<String>) -> String {
  nearest(word, among: candidates).map { "; did you mean \($0)?" } ?? ""
}
