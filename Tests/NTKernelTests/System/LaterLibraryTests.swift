import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Later library routines") struct LaterLibraryTests {
  private func units(_ text: String, in g: IOGuest) throws -> UInt64 {
    let place = try g.space(UInt64(2 * text.utf16.count + 2))
    for (index, unit) in text.utf16.enumerated() { try g.k.memory.memory.store(unit, at: place + 2 * UInt64(index)) }
    return place
  }

  @Test("text goes to UTF-8 and back, whole characters at a time") func encodings() throws {
    let g = try IOGuest()
    let (buffer, actual, wide) = (try g.space(0x20), try g.space(), try units("a\u{e9}\u{1f600}", in: g))
    #expect(try g.status("RtlUnicodeToUTF8N", buffer, 0x20, actual, wide, 8) == .success && g.k.load(actual) == 7)
    #expect(try g.k.memory.memory.bytes(7, at: buffer) == Array("a\u{e9}\u{1f600}".utf8))
    let back = try g.space(0x20)
    #expect(try g.status("RtlUTF8ToUnicodeN", back, 0x20, actual, buffer, 7) == .success && g.k.load(actual) == 8)
    #expect(try g.k.memory.memory.bytes(8, at: back) == g.k.memory.memory.bytes(8, at: wide))
    // The length alone; room for the first two characters; half a pair.
    #expect(try g.status("RtlUnicodeToUTF8N", 0, 0, actual, wide, 8) == .success && g.k.load(actual) == 7)
    #expect(try g.status("RtlUnicodeToUTF8N", buffer, 5, actual, wide, 8) == .bufferTooSmall && g.k.load(actual) == 3)
    #expect(try g.status("RtlUnicodeToUTF8N", buffer, 0x20, actual, wide, 6).rawValue == 0x107 && g.k.load(actual) == 6)
    #expect(try g.status("RtlUnicodeToUTF8N", buffer, 0x20, actual, 0, 8).rawValue == 0xc000_00f2)
    #expect(try g.status("RtlUnicodeToUTF8N", buffer, 0x20, actual, wide, 7).rawValue == 0xc000_00f3)
    #expect(try g.status("RtlUTF8ToUnicodeN", 0, 0, 0, buffer, 1) == .invalidParameter)
  }

  @Test("strings compare by their lengths, and are duplicated") func strings() throws {
    let g = try IOGuest()
    let (small, large) = (try units("abc", in: g), try units("ABD", in: g))
    func compare(_ count: UInt64, _ folds: UInt64) throws -> Int32 {
      Int32(bitPattern: UInt32(truncatingIfNeeded: try g.call("RtlCompareUnicodeStrings", small, count, large, 3, folds)))
    }
    #expect(try compare(3, 0) > 0 && compare(3, 1) == -1 && compare(2, 1) < 0)
    let (source, result) = (try g.string("abc"), try g.space())
    #expect(try g.status("RtlDuplicateUnicodeString", 1, source, result) == .success)
    #expect(try g.k.load(result) == 0x8_0006 && g.k.half(UInt64(g.k.load(result + 4)) + 6) == 0)
    try g.call("RtlFreeUnicodeString", result)
    #expect(try g.status("RtlDuplicateUnicodeString", 2, source, result) == .invalidParameter)
    #expect(try g.status("RtlDuplicateUnicodeString", 0, g.string(""), result) == .success && g.k.load(result + 4) == 0)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  @Test("what is initialised once is initialised when it succeeds") func once() throws {
    let g = try IOGuest()
    let (once, context) = (try g.space(), try g.space())
    var (calls, answer): (Int, UInt64) = (0, 0)
    g.routine(at: 0xf8b0_8100, 3) {
      calls += 1
      try g.k.store(0x1230, at: $0[2])
      return answer
    }
    try g.call("RtlRunOnceInitialize", once)
    #expect(try g.status("RtlRunOnceExecuteOnce", once, 0xf8b0_8100, 7, context) == .unsuccessful)
    answer = 1
    for _ in 0..<2 {
      try g.k.store(0, at: context)
      #expect(try g.status("RtlRunOnceExecuteOnce", once, 0xf8b0_8100, 7, context) == .success && g.k.load(context) == 0x1230)
    }
    #expect(calls == 2)
  }

  @Test("an image's directory is found in memory, and in a file by its section") func directories() throws {
    let g = try IOGuest()
    _ = try g.k.kernel.moduleList()
    let (base, size) = (UInt64(0x804d_7000), try g.space())
    try g.call("MmIsAddressValid", base)
    let place = try g.call("RtlImageDirectoryEntryToData", base, 1, 0, size)
    #expect(try place > base && g.k.load(size) > 0x1000)
    // A section of this file lies where it lies in memory.
    #expect(try g.call("RtlImageDirectoryEntryToData", base, 0, 0, size) == place)
    // One that the image lacks leaves the size alone.
    try g.k.store(7, at: size)
    #expect(try g.call("RtlImageDirectoryEntryToData", base, 1, 2, size) == 0 && g.k.load(size) == 7)
    #expect(try g.call("RtlImageDirectoryEntryToData", g.space(0x40), 1, 0, 0) == 0)
  }

  @Test("the power source is told at once, another setting never") func powerSettings() throws {
    let g = try IOGuest()
    let (setting, handle) = (try g.space(), try g.space())
    var told: [UInt32] = []
    g.routine(at: 0xf8b0_8200, 4) {
      told.append(try g.k.load($0[1]))
      #expect($0[2] == 4 && $0[3] == 0x55)
      return 0
    }
    try g.k.store([0x5d3e_9a59, 0x4b00_e9d5, 0x34ff_bda6, 0x4865_51ff], at: setting)
    #expect(try g.status("PoRegisterPowerSettingCallback", 0, setting, 0xf8b0_8200, 0x55, handle) == .success && told == [0])
    #expect(try g.status("PoUnregisterPowerSettingCallback", UInt64(g.k.load(handle))) == .success)
    #expect(try g.status("PoUnregisterPowerSettingCallback", UInt64(g.k.load(handle))) == .invalidParameter)
    try g.k.store(0, at: setting)
    #expect(try g.status("PoRegisterPowerSettingCallback", 0, setting, 0xf8b0_8200, 0x55, handle) == .success && told == [0])
    #expect(try g.status("PoUnregisterPowerSettingCallback", UInt64(g.k.load(handle))) == .success)
    #expect(try g.status("PoRegisterPowerSettingCallback", 0, setting, 0, 0, handle) == .invalidParameter)
  }

  @Test("waits that may be cancelled, handles of the kernel, time that counts") func rest() throws {
    let g = try IOGuest()
    let (event, timeout, irp) = (try g.space(), try g.space(), try g.space(0x100))
    try g.call("KeInitializeEvent", event, 0, 1)
    #expect(try g.status("FsRtlCancellableWaitForSingleObject", event, 0, 0) == .success)
    try g.call("KeClearEvent", event)
    #expect(try g.status("FsRtlCancellableWaitForSingleObject", event, timeout, 0) == .timeout)
    try g.k.memory.memory.store(UInt8(1), at: irp + 0x24)
    #expect(try g.status("FsRtlCancellableWaitForSingleObject", event, 0, irp).rawValue == 0xc000_0120)
    #expect(try g.call("ObIsKernelHandle", 0x8000_0004) & 0xff == 1 && g.call("ObIsKernelHandle", 4) & 0xff == 0)
    #expect(try g.call("ObIsKernelHandle", 0xffff_ffff) & 0xff == 0)
    #expect(try g.call("KeQueryUnbiasedInterruptTime") == g.call("KeQueryInterruptTime"))
    try g.call("KeFlushEntireTb", 1, 1)
  }
}
