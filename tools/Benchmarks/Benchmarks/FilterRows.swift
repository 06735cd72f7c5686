import Emulation
import Glibc

/// What goes through the filter manager.
let filterRows: [Row] = [
  // 50,000 operations a second.
  Row("a read through three filters and the file system", "us", .below(20)) { (try filteredRead(instances: 3), nil) },
  Row("a read through the file system alone", "us", .none) { (try filteredRead(instances: 0), nil) },
]

/// Microseconds for one of the reads that `readloop.sys` makes, with so many instances of it above the file system: each is called
/// before and after.
private func filteredRead(instances: Int) throws -> Double {
  let keys = (0..<3).map { index in
    #"""
      Services\readloop\Instances\Instance \#(index): {Altitude: {sz: "37000\#(index)"}, Flags: {dword: \#(index < instances ? 0 : 1)}}

    """#
  }.joined()
  let fixture = try Fixture(
    yaml: #"""
      fixture: 1
      load: [readloop.sys]
      limits: {instructions: 1000000000, trace: 2GiB}
      volumes:
        \Device\HarddiskVolume1: {files: {\data.bin: {size: 0x1000}}}
      registry:
        Services\readloop\Instances: {DefaultInstance: {sz: Instance 0}}
      \#(keys)calls:
      - {load: readloop, expect: STATUS_SUCCESS}
      """#, file: "readloop.yaml")
  let start = processorTime()
  let run = try emulate(fixture)
  let taken = processorTime() - start
  guard run.mismatches.isEmpty else { throw EmulationFailure(text: "\(run.mismatches)") }
  return taken / 20_000 * 1e6
}

private struct EmulationFailure: Error, CustomStringConvertible {
  let text: String
  var description: String { text }
}
