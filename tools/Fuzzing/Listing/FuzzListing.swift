import Images

/// https://llvm.org/docs/LibFuzzer.html#fuzz-target
@_cdecl("LLVMFuzzerTestOneInput")
public func readListing(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  do throws(ListingError) {
    let image = try Image(listing: bytes, file: "input")
    precondition(image.sections.allSatisfy { image.contains($0.address) && $0.end <= image.base + image.size })
  } catch {
    precondition(!error.description.contains(where: \.isNewline))
  }
  return 0
}
