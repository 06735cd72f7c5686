import FoundationEssentials

/// Files of the host, read with care: no pipe or device that never ends, and no more than is wanted.
enum HostFile {
  struct Failure: Error {
    let message: String
  }

  static func bytes(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
    let place = URL(filePath: path).resolvingSymlinksInPath().path
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: place) else {
      throw Failure(message: "there is no such file that can be read; expected a driver")
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular else { throw Failure(message: "this is no file; expected a driver") }
    let size = (attributes[.size] as? any BinaryInteger).map { Int(clamping: $0) } ?? 0
    guard size <= limit else { throw Failure(message: "the file has \(size) bytes; expected at most \(limit)") }
    guard let bytes = FileManager.default.contents(atPath: place) else { throw Failure(message: "the file cannot be read") }
    return [UInt8](bytes)
  }
}
