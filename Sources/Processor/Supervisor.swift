import Disassembly
import Guest

/// Who decides what the processor itself does not: the kernel model, seen from below.
///
/// Each method is called while guest code stands still. It may read and write registers, memory and the current address
/// space. Writing ``Register/ip`` says where guest code goes on; left alone, a trap returns to its caller, a fault is tried
/// again, an interrupt or sensitive instruction is passed.
public protocol Supervisor: AnyObject {
  /// Guest code called the routine behind trap number `trap`. `registers` are the processor's, at hand without a count.
  func serve(trap: Int, with registers: any Registers) -> Directive
  /// An access that the shadow tables do not allow.
  func pageFault(_ access: Access, at address: UInt64) -> Directive
  /// The processor raised `vector`. `isSoftware` tells an `int n` instruction; ``Register/ip`` is then past it.
  func exception(vector: Int, isSoftware: Bool) -> Directive
  /// `instruction` asks for more than registers and memory. It does not run: the supervisor does what it does.
  func sensitive(_ instruction: Instruction) -> Directive
  /// So many instructions have run as ``Processor/deadline`` says; ``Register/ip`` is the instruction that is about to run.
  func deadline() -> Directive
}

extension Supervisor {
  /// Nobody who sets no deadline is asked.
  public func deadline() -> Directive { .proceed }
}

/// What follows a supervisor's decision.
public enum Directive: Sendable {
  /// Guest code goes on, in the address space that is current now.
  case proceed
  /// ``Processor/run()`` returns.
  case stop
}

/// Why ``Processor/run()`` returned.
public enum StopReason: Sendable, Hashable {
  /// The supervisor said so.
  case supervisor
  /// So many instructions ran as were allowed.
  case instructionLimit
  /// The event stream's budget is used up.
  case traceLimit
}

/// Something that must not happen: a defect in this program or in the engine, not in the guest.
public struct ProcessorError: Error, Sendable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
