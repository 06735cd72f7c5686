import Guest

/// The bytes of one listing, in their places.
struct ListingLayout {
  /// What a routine that the run provides takes of the image, in bytes.
  static let routineSize: UInt64 = 16

  /// A run of bytes that one line brings, or that one directive reserves.
  private struct Piece {
    let line: Int
    let start: UInt64
    let bytes: [UInt8]
    let origin: Image.Origin?
    let isWritable: Bool
    let isExecutable: Bool
    var end: UInt64 { start + UInt64(bytes.count) }
  }

  private var pieces: [Piece] = []

  init(_ reader: ListingReader, _ names: Names, _ extent: Range<UInt64>) throws(Complaint) {
    for item in reader.instructions {
      pieces.append(
        Piece(line: item.line, start: item.address, bytes: item.bytes, origin: item.origin, isWritable: false, isExecutable: true))
    }
    for item in reader.data {
      pieces.append(
        Piece(
          line: item.line, start: item.address, bytes: item.bytes, origin: item.origin, isWritable: item.isWritable, isExecutable: false))
    }
    for (name, address) in names.routines {
      pieces.append(
        Piece(
          line: names.lines[name] ?? 0, start: address, bytes: .init(repeating: Self.trap, count: Int(Self.routineSize)),
          origin: nil, isWritable: false, isExecutable: true))
    }
    for item in names.imports.values {
      pieces.append(
        Piece(
          line: names.lines[item.symbol] ?? 0, start: item.slot, bytes: .init(repeating: 0, count: reader.target.width.rawValue),
          origin: nil, isWritable: false, isExecutable: false))
    }
    pieces.sort { ($0.start, $0.line) < ($1.start, $1.line) }
    for piece in pieces where piece.start < extent.lowerBound || piece.end > extent.upperBound {
      throw Complaint(
        piece.line,
        "\(hex(piece.start)) to \(hex(piece.end)) lies outside the image, \(hex(extent.lowerBound)) to \(hex(extent.upperBound))")
    }
    for (before, piece) in zip(pieces, pieces.dropFirst()) where piece.start < before.end {
      let (earlier, later) = before.line < piece.line ? (before, piece) : (piece, before)
      throw Complaint(
        later.line, "\(hex(later.start)) to \(hex(later.end)) overlaps line \(earlier.line), \(hex(earlier.start)) to \(hex(earlier.end))")
    }
    let pages = pieces.reduce(into: (count: 0, last: UInt64.max)) { seen, piece in
      for page in (piece.start >> 12)...((piece.end - 1) >> 12) where page != seen.last { seen = (seen.count + 1, page) }
    }
    guard pages.count <= Self.mostPages else {
      throw Complaint(0, "the listing touches \(pages.count) pages; expected at most \(Self.mostPages)")
    }
    for (name, address) in names.symbols where !extent.contains(address) {
      throw Complaint(0, "\(name) at \(hex(address)) lies outside the image, \(hex(extent.lowerBound)) to \(hex(extent.upperBound))")
    }
  }

  private static let mostPages = 16384
  /// `int 3`, which fills what the listing leaves out of a page of code.
  private static let trap: UInt8 = 0xcc

  /// The pages that the pieces touch, runs of the same kind together.
  func sections() -> [Image.Section] {
    var result: [Image.Section] = []
    var pages: [UInt64: (isWritable: Bool, isExecutable: Bool)] = [:]
    for piece in pieces {
      for page in stride(from: piece.start & ~0xfff, to: piece.end, by: 0x1000) {
        let known = pages[page] ?? (false, false)
        pages[page] = (known.isWritable || piece.isWritable, known.isExecutable || piece.isExecutable)
      }
    }
    var run: (start: UInt64, bytes: [UInt8], kind: (isWritable: Bool, isExecutable: Bool))?
    var next = pieces.startIndex
    func finish() {
      guard let run else { return }
      let name = run.kind.isExecutable ? ".text" : run.kind.isWritable ? ".data" : ".rdata"
      result.append(
        Image.Section(
          name: name, address: run.start, bytes: run.bytes, isWritable: run.kind.isWritable, isExecutable: run.kind.isExecutable))
    }
    for (page, kind) in pages.sorted(by: { $0.key < $1.key }) {
      if run.map({ $0.start + UInt64($0.bytes.count) != page || $0.kind != kind }) ?? true {
        finish()
        run = (page, [], kind)
      }
      run?.bytes.append(contentsOf: repeatElement(kind.isExecutable ? Self.trap : 0, count: 0x1000))
      // A piece may begin in the run before, so the last one is looked at again.
      next = Swift.max(0, next - 1)
      while next < pieces.count, pieces[next].start < page + 0x1000 {
        let piece = pieces[next]
        if let start = run?.start {
          for (offset, byte) in piece.bytes.enumerated() {
            let address = piece.start + UInt64(offset)
            if address >= page && address < page + 0x1000 { run?.bytes[Int(address - start)] = byte }
          }
        }
        next += 1
      }
    }
    finish()
    return result
  }

  /// Neighbours of the same origin together.
  func provenance() -> [Image.Provenance] {
    var result: [Image.Provenance] = []
    for piece in pieces {
      guard let origin = piece.origin else { continue }
      if let last = result.last, last.origin == origin, last.end == piece.start {
        result[result.count - 1] = .init(start: last.start, end: piece.end, origin: origin)
      } else {
        result.append(.init(start: piece.start, end: piece.end, origin: origin))
      }
    }
    return result
  }
}
