import Emulation
import Reporting
import Testing

/// The instructions that the document shows, with one blank between words.
private let documented = [
  "f84cc355 ff15b4df4cf8 call dword ptr [fltMgr!_imp__IoThreadToProcess (f84cdfb4)]", "f84cc35b 50 push eax",
  "f84cc35c ff36 push dword ptr [esi]",
  "f84cc35e ff1568df4cf8 call dword ptr [fltMgr!_imp__MmProbeAndLockProcessPages (f84cdf68)]",
  "8059c5d8 e85bb0f5ff call nt!KeStackAttachProcess (804f7638)", "8059c5dd c745e401000000 mov dword ptr [ebp-1Ch],1",
  "8059c5e4 8975fc mov dword ptr [ebp-4],esi", "8059c5e7 ff7514 push dword ptr [ebp+14h]",
  "8059c5ea ff7510 push dword ptr [ebp+10h]", "8059c5ed ff7508 push dword ptr [ebp+8]",
  "8059c5f0 e8c19bf6ff call nt!MmProbeAndLockPages (805061b6)", "f84cc364 834dfcff or dword ptr [ebp-4],0FFFFFFFFh",
  "f84cc368 807de700 cmp byte ptr [ebp-19h],0",
]

@Suite("The trace of FltLockUserBuffer") struct DocumentTraceTests {
  @Test("the thirteen documented lines come out as documented, in the order in which they run, and nothing else is unmarked")
  func traced() throws {
    var lines: [String] = []
    try World.lockFromWorker().writeTrace { line in
      if line.first == " ", line.dropFirst().first != " " {
        lines.append(line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " "))
      }
    }
    #expect(lines == documented)
  }

  @Test("labels say where control comes to, exports show what they were given and gave back")
  func labelsAndCalls() throws {
    let lines = try World.lockFromWorker().lines()
    let labels = lines.filter { $0.hasSuffix(":") }
    #expect(
      labels == [
        "fltMgr!FltLockUserBuffer:", "fltMgr!_SEH_prolog:", "fltMgr!FltLockUserBuffer+0xc:", "fltMgr!FltLockUserBuffer+0xac:",
        "fltMgr!FltLockUserBuffer+0x51:", "nt!MmProbeAndLockProcessPages:", "nt!_SEH_prolog:", "nt!MmProbeAndLockProcessPages+0xc:",
        "nt!MmProbeAndLockProcessPagesFinally:", "nt!MmProbeAndLockProcessPages+0x4c:", "nt!_SEH_epilog:",
        "nt!MmProbeAndLockProcessPages+0x51:", "fltMgr!FltLockUserBuffer+0x8a:", "fltMgr!_SEH_epilog:",
        "fltMgr!FltLockUserBuffer+0xa9:",
      ])
    let call = try #require(lines.first { $0.hasPrefix("nt!IoThreadToProcess(") })
    #expect(call.contains("(Thread=") && call.contains(" app of notepad.exe (1232)) -> ") && call.hasSuffix(" notepad.exe (1232)"))
    #expect(lines.contains { $0.hasPrefix("nt!KeStackAttachProcess(") && $0.hasSuffix("  System (4) -> notepad.exe (1232)") })
  }

  @Test("the list of calls is the trace without instructions")
  func callList() throws {
    let lines = try World.lockFromWorker().callList().split(separator: "\n")
    #expect(
      lines.map { $0.prefix { $0 != "(" }.replacing(/frames [ 0-9a-f]+,/, with: "frames …,") } == [
        "# world   xp-x86   nt fltMgr", "# step 1: fltMgr!FltLockUserBuffer on worker", "thread worker of System ",
        "fltMgr!FltDecodeParameters", "nt!IoAllocateMdl", "nt!IoThreadToProcess", "nt!KeStackAttachProcess", "nt!MmProbeAndLockPages",
        "  locked 3 pages at 00130000 for IoReadAccess, frames …, charged to notepad.exe ", "nt!MmProbeAndLockPages returned",
        "nt!KeUnstackDetachProcess", "# returned STATUS_SUCCESS after 156 instructions",
        "# verdict: right process: FltLockUserBuffer locked 3 pages of notepad.exe ",
      ])
  }

  @Test("the same fixture gives the same text")
  func deterministic() throws {
    #expect(try World.lockFromWorker().trace() == World.lockFromWorker().trace())
  }

  @Test("call stacks, where asked for, go out from the return address")
  func stacks() throws {
    let run = try World.lockFromWorker()
    let lines = run.lines { $0.callStacks = true }
    let lock = try #require(lines.firstIndex { $0.hasPrefix("locked ") })
    #expect(
      Array(lines[lock + 1...lock + 3]) == [
        "8059c5f5 nt!MmProbeAndLockProcessPages+0x43", "f84cc364 fltMgr!FltLockUserBuffer+0x8a", "nt!MmProbeAndLockPages returned",
      ])
    #expect(!run.lines().contains("f84cc364 fltMgr!FltLockUserBuffer+0x8a"))
  }
}

@Suite("What a trace shows") struct TraceTests {
  @Test("an exception: the fault, the dispatch, the filter in it, and the handler outside again")
  func exception() throws {
    let text = try World.run("- {on: worker, call: exercise!GuardedLoad, with: [0x00130000, out]}\n").trace()
    let lines = text.split(separator: "\n").map(String.init)
    let shown = lines.filter { $0.hasPrefix("          ") || $0.hasSuffix("Filter:") || $0.hasSuffix("Handler:") }
    #expect(
      shown.map { $0.prefix { $0 != "(" } } == [
        "          thread worker of System ",
        "          page fault: read 00130000 in System ",
        "          exception STATUS_ACCESS_VIOLATION at exercise!GuardedLoad+0x13 ",
        "            nt!_except_handler3", "exercise!GuardedFilter:", "              nt!KiNestedExceptionHandler",
        "              handled by exercise!GuardedLoadHandler ", "exercise!GuardedLoadHandler:",
      ])
    #expect(lines.contains("# returned STATUS_ACCESS_VIOLATION after 45 instructions"))
  }

  @Test("a filter that continues ends the dispatch: what follows is not nested in it")
  func continued() throws {
    let lines = try World.run(
      "- {on: worker, call: exercise!ContinueExecution, with: [0]}\n- {on: app, call: exercise!PrintMessage, with: [format, 1, 2]}\n"
    ).callList().split(separator: "\n")
    #expect(lines.contains("  nt!_except_handler3 returned ExceptionContinueExecution"))
    #expect(lines.contains { $0.hasPrefix("nt!DbgPrint(Format=") && $0.hasSuffix(", ...)") })
    #expect(lines.contains("  DbgPrint: hello 1"))
    #expect(lines.contains("nt!DbgPrint returned STATUS_SUCCESS"))
  }

  @Test("a routine that raises is over: the dispatch takes its place")
  func raising() throws {
    let lines = try World.run(
      "- {on: worker, call: legacy!LegacyLock, with: [0x00130000, 0x1000, 0, out]}\n", load: "nt.listing, legacy.listing"
    ).callList().split(separator: "\n")
    let shown = lines.filter { !$0.contains("KiNested") && !$0.hasPrefix("#") }.map { $0.prefix { $0 != "(" } }
    #expect(
      shown == [
        "thread worker of System ", "nt!IoAllocateMdl", "nt!MmProbeAndLockPages", "  page fault: read 00130000 in System ",
        "  exception STATUS_ACCESS_VIOLATION at nt!MmProbeAndLockPages ", "  nt!_except_handler3",
        "    handled by legacy!LegacyLockHandler ", "nt!IoFreeMdl",
      ])
  }

  @Test("a repeated instruction is one line, with its count")
  func repetition() throws {
    let lines = try World.run("- {on: worker, call: exercise!BuildMdlByHand, with: [mdl, 0x00130000, 0x3000, frames, 0]}\n").lines()
    #expect(lines.filter { $0.contains(" rep movs ") }.map { $0.suffix(11) } == ["  ; 3 times"])
  }

  @Test("a bugcheck, with what its parameters mean")
  func bugCheck() throws {
    let lines = try World.run("- {on: worker, call: exercise!DivideByZero}\n").lines()
    #expect(lines.contains { $0.hasPrefix("bugcheck SYSTEM_THREAD_EXCEPTION_NOT_HANDLED (7e): c0000094 f8a20599 ") })
    #expect(lines.contains("f8a20599 the address it happened at: exercise!DivideByZero+0x9"))
    #expect(lines.contains("# bugcheck SYSTEM_THREAD_EXCEPTION_NOT_HANDLED (7e) after 3 instructions"))
  }

  @Test("registers that changed, and where operands lie, if the run recorded them")
  func registers() throws {
    var options = EmulationOptions()
    options.recordsRegisters = true
    let call = "- {on: app, call: exercise!StoreByte, with: [0x00130000, 65]}\n"
    let run = try World.run(call, options: options)
    let lines = run.lines {
      $0.registers = true
      $0.memoryOperands = true
    }
    let store = try #require(lines.firstIndex { $0.contains("mov     byte ptr [eax],cl") })
    #expect(lines[store].hasSuffix("mov     byte ptr [eax],cl  ; ds:00130000"))
    #expect(lines[store - 1] == "ecx=00000041")
    #expect(lines[store + 1].hasSuffix("pop     ebp"))
    #expect(try World.run(call).lines { $0.registers = true } == World.run(call).lines())
  }
}
