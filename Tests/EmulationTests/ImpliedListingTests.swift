import Emulation
import Foundation
import Guest
import Images
import NTKernel
import TestSupport
import Testing

@Suite("Listings that a driver's imports ask for") struct ImpliedListingTests {
  @Test("a driver that imports FltLockUserBuffer gets fltMgr's traced routine without naming the listing") func filterManager() throws {
    let imports = PEBuilder.imports([("FLTMGR.SYS", ["FltLockUserBuffer"])], at: 0x3000)
    let slot = try #require(imports.slots["FltLockUserBuffer"]) + 0x1_0000
    // mov eax,[slot]; mov eax,[eax]; ret 8: what the routine begins with is the status.
    let code = [0xa1] + withUnsafeBytes(of: slot.littleEndian) { Array($0) } + [0x8b, 0x00, 0xc2, 8, 0]
    let relocations = PEBuilder.relocations(page: 0x1000, [1])
    var builder = PEBuilder([
      .init(".text", at: 0x1000, code, PEBuilder.code), .init(".idata", at: 0x3000, imports.bytes, PEBuilder.data),
      .init(".reloc", at: 0x4000, relocations, PEBuilder.constants | PEBuilder.discardable),
    ])
    builder.directories = [1: (0x3000, UInt32(imports.bytes.count)), 5: (0x4000, UInt32(relocations.count))]
    let folder = FileManager.default.temporaryDirectory.appending(path: "implied-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(builder.build()).write(to: folder.appending(path: "odd.sys"))
    var options = EmulationOptions()
    options.images = ImageSource(folder: folder.path)
    let run = try emulate(Fixture(driver: folder.appending(path: "odd.sys").path), options: options)
    // push 20h; push offset …
    #expect(run.drivers.first { $0.phase == .start }?.status?.rawValue == 0xa068_206a)
  }
}
