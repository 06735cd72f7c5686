import Emulation
import Testing

@testable import Reporting

private let worker = """
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

@Test func scratch() throws {
  let run = try emulate(Fixture(yaml: worker, file: "lock-from-system-worker.yaml"))
  print(run.trace())
  print(run.callList())
}
