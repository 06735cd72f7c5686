import Foundation
import Guest
import Images
import TestSupport
import Testing

/// A driver of four sections: code at 1000h, data at 2000h, tables at 3000h, relocations at 5000h.
func sampleDriver() -> PEBuilder {
  var code = [UInt8](repeating: 0x90, count: 0x300)
  code.put(UInt32(0x1_2010), at: 1)
  code.put(UInt32(0x1_1000), at: 0x2fc)
  var data = [UInt8](repeating: 0x11, count: 0x40)
  data.put(UInt32(0xbb40_e64e), at: 0x10)
  let imports = PEBuilder.imports([("ntoskrnl.exe", ["DbgPrint", "#12"]), ("FLTMGR.SYS", ["FltLockUserBuffer"])], at: 0x3000)
  var tables = imports.bytes
  tables += [UInt8](repeating: 0, count: 0x800 - tables.count)
  tables += PEBuilder.exports(
    [("DllInitialize", 0x1010), ("Answer", 0x1020)], forwarding: [("Print", "NTOSKRNL.DbgPrint"), ("Twelve", "hal.#12")], at: 0x3800)
  let exportsEnd = UInt32(tables.count)
  tables += [UInt8](repeating: 0, count: 0xc00 - tables.count)
  let load = UInt32(0x3000 + tables.count)
  tables.append(UInt32(0x48))
  tables += [UInt8](repeating: 0, count: 0x44)
  tables.put(UInt32(0x1_2010), at: 0xc3c)
  let relocations = PEBuilder.relocations(page: 0x1000, [0x001, 0x2fc]) + PEBuilder.relocations(page: 0x3000, [0xc3c])
  var builder = PEBuilder([
    .init(".text", at: 0x1000, code, PEBuilder.code),
    .init(".data", at: 0x2000, data, PEBuilder.data, virtualSize: 0x900),
    .init(".rdata", at: 0x3000, tables, PEBuilder.constants),
    .init("INIT", at: 0x4000, [0xc3], PEBuilder.code | PEBuilder.discardable),
    .init(".reloc", at: 0x5000, relocations, PEBuilder.constants | PEBuilder.discardable),
  ])
  builder.directories = [
    0: (0x3800, exportsEnd - 0x800), 1: (0x3000, UInt32(imports.bytes.count)), 5: (0x5000, UInt32(relocations.count)), 10: (load, 0x48),
  ]
  return builder
}

@Test("a PE file becomes an image with everything that its headers and tables say")
func sample() throws {
  let image = try Image(portableExecutable: sampleDriver().build(), named: "sample")
  #expect(image.base == 0x1_0000 && image.size == 0x6000)
  #expect(image.sections.map(\.name) == ["headers", ".text", ".data", ".rdata", "INIT", ".reloc"])
  #expect(image.sections.map(\.address) == [0x1_0000, 0x1_1000, 0x1_2000, 0x1_3000, 0x1_4000, 0x1_5000])
  #expect(image.sections.map(\.isWritable) == [false, false, true, false, false, false])
  #expect(image.sections.map(\.isExecutable) == [false, true, false, false, true, false])
  #expect(image.sections.map(\.isDiscardable) == [false, false, false, false, true, true])
  #expect(image.bytes(at: 0x1_203f, count: 2) == [0x11, 0])
  #expect(image.imports.map(\.module) == ["nt", "nt", "fltMgr"])
  #expect(image.imports.map(\.name) == ["DbgPrint", "#12", "FltLockUserBuffer"])
  #expect(image.exports == ["DllInitialize": 0x1_1010, "Answer": 0x1_1020])
  #expect(image.file.ordinals == [1: 0x1_1010, 2: 0x1_1020])
  #expect(image.export(.name("Print")) == .forwarder(.init(module: "nt", symbol: .name("DbgPrint"))))
  #expect(image.export(.name("Twelve")) == .forwarder(.init(module: "hal", symbol: .ordinal(12))))
  #expect(image.export(.ordinal(4)) == image.export(.name("Twelve")))
  #expect(image.export(.ordinal(2)) == .address(0x1_1020) && image.export(.ordinal(9)) == nil)
  #expect(image.file.entryPoint == 0x1_1000)
  #expect(image.file.relocations == [0x1_1001, 0x1_12fc, 0x1_3c3c])
  #expect(image.file.securityCookie == 0x1_2010)
  #expect(image.file.timestamp == 0x4802_5a3e && image.file.checksum == 0x1234)
  #expect(image.isExportDriver && !image.file.isDLL)
  #expect(image.symbol(at: 0x1_1000) == "sample!DriverEntry")
  #expect(image.address(of: "DriverEntry") == 0x1_1000)
  #expect(image.origin(of: 0x1_1000) == .traced)
}

@Test("a rebased image has moved in every address, and in every word that a relocation names")
func rebased() throws {
  let image = try Image(portableExecutable: sampleDriver().build(), named: "sample")
  let moved = try #require(image.rebased(to: 0xf8b0_0000))
  #expect(moved.base == 0xf8b0_0000 && moved.size == image.size)
  #expect(moved.bytes(at: 0xf8b0_1001, count: 4) == [0x10, 0x20, 0xb0, 0xf8])
  #expect(moved.bytes(at: 0xf8b0_12fc, count: 4) == [0x00, 0x10, 0xb0, 0xf8])
  #expect(moved.bytes(at: 0xf8b0_1005, count: 4) == [0x90, 0x90, 0x90, 0x90])
  #expect(moved.exports["Answer"] == 0xf8b0_1020 && moved.file.ordinals[2] == 0xf8b0_1020)
  #expect(moved.file.entryPoint == 0xf8b0_1000 && moved.file.securityCookie == 0xf8b0_2010)
  #expect(moved.imports.map(\.slot) == image.imports.map { $0.slot + 0xf8af_0000 })
  #expect(moved.symbol(at: 0xf8b0_1000) == "sample!DriverEntry")
  let back = try #require(moved.rebased(to: image.base))
  #expect(back.sections.map(\.bytes) == image.sections.map(\.bytes))
  #expect(image.rebased(to: 0xffff_f000) == nil)
}

@Test("an image without relocations stays where it is")
func stripped() throws {
  var builder = sampleDriver()
  builder.characteristics |= 1
  let image = try Image(portableExecutable: builder.build(), named: "sample")
  #expect(image.file.relocations == nil && image.rebased(to: 0xf8b0_0000) == nil)
}

@Test("where SectionAlignment is below a page, the image is one mapping of the file")
func lowAlignment() throws {
  let imports = PEBuilder.imports([("HAL.dll", ["KfRaiseIrql"])], at: 0x400)
  var builder = PEBuilder([
    .init(".text", at: 0x280, [UInt8](repeating: 0x90, count: 0x100), PEBuilder.code),
    .init(".rdata", at: 0x400, imports.bytes, PEBuilder.constants),
  ])
  builder.sectionAlignment = 0x80
  builder.fileAlignment = 0x80
  builder.entryPoint = 0x290
  builder.directories = [1: (0x400, UInt32(imports.bytes.count))]
  let file = builder.build()
  let image = try Image(portableExecutable: file, named: "low")
  #expect(image.sections.count == 1 && image.sections[0].isWritable && image.sections[0].isExecutable)
  #expect(image.bytes(at: 0x1_0000, count: file.count).map(Array.init) == file)
  #expect(image.imports == [.init(module: "hal", name: "KfRaiseIrql", slot: 0x1_0000 + UInt64(imports.slots["KfRaiseIrql"] ?? 0))])
}

@Test(
  "files are called as the debugger calls their modules",
  arguments: [
    ("ntoskrnl.exe", "nt"), ("NTKRNLPA.EXE", "nt"), ("HAL.dll", "hal"), ("fltmgr.sys", "fltMgr"), ("my.driver.sys", "my.driver"),
    ("NTOSKRNL", "nt"), ("WDFLDR.SYS", "WDFLDR"),
  ])
func moduleNames(names: (file: String, module: String)) {
  #expect(Image.moduleName(ofFile: names.file) == names.module)
}

private let images = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../images")

@Test("our own drivers name their routines and imports", arguments: ["hello", "neither", "leaky"])
func ownDrivers(name: String) throws {
  let image = try Image(contentsOfPortableExecutable: images.appending(path: name + ".sys").path, named: name)
  let entry = try #require(image.file.entryPoint)
  #expect(image.symbol(at: entry) == "\(name)!DriverEntry")
  #expect(image.address(of: "Unload") != nil)
  #expect(image.imports.allSatisfy { $0.module == "nt" })
  #expect(image.imports.contains { $0.name == "IoCreateDevice" })
  #expect(image.rebased(to: 0xf8b0_0000)?.symbol(at: entry + 0xf8af_0000) == "\(name)!DriverEntry")
}

@Test("every driver is what its source makes, byte for byte")
func reproducible() throws {
  let tool = Process()
  tool.executableURL = images.appending(path: "../tools/build-drivers")
  tool.arguments = ["--check"]
  let output = Pipe()
  tool.standardOutput = output
  tool.standardError = output
  try tool.run()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  tool.waitUntilExit()
  #expect(tool.terminationStatus == 0, "\(text)")
}
