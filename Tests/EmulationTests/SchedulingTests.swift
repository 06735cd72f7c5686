import Emulation
import Events
import Testing
import WindowsTypes

@Suite("Threads and waits") struct SchedulingTests {
  /// A world with one thread, `main`, and room for objects; each call is made on it in turn.
  private func run(_ calls: [Fixture.Call], instructions: UInt64? = nil) throws -> Run {
    var options = EmulationOptions()
    options.instructionLimit = instructions
    return try emulate(
      Fixture(
        "scheduling", load: ["nt.listing", "exercise.listing"], threads: [.init("main", in: "System")],
        values: [
          .init("event", size: 0x10), .init("timer", size: 0x28), .init("handle", size: 4), .init("due", size: 8, .u64([.max - 9_999_999])),
          .init("mutex", size: 0x20), .init("dpc", size: 0x20), .init("objects", size: 8), .init("now", size: 8),
        ], steps: calls.map { .call($0) }), options: options)
  }

  private func call(_ routine: Fixture.Place, _ arguments: Fixture.Arguments, expect: Fixture.CallExpectation? = nil) -> Fixture.Call {
    Fixture.Call(on: "main", routine, with: arguments, expect: expect)
  }

  private let event = Fixture.Argument.place("event")
  private let success = Fixture.CallExpectation.returns(.status("STATUS_SUCCESS"))

  @Test("a wait gives the processor to the thread that will end it, and comes back with its status")
  func waitForThread() throws {
    let run = try run([
      call("nt!KeInitializeEvent", [event, .constant("SynchronizationEvent"), 0]),
      call(
        "nt!PsCreateSystemThread", [.place("handle"), 0, 0, 0, 0, .place("nt!KeSetEvent"), event], expect: success),
      call("nt!KeWaitForSingleObject", [event, 0, 0, 0, 0], expect: success),
      call("nt!KeReadStateEvent", [event], expect: .returns(0)),
    ])
    #expect(run.mismatches.map(\.sentence) == [])
    let threads = run.events.events.compactMap { if case .thread(let id) = $0 { id } else { nil } }
    // main three times, the new thread, main again: for the rest of its wait and for the last call.
    #expect(threads.suffix(4) == [0, 1, 0, 0])
  }

  @Test("where everybody waits, time jumps to what is due; where nothing is, the run says so")
  func timeJumps() throws {
    let timed = try run([
      call("nt!KeInitializeTimer", [.place("timer")]),
      // One second from now: -10,000,000.
      call("nt!KeSetTimer", [.place("timer"), 0xff67_6980, 0xffff_ffff, 0], expect: .returns(0)),
      call("nt!KeWaitForSingleObject", [.place("timer"), 0, 0, 0, 0], expect: success),
      call("nt!KeReadStateTimer", [.place("timer")], expect: .returns(1)),
      call("nt!KeDelayExecutionThread", [0, 0, .place("due")], expect: success),
      call("nt!KeInitializeEvent", [event, 0, 0]),
      call("nt!KeWaitForSingleObject", [event, 0, 0, 0, .place("due")], expect: .returns(.status("STATUS_TIMEOUT"))),
      call("nt!KeWaitForSingleObject", [event, 0, 0, 0, 0], expect: .outcome(.waiting)),
    ])
    #expect(timed.mismatches.map(\.sentence) == [])
    #expect(timed.outcome == .waiting)
  }

  @Test("a mutex counts its owner's acquisitions, and is nobody else's to release")
  func mutex() throws {
    let wait: Fixture.Arguments = [.place("mutex"), 0, 0, 0, 0]
    let run = try run([
      call("nt!KeInitializeMutex", [.place("mutex"), 0]),
      call("nt!KeWaitForSingleObject", wait, expect: success),
      call("nt!KeWaitForSingleObject", wait, expect: success),
      call("nt!KeReadStateMutex", [.place("mutex")], expect: .returns(.integer(0xffff_ffff))),
      call("nt!KeReleaseMutex", [.place("mutex"), 0], expect: .returns(.integer(0xffff_ffff))),
      call("nt!KeReleaseMutex", [.place("mutex"), 0], expect: .returns(0)),
      call("nt!KeReleaseMutex", [.place("mutex"), 0], expect: .raises("STATUS_MUTANT_NOT_OWNED")),
    ])
    #expect(run.mismatches.map(\.sentence) == [])
  }

  @Test("waiting at DISPATCH_LEVEL is a bugcheck, in a DPC another one")
  func waitAtDispatch() throws {
    let initialise = call("nt!KeInitializeEvent", [event, 0, 0])
    var wait = call("nt!KeWaitForSingleObject", [event, 0, 0, 0, 0], expect: .bugcheck(.init("IRQL_NOT_LESS_OR_EQUAL")))
    wait.irql = .dispatch
    #expect(try run([initialise, wait]).mismatches.map(\.sentence) == [])
    wait.kind = .dpc
    wait.expect = .bugcheck(.init("ATTEMPTED_SWITCH_FROM_DPC"))
    #expect(try run([initialise, wait]).mismatches.map(\.sentence) == [])
  }

  @Test("a deferred call interrupts whoever is there, at DISPATCH_LEVEL, and everything goes on as it was")
  func deferredCall() throws {
    let run = try run([
      // The routine gets the DPC as its first argument, and stores its low byte there.
      call("nt!KeInitializeDpc", [.place("dpc"), .place("exercise!StoreByte"), 0x55]),
      call("nt!KeInsertQueueDpc", [.place("dpc"), 1, 2], expect: .returns(1)),
      call("nt!KeInsertQueueDpc", [.place("dpc"), 1, 2], expect: .returns(1)),
      call("hal!KeGetCurrentIrql", [], expect: .returns(0)),
    ])
    #expect(run.mismatches.map(\.sentence) == [])
    let levels = run.events.events.compactMap { if case .irql(let from, let to) = $0 { [from, to] } else { nil } }
    #expect(levels == [[0, 2], [2, 0], [0, 2], [2, 0]])
  }

  // MARK: Code that calls nobody

  /// What ran, shortened: `spin` for any number of turns of `exercise!Spin`, and how many there were each time.
  private func story(_ run: Run) -> (events: [String], turns: [Int]) {
    var (events, turns) = ([String](), [Int]())
    let spin = run.names.images.first { $0.name == "exercise" }?.exports["Spin"]
    let blocks = run.events.blocks
    run.events.forEach { element in
      switch element {
      case .block(let id):
        guard blocks[id].address == spin else { return }
        if events.last != "spin" {
          events.append("spin")
          turns.append(0)
        }
        turns[turns.count - 1] += 1
      case .event(.thread(let id)): events.append("thread \(id)")
      case .event(.irql(let from, let to)): events.append("irql \(from) to \(to)")
      default: break
      }
    }
    return (events, turns)
  }

  private func start(_ routine: Fixture.Place) -> Fixture.Call {
    call("nt!PsCreateSystemThread", [.place("handle"), 0, 0, 0, 0, .place(routine), 0], expect: success)
  }

  @Test("a timer's deferred call interrupts a loop that calls nobody")
  func timerInterruptsSpinning() throws {
    let calls = [
      call("nt!KeInitializeTimer", [.place("timer")]),
      call("nt!KeInitializeDpc", [.place("dpc"), .place("exercise!StoreByte"), 0x55]),
      // A millisecond from now: -10,000; 100,000 instructions.
      call("nt!KeSetTimer", [.place("timer"), 0xffff_d8f0, 0xffff_ffff, .place("dpc")], expect: .returns(0)),
      call("exercise!Spin", [], expect: .limit(.instructions)),
    ]
    let first = try run(calls, instructions: 300_000)
    #expect(first.mismatches.map(\.sentence) == [])
    let (events, turns) = story(first)
    #expect(events.suffix(5) == ["thread 0", "spin", "irql 0 to 2", "irql 2 to 0", "spin"])
    #expect(turns.first.map { (99_000...100_000).contains($0) } == true)
    #expect(first.events.elements == (try run(calls, instructions: 300_000)).events.elements)
  }

  @Test("two threads that call nobody share the processor, a quantum each")
  func spinningThreadsShare() throws {
    let calls = [start("exercise!Spin"), call("exercise!Spin", [], expect: .limit(.instructions))]
    // A quantum is two ticks of 15.625 ms: 3,125,000 instructions.
    let first = try run(calls, instructions: 6_500_000)
    #expect(first.mismatches.map(\.sentence) == [])
    let (events, turns) = story(first)
    #expect(events.suffix(6) == ["thread 0", "spin", "thread 1", "spin", "thread 0", "spin"])
    #expect(turns.prefix(2).allSatisfy { (3_120_000...3_125_010).contains($0) })
    #expect(story(try run(calls, instructions: 6_500_000)) == (events, turns))
  }

  @Test("at DISPATCH_LEVEL nobody takes the processor from a loop")
  func spinningAtDispatch() throws {
    var spin = call("exercise!Spin", [], expect: .limit(.instructions))
    spin.irql = .dispatch
    let run = try run(
      [
        start("exercise!Spin"), call("nt!KeInitializeTimer", [.place("timer")]),
        call("nt!KeInitializeDpc", [.place("dpc"), .place("exercise!StoreByte"), 0x55]),
        call("nt!KeSetTimer", [.place("timer"), 0xffff_d8f0, 0xffff_ffff, .place("dpc")], expect: .returns(0)), spin,
      ], instructions: 4_000_000)
    #expect(run.mismatches.map(\.sentence) == [])
    #expect(story(run).events.suffix(3) == ["irql 0 to 2", "thread 0", "spin"])
  }
}
