extension Image {
  /// Whether the file at `path` is a PE file rather than a listing; `false` where it cannot be read.
  public static func isPortableExecutable(atPath path: String) -> Bool {
    guard let bytes = try? HostFile.bytes(path, limit: PEHeaders.largestImage) else { return false }
    return isPortableExecutable(bytes)
  }
}
