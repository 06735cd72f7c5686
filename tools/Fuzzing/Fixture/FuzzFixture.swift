import Emulation

/// https://llvm.org/docs/LibFuzzer.html#fuzz-target
@_cdecl("LLVMFuzzerTestOneInput")
public func readFixtures(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  do throws(FixtureError) {
    _ = try Fixture.all(yaml: text, file: "input")
  } catch {
    precondition(!error.description.contains(where: \.isNewline))
  }
  return 0
}
