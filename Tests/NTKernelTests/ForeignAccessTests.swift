import Events
import Guest
import Memory
import Testing

@testable import NTKernel

@Suite("Uses of a request's buffer address in other processes") struct ForeignAccessTests {
  let k: TestKernel
  init() throws {
    k = try TestKernel()
    try k.map(2, in: k.notepad)
    try k.map(2, in: k.service)
  }

  private var accesses: [ForeignAccessEvent] {
    k.stream.events.compactMap { if case .foreignAccess(let access) = $0 { access } else { nil } }
  }

  private func request(by process: Process) -> BufferRequest {
    BufferRequest(requestor: process.id, address: k.buffer + 0x10, length: 0x1000)
  }

  @Test("the first one in each process is recorded, with what it was; the requestor's own are not")
  func recorded() throws {
    try k.kernel.record(request(by: k.notepad))
    k.kernel.memory.activate(k.notepad.space)
    try k.kernel.memory.memory.store(1 as UInt32, at: k.buffer + 0x10)
    #expect(accesses.isEmpty)
    k.kernel.memory.activate(k.service.space)
    try k.kernel.memory.memory.store(2 as UInt32, at: k.buffer + 0x1008)
    _ = try k.kernel.memory.memory.load(UInt32.self, at: k.buffer + 0x10)
    #expect(accesses.map(\.kind) == [.write])
    #expect(accesses.map(\.address) == [k.buffer + 0x1008])
    #expect(accesses.map(\.process) == [k.service.id] && accesses.map(\.requestor) == [k.notepad.id])
    // A new request is watched anew.
    try k.kernel.record(request(by: k.notepad))
    _ = try k.kernel.memory.memory.load(UInt32.self, at: k.buffer + 0x10)
    #expect(accesses.map(\.kind) == [.write, .read])
  }

  @Test("a use beside the buffer is none, and a process with a request of its own there is not watched")
  func unrelated() throws {
    try k.kernel.record(request(by: k.notepad))
    k.kernel.memory.activate(k.service.space)
    _ = try k.kernel.memory.memory.load(UInt32.self, at: k.buffer)
    _ = try k.kernel.memory.memory.load(UInt32.self, at: k.buffer + 0x1010)
    #expect(accesses.isEmpty)
    try k.kernel.record(request(by: k.service))
    _ = try k.kernel.memory.memory.load(UInt32.self, at: k.buffer + 0x10)
    k.kernel.memory.activate(k.notepad.space)
    _ = try k.kernel.memory.memory.load(UInt32.self, at: k.buffer + 0x10)
    #expect(accesses.isEmpty)
  }

  @Test("who looks from outside is not noticed, and changes nothing")
  func outside() throws {
    try k.kernel.record(request(by: k.notepad))
    _ = try k.service.space.memory.load(UInt32.self, at: k.buffer + 0x10)
    #expect(k.service.space[k.buffer].isWatched && accesses.isEmpty)
    #expect(!k.notepad.space[k.buffer].isWatched)
  }

  @Test("where the other process has nothing, the use is recorded beside the fault")
  func unmapped() throws {
    try k.kernel.record(request(by: k.notepad))
    k.kernel.memory.activate(k.system.space)
    #expect(throws: GuestException.self) { _ = try k.kernel.memory.memory.load(UInt32.self, at: k.buffer + 0x10) }
    #expect(accesses.map(\.process) == [k.system.id])
  }
}
