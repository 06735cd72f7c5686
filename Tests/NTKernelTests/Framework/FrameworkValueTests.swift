import Guest
import KMDF
import NTKernel
import Testing
import WindowsTypes

@Suite("Registry values, targets and requests of framework drivers") struct FrameworkValueTests {
  @Test("values of every type are written, read and removed") func values() throws {
    let g = try FrameworkGuest()
    let parameters = try g.make("WdfDriverOpenParametersRegistryKey", g.driver, 0xf003f, 0)
    let (name, buffer, length, type) = (try g.g.string("Value"), try g.g.space(0x40), try g.g.space(), try g.g.space())
    let disposition = try g.g.space()
    let key = try g.make("WdfRegistryCreateKey", parameters, g.g.string("Below"), 0xf003f, 0, disposition, 0)
    #expect(try g.k.load(disposition) == 1)
    #expect(
      try g.make("WdfRegistryCreateKey", parameters, g.g.string("Below"), 0xf003f, 0, disposition, 0) != 0 && g.k.load(disposition) == 2)
    _ = try g.make("WdfRegistryCreateKey", 0, g.g.string(#"\Elsewhere"#), 0xf003f, 0, 0, 0, expect: .objectNameNotFound)
    #expect(try g.call("WdfRegistryWdmGetHandle", key) != 0)
    #expect(try g.status("WdfRegistryQueryValue", key, name, 0x40, buffer, length, type) == .objectNameNotFound)
    try g.k.store([1, 2], at: buffer)
    #expect(try g.status("WdfRegistryAssignValue", key, name, 3, 8, buffer) == .success)
    #expect(try g.status("WdfRegistryAssignValue", key, name, 3, 0x1000_0000, buffer) == .insufficientResources)
    #expect(try g.status("WdfRegistryQueryValue", key, name, 4, buffer, length, type) == .bufferOverflow)
    #expect(try g.k.load(length) == 8 && g.k.load(type) == 3)
    #expect(try g.status("WdfRegistryQueryValue", key, name, 8, buffer, length, type) == .success)
    let memory = try g.make("WdfMemoryCreatePreallocated", 0, buffer, 8)
    #expect(try g.status("WdfRegistryAssignMemory", key, name, 3, memory, 0) == .success)
    try g.k.store([4, 8], at: type)
    #expect(try g.status("WdfRegistryAssignMemory", key, name, 3, memory, type) == .invalidParameter)
    let (result, kind) = (try g.g.space(), try g.g.space())
    #expect(try g.status("WdfRegistryQueryMemory", key, name, 1, 0, result, kind) == .success && g.k.load(kind) == 3)
    #expect(try g.status("WdfRegistryQueryMemory", key, g.g.string("None"), 1, 0, result, kind) == .objectNameNotFound)
    let string = try g.make("WdfStringCreate", g.g.string("text"), 0)
    #expect(try g.status("WdfRegistryQueryString", key, name, string) == .objectTypeMismatch)
    #expect(try g.status("WdfRegistryAssignString", key, name, string) == .success)
    #expect(try g.status("WdfRegistryQueryString", key, name, string) == .success)
    #expect(try g.status("WdfRegistryAssignUnicodeString", key, name, g.g.string("other")) == .success)
    let collection = try g.make("WdfCollectionCreate", 0)
    #expect(try g.status("WdfRegistryQueryMultiString", key, name, 0, collection) == .objectTypeMismatch)
    #expect(try g.status("WdfCollectionAdd", collection, string) == .success)
    #expect(try g.status("WdfRegistryAssignMultiString", key, name, collection) == .success)
    #expect(try g.status("WdfRegistryQueryMultiString", key, name, 0, collection) == .success)
    #expect(try g.call("WdfCollectionGetCount", collection) == 2)
    #expect(try g.status("WdfCollectionAdd", collection, key) == .success)
    #expect(try g.status("WdfRegistryAssignMultiString", key, name, collection) == .invalidParameter)
    #expect(
      try g.status("WdfRegistryRemoveValue", key, name) == .success && g.status("WdfRegistryRemoveValue", key, name) == .objectNameNotFound)
    #expect(try g.status("WdfRegistryRemoveKey", parameters).rawValue == 0xc000_0121)
    #expect(try g.status("WdfRegistryRemoveKey", key) == .success)
  }

  @Test("a target that a driver opens gets what is sent to it; a request can be made for it") func targets() throws {
    let g = try FrameworkGuest()
    let device = try g.device()
    try g.call("WdfControlFinishInitializing", device)
    var seen: [[UInt64]] = []
    let control = g.routine(5) {
      seen.append(Array($0[2...]))
      try g.call("WdfRequestCompleteWithInformation", $0[1], $0[4] == 0x22_2000 ? 0 : 0xc000_0001, 4)
      return 0
    }
    let transfer = g.routine(3) {
      seen.append([$0[2]])
      try g.call("WdfRequestCompleteWithInformation", $0[1], 0, $0[2])
      return 0
    }
    _ = try g.queue(device, 2, [1: transfer, 2: transfer, 3: control, 4: control])
    let target = try g.make("WdfIoTargetCreate", device, 0)
    #expect(try g.call("WdfIoTargetGetState", target) == 0 && g.status("WdfIoTargetStart", target).rawValue == 0xc000_0184)
    let parameters = try g.g.space(0x50)
    try g.k.store([0x48, 2], at: parameters)
    func name(_ text: String) throws { try g.k.store([g.k.load(g.g.string(text)), g.k.load(g.g.string(text) + 4)], at: parameters + 0x1c) }
    try name(#"\Device\None"#)
    #expect(try g.status("WdfIoTargetOpen", target, parameters) == .objectNameNotFound)
    try name(#"\Device\Wdf"#)
    #expect(
      try g.status("WdfIoTargetOpen", target, parameters) == .success
        && g.status("WdfIoTargetOpen", target, parameters) == .invalidDeviceRequest)
    #expect(try g.call("WdfIoTargetGetState", target) == 1 && g.call("WdfIoTargetWdmGetTargetFileObject", target) != 0)
    #expect(try g.call("WdfIoTargetWdmGetTargetFileHandle", target) == 0 && g.call("WdfIoTargetWdmGetTargetPhysicalDevice", target) == 0)

    let (data, descriptor, result) = (try g.g.space(), try g.g.space(), try g.g.space())
    try g.k.store([1, UInt32(data), 8], at: descriptor)
    #expect(try g.status("WdfIoTargetSendIoctlSynchronously", target, 0, 0x22_2000, descriptor, descriptor, 0, result) == .success)
    #expect(try g.k.load(result) == 4 && seen.last == [8, 8, 0x22_2000])
    #expect(try g.status("WdfIoTargetSendIoctlSynchronously", target, 0, 0x22_2004, descriptor, 0, 0, result) == .unsuccessful)
    #expect(try g.status("WdfIoTargetSendInternalIoctlSynchronously", target, 0, 0x22_2000, 0, descriptor, 0, result) == .success)
    try g.k.store([7], at: descriptor)
    #expect(
      try g.status("WdfIoTargetSendInternalIoctlOthersSynchronously", target, 0, 0x22_2003, descriptor, 0, 0, 0, 0) == .invalidParameter)
    try g.k.store([1], at: descriptor)
    #expect(try g.status("WdfIoTargetSendInternalIoctlOthersSynchronously", target, 0, 0x22_2003, descriptor, 0, 0, 0, 0) == .unsuccessful)
    #expect(try g.status("WdfIoTargetSendReadSynchronously", target, 0, descriptor, 0, 0, result) == .success && g.k.load(result) == 8)
    #expect(try g.status("WdfIoTargetSendWriteSynchronously", target, 0, descriptor, 0, 0, result) == .success && seen.last == [8])

    // A request of the driver's own.
    let request = try g.make("WdfRequestCreate", 0, target)
    let memory = try g.make("WdfMemoryCreatePreallocated", 0, data, 8)
    #expect(try g.status("WdfRequestChangeTarget", request, target) == .success && g.status("WdfRequestAllocateTimer", request) == .success)
    for (format, major) in [("WdfIoTargetFormatRequestForRead", 3), ("WdfIoTargetFormatRequestForWrite", 4)] {
      #expect(try g.status(format, target, request, memory, 0, 0) == .success, "\(major)")
      #expect(try g.call("WdfRequestSend", request, target, 0) & 0xff == 1 && g.status("WdfRequestGetStatus", request) == .success)
    }
    let offsets = try g.g.space()
    try g.k.store([4, 8], at: offsets)
    #expect(try g.status("WdfIoTargetFormatRequestForRead", target, request, memory, offsets, 0).rawValue == 0xc000_0095)
    for format in ["WdfIoTargetFormatRequestForIoctl", "WdfIoTargetFormatRequestForInternalIoctl"] {
      #expect(try g.status(format, target, request, 0x22_2004, memory, 0, 0, 0) == .success)
      #expect(try g.call("WdfRequestSend", request, target, 0) & 0xff == 1 && g.status("WdfRequestGetStatus", request) == .unsuccessful)
    }
    #expect(try g.status("WdfIoTargetFormatRequestForInternalIoctlOthers", target, request, 0x22_2003, memory, 0, 0, 0, 0, 0) == .success)
    let completion = try g.g.space(0x30)
    try g.call("WdfRequestGetCompletionParams", request, completion)
    #expect(try g.k.load(completion + 8) == NTSTATUS.unsuccessful.rawValue)
    #expect(try g.call("WdfRequestCancelSentRequest", request) & 0xff == 0)
    #expect(try g.status("WdfRequestRetrieveInputWdmMdl", request, result) == .invalidDeviceRequest)
    let reuse = try g.g.space()
    #expect(try g.status("WdfRequestReuse", request, reuse) == .success)
    // Nothing is formatted any more.
    #expect(try g.call("WdfRequestSend", request, target, 0) & 0xff == 0)
    let irp = try g.g.call("IoAllocateIrp", 1, 0)
    #expect(try g.make("WdfRequestCreateFromIrp", 0, irp, 1) != 0)
    try g.call("WdfObjectDelete", request)

    try g.call("WdfIoTargetPurge", target, 0)
    #expect(try g.call("WdfIoTargetGetState", target) == 2)
    try g.call("WdfIoTargetCloseForQueryRemove", target)
    #expect(try g.call("WdfIoTargetGetState", target) == 3)
    try g.call("WdfIoTargetClose", target)
    #expect(try g.call("WdfIoTargetGetState", target) == 4)
    #expect(try g.status("WdfIoTargetSendIoctlSynchronously", target, 0, 0x22_2000, 0, 0, 0, 0).rawValue == 0xc000_0184)
  }

  @Test("lookaside lists; requests that are found in a queue; verification") func rarely() throws {
    let g = try FrameworkGuest()
    _ = try g.make("WdfLookasideListCreate", 0, 0, 0, 0, 0, expect: .invalidParameter)
    let list = try g.make("WdfLookasideListCreate", 0, 0x20, 0, 0, 0)
    let memory = try g.make("WdfMemoryCreateFromLookaside", list)
    let size = try g.g.space()
    #expect(try g.call("WdfMemoryGetBuffer", memory, size) != 0 && g.k.load(size) == 0x20)
    #expect(try g.status("WdfObjectQuery", memory, 0, 0, 0) == .notFound)
    let device = try g.device()
    try g.call("WdfControlFinishInitializing", device)
    let queue = try g.queue(device, 3, [:])
    _ = try g.make("WdfIoQueueFindRequest", queue, 0, 0, 0, expect: .noMoreEntries)
    let handle = try g.open()
    #expect(try g.control(handle, 0x22_2000) == .pending)
    let found = try g.make("WdfIoQueueFindRequest", queue, 0, 0, 0)
    _ = try g.make("WdfIoQueueFindRequest", queue, found, 0, 0, expect: .noMoreEntries)
    #expect(try g.make("WdfIoQueueRetrieveFoundRequest", queue, found) == found)
    _ = try g.make("WdfIoQueueRetrieveFoundRequest", queue, found, expect: .notFound)
    try g.call("WdfObjectDereferenceActual", found, 0, 0, 0)
    try g.call("WdfRequestComplete", found, 0)
    let policy = try g.g.space()
    #expect(try g.status("WdfIoQueueAssignForwardProgressPolicy", queue, policy) == .infoLengthMismatch)
    try g.k.store([0x1c], at: policy)
    #expect(try g.status("WdfIoQueueAssignForwardProgressPolicy", queue, policy) == .success)
    #expect(try g.control(handle, 0x22_2000) == .pending)
    try g.call("WdfIoQueueStopAndPurge", queue, 0, 0)
    #expect(try g.call("WdfIoQueueGetState", queue, 0, 0) == 0xd)
    try g.call("WdfIoQueueStopAndPurgeSynchronously", queue)
    try g.call("WdfVerifierDbgBreakPoint")
    #expect(throws: IOGuest.Stopped.self) { try g.call("WdfVerifierKeBugCheck", 0xe2, 1, 2, 3, 4) }
  }
}
