import Emulation
import Reporting

extension Run {
  /// Prints the trace as it is made: a long one is never whole in memory.
  func putTrace(_ flags: TraceFlags) {
    var options = TraceOptions()
    options.instructions = !flags.calls
    options.registers = flags.registers
    options.memoryOperands = flags.operands
    options.callStacks = flags.stacks
    var buffer = ""
    writeTrace(options) { line in
      buffer += line + "\n"
      if buffer.utf8.count > 1 << 16 {
        Console.put(buffer)
        buffer = ""
      }
    }
    Console.put(buffer)
  }
}
