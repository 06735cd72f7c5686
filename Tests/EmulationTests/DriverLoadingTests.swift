import Emulation
import Foundation
import Guest
import Images
import TestSupport
import Testing

/// A folder of files that goes when the test is done.
private final class Folder {
  let path = FileManager.default.temporaryDirectory.appending(path: "drivers-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: path) }

  func write(_ bytes: [UInt8], as name: String) throws { try Data(bytes).write(to: path.appending(path: name)) }
}

/// A driver whose code is at 1000h, exports and imports behind it; `code` gets the slots of its imports.
private func driver(
  importing files: [(String, [String])] = [], exporting exports: [(String, UInt32)] = [], forwarding: [(String, String)] = [],
  data: [UInt8] = [0], _ code: ([String: UInt32]) -> (bytes: [UInt8], relocations: [UInt16])
) -> PEBuilder {
  let imports = PEBuilder.imports(files, at: 0x3000)
  let (bytes, relocated) = code(imports.slots.mapValues { $0 + 0x1_0000 })
  let exportTable = PEBuilder.exports(exports, forwarding: forwarding, at: 0x4000)
  let relocations = PEBuilder.relocations(page: 0x1000, relocated)
  var builder = PEBuilder([
    .init(".text", at: 0x1000, bytes, PEBuilder.code), .init(".data", at: 0x2000, data, PEBuilder.data),
    .init(".idata", at: 0x3000, imports.bytes, PEBuilder.data), .init(".edata", at: 0x4000, exportTable, PEBuilder.constants),
    .init(".reloc", at: 0x5000, relocations, PEBuilder.constants | PEBuilder.discardable),
  ])
  builder.directories = [5: (0x5000, UInt32(relocations.count))]
  if !files.isEmpty { builder.directories[1] = (0x3000, UInt32(imports.bytes.count)) }
  if !exports.isEmpty || !forwarding.isEmpty { builder.directories[0] = (0x4000, UInt32(exportTable.count)) }
  return builder
}

/// `call [slot]; ret 8`
private func calling(_ name: String) -> ([String: UInt32]) -> (bytes: [UInt8], relocations: [UInt16]) {
  { slots in
    var code: [UInt8] = [0xff, 0x15]
    code.append(slots[name] ?? 0)
    return (code + [0xc2, 8, 0], [2])
  }
}

/// `mov eax,[slot]; mov eax,[eax]; ret 8`
private func reading(_ name: String) -> ([String: UInt32]) -> (bytes: [UInt8], relocations: [UInt16]) {
  { slots in
    var code: [UInt8] = [0xa1]
    code.append(slots[name] ?? 0)
    return (code + [0x8b, 0x00, 0xc2, 8, 0], [1])
  }
}

private func run(_ call: Fixture.Place, load: [String], in folder: Folder, overrides: [String: String] = [:]) throws -> Run {
  var options = EmulationOptions()
  options.images = ImageSource(
    folder: folder.path.path, overrides: overrides.mapValues { folder.path.appending(path: $0).path })
  let step = Fixture.Step(.call(Fixture.Call(on: "system", call, with: [0, 0], expect: .any)))
  return try emulate(
    Fixture("drivers", load: load, threads: [Fixture.Thread("system", in: "System")], steps: [step]), options: options)
}

@Test("a driver is moved to the drivers' addresses, and its own words move with it")
func moved() throws {
  let folder = try Folder()
  // mov eax,[12000h]; ret 8
  var code: [UInt8] = [0xa1]
  code.append(UInt32(0x1_2000))
  code += [0xc2, 8, 0]
  let driver = driver(data: [0x78, 0x56, 0x34, 0x12]) { _ in (code, [1]) }
  try folder.write(driver.build(), as: "one.sys")
  try folder.write(driver.build(), as: "two.sys")
  let run = try run("two!DriverEntry", load: ["one.sys", "two.sys"], in: folder)
  #expect(run.outcome == .returned(0x1234_5678))
  #expect(run.names.images.map(\.base) == [0xf8b0_0000, 0xf8b0_6000])
  #expect(run.names.symbol(at: 0xf8b0_7000) == "two!DriverEntry")
}

@Test("a driver is found by its whole path as well")
func wholePath() throws {
  let folder = try Folder()
  try folder.write(driver { _ in ([0xb8, 5, 0, 0, 0, 0xc2, 8, 0], []) }.build(), as: "one.sys")
  let run = try run("one!DriverEntry", load: [folder.path.appending(path: "one.sys").path], in: folder)
  #expect(run.outcome == .returned(5))
}

@Test("an import nobody provides stops the run where it is called, and is named")
func missingImport() throws {
  let folder = try Folder()
  try folder.write(driver(importing: [("ntoskrnl.exe", ["ZwNoSuchThing"])], calling("ZwNoSuchThing")).build(), as: "a.sys")
  #expect(try run("a!DriverEntry", load: ["a.sys"], in: folder).outcome == .missingRoutine("nt!ZwNoSuchThing"))
  try folder.write(driver(importing: [("other.sys", ["#7"])], calling("#7")).build(), as: "b.sys")
  #expect(try run("b!DriverEntry", load: ["b.sys"], in: folder).outcome == .missingRoutine("other!#7"))
}

@Test(
  "what has no DriverEntry is said, not run",
  arguments: [
    ("WIN32K.SYS", "EngLockSurface", "a display or printer driver's, which imports WIN32K!EngLockSurface"),
    ("ntdll.dll", "NtTerminateProcess", "a program of user mode, which imports ntdll!NtTerminateProcess"),
  ])
func noDriver(file: String, name: String, says: String) throws {
  let folder = try Folder()
  try folder.write(driver(importing: [(file, [name])], calling(name)).build(), as: "a.sys")
  var options = EmulationOptions()
  options.images = ImageSource(folder: folder.path.path)
  #expect {
    try emulate(Fixture(driver: "a.sys"), options: options)
  } throws: {
    let message = ($0 as? EmulationError)?.description ?? ""
    return message.contains("a is no driver: it is ") && message.contains(says)
  }
  // A routine of it can be called all the same.
  let module = Image.moduleName(ofFile: file)
  #expect(try run("a!DriverEntry", load: ["a.sys"], in: folder).outcome == .missingRoutine("\(module)!\(name)"))
}

@Test("the kernel and a HAL are no drivers") func noKernel() throws {
  let folder = try Folder()
  let returns: ([String: UInt32]) -> (bytes: [UInt8], relocations: [UInt16]) = { _ in ([0xc3], []) }
  for (exports, says) in [
    (["HalInitSystem"], "a HAL"), (["KeBugCheckEx", "ExAllocatePoolWithTag", "IoCreateDevice"], "the kernel itself"),
  ] {
    try folder.write(driver(exporting: exports.map { ($0, 0x1000) }, returns).build(), as: "a.sys")
    var options = EmulationOptions()
    options.images = ImageSource(folder: folder.path.path)
    #expect {
      try emulate(Fixture(driver: "a.sys"), options: options)
    } throws: {
      "\($0)".contains(says)
    }
  }
}

@Test("an import is bound to the image that exports it, by name, by number, and through forwarders")
func boundToImages() throws {
  let folder = try Folder()
  // mov eax,2Ah; ret
  let answer: ([String: UInt32]) -> (bytes: [UInt8], relocations: [UInt16]) = { _ in ([0xb8, 0x2a, 0, 0, 0, 0xc3], []) }
  try folder.write(driver(exporting: [("Answer", 0x1000)], answer).build(), as: "library.sys")
  try folder.write(
    driver(forwarding: [("Reply", "LIBRARY.Answer"), ("First", "library.#1")], { _ in ([0xc3], []) }).build(), as: "middle.sys")
  for (file, name) in [("LIBRARY.SYS", "Answer"), ("library.sys", "#1"), ("middle.sys", "Reply"), ("middle.sys", "First")] {
    try folder.write(driver(importing: [(file, [name])], calling(name)).build(), as: "user.sys")
    let run = try run("user!DriverEntry", load: ["user.sys", "library.sys", "middle.sys"], in: folder)
    #expect(run.outcome == .returned(0x2a), "\(file)!\(name)")
  }
}

@Test("forwarders that lead in a circle end as a routine that is missing")
func forwarderLoop() throws {
  let folder = try Folder()
  let nothing: ([String: UInt32]) -> (bytes: [UInt8], relocations: [UInt16]) = { _ in ([0xc3], []) }
  try folder.write(driver(forwarding: [("Loop", "two.Loop"), ("Self", "one.Self")], nothing).build(), as: "one.sys")
  try folder.write(driver(forwarding: [("Loop", "one.Loop")], nothing).build(), as: "two.sys")
  for name in ["Loop", "Self"] {
    try folder.write(driver(importing: [("one.sys", [name])], calling(name)).build(), as: "user.sys")
    let run = try run("user!DriverEntry", load: ["user.sys", "one.sys", "two.sys"], in: folder)
    #expect(run.outcome == .missingRoutine("one!\(name)"))
  }
}

@Test(
  "an exported variable is memory with a value",
  arguments: [
    ("NtBuildNumber", 0xf000_0a28), ("MmHighestUserAddress", 0x7ffe_ffff), ("MmUserProbeAddress", 0x7fff_0000),
    ("MmSystemRangeStart", 0x8000_0000), ("KeNumberProcessors", 1),
  ] as [(String, UInt64)])
func variables(variable: (name: String, value: UInt64)) throws {
  let folder = try Folder()
  try folder.write(driver(importing: [("ntoskrnl.exe", [variable.name])], reading(variable.name)).build(), as: "a.sys")
  #expect(try run("a!DriverEntry", load: ["a.sys"], in: folder).outcome == .returned(variable.value))
}

@Test("PsInitialSystemProcess points at the System process")
func initialProcess() throws {
  let folder = try Folder()
  try folder.write(
    driver(importing: [("ntoskrnl.exe", ["PsInitialSystemProcess"])], reading("PsInitialSystemProcess")).build(), as: "a.sys")
  let run = try run("a!DriverEntry", load: ["a.sys"], in: folder)
  #expect(run.outcome == .returned(run.names.processes[0].object))
}

@Test("the security cookie is fresh, and the same in the next run")
func cookie() throws {
  let folder = try Folder()
  // mov eax,[12000h]; ret 8; a load configuration behind it.
  var data: [UInt8] = []
  data.append(UInt32(0xbb40_e64e))
  data += [UInt8](repeating: 0, count: 12)
  data.append(UInt32(0x48))
  data += [UInt8](repeating: 0, count: 0x44)
  data.put(UInt32(0x1_2000), at: 0x10 + 0x3c)
  var code: [UInt8] = [0xa1]
  code.append(UInt32(0x1_2000))
  code += [0xc2, 8, 0]
  var builder = driver(data: data) { _ in (code, [1]) }
  builder.directories[10] = (0x2010, 0x48)
  builder.sections[4].bytes += PEBuilder.relocations(page: 0x2000, [0x4c])
  builder.directories[5] = (0x5000, UInt32(builder.sections[4].bytes.count))
  try folder.write(builder.build(), as: "guarded.sys")
  let first = try run("guarded!DriverEntry", load: ["guarded.sys"], in: folder).outcome
  guard case .returned(let value) = first else {
    Issue.record("\(first)")
    return
  }
  #expect(value != 0xbb40_e64e && value != 0)
  #expect(try run("guarded!DriverEntry", load: ["guarded.sys"], in: folder).outcome == first)
}

@Test("a file of the user's takes the place of our routines, and what it lacks stays ours")
func overriding() throws {
  let folder = try Folder()
  // The user's fltMgr exports one of the two names.
  let seven: ([String: UInt32]) -> (bytes: [UInt8], relocations: [UInt16]) = { _ in ([0xb8, 7, 0, 0, 0, 0xc3], []) }
  try folder.write(driver(exporting: [("FltLockUserBuffer", 0x1000)], seven).build(), as: "genuine.sys")
  let user = driver(importing: [("FLTMGR.SYS", ["FltLockUserBuffer"]), ("ntoskrnl.exe", ["NtBuildNumber"])], calling("FltLockUserBuffer"))
  try folder.write(user.build(), as: "user.sys")
  let mine = try run(
    "user!DriverEntry", load: ["nt.listing", "fltMgr.listing", "user.sys"], in: folder, overrides: ["fltMgr": "genuine.sys"])
  #expect(mine.outcome == .returned(7))
  #expect(mine.names.images.map(\.name) == ["fltMgr", "nt", "fltMgr", "user"])

  // Without the export ours is called: the listing's routine, which finds no operation to lock a buffer for.
  try folder.write(driver(exporting: [("Other", 0x1000)], seven).build(), as: "genuine.sys")
  let ours = try run(
    "user!DriverEntry", load: ["nt.listing", "fltMgr.listing", "user.sys"], in: folder, overrides: ["fltMgr": "genuine.sys"])
  #expect(ours.outcome != .returned(7))
}

@Test("what cannot be placed is an error that says why")
func unplaceable() throws {
  let folder = try Folder()
  var builder = driver { _ in ([0xc3], []) }
  builder.characteristics |= 1
  try folder.write(builder.build(), as: "fixed.sys")
  let error = try #require(throws: EmulationError.self) { try run("fixed!DriverEntry", load: ["fixed.sys"], in: folder) }
  #expect(error.description.contains("must lie at 00010000"), "\(error)")
  // Over the traps, over the processor's page: never.
  for base in [0x8070_0000, 0xffdf_0000, 0xf8b0_0000] as [UInt32] {
    builder.imageBase = base
    try folder.write(builder.build(), as: "fixed.sys")
    #expect(throws: EmulationError.self) { try run("fixed!DriverEntry", load: ["fixed.sys"], in: folder) }
  }
  builder.imageBase = 0xf800_0000
  try folder.write(builder.build(), as: "fixed.sys")
  #expect(try run("fixed!DriverEntry", load: ["fixed.sys"], in: folder).names.images[0].base == 0xf800_0000)

  builder.machine = 0x8664
  builder.magic = 0x20b
  try folder.write(builder.build(), as: "wide.sys")
  let wide = try #require(throws: EmulationError.self) { try run("wide!DriverEntry", load: ["wide.sys"], in: folder) }
  #expect(wide.description.contains("PE32+") && wide.exitCode == 65, "\(wide)")
}

@Test("a file without an entry point or relocations, and a listing in user space, are refused as well")
func placelessImages() throws {
  let folder = try Folder()
  var builder = driver { _ in ([0xc3], []) }
  builder.characteristics |= 1
  builder.entryPoint = 0
  try folder.write(builder.build(), as: "data.sys")
  let error = try #require(throws: EmulationError.self) { try run("nt!DbgPrint", load: ["data.sys"], in: folder) }
  #expect(error.description.contains("must lie at 00010000"), "\(error)")
  for base in ["00010000", "fffff000"] {
    try folder.write(Array(".image low \(base) 00001000\n\(base) c3 ret\n".utf8), as: "low.listing")
    let error = try #require(throws: EmulationError.self) { try run("nt!DbgPrint", load: ["low.listing"], in: folder) }
    #expect(error.description.contains("is not system space"), "\(error)")
  }
}

@Test("a variable that only the fixture speaks of has its value, too")
func variableByName() throws {
  let folder = try Folder()
  try folder.write(driver { _ in ([0x8b, 0x44, 0x24, 4, 0x8b, 0x00, 0xc2, 8, 0], []) }.build(), as: "a.sys")
  var options = EmulationOptions()
  options.images = ImageSource(folder: folder.path.path)
  let call = Fixture.Call(on: "system", "a!DriverEntry", with: [.place("nt!NtBuildNumber"), 0], expect: .any)
  let run = try emulate(
    Fixture("variable", load: ["a.sys"], threads: [Fixture.Thread("system", in: "System")], steps: [Fixture.Step(.call(call))]),
    options: options)
  #expect(run.outcome == .returned(0xf000_0a28))
}

@Test("the list of loaded modules has the kernel, the HAL and each driver in order")
func moduleList() throws {
  let folder = try Folder()
  try folder.write(driver(importing: [("ntoskrnl.exe", ["PsLoadedModuleList"])], reading("PsLoadedModuleList")).build(), as: "walker.sys")
  let run = try run("walker!DriverEntry", load: ["walker.sys"], in: folder)
  // The head's Flink: the kernel's own entry, in the modules' range.
  guard case .returned(let first) = run.outcome else {
    Issue.record("\(run.outcome)")
    return
  }
  #expect(first >= 0x8069_0000 && first < 0x806c_0000)
}

@Test("our own drivers load, and stop at a routine by name where one is missing", arguments: ["hello", "neither", "leaky"])
func ownDrivers(name: String) throws {
  let folder = try Folder()
  let run = try run(.symbol(module: name, name: "DriverEntry", offset: 0), load: [name + ".sys"], in: folder)
  #expect(run.names.images.map(\.name) == [name])
  #expect(run.names.image(at: 0xf8b0_1000)?.origin(of: 0xf8b0_1000) == .reconstructed)
  if case .missingRoutine(let routine) = run.outcome { #expect(routine.hasPrefix("nt!Io")) }
}
