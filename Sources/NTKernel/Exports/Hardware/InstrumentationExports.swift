import Events
import Guest
import WindowsTypes

extension Export {
  /// Windows Management Instrumentation: nobody consumes events here, and no class of data has a provider but drivers.
  static let instrumentation: [Export] = [
    // nf-wdm-iowmiregistrationcontrol: WMIREG_ACTION_REGISTER 1, DEREGISTER 2, REREGISTER 3, UPDATE_GUIDS 4, BLOCK_IRPS 5.
    export("IoWMIRegistrationControl(DeviceObject, Action)", irql: .passive) { (kernel, device: GuestWord, action: UInt32) -> NTSTATUS in
      let what = "a WMI registration"
      // WMIREG_FLAG_CALLBACK and the trace provider's bits are above the action.
      switch action & 0xffff {
      case 1:
        kernel.register(what, device.bits)
        return .success
      case 2: return kernel.unregister(what, device.bits) ? .success : .invalidParameter
      case 3, 4, 5:
        return kernel.io.registrations.contains { $0.what == what && $0.key == device.bits } ? .success : .invalidParameter
      default: return .invalidParameter
      }
    }
    .partially("the provider is not asked for its classes (IRP_MN_REGINFO)"),
    // nf-wdm-iowmiwriteevent: WMI frees what it takes.
    export("IoWMIWriteEvent(WnodeEventItem)", irql: .dispatch) { (kernel, item: GuestWord) -> NTSTATUS in
      let size = try kernel.memory.memory.load(UInt32.self, at: item.bits)
      // WNODE_FLAG_TRACED_GUID events go to a logger, of which there is none; the item stays its caller's.
      let flags = try kernel.memory.memory.load(UInt32.self, at: item.bits + 0x2c)
      if flags & 0x2_0000 != 0 { return .invalidHandle }
      // The largest event that WMI takes.
      guard size <= 0x8000 else { return .bufferOverflow }
      try kernel.freePool(item.bits)
      return .success
    },
    // nf-wdm-iowmiopenblock: no provider's class can be opened.
    export("IoWMIOpenBlock(DataBlockGuid, DesiredAccess, DataBlockObject)", irql: .passive) {
      (kernel, identifier: GuestWord, access: UInt32, result: Pointer<GuestWord>) -> NTSTATUS in
      _ = try kernel.memory.memory.bytes(16, at: identifier.bits)
      try result.store(0)
      return .wmiGuidNotFound
    },
    // nf-wdm-iowmiqueryalldata: whatever it is, it is no block that was opened.
    export("IoWMIQueryAllData(DataBlockObject, InOutBufferSize, OutBuffer)", irql: .passive) {
      (_, object: GuestWord, size: Pointer<UInt32>, buffer: GuestWord) -> NTSTATUS in .objectTypeMismatch
    },
    export("IoWMIQuerySingleInstance(DataBlockObject, InstanceName, InOutBufferSize, OutBuffer)", irql: .passive) {
      (_, object: GuestWord, name: GuestWord, size: Pointer<UInt32>, buffer: GuestWord) -> NTSTATUS in .objectTypeMismatch
    },
    export("IoWMISetNotificationCallback(Object, Callback, Context)", irql: .apc) {
      (_, object: GuestWord, callback: GuestWord, context: GuestWord) -> NTSTATUS in .objectTypeMismatch
    },
  ]
}
