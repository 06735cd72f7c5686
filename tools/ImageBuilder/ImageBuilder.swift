import Disassembly
import Foundation
import Guest
import Images

/// Prints the listing of one image: its source's directives, its linked code as the debugger would show it, and the
/// document's lines in the place that the source keeps free for them.
@main
struct ImageBuilder {
  static func main() {
    do {
      let arguments = CommandLine.arguments.dropFirst()
      guard let source = arguments.first, let linked = arguments.dropFirst().first, arguments.count <= 3 else {
        throw BuildError("usage: ImageBuilder <source.s> <linked.elf> [<source.document>]")
      }
      let document = arguments.dropFirst(2).first
      var builder = try ImageBuilder(source: source, linked: linked)
      if let document { try builder.place(document) }
      print(try builder.listing(), terminator: "")
    } catch {
      FileHandle.standardError.write(Data("build-images: \(error)\n".utf8))
      exit(1)
    }
  }

  let source: String
  let elf: ELF
  /// In the order of the source, with the addresses of exports filled in.
  var directives: [[String]] = []
  /// The document's lines.
  var traced: Image?

  init(source path: String, linked: String) throws {
    source = path
    elf = try ELF(Array(try Data(contentsOf: URL(filePath: linked))))
    for line in try String(contentsOf: URL(filePath: path), encoding: .utf8).split(separator: "\n") where line.hasPrefix("#! ") {
      var words = line.dropFirst(3).split(separator: " ").map(String.init)
      if words.first == ".export", words.count == 2 { words.append(hex(try address(of: words[1]))) }
      directives.append(words)
    }
  }

  private func address(of name: String) throws -> UInt64 {
    if let symbol = elf.symbols.first(where: { $0.name == name }) { return symbol.address }
    if let routine = directives.first(where: { $0.count == 3 && $0[0] == ".routine" && $0[2] == name }),
      let address = UInt64(routine[1], radix: 16)
    {
      return address
    }
    throw BuildError("\(source): exports \(name), which it does not define")
  }

  /// Checks that the source keeps exactly the document's bytes free: `traced_f84cc355` must lie at f84cc355.
  private mutating func place(_ document: String) throws {
    let image = try Image(listing: try Data(contentsOf: URL(filePath: document)), file: document)
    traced = image
    for range in image.provenance {
      let label = "traced_" + hex(range.start)
      guard let symbol = elf.symbols.first(where: { $0.name == label }) else {
        throw BuildError("\(source): no label \(label) keeps the place of \(document)'s lines")
      }
      guard symbol.address == range.start else {
        throw BuildError(
          "\(source): \(label) is at \(hex(symbol.address)); what stands before it must take \(range.start &- symbol.address) bytes more")
      }
      let section = elf.sections.first { $0.address <= range.start && range.end <= $0.address + UInt64($0.bytes.count) }
      let free = section.map { $0.bytes[Int(range.start - $0.address)..<Int(range.end - $0.address)] }
      guard free?.allSatisfy({ $0 == 0xcc }) == true else {
        throw BuildError("\(source): \(hex(range.start)) to \(hex(range.end)) is not kept free for the document's lines")
      }
    }
  }

  private func listing() throws -> String {
    let symbols = elf.symbols.filter { !$0.name.hasPrefix("traced_") }
    guard let header = directives.first(where: { $0.first == ".image" }), header.count == 4,
      let base = UInt64(header[2], radix: 16), let size = UInt64(header[3], radix: 16)
    else { throw BuildError("\(source): no .image directive with a name, a base and a size") }
    let names = Image(
      name: header[1], base: base, size: size, sections: [],
      symbols: symbols.map { .init(address: $0.address, name: $0.name) },
      imports: directives.filter { $0.first == ".import" && $0.count == 3 }.compactMap { words in
        let parts = words[2].split(separator: "!").map(String.init)
        guard let slot = UInt64(words[1], radix: 16), parts.count == 2 else { return nil }
        return .init(module: parts[0], name: parts[1], slot: slot)
      },
      routines: Dictionary(
        directives.filter { $0.first == ".routine" && $0.count == 3 }.compactMap { words in
          UInt64(words[1], radix: 16).map { (words[2], $0) }
        }
      ) { first, _ in first })
    var output = ["# Made by tools/build-images from \(source); images/README.md says where every byte comes from."]
    output += directives.map { $0.joined(separator: " ") }
    var writer = ListingWriter(names: names, traced: traced)
    for section in elf.sections { try writer.write(section) }
    output += writer.lines
    let text = output.joined(separator: "\n") + "\n"
    _ = try Image(listing: text, file: header[1] + ".listing")
    return text
  }
}
