import Disassembly
import Emulation
import Events
import Guest
import Images

/// A block's instructions as a trace shows them, made once however often it runs.
struct TraceBlock {
  let start: UInt64
  let end: UInt64
  let lines: [Line]

  struct Line {
    let instruction: Instruction
    /// `f84cc2da 6a20            push    20h`, with the mark of its origin before it.
    let text: String
    /// Where the instruction is: `fltMgr!FltLockUserBuffer+0x7b:`
    let label: String
    /// Whether a routine begins here, so that the label is shown wherever control comes from.
    let beginsRoutine: Bool
    let origin: Image.Origin?
  }

  /// What stands before each instruction that is ours, that is not what the image holds, and before every other.
  static let reconstructedMark = "."
  static let changedMark = "!"
  static let otherMark = " "

  init(_ id: BlockID, _ table: BlockTable, _ names: Names, _ disassembler: Disassembler) {
    let block = table[id]
    start = block.address
    let instructions = disassembler.decodeAll(table.bytes(of: id), at: block.address)
    end = instructions.last?.end ?? start
    lines = instructions.map { instruction in
      let symbol = names.symbol(at: instruction.address)
      let image = names.image(at: instruction.address)
      let origin = image?.origin(of: instruction.bytes, at: instruction.address)
      let isChanged = origin == nil && image?.origin(of: instruction.address) != nil
      let mark = isChanged ? Self.changedMark : origin == .reconstructed ? Self.reconstructedMark : Self.otherMark
      return Line(
        instruction: instruction,
        text: mark + instruction.line { names.symbol(at: $0) },
        label: (symbol ?? hex(instruction.address, names.target)) + ":",
        beginsRoutine: symbol.map { !$0.contains("+") } ?? false, origin: origin)
    }
  }
}

/// The blocks of one run, each made when it is first asked for.
struct TraceBlocks {
  private let table: BlockTable
  private let names: Names
  private let disassembler: Disassembler
  private var made: [TraceBlock?]

  init(_ table: BlockTable, _ names: Names) {
    self.table = table
    self.names = names
    disassembler = Disassembler(names.target)
    made = Array(repeating: nil, count: table.blocks.count)
  }

  subscript(id: BlockID) -> TraceBlock {
    mutating get {
      if let block = made[Int(id)] { return block }
      let block = TraceBlock(id, table, names, disassembler)
      made[Int(id)] = block
      return block
    }
  }
}
