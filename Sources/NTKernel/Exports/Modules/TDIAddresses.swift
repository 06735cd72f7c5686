import Guest
import WindowsTypes

/// tdi.sys: the older registrations, and NetBIOS addresses (tdikrnl.h).
extension Export {
  static let tdiAddresses: [Export] = [
    // nf-tdikrnl-tdiregisternotificationhandler, nf-tdikrnl-tdiregisteraddresschangehandler: before TdiRegisterPnPHandlers.
    export("TdiRegisterNotificationHandler(BindHandler, UnbindHandler, BindingHandle)", module: "tdi", irql: .passive) {
      (kernel, bind: GuestWord, unbind: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(GuestWord(kernel.registerTransport("a TDI client")))
      return .success
    }
    .partially("no transport comes or goes, so the client is not called"),
    export("TdiRegisterAddressChangeHandler(AddHandler, DelHandler, BindingHandle)", module: "tdi", irql: .passive) {
      (kernel, add: GuestWord, remove: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      try result.store(GuestWord(kernel.registerTransport("a TDI address client")))
      return .success
    }
    .partially("no address comes or goes, so the client is not called"),
    tdiDeregister("TdiDeregisterAddressChangeHandler", "a TDI address client"),
    // nf-tdikrnl-tdienumerateaddresses: of a client that is registered.
    export("TdiEnumerateAddresses(BindingHandle)", module: "tdi", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      kernel.io.registrations.contains { $0.key == handle.bits && $0.what.hasPrefix("a TDI") } ? .success : .invalidParameter
    }
    .partially("there is no address to tell of"),
    // nf-tdikrnl-tdibuildnetbiosaddress: TA_NETBIOS_ADDRESS with one address: TDI_ADDRESS_TYPE_NETBIOS 17 of 18 bytes.
    export("TdiBuildNetbiosAddress(NetbiosName, IsGroupName, NetworkAddress)", module: "tdi") {
      (kernel, name: GuestWord, isGroup: UInt8, result: GuestWord) in
      let here = kernel.memory.memory
      try here.write([1, 0, 0, 0, 18, 0, 17, 0, isGroup != 0 ? 1 : 0, 0] + here.bytes(16, at: name.bits), at: result.bits)
    },
    // nf-tdikrnl-tdibuildnetbiosaddressea: the same as the extended attribute TdiTransportAddress.
    export("TdiBuildNetbiosAddressEa(Buffer, IsGroupName, NetbiosName)", module: "tdi") {
      (kernel, result: GuestWord, isGroup: UInt8, name: GuestWord) -> NTSTATUS in
      guard result.bits != 0, name.bits != 0 else { return .unsuccessful }
      let here = kernel.memory.memory
      let title = Array("TransportAddress\0".utf8)
      // FILE_FULL_EA_INFORMATION: next, flags, the name's and the value's length.
      try here.write(
        [0, 0, 0, 0, 0, UInt8(title.count - 1), 26, 0] + title + [1, 0, 0, 0, 18, 0, 17, 0, isGroup != 0 ? 1 : 0, 0]
          + here.bytes(16, at: name.bits), at: result.bits)
      return .success
    },
  ]
}
