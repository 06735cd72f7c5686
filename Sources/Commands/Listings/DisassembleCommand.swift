import ArgumentParser
import Disassembly
import Guest
import Images
import Reporting

struct DisassembleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disassemble",
    abstract: "Print an image's code as WinDbg's u does, saying which is traced and which is reconstructed.")

  @Argument(
    help: ArgumentHelp("A listing, or the name of a built-in image.", valueName: "image"), completion: .file(extensions: ["listing"]))
  var image: String
  @Argument(help: ArgumentHelp("Where to begin: a routine, or an address with 0x.", valueName: "symbol"))
  var symbol: String?
  @OptionGroup var output: OutputOptions

  func run() throws {
    let (image, file) = try ImageFile.image(named: image)
    var listing = ImageListing(image, symbol: image.symbol(at:))
    if let symbol { listing.limit(to: try range(of: symbol, in: image, file)) }
    if output.json {
      Console.put(
        JSONValue.document(["image": .string(image.name), "base": .address(image.base), "instructions": .array(listing.json)]).text())
    } else {
      Console.put(listing.text(output.palette))
    }
  }

  /// From the symbol to the next routine, or from an address to the end of its routine.
  private func range(of symbol: String, in image: Image, _ file: String) throws -> Range<UInt64> {
    let start = try image.address(naming: symbol, file: file)
    guard image.origin(of: start) != nil else {
      throw Failure(.badInput, "\(file): no code at \(hex(start)): what is there is another module's, or nothing")
    }
    let next = image.symbols.first { $0.address > start && !$0.name.hasPrefix("$") }?.address ?? image.base + image.size
    return start..<max(next, start + 1)
  }
}

/// The code of an image, line by line.
struct ImageListing {
  private struct Line {
    let instruction: Instruction
    let origin: Image.Origin
  }

  private let image: Image
  private let symbol: (UInt64) -> String?
  private var lines: [Line] = []

  init(_ image: Image, symbol: @escaping (UInt64) -> String?) {
    self.image = image
    self.symbol = symbol
    let disassembler = Disassembler(.windowsXP_x86)
    for section in image.sections where section.isExecutable {
      for range in image.provenance where range.start >= section.address && range.end <= section.end {
        guard let bytes = image.bytes(at: range.start, count: Int(range.end - range.start)) else { continue }
        lines += disassembler.decodeAll(bytes, at: range.start).map { Line(instruction: $0, origin: range.origin) }
      }
    }
  }

  mutating func limit(to range: Range<UInt64>) { lines.removeAll { !range.contains($0.instruction.address) } }

  /// As the debugger prints it; a `.traced` or `.reconstructed` line says where what follows comes from, as in a listing.
  func text(_ palette: Palette) -> String {
    var text = ""
    var origin: Image.Origin?
    var end: UInt64?
    for line in lines {
      let address = line.instruction.address
      let name = symbol(address)
      if let name, end != address || !name.contains("+") {
        if end != nil { text += "\n" }
        text += name + ":\n"
      }
      if line.origin != origin { text += palette.faint(".\(line.origin.rawValue)") + "\n" }
      origin = line.origin
      end = line.instruction.end
      text += line.instruction.line(symbol: symbol) + "\n"
    }
    return text
  }

  var json: [JSONValue] {
    lines.map { line in
      .object([
        "address": .address(line.instruction.address), "symbol": symbol(line.instruction.address).map { .string($0) },
        "bytes": .bytes(line.instruction.bytes), "text": .string(line.instruction.text(symbol: symbol)),
        "origin": .string(line.origin.rawValue),
      ])
    }
  }
}
