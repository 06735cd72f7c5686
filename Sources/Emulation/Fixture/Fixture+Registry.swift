import NTKernel

extension Fixture {
  /// What a fixture says of one key of the run's registry, beyond what is there by default.
  public struct RegistryKey: Hashable, Sendable {
    /// From `\Registry` on, or shortened as in `HKLM\SOFTWARE\Demo` and `Services\demo\Parameters`.
    public var path: String
    /// In the order in which they are made.
    public var values: [RegistryValue]
    /// The key is taken away, with all that is below it: the YAML value `absent`.
    public var isAbsent: Bool
    public var origin: Origin

    public init(_ path: String, _ values: [RegistryValue] = [], isAbsent: Bool = false, origin: Origin = nil) {
      self.path = path
      self.values = values
      self.isAbsent = isAbsent
      self.origin = origin
    }
  }

  public struct RegistryValue: Hashable, Sendable {
    /// Empty for the key's default value, which YAML calls `"@"`.
    public var name: String
    /// `nil` takes the value away: the YAML value `absent`.
    public var data: RegistryData?

    public init(_ name: String, _ data: RegistryData?) {
      self.name = name
      self.data = data
    }
  }
}
