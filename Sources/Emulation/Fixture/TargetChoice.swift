import Glibc
import Guest
import Images
import NTKernel
import WindowsTypes

/// The version of Windows that a driver runs in where nobody says which: the oldest one that it can be for.
public struct TargetChoice: Sendable, Hashable {
  public let target: Target
  /// Why it is not the oldest, for a reader: `it imports nt!EtwRegister (Windows Vista)`.
  public let reason: String?

  /// What the image imports decides; then the version that the linker was told, for what a driver asks for by name cannot be seen.
  /// A driver that wants a later version than any that is there gets the last one: what is missing is named when it is called.
  public init(for image: Image) {
    let wanted = image.imports.map { ($0, KnownRoutines.introduction(of: $0.name, in: $0.module)) }
    if let (item, release) = wanted.filter({ $0.1 > Target.all[0].system.release }).max(by: { $0.1 < $1.1 }) {
      target = Target.all.first { $0.system.release >= release } ?? Target.all[Target.all.count - 1]
      reason = "it imports \(item.module)!\(item.name), of \(release)"
      return
    }
    if image.asksForGraphicsKernel {
      target = .windows7_x86
      reason = "it has the graphics kernel of Windows Vista loaded"
      return
    }
    // Linkers write 6.0 where nobody tells them a version.
    if let version = image.file.subsystemVersion, version >= (6, 1) {
      target = .windows7_x86
      reason = "it was linked for version \(version.major).\(version.minor)"
      return
    }
    target = Target.all[0]
    reason = nil
  }
}

extension Image {
  /// Whether it holds the name of the service that `DxgkInitialize`, which display miniports link, has loaded.
  fileprivate var asksForGraphicsKernel: Bool {
    let wanted = "\\DXGKrnl".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    return sections.contains { section in
      section.bytes.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress, bytes.count >= wanted.count else { return false }
        return (0...bytes.count - wanted.count).contains { memcmp(start + $0, wanted, wanted.count) == 0 }
      }
    }
  }
}
