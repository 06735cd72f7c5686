import Foundation

/// Writes a Swift source that holds every file that is named, text as it is and drivers in base 64: `Embedder OUTPUT FILE…`.
@main
struct Embedder {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst().map(URL.init(fileURLWithPath:))
    guard let output = arguments.first else { throw Failure(description: "usage: Embedder OUTPUT FILE…") }
    var source = "/// Every listing and fixture of `images/`, in the order of their names.\n"
    source += "let builtInFiles: [(name: String, text: String)] = [\n"
    let files = arguments.dropFirst().sorted { $0.lastPathComponent < $1.lastPathComponent }
    for file in files where file.pathExtension != "sys" {
      let bytes = try Data(contentsOf: file)
      guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure(description: "\(file.path): not UTF-8 text") }
      source += "  (\(literal(file.lastPathComponent)), \(literal(text))),\n"
    }
    source += "]\n"
    source += "/// Every driver of `images/`, in base 64.\n"
    source += "let builtInDrivers: [(name: String, base64: String)] = [\n"
    for file in files where file.pathExtension == "sys" {
      source += "  (\(literal(file.lastPathComponent)), \(literal(try Data(contentsOf: file).base64EncodedString()))),\n"
    }
    source += "]\n"
    try Data(source.utf8).write(to: output)
  }

  /// `text` as a string literal on one line.
  static func literal(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  struct Failure: Error, CustomStringConvertible { let description: String }
}
