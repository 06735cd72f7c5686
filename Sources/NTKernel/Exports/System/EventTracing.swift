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
  ]
}

extension Kernel {
  fileprivate static let eventProvider = "an event provider"

  fileprivate func isEventProvider(_ handle: UInt64) -> NTSTATUS {
    io.registrations.contains { $0.what == Self.eventProvider && $0.key == handle } ? .success : .invalidHandle
  }
}
