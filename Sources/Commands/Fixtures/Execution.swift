import Emulation
import Events
import FilterManager

extension SourcedFixture {
  /// Runs the fixture. What its user must mend is a ``Failure``.
  func run(recordingRegisters recordsRegisters: Bool = false, services: (any ServiceHost)? = nil) throws -> Run {
    var options = EmulationOptions()
    options.serviceHost = services
    options.recordsRegisters = recordsRegisters
    options.images = ImageSource(folder: folder, overrides: overrides)
    do throws(EmulationError) {
      return try emulate(fixture, options: options)
    } catch {
      throw Failure(Failure.Code(rawValue: error.exitCode) ?? .software, named(error.description))
    }
  }

  /// A message about the fixture, with its file in the place of its name.
  private func named(_ message: String) -> String {
    message.hasPrefix(fixture.name + ":") ? file + message.dropFirst(fixture.name.count) : message
  }

  /// The same fixture with what the command line changes.
  func changed(by changes: FixtureOptions) -> SourcedFixture {
    var copy = self
    changes.apply(to: &copy.fixture)
    if changes.windows != nil { copy.versionReason = nil }
    for image in changes.images { copy.overrides[image.name] = image.path }
    return copy
  }
}
