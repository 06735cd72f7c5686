import Foundation
import TestSupport
import Testing

/// A driver that calls the one routine that it imports with eight bytes of arguments, and returns what that returns.
private func caller(of routine: String, in file: String = "ntoskrnl.exe", asking name: String? = nil) -> [UInt8] {
  let imports = PEBuilder.imports([(file, [routine])], at: 0x3000)
  // push ebp; mov ebp,esp; push 2; push 1; call [slot]; leave; ret 8
  var code: [UInt8] = [0x55, 0x8b, 0xec, 0x6a, 2, 0x6a, 1, 0xff, 0x15]
  code.append((imports.slots[routine] ?? 0) + 0x1_0000)
  code += [0xc9, 0xc2, 8, 0]
  let relocations = PEBuilder.relocations(page: 0x1000, [9])
  let text: [UInt8] = (name ?? "").utf8.flatMap { [$0, 0] } + [0, 0]
  var builder = PEBuilder([
    .init(".text", at: 0x1000, code, PEBuilder.code), .init(".data", at: 0x2000, text, PEBuilder.data),
    .init(".idata", at: 0x3000, imports.bytes, PEBuilder.data),
    .init(".reloc", at: 0x4000, relocations, PEBuilder.constants | PEBuilder.discardable),
  ])
  builder.directories = [1: (0x3000, UInt32(imports.bytes.count)), 5: (0x4000, UInt32(relocations.count))]
  return builder.build()
}

private func folder(_ files: [String: [UInt8]]) throws -> String {
  let folder = FileManager.default.temporaryDirectory.appending(path: "imports-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  for (name, bytes) in files { try Data(bytes).write(to: folder.appending(path: name)) }
  return folder.path
}

@Suite("what a driver imports") struct ImportsTests {
  @Test("each import is listed with its support; a missing one with how many drivers import it") func listing() throws {
    let folder = try folder(["one.sys": caller(of: "IoWriteErrorLogEntryX")])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let hello = try ToolRun.tool("imports", "hello.sys")
    #expect(hello.status == 0)
    #expect(hello.output.contains("nt!IoCreateDevice") && hello.output.contains("nt!NtBuildNumber") && hello.output.contains("variable"))
    let one = try ToolRun.tool("imports", "one.sys", in: folder)
    #expect(one.status == 1 && one.output.contains("1 import: 0 provided; 1 missing"))
    #expect(try ToolRun.tool("imports", "two.sys", in: folder).status == 66)
  }

  @Test("what another driver of the command exports is found there") func others() throws {
    let table = PEBuilder.exports([("Helper", 0x1000)], at: 0x2000)
    var library = PEBuilder([
      .init(".text", at: 0x1000, [0xc2, 8, 0], PEBuilder.code), .init(".edata", at: 0x2000, table, PEBuilder.constants),
    ])
    library.directories = [0: (0x2000, UInt32(table.count))]
    let folder = try folder(["user.sys": caller(of: "Helper", in: "library.sys"), "library.sys": library.build()])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let both = try ToolRun.tool("imports", "user.sys", "library.sys", in: folder)
    #expect(both.status == 0 && both.output.contains("from library") && both.output.contains("library.sys imports nothing"))
    #expect(try ToolRun.tool("imports", "user.sys", in: folder).status == 1)
  }

  @Test("a name in a string counts where the driver asks for routines by name") func names() throws {
    let folder = try folder([
      "asks.sys": caller(of: "MmGetSystemRoutineAddress", asking: "ObGetObjectSecurity"),
      "asks-not.sys": caller(of: "DbgPrint", asking: "ObGetObjectSecurity"),
    ])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let asks = try ToolRun.tool("imports", "asks.sys", "--json", in: folder)
    #expect(asks.output.contains(#""name": "ObGetObjectSecurity""#) && asks.output.contains(#""origin": "string""#))
    #expect(!(try ToolRun.tool("imports", "asks-not.sys", in: folder)).output.contains("ObGetObjectSecurity"))
  }

  @Test("a user-mode library is called what it is") func userMode() throws {
    let folder = try folder(["wrong.sys": caller(of: "CloseHandle", in: "KERNEL32.dll")])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try ToolRun.tool("imports", "wrong.sys", in: folder).output.contains("a user-mode library: Windows loads no driver"))
    #expect(try ToolRun.tool("run", "wrong.sys", in: folder).errors.contains("a program of user mode, which imports KERNEL32!CloseHandle"))
  }

  @Test("a run that meets a missing routine says where, whose, how common, and what next") func missing() throws {
    let folder = try folder(["gap.sys": caller(of: "ZwLoadDrivr")])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = try ToolRun.tool("run", "gap.sys", in: folder)
    #expect(run.status == 1)
    for part in [
      "called nt!ZwLoadDrivr", "called from gap!DriverEntry+0xd (f8b0100d)", "did you mean nt!ZwLoadDriver?",
      "--stub nt!ZwLoadDrivr=0",
    ] {
      #expect(run.output.contains(part), "\(part)")
    }
    let json = try ToolRun.tool("run", "gap.sys", "--json", in: folder)
    #expect(json.output.contains(#""symbol": "gap!DriverEntry+0xd""#))
  }

  @Test("a stub lets the run go on, pops what the routine takes, and is named") func stubs() throws {
    let folder = try folder(["gap.sys": caller(of: "AlpcGetMessageAttribute"), "odd.sys": caller(of: "NobodyKnows")])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = try ToolRun.tool("run", "gap.sys", "--stub", "AlpcGetMessageAttribute=STATUS_UNSUCCESSFUL", in: folder)
    #expect(run.status == 0 && run.output.contains("DriverEntry -> STATUS_UNSUCCESSFUL"))
    #expect(run.output.contains("stub nt!AlpcGetMessageAttribute returned c0000001 once, first to gap!DriverEntry+0xd"))
    let odd = try ToolRun.tool("run", "odd.sys", "--stub", "nt!NobodyKnows@8=0x103", "--stub", "Other=0", in: folder)
    #expect(odd.output.contains("DriverEntry -> STATUS_PENDING") && odd.output.contains("stub Other was never called"))
    let trace = try ToolRun.tool("trace", "gap.sys", "--stub", "AlpcGetMessageAttribute=7", in: folder)
    #expect(trace.output.contains("nt!AlpcGetMessageAttribute is a stub: it returned 00000007"))
  }

  @Test("a stub takes the place of a routine that is provided") func faultInjection() throws {
    let run = try ToolRun.tool("run", "images/hello.sys", "--stub", "IoCreateDevice=STATUS_INSUFFICIENT_RESOURCES", in: Self.root)
    #expect(run.output.contains("DriverEntry -> STATUS_INSUFFICIENT_RESOURCES"))
  }

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized.path

  @Test("what is no stub is refused", arguments: ["ZwFoo", "=1", "ZwFoo=x", "ZwFoo@3=0", "a!b!c=0", "ZwFoo@=0", "ZwFoo=STATUS_NOPE"])
  func refused(_ argument: String) throws {
    let run = try ToolRun.tool("run", "images/hello.sys", "--stub", argument, in: Self.root)
    #expect(run.status == (argument == "ZwFoo=STATUS_NOPE" ? 65 : 64), "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test("a fixture can stub as well, and says what is wrong with one") func fixtures() throws {
    let folder = try folder([
      "gap.sys": caller(of: "AlpcGetMessageAttribute"),
      "good.yaml": Array(
        "fixture: 1\nload: [gap.sys]\nstubs: {nt!AlpcGetMessageAttribute: STATUS_PENDING}\ncalls:\n- {load: gap, expect: 0x103}\n".utf8),
      "bad.yaml": Array("fixture: 1\nstubs: {'Zw Foo': 0}\n".utf8),
    ])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try ToolRun.tool("run", "good.yaml", in: folder).status == 0)
    let bad = try ToolRun.tool("run", "bad.yaml", in: folder)
    #expect(bad.status == 65 && bad.errors.contains("“Zw Foo” names no routine"))
  }
}
