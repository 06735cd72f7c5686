import Foundation

/// The guest code and the fixtures that come with the library: their text is part of the program.
///
/// The build takes them from `images/`; a file that is added there is built in.
public enum BuiltIn {
  /// A file of `images/`.
  public struct File: Hashable, Sendable {
    /// `lock-from-system-worker.yaml`
    public let name: String
    public let text: String

    /// The name without its extension: what names the file where it is built in.
    public var stem: String { name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name }
  }

  /// In the order of their names.
  public static let files = builtInFiles.map(File.init)
  /// Every fixture file, in the order of their names.
  public static let fixtures = files.filter { $0.name.hasSuffix(".yaml") }
  /// Every listing, in the order of their names.
  public static let images = files.filter { $0.name.hasSuffix(".listing") }

  /// The listing called `name`, with or without `.listing`.
  public static func image(named name: String) -> File? { images.first { $0.name == name || $0.stem == name } }

  /// The fixture file called `name`, with or without `.yaml`.
  public static func fixture(named name: String) -> File? { fixtures.first { $0.name == name || $0.stem == name } }

  /// A driver of `images/`, built from its source there.
  public struct Driver: Sendable {
    /// `hello.sys`
    public let name: String
    fileprivate let base64: String

    /// The name without its extension.
    public var stem: String { name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name }
    public var bytes: [UInt8] { Data(base64Encoded: base64).map { [UInt8]($0) } ?? [] }
  }

  /// Every driver, in the order of their names.
  public static let drivers = builtInDrivers.map { Driver(name: $0.name, base64: $0.base64) }

  /// The driver called `name`, with or without `.sys`.
  public static func driver(named name: String) -> Driver? { drivers.first { $0.name == name || $0.stem == name } }
}
