import Emulation
import Testing

let lockFromSystemWorker = """
  fixture: 1
  about: FltLockUserBuffer, called on a System worker, locks the requestor's pages
  target: xp-x86
  load: [nt.listing, fltMgr.listing]
  processes:
    System: {id: 4}
    notepad.exe:
      id: 1232
      memory:
        0x00130000: {size: 0x3000, text: "the user's bytes"}
  threads:
    app: notepad.exe
    worker: System
  calls:
  - on: worker
    call: fltMgr!FltLockUserBuffer
    with:
      CallbackData: {write: {buffer: 0x00130000, length: 0x3000, requestor: app}}
    expect: STATUS_SUCCESS
  expect:
    verdict: right-process
    locks: [{process: notepad.exe, at: 0x00130000, pages: 3, by: fltMgr!FltLockUserBuffer}]

  """

/// Every key that the reader knows, once.
let everything = #"""
  # all of it
  fixture: 1
  name: everything
  about: |
    Two lines,
      of which *one* & the other: "are text
  target: xp-x86
  load:
  - nt.listing
  - "monitor.sys" # ours
  seed: 0x1234
  limits: {instructions: 20000, memory: 64MiB, trace: 0x100000, time: 10s}
  sections:
    shared: {size: 0x2000, text: "a 'b' # & *c"}
    words: {u64: [1, 0xffffffffffffffff]}
  processes:
    System: {id: 4}
    app.exe:
      id: 1232
      memory:
        0x00400000: {bytes: 8b ff 55, protection: execute-read}
        0x00130000: {size: 12KiB, fill: 0xcc, guard: true}
        0x00140000: {size: 0x1000, kind: paged-out, pager: STATUS_IN_PAGE_ERROR, u32: [1, 2]}
        0x00150000: {section: shared, offset: 0x1000}
        0x00160000: {section: shared, size: 0x1000, kind: copy-on-write, protection: read-only}
        0x00170000: {size: 0x1000, kind: reserved}
    My App.exe: {}
  threads:
    app: app.exe
    worker: {process: System, attached: app.exe, id: 8}
  kernel:
    0xf8000000: {name: hook, size: 0x1000, bytes: "c2 04 00", protection: execute-read}
  values:
    mdl: {size: 0x1c, u16: 7}
    name: {utf16: héllo}
  patches:
  - {at: fltMgr!FltLockUserBuffer+0x1b, bytes: 90 90, was: ff d0}
  - at: 0x8042d0a0
    bytes: cc
  registry:
    Services\demo\Parameters:
      "@": {sz: the default value}
      Limit: {dword: 5}
      Big: {qword: 0x100000000}
      Path: {expand-sz: '%SystemRoot%\x'}
      List: {multi-sz: [a, b]}
      Raw: {binary: 0a 0b}
      Odd: {type: REG_DWORD, bytes: "01"}
      Own: {type: 0x1234}
      Old: absent
    HKLM\SYSTEM\Setup: absent
    \Registry\Machine\Software\Demo: {}
  calls:
  - {on: app, call: nt!IoThreadToProcess, with: [worker], as: owner, expect: System}
  - on: worker
    call: hook+0x2
    kind: dpc
    irql: 2
    with: [-1, 0x10, 12, true, STATUS_SUCCESS, app.exe, app, mdl, owner, nt!Foo, IoReadAccess, {text: \Port}, hook]
    expect: {bugcheck: IRQL_NOT_LESS_OR_EQUAL, parameters: [any, 2, app.exe]}
  - on: app
    call: 0x8042d0a0
    with:
      Data:
        device-control:
          {buffer: 0x00130000, length: 16, input: 0x00130800, input-length: 4, code: 0x222003, requestor: app, process: app.exe,
            mode: kernel, minor: 2, flags: [IRP_NOCACHE, FLTFL_CALLBACK_DATA_DIRTY], mdl: mdl, fast-io: true,
            post-operation: true, system-buffer: false}
    expect: {raises: STATUS_ACCESS_VIOLATION}
  - {on: app, call: nt!F, expect: any}
  - {on: app, call: nt!F, kind: system-call, expect: {fault: {access: write, at: 0x10}}}
  - {on: app, call: nt!F, expect: {limit: instructions}}
  - {on: app, call: nt!F, kind: work-item, expect: {outcome: waiting}}
  - {map: {process: app.exe, at: 0x00200000, size: 0x1000, kind: demand-zero}}
  - {store: {process: app.exe, at: 0x00200004, text: hello}}
  - {protect: {process: app.exe, at: 0x00200000, size: 0x1000, protection: read-only, guard: false}}
  - {protect: {process: app.exe, at: 0x00200000, size: 0x1000, kind: no-access}}
  - {page-out: {process: app.exe, at: 0x00130000, size: 0x3000}}
  - {unmap: {process: app.exe, at: 0x00200000, size: 0x1000}}
  - expect:
      locked-pages: {app.exe: 3}
      irql: APC_LEVEL
  - {exit: app.exe}
  expect:
    verdict: wrong-process
    locks: [{process: app.exe, at: 0x130000, pages: 3, by: nt!F, operation: modify, undone: true, account: System}]
    memory: {app.exe: {0x00130000: {u32: 5}}}
    kernel-memory: {mdl+0x4: {bytes: "00"}, 0xf8000000: {bytes: c2}, nt!Foo: {text: x}}
    outcome: bugcheck
    bugcheck: {code: 0x76, parameters: [0, app.exe, any, any]}
    messages: ["hello\n", yes]
    findings: []
    irql: PASSIVE_LEVEL
    attached: {worker: System}
    locked-pages: {System: 0}
    calls: [nt!KeStackAttachProcess, {call: nt!MmProbeAndLockPages, process: app.exe}]
    uncertain: []
    registry: {HKLM\SOFTWARE\Demo: {Count: {dword: 1}}, HKLM\SOFTWARE\Gone: absent}

  """#

@Test("the fixture spelled out in Swift equals the one in YAML")
func spelledOut() throws {
  let fixture = Fixture(
    "lock-from-system-worker", about: "FltLockUserBuffer, called on a System worker, locks the requestor's pages",
    load: ["nt.listing", "fltMgr.listing"],
    processes: [
      .init("System", id: 4),
      .init("notepad.exe", id: 1232, memory: [.init(at: 0x0013_0000, size: 0x3000, .text("the user's bytes"))]),
    ],
    threads: [.init("app", in: "notepad.exe"), .init("worker", in: "System")],
    steps: [
      .call(
        .init(
          on: "worker", "fltMgr!FltLockUserBuffer",
          with: ["CallbackData": .operation(.init(.write, buffer: 0x0013_0000, length: 0x3000, requestor: "app"))],
          expect: .returns(.status("STATUS_SUCCESS"))))
    ],
    expect: .init(
      verdict: .rightProcess,
      locks: [.init(process: "notepad.exe", at: 0x0013_0000, pages: 3, by: "fltMgr!FltLockUserBuffer")]))
  #expect(try Fixture(yaml: lockFromSystemWorker, file: "fixtures/lock-from-system-worker.yaml") == fixture)
}

@Test("every key is read")
func everyKey() throws {
  let fixture = try Fixture(yaml: everything, file: "all.yaml")
  #expect(fixture.name == "everything")
  #expect(fixture.about == "Two lines,\n  of which *one* & the other: \"are text\n")
  #expect(fixture.limits == .init(instructions: 20000, memory: 64 << 20, trace: 1 << 20, time: .seconds(10)))
  #expect(fixture.section("words")?.size == 0x1000)
  let app = try #require(fixture.process("app.exe"))
  #expect(app.memory.map(\.address) == [0x13_0000, 0x14_0000, 0x15_0000, 0x16_0000, 0x17_0000, 0x40_0000])
  #expect(app.memory[2].size == 0x1000)
  #expect(app.memory[5].content == .bytes([0x8b, 0xff, 0x55]))
  #expect(app.memory[1].pager == "STATUS_IN_PAGE_ERROR")
  #expect(fixture.value("name")?.size == 10)
  #expect(fixture.steps.count == 15)
  guard case .call(let dpc) = fixture.steps[1].action, case .call(let control) = fixture.steps[2].action else {
    Issue.record("the second and third step are calls")
    return
  }
  #expect(dpc.startingIRQL == .dispatch)
  #expect(
    dpc.arguments.elements.map(\.value) == [
      -1, 0x10, 12, true, .status("STATUS_SUCCESS"), .process("app.exe"), .thread("app"), .place("mdl"), .result("owner"),
      .place("nt!Foo"), .constant("IoReadAccess"), .text("\\Port"), .place("hook"),
    ])
  #expect(
    dpc.expect == .bugcheck(.init("IRQL_NOT_LESS_OR_EQUAL", parameters: [.any, 2, .exactly(.process("app.exe"))])))
  #expect(
    control.arguments
      == [
        "Data": .operation(
          .init(
            .deviceControl, buffer: 0x13_0000, length: 16, requestor: "app", process: "app.exe", mode: .kernel, minor: 2,
            input: 0x13_0800, inputLength: 4, code: 0x22_2003, flags: ["IRP_NOCACHE", "FLTFL_CALLBACK_DATA_DIRTY"], mdl: "mdl",
            isFastIO: true, isPostOperation: true))
      ])
  #expect(fixture.expect.bugcheck == .init(0x76, parameters: [0, .exactly(.process("app.exe")), .any, .any]))
  #expect(fixture.expect.messages == ["hello\n", "yes"])
  #expect(fixture.expect.calls.map(\.process) == [nil, "app.exe"])
  #expect(fixture.registry.map(\.path) == [#"Services\demo\Parameters"#, #"HKLM\SYSTEM\Setup"#, #"\Registry\Machine\Software\Demo"#])
  #expect(
    fixture.registry[0].values == [
      .init("", .string("the default value")), .init("Limit", .dword(5)), .init("Big", .qword(0x1_0000_0000)),
      .init("Path", .expandableString(#"%SystemRoot%\x"#)), .init("List", .strings(["a", "b"])), .init("Raw", .binary([10, 11])),
      .init("Odd", .init(.dword, [1])), .init("Own", .init(.init(rawValue: 0x1234), [])), .init("Old", nil),
    ])
  #expect(fixture.registry.map(\.isAbsent) == [false, true, false])
  #expect(
    fixture.expect.registry == [
      .init(#"HKLM\SOFTWARE\Demo"#, [.init("Count", .dword(1))]), .init(#"HKLM\SOFTWARE\Gone"#, isAbsent: true),
    ])
  #expect(fixture.steps[0].origin.line == 54)
}

@Test("the template reads as it stands")
func template() throws {
  #expect(try Fixture(yaml: Fixture.template, file: "new.yaml").steps.count == 1)
}

@Test("the documents of a file are fixtures with names of their own")
func documents() throws {
  let yaml = "fixture: 1\n---\nfixture: 1\n---\nfixture: 1\nname: third\n"
  #expect(try Fixture.all(yaml: yaml, file: "x/three.yaml").map(\.name) == ["three", "three#2", "third"])
  #expect(throws: FixtureError("holds 3 fixtures, where one is wanted", in: "three.yaml")) {
    try Fixture(yaml: yaml, file: "three.yaml")
  }
}

@Test("text that only looks like an anchor, an alias, a tag or a directive is text")
func innocentText() throws {
  let yaml = """
    fixture: 1
    about: "&a *b !c" # &d *e
    expect:
      messages: [a & b, 'it''s *c', "\\"&x", a&b, 100%, "
        &y"]
      findings:
      - >-
        *folded*
        &text
      - plain text that
        goes on
    """
  let fixture = try Fixture(yaml: yaml, file: "a.yaml")
  #expect(fixture.expect.messages == ["a & b", "it's *c", "\"&x", "a&b", "100%", " &y"])
  #expect(fixture.expect.findings == ["*folded* &text", "plain text that goes on"])
}
