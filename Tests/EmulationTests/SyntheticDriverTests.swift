import Emulation
import Foundation
import Guest
import Images
import NTKernel
import TestSupport
import Testing
import WindowsTypes

/// Drivers as linkers, packers and careless or hostile authors make them: each ends in the outcome that Windows would give it.
@Suite("synthetic drivers") struct SyntheticDriverTests {
  private static let base: UInt32 = 0x1_0000

  /// Runs `bytes` as `odd.sys`: it is loaded, started and unloaded.
  private func run(_ bytes: [UInt8], instructions: UInt64 = 200_000, memory: UInt64 = 64 << 20) throws -> Run {
    let folder = FileManager.default.temporaryDirectory.appending(path: "odd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(bytes).write(to: folder.appending(path: "odd.sys"))
    var fixture = Fixture(driver: folder.appending(path: "odd.sys").path)
    fixture.limits.instructions = instructions
    fixture.limits.memory = memory
    var options = EmulationOptions()
    options.images = ImageSource(folder: folder.path)
    return try emulate(fixture, options: options)
  }

  /// `DriverEntry`'s status, if it returned.
  private func status(_ run: Run) -> NTSTATUS? { run.drivers.first { $0.phase == .start }?.status }

  private func bugCheck(_ run: Run) -> UInt32? { if case .bugCheck(let check) = run.outcome { check.code.rawValue } else { nil } }

  /// xor eax,eax; ret 8
  private static let success: [UInt8] = [0x31, 0xc0, 0xc2, 8, 0]

  /// A file whose code is at 1000h; the code may call imports through the slots that it gets.
  private func driver(
    importing names: [String] = [], characteristics: UInt32 = PEBuilder.code, data: [UInt8] = [0],
    _ code: ([String: UInt32]) -> (bytes: [UInt8], relocations: [UInt16])
  ) -> PEBuilder {
    let imports = PEBuilder.imports(names.isEmpty ? [] : [("ntoskrnl.exe", names)], at: 0x3000)
    let (bytes, relocated) = code(imports.slots.mapValues { $0 + Self.base })
    let relocations = PEBuilder.relocations(page: 0x1000, relocated)
    var builder = PEBuilder([
      .init(".text", at: 0x1000, bytes, characteristics), .init(".data", at: 0x2000, data, PEBuilder.data),
      .init(".idata", at: 0x3000, imports.bytes, PEBuilder.data),
      .init(".reloc", at: 0x4000, relocations, PEBuilder.constants | PEBuilder.discardable),
    ])
    builder.directories = [5: (0x4000, UInt32(relocations.count))]
    if !names.isEmpty { builder.directories[1] = (0x3000, UInt32(imports.bytes.count)) }
    return builder
  }

  private func words(_ values: UInt32...) -> [UInt8] { values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } } }

  @Test("a driver that never returns ends where the instructions do, and the place is said") func endless() throws {
    let run = try run(driver { _ in ([0xeb, 0xfe], []) }.build())
    #expect(run.outcome == .limit(.instructions))
    #expect(run.mismatches.first?.sentence.contains("the limit of 200000 instructions in odd!DriverEntry; --max-instructions") == true)
    #expect(Fixture(driver: "a.sys").limits.instructions > Fixture.Limits().instructions)
  }

  // MARK: Files

  @Test("sections that are aligned to less than a page", arguments: [0x20, 0x40, 0x80] as [UInt32])
  func lowAlignment(alignment: UInt32) throws {
    // mov eax,[10400h]; ret 8
    let code: [UInt8] = [0xa1] + words(Self.base + 0x400) + [0xc2, 8, 0]
    let relocations = PEBuilder.relocations(page: 0, [0x301])
    var builder = PEBuilder([
      .init(".text", at: 0x300, code, PEBuilder.code), .init(".data", at: 0x400, words(0x103), PEBuilder.data),
      .init(".reloc", at: 0x500, relocations, PEBuilder.constants),
    ])
    (builder.sectionAlignment, builder.fileAlignment, builder.entryPoint, builder.imageSize) = (alignment, alignment, 0x300, 0x600)
    builder.directories = [5: (0x500, UInt32(relocations.count))]
    #expect(status(try run(builder.build())) == .pending)
  }

  @Test("an INIT section in the middle goes after DriverEntry, and what lies behind it stays")
  func initInTheMiddle() throws {
    // DriverEntry, in INIT: mov eax,[esp+4]; mov dword ptr [eax+34h],offset 13000h; xor eax,eax; ret 8
    let entry: [UInt8] = [0x8b, 0x44, 0x24, 4, 0xc7, 0x40, 0x34] + words(Self.base + 0x3000) + Self.success
    // DriverUnload, behind it: mov eax,[12000h]; ret 4
    let unload: [UInt8] = [0xa1] + words(Self.base + 0x2000) + [0xc2, 4, 0]
    let relocations = PEBuilder.relocations(page: 0x2000, [7]) + PEBuilder.relocations(page: 0x3000, [1])
    var builder = PEBuilder([
      .init(".text", at: 0x1000, [0xc3], PEBuilder.code), .init("INIT", at: 0x2000, entry, PEBuilder.code | PEBuilder.discardable),
      .init("PAGE", at: 0x3000, unload, PEBuilder.code), .init(".reloc", at: 0x4000, relocations, PEBuilder.constants),
    ])
    builder.entryPoint = 0x2000
    builder.directories = [5: (0x4000, UInt32(relocations.count))]
    // The routine is called; what it reads is gone: PAGE_FAULT_IN_NONPAGED_AREA.
    let run = try run(builder.build())
    #expect(status(run) == .success && bugCheck(run) == 0x50)
  }

  @Test("delayed and bound imports and a TLS directory are not the kernel's loader's concern", arguments: [9, 11, 13])
  func otherDirectories(number: Int) throws {
    var builder = driver { _ in (Self.success, []) }
    builder.directories[number] = (0x2000, 0x40)
    #expect(status(try run(builder.build())) == .success)
    // Not even where they lead nowhere.
    builder.directories[number] = (0xffff_f000, 0xffff)
    #expect(status(try run(builder.build())) == .success)
  }

  @Test("an entry point in data runs: XP's processors have no protection against it") func entryInData() throws {
    var builder = driver(data: Self.success) { _ in ([0xcc], []) }
    builder.entryPoint = 0x2000
    #expect(status(try run(builder.build())) == .success)
  }

  @Test("a packed driver unpacks itself over its own sections and goes there") func packed() throws {
    let writable = PEBuilder.code | 0x8000_0000
    // mov esi,offset packed; mov edi,offset 12000h; mov ecx,5; l: lodsb; xor al,5Ah; stosb; loop l; jmp 12000h
    let packed = Self.success.map { $0 ^ 0x5a }
    let code: [UInt8] =
      [0xbe] + words(Self.base + 0x1040) + [0xbf] + words(Self.base + 0x2000) + [0xb9] + words(5)
      + [0xac, 0x34, 0x5a, 0xaa, 0xe2, 0xfa, 0xb8] + words(Self.base + 0x2000) + [0xff, 0xe0]
    let bytes = code + [UInt8](repeating: 0xcc, count: 0x40 - code.count) + packed
    var builder = driver(characteristics: writable, data: [0]) { _ in (bytes, [1, 6, 22]) }
    builder.sections[1].characteristics = writable
    #expect(status(try run(builder.build())) == .success)
  }

  @Test("a driver that reads its own headers and checksum finds them") func ownHeaders() throws {
    // mov eax,[esp+4]; mov eax,[eax+0Ch] (DriverStart); cmp word ptr [eax],5A4Dh; jne bad; mov ecx,[eax+3Ch];
    // cmp dword ptr [eax+ecx+58h],1234h; jne bad; xor eax,eax; ret 8; bad: mov eax,0C0000001h; ret 8
    let code: [UInt8] =
      [0x8b, 0x44, 0x24, 4, 0x8b, 0x40, 0x0c, 0x66, 0x81, 0x38, 0x4d, 0x5a, 0x75, 18, 0x8b, 0x48, 0x3c, 0x81, 0x7c, 0x08, 0x58]
      + words(0x1234) + [0x75, 5] + Self.success + [0xb8] + words(0xc000_0001) + [0xc2, 8, 0]
    #expect(status(try run(driver { _ in (code, []) }.build())) == .success)
  }

  // MARK: Ways to end

  @Test("int 29h is the fast failure of later systems, and on XP a protection fault") func fastFail() throws {
    // mov ecx,2; int 29h
    let run = try run(driver { _ in ([0xb9, 2, 0, 0, 0, 0xcd, 0x29], []) }.build())
    #expect(bugCheck(run) == 0x7e)
  }

  @Test(
    "an assertion, a breakpoint and undefined instructions are exceptions that nobody takes",
    arguments: [
      [0xcd, 0x2c], [0xcc], [0x0f, 0x0b], [0xf0, 0x90], [0x0f, 0xff, 0xc0],
    ] as [[UInt8]])
  func exceptions(code: [UInt8]) throws {
    #expect(bugCheck(try run(driver { _ in (code + Self.success, []) }.build())) == 0x7e)
  }

  @Test("a driver that takes all pool is told so, or ends at the memory limit") func exhaustsPool() throws {
    // l: push 'xxxx'; push 100000h; push 0; call [ExAllocatePoolWithTag]; test eax,eax; jnz l; mov eax,0C000009Ah; ret 8
    let builder = driver(importing: ["ExAllocatePoolWithTag"]) { slots in
      var code: [UInt8] = [0x68] + words(0x7878_7878) + [0x68] + words(0x10_0000) + [0x6a, 0, 0xff, 0x15]
      code += words(slots["ExAllocatePoolWithTag"] ?? 0) + [0x85, 0xc0, 0x75, 0xea, 0xb8] + words(0xc000_009a) + [0xc2, 8, 0]
      return (code, [14])
    }
    let run = try run(builder.build())
    #expect(status(run) == .insufficientResources || run.outcome == .limit(.memory))
  }

  @Test("a DriverEntry that waits for ever, or spins, ends the run and says which") func neverReturns() throws {
    #expect(try run(driver { _ in ([0xeb, 0xfe], []) }.build()).outcome == .limit(.instructions))
    // sub esp,10h; mov eax,esp; push 0; push 0; push eax; call [KeInitializeEvent]; ...; call [KeWaitForSingleObject]
    let builder = driver(importing: ["KeInitializeEvent", "KeWaitForSingleObject"]) { slots in
      var code: [UInt8] = [0x83, 0xec, 0x10, 0x89, 0xe3, 0x6a, 0, 0x6a, 0, 0x53, 0xff, 0x15] + words(slots["KeInitializeEvent"] ?? 0)
      code += [0x6a, 0, 0x6a, 0, 0x6a, 0, 0x6a, 0, 0x53, 0xff, 0x15] + words(slots["KeWaitForSingleObject"] ?? 0)
      return (code + [0x83, 0xc4, 0x10] + Self.success, [12, 27])
    }
    #expect(try run(builder.build()).outcome == .waiting)
  }

  @Test(
    "a DriverEntry that unbalances its stack ends in an outcome",
    arguments: [[0xc3], [0xc2, 0x40, 0], [0x5b, 0x5b, 0xff, 0xe3]] as [[UInt8]])
  func unbalanced(code: [UInt8]) throws { _ = try run(driver { _ in ([0x31, 0xc0] + code, []) }.build()) }

  @Test(
    "what lies where no memory is: the last page, what no page table describes, the null page",
    arguments: [0xffff_f000, 0x9030_0000, 0x8000_0000, 0])
  func wildReads(address: UInt32) throws {
    let run = try run(driver { _ in ([0xa1] + words(address) + Self.success, []) }.build())
    #expect(bugCheck(run) == (address == 0 ? 0x7e : 0x50))
  }

  // MARK: Tables

  @Test("a hook in the table of services sees what a user's thread asks for") func hookedService() throws {
    // mov eax,[KeServiceDescriptorTable]; mov eax,[eax]; mov dword ptr [eax+19h*4],offset hook; xor eax,eax; ret 8
    // hook (NtClose): mov dword ptr [12000h],1; mov eax,0C0000001h; ret 4
    let builder = driver(importing: ["KeServiceDescriptorTable"]) { slots in
      var code: [UInt8] = [0xa1] + words(slots["KeServiceDescriptorTable"] ?? 0) + [0x8b, 0x00, 0xc7, 0x40, 0x64]
      code += words(Self.base + 0x1020) + Self.success
      code += [UInt8](repeating: 0xcc, count: 0x20 - code.count)
      return (code + [0xb8] + words(0xc000_0001) + [0xc2, 4, 0], [1, 10])
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "odd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(builder.build()).write(to: folder.appending(path: "odd.sys"))
    var options = EmulationOptions()
    options.images = ImageSource(folder: folder.path)
    var fixture = Fixture(
      "hooked", load: ["odd.sys"], processes: [Fixture.Process("app.exe")], threads: [Fixture.Thread("app", in: "app.exe")])
    fixture.steps = [
      Fixture.Step(.load(Fixture.Load("odd"))),
      Fixture.Step(
        .request(Fixture.IORequest(on: "app", .open(path: "\\Device\\Nothing", handle: "h", isOverlapped: false), expect: .any))),
      Fixture.Step(.request(Fixture.IORequest(on: "app", .close(handle: "h"), expect: .returns(.status("STATUS_UNSUCCESSFUL"))))),
    ]
    let run = try emulate(fixture, options: options)
    #expect(run.mismatches.isEmpty, "\(run.mismatches)")
  }

  @Test("a table of services leads to what is not provided by name") func unprovidedService() throws {
    // NtVdmControl, number 10Ch: mov eax,[KeServiceDescriptorTable]; mov eax,[eax]; push 0; push 0; call [eax+10Ch*4]
    let builder = driver(importing: ["KeServiceDescriptorTable"]) { slots in
      ([0xa1] + words(slots["KeServiceDescriptorTable"] ?? 0) + [0x8b, 0, 0x6a, 0, 0x6a, 0, 0xff, 0x90] + words(0x430) + Self.success, [1])
    }
    #expect(try run(builder.build()).outcome == .missingRoutine("nt!NtVdmControl"))
    // A service that there is not: mov eax,500; int 2Eh; ret 8
    #expect(
      status(try run(driver { _ in ([0xb8] + words(500) + [0xcd, 0x2e, 0xc2, 8, 0], []) }.build())) == NTSTATUS(rawValue: 0xc000_001c))
    #expect(
      try run(driver { _ in ([0xb8] + words(0x10c) + [0x89, 0xe2, 0xcd, 0x2e, 0xc2, 8, 0], []) }.build()).outcome
        == .missingRoutine("nt!NtVdmControl"))
  }

  /// The kernel's handlers, by the vectors whose gates lead to them.
  private static let handlers: [Int: String] = [
    0x00: "KiTrap00", 0x01: "KiTrap01", 0x02: "KiTrap02", 0x03: "KiTrap03", 0x04: "KiTrap04", 0x05: "KiTrap05", 0x06: "KiTrap06",
    0x07: "KiTrap07", 0x08: "KiTrap08", 0x09: "KiTrap09", 0x0a: "KiTrap0A", 0x0b: "KiTrap0B", 0x0c: "KiTrap0C", 0x0d: "KiTrap0D",
    0x0e: "KiTrap0E", 0x0f: "KiTrap0F", 0x10: "KiTrap10", 0x11: "KiTrap11", 0x12: "KiTrap12", 0x13: "KiTrap13",
    0x2a: "KiGetTickCount", 0x2b: "KiCallbackReturn", 0x2c: "KiRaiseAssertion", 0x2d: "KiDebugService", 0x2e: "KiSystemService",
    0x30: "KiUnexpectedInterrupt", 0xff: "KiUnexpectedInterrupt",
  ]

  @Test("each gate leads to the kernel's handler; a jump there without a frame ends the run", arguments: handlers.keys.sorted())
  func gates(vector: Int) throws {
    let gate = 0x8003_f400 + UInt32(8 * vector)
    // mov eax,[gate]; mov ecx,[gate+4]; and eax,0FFFFh; and ecx,0FFFF0000h; or eax,ecx; ret 8, or jmp eax
    let find: [UInt8] = [0xa1] + words(gate) + [0x8b, 0x0d] + words(gate + 4) + [0x25] + words(0xffff) + [0x81, 0xe1] + words(0xffff_0000)
    let found = try run(driver { _ in (find + [0x09, 0xc8, 0xc2, 8, 0], []) }.build())
    #expect(status(found).flatMap { found.names.symbol(at: UInt64($0.rawValue)) } == "nt!\(Self.handlers[vector] ?? "")")
    #expect(bugCheck(try run(driver { _ in (find + [0x09, 0xc8, 0x31, 0xe4, 0xff, 0xe0], []) }.build())) != nil)
  }

  @Test("sysenter's entry is KiFastCallEntry, and sysenter itself is no way to call it from the kernel") func systemCallEntry() throws {
    // mov ecx,176h; rdmsr; ret 8
    let run = try run(driver { _ in ([0xb9] + words(0x176) + [0x0f, 0x32, 0xc2, 8, 0], []) }.build())
    #expect(status(run).flatMap { run.names.symbol(at: UInt64($0.rawValue)) } == "nt!KiFastCallEntry")
    #expect(bugCheck(try self.run(driver { _ in ([0x0f, 0x34], []) }.build())) == 0x7f)
  }

  @Test("RtlRaiseException raises the caller's record; where nobody takes it, the bugcheck has its code") func raises() throws {
    // sub esp,50h; mov edi,esp; mov ecx,14h; xor eax,eax; rep stosd; mov dword ptr [esp],0E0001234h; push esp; call [slot]
    let builder = driver(importing: ["RtlRaiseException"]) { slots in
      let code: [UInt8] = [0x83, 0xec, 0x50, 0x89, 0xe7, 0xb9] + words(0x14) + [0x31, 0xc0, 0xf3, 0xab, 0xc7, 0x04, 0x24]
      return (code + words(0xe000_1234) + [0x54, 0xff, 0x15] + words(slots["RtlRaiseException"] ?? 0) + Self.success, [24])
    }
    let run = try run(builder.build())
    guard case .bugCheck(let check) = run.outcome else {
      Issue.record("\(run.outcome)")
      return
    }
    #expect(check.code.rawValue == 0x7e && check.parameters[0] == 0xe000_1234)
  }

  @Test("a handler of the driver's own that goes on to the kernel's ends as without it") func chainedHandler() throws {
    // The gate of int 3 in the table of XP is at 8003F418h; its handler is what is saved, and jumped to.
    // mov eax,offset hook; mov ecx,[8003F418h]; mov edx,[8003F41Ch]; and ecx,0FFFFh; and edx,0FFFF0000h; or ecx,edx;
    // mov [12000h],ecx; mov [8003F418h],ax; shr eax,10h; mov [8003F41Eh],ax; int 3
    var code: [UInt8] = [0xb8] + words(Self.base + 0x1060) + [0x8b, 0x0d] + words(0x8003_f418) + [0x8b, 0x15] + words(0x8003_f41c)
    code += [0x81, 0xe1] + words(0xffff) + [0x81, 0xe2] + words(0xffff_0000) + [0x09, 0xd1, 0x89, 0x0d] + words(Self.base + 0x2000)
    code += [0x66, 0xa3] + words(0x8003_f418) + [0xc1, 0xe8, 0x10, 0x66, 0xa3] + words(0x8003_f41e) + [0xcc]
    #expect(code.count <= 0x60)
    code += [UInt8](repeating: 0x90, count: 0x60 - code.count)
    // hook: jmp [12000h]
    code += [0xff, 0x25] + words(Self.base + 0x2000)
    let run = try run(driver { _ in (code, [1, 33, 0x62]) }.build())
    guard case .bugCheck(let check) = run.outcome else {
      Issue.record("\(run.outcome)")
      return
    }
    #expect(check.code.rawValue == 0x7e && check.parameters[0] == 0x8000_0003)
  }
}
