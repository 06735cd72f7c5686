import Foundation
import Guest
import GuestCode
import Images

/// Where images come from: files beside the fixture first, then those that are built in.
public struct ImageSource: Sendable {
  /// The folder that relative names are looked up in, if the fixture came from a file.
  public var folder: String?
  /// Files of the user's own that take the place of images or exports: paths by the module's name, `fltMgr`.
  ///
  /// What such a file does not export, the image or the routines of that name still provide.
  public var overrides: [String: String]

  public init(folder: String? = nil, overrides: [String: String] = [:]) {
    self.folder = folder
    self.overrides = overrides
  }

  /// An image and the name of the file that it is on the guest's disk.
  struct Source {
    let image: Image
    let fileName: String
  }

  /// The image that `name` names.
  func image(_ name: String, line: String, for target: Target) throws -> Source {
    let path = name.hasPrefix("/") ? name : folder.map { ($0 as NSString).appendingPathComponent(name) } ?? name
    if FileManager.default.fileExists(atPath: path) { return try file(path, named: nil, for: target) }
    if let driver = BuiltIn.driver(named: name) {
      return Source(
        image: try Image(portableExecutable: driver.bytes, named: driver.stem, file: driver.name, origin: .reconstructed),
        fileName: driver.name)
    }
    // Our reconstruction of the kernel reads the thread's layout, which is the version's.
    let version = (name as NSString).deletingPathExtension + "-\(target.windowsName).listing"
    guard let builtIn = BuiltIn.image(named: version) ?? BuiltIn.image(named: name) else {
      let names = BuiltIn.images.map(\.name) + BuiltIn.drivers.map(\.name)
      let known = suggestion(for: name, among: names)
      throw EmulationError("\(line): no image \(quoted(name)): neither a file there nor a built-in one\(known)", kind: .missingFile)
    }
    return Source(
      image: try Image(listing: builtIn.text, named: Self.stem(name), file: builtIn.name, target: target), fileName: builtIn.name)
  }

  /// The file of a module that `importer` imports from: beside the fixture, or built in where the importer is.
  func file(of module: String, importedBy importer: Source) -> Source? {
    let folder = folder ?? FileManager.default.currentDirectoryPath
    let wanted = [module.lowercased() + ".sys", module.lowercased() + ".dll"]
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in files.sorted() where wanted.contains(name.lowercased()) {
      let path = (folder as NSString).appendingPathComponent(name)
      if Image.isPortableExecutable(atPath: path) {
        return (try? Image(contentsOfPortableExecutable: path, named: module)).map { Source(image: $0, fileName: name) }
      }
    }
    guard BuiltIn.driver(named: importer.fileName) != nil, let driver = BuiltIn.driver(named: module + ".sys") else { return nil }
    return (try? Image(portableExecutable: driver.bytes, named: driver.stem, file: driver.name, origin: .reconstructed)).map {
      Source(image: $0, fileName: driver.name)
    }
  }

  /// Our own listing of a module, by its name in lower case.
  func listing(of module: String, for target: Target) -> Source? {
    guard let builtIn = BuiltIn.images.first(where: { $0.stem.lowercased() == module }),
      let image = try? Image(listing: builtIn.text, named: builtIn.stem, file: builtIn.name, target: target)
    else { return nil }
    return Source(image: image, fileName: builtIn.name)
  }

  /// The user's files that take others' places, in the order of their modules' names.
  func overridingImages(for target: Target) throws -> [Source] {
    try overrides.sorted { $0.key < $1.key }.map { try file($0.value, named: $0.key, for: target) }
  }

  /// The image in a file: a driver where it begins as one, else a listing.
  private func file(_ path: String, named name: String?, for target: Target) throws -> Source {
    let fileName = (path as NSString).lastPathComponent
    if Image.isPortableExecutable(atPath: path) {
      let module = name ?? Image.moduleName(ofFile: fileName)
      return Source(image: try Image(contentsOfPortableExecutable: path, named: module), fileName: fileName)
    }
    return Source(image: try Image(contentsOfListing: path, named: name ?? Self.stem(fileName), target: target), fileName: fileName)
  }

  private static func stem(_ name: String) -> String {
    (name as NSString).lastPathComponent.split(separator: ".").first.map(String.init) ?? name
  }
}
