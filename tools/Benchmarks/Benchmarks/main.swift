import Glibc

let arguments = CommandLine.arguments.dropFirst()
if arguments.contains("--help") {
  print("usage: tools/benchmark [--json] [--repetitions N] [WORDS]  measures the rows whose names contain WORDS, or all")
  exit(0)
}
if let role = arguments.first, role.hasPrefix("--port-"), let path = arguments.dropFirst().first { try servePort(role, path) }
/// Says why on standard error, and exits.
func end(_ message: String, _ status: Int32) -> Never {
  _ = "benchmark: \(message)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
  exit(status)
}

var (asJSON, repetitions, words) = (false, 15, [String]())
var rest = arguments[...]
while let argument = rest.popFirst() {
  switch argument {
  case "--json": asJSON = true
  case "--repetitions":
    guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0 else {
      end("--repetitions wants a number from 1 up", 64)
    }
    repetitions = count
  default: words.append(argument)
  }
}

var results: [Row.Result] = []
if !asJSON { print(Table.header) }
do {
  for row in rows where words.allSatisfy({ row.name.contains($0) }) {
    results.append(try row.result(repetitions: repetitions))
    if !asJSON {
      print(Table.text(results[results.count - 1]))
      fflush(nil)
    }
  }
} catch {
  end("\(error)", 70)
}
if asJSON { print(Table.json(results)) }
