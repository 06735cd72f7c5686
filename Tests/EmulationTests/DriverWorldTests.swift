@testable import Emulation
import Foundation
import Guest
import GuestCode
import Images
import NTKernel
import TestSupport
import Testing
import WindowsTypes

private func machine(_ load: [String]) throws -> Machine {
  try Machine(Fixture("drivers", load: load, threads: [Fixture.Thread("system", in: "System")]), EmulationOptions(), nil)
}

private func text(_ string: Pointer<UNICODE_STRING>) throws -> String {
  let bytes = try string.memory.bytes(Int(string.Length.load()), at: string.Buffer.load().address)
  return String(decoding: stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }, as: UTF16.self)
}

@Test("the list of loaded modules says of each where it is, and what its file is called")
func loadedModules() throws {
  let machine = try machine(["hello.sys", "neither.sys"])
  let head = try machine.kernel.moduleList()
  var found: [(name: String, base: UInt64, size: UInt32)] = []
  var link = try head.Flink.load()
  while link != head, found.count < 10 {
    let entry = link.cast(to: LDR_DATA_TABLE_ENTRY.self)
    found.append((try text(entry.BaseDllName), try entry.DllBase.load().address, try entry.SizeOfImage.load()))
    link = try link.Flink.load()
  }
  #expect(found.map(\.name) == ["ntoskrnl.exe", "hal.dll", "hello.sys", "neither.sys"])
  let images = machine.names.images
  #expect(found.dropFirst(2).map(\.base) == images.map(\.base))
  #expect(found.dropFirst(2).map(\.size) == images.map { UInt32($0.size) })
  let entry = try #require(machine.moduleEntries[images[0].base])
  #expect(try text(entry.FullDllName) == "\\SystemRoot\\System32\\Drivers\\hello.sys")
  #expect(try entry.EntryPoint.load().address == images[0].file.entryPoint)
  #expect(try entry.TimeDateStamp.load() == images[0].file.timestamp)
}

@Test("the table of services leads to each service that a Zw routine is for, by a place of the service's own")
func servicesWithoutExports() throws {
  let machine = try machine(["lowlevel.sys"])
  let services = Kernel.serviceNames(in: .windowsXP_x86)
  #expect(machine.kernel.serviceRoutines.count == services.count)
  for export in Machine.exports.exports where export.module == "nt" && export.isImportable && export.name.hasPrefix("Zw") {
    let name = "Nt" + export.name.dropFirst(2)
    guard let number = services.firstIndex(of: name) else { continue }
    let routine = try #require(Machine.exports["nt", name])
    #expect(Machine.exports.exports[routine].name == name)
    #expect(machine.kernel.serviceRoutines[number] == machine.names.trapAddresses[routine], "\(name)")
  }
  // No import finds it, as Windows exports none.
  #expect(Machine.exports["nt", "NtOpenSection"].map { Machine.exports.exports[$0].isImportable } == false)
}

@Test("listings alone leave the list of modules, and everything that would shift with it, alone")
func noModules() throws {
  let machine = try machine(["nt.listing", "fltMgr.listing"])
  #expect(machine.memory.kernel[0x8069_0000].kind == .free && machine.moduleEntries.isEmpty)
}

@Test("sections are protected as the file says, and what only initialisation needs goes when it is discarded")
func protection() throws {
  let machine = try machine(["hello.sys"])
  let image = machine.names.images[0]
  for section in image.sections {
    let page = machine.memory.kernel[section.address]
    #expect(page.kind == .valid && page.protection == (section.isWritable ? .readWrite : .readOnly), "\(section.name)")
    #expect(page.isExecutable == section.isExecutable, "\(section.name)")
  }
  try machine.discardInitialisation(of: image)
  for section in image.sections {
    #expect((machine.memory.kernel[section.address].kind == .free) == ["INIT", ".reloc"].contains(section.name), "\(section.name)")
  }
}

@Test("a broken driver ends in an outcome or an error of one line", arguments: 0..<4)
func brokenDrivers(batch: UInt64) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "broken-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  var options = EmulationOptions()
  options.images = ImageSource(folder: folder.path)
  let step = Fixture.Step(
    .call(Fixture.Call(on: "system", .symbol(module: "broken", name: "DriverEntry", offset: 0), with: [0, 0], expect: .any)))
  let fixture = Fixture(
    "broken", load: ["broken.sys"], limits: .init(instructions: 20_000, memory: 32 << 20, trace: 4 << 20),
    threads: [Fixture.Thread("system", in: "System")], steps: [step])
  for seed in batch * 50..<batch * 50 + 50 {
    var random = SplitMix64(state: seed)
    var bytes = try #require(BuiltIn.drivers.randomElement(using: &random)).bytes
    for _ in 0...random.next() % 12 {
      let place = Int.random(in: 0..<bytes.count - 4, using: &random)
      if random.next() % 3 == 0 {
        bytes.put([0, 1, 0xffff_ffff, 0x8000_0000, 0x1000].randomElement(using: &random) ?? 0 as UInt32, at: place & ~3)
      } else {
        bytes[place] = .random(in: 0...255, using: &random)
      }
    }
    try Data(bytes).write(to: folder.appending(path: "broken.sys"))
    do throws(EmulationError) {
      _ = try emulate(fixture, options: options)
    } catch {
      #expect(error.kind != .internalError && !error.description.contains("\n"), "seed \(seed): \(error)")
    }
  }
}
