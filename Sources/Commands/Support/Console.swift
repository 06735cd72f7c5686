import ArgumentParser
import Glibc

/// Standard output and standard error, and what the terminal behind them can show.
enum Console {
  /// Writes `text` to standard output. A reader that has gone, as in `| head`, ends the program quietly.
  static func put(_ text: String) {
    switch write(text, to: STDOUT_FILENO) {
    case 0: break
    case EPIPE: exit(0)
    case let error:
      complain("standard output: \(String(cString: strerror(error)))")
      exit(Failure.Code.software.rawValue)
    }
  }

  /// Writes one line to standard error, led by the tool's name.
  static func complain(_ message: String) { _ = write("probelock: \(printable(message))\n", to: STDERR_FILENO) }

  /// Makes a write to a closed pipe an error instead of the end of the process.
  static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// The columns that a line may have; `nil` where standard output is no terminal.
  static var width: Int? {
    guard isatty(STDOUT_FILENO) != 0 else { return nil }
    if let columns = environment("COLUMNS").flatMap({ Int($0) }), columns > 0 { return columns }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// `text` on one line: what would move the cursor is spelled out.
  static func printable(_ text: String, keeping kept: String = "") -> String {
    var line = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control where !kept.unicodeScalars.contains(scalar), .lineSeparator, .paragraphSeparator, .format:
        line += "\\u{" + String(scalar.value, radix: 16) + "}"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  /// 0, or the error number.
  private static func write(_ text: String, to file: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while let base = rest.baseAddress, !rest.isEmpty {
        let count = Glibc.write(file, base, rest.count)
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
      return 0
    }
  }
}

/// When to color.
enum ColorMode: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never

  /// `auto` colors on a terminal, unless `NO_COLOR` is set or the terminal is dumb.
  var isOn: Bool {
    switch self {
    case .always: true
    case .never: false
    case .auto:
      isatty(STDOUT_FILENO) != 0 && (Console.environment("NO_COLOR") ?? "").isEmpty && Console.environment("TERM") != "dumb"
    }
  }
}

/// Colors, or nothing in their place: they repeat what the words say.
struct Palette {
  let isOn: Bool
  func green(_ text: String) -> String { paint(text, "32") }
  func red(_ text: String) -> String { paint(text, "1;31") }
  func faint(_ text: String) -> String { paint(text, "2") }
  private func paint(_ text: String, _ code: String) -> String { isOn ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}

extension String {
  /// Followed by spaces up to `width` columns.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

  /// At most `width` columns, the last of them `…` where something is cut.
  func cut(to width: Int) -> String { count <= width ? self : width <= 0 ? "" : prefix(width - 1) + "…" }
}
