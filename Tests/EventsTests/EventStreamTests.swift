import Events
import Testing

@Suite("The event stream") struct EventStreamTests {
  @Test("what goes in comes out, in order, over chunk borders")
  func order() {
    let stream = EventStream()
    let id = stream.blocks.add(address: 0x1000, bytes: [0x90, 0x90], instructions: 2)
    var expected: [EventStream.Element] = []
    for index in 0..<150_000 {
      stream.append(block: id)
      [UInt64(index), 0xffff_ffff_ffff].withUnsafeBufferPointer {
        stream.append(call: 7, returnAddress: 0x2000, arguments: $0)
      }
      stream.append(resultOf: 7, UInt64(index), hasValue: index % 2 == 0)
      stream.append(.irql(from: 0, to: 2))
      expected += [
        .block(id), .call(routine: 7, returnAddress: 0x2000, arguments: [UInt64(index), 0xffff_ffff_ffff]),
        .result(routine: 7, value: index % 2 == 0 ? UInt64(index) : nil), .event(.irql(from: 0, to: 2)),
      ]
    }
    #expect(stream.elements == expected)
    #expect(!stream.isFull)
  }

  @Test("a block that was left early is replaced by the part that ran, or by nothing")
  func truncation() {
    let stream = EventStream()
    stream.append(block: 1)
    stream.append(block: 2)
    stream.replaceLastBlock(with: 3)
    stream.append(block: 4)
    stream.replaceLastBlock(with: 0)
    #expect(stream.elements == [.block(1), .block(3)])
  }

  @Test("the budget ends the recording, not the process")
  func budget() {
    let stream = EventStream(budget: 1 << 20)
    for _ in 0..<2_000_000 { stream.append(block: 1) }
    #expect(stream.isFull)
    #expect(stream.elements.count < 1_000_000)
  }
}
