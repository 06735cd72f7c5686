import FoundationEssentials
import Guest

extension Image {
  /// Whether the file at `path` is a PE file rather than a listing; `false` where it cannot be read.
  public static func isPortableExecutable(atPath path: String) -> Bool {
    let place = URL(filePath: path).resolvingSymlinksInPath().path
    // A pipe or a device would wait, and a listing is named by its own reader.
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: place),
      attributes[.type] as? FileAttributeType == .typeRegular,
      (attributes[.size] as? any BinaryInteger).map({ Int(clamping: $0) }) ?? 0 > 1,
      let bytes = try? Data(contentsOf: URL(filePath: place), options: .alwaysMapped)
    else { return false }
    return isPortableExecutable(bytes)
  }
}
