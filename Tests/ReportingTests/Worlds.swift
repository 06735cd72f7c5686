import Emulation
import Reporting

/// Fixtures that traces are made of: notepad.exe has three pages, `worker` is a thread of System's, `app` one of notepad.exe's.
enum World {
  static func run(
    _ calls: String, load: String = "nt.listing, exercise.listing", options: EmulationOptions = EmulationOptions()
  ) throws -> Run {
    let yaml = """
      fixture: 1
      load: [\(load)]
      processes:
        System: {id: 4}
        notepad.exe:
          id: 1232
          memory:
            0x00130000: {size: 0x3000, text: "the user's bytes"}
      threads:
        app: notepad.exe
        worker: System
      values:
        out: {u32: [0x00131000]}
        mdl: {size: 64}
        frames: {u32: [1, 2, 3]}
        format: {text: "hello %d\\n"}
      calls:

      """
    return try emulate(Fixture(yaml: yaml + calls, file: "world.yaml"), options: options)
  }

  static let lockUserBuffer =
    "- {on: worker, call: fltMgr!FltLockUserBuffer, with: {CallbackData: {write: {buffer: 0x00130000, length: 0x3000, requestor: app}}}}"

  /// FltLockUserBuffer, called on a worker of System for a buffer of notepad.exe's.
  static func lockFromWorker() throws -> Run { try run(lockUserBuffer, load: "nt.listing, fltMgr.listing") }
}

extension Run {
  /// The lines of the trace, without the blanks before them.
  func lines(_ change: (inout TraceOptions) -> Void = { _ in }) -> [String] {
    var options = TraceOptions()
    change(&options)
    var lines: [String] = []
    writeTrace(options) { lines.append(String($0.drop { $0 == " " })) }
    return lines
  }
}
