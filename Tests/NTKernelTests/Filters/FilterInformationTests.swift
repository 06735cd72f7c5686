import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("What filters are told beside their operations") struct FilterInformationTests {
  typealias F = FilterGuest

  /// The bytes that a routine writes, asked with no room first.
  private func record(_ f: F, _ name: String, _ arguments: [UInt64]) throws -> [UInt8] {
    let (buffer, count) = (try f.g.space(0x100), try f.g.space())
    #expect(try f.g.call(name, arguments + [buffer, 0, count]) == UInt64(NTSTATUS.bufferTooSmall.rawValue))
    let size = UInt64(try f.k.load(count))
    #expect(try f.g.call(name, arguments + [buffer, size, count]) == 0)
    return try f.k.memory.memory.bytes(Int(size), at: buffer)
  }

  private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) } }

  /// The text whose length is at `offset`, and its place behind that.
  private func text(_ bytes: [UInt8], at offset: Int) -> String {
    let (length, place) = (Int(word(bytes, offset) & 0xffff), Int(word(bytes, offset) >> 16))
    return text(bytes, place, length)
  }

  private func text(_ bytes: [UInt8], _ place: Int, _ length: Int) -> String {
    String(decoding: stride(from: place, to: place + length, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }, as: UTF16.self)
  }

  @Test("records of filters, volumes and instances") func records() throws {
    for target in [Target.windowsXP_x86, .windows7_x86] {
      let f = try F(target: target)
      let filter = try f.start()
      let (instance, volume) = (try f.instance(of: filter), try f.volume(filter))
      for (name, arguments) in [("FltGetFilterInformation", [filter]), ("FltEnumerateFilterInformation", [0])] as [(String, [UInt64])] {
        let full = try record(f, name, arguments + [0])
        #expect(word(full, 8) == 1 && text(full, 14, Int(word(full, 12) & 0xffff)) == "demo")
        let basic = try record(f, name, arguments + [1])
        #expect(word(basic, 4) == 1 && word(basic, 12) == 1 && text(basic, at: 16) == "demo" && text(basic, at: 20) == "370000")
      }
      for (name, arguments) in [
        ("FltGetVolumeInformation", [volume]), ("FltEnumerateVolumeInformation", [filter, 0]),
      ] as [(String, [UInt64])] {
        let basic = try record(f, name, arguments + [0])
        #expect(text(basic, 2, Int(word(basic, 0) & 0xffff)) == F.volumeName)
      }
      let device = try f.out { try f.g.status("FltGetDeviceObject", volume, $0) }
      try f.g.call("ObfDereferenceObject", device)
      let name = try f.g.string(F.volumeName)
      var ways: [(String, [UInt64])] = [
        ("FltGetInstanceInformation", [instance]), ("FltEnumerateInstanceInformationByFilter", [filter, 0]),
        ("FltEnumerateInstanceInformationByVolume", [volume, 0]),
      ]
      if target == .windows7_x86 {
        ways += [
          ("FltEnumerateInstanceInformationByVolumeName", [name, 0]), ("FltEnumerateInstanceInformationByDeviceObject", [device, 0]),
        ]
      }
      for (name, arguments) in ways {
        #expect(try text(record(f, name, arguments + [0]), at: 4) == "Main")
        let full = try record(f, name, arguments + [2])
        #expect(text(full, at: 8) == "370000" && text(full, at: 12) == F.volumeName && text(full, at: 16) == "demo")
      }
      // The records of Windows Vista, and no class at all.
      let (buffer, count) = (try f.g.space(0x100), try f.g.space())
      let later: NTSTATUS = target == .windows7_x86 ? .success : .invalidParameter
      #expect(try f.g.status("FltGetFilterInformation", filter, 2, buffer, 0x100, count) == later)
      #expect(try f.g.status("FltGetVolumeInformation", volume, 1, buffer, 0x100, count) == later)
      #expect(try f.g.status("FltGetInstanceInformation", instance, 3, buffer, 0x100, count) == later)
      #expect(try f.g.status("FltGetInstanceInformation", instance, 4, buffer, 0x100, count) == .invalidParameter)
      #expect(try f.g.status("FltEnumerateFilterInformation", 1, 0, buffer, 0x100, count) == .noMoreEntries)
      #expect(try f.g.status("FltEnumerateVolumeInformation", filter, 9, 0, buffer, 0x100, count) == .noMoreEntries)
      #expect(try f.g.status("FltEnumerateInstanceInformationByVolume", volume, 1, 0, buffer, 0x100, count) == .noMoreEntries)
      #expect(try f.g.call("FltIsFltMgrVolumeDeviceObject", device) & 0xff == 1)
      #expect(try f.g.call("FltIsFltMgrVolumeDeviceObject", f.driver) & 0xff == 0)
      #expect(f.g.violations.isEmpty)
    }
  }

  @Test("extra create parameters, seen in a create") func createParameters() throws {
    let f = try F(target: .windows7_x86)
    let (type, place, size) = (try f.g.space(0x10), try f.g.space(), try f.g.space())
    try f.k.store([1, 2, 3, 4], at: type)
    var filter: UInt64 = 0
    var seen: [UInt64] = []
    f.g.routine(at: F.pre, 3) { (arguments: [UInt64]) throws -> UInt64 in
      #expect(try f.g.status("FltGetEcpListFromCallbackData", filter, arguments[0], place) == .success)
      guard try f.k.load(place) == 0 else { return 1 }
      #expect(try f.g.status("FltAllocateExtraCreateParameterList", filter, 0, place) == .success)
      let list = UInt64(try f.k.load(place))
      #expect(try f.g.status("FltAllocateExtraCreateParameter", filter, type, 8, 0, 0, 0x7473_6574, place) == .success)
      let context = UInt64(try f.k.load(place))
      #expect(try f.g.status("FltInsertExtraCreateParameter", filter, list, context) == .success)
      #expect(try f.g.status("FltInsertExtraCreateParameter", filter, list, context) == .invalidParameter)
      #expect(try f.g.status("FltFindExtraCreateParameter", filter, list, type, place, size) == .success)
      #expect(try f.k.load(size) == 8)
      #expect(try f.g.status("FltGetNextExtraCreateParameter", filter, list, 0, 0, place, size) == .success && UInt64(f.k.load(place)) == context)
      #expect(try f.g.status("FltGetNextExtraCreateParameter", filter, list, context, 0, place, size) == .notFound)
      #expect(try f.g.call("FltIsEcpFromUserMode", filter, context) & 0xff == 0)
      #expect(try f.g.call("FltIsEcpAcknowledged", filter, context) & 0xff == 0)
      try f.g.call("FltAcknowledgeEcp", filter, context)
      #expect(try f.g.call("FltIsEcpAcknowledged", filter, context) & 0xff == 1)
      #expect(try f.g.status("FltSetEcpListIntoCallbackData", filter, arguments[0], list) == .success)
      #expect(try f.g.status("FltGetEcpListFromCallbackData", filter, arguments[0], place) == .success)
      seen.append(UInt64(try f.k.load(place)))
      #expect(seen.last == list)
      #expect(try f.g.status("FltSetEcpListIntoCallbackData", filter, arguments[0], 0) != .invalidParameter2)
      #expect(try f.g.status("FltRemoveExtraCreateParameter", filter, list, type, place, size) == .success)
      #expect(try f.g.status("FltRemoveExtraCreateParameter", filter, list, type, place, size) == .notFound)
      try f.g.call("FltFreeExtraCreateParameter", filter, context)
      return 1
    }
    f.g.routine(at: F.post, 3) { (arguments: [UInt64]) throws -> UInt64 in
      #expect(try f.g.status("FltSetEcpListIntoCallbackData", filter, arguments[0], 0) == .invalidParameter)
      #expect(try f.g.status("FltGetEcpListFromCallbackData", filter, arguments[0], place) == .invalidParameter)
      return 1
    }
    filter = try f.start([0xc: f.operations([(0, 0, F.pre, 0), (3, 0, F.post, 0)])])
    _ = try f.read(f.open(), 5)
    #expect(seen.count == 1)
    #expect(try f.g.status("FltAllocateExtraCreateParameterList", filter, 0, place) == .success)
    try f.g.call("FltFreeExtraCreateParameterList", filter, UInt64(f.k.load(place)))
  }

  @Test("redirection, snapshots, sessions, priorities, waits, volumes") func rest() throws {
    let f = try F(target: .windows7_x86)
    try f.k.kernel.addVolume(VolumeDescription(device: #"\Device\HarddiskVolume2"#, drive: "D:", serialNumber: 7, files: []))
    let (a, b, place) = (try f.g.space(), try f.g.space(), try f.g.space())
    var target: UInt64 = 0
    f.g.routine(at: F.pre, 3) { (arguments: [UInt64]) throws -> UInt64 in
      let data = arguments[0]
      #expect(try f.g.status("FltIsIoRedirectionAllowedForOperation", data, target, a, b) == .success)
      #expect(try f.k.load(a) & 0xff == 1 && f.k.load(b) & 0xff == 1)
      #expect(try f.g.status("FltGetRequestorSessionId", data, a) == .success && f.k.load(a) == 0)
      #expect(try f.g.call("FltGetIoPriorityHint", data) == 2 && f.g.call("FltGetIoPriorityHintFromCallbackData", data) == 2)
      #expect(try f.g.status("FltSetIoPriorityHintIntoCallbackData", data, 0) == .success)
      #expect(try f.g.call("FltGetIoPriorityHint", data) == 0)
      #expect(try f.g.status("FltSetIoPriorityHintIntoCallbackData", data, 5) == .invalidParameter)
      return 1
    }
    let filter = try f.start([0xc: f.operations([(3, 0, F.pre, 0)])])
    let (list, count) = (try f.g.space(8), try f.g.space())
    #expect(try f.g.status("FltEnumerateInstances", 0, filter, list, 2, count) == .success)
    let source = UInt64(try f.k.load(list))
    target = UInt64(try f.k.load(list + 4))
    #expect(try f.g.status("FltIsIoRedirectionAllowed", source, target, a) == .success && f.k.load(a) & 0xff == 1)
    #expect(try f.g.status("FltAdjustDeviceStackSizeForIoRedirection", source, target, a) == .success && f.k.load(a) & 0xff == 0)
    #expect(try f.g.status("FltIsVolumeSnapshot", source, a) == .success && f.k.load(a) & 0xff == 0)
    let handle = try f.open()
    _ = try f.read(handle, 5)
    let event = try f.g.space(0x10)
    try f.g.call("KeInitializeEvent", event, 0, 1)
    #expect(try f.g.status("FltCancellableWaitForSingleObject", event, 0, 0) == .success)
    try f.g.call("KeResetEvent", event)
    #expect(try f.g.status("FltCancellableWaitForSingleObject", event, f.delay(), 0) == .timeout)
    #expect(try f.g.status("FltPurgeFileNameInformationCache", source, 0) == .success)
    #expect(try f.g.status("FltLoadFilter", f.g.string("demo")).rawValue == 0xc000_010e)
    #expect(try f.g.status("FltLoadFilter", f.g.string("none")) == .objectNameNotFound)
    #expect(try f.g.status("FltOpenVolume", source, a, place) == .success)
    #expect(try f.fileObject(UInt64(f.k.load(a))) == UInt64(f.k.load(place)))
    try f.g.call("ObfDereferenceObject", UInt64(f.k.load(place)))
    #expect(try f.g.status("FltClose", UInt64(f.k.load(a))) == .success)
    #expect(f.g.violations.isEmpty)
    // What is no instance is told apart.
    for name in ["FltIsVolumeSnapshot", "FltPurgeFileNameInformationCache"] {
      #expect(try f.g.status(name, f.k.scratch, a) == .invalidParameter)
    }
    #expect(try f.g.status("FltOpenVolume", f.k.scratch, a, 0) == .invalidParameter)
    #expect(try f.g.status("FltIsIoRedirectionAllowed", f.k.scratch, target, a) == .invalidParameter)
    #expect(try f.g.status("FltAdjustDeviceStackSizeForIoRedirection", f.k.scratch, target, a) == .invalidParameter)
  }
}
