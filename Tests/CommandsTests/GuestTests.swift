import Emulation
import Foundation
import GuestCode
import Testing

@Test("a trace holds the documented instructions; --calls leaves them out")
func trace() throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template)
  let trace = try ToolRun.tool("trace", "lock.yaml", in: folder.path)
  #expect(trace.status == 0)
  let lines = trace.output.split(separator: "\n")
  for line in ["f84cc35b 50              push    eax", "8059c5d8 e85bb0f5ff      call    nt!KeStackAttachProcess (804f7638)"] {
    #expect(lines.contains { $0.hasSuffix(line) }, "\(line)")
  }
  let calls = try ToolRun.tool("trace", "--calls", "lock.yaml", in: folder.path).output
  #expect(calls.contains("nt!KeStackAttachProcess(") && !calls.contains("push    eax"))
  let registers = try ToolRun.tool("trace", "--registers", "--operands", "--stacks", "lock.yaml", in: folder.path).output
  #expect(registers.contains("esp=") && registers.utf8.count > trace.output.utf8.count)
}

@Test("call calls any routine with a fixture's arguments")
func call() throws {
  let operation = "{write: {buffer: 0x130000, length: 0x3000, requestor: app}}"
  let lock = try ToolRun.tool("call", "fltMgr", "FltLockUserBuffer", operation)
  #expect(lock.status == 0 && lock.output.contains("fltMgr!FltLockUserBuffer returned 00000000 (STATUS_SUCCESS)"), "\(lock.errors)")
  #expect(lock.output.contains("right process: FltLockUserBuffer locked 3 pages of app.exe (1232)"))
  let address = try ToolRun.tool("call", "exercise.listing", "0xf8a20590")
  #expect(address.status == 1 && address.output.contains("exercise!DivideByZero: bugcheck"), "\(address.output)")
  expectComplaint(try .tool("call", "fltMgr", "FltLockUserBuffer", "{wrote: {}}"), 65, "argument 1: ", "did you mean “write”?")
  expectComplaint(try .tool("call", "fltMgr", "FltLockUserBuffer", "130000000"), 65, "argument 1: ", "0x")
  expectComplaint(try .tool("call", "fltMgr", "f84cc355"), 65, "0xf84cc355")
}

@Test("messages alone are what the guest printed")
func messages() throws {
  let folder = try Scratch()
  try folder.file(
    "print.yaml",
    """
    fixture: 1
    load: [nt.listing, exercise.listing]
    processes: {System: {id: 4}}
    threads: {worker: System}
    values: {number: {u32: [7]}}
    calls:
    - {on: worker, call: exercise!PrintMessage, with: {Format: {text: "seven\\n"}, Value: 7}, expect: any}
    """)
  let run = try ToolRun.tool("run", "--messages", "print.yaml", in: folder.path)
  #expect(run.status == 0 && run.output == "seven\n", "\(run.output)\(run.errors)")
}

@Test("dump prints a layout, and what a run left in a structure")
func dump() throws {
  let folder = try Scratch()
  try folder.file("lock.yaml", Fixture.template)
  #expect(
    try ToolRun.tool("dump", "_LIST_ENTRY").output
      == "nt!_LIST_ENTRY\n   +0x000 Flink            : Ptr32 _LIST_ENTRY\n   +0x004 Blink            : Ptr32 _LIST_ENTRY\n")
  func dump(_ process: String) throws -> ToolRun {
    try .tool("dump", "CLIENT_ID", "lock.yaml", "0x130000", "--process", process, in: folder.path)
  }
  // “the ”: the text that the fixture puts there.
  #expect(try dump("app.exe").output.contains("0x20656874"))
  #expect(try dump("1232").output.contains("0x20656874"))
  #expect(try dump("System").output.contains("??"))
  expectComplaint(try dump("ap.exe"), 65, "did you mean app.exe?")
  expectComplaint(try .tool("dump", "MDL", "lock.yaml", "130000", in: folder.path), 65, "expected 0x")
}

@Test("disassemble prints every instruction of a listing as the listing has it", arguments: BuiltIn.images.map(\.stem))
func disassemble(image: String) throws {
  let printed = try ToolRun.tool("disassemble", image)
  #expect(printed.status == 0 && printed.output.contains(".reconstructed\n"))
  let lines = try #require(BuiltIn.image(named: image)).text.split(separator: "\n").map(String.init)
  let code = lines.filter { $0.first?.isHexDigit == true && $0.dropFirst(8).first == " " }
  let found = printed.output.split(separator: "\n").map(String.init).filter { $0.first?.isHexDigit == true && $0.dropFirst(8).first == " " }
  #expect(code.count > 30 && code.sorted() == found)
}
