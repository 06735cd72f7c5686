import Events
import Guest
import WindowsTypes

/// Small modules that drivers import a handful of routines from.
extension Export {
  /// battc.sys: the battery class driver (batclass.h).
  static let battc: [Export] = [
    // nf-batclass-batteryclassinitializedevice: BATTERY_MINIPORT_INFO of version 1.
    export("BatteryClassInitializeDevice(MiniportInfo, ClassData)", module: "battc", irql: .passive) {
      (kernel, information: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      guard try kernel.words(information.bits).half(0) == 1 else { return .revisionMismatch }
      let data = try kernel.allocate(0x20)
      kernel.register(Kernel.battery, data)
      try result.store(GuestWord(data))
      return .success
    }
    .partially("nobody asks the battery for its state"),
    // nf-batclass-batteryclassunload
    export("BatteryClassUnload(ClassData)", module: "battc", irql: .passive) { (kernel, data: GuestWord) -> NTSTATUS in
      guard kernel.unregister(Kernel.battery, data.bits) else { return .invalidParameter }
      kernel.free(data.bits)
      return .success
    },
    // nf-batclass-batteryclassioctl: STATUS_NOT_SUPPORTED for a request that is not the class's; the driver completes it.
    export("BatteryClassIoctl(ClassData, Irp)", module: "battc", irql: .passive) { (_, data: GuestWord, irp: GuestWord) -> NTSTATUS in
      .notSupported
    }
    .partially("no request is taken for the class's"),
    export("BatteryClassStatusNotify(ClassData)", module: "battc", irql: .dispatch) { (_, data: GuestWord) -> NTSTATUS in .success },
  ]

  /// usbport.sys: host controllers' miniports.
  static let usbport: [Export] = [
    // What the miniports of XP hand back to show that they know the port driver.
    export("USBPORT_GetHciMn()", module: "usbport") { _ -> UInt32 in 0x1000_0001 },
    export("USBPORT_RegisterUSBPortDriver(DriverObject, Version, RegistrationPacket)", module: "usbport", irql: .passive) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, version: UInt32, packet: GuestWord) -> NTSTATUS in
      // The interface of Windows 2000 is 100, that of XP 200.
      guard version >= 100, packet.bits != 0 else { return .unsuccessful }
      guard try kernel.makePortData(of: driver, "usbport", size: 0x10) != nil else { return .insufficientResources }
      try kernel.adopt(
        driver, by: "usbport", dispatch: "USBPORT_Dispatch",
        [.create, .close, .deviceControl, .internalDeviceControl, .pnp, .power, .systemControl],
        addDevice: "USBPORT_AddDevice", unload: "USBPORT_Unload")
      return .success
    }
    .partially("a controller without registers does not start"),
    export("USBPORT_Dispatch(DeviceObject, Irp)", module: "usbport", isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      // STATUS_DEVICE_CONFIGURATION_ERROR: neither registers nor an interrupt are assigned.
      try await kernel.dispatchPort(device, irp, start: { NTSTATUS(rawValue: 0xc000_0182) }, stop: {})
    },
    export("USBPORT_AddDevice(DriverObject, PhysicalDeviceObject)", module: "usbport", isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      // FILE_DEVICE_CONTROLLER
      try await kernel.addPortDevice(driver, over: physical, type: 4, size: 0).status
    },
    export("USBPORT_Unload(DriverObject)", module: "usbport", isImportable: false) { (_, driver: GuestWord) in },
  ]

  /// pciidex.sys: IDE controllers' minidrivers; stream.sys: those of video capture (strmini.h).
  static let controllers: [Export] =
    [
      // PciIdeXInitialize (ide.h): its routine for a controller's properties is called when one starts.
      export("PciIdeXInitialize(DriverObject, RegistryPath, HwGetControllerProperties, ExtensionSize)", module: "pciidex", irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, routine: GuestWord, size: UInt32) -> NTSTATUS in
        guard routine.bits != 0 else { return .invalidParameter }
        return try kernel.adoptController(driver, "pciidex", "PciIdeX")
      }
      .partially("a controller without registers does not start"),
      // nf-strmini-streamclassregisterminidriver: StreamClassRegisterAdapter is a macro for this. HW_INITIALIZATION_DATA begins with its
      // size, and has HwInterrupt and the routines for packets behind it.
      export("StreamClassRegisterMinidriver(Argument1, Argument2, HwInitializationData)", module: "stream", irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, data: GuestWord) -> NTSTATUS in
        guard try 0x20...0x80 ~= kernel.words(data.bits)[0] else { return .revisionMismatch }
        return try kernel.adoptController(driver, "stream", "StreamClass")
      }
      .partially("a device without resources does not start, whatever its minidriver would say"),
      // ChangerClassInitialize (mcd.h): MCD_INIT_DATA begins with its size.
      export("ChangerClassInitialize(DriverObject, RegistryPath, MCDInitData)", module: "mcd", irql: .passive) {
        (kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, data: GuestWord) -> NTSTATUS in
        guard try 0x20...0x80 ~= kernel.words(data.bits)[0] else { return .revisionMismatch }
        return try kernel.adoptController(driver, "mcd", "ChangerClass")
      }
      .partially("a changer that does not answer does not start"),
    ]
    + ["usbcamd", "usbcamd2"].map { module in
      // USBCAMD_DriverEntry (usbcamdi.h): the first two are what DriverEntry was given.
      export(
        "USBCAMD_DriverEntry(Context1, Context2, DeviceContextSize, FrameContextSize, ReceivePacket)", module: module, irql: .passive
      ) {
        (
          kernel, driver: Pointer<DRIVER_OBJECT>, path: GuestWord, size: UInt32, frameSize: UInt32, routine: GuestWord
        ) -> NTSTATUS in
        guard routine.bits != 0 else { return .invalidParameter }
        return try kernel.adoptController(driver, module, "Usbcamd")
      }
      .partially("a camera that is no USB device does not start")
    }
    + [
      ("pciidex", "PciIdeX"), ("stream", "StreamClass"), ("mcd", "ChangerClass"), ("usbcamd", "Usbcamd"), ("usbcamd2", "Usbcamd"),
    ].flatMap { module, prefix in
      [
        export("\(prefix)Dispatch(DeviceObject, Irp)", module: module, isImportable: false) {
          (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
          // STATUS_DEVICE_CONFIGURATION_ERROR
          try await kernel.dispatchPort(device, irp, start: { NTSTATUS(rawValue: 0xc000_0182) }, stop: {})
        },
        export("\(prefix)AddDevice(DriverObject, PhysicalDeviceObject)", module: module, isImportable: false) {
          (kernel, driver: Pointer<DRIVER_OBJECT>, physical: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
          // FILE_DEVICE_CONTROLLER
          try await kernel.addPortDevice(driver, over: physical, type: 4, size: 0).status
        },
        export("\(prefix)Unload(DriverObject)", module: module, isImportable: false) { (_, driver: GuestWord) in },
      ]
    }

  /// ksecdd.sys and cng.sys: random numbers. They come from the run's seed, so that a run can be repeated.
  static let randomNumbers: [Export] =
    ["ksecdd", "cng"].flatMap { module in
      [
        // nf-bcrypt-bcryptgenrandom: BCRYPT_USE_SYSTEM_PREFERRED_RNG 2 takes no algorithm.
        export("BCryptGenRandom(hAlgorithm, pbBuffer, cbBuffer, dwFlags)", module: module, irql: .dispatch) {
          (kernel, algorithm: GuestWord, buffer: GuestWord, size: UInt32, flags: UInt32) -> NTSTATUS in
          guard algorithm.bits == 0 ? flags & 2 != 0 : kernel.isRandomSource(algorithm.bits) else { return .invalidHandle }
          try kernel.fillRandomly(buffer.bits, size)
          return .success
        },
        // nf-bcrypt-bcryptopenalgorithmprovider: STATUS_NOT_FOUND for an algorithm that no provider has.
        export("BCryptOpenAlgorithmProvider(phAlgorithm, pszAlgId, pszImplementation, dwFlags)", module: module, irql: .passive) {
          (kernel, result: Pointer<GuestWord>, name: Pointer<UInt16>, implementation: GuestWord, flags: UInt32) -> NTSTATUS in
          try result.store(0)
          guard try kernel.text(name) == "RNG" else { return .notFound }
          let handle = try kernel.allocate(0x10)
          kernel.register(Kernel.randomSource, handle)
          try result.store(GuestWord(handle))
          return .success
        }
        .partially("the random number generator alone is there: no hash, no cipher"),
        export("BCryptCloseAlgorithmProvider(hAlgorithm, dwFlags)", module: module, irql: .passive) {
          (kernel, handle: GuestWord, flags: UInt32) -> NTSTATUS in
          guard kernel.unregister(Kernel.randomSource, handle.bits) else { return .invalidHandle }
          kernel.free(handle.bits)
          return .success
        },
        // SystemPrng: whether the bytes are random.
        export("SystemPrng(pbRandomData, cbRandomData)", module: module, irql: .dispatch) {
          (kernel, buffer: GuestWord, size: UInt32) -> UInt32 in
          try kernel.fillRandomly(buffer.bits, size)
          return 1
        },
      ]
    }

  /// bootvid.sys: the display while Windows starts. Nobody looks at it.
  static let bootvid: [Export] = [
    export("VidInitialize(SetMode, LoaderBlock)", module: "bootvid") { (_, sets: UInt8, block: GuestWord) -> UInt8 in 0 }
      .partially("there is no display"),
    export("VidResetDisplay(HalReset)", module: "bootvid") { (_, resets: UInt8) in },
    export("VidCleanUp()", module: "bootvid") { _ in },
    export("VidSetTextColor(Color)", module: "bootvid") { (_, color: UInt32) -> UInt32 in 0xf },
    export("VidSetScrollRegion(Left, Top, Right, Bottom)", module: "bootvid") {
      (_, left: UInt32, top: UInt32, right: UInt32, bottom: UInt32) in
    },
    export("VidSolidColorFill(Left, Top, Right, Bottom, Color)", module: "bootvid") {
      (_, left: UInt32, top: UInt32, right: UInt32, bottom: UInt32, color: UInt8) in
    },
    export("VidDisplayString(String)", module: "bootvid") { (kernel, text: Pointer<UInt8>) in
      kernel.stream.append(.message(String(decoding: try text.units(limit: 0x1000), as: UTF8.self)))
    },
  ]

  /// netio.sys: clients of Winsock Kernel (wsk.h). No provider ever comes.
  static let winsockKernel: [Export] = [
    // nf-wsk-wskregister: WSK_CLIENT_NPI of version 1.0.
    export("WskRegister(WskClientNpi, WskRegistration)", module: "netio", irql: .passive) {
      (kernel, client: GuestWord, registration: GuestWord) -> NTSTATUS in
      // Its dispatch table begins with the version.
      guard try kernel.words(kernel.words(client.bits)[4]).half(0) <= 0x100 else { return .notSupported }
      kernel.register(Kernel.winsockClient, registration.bits)
      return .success
    },
    // nf-wsk-wskderegister
    export("WskDeregister(WskRegistration)", module: "netio", irql: .passive) { (kernel, registration: GuestWord) in
      kernel.unregister(Kernel.winsockClient, registration.bits)
    },
    // nf-wsk-wskcaptureprovidernpi: STATUS_DEVICE_NOT_READY at once, or after so many milliseconds.
    export("WskCaptureProviderNPI(WskRegistration, WaitTimeout, WskProviderNpi)", module: "netio", irql: .passive) {
      (kernel, registration: GuestWord, timeout: UInt32, result: GuestWord) async throws -> NTSTATUS in
      if timeout != 0, timeout != 0xffff_ffff { _ = try await kernel.waiting([], timeout: -10_000 * Int64(timeout)) }
      return NTSTATUS(rawValue: 0xc000_00a3)
    }
    .partially("no provider comes, and WSK_INFINITE_WAIT does not wait for one"),
    export("WskReleaseProviderNPI(WskRegistration)", module: "netio", irql: .passive) { (_, registration: GuestWord) in },
    // nf-wsk-wskqueryprovidercharacteristics
    export("WskQueryProviderCharacteristics(WskRegistration, WskProviderCharacteristics)", module: "netio", irql: .passive) {
      (_, registration: GuestWord, result: GuestWord) -> NTSTATUS in NTSTATUS(rawValue: 0xc000_00a3)
    }
    .partially("no provider comes"),
  ]
}

extension Kernel {
  fileprivate static let battery = "a battery of the class driver's"
  fileprivate static let randomSource = "an algorithm provider"
  fileprivate static let winsockClient = "a Winsock Kernel client"

  fileprivate func adoptController(_ driver: Pointer<DRIVER_OBJECT>, _ module: String, _ prefix: String) throws -> NTSTATUS {
    try adopt(
      driver, by: module, dispatch: prefix + "Dispatch",
      [.create, .close, .deviceControl, .internalDeviceControl, .pnp, .power, .systemControl],
      addDevice: prefix + "AddDevice", unload: prefix + "Unload")
    return .success
  }

  fileprivate func isRandomSource(_ handle: UInt64) -> Bool {
    io.registrations.contains { $0.what == Self.randomSource && $0.key == handle }
  }

  /// A sequence of 64 bits' state (splitmix64), seeded by the time that the run has reached.
  fileprivate func fillRandomly(_ address: UInt64, _ size: UInt32) throws {
    guard size <= 0x100_0000 else { throw GuestException(.insufficientResources) }
    var state = systemTime &+ allocateLUID() &* 0x9e37_79b9_7f4a_7c15
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(size) + 8)
    while bytes.count < Int(size) {
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
      withUnsafeBytes(of: value ^ value >> 31) { bytes.append(contentsOf: $0) }
    }
    try memory.memory.write(Array(bytes.prefix(Int(size))), at: address)
  }
}
