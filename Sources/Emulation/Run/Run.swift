import Events
import Guest
import NTKernel
import Processor
import Verification

/// What a run came to.
public enum Outcome: Sendable, Hashable {
  /// Every step ended; the result of the last call.
  case returned(UInt64)
  /// The last call raised, and the fixture had guarded it.
  case raised(UInt32)
  case bugCheck(BugCheck)
  /// A budget is used up.
  case limit(Limit)
  /// Guest code called a routine that nobody provides: `nt!ZwFoo`.
  case missingRoutine(String)
  /// Every thread waits, and nothing is due.
  case waiting
  /// The watcher ended it.
  case stopped

  public enum Limit: String, Sendable { case instructions, memory, trace }
}

/// Something that is not as the fixture expects.
public struct Mismatch: Sendable, Hashable {
  /// The line of the fixture that expects it, if it came from a file.
  public let line: Int?
  /// One sentence: what was expected, and what came.
  public let sentence: String
}

/// What `emulate(_:)` returns: everything that happened, and what it means.
public struct Run {
  public let fixture: Fixture
  public let outcome: Outcome
  public let verdict: Verdict
  /// What the rules found, most serious first.
  public let findings: [Finding]
  /// Every lock, in order.
  public let locks: [LockRecord]
  /// The run in one sentence: what was locked whose, or how it ended.
  public let headline: String
  public let events: EventStream
  public let names: Names
  /// What `DbgPrint` and its like said.
  public let messages: [String]
  /// Instructions executed.
  public let instructions: UInt64
  /// The registers before each instruction, if they were recorded.
  public let snapshots: [RegisterSnapshot]
  /// The drivers that start before the first step, in that order.
  public let startOrder: [DriverStart]
  /// How each driver started and went, in order.
  public let drivers: [DriverRecord]
  /// The call of a routine that nobody provides, if one ended the run.
  public let missing: MissingRoutine?
  /// What special pool found: `3 bytes past the end of 21 bytes tagged Over, which overrun!WriteBeyond+0x17 allocated`.
  public let poolFault: String?
  /// The stubs that were called, in the order of their first calls.
  public let stubs: [StubCalls]
  /// The fixture's stubs that nobody called.
  public let unusedStubs: [String]
  /// What is not as the fixture expects.
  public let mismatches: [Mismatch]
  /// Memory as the run left it.
  let memory: FinalMemory

  public var isAsExpected: Bool { mismatches.isEmpty }
}
