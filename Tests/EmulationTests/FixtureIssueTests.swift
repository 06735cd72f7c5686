import Emulation
import Testing

private func fixture(_ calls: String) -> String {
  """
  fixture: 1
  load: [nt.listing, fltMgr.listing]
  processes:
    app.exe: {id: 1232, memory: {0x00130000: {size: 0x1000, text: mine}}}
  threads: {app: app.exe}
  calls:
  \(calls)

  """
}

@Test("an issued operation has a name in later steps, and pointers in it can be followed")
func issue() throws {
  let text = fixture(
    """
    - {issue: {write: {buffer: 0x00130000, length: 0x1000, requestor: app}}, as: data}
    - {on: app, call: fltMgr!FltLockUserBuffer, with: [data], expect: STATUS_SUCCESS}
    - {on: app, call: nt!MmUnlockPages, with: [poi(poi(data+0x8)+0x24)]}
    - {expect: {kernel-memory: {poi(data+0x8)+0x10: {u32: 0x1000}}}}
    """)
  let read = try Fixture(yaml: text, file: "issue.yaml")
  let operation = Fixture.Operation(.write, buffer: 0x13_0000, length: 0x1000, requestor: "app")
  #expect(
    read.steps == [
      .issue(operation, as: "data"),
      .call(Fixture.Call(on: "app", "fltMgr!FltLockUserBuffer", with: [.result("data")], expect: .returns(.status("STATUS_SUCCESS")))),
      .call(Fixture.Call(on: "app", "nt!MmUnlockPages", with: [.place("poi(poi(data+0x8)+0x24)")])),
      .expect(Fixture.Expectation(kernelMemory: [.init(at: "poi(data+0x8)+0x10", .u32([0x1000]))])),
    ])
  let run = try emulate(read)
  #expect(run.mismatches.isEmpty)
  #expect(run.locks.map(\.isRight) == [true] && run.locks.map(\.isUndone) == [true])
}

@Test(
  "what cannot be issued or pointed to is refused",
  arguments: [
    ("- issue: {wrte: {}}", "unknown operation “wrte”"),
    ("- issue: {}", "“issue” takes one operation such as {write: {…}}"),
    ("- {as: data}", "“as” belongs to a step that has “call”"),
    ("- {on: app, call: nt!IoFreeMdl, with: [poi(dta)]}", "unknown place “dta” (an image's is module!routine): there is none"),
    ("- {on: app, call: nt!IoFreeMdl, with: [poi(data]}", "“poi(data” "),
  ])
func refused(call: String, message: String) {
  let error = #expect(throws: FixtureError.self) { try Fixture(yaml: fixture(call), file: "issue.yaml") }
  #expect(error?.description.hasPrefix("issue.yaml:7: " + message) == true, "\(error?.description ?? "")")
}

@Test("what a step expects of verdict, locks and findings is checked at that step")
func stepExpectations() throws {
  let issue = "- {issue: {write: {buffer: 0x00130000, length: 0x1000, requestor: app}}, as: data}"
  let lock = "- {on: app, call: fltMgr!FltLockUserBuffer, with: [data]}"
  func mismatches(_ expectation: String) throws -> [String] {
    let text = fixture("\(issue)\n- {expect: {verdict: no-locks, locks: []}}\n\(lock)\n- {expect: {\(expectation)}}")
    return try emulate(Fixture(yaml: text, file: "steps.yaml")).mismatches.map(\.sentence)
  }
  #expect(try mismatches("verdict: right-process, locks: [{pages: 1, undone: false}], findings: []") == [])
  #expect(try mismatches("verdict: wrong-process") == ["the verdict was to be wrong-process; it is right-process"])
  #expect(try mismatches("locks: [{pages: 2}]") == ["the lock's page count was to be 2; it is 1"])
  #expect(try mismatches("locks: []") == ["the number of locks was to be 0; it is 1"])
  #expect(try mismatches("findings: [wrong-process]") == ["the findings were to be: wrong-process; they are: none"])
}
