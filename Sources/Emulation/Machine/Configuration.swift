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
