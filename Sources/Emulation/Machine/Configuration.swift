import NTKernel

extension Machine {
  /// Makes the service keys of the fixture's drivers, then what the fixture itself says of the registry.
  func fillRegistry() throws {
    for image in names.images where image.isDriver && !image.isExportDriver {
      let fileName = try moduleEntries[image.base]?.BaseDllName.string() ?? image.name + ".sys"
      kernel.makeServiceKey(image.name, fileName: fileName)
    }
    for key in fixture.registry {
      if key.isAbsent {
        guard kernel.registry.removeKey(at: key.path) else {
          throw error(key.origin.line, "there is no key \(quoted(key.path)) to take away")
        }
        continue
      }
      guard let made = kernel.registry.makeKey(at: key.path) else {
        throw error(key.origin.line, "\(quoted(key.path)) is no key of the registry")
      }
      for value in key.values { made[value.name] = value.data }
    }
  }
}

extension Machine {
  /// A key's expectation: whether it is there, and the values that are listed.
  func check(_ expected: Fixture.RegistryKey) {
    let line = expected.origin.line
    guard let key = kernel.registry.key(at: expected.path) else {
      if !expected.isAbsent { mismatch(line, "the registry was to have the key \(expected.path); there is none") }
      return
    }
    if expected.isAbsent { return mismatch(line, "the registry was to have no key \(expected.path); it has") }
    for value in expected.values where key[value.name] != value.data {
      let name = value.name.isEmpty ? "the default value" : "the value \(value.name)"
      let actual = key[value.name].map { "it is \($0)" } ?? "there is none"
      mismatch(line, "\(name) of \(expected.path) was to be \(value.data.map { "\($0)" } ?? "absent"); \(actual)")
    }
  }
}
