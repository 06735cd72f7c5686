import Emulation
import Reporting

extension Run {
  /// Prints the trace.
  func putTrace(_ options: TraceOptions, _ palette: Palette) {
    Console.put("no trace yet\n")
  }
}
