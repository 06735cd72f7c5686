import Foundation
import Guest
import GuestCode
import Images

/// Where images come from: files beside the fixture first, then those that are built in.
public struct ImageSource: Sendable {
  /// The folder that relative names are looked up in, if the fixture came from a file.
  public var folder: String?

  public init(folder: String? = nil) { self.folder = folder }

  /// The image that `name` names.
  func image(_ name: String, line: String, for target: Target) throws -> Image {
    let module = (name as NSString).lastPathComponent.split(separator: ".").first.map(String.init) ?? name
    let path = folder.map { ($0 as NSString).appendingPathComponent(name) } ?? name
    if FileManager.default.fileExists(atPath: path) {
      return try Image(contentsOfListing: path, named: module, target: target)
    }
    guard let builtIn = BuiltIn.image(named: name) else {
      let known = nearest(name, among: BuiltIn.images.map(\.name)).map { "; did you mean “\($0)”?" } ?? ""
      throw EmulationError("\(line): no image \(quoted(name)): neither a file there nor a built-in one\(known)", kind: .missingFile)
    }
    return try Image(listing: builtIn.text, named: module, file: builtIn.name, target: target)
  }
}
