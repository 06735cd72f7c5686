import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Opportunistic locks of filters") struct FilterOplockTests {
  typealias F = FilterGuest
  private static let waited: UInt64 = 0xf8b0_8500
  private static let posted: UInt64 = 0xf8b0_8510

  /// A filter that keeps one lock for the one file of its volume.
  private func guest(_ log: @escaping (String) -> Void = { _ in }) throws -> (f: F, lock: UInt64) {
    let f = try F()
    let lock = try f.g.space()
    try f.g.call("FltInitializeOplock", lock)
    f.g.routine(at: Self.waited, 2) {
      log("over \(hex($0[1]))")
      try f.g.call("FltCompletePendedPreOperation", $0[0], 1, 0)
      return 0
    }
    f.g.routine(at: Self.posted, 2) {
      log("waits \(hex($0[1]))")
      return 0
    }
    // FSCTLs are the lock's, reads are checked against it.
    f.g.routine(at: F.pre, 3) {
      let answer = try f.g.call("FltOplockFsctrl", lock, $0[0], 1) & 0xffff_ffff
      log("asked: \(answer)")
      return answer
    }
    f.g.routine(at: F.pre + 0x10, 3) {
      let answer = try f.g.call("FltCheckOplock", lock, $0[0], 0x77, Self.waited, Self.posted) & 0xffff_ffff
      log("checked: \(answer)")
      return answer == 0 ? 1 : answer
    }
    _ = try f.start([0xc: f.operations([(0xd, 0, F.pre, 0), (3, 0, F.pre + 0x10, 0)])])
    return (f, lock)
  }

  private func hex(_ value: UInt64) -> String { String(value, radix: 16) }

  /// Opens for I/O that need not be over when the call returns.
  private func openLate(_ f: F) throws -> UInt64 {
    let (handle, block) = (try f.g.space(), try f.g.space())
    #expect(
      try f.g.status(
        "ZwCreateFile", handle, 0x2_019f, f.g.attributes(#"\??\C:\Long directory\notes.txt"#), block, 0, 0x80, 7, 1, 0, 0, 0) == .success)
    return UInt64(try f.k.load(handle))
  }

  private func control(_ f: F, _ handle: UInt64, _ code: UInt64) throws -> (status: NTSTATUS, block: UInt64) {
    let block = try f.g.space()
    return (try f.g.status("ZwFsControlFile", handle, 0, 0, 0, block, code, 0, 0, 0, 0), block)
  }

  @Test("a request for a lock is pended until the lock is broken, and whoever breaks it waits") func broken() throws {
    var log: [String] = []
    let (f, lock) = try guest { log.append($0) }
    let (owner, reader) = (try openLate(f), try openLate(f))
    let (status, block) = try control(f, owner, 0x9_0008)
    // FLT_PREOP_PENDING
    #expect(status == .pending && log == ["asked: 2"])
    #expect(try f.g.call("FltCurrentBatchOplock", lock) & 1 == 1 && f.g.call("FltOplockIsFastIoPossible", lock) & 1 == 1)
    // The owner's own reads go on.
    let (own, buffer, offset) = (try f.g.space(), try f.g.space(16), try f.g.space())
    #expect(try f.g.status("ZwReadFile", owner, 0, 0, 0, own, buffer, 5, offset, 0) == .success)
    let other = try f.g.space()
    #expect(try f.g.status("ZwReadFile", reader, 0, 0, 0, other, buffer, 5, offset, 0) == .pending)
    #expect(log == ["asked: 2", "checked: 0", "waits 77", "checked: 2"])
    // FILE_OPLOCK_BROKEN_TO_LEVEL_2
    #expect(try [f.k.load(block), f.k.load(block + 4)] == [0, 7] && f.g.call("FltOplockIsFastIoPossible", lock) & 1 == 0)
    let (again, _) = try control(f, owner, 0x9_000c)
    #expect(again == .pending && log.suffix(2) == ["over 77", "asked: 2"])
    #expect(try [f.k.load(other), f.k.load(other + 4)] == [0, 5] && f.g.call("FltCurrentBatchOplock", lock) & 1 == 0)
    for name in ["FltpOplockCompletion", "FltpOplockWaitComplete", "FltpOplockPrePost"] { #expect(try f.k.trap(name) != 0) }
    try f.g.call("FltUninitializeOplock", lock)
    #expect(f.g.violations.isEmpty)
  }

  @Test("what is not granted is complete at once; other operations ask for no lock") func refused() throws {
    let (f, _) = try guest()
    // A synchronous file gets none: STATUS_OPLOCK_NOT_GRANTED.
    #expect(try control(f, f.open(), 0x9_0008).status == .oplockNotGranted)
    #expect(try control(f, openLate(f), 0x9_000c).status == .invalidOplockProtocol)
    f.g.routine(at: F.pre + 0x10, 3) {
      let answer = try f.g.call("FltOplockFsctrl", f.g.space(), $0[0], 1) & 0xffff_ffff
      #expect(answer == 4)
      return 1
    }
    _ = try f.read(f.open(), 5)
    #expect(f.g.violations.contains { $0.hasPrefix("FltOplockFsctrl is called for IRP_MJ_READ") })
  }

  @Test("a request for a lock can be cancelled") func cancelled() throws {
    let (f, lock) = try guest()
    var data: UInt64 = 0
    f.g.routine(at: F.pre, 3) {
      data = $0[0]
      return try f.g.call("FltOplockFsctrl", lock, data, 1) & 0xffff_ffff
    }
    let (status, block) = try control(f, openLate(f), 0x9_0008)
    #expect(status == .pending)
    #expect(try f.g.call("FltCancelIo", data) & 1 == 1 && NTSTATUS(rawValue: f.k.load(block)) == .cancelled)
    #expect(try f.g.call("FltCurrentBatchOplock", lock) & 1 == 0)
  }
}
