import Guest
import NTKernel
import WindowsTypes

/// What a request asks a target for, as a driver has formatted it.
enum RequestFormat {
  case control(code: UInt32, input: (address: UInt64, size: UInt64), output: (address: UInt64, size: UInt64), isInternal: Bool)
  /// An internal control request with three arguments of its own.
  case others(code: UInt32, UInt64, UInt64, UInt64)
  case transfer(IRP_MJ, buffer: UInt64, size: UInt64, offset: UInt64)
}

extension KMDF {
  /// Targets that a driver opens itself, and what is sent to any (wdfiotarget.h).
  static let remoteTargetFunctions: [Export] = [
    // nf-wdfiotarget-wdfiotargetcreate
    asyncFunction("WdfIoTargetCreate(DriverGlobals, Device, IoTargetAttributes, IoTarget)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let device = try kernel.object(device, Device.self)
        let target = Target(try kernel.objectBlock(), device.binding, Pointer(0, in: kernel.memory.memory))
        target.isRemote = true
        try kernel.adopt(target, kernel.attributes(attributes), parent: device)
        try result.store(target.handle)
        return .success
      }
    },
    // nf-wdfiotarget-wdfiotargetopen: WDF_IO_TARGET_OPEN_PARAMS.
    asyncFunction("WdfIoTargetOpen(DriverGlobals, IoTarget, OpenParams)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, parameters: GuestWord) async throws -> NTSTATUS in
      let target = try kernel.object(target, Target.self)
      guard target.isRemote, target.below.isNull else { return .invalidDeviceRequest }
      return try await kernel.open(target, parameters.bits)
    }
    .partially("a file is opened by IoGetDeviceObjectPointer: how to create it is not looked at, and no removal is told of"),
    // nf-wdfiotarget-wdfiotargetclose, nf-wdfiotarget-wdfiotargetcloseforqueryremove
    closing("WdfIoTargetClose(DriverGlobals, IoTarget)", state: 4),
    closing("WdfIoTargetCloseForQueryRemove(DriverGlobals, IoTarget)", state: 3),
    procedure("WdfIoTargetPurge(DriverGlobals, IoTarget, Action)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, action: UInt32) in
      try kernel.object(target, Target.self).isStopped = true
    }
    .partially("requests that were sent are neither waited for nor cancelled"),
    // nf-wdfiotarget-wdfiotargetwdmgettargetphysicaldevice: null where the target is no device of Plug and Play's.
    asyncFunction("WdfIoTargetWdmGetTargetPhysicalDevice(DriverGlobals, IoTarget)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord) async throws -> GuestWord in
      var device = try kernel.object(target, Target.self).below
      guard !device.isNull else { return 0 }
      for _ in 0..<64 {
        let under = try device.DeviceObjectExtension.load().AttachedTo.load()
        if under.isNull { break }
        device = under
      }
      // DO_BUS_ENUMERATED_DEVICE
      return try device.Flags.load().contains(.busEnumeratedDevice) ? GuestWord(device.address) : 0
    },
    function("WdfIoTargetWdmGetTargetFileObject(DriverGlobals, IoTarget)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord) -> GuestWord in
      GuestWord(try kernel.object(target, Target.self).file)
    },
    function("WdfIoTargetWdmGetTargetFileHandle(DriverGlobals, IoTarget)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord) -> GuestWord in
      _ = try kernel.object(target, Target.self)
      return 0
    }
    .partially("a target is opened without a handle"),
    // nf-wdfiotarget-wdfiotargetsendioctlsynchronously and its like
    control("WdfIoTargetSendIoctlSynchronously", isInternal: false), control("WdfIoTargetSendInternalIoctlSynchronously", isInternal: true),
    // nf-wdfiotarget-wdfiotargetsendinternalioctlotherssynchronously: three arguments, each in a memory descriptor.
    asyncFunction(
      "WdfIoTargetSendInternalIoctlOthersSynchronously(DriverGlobals, IoTarget, Request, IoctlCode, OtherArg1, OtherArg2, OtherArg4, RequestOptions, BytesReturned)",
      irql: .passive
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, request: GuestWord, code: UInt32, first: Pointer<GuestWord>,
        second: Pointer<GuestWord>, fourth: Pointer<GuestWord>, options: Pointer<UInt32>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let format = RequestFormat.others(
          code: code, try kernel.described(first).address, try kernel.described(second).address, try kernel.described(fourth).address)
        return try await kernel.sendAndWait(format, to: kernel.object(target, Target.self), options, result)
      }
    },
    transfer("WdfIoTargetSendReadSynchronously", .read), transfer("WdfIoTargetSendWriteSynchronously", .write),
    // nf-wdfiotarget-wdfiotargetformatrequestforioctl and its like
    formatControl("WdfIoTargetFormatRequestForIoctl", isInternal: false),
    formatControl("WdfIoTargetFormatRequestForInternalIoctl", isInternal: true),
    asyncFunction(
      "WdfIoTargetFormatRequestForInternalIoctlOthers(DriverGlobals, IoTarget, Request, IoctlCode, OtherArg1, OtherArg1Offsets, OtherArg2, OtherArg2Offsets, OtherArg4, OtherArg4Offsets)"
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, request: GuestWord, code: UInt32, first: GuestWord,
        firstOffsets: Pointer<GuestWord>, second: GuestWord, secondOffsets: Pointer<GuestWord>, fourth: GuestWord,
        fourthOffsets: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        _ = try kernel.object(target, Target.self)
        try kernel.request(request).format = .others(
          code: code, kernel.part(of: first, firstOffsets).address, kernel.part(of: second, secondOffsets).address,
          kernel.part(of: fourth, fourthOffsets).address)
        return .success
      }
    },
    formatTransfer("WdfIoTargetFormatRequestForRead", .read), formatTransfer("WdfIoTargetFormatRequestForWrite", .write),
  ]

  private static func closing(_ prototype: String, state: UInt32) -> Export {
    asyncProcedure(prototype, irql: .passive) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord) async throws in
      let target = try kernel.object(target, Target.self)
      guard target.isRemote else { return }
      try await target.shut(kernel)
      target.closedState = state
    }
  }

  private static func control(_ name: String, isInternal: Bool) -> Export {
    asyncFunction(
      "\(name)(DriverGlobals, IoTarget, Request, IoctlCode, InputBuffer, OutputBuffer, RequestOptions, BytesReturned)", irql: .passive
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, request: GuestWord, code: UInt32, input: Pointer<GuestWord>,
        output: Pointer<GuestWord>, options: Pointer<UInt32>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let format = RequestFormat.control(
          code: code, input: try kernel.described(input), output: try kernel.described(output), isInternal: isInternal)
        return try await kernel.sendAndWait(format, to: kernel.object(target, Target.self), options, result)
      }
    }
    .partially("the request's time-out is not kept")
  }

  private static func transfer(_ name: String, _ major: IRP_MJ) -> Export {
    asyncFunction("\(name)(DriverGlobals, IoTarget, Request, Buffer, DeviceOffset, RequestOptions, BytesTransferred)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, request: GuestWord, buffer: Pointer<GuestWord>,
        offset: Pointer<UInt64>, options: Pointer<UInt32>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let place = try kernel.described(buffer)
        let format = RequestFormat.transfer(major, buffer: place.address, size: place.size, offset: offset.isNull ? 0 : try offset.load())
        return try await kernel.sendAndWait(format, to: kernel.object(target, Target.self), options, result)
      }
    }
    .partially("the request's time-out is not kept")
  }

  private static func formatControl(_ name: String, isInternal: Bool) -> Export {
    asyncFunction(
      "\(name)(DriverGlobals, IoTarget, Request, IoctlCode, InputBuffer, InputBufferOffset, OutputBuffer, OutputBufferOffset)"
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, request: GuestWord, code: UInt32, input: GuestWord,
        inputOffset: Pointer<GuestWord>, output: GuestWord, outputOffset: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        _ = try kernel.object(target, Target.self)
        try kernel.request(request).format = .control(
          code: code, input: kernel.part(of: input, inputOffset), output: kernel.part(of: output, outputOffset), isInternal: isInternal)
        return .success
      }
    }
  }

  private static func formatTransfer(_ name: String, _ major: IRP_MJ) -> Export {
    asyncFunction("\(name)(DriverGlobals, IoTarget, Request, Buffer, BufferOffsets, DeviceOffset)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, target: GuestWord, request: GuestWord, buffer: GuestWord,
        offsets: Pointer<GuestWord>, deviceOffset: Pointer<UInt64>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        _ = try kernel.object(target, Target.self)
        let place = try kernel.part(of: buffer, offsets)
        try kernel.request(request).format = .transfer(
          major, buffer: place.address, size: place.size, offset: deviceOffset.isNull ? 0 : deviceOffset.load())
        return .success
      }
    }
  }
}

extension Target {
  /// Gives the file back that was opened.
  func shut(_ kernel: Kernel) async throws {
    if file != 0, ownsFile { _ = try await kernel.call(kernel.trapAddress(of: "ObfDereferenceObject"), [], setting: [.cx: file]) }
    (file, ownsFile) = (0, false)
    below = Pointer(0, in: kernel.memory.memory)
  }
}

extension Kernel {
  fileprivate func open(_ target: Target, _ parameters: UInt64) async throws -> NTSTATUS {
    let here = memory.memory
    func word(_ offset: UInt64) throws -> UInt64 { UInt64(try here.load(UInt32.self, at: parameters + offset)) }
    guard try word(0) >= 0x40 else { return .infoLengthMismatch }
    switch try word(4) {
    case 1:  // WdfIoTargetOpenUseExistingDevice
      guard case let device = try word(0x14), device != 0 else { return .invalidParameter }
      (target.below, target.file, target.ownsFile) = (Pointer(device, in: here), try word(0x18), false)
    case 2:  // WdfIoTargetOpenByName
      let results = Pointer<GuestWord>(try allocate(16), in: here)
      defer { free(results.address) }
      let status = NTSTATUS(
        rawValue: UInt32(
          truncatingIfNeeded: try await call(
            trapAddress(of: "IoGetDeviceObjectPointer"), [parameters + 0x1c, word(0x24), results.address, results.address + 4])))
      guard status.isSuccess else { return status }
      (target.file, target.ownsFile, target.below) = (try results.load().bits, true, Pointer(try results[1].load().bits, in: here))
    default: return .invalidParameter
    }
    (target.isStopped, target.closedState) = (false, 0)
    return .success
  }

  /// What a WDF_MEMORY_DESCRIPTOR describes; nothing where there is none.
  fileprivate func described(_ descriptor: Pointer<GuestWord>) throws -> (address: UInt64, size: UInt64) {
    guard !descriptor.isNull else { return (0, 0) }
    switch try descriptor.load().bits {
    case 1: return (try descriptor[1].load().bits, try descriptor[2].load().bits)
    case 2:
      let mdl = Pointer<MDL>(try descriptor[1].load().bits, in: memory.memory)
      guard !mdl.isNull, let address = try systemAddress(of: mdl) else { throw Refused(.insufficientResources) }
      return (address, try descriptor[2].load().bits)
    case 3: return try part(of: descriptor[1].load(), Pointer(descriptor[2].load().bits, in: memory.memory))
    default: throw Refused(.invalidParameter)
    }
  }

  /// A memory object's buffer, or the part of it that WDFMEMORY_OFFSET names.
  fileprivate func part(of handle: GuestWord, _ offsets: Pointer<GuestWord>) throws -> (address: UInt64, size: UInt64) {
    guard handle.bits != 0 else { return (0, 0) }
    let memory = try object(handle, MemoryObject.self)
    guard !offsets.isNull else { return (memory.buffer, memory.size) }
    let (offset, length) = (try offsets.load().bits, try offsets[1].load().bits)
    guard offset <= memory.size, length <= memory.size - offset else { throw Refused(.integerOverflow) }
    return (memory.buffer + offset, length == 0 ? memory.size - offset : length)
  }

  fileprivate func sendAndWait(
    _ format: RequestFormat, to target: Target, _ options: Pointer<UInt32>, _ result: Pointer<GuestWord>
  ) async throws -> NTSTATUS {
    if !result.isNull { try result.store(0) }
    // WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE
    let ignoresState = try !options.isNull && options[1].load() & 4 != 0
    guard !target.below.isNull, !target.isStopped || ignoresState else { return .invalidDeviceState }
    let ending = try await perform(format, on: target)
    if !result.isNull { try result.store(GuestWord(ending.information)) }
    return ending.status
  }

  /// Sends a request of the system's own, and waits until it is completed.
  func perform(_ format: RequestFormat, on target: Target) async throws -> (status: NTSTATUS, information: UInt64) {
    let here = memory.memory
    let block = try allocate(0x40)
    defer { free(block) }
    let event = Pointer<KEVENT>(block, in: here)
    try initializeEvent(event, .eventNotification, isSet: false)
    let (status, offset) = (block + 0x10, block + 0x20)
    let made: UInt64
    switch format {
    case .control(let code, let input, let output, let isInternal):
      made = try await call(
        trapAddress(of: "IoBuildDeviceIoControlRequest"),
        [
          UInt64(code), target.below.address, input.address, input.size, output.address, output.size, isInternal ? 1 : 0, event.address,
          status,
        ])
    case .others(let code, _, _, _):
      // METHOD_NEITHER: nothing is copied or locked.
      made = try await call(
        trapAddress(of: "IoBuildDeviceIoControlRequest"), [UInt64(code | 3), target.below.address, 0, 0, 0, 0, 1, event.address, status])
    case .transfer(let major, let buffer, let size, let place):
      try here.store(place, at: offset)
      made = try await call(
        trapAddress(of: "IoBuildSynchronousFsdRequest"),
        [UInt64(major.rawValue), target.below.address, buffer, size, offset, event.address, status])
    }
    let irp = Pointer<IRP>(made & 0xffff_ffff, in: here)
    guard !irp.isNull else { return (.insufficientResources, 0) }
    let next = try irp.Tail.Overlay.CurrentStackLocation.load().advanced(by: -1)
    if target.file != 0 { try next.FileObject.store(Pointer(target.file, in: here)) }
    if case .others(let code, let first, let second, let fourth) = format {
      // Parameters.Others: the code is its third argument.
      for (index, value) in [first, second, UInt64(code), fourth].enumerated() {
        try here.store(UInt32(truncatingIfNeeded: value), at: next.Parameters.address + 4 * UInt64(index))
      }
    }
    // What is left of the block when this returns is nobody's.
    endInline(irp)
    let answer = try await pass(irp, to: target.below)
    guard answer == .pending else { return (answer, UInt64(try here.load(UInt32.self, at: status + 4))) }
    try await wait(for: event, "a request that a framework driver sent")
    return (NTSTATUS(rawValue: try here.load(UInt32.self, at: status)), UInt64(try here.load(UInt32.self, at: status + 4)))
  }
}
