import Guest
import NTKernel
import WindowsTypes

/// `WDFLOOKASIDE`
final class Lookaside: FrameworkObject {
  let size: UInt64
  let isPaged: Bool
  let tag: UInt32
  let memoryAttributes: Attributes

  init(_ block: UInt64, _ binding: Binding, size: UInt64, isPaged: Bool, tag: UInt32, _ memoryAttributes: Attributes) {
    self.size = size
    self.isPaged = isPaged
    self.tag = tag
    self.memoryAttributes = memoryAttributes
    super.init(block, binding)
  }
}

extension KMDF {
  /// What few drivers call.
  static let rarelyUsedFunctions: [Export] = [
    // nf-wdfmemory-wdflookasidelistcreate
    asyncFunction("WdfLookasideListCreate(DriverGlobals, LookasideAttributes, BufferSize, PoolType, MemoryAttributes, PoolTag, Lookaside)")
    {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, size: UInt32, pool: UInt32,
        memoryAttributes: Pointer<WDF_OBJECT_ATTRIBUTES>, tag: UInt32, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        guard 1...0x100_0000 ~= size else { return .invalidParameter }
        let binding = try kernel.binding(globals)
        let list = Lookaside(
          try kernel.objectBlock(), binding, size: UInt64(size), isPaged: pool & 1 != 0, tag: tag == 0 ? try globals.DriverTag.load() : tag,
          try kernel.attributes(memoryAttributes))
        try kernel.adopt(list, kernel.attributes(attributes), parent: binding.driver)
        try result.store(list.handle)
        return .success
      }
    },
    // nf-wdfmemory-wdfmemorycreatefromlookaside
    asyncFunction("WdfMemoryCreateFromLookaside(DriverGlobals, Lookaside, Memory)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, result: Pointer<GuestWord>) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let list = try kernel.object(list, Lookaside.self)
        guard let block = try kernel.allocatePool(list.size, tag: list.tag, paged: list.isPaged) else { return .insufficientResources }
        let memory = MemoryObject(try kernel.objectBlock(), list.binding, buffer: block, size: list.size)
        memory.ownedBlock = block
        try kernel.adopt(memory, list.memoryAttributes, parent: list)
        try result.store(memory.handle)
        return .success
      }
    },
    // nf-wdfobject-wdfobjectquery: there is nothing that can be asked for.
    function("WdfObjectQuery(DriverGlobals, Object, Guid, QueryBufferLength, QueryBuffer)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord, guid: GuestWord, length: UInt32, buffer: GuestWord) -> NTSTATUS in
      _ = try kernel.object(object, FrameworkObject.self)
      return .notFound
    },
    // nf-wdfio-wdfioqueuefindrequest: behind one that was found, or the first; it stays in the queue, and is referenced.
    function("WdfIoQueueFindRequest(DriverGlobals, Queue, FoundRequest, FileObject, Parameters, OutRequest)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, found: GuestWord, file: GuestWord,
        parameters: Pointer<WDF_REQUEST_PARAMETERS>, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      try kernel.required(result).store(0)
      let queue = try kernel.object(queue, Queue.self)
      let file = file.bits == 0 ? nil : try kernel.object(file, FileObject.self)
      var rest = queue.waiting[...]
      if found.bits != 0 {
        let known = try kernel.request(found)
        guard let index = rest.firstIndex(where: { $0 === known }) else { return .notFound }
        rest = rest[(index + 1)...]
      }
      guard let next = rest.first(where: { file == nil || $0.file === file }) else { return .noMoreEntries }
      kernel.reference(next)
      if !parameters.isNull { try kernel.describe(next, in: parameters) }
      try result.store(next.handle)
      return .success
    },
    // nf-wdfio-wdfioqueueretrievefoundrequest
    function("WdfIoQueueRetrieveFoundRequest(DriverGlobals, Queue, FoundRequest, OutRequest)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, found: GuestWord, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      try kernel.required(result).store(0)
      let (queue, wanted) = try (kernel.object(queue, Queue.self), kernel.request(found))
      guard let request = try kernel.take(from: queue, where: { $0 === wanted }) else { return .notFound }
      try result.store(request.handle)
      return .success
    },
    // nf-wdfio-wdfioqueueassignforwardprogresspolicy
    function("WdfIoQueueAssignForwardProgressPolicy(DriverGlobals, Queue, ForwardProgressPolicy)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, policy: Pointer<UInt32>) -> NTSTATUS in
      _ = try kernel.object(queue, Queue.self)
      return try kernel.required(policy).load() >= 0xc ? .success : .infoLengthMismatch
    }
    .partially("memory is never so short that a reserved request is taken"),
    // nf-wdfio-wdfioqueuestopandpurge, nf-wdfio-wdfioqueuestopandpurgesynchronously: it takes requests on, and presents none.
    asyncProcedure("WdfIoQueueStopAndPurge(DriverGlobals, Queue, StopAndPurgeComplete, Context)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord, routine: GuestWord, context: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      try await kernel.purge(queue)
      (queue.accepts, queue.dispatches) = (true, false)
      try await kernel.tellWhenIdle(queue, routine, context)
    },
    asyncProcedure("WdfIoQueueStopAndPurgeSynchronously(DriverGlobals, Queue)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, queue: GuestWord) async throws in
      let queue = try kernel.object(queue, Queue.self)
      try await kernel.purge(queue)
      (queue.accepts, queue.dispatches) = (true, false)
      try await kernel.waitUntilIdle(queue)
    },
    // nf-wdfverifier-wdfverifierdbgbreakpoint: nobody debugs, and the driver's key does not ask for it.
    procedure("WdfVerifierDbgBreakPoint(DriverGlobals)", irql: nil) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>) in }
      .partially("no break is made, whatever the driver's key says"),
    // nf-wdfverifier-wdfverifierkebugcheck
    procedure(
      "WdfVerifierKeBugCheck(DriverGlobals, BugCheckCode, BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4)",
      irql: nil
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, code: UInt32, first: GuestWord, second: GuestWord, third: GuestWord,
        fourth: GuestWord
      ) in
      throw BugCheck(BugCheckCode(rawValue: code), first.bits, second.bits, third.bits, fourth.bits)
    },
    // nf-wdfusb-wdfusbtargetdevicecreate: asks the device below for its descriptor, and fails as that does.
    usbDevice("WdfUsbTargetDeviceCreate(DriverGlobals, Device, Attributes, UsbDevice)"),
    asyncFunction("WdfUsbTargetDeviceCreateWithParameters(DriverGlobals, Device, Config, Attributes, UsbDevice)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, config: Pointer<UInt32>, attributes: GuestWord,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try kernel.required(result).store(0)
      guard try kernel.required(config).load() >= 8 else { return .infoLengthMismatch }
      return try await kernel.askForDescriptor(kernel.object(device, Device.self))
    }
    .partially("a device below that has a descriptor is none that is served: STATUS_NOT_SUPPORTED"),
  ]

  private static func usbDevice(_ prototype: String) -> Export {
    asyncFunction(prototype, irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, attributes: GuestWord, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try kernel.required(result).store(0)
      return try await kernel.askForDescriptor(kernel.object(device, Device.self))
    }
    .partially("a device below that has a descriptor is none that is served: STATUS_NOT_SUPPORTED")
  }
}

extension Kernel {
  /// IOCTL_INTERNAL_USB_SUBMIT_URB with URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE (usb.h).
  fileprivate func askForDescriptor(_ device: Device) async throws -> NTSTATUS {
    guard let below = device.below else { return .invalidDeviceRequest }
    let block = try allocate(0x80)
    defer { free(block) }
    // _URB_CONTROL_DESCRIPTOR_REQUEST: the header, then the buffer's length and place, and USB_DEVICE_DESCRIPTOR_TYPE 1.
    for (offset, value) in [(0, 0x000b_0048), (0x14, 18), (0x18, UInt32(truncatingIfNeeded: block + 0x50)), (0x2c, 0x0100_0000)]
      as [(UInt64, UInt32)]
    {
      try memory.memory.store(value, at: block + offset)
    }
    let target = Target(0, device.binding, below)
    let status = try await perform(.others(code: 0x22_0003, block, 0, 0), on: target).status
    return status.isSuccess ? .notSupported : status
  }
}
