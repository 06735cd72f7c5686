import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Objects that drivers make, and object callbacks")
struct ObjectCreationTests {
  @Test("ObCreateObject and ObInsertObject: the handle keeps what the creation made; a name that is taken is refused")
  func creation() throws {
    let k = try TestKernel()
    let event = try k.kernel.address(ofVariable: "IoFileObjectType", in: "nt") ?? 0
    try k.kernel.fillVariables()
    let type = UInt64(try k.load(event))
    let place = TestKernel.scratch
    #expect(try k.status("ObCreateObject", 0, type, 0, 0, 0, 0x70, 0, 0, place) == .success)
    let object = UInt64(try k.load(place))
    #expect(try k.value("ObGetObjectType", object) == type)
    #expect(try k.status("ObInsertObject", object, 0, 0x1f_01ff, 0, 0, place + 8) == .success)
    let handle = UInt64(try k.load(place + 8))
    #expect(try k.status("ObSetHandleAttributes", handle, place + 0x20, 0) == .success)
    #expect(try k.status("ObSetHandleAttributes", 0x7ff0, place + 0x20, 0) == .invalidHandle)
    #expect(try k.status("ObCloseHandle", handle | 0x8000_0000, 1) == .invalidHandle)
    #expect(try k.status("ObCloseHandle", handle, 0) == .success)
    #expect(try k.status("ObCloseHandle", handle, 0) == .invalidHandle)
    #expect(try k.status("ObCreateObject", 0, 0, 0, 0, 0, 8, 0, 0, place) == .invalidParameter)
  }

  @Test("ObCreateObjectType: a type of the driver's own, once")
  func types() throws {
    let k = try TestKernel()
    let place = TestKernel.scratch
    let name = place + 0x100
    try k.write("Gadget", at: name)
    // OBJECT_TYPE_INITIALIZER with its length alone.
    try k.memory.memory.store(UInt16(0x4c), at: place)
    #expect(try k.status("ObCreateObjectType", name, place, 0, place + 0x80) == .success)
    let type = UInt64(try k.load(place + 0x80))
    #expect(try k.status("ObCreateObject", 0, type, 0, 0, 0, 16, 0, 0, place + 0x90) == .success)
    #expect(try k.value("ObGetObjectType", UInt64(try k.load(place + 0x90))) == type)
    #expect(try k.status("ObCreateObjectType", name, place, 0, place + 0x80) == .objectNameCollision)
    try k.memory.memory.store(UInt16(0x10), at: place)
    #expect(try k.status("ObCreateObjectType", name, place, 0, place + 0x80) == .invalidParameter)
    let object = UInt64(try k.load(place + 0x90))
    #expect(try k.value("ObfReferenceObject", object) == 2)
    _ = try k.call("ObDereferenceObjectDeferDelete", [object])
    #expect(try k.kernel.header(of: object).PointerCount.load() == 1)
  }

  @Test("ObRegisterCallbacks: version, types and the image's signature are checked; ObUnRegisterCallbacks takes nothing amiss")
  func callbacks() throws {
    let k = try TestKernel()
    let place = TestKernel.scratch
    #expect(try k.value("ObGetFilterVersion") == 0x100)
    #expect(try k.status("ObRegisterCallbacks", place, place + 0x80) == .invalidParameter)
    let process = try k.kernel.address(ofVariable: "PsProcessType", in: "nt") ?? 0
    try k.kernel.fillVariables()
    try k.memory.memory.store(UInt32(0x1_0100), at: place)
    try k.memory.memory.store(UInt32(truncatingIfNeeded: place + 0x40), at: place + 0x10)
    try k.memory.memory.store(UInt32(truncatingIfNeeded: process), at: place + 0x40)
    try k.memory.memory.store(UInt32(3), at: place + 0x44)
    try k.memory.memory.store(UInt32(0xf8b0_2000), at: place + 0x48)
    #expect(try k.status("ObRegisterCallbacks", place, place + 0x80) == .accessDenied)
    try k.memory.memory.store(UInt32(7), at: place + 0x44)
    #expect(try k.status("ObRegisterCallbacks", place, place + 0x80) == .invalidParameter)
    _ = try k.call("ObUnRegisterCallbacks", [0x1234])
  }
}

extension TestKernel {
  fileprivate func status(_ name: String, _ arguments: UInt64...) throws -> NTSTATUS {
    guard case .returned(let value) = try call(name, arguments) else { throw Unexpected() }
    return NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value))
  }

  /// A counted string at `place`, and its text behind it.
  fileprivate func write(_ text: String, at place: UInt64) throws {
    try Pointer<UNICODE_STRING>(place, in: memory.memory).store(text, buffer: Pointer(place + 8, in: memory.memory))
  }
}
