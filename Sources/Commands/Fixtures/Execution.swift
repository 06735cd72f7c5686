import Emulation
import Events

extension SourcedFixture {
  /// Runs the fixture. What its user must mend is a ``Failure``.
  func run(_ changes: FixtureOptions, recordingRegisters recordsRegisters: Bool = false) throws -> Run {
    var fixture = fixture
    changes.apply(to: &fixture)
    var options = EmulationOptions()
    options.recordsRegisters = recordsRegisters
    options.images = ImageSource(folder: folder)
    do throws(EmulationError) {
      return try emulate(fixture, options: options)
    } catch {
      throw Failure(Failure.Code(rawValue: error.exitCode) ?? .software, error.description)
    }
  }
}
