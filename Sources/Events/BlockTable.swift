/// A straight run of instructions as it was first executed: where it began, and its bytes then.
public struct Block: Sendable, Hashable {
  public let address: UInt64
  /// In bytes.
  public let size: Int
  /// How many instructions it holds.
  public let instructions: Int
  /// Where its bytes start in ``BlockTable/bytes``.
  let offset: Int
}

/// Names a block within one run. 0 is no block.
public typealias BlockID = UInt32

/// Every block that a run executed, each once for each content it had.
public struct BlockTable: Sendable {
  public private(set) var blocks: [Block] = [Block(address: 0, size: 0, instructions: 0, offset: 0)]
  private var pool: [UInt8] = []

  public init() {}

  public mutating func add(address: UInt64, bytes: some Collection<UInt8>, instructions: Int) -> BlockID {
    let block = Block(address: address, size: bytes.count, instructions: instructions, offset: pool.count)
    pool.append(contentsOf: bytes)
    blocks.append(block)
    return BlockID(blocks.count - 1)
  }

  public subscript(id: BlockID) -> Block { blocks[Int(id)] }

  /// The bytes of the block's first execution.
  public func bytes(of id: BlockID) -> ArraySlice<UInt8> {
    let block = self[id]
    return pool[block.offset..<block.offset + block.size]
  }

  /// In bytes, about.
  public var size: Int { pool.count + blocks.count * MemoryLayout<Block>.stride }
}
