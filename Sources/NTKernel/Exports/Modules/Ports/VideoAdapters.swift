import Events
import Guest
import WindowsTypes

/// What videoprt keeps of a miniport: its `VIDEO_HW_INITIALIZATION_DATA` (video.h).
private enum VideoDriver {
  static let (context, adapters, data): (UInt64, UInt64, UInt64) = (0, 4, 0x10)
  static let size: UInt32 = 0x70
}

/// In front of a miniport's device extension: whose it is, its timer and deferred calls, its configuration.
enum VideoAdapter {
  /// "Vide"
  static let mark: UInt64 = 0x6564_6956
  static let (device, isInitialized, configuration): (UInt64, UInt64, UInt64) = (4, 8, 0x10)
  static let (callback, context, timer, timerDpc, dpc): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0x80, 0x84, 0x88, 0xb0, 0xd0)
  static let size: UInt64 = 0x100
}

/// Members of `VIDEO_HW_INITIALIZATION_DATA`.
private enum HwVideo {
  static let (interface, findAdapter, initialize, startIO, extensionSize): (UInt64, UInt64, UInt64, UInt64, UInt64) = (
    4, 8, 0xc, 0x14, 0x18
  )
  static let (resetHw, timer, setPower, getPower, getChild): (UInt64, UInt64, UInt64, UInt64, UInt64) = (0x20, 0x24, 0x2c, 0x30, 0x34)
}

extension Export {
  /// What only videoprt leads to.
  static let videoInternals: [Export] = [
    export("VideoPortDispatch(DeviceObject, Irp)", module: "videoprt", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.dispatchVideo(device, irp)
    },
    export("VideoPortAddDevice(DriverObject, PhysicalDeviceObject)", module: "videoprt", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      guard let known = try kernel.portData(of: driver, "videoprt") else { return .unsuccessful }
      // FILE_DEVICE_VIDEO
      let name = try kernel.videoName(known)
      return try await kernel.addPortDevice(driver, over: physical, type: 0x23, size: 0, name: name).status
    },
    // PVIDEO_PORT_GET_PROC_ADDRESS, which a miniport finds in its VIDEO_PORT_CONFIG_INFO (ns-video-_video_port_config_info): null for
    // a routine that this version does not have.
    export("VideoPortGetProcAddress(HwDeviceExtension, FunctionName)", module: "videoprt", isImportable: false) {
      (kernel, hardware: GuestWord, name: Pointer<UInt8>) -> GuestWord in
      let text = String(decoding: try name.units(limit: 0x100), as: UTF8.self)
      guard let number = kernel.exports.number(exportedAs: text, by: "videoprt", in: kernel.memory.target) else { return 0 }
      return GuestWord(kernel.trapAddresses[number])
    },
    export("VideoPortUnload(DriverObject)", module: "videoprt", isImportable: false) { (_, driver: GuestWord) in },
    // HwVidTimer, once a second; and what VideoPortQueueDpc asked for.
    export("VideoPortTimerDpc(Dpc, HwDeviceExtension, SystemArgument1, SystemArgument2)", module: "videoprt", isImportable: false) {
      (kernel, dpc: GuestWord, hardware: GuestWord, first: GuestWord, second: GuestWord) async throws in
      guard let data = try kernel.videoData(hardware.bits), case let routine = try data[HwVideo.timer], routine != 0 else { return }
      _ = try await kernel.call(routine, [hardware.bits])
    },
    export("VideoPortDpc(Dpc, HwDeviceExtension, SystemArgument1, SystemArgument2)", module: "videoprt", isImportable: false) {
      (kernel, dpc: GuestWord, hardware: GuestWord, first: GuestWord, second: GuestWord) async throws in
      guard let adapter = kernel.videoAdapter(hardware.bits) else { return }
      _ = try await kernel.call(adapter[VideoAdapter.callback], [hardware.bits, adapter[VideoAdapter.context]])
    },
  ]
}

extension Kernel {
  /// `VideoPortInitialize` (nf-video-videoportinitialize). A miniport that manages power and enumerates children is one of Plug and
  /// Play's; another is asked at once whether its adapter is there.
  func initializeVideo(_ driver: Pointer<DRIVER_OBJECT>, _ data: UInt64, _ context: UInt64) async throws -> NTSTATUS {
    let given = words(data)
    let size = try given[0]
    guard 0x20...0x54 ~= size else { return .revisionMismatch }
    for routine in [HwVideo.findAdapter, HwVideo.initialize, HwVideo.startIO] where try given[routine] == 0 { return .invalidParameter }
    guard let known = try makePortData(of: driver, "videoprt", size: VideoDriver.size) else { return .insufficientResources }
    try known.set(VideoDriver.context, context)
    try memory.memory.fill(0, count: 0x54, at: known.base + VideoDriver.data)
    try move(size, from: data, to: known.base + VideoDriver.data)
    try adopt(
      driver, by: "videoprt", dispatch: "VideoPortDispatch", [.create, .close, .deviceControl, .pnp, .power, .systemControl, .shutdown],
      addDevice: nil, unload: nil)
    let own = words(known.base + VideoDriver.data)
    if try own[HwVideo.setPower] != 0 && own[HwVideo.getPower] != 0 && own[HwVideo.getChild] != 0 {
      try adopt(driver, by: "videoprt", dispatch: "", [], addDevice: "VideoPortAddDevice", unload: "VideoPortUnload")
      return .success
    }
    let made = try createDevice(
      driver, extensionSize: PortDevice.size, name: videoName(known), type: 0x23, characteristics: 0, isExclusive: false)
    guard case .success(let device) = made else {
      if case .failure(let refusal) = made { return refusal.status }
      return .insufficientResources
    }
    let status = try await startVideo(device, known)
    guard status.isSuccess else {
      try await deleteDevice(device)
      return status
    }
    try device.Flags.store(device.Flags.load().subtracting(.deviceInitializing))
    return .success
  }

  /// The next of the names that display drivers look for.
  fileprivate func videoName(_ known: Words) throws -> String {
    var number = try known[VideoDriver.adapters]
    try makeNamespace()
    while number < 64, io.namespace["\\Device\\Video\(number)"] != nil { number += 1 }
    try known.set(VideoDriver.adapters, number + 1)
    return "\\Device\\Video\(number)"
  }

  fileprivate func dispatchVideo(_ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    guard let known = try portData(of: device.DriverObject.load(), "videoprt"), try !device.DeviceExtension.load().isNull else {
      try await complete(irp, .invalidDeviceRequest, 0)
      return .invalidDeviceRequest
    }
    let (own, location) = (try words(of: device), try irp.Tail.Overlay.CurrentStackLocation.load())
    let (major, block) = (try location.MajorFunction.load(), try own[PortDevice.context])
    let data = words(known.base + VideoDriver.data)
    switch major {
    case .create where block != 0:
      // The adapter is initialised when the first display driver opens it.
      let adapter = words(block)
      if try adapter[VideoAdapter.isInitialized] == 0 {
        try adapter.set(VideoAdapter.isInitialized, 1)
        guard try await call(data[HwVideo.initialize], [block + VideoAdapter.size]) & 0xff != 0 else {
          try await complete(irp, .unsuccessful, 0)
          return .unsuccessful
        }
      }
    case .deviceControl where block != 0: return try await startVideoRequest(block, data, irp, location)
    case .pnp where try own[PortDevice.lower] == 0, .power where try own[PortDevice.lower] == 0,
      .systemControl where try own[PortDevice.lower] == 0:
      try await complete(irp, .notSupported, 0)
      return .notSupported
    default: break
    }
    return try await dispatchPort(
      device, irp, start: { try await startVideo(device, known) }, stop: { try releaseVideo(device) })
  }

  /// HwVidStartIO with a VIDEO_REQUEST_PACKET, whose status is one of the Win32 codes.
  private func startVideoRequest(
    _ block: UInt64, _ data: Words, _ irp: Pointer<IRP>, _ location: Pointer<IO_STACK_LOCATION>
  ) async throws -> NTSTATUS {
    let parameters = location.Parameters.DeviceIoControl
    let place = try allocate(0x20)
    defer { free(place) }
    let buffer = try irp.AssociatedIrp.SystemBuffer.load().address
    try words(place).set([
      0: parameters.IoControlCode.load().bits, 4: place + 0x18, 8: buffer, 0xc: parameters.InputBufferLength.load().bits,
      0x10: buffer, 0x14: parameters.OutputBufferLength.load().bits,
    ])
    _ = try await call(data[HwVideo.startIO], [block + VideoAdapter.size, place])
    let (code, information) = (try words(place)[0x18], try words(place)[0x1c])
    let statuses: [UInt64: NTSTATUS] = [
      0: .success, 1: .notImplemented, 8: .insufficientResources, 55: NTSTATUS(rawValue: 0xc000_00c0), 87: .invalidParameter,
      122: .bufferTooSmall, 234: .bufferOverflow,
    ]
    let status = statuses[code] ?? .unsuccessful
    try await complete(irp, status, information)
    return status
  }

  /// HwVidFindAdapter. The adapter has no resources.
  private func startVideo(_ device: Pointer<DEVICE_OBJECT>, _ known: Words) async throws -> NTSTATUS {
    let data = words(known.base + VideoDriver.data)
    let size = try data[HwVideo.extensionSize]
    guard size < 0x100_0000, let block = try nonPagedPool.allocate(VideoAdapter.size + size, tag: Self.ownTag, in: memory) else {
      return .insufficientResources
    }
    try memory.memory.fill(0, count: Int(VideoAdapter.size + size), at: block)
    try words(block).set([0: VideoAdapter.mark, VideoAdapter.device: device.address])
    try words(of: device).set(PortDevice.context, block)
    let path = driver(at: try device.DriverObject.load().address).map {
      #"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Services\"# + $0.name + #"\Device0"# + "\0"
    }
    let text = try allocateText(path ?? "\0")
    let (configuration, place) = (words(block + VideoAdapter.configuration), try allocate(8))
    defer {
      free(place)
      _ = pagedPool.free(text)
    }
    try configuration.set([
      0: 0x70, 8: data[HwVideo.interface], 0x60: trapAddress(of: "VideoPortGetProcAddress", in: "videoprt"), 0x64: text,
      0x68: 0x1000_0000,
    ])
    let found = try await call(
      data[HwVideo.findAdapter],
      [block + VideoAdapter.size, try known[VideoDriver.context], 0, configuration.base, place])
    guard found & 0xffff_ffff == 0 else {
      try releaseVideo(device)
      return .noSuchDevice
    }
    return .success
  }

  private func releaseVideo(_ device: Pointer<DEVICE_OBJECT>) throws {
    let block = try words(of: device)[PortDevice.context]
    guard block != 0 else { return }
    try words(of: device).set(PortDevice.context, 0)
    timers.remove(.timer(block + VideoAdapter.timer))
    free(block)
  }

  /// What is in front of a miniport's device extension; `nil` where that is none.
  func videoAdapter(_ hardware: UInt64) -> Words? {
    let block = hardware &- VideoAdapter.size
    guard nonPagedPool.blocks[block] != nil, (try? words(block)[0]) == VideoAdapter.mark else { return nil }
    return words(block)
  }

  /// The miniport's data, as it handed it in.
  fileprivate func videoData(_ hardware: UInt64) throws -> Words? {
    guard let adapter = videoAdapter(hardware) else { return nil }
    let device = Pointer<DEVICE_OBJECT>(try adapter[VideoAdapter.device], in: memory.memory)
    return try portData(of: device.DriverObject.load(), "videoprt").map { words($0.base + VideoDriver.data) }
  }

  /// The registry key of an adapter's settings: the service's `Device0`.
  func videoKey(_ hardware: UInt64, makes: Bool) throws -> RegistryKey? {
    guard let adapter = videoAdapter(hardware) else { return nil }
    let device = Pointer<DEVICE_OBJECT>(try adapter[VideoAdapter.device], in: memory.memory)
    guard let driver = driver(at: try device.DriverObject.load().address), let key = serviceKey(driver.name) else { return nil }
    return makes ? registry.makeKey(at: key.path + "\\Device0") : key.subkey("Device0")
  }
}
