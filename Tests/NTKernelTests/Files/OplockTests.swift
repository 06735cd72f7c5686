import Guest
import NTKernel
import Testing
import WindowsTypes

/// A file system with one stream, two openers of it, and requests of theirs.
final class OplockGuest {
  let g = try! IOGuest()
  let lock: UInt64
  let first: UInt64
  let second: UInt64
  /// Status and information of the requests that are complete.
  var completed: [UInt64: [UInt32]] = [:]

  static let completion: UInt64 = 0xf8b0_7000

  init() throws {
    (lock, first, second) = (try g.space(), try g.space(0x70), try g.space(0x70))
    g.routine(at: Self.completion, 3) { [unowned self] in
      completed[$0[1]] = [try g.k.load($0[1] + 0x18), try g.k.load($0[1] + 0x1c)]
      return 0xc000_0016
    }
    try g.call("FsRtlInitializeOplock", lock)
  }

  /// A request that has reached the file system, whose completion the test hears of.
  func irp(_ major: UInt32, _ file: UInt64, _ parameters: [UInt32] = []) throws -> UInt64 {
    let irp = try g.call("IoAllocateIrp", 2, 0)
    let location = irp + 0x70
    try g.k.memory.memory.store(UInt8(1), at: irp + 0x23)
    try g.k.store([UInt32(location)], at: irp + 0x60)
    try g.k.store([major | 0xe0 << 24] + parameters, at: location)
    try g.k.store([0, UInt32(file), UInt32(Self.completion), 0], at: location + 0x14)
    return irp
  }

  func control(_ code: UInt32, _ file: UInt64, count: UInt64 = 1) throws -> (irp: UInt64, status: NTSTATUS) {
    let irp = try irp(0xd, file, [0, 0, code])
    return (irp, try g.status("FsRtlOplockFsctrl", lock, irp, count))
  }

  func create(_ file: UInt64, access: UInt32, options: UInt32 = 1 << 24) throws -> UInt64 {
    let security = try g.space(0x10)
    try g.k.store([0, 0, access, 0], at: security)
    return try irp(0, file, [UInt32(security), options, 0x7_0000, 0])
  }
}

@Suite("Opportunistic locks") struct OplockTests {
  @Test("a batch lock is broken by another opener, and what waits goes on with the acknowledgment") func batch() throws {
    let o = try OplockGuest()
    #expect(try o.g.call("FsRtlOplockIsFastIoPossible", o.lock) & 1 == 1 && o.g.call("FsRtlCurrentOplock", o.lock) & 1 == 0)
    let (held, status) = try o.control(0x9_0008, o.first)
    #expect(status == .pending && o.completed[held] == nil)
    for name in ["FsRtlCurrentBatchOplock", "FsRtlCurrentOplockH", "FsRtlCurrentOplock", "FsRtlOplockIsFastIoPossible"] {
      #expect(try o.g.call(name, o.lock) & 1 == 1, "\(name)")
    }
    // Exclusive locks go to one file alone, and not while others are open.
    let refused = try o.control(0x9_0000, o.second)
    #expect(refused.status == .oplockNotGranted && o.completed[refused.irp] == [0xc000_00e2, 0])
    #expect(try o.control(0x9_000c, o.first).status == .invalidOplockProtocol && o.control(0x9_ffff, o.first).status == .invalidParameter)
    var calls: [[UInt64]] = []
    for address in [0xf8b0_7100, 0xf8b0_7200] as [UInt64] {
      o.g.routine(at: address, 2) {
        calls.append([address] + $0)
        return 0
      }
    }
    // Attributes alone break nothing.
    #expect(try o.g.status("FsRtlCheckOplock", o.lock, o.create(o.second, access: 0x80), 0, 0, 0) == .success)
    let create = try o.create(o.second, access: 1)
    #expect(try o.g.status("FsRtlCheckOplock", o.lock, create, 0x77, 0xf8b0_7100, 0xf8b0_7200) == .pending)
    // FILE_OPLOCK_BROKEN_TO_LEVEL_2
    #expect(o.completed[held] == [0, 7] && calls == [[0xf8b0_7200, 0x77, create]])
    #expect(try o.g.call("FsRtlOplockIsFastIoPossible", o.lock) & 1 == 0)
    let notice = try o.control(0x9_0014, o.second)
    #expect(notice.status == .pending)
    let levelTwo = try o.control(0x9_000c, o.first)
    #expect(levelTwo.status == .pending && calls.last == [0xf8b0_7100, 0x77, create] && o.completed[notice.irp] == [0, 0])
    #expect(try o.g.call("FsRtlCurrentBatchOplock", o.lock) & 1 == 0 && o.g.call("FsRtlOplockIsFastIoPossible", o.lock) & 1 == 0)
    // A write ends locks of level 2 without waiting: FILE_OPLOCK_BROKEN_TO_NONE.
    #expect(try o.g.status("FsRtlCheckOplock", o.lock, o.irp(4, o.second), 0, 0, 0) == .success)
    #expect(o.completed[levelTwo.irp] == [0, 8] && o.g.violations.isEmpty)
  }

  @Test("one who does not wait is told that a break is under way; closing the file ends it") func notWaiting() throws {
    let o = try OplockGuest()
    let held = try o.control(0x9_0008, o.first)
    // OPLOCK_FLAG_OPLOCK_KEY_CHECK_ONLY; OPLOCK_FLAG_COMPLETE_IF_OPLOCKED; FILE_COMPLETE_IF_OPLOCKED.
    #expect(try o.g.status("FsRtlCheckOplockEx", o.lock, o.irp(4, o.second), 2, 0, 0, 0) == .success)
    #expect(try o.g.status("FsRtlCheckOplockEx", o.lock, o.irp(4, o.second), 1, 0, 0, 0) == .oplockBreakInProgress)
    #expect(o.completed[held.irp] == [0, 8])
    #expect(
      try o.g.status("FsRtlCheckOplock", o.lock, o.create(o.second, access: 2, options: 1 << 24 | 0x100), 0, 0, 0) == .oplockBreakInProgress
    )
    #expect(try o.control(0x9_0010, o.first).status == .success && o.g.call("FsRtlCurrentOplock", o.lock) & 1 == 1)
    #expect(try o.g.status("FsRtlCheckOplock", o.lock, o.irp(0x12, o.first), 0, 0, 0) == .success)
    #expect(try o.g.call("FsRtlCurrentOplock", o.lock) & 1 == 0)
    // Handle caching: level 1 has none, a filter lock goes.
    let one = try o.control(0x9_0000, o.first)
    #expect(
      try o.g.status("FsRtlOplockBreakH", o.lock, o.create(o.second, access: 1), 1, 0, 0, 0) == .success && o.completed[one.irp] == nil)
    try o.g.call("FsRtlUninitializeOplock", o.lock)
    #expect(try o.completed[one.irp] == [0, 8] && o.g.k.load(o.lock) == 0)
    let filter = try o.control(0x9_005c, o.first)
    #expect(try o.g.status("FsRtlCheckOplock", o.lock, o.create(o.second, access: 1), 0, 0, 0) == .success)
    #expect(try o.g.status("FsRtlOplockBreakH", o.lock, o.create(o.second, access: 1), 1, 0, 0, 0) == .oplockBreakInProgress)
    #expect(try o.completed[filter.irp] == [0, 8] && o.control(0x9_0050, o.first).status == .success)
  }

  @Test("locks of level 2 are shared, and a cancelled request's lock is gone (FsRtlpCancelOplockIrp)") func shared() throws {
    let o = try OplockGuest()
    #expect(try o.control(0x9_0004, o.first, count: 1).status == .oplockNotGranted)
    let (one, two) = (try o.control(0x9_0004, o.first, count: 0), try o.control(0x9_0004, o.second, count: 0))
    #expect(one.status == .pending && two.status == .pending)
    #expect(try o.g.call("FsRtlOplockIsSharedRequest", one.irp) & 1 == 1)
    #expect(try o.g.call("FsRtlOplockIsSharedRequest", o.irp(0xd, o.first, [0, 0, 0x9_0008])) & 1 == 0)
    #expect(try o.g.call("IoCancelIrp", one.irp) & 1 == 1 && o.completed[one.irp] == [0xc000_0120, 0])
    #expect(try o.g.status("FsRtlCheckOplock", o.lock, o.irp(3, o.first), 0, 0, 0) == .success && o.completed[two.irp] == nil)
    #expect(try o.g.status("FsRtlCheckOplock", o.lock, o.irp(4, o.first), 0, 0, 0) == .success && o.completed[two.irp] == [0, 8])
  }
}
