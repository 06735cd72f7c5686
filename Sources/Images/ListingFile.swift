import FoundationEssentials
import Guest

extension Image {
  /// Reads the listing in the file at `path`, which errors call by that path.
  public init(
    contentsOfListing path: String, named name: String? = nil, target: Target = .windowsXP_x86
  ) throws(ListingError) {
    func fail(_ message: String) -> ListingError { ListingError(file: path, line: 0, message: message) }
    // A pipe or a device would never end; what a link leads to is what counts.
    let place = URL(filePath: path).resolvingSymlinksInPath().path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: place) else {
      throw fail("there is no such file that can be read; expected a listing")
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular else { throw fail("this is no file; expected a listing") }
    let size = (attributes[.size] as? any BinaryInteger).map { Int(clamping: $0) } ?? 0
    guard size <= ListingReader.longest else {
      throw fail("the listing has \(size) bytes; expected at most \(ListingReader.longest)")
    }
    guard let bytes = FileManager.default.contents(atPath: place) else { throw fail("the file cannot be read") }
    try self.init(listing: bytes, named: name, file: path, target: target)
  }
}
