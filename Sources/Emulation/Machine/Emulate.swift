import Events
import FilterManager
import Guest
import Images
import Memory
import NTKernel
import Processor
import Verification
import WindowsTypes

/// How a fixture is run, beside what it says itself.
public struct EmulationOptions {
  /// Keeps the registers before every instruction.
  public var recordsRegisters = false
  /// Goes on when the fixture's limit for the trace is reached, and forgets what was recorded until then: of a long run, the trace
  /// and all that is told from it is that of its last part.
  public var forgetsTrace = false
  /// Patches on top of the fixture's own.
  public var patches: [Fixture.Patch] = []
  /// In place of the fixture's own limit.
  public var instructionLimit: UInt64?
  /// Where an image named by the fixture comes from: a file beside the fixture, or one of the built-in ones.
  public var images = ImageSource()

  /// Services that threads of the fixture's run, by the thread's name: in place of what its `serve` step says.
  public var services: [String: FilterService] = [:]

  /// Where services come from that are processes of their own: each plays a thread that a `serve` step names. The run waits for
  /// them.
  public var serviceHost: (any ServiceHost)?

  public init() {}
}

/// What a watcher wants after an event.
public enum Watch: Sendable { case `continue`, stop }

/// Runs `fixture` and returns what came of it.
///
/// What happens to the guest is in the result; what is thrown must be mended in the fixture, in an image, or here.
///
///     let run = try emulate(Fixture(contentsOf: "lock-from-system-worker.yaml"))
///
/// - Parameter watch: sees every event as it happens, and may end the run.
public func emulate(
  _ fixture: Fixture, options: EmulationOptions = EmulationOptions(), watching watch: ((Event) -> Watch)? = nil
) throws(EmulationError) -> Run {
  let machine: Machine
  do {
    machine = try Machine(fixture, options, watch)
    try machine.performSteps()
    return try machine.result()
  } catch {
    throw emulationError(error, fixture)
  }
}

private func emulationError(_ error: any Error, _ fixture: Fixture) -> EmulationError {
  switch error {
  case let error as EmulationError: error
  case let error as FixtureError: EmulationError(error.description, kind: error.kind == .missingFile ? .missingFile : .badInput)
  case let error as ListingError: EmulationError(error.description)
  case let error as PEError: EmulationError(error.description)
  case let error as SocketError: EmulationError(error.description)
  case let error as MemoryExhausted: EmulationError("\(fixture.name): the world does not fit: \(error)")
  default: EmulationError("\(fixture.name): internal error: \(error)", kind: .internalError)
  }
}
