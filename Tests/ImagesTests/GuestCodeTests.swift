import Disassembly
import Foundation
import Guest
import Images
import Testing

private let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../images")
private func text(_ name: String) throws -> String {
  try String(contentsOf: folder.appending(path: name + ".listing"), encoding: .utf8)
}
private func image(_ name: String) throws -> Image { try Image(listing: text(name), file: name + ".listing") }

@Test("every listing is what its own image prints", arguments: ["fltMgr", "nt", "legacy", "exercise"])
func listingIsCanonical(name: String) throws {
  let image = try image(name)
  #expect(image.name == name)
  let disassembler = Disassembler(.windowsXP_x86)
  for line in try text(name).split(separator: "\n") where line.dropFirst(8).first == " " {
    guard let address = UInt64(line.prefix(8), radix: 16) else { continue }
    let bytes = try #require((1...15).reversed().lazy.compactMap { image.bytes(at: address, count: $0) }.first)
    let instruction = try #require(disassembler.decode(bytes, at: address))
    #expect(instruction.line { image.symbol(at: $0) } == line)
    #expect(image.origin(of: address) != nil)
  }
}

@Test("the documented lines stand in the images word for word, and nothing else is called traced")
func documentedLines() throws {
  for (name, excerpt, count) in [("fltMgr", Excerpts.fltMgr, 6), ("nt", Excerpts.nt, 7)] {
    let (image, alone) = (try image(name), try Image(listing: excerpt))
    #expect(image.provenance.filter { $0.origin == .traced } == alone.provenance)
    let words = { (line: Substring) in line.split(separator: " ").joined(separator: " ") }
    let lines = Set(try text(name).split(separator: "\n").map(words))
    let documented = excerpt.split(separator: "\n").map(words)
    #expect(documented.count == count)
    for line in documented { #expect(lines.contains(line)) }
    for range in alone.provenance {
      #expect(
        image.bytes(at: range.start, count: Int(range.end - range.start))
          == alone.bytes(at: range.start, count: Int(range.end - range.start)))
    }
  }
}

@Test("the images keep the addresses that the document gives")
func documentedAddresses() throws {
  let (fltMgr, nt) = (try image("fltMgr"), try image("nt"))
  #expect(fltMgr.exports["FltLockUserBuffer"] == 0xf84c_c2da)
  #expect(fltMgr.routines.keys.sorted() == ["FltDecodeParameters"])
  #expect(fltMgr.imports.contains(.init(module: "nt", name: "IoThreadToProcess", slot: 0xf84c_dfb4)))
  #expect(fltMgr.imports.contains(.init(module: "nt", name: "MmProbeAndLockProcessPages", slot: 0xf84c_df68)))
  #expect(nt.routines["KeStackAttachProcess"] == 0x804f_7638)
  #expect(nt.routines["MmProbeAndLockPages"] == 0x8050_61b6)
  #expect(nt.exports["MmProbeAndLockProcessPages"] == 0x8059_c5b2)
  #expect(nt.symbol(at: 0x8059_c5e4) == "nt!MmProbeAndLockProcessPages+0x32")
}

@Test("what an image imports from nt, a driver of Windows XP can import")
func imports() throws {
  let known: Set = [
    "DbgPrint", "IoAllocateMdl", "IoFreeMdl", "IoThreadToProcess", "KeStackAttachProcess", "KeUnstackDetachProcess",
    "MmBuildMdlForNonPagedPool", "MmMapLockedPagesSpecifyCache", "MmProbeAndLockPages", "MmProbeAndLockProcessPages",
    "MmUnlockPages", "_except_handler3",
  ]
  for name in ["fltMgr", "legacy", "exercise"] {
    for item in try image(name).imports {
      #expect(item.module == "nt" && known.contains(item.name), "\(name) imports \(item.name)")
    }
  }
}

@Test("a scope table names blocks that exist", arguments: ["fltMgr", "nt", "legacy", "exercise"])
func scopeTables(name: String) throws {
  let image = try image(name)
  for table in image.symbols where table.name.hasSuffix("Scopes") {
    let end = image.provenance.last { $0.start <= table.address && table.address < $0.end }?.end
    let next = image.symbols.first { $0.address > table.address }?.address
    let stop = Swift.min(end ?? 0, next ?? .max)
    var level: UInt32 = 0
    for entry in stride(from: table.address, to: stop, by: 12) {
      let words = try #require(image.bytes(at: entry, count: 12).map(Array.init)).chunks()
      #expect(words[0] == .max || words[0] < level, "an inner try is numbered after what encloses it")
      for block in words[1...] where block != 0 { #expect(image.named(UInt64(block)) != nil, "\(hex(block)) has no name") }
      #expect(words[2] != 0)
      level += 1
    }
    #expect(level > 0)
  }
}

extension [UInt8] {
  fileprivate func chunks() -> [UInt32] {
    stride(from: 0, to: count, by: 4).map { at in self[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
  }
}
extension Image {
  fileprivate func named(_ place: UInt64) -> Symbol? { symbols.first { $0.address == place } }
}
