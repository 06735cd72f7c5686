import Guest
import WindowsTypes

/// videoprt.sys: AGP, DMA and displays beside the first one (video.h), as a machine without them answers.
extension Export {
  static let videoExtras: [Export] = [
    // nf-video-videoportgetagpservices: FALSE where there is no AGP bus.
    export("VideoPortGetAgpServices(HwDeviceExtension, AgpServices)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, services: GuestWord) -> UInt8 in 0
    },
    // nf-video-videoportgetassociateddeviceid: null for a device that is no child of the adapter's.
    export("VideoPortGetAssociatedDeviceID(DeviceObject)", module: "videoprt") { (_, device: GuestWord) -> GuestWord in 0 }
      .partially("an adapter has no children"),
    // nf-video-videoportcreatesecondarydisplay: ERROR_INVALID_FUNCTION.
    export("VideoPortCreateSecondaryDisplay(HwDeviceExtension, SecondaryDeviceExtension, Flag)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, result: Pointer<GuestWord>, flag: UInt32) -> UInt32 in
      try result.store(0)
      return 1
    }
    .partially("no adapter has a second display"),
    // nf-video-videoportddcmonitorhelper: FALSE where no monitor answers.
    export("VideoPortDDCMonitorHelper(HwDeviceExtension, DDCControl, EdidBuffer, EdidBufferSize)", module: "videoprt", irql: .passive) {
      (_, hardware: GuestWord, control: GuestWord, buffer: GuestWord, size: UInt32) -> UInt8 in 0
    },
    // nf-video-videoportscanrom: whether the string is somewhere in the memory that is given.
    export("VideoPortScanRom(HwDeviceExtension, RomBase, RomLength, String)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, base: GuestWord, length: UInt32, string: Pointer<UInt8>) -> UInt8 in
      let wanted = try string.units(limit: 0x100)
      guard !kernel.isAbsentDevice(base.bits), !wanted.isEmpty, length <= 0x10_0000, Int(length) >= wanted.count else { return 0 }
      let bytes = try kernel.memory.memory.bytes(Int(length), at: base.bits)
      return (0...bytes.count - wanted.count).contains { bytes[$0...].starts(with: wanted) } ? 1 : 0
    },
    // nf-video-videoportgetdmaadapter: a VP_DMA_ADAPTER that means nothing to the miniport; VP_DEVICE_DESCRIPTION is not looked into.
    export("VideoPortGetDmaAdapter(HwDeviceExtension, VpDeviceDescription)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, description: GuestWord) -> GuestWord in
      guard kernel.videoAdapter(hardware.bits) != nil, description.bits != 0 else { return 0 }
      let adapter = try kernel.allocate(0x10)
      kernel.register(Kernel.videoDMA, adapter)
      return GuestWord(adapter)
    }
    .partially("no transfer is mapped by it"),
    export("VideoPortPutDmaAdapter(HwDeviceExtension, VpDmaAdapter)", module: "videoprt", irql: .passive) {
      (kernel, hardware: GuestWord, adapter: GuestWord) in
      if kernel.unregister(Kernel.videoDMA, adapter.bits) { kernel.free(adapter.bits) }
    },
    // nf-video-videoportallocatecommonbuffer
    export(
      "VideoPortAllocateCommonBuffer(HwDeviceExtension, VpDmaAdapter, DesiredLength, LogicalAddress, CacheEnabled, Reserved)",
      module: "videoprt", irql: .passive
    ) {
      (
        kernel, hardware: GuestWord, adapter: GuestWord, size: UInt32, logical: Pointer<UInt64>, isCached: UInt8, reserved: GuestWord
      ) -> GuestWord in
      let address = size == 0 || size > 0x100_0000 ? 0 : try kernel.allocateContiguous(UInt64(size))
      try logical.store(address == 0 ? 0 : kernel.physicalAddress(of: address))
      return GuestWord(address)
    },
    export(
      "VideoPortReleaseCommonBuffer(HwDeviceExtension, VpDmaAdapter, Length, LogicalAddress, VirtualAddress, CacheEnabled)",
      module: "videoprt", irql: .passive
    ) {
      (
        kernel, hardware: GuestWord, adapter: GuestWord, length: UInt32, logical: UInt64, address: GuestWord, isCached: UInt8
      ) async throws in
      try await kernel.nt("MmFreeContiguousMemory", address.bits)
    },
  ]
}

extension Kernel {
  fileprivate static let videoDMA = "a DMA adapter of videoprt's"
}
