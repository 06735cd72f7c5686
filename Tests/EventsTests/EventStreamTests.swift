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

  @Test("values of more than 32 bits come out as they went in")
  func wideValues() {
    let stream = EventStream()
    for arguments: [UInt64] in [[], [1, 0xffff_ffff], [0x1_0000_0000, 2]] {
      arguments.withUnsafeBufferPointer { stream.append(call: 3, returnAddress: 0x8040_1000, arguments: $0) }
      stream.append(resultOf: 3, arguments.first ?? 0, hasValue: !arguments.isEmpty)
    }
    #expect(
      stream.elements == [
        .call(routine: 3, returnAddress: 0x8040_1000, arguments: []), .result(routine: 3, value: nil),
        .call(routine: 3, returnAddress: 0x8040_1000, arguments: [1, 0xffff_ffff]), .result(routine: 3, value: 1),
        .call(routine: 3, returnAddress: 0x8040_1000, arguments: [0x1_0000_0000, 2]), .result(routine: 3, value: 0x1_0000_0000),
      ])
  }

  @Test("what events hold counts in the budget, and a lock of pages that agree takes little")
  func payloads() {
    func lock(requestorFrames: [UInt32?], owners: [Int?]) -> LockEvent {
      LockEvent(
        mdl: 1, address: 0, length: 0x1000_0000, intent: .write, frames: Array(1...10_000), current: 0, account: 0, requestor: 0,
        requestorFrames: requestorFrames, owners: owners, routine: "", wasLocked: false, site: Site(ip: 0))
    }
    let stream = EventStream(budget: 4 << 20)
    let right = lock(requestorFrames: Array(1...10_000), owners: Array(repeating: nil, count: 10_000))
    for _ in 0..<50 { stream.append(.lock(right)) }
    #expect(!stream.isFull)
    for _ in 0..<50 { stream.append(.lock(right)) }
    #expect(stream.isFull)
    let mixed = lock(requestorFrames: [1, nil, 7], owners: [nil, 2, nil, 3])
    #expect(mixed.requestorFrames == [1, nil, 7])
    #expect(mixed.owners == [nil, 2, nil, 3])
    #expect(right.requestorFrames == Array(1...10_000))
  }

  @Test("the budget ends the recording, not the process")
  func budget() {
    let stream = EventStream(budget: 1 << 20)
    for _ in 0..<2_000_000 { stream.append(block: 1) }
    #expect(stream.isFull)
    #expect(stream.elements.count < 1_000_000)
  }
}
