/// A file of numbered streams, each a list of blocks (LLVM, “The MSF File Format”).
struct MultiStreamFile {
  private let file: FileBytes
  private let blockSize: Int
  private var streams: [(size: Int, table: Int)] = []
  private let directory: FileBytes

  private static let magic = Array("Microsoft C/C++ MSF 7.00\r\n\u{1a}DS\0\0\0".utf8)

  init(_ file: FileBytes) throws(PEComplaint) {
    self.file = file
    guard file.bytes.starts(with: Self.magic) else {
      throw PEComplaint(0, "the file does not begin as a program database; expected “Microsoft C/C++ MSF 7.00”")
    }
    blockSize = Int(try file.u32(32, "the superblock"))
    guard [512, 1024, 2048, 4096, 8192, 16384, 32768].contains(blockSize) else {
      throw PEComplaint(32, "blocks have \(blockSize) bytes; expected a power of two from 512 to 32768")
    }
    let size = Int(try file.u32(44, "the superblock"))
    let map = Int(try file.u32(52, "the superblock")) * blockSize
    let count = (size + blockSize - 1) / blockSize
    guard size <= file.count else { throw PEComplaint(44, "the directory has \(size) bytes, more than the file") }
    var blocks: [UInt32] = []
    for index in 0..<count { blocks.append(try file.u32(map + index * 4, "the directory's block list")) }
    directory = FileBytes(try Self.bytes(of: blocks, size: size, in: file, blockSize))

    let streamCount = Int(try directory.u32(0, "the stream directory"))
    guard streamCount <= 65536 else { throw PEComplaint(nil, "the database has \(streamCount) streams; expected at most 65536") }
    var table = 4 + streamCount * 4
    for index in 0..<streamCount {
      let size = try directory.u32(4 + index * 4, "the stream directory")
      // A stream that was deleted.
      let length = size == .max ? 0 : Int(size)
      streams.append((length, table))
      table += (length + blockSize - 1) / blockSize * 4
    }
  }

  func stream(_ number: Int, _ what: String) throws(PEComplaint) -> [UInt8] {
    guard number < streams.count else { throw PEComplaint(nil, "there is no stream \(number); expected \(what)") }
    let (size, table) = streams[number]
    guard size <= file.count else { throw PEComplaint(nil, "\(what) has \(size) bytes, more than the file") }
    var blocks: [UInt32] = []
    for index in 0..<(size + blockSize - 1) / blockSize { blocks.append(try directory.u32(table + index * 4, what)) }
    return try Self.bytes(of: blocks, size: size, in: file, blockSize)
  }

  private static func bytes(of blocks: [UInt32], size: Int, in file: FileBytes, _ blockSize: Int) throws(PEComplaint) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(size)
    for block in blocks {
      let (start, count) = (Int(block) * blockSize, Swift.min(blockSize, size - result.count))
      guard start <= file.count, count <= file.count - start else {
        throw PEComplaint(nil, "block \(block) lies behind the end of the file of \(file.count) bytes; expected inside")
      }
      result += file.bytes[start..<start + count]
    }
    return result
  }
}
