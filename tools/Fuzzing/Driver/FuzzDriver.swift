import Images

/// https://llvm.org/docs/LibFuzzer.html#fuzz-target
@_cdecl("LLVMFuzzerTestOneInput")
public func readDriver(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  do throws(PEError) {
    let image = try Image(portableExecutable: bytes, named: "input")
    precondition(image.sections.allSatisfy { image.contains($0.address) && $0.end <= image.base + image.size })
    _ = image.rebased(to: 0xf8b0_0000)
  } catch {
    precondition(!error.description.contains(where: \.isNewline))
  }
  return 0
}
