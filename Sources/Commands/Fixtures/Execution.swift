import Emulation
import Events

extension SourcedFixture {
  /// Runs the fixture. What its user must mend is a ``Failure``.
  func run(recordingRegisters recordsRegisters: Bool = false) throws -> Run {
    var options = EmulationOptions()
    options.recordsRegisters = recordsRegisters
    options.images = ImageSource(folder: folder)
    do throws(EmulationError) {
      return try emulate(fixture, options: options)
    } catch {
      throw Failure(Failure.Code(rawValue: error.exitCode) ?? .software, error.description)
    }
  }

  /// The same fixture with what the command line changes.
  func changed(by changes: FixtureOptions) -> SourcedFixture {
    var copy = self
    changes.apply(to: &copy.fixture)
    return copy
  }
}
