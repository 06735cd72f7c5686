import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Notify routines") struct NotifyTests {
  @Test("a process routine is registered once, eight fit, and one that is not there cannot be removed") func registration() throws {
    let g = try IOGuest()
    for index in 0..<8 as Range<UInt64> {
      #expect(try g.status("PsSetCreateProcessNotifyRoutine", 0xf8b0_6000 + 16 * index, 0) == .success)
    }
    #expect(try g.status("PsSetCreateProcessNotifyRoutine", 0xf8b0_6000, 0) == .invalidParameter)
    #expect(try g.status("PsSetCreateProcessNotifyRoutine", 0xf8b0_7000, 0) == .invalidParameter)
    #expect(try g.status("PsSetCreateProcessNotifyRoutine", 0xf8b0_7000, 1) == NTSTATUS(rawValue: 0xc000_007a))
    #expect(try g.status("PsSetCreateProcessNotifyRoutine", 0xf8b0_6000, 1) == .success)
    #expect(try g.k.kernel.leftovers(of: g.driver).map(\.what) == Array(repeating: "a process notify routine", count: 7))
  }

  @Test(
    "thread and image routines: one too many is STATUS_INSUFFICIENT_RESOURCES",
    arguments: [
      ("PsSetCreateThreadNotifyRoutine", "PsRemoveCreateThreadNotifyRoutine"),
      ("PsSetLoadImageNotifyRoutine", "PsRemoveLoadImageNotifyRoutine"),
    ])
  func threadsAndImages(set: String, remove: String) throws {
    let g = try IOGuest()
    for index in 0..<8 as Range<UInt64> { #expect(try g.status(set, 0xf8b0_6000 + 16 * index) == .success) }
    #expect(try g.status(set, 0xf8b0_7000) == .insufficientResources)
    #expect(try g.status(remove, 0xf8b0_7000) == NTSTATUS(rawValue: 0xc000_007a))
    #expect(try g.status(remove, 0xf8b0_6000) == .success)
    #expect(try g.status(set, 0xf8b0_7000) == .success)
  }

  @Test("the extended process routine is for images with /integritycheck: their flag in the list of modules") func integrity() throws {
    let g = try IOGuest()
    let routine: UInt64 = 0xf8b0_6000
    #expect(try g.status("PsSetCreateProcessNotifyRoutineEx", routine, 0) == .accessDenied)
    let entry = try g.k.kernel.addLoadedModule(.init(fileName: "demo.sys", base: 0xf8b0_0000, size: 0x1_0000))
    #expect(try g.status("PsSetCreateProcessNotifyRoutineEx", routine, 0) == .accessDenied)
    try entry.Flags.store(entry.Flags.load() | 0x20)
    #expect(try g.status("PsSetCreateProcessNotifyRoutineEx", routine, 0) == .success)
    #expect(try g.status("PsSetCreateProcessNotifyRoutineEx", routine, 1) == .success)
  }
}
