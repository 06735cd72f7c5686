import Guest
import WindowsTypes

/// Event Tracing for Windows, from Vista on, on a machine where no session traces: providers come and go, no event is wanted, and
/// what is written reaches nobody.
extension Export {
  static let eventTracing: [Export] = [
    // nf-wdm-etwregister: a handle of 64 bits.
    export("EtwRegister(ProviderId, EnableCallback, CallbackContext, RegHandle)", irql: .passive) {
      (kernel, provider: GuestWord, callback: GuestWord, context: GuestWord, handle: Pointer<UInt64>) -> NTSTATUS in
      guard provider.bits != 0, !handle.isNull else { return .invalidParameter }
      let block = try kernel.allocate(0x10)
      kernel.register(Kernel.eventProvider, block)
      try handle.store(block)
      return .success
    }
    .partially("no session enables the provider, so its callback is not called"),
    // nf-wdm-etwunregister
    export("EtwUnregister(RegHandle)", irql: .passive) { (kernel, handle: UInt64) -> NTSTATUS in
      guard kernel.unregister(Kernel.eventProvider, handle) else { return .invalidHandle }
      kernel.free(handle)
      return .success
    },
    // nf-wdm-etweventenabled
    export("EtwEventEnabled(RegHandle, EventDescriptor)") { (_, handle: UInt64, descriptor: GuestWord) -> UInt8 in 0 },
    // nf-wdm-etwproviderenabled
    export("EtwProviderEnabled(RegHandle, Level, Keyword)") { (_, handle: UInt64, level: UInt8, keyword: UInt64) -> UInt8 in 0 },
    // nf-wdm-etwwrite
    export("EtwWrite(RegHandle, EventDescriptor, ActivityId, UserDataCount, UserData)") {
      (kernel, handle: UInt64, descriptor: GuestWord, activity: GuestWord, count: UInt32, data: GuestWord) -> NTSTATUS in
      kernel.isEventProvider(handle)
    },
    // nf-ntddk-etwwritestring
    export("EtwWriteString(RegHandle, Level, Keyword, ActivityId, String)") {
      (kernel, handle: UInt64, level: UInt8, keyword: UInt64, activity: GuestWord, text: GuestWord) -> NTSTATUS in
      kernel.isEventProvider(handle)
    },
    // nf-wdm-etwwritetransfer
    export("EtwWriteTransfer(RegHandle, EventDescriptor, ActivityId, RelatedActivityId, UserDataCount, UserData)") {
      (
        kernel, handle: UInt64, descriptor: GuestWord, activity: GuestWord, related: GuestWord, count: UInt32, data: GuestWord
      ) -> NTSTATUS in kernel.isEventProvider(handle)
    },
    // nf-wdm-etwwriteex
    export("EtwWriteEx(RegHandle, EventDescriptor, Filter, Flags, ActivityId, RelatedActivityId, UserDataCount, UserData)") {
      (
        kernel, handle: UInt64, event: GuestWord, filter: UInt64, flags: UInt32, activity: GuestWord, related: GuestWord, count: UInt32,
        data: GuestWord
      ) -> NTSTATUS in
      kernel.isEventProvider(handle)
    },
    // nf-wdm-etwactivityidcontrol: EVENT_ACTIVITY_CTRL_GET_ID 1, SET_ID 2, CREATE_ID 3, GET_SET_ID 4, CREATE_SET_ID 5.
    export("EtwActivityIdControl(ControlCode, ActivityId)", irql: .dispatch) { (kernel, code: UInt32, place: GuestWord) -> NTSTATUS in
      guard 1...5 ~= code else { return .invalidParameter }
      let activities = kernel.part { ThreadActivities() }
      let here = kernel.memory.memory
      let thread = try kernel.currentThread().address
      let old = activities.ofThread[thread] ?? [UInt8](repeating: 0, count: 16)
      switch code {
      case 2: activities.ofThread[thread] = try here.bytes(16, at: place.bits)
      case 4:
        let new = try here.bytes(16, at: place.bits)
        try here.write(old, at: place.bits)
        activities.ofThread[thread] = new
      case 1: try here.write(old, at: place.bits)
      default:
        let new = activities.makeIdentifier()
        try here.write(code == 3 ? new : old, at: place.bits)
        if code == 5 { activities.ofThread[thread] = new }
      }
      return .success
    }
    .partially("where Windows keeps a thread's identifier is undocumented, so guest code does not find it in memory"),
  ]
}

/// The activities that threads say they work on.
private final class ThreadActivities {
  var ofThread: [UInt64: [UInt8]] = [:]
  private var last: UInt64 = 0

  /// Unique on the machine, and the same in every run.
  func makeIdentifier() -> [UInt8] {
    last += 1
    return (0..<16).map { $0 < 8 ? UInt8(truncatingIfNeeded: last >> (8 * UInt64($0))) : 0xe7 }
  }
}

extension Kernel {
  fileprivate static let eventProvider = "an event provider"

  fileprivate func isEventProvider(_ handle: UInt64) -> NTSTATUS {
    isRegistered(Self.eventProvider, handle) ? .success : .invalidHandle
  }
}
