import Events

@testable import Verification

/// Events made by hand: System is process 0, notepad.exe 1, service.exe 2, a second notepad.exe 3.
struct Scenario {
  static let titles = ["System (4)", "notepad.exe (1232)", "service.exe (800)", "notepad.exe (1300)"]
  /// In `fltMgr!FltLockUserBuffer`, in `nt!MmProbeAndLockProcessPages`, in a driver, and the stub that the run's calls return to.
  static let (fltMgr, nt, driver, stub): (UInt64, UInt64, UInt64, UInt64) = (0xf84c_c364, 0x8059_c5f5, 0xf8a1_0020, 0x8000_0000)
  static var names: LedgerNames {
    LedgerNames(
      process: { titles[$0] },
      symbol: {
        [
          fltMgr: "fltMgr!FltLockUserBuffer+0x8a", nt: "nt!MmProbeAndLockProcessPages+0x43", driver: "legacy!Dispatch+0x20",
          stub: "nt!KiCallbackReturn",
        ][$0]
      }, systemRangeStart: 0x8000_0000)
  }

  let stream = EventStream()
  var ledger: Ledger { Ledger(stream, names: Self.names) }
  var rules: [String] { ledger.findings.map(\.rule) }

  /// A lock of three pages of notepad.exe that is right, unless an argument says otherwise.
  @discardableResult
  func lock(
    mdl: UInt64 = 0x8200_0000, address: UInt64 = 0x13_0000, frames: [UInt32] = [54, 55, 56], current: Int = 1, account: Int? = 1,
    requestor: Int? = 1, requestorFrames: [UInt32?] = [54, 55, 56], owners: [Int?] = [nil, nil, nil], wasLocked: Bool = false,
    stack: [UInt64] = [driver, stub]
  ) -> Self {
    stream.append(
      .lock(
        LockEvent(
          mdl: mdl, address: address, length: UInt64(frames.count) << 12, intent: .write, frames: frames, current: current,
          account: account, requestor: requestor, requestorFrames: requestorFrames, owners: owners, routine: "MmProbeAndLockPages",
          wasLocked: wasLocked, site: Site(ip: stack[0], stack: stack))))
    return self
  }

  @discardableResult
  func unlock(mdl: UInt64 = 0x8200_0000) -> Self {
    stream.append(.unlock(mdl: mdl, account: 1, pages: 3, routine: "MmUnlockPages", site: Site(ip: Self.driver)))
    return self
  }

  /// A view of the three pages in system space, behind a lock, unless an argument says otherwise.
  @discardableResult
  func map(
    mdl: UInt64 = 0x8200_0000, buffer: UInt64 = 0x13_0000, frames: [UInt32] = [54, 55, 56], process: Int? = nil, requestor: Int? = 1,
    requestorFrames: [UInt32?] = [54, 55, 56], owners: [Int?] = [nil, nil, nil], isLocked: Bool = true
  ) -> Self {
    stream.append(
      .mapping(
        MappingEvent(
          mdl: mdl, address: process == nil ? 0xf900_0000 : 0x40_0000, length: UInt64(frames.count) << 12, bufferAddress: buffer,
          frames: frames, process: process, requestor: requestor, requestorFrames: requestorFrames, owners: owners,
          isLockedByKernel: isLocked, routine: "MmMapLockedPagesSpecifyCache", site: Site(ip: Self.driver))))
    return self
  }

  @discardableResult
  func attach(from: Int, to: Int, caller: UInt64, _ reason: SwitchReason = .attach) -> Self {
    [].withUnsafeBufferPointer { stream.append(call: 0, returnAddress: caller, arguments: $0) }
    stream.append(.addressSpace(from: from, to: to, thread: 0, reason))
    return self
  }

  @discardableResult
  func append(_ event: Event) -> Self {
    stream.append(event)
    return self
  }
}
