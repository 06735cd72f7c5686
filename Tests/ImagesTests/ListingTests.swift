import Foundation
import Guest
import Images
import Testing

@Test("the filter manager's excerpt is an image by itself")
func filterManagerExcerpt() throws {
  let image = try Image(listing: Excerpts.fltMgr)
  #expect(image.name == "fltMgr")
  #expect(image.imports.map(\.name) == ["MmProbeAndLockProcessPages", "IoThreadToProcess"])
  #expect(image.imports.allSatisfy { $0.module == "nt" })
  #expect(image.provenance == [.init(start: 0xf84c_c355, end: 0xf84c_c36c, origin: .traced)])
  #expect(image.bytes(at: 0xf84c_c364, count: 4).map(Array.init) == [0x83, 0x4d, 0xfc, 0xff])
  #expect(image.symbol(at: 0xf84c_dfb4) == "fltMgr!_imp__IoThreadToProcess")
  #expect(image.base == 0xf84c_c000 && image.size == 0x2000)
}

@Test("the kernel's excerpt is an image by itself")
func kernelExcerpt() throws {
  let image = try Image(listing: Excerpts.nt, file: "nt.listing")
  #expect(image.name == "nt")
  #expect(image.routines == ["KeStackAttachProcess": 0x804f_7638, "MmProbeAndLockPages": 0x8050_61b6])
  #expect(image.origin(of: 0x8059_c5f4) == .traced)
  #expect(image.origin(of: 0x8059_c5f5) == nil)
  #expect(image.sections.map(\.address) == [0x804f_7000, 0x8050_6000, 0x8059_c000])
}

@Test(
  "what the web and editors make of white space does not matter",
  arguments: [
    Excerpts.nt.replacing("\n", with: "\r\n"), "\u{feff}" + Excerpts.nt, Excerpts.nt.replacing("  ", with: "\u{a0}\u{a0}"),
    Excerpts.nt.split(separator: "\n").joined(separator: "\n"), Excerpts.nt.replacing("  ", with: " "),
    Excerpts.nt.replacing(" ", with: "\t"), Excerpts.nt.replacing("push dword", with: "push    DWORD"),
    Excerpts.nt.replacing("-1Ch],1", with: "-1Ch], 1  ; set once attached"),
  ])
func whiteSpace(listing: String) throws {
  let image = try Image(listing: listing)
  #expect(image.provenance == [.init(start: 0x8059_c5d8, end: 0x8059_c5f5, origin: .traced)])
}

@Test("an excerpt that calls what it shows, or what it begins in the middle of, needs no routine for it")
func callsIntoItself() throws {
  let image = try Image(
    listing: """
      00401005 e8f6ffffff call a!Before (00401000)
      0040100a e8f6ffffff call a!Here (00401005)
      0040100f 742f je a!Here+0x3b (00401040)
      """)
  #expect(image.routines.isEmpty)
  #expect(image.symbol(at: 0x40_1040) == "a!Here+0x3b")
}

@Test("directives describe a whole image")
func wholeImage() throws {
  let image = try Image(listing: Excerpts.whole, named: "ignored")
  #expect(image.name == "sample" && image.base == 0xf8a1_0000 && image.size == 0x3000)
  #expect(image.exports == ["Start": 0xf8a1_0010])
  #expect(image.symbol(at: 0xf8a1_0016) == "sample!Start+0x6")
  #expect(image.symbol(at: 0xf8a1_0000) == "sample")
  #expect(image.symbol(at: 0xf8a1_0008) == "sample+0x8")
  #expect(image.symbol(at: 0xf8a1_0100) == "sample!Helper")
  #expect(image.symbol(at: 0xf8a1_3000) == nil)
  #expect(image.address(of: "Table") == 0xf8a1_1000)
  #expect(image.origin(of: 0xf8a1_0010) == .reconstructed)
  #expect(image.origin(of: 0xf8a1_001c) == .traced)
  let sections = image.sections
  #expect(sections.map(\.name) == [".text", ".data", ".rdata"])
  #expect(sections.map(\.isExecutable) == [true, false, false])
  #expect(sections.map(\.isWritable) == [false, true, false])
  #expect(sections[1].bytes[0x800...0x803] == [0x00, 0x11, 0x22, 0x33])
}

/// What to replace in the whole listing, by what, the line that is then wrong, and a part of the sentence about it.
private let mistakes: [(String, String, Int, String)] = [
  ("56              push    esi", "57              push    esi", 8, "57 at f8a10010 means “push edi”, not “push esi”"),
  ("56              push    esi", "56              pop     esi", 8, "means “push esi”, not “pop esi”"),
  ("56              push    esi", "5657            push    esi", 8, "takes 1 of 2 bytes"),
  ("56              push    esi", "ff              push    esi", 8, "ff begins no instruction"),
  ("56              push    esi", "5               push    esi", 8, "“5” is not an instruction's bytes"),
  ("56              push    esi", "56", 8, "ends after its bytes"),
  ("f8a10010 56              push    esi", "f8a10010", 8, "ends after its address"),
  ("f8a10010 56", "f8a1001 56", 8, "begins no line of a listing"),
  (
    "f8a10011 e8ea000000      call    sample!Helper (f8a10100)", "f8a10012 e8e9000000      call    sample!Helper (f8a10100)", 9,
    "a gap of 1 byte comes f8a10012; expected f8a10011"
  ),
  (
    "f8a10011 e8ea000000      call    sample!Helper (f8a10100)", "f8a10010 e8eb000000      call    sample!Helper (f8a10100)", 9,
    "expected f8a10011"
  ),
  ("sample!Helper (f8a10100)", "sample!Helpr (f8a10100)", 9, "sample has no Helpr; did you mean “Helper”?"),
  ("sample!Helper (f8a10100)", "nt!Helper (f8a10100)", 9, "lies in sample"),
  ("sample!Helper (f8a10100)", "!Helper (f8a10100)", 9, "is no symbol"),
  ("sample!Start+0x28 (f8a10038)", "sample!Start+0x29 (f8a10038)", 12, "sample!Start+0x29 is f8a10039, not f8a10038"),
  ("sample!Start+0x28:", "sample!Start+0x27:", 13, "Start is at f8a10010 and at f8a10011"),
  ("sample!Start:", "other!Start:", 7, "another image"),
  ("sample!Start:", "sample!St art:", 7, "begins no line"),
  ("sample!Table:", "sample!Ta!ble:", 15, "is no symbol line"),
  (".routine f8a10100", ".routine f8a1003f", 9, "sample!Helper is f8a1003f, not f8a10100"),
  (".import f8a12000 nt!IoFreeMdl", ".import f8a13000 nt!IoFreeMdl", 10, "is f8a13000, not f8a12000"),
  (".import f8a12000 nt!IoFreeMdl", ".import f8a12000 IoFreeMdl", 2, "is no import"),
  (".import f8a12000 nt!IoFreeMdl", ".import f8a12000", 2, "has 1 argument; expected a slot"),
  (".import f8a12000 nt!IoFreeMdl", ".import f8a12000 nt!IoFreeMdl\n.import f8a12010 nt!IoFreeMdl", 3, "imported twice"),
  (".import f8a12000 nt!IoFreeMdl", ".import f8a12000 nt!IoFreeMdl\n.import f8a12002 nt!Other", 3, "overlaps line 2"),
  (".import f8a12000 nt!IoFreeMdl", ".import f8a12000 nt!IoFreeMdl\n.import f8a13000 nt!Other", 3, "outside the image"),
  (".export Start f8a10010", ".export Strt f8a10010", 3, "no Strt that it could export; did you mean “Start”?"),
  (".export Start f8a10010", ".export Start f8a10011", 3, "Start is at f8a10010, but exported at f8a10011"),
  (".export Start f8a10010", ".exprt Start f8a10010", 3, "unknown directive “.exprt”; did you mean “.export”?"),
  (".image sample f8a10000 00003000", ".image sample f8a10000 00001000", 16, "outside the image"),
  (".image sample f8a10000 00003000", ".image sample f8a10001 00003000", 1, "expected whole pages"),
  (".image sample f8a10000 00003000", ".image sample f8a10000 g", 1, "“g” is no address"),
  (".image sample f8a10000 00003000", ".image sam!ple f8a10000 3000", 1, "is no name"),
  (".reconstructed", ".image x f8a10000 3000", 6, "the first is in line 1"),
  (".traced", ".traced now", 11, "expected nothing"),
  (".data f8a11000 ff", ".data f8a11000 f", 16, "“f” is no data"),
  (".data f8a11000 ff", ".data f8a10038 ff", 16, "overlaps line 14"),
  (".data f8a11800 writable 00112233", ".data f8a11800 writable", 17, "has no bytes"),
  (".data f8a11800 writable 00112233", "sample!End:", 17, "nothing follows"),
]

@Test("each mistake is named with its line", arguments: mistakes)
func mistake(wrong: (old: String, new: String, line: Int, message: String)) throws {
  let listing = Excerpts.whole.replacing(wrong.old, with: wrong.new)
  #expect(listing != Excerpts.whole)
  let error = try #require(throws: ListingError.self) { try Image(listing: listing, file: "sample.listing") }
  #expect(error.line == wrong.line, "\(error)")
  #expect(error.message.contains(wrong.message), "\(error)")
  #expect(error.description.hasPrefix("sample.listing:\(wrong.line): "))
  #expect(!error.message.contains("\n"))
}

@Test("input that is no listing at all is an error of one line")
func noListing() throws {
  let inputs: [[UInt8]] = [
    [], [0x0a], [0xff, 0xfe, 0x00], Array("The quick brown fox".utf8), Array(repeating: 0x41, count: 5000),
    Array(repeating: 0, count: 17 << 20), Array("f84cc35b".utf8), Array("50 push eax".utf8),
    Array((0..<20_000).map { ".data \(hex(0x1000_0000 + UInt64($0) * 4096)) 00\n" }.joined().utf8),
  ]
  for input in inputs {
    let error = try #require(throws: ListingError.self) { try Image(listing: input, named: "sample", file: "x") }
    #expect(!error.description.contains("\n"))
  }
}

@Test("a file that cannot be a listing is an error of one line")
func files() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "listings-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let (good, empty, huge) = (folder.appending(path: "nt.listing"), folder.appending(path: "empty"), folder.appending(path: "huge"))
  try Data(Excerpts.nt.utf8).write(to: good)
  try Data().write(to: empty)
  try Data(count: 17 << 20).write(to: huge)
  #expect(try Image(contentsOfListing: good.path).name == "nt")
  for path in [folder.path, empty.path, huge.path, folder.path + "/missing", "/dev/zero", "", "\0", good.path + "/x"] {
    let error = try #require(throws: ListingError.self) { try Image(contentsOfListing: path) }
    #expect(error.file == path && error.line == 0)
    #expect(error.message.contains("expected"), "\(error)")
  }
}

@Test("a listing cut anywhere is read or refused, never worse")
func truncated() {
  let bytes = Array(Excerpts.whole.utf8)
  for count in 0..<bytes.count { _ = try? Image(listing: bytes.prefix(count)) }
}
