import Events
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("What a filter does wrong is said in words") struct MisuseTests {
  typealias F = FilterGuest

  /// A filter of one operation, whose pre-operation callback does `body`.
  private func filter(_ f: F, _ major: UInt32, post: Bool = true, _ body: @escaping ([UInt64]) throws -> UInt64) throws {
    f.g.routine(at: F.pre, 3) { try body($0) }
    f.g.routine(at: F.post, 4) { _ in 0 }
    _ = try f.start([0xc: f.operations([(major, 0, F.pre, post ? F.post : 0)])])
  }

  /// `FLT_CALLBACK_DATA.IoStatus.Status`
  private func complete(_ f: F, _ data: UInt64, _ status: NTSTATUS) throws -> UInt64 {
    try f.k.store([status.rawValue, 0], at: data + 0xc)
    return 4
  }

  @Test("what an operation may not be completed with") func completions() throws {
    for (status, words) in [(NTSTATUS.pending, "STATUS_PENDING"), (.fltDisallowFastIO, "STATUS_FLT_DISALLOW_FAST_IO")] {
      let f = try F()
      try filter(f, 3) { try complete(f, $0[0], status) }
      let handle = try f.open()
      let (block, buffer, offset) = (try f.g.space(), try f.g.space(), try f.g.space())
      _ = try f.g.call("ZwReadFile", handle, 0, 0, 0, block, buffer, 5, offset, 0)
      #expect(
        f.g.violations.first
          == "demo completed IRP_MJ_READ with \(words) in its pre-operation callback, which is no status to complete with")
    }
    // IRP_MJ_CLEANUP may be completed, and must not fail.
    for (status, count) in [(NTSTATUS.success, 0), (.accessDenied, 1)] {
      let f = try F()
      try filter(f, 0x12) { try complete(f, $0[0], status) }
      #expect(try f.g.status("ZwClose", f.open()) == .success)
      #expect(f.g.violations.count == count && f.g.violations.allSatisfy { $0.hasSuffix("pre-operation callback, which must not fail") })
    }
  }

  @Test("a completion context that nobody gets, a pended operation completed too early") func loose() throws {
    for status in [1, 4] as [UInt64] {
      let f = try F()
      try filter(f, 3) {
        try f.k.store(0x77, at: $0[2])
        return status
      }
      let handle = try f.open()
      let (block, buffer, offset) = (try f.g.space(), try f.g.space(), try f.g.space())
      _ = try f.g.call("ZwReadFile", handle, 0, 0, 0, block, buffer, 5, offset, 0)
      let name = status == 1 ? "FLT_PREOP_SUCCESS_NO_CALLBACK" : "FLT_PREOP_COMPLETE"
      #expect(f.g.violations == ["demo returned \(name) for IRP_MJ_READ with a completion context, which nobody will get"])
    }
    let f = try F()
    try filter(f, 3) {
      try f.g.call("FltCompletePendedPreOperation", $0[0], 1, 0)
      return 1
    }
    #expect(try f.read(f.open(), 5) == Array("hello".utf8))
    #expect(f.g.violations.count == 1 && f.g.violations[0].contains("did not return FLT_PREOP_PENDING"))
  }

  @Test("who asked for a callback that is not there") func noPost() throws {
    let f = try F()
    try filter(f, 3, post: false) { _ in 5 }
    let handle = try f.open()
    let (block, buffer, offset) = (try f.g.space(), try f.g.space(), try f.g.space())
    #expect(try f.g.bugCheck("ZwReadFile", handle, 0, 0, 0, block, buffer, 5, offset, 0).prefix(2) == [0xf5, 0x66])
    #expect(f.g.violations == ["demo returned FLT_PREOP_SYNCHRONIZE for IRP_MJ_READ, and has registered no post-operation callback for it"])
  }

  @Test("what a post-operation callback makes of the status is what the caller gets") func changedStatus() throws {
    let f = try F()
    f.g.routine(at: F.pre, 3) { _ in 0 }
    f.g.routine(at: F.post, 4) {
      _ = try complete(f, $0[0], .endOfFile)
      return 0
    }
    _ = try f.start([0xc: f.operations([(3, 0, F.pre, F.post)])])
    _ = try f.read(f.open(), 5, expect: .endOfFile)
    #expect(f.g.violations.isEmpty)
  }

  @Test("why a filter is not registered") func refusals() throws {
    func reason(_ change: (Registry) -> Void) throws -> String? {
      let f = try F()
      change(f.k.kernel.registry)
      #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration(), f.g.space()).isSuccess == false)
      return f.k.stream.events.compactMap { if case .note(let text) = $0 { text } else { nil } }.last
    }
    func main(_ registry: Registry) -> RegistryKey? { registry.makeKey(at: #"Services\demo\Instances\Main"#) }
    #expect(try reason { main($0)?["Altitude"] = nil } == #"FltRegisterFilter of demo fails: Services\demo\Instances\Main has no value Altitude"#)
    #expect(
      try reason { main($0)?["Altitude"] = .dword(7) } == #"FltRegisterFilter of demo fails: Altitude of Services\demo\Instances\Main is no REG_SZ"#)
    #expect(
      try reason { main($0)?["Altitude"] = .string("high") }
        == #"FltRegisterFilter of demo fails: Altitude of Services\demo\Instances\Main is “high”, which is no decimal number"#)
    #expect(
      try reason { $0.makeKey(at: #"Services\demo\Instances"#)?["DefaultInstance"] = .string("Other") }
        == #"FltRegisterFilter of demo fails: DefaultInstance of Services\demo\Instances is “Other”, and there is no such subkey"#)
    let f = try F()
    #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration(size: 8), f.g.space()) == .success)
    #expect(f.g.violations == ["FLT_REGISTRATION.Size of demo is 0x08; for its version it is to be 0x30 (nobody looks at it)"])
  }
}
