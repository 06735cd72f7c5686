import Guest

/// One line of a listing, read but not yet checked against any other.
enum ListingLine {
  case nothing
  case symbol(Reference)
  case instruction(address: UInt64, bytes: [UInt8], text: String)
  case directive(String, arguments: [String])

  /// `fltMgr!FltLockUserBuffer+0x7b`, taken apart.
  struct Reference {
    let module: String
    let name: String
    let offset: UInt64

    init?(_ text: String) {
      let halves = text.split(separator: "!", omittingEmptySubsequences: false)
      guard halves.count == 2, isName(halves[0]) else { return nil }
      let parts = halves[1].split(separator: "+", omittingEmptySubsequences: false)
      guard let name = parts.first, isName(name), parts.count <= 2 else { return nil }
      module = String(halves[0])
      self.name = String(name)
      guard parts.count == 2 else {
        offset = 0
        return
      }
      guard parts[1].hasPrefix("0x"), let offset = number(parts[1].dropFirst(2)) else { return nil }
      self.offset = offset
    }
    var text: String { "\(module)!\(name)" + (offset == 0 ? "" : "+0x\(hex(offset, digits: 1))") }
  }

  init(_ line: some StringProtocol, number lineNumber: Int) throws(Complaint) {
    let words = ListingLine.words(line)
    guard let first = words.first else {
      self = .nothing
      return
    }
    if first.hasPrefix(".") {
      self = .directive(first, arguments: Array(words.dropFirst()))
    } else if first.hasSuffix(":"), first.contains("!") {
      guard let reference = Reference(String(first.dropLast())) else {
        throw Complaint(lineNumber, "“\(first)” is no symbol line; expected one such as “nt!KeStackAttachProcess+0x7b:”")
      }
      self = .symbol(reference)
    } else {
      self = try Self.instruction(words, lineNumber)
    }
  }

  private static func instruction(_ words: [String], _ line: Int) throws(Complaint) -> ListingLine {
    guard words[0].utf8.count == 8, let address = number(words[0]) else {
      throw Complaint(
        line,
        "“\(words[0].prefix(40))” begins no line of a listing; expected an address of 8 digits, a symbol line, a directive or a comment")
    }
    guard words.count > 1 else { throw Complaint(line, "the line ends after its address; expected bytes and an instruction") }
    guard let bytes = bytes(words[1]), (1...15).contains(bytes.count) else {
      throw Complaint(line, "“\(words[1].prefix(40))” is not an instruction's bytes; expected 1 to 15 pairs of hexadecimal digits")
    }
    guard words.count > 2 else { throw Complaint(line, "the line ends after its bytes; expected an instruction") }
    return .instruction(address: address, bytes: bytes, text: words[2...].joined(separator: " "))
  }

  /// The words of `line`, without its comment. What the web makes of spaces counts as one.
  private static func words(_ line: some StringProtocol) -> [String] {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    for scalar in line.unicodeScalars {
      if scalar == ";" || scalar == "#" { break }
      if scalar.properties.isWhitespace || scalar == "\u{feff}" || scalar == "\u{200b}" {
        if !word.isEmpty { words.append(String(word)) }
        word = .init()
      } else {
        word.append(scalar)
      }
    }
    if !word.isEmpty { words.append(String(word)) }
    return words
  }

  static func bytes(_ digits: String) -> [UInt8]? {
    let digits = Array(digits.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var result: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      result.append(high << 4 | low)
    }
    return result
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// A number of up to 8 hexadecimal digits.
func number(_ text: some StringProtocol) -> UInt64? {
  guard (1...8).contains(text.utf8.count), text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
  return UInt64(text, radix: 16)
}

/// Whether `text` can name an image or a routine.
func isName(_ text: some StringProtocol) -> Bool {
  !text.isEmpty && text.utf8.count <= 256
    && text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "?"), UInt8(ascii: "$"), UInt8(ascii: "."), UInt8(ascii: "-"):
        true
      default: false
      }
    }
}
