import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Filters on volumes") struct VolumeTests {
  typealias F = FilterGuest

  @Test func instanceSetup() throws {
    let f = try F()
    var calls: [[UInt64]] = []
    f.g.routine(at: F.setup, 4) {
      calls.append($0)
      return 0
    }
    let filter = try f.start([0x14: F.setup, 0x10: F.unload])
    // Automatically, on a disk's file system (8), which is NTFS (2).
    #expect(calls.map { Array($0[1...]) } == [[1, 8, 2]])
    let instance = try f.instance(of: filter)
    let objects = try #require(calls.first?.first)
    #expect(try f.k.half(objects) == 0x18 && UInt64(f.k.load(objects + 4)) == filter && UInt64(f.k.load(objects + 0xc)) == instance)
    try f.g.call("FltUnregisterFilter", filter)
    #expect(f.g.violations.isEmpty)
  }

  @Test("a volume that is mounted later is offered as a new one, and taken away with its instance and its contexts") func changes() throws {
    let f = try F()
    var log: [String] = []
    f.g.routine(at: F.setup, 4) {
      log.append("setup \($0[1])")
      return 0
    }
    f.g.routine(at: F.teardownStart, 2) {
      log.append("start \($0[1])")
      return 0
    }
    f.g.routine(at: F.teardownComplete, 2) {
      log.append("complete \($0[1])")
      return 0
    }
    f.g.routine(at: F.cleanup, 2) {
      log.append("context \($0[1])")
      return 0
    }
    let filter = try f.start([0x14: F.setup, 0x1c: F.teardownStart, 0x20: F.teardownComplete, 8: f.contexts([(1, 8)])])
    let stick = try f.k.kernel.addVolume(VolumeDescription(device: #"\Device\HarddiskVolume2"#, fileSystem: .fat, drive: "D:"))
    #expect(try f.g.status("FltpVolumeMounted", stick.storageDevice.address) == .success)
    let volume = try f.out { try f.g.status("FltGetVolumeFromName", filter, f.g.string(stick.name), $0) }
    let context = try f.out { try f.g.status("FltAllocateContext", filter, 1, 8, 0, $0) }
    #expect(try f.g.status("FltSetVolumeContext", volume, 0, context, 0) == .success)
    try f.g.call("FltReleaseContext", context)
    try f.g.call("FltObjectDereference", volume)
    #expect(try f.g.status("FltpVolumeDismounted", stick.storageDevice.address) == .success)
    #expect(log == ["setup 1", "setup 5", "start 8", "complete 8", "context 1"])
    #expect(try f.g.status("FltpVolumeDismounted", stick.storageDevice.address) == .objectNameNotFound)
    #expect(try f.g.status("FltGetVolumeFromName", filter, f.g.string(stick.name), f.g.space()) == .fltVolumeNotFound)
    #expect(f.g.violations.isEmpty, "\(f.g.violations)")
  }

  @Test("a filter that will not attach has no instance", arguments: [NTSTATUS.fltDoNotAttach, NTSTATUS(rawValue: 0x8000_0005)])
  func refusesToAttach(status: NTSTATUS) throws {
    let f = try F()
    f.g.routine(at: F.setup, 4) { _ in UInt64(status.rawValue) }
    let filter = try f.start([0x14: F.setup])
    let (list, count) = (try f.g.space(), try f.g.space())
    #expect(try f.g.status("FltEnumerateInstances", 0, filter, list, 1, count) == .success)
    #expect(try f.k.load(count) == 0)
  }

  @Test func altitudes() throws {
    let f = try F(altitude: "370000.5")
    let middle = try f.start()
    let (top, bottom) = (try f.other("top", altitude: "380000"), try f.other("bottom", altitude: "45000"))
    let volume = try f.volume(middle)
    let (list, count) = (try f.g.space(16), try f.g.space())
    #expect(try f.g.status("FltEnumerateInstances", volume, 0, list, 2, count) == .bufferTooSmall)
    #expect(try f.k.load(count) == 3)
    let all = try [top, middle, bottom].map { try f.instance(of: $0) }
    #expect(try f.g.status("FltEnumerateInstances", volume, 0, list, 3, count) == .success)
    #expect(try (0..<3).map { UInt64(try f.k.load(list + 4 * $0)) } == all)
    #expect(try f.out { try f.g.status("FltGetTopInstance", volume, $0) } == all[0])
    #expect(try f.out { try f.g.status("FltGetBottomInstance", volume, $0) } == all[2])
    #expect(try f.out { try f.g.status("FltGetUpperInstance", all[1], $0) } == all[0])
    #expect(try f.out { try f.g.status("FltGetLowerInstance", all[1], $0) } == all[2])
    #expect(try f.g.status("FltGetLowerInstance", all[2], f.g.space()) == .noMoreEntries)
    #expect(try f.g.call("FltCompareInstanceAltitudes", all[0], all[1]) == 1)
    #expect(try f.g.call("FltCompareInstanceAltitudes", all[2], all[1]) == 0xffff_ffff)
    #expect(try f.g.status("FltEnumerateFilters", list, 3, count) == .success)
    #expect(try (0..<3).map { UInt64(try f.k.load(list + 4 * $0)) } == [top, middle, bottom])
    #expect(try f.out { try f.g.status("FltGetFilterFromName", f.g.string("TOP"), $0) } == top)
    #expect(try f.g.status("FltGetFilterFromName", f.g.string("none"), f.g.space()) == .fltFilterNotFound)
    #expect(try f.out { try f.g.status("FltGetFilterFromInstance", all[2], $0) } == bottom)
    #expect(try f.out { try f.g.status("FltGetVolumeFromInstance", all[2], $0) } == volume)
    #expect(try f.out { try f.g.status("FltGetVolumeInstanceFromName", top, volume, f.g.string("Main"), $0) } == all[0])
    #expect(try f.g.status("FltGetVolumeInstanceFromName", top, volume, f.g.string("Other"), f.g.space()) == .fltInstanceNotFound)
  }

  @Test func collisions() throws {
    let f = try F()
    let filter = try f.start()
    // The same altitude, of the same driver or of another.
    #expect(try f.g.status("FltRegisterFilter", f.driver, f.registration(), f.g.space()) == .fltInstanceAltitudeCollision)
    let volume = try f.volume(filter)
    #expect(try f.g.status("FltAttachVolume", filter, volume, 0, 0) == .fltInstanceNameCollision)
    #expect(
      try f.g.status("FltAttachVolumeAtAltitude", filter, volume, f.g.string("370000.0"), f.g.string("Twin"), 0)
        == .fltInstanceAltitudeCollision)
    let second = try f.out {
      try f.g.status("FltAttachVolumeAtAltitude", filter, volume, f.g.string("370001"), f.g.string("Twin"), $0)
    }
    #expect(try f.g.status("FltAttachVolumeAtAltitude", filter, volume, f.g.string("high"), 0, 0) == .invalidParameter)
    try f.g.call("FltObjectDereference", second)
    #expect(try f.g.status("FltAttachVolume", filter, volume, f.g.string("Unknown"), 0) == .objectNameNotFound)
  }

  @Test("Flags of an instance keep it from being attached by itself, and by hand") func attachmentFlags() throws {
    let f = try F(flags: 1)
    let filter = try f.start()
    let volume = try f.volume(filter)
    #expect(try f.g.status("FltDetachVolume", filter, volume, 0) == .fltInstanceNotFound)
    #expect(try f.g.status("FltAttachVolume", filter, volume, 0, 0) == .success)
    let none = try F(flags: 3)
    let other = try none.start()
    #expect(try none.g.status("FltAttachVolume", other, none.volume(other), 0, 0) == .fltDoNotAttach)
  }

  @Test func detaching() throws {
    let f = try F()
    var (answers, reasons): ([NTSTATUS], [UInt64]) = ([.fltDoNotDetach, .success], [])
    f.g.routine(at: F.queryTeardown, 2) { _ in UInt64(answers.removeFirst().rawValue) }
    for routine in [F.teardownStart, F.teardownComplete] {
      f.g.routine(at: routine, 2) {
        reasons.append($0[1])
        return 0
      }
    }
    let words = [0x18: F.queryTeardown, 0x1c: F.teardownStart, 0x20: F.teardownComplete]
    let filter = try f.start(words)
    let volume = try f.volume(filter)
    #expect(try f.g.status("FltDetachVolume", filter, volume, 0) == .fltDoNotDetach)
    #expect(reasons.isEmpty)
    #expect(try f.g.status("FltDetachVolume", filter, volume, f.g.string("main")) == .success)
    #expect(reasons == [1, 1])
    #expect(try f.g.status("FltAttachVolume", filter, volume, 0, 0) == .success)
    try f.g.call("FltUnregisterFilter", filter)
    #expect(reasons == [1, 1, 2, 2])
    // Without a query routine nobody may detach it.
    let stubborn = try F()
    let other = try stubborn.start()
    #expect(try stubborn.g.status("FltDetachVolume", other, stubborn.volume(other), 0) == .fltDoNotDetach)
  }

  @Test func registryLookup() throws {
    let f = try F()
    let registry = f.k.kernel.registry
    let result = try f.g.space()
    func status() throws -> NTSTATUS { try f.g.status("FltRegisterFilter", f.driver, f.registration(), result) }
    let key = try #require(registry.key(at: #"Services\demo\Instances\Main"#))
    key["Altitude"] = .string("none")
    #expect(try status() == .invalidParameter)
    key["Altitude"] = .dword(5)
    #expect(try status() == .objectTypeMismatch)
    key["Altitude"] = nil
    #expect(try status() == .objectNameNotFound)
    registry.removeKey(at: #"Services\demo\Instances\Main"#)
    #expect(try status() == .objectNameNotFound)
    registry.key(at: #"Services\demo\Instances"#)?["DefaultInstance"] = .dword(1)
    #expect(try status() == .objectTypeMismatch)
    registry.removeKey(at: #"Services\demo\Instances"#)
    #expect(try status() == .objectNameNotFound)
  }

  @Test func properties() throws {
    let f = try F()
    let filter = try f.start()
    let volume = try f.volume(filter)
    let (buffer, size, name) = (try f.g.space(0x100), try f.g.space(), try f.g.space())
    #expect(try f.g.status("FltGetVolumeName", volume, 0, size) == .bufferTooSmall)
    #expect(try f.k.load(size) == UInt32(F.volumeName.utf16.count * 2))
    try f.k.store([0x100 << 16, UInt32(buffer)], at: name)
    #expect(try f.g.status("FltGetVolumeName", volume, name, 0) == .success)
    #expect(try f.text(name) == F.volumeName)
    #expect(try f.g.status("FltGetVolumeGuidName", volume, name, size) == .success)
    #expect(try f.text(name) == #"\??\Volume{1234abcd-0000-0000-0000-000000000001}"#)
    #expect(try f.g.status("FltGetVolumeGuidName", volume, 0, size) == .bufferTooSmall)
    #expect(try f.g.status("FltGetVolumeProperties", volume, buffer, 0x20, size) == .bufferTooSmall)
    #expect(try f.g.status("FltGetVolumeProperties", volume, buffer, 0x2c, size) == .bufferOverflow)
    #expect(try f.g.status("FltGetVolumeProperties", volume, buffer, 0x100, size) == .success)
    #expect(try f.k.load(buffer) == 8 && f.k.half(buffer + 0x10) == 512)
    #expect(try f.text(buffer + 0x14) == #"\FileSystem\Ntfs"# && f.text(buffer + 0x24) == F.volumeName)
    #expect(try f.out { try f.g.status("FltGetFileSystemType", volume, $0) } == 2)
    #expect(try f.out { try f.g.status("FltIsVolumeWritable", volume, $0) } & 0xff == 1)
    #expect(try f.g.status("FltIsVolumeWritable", filter, f.g.space()) == .invalidParameter)
    let disk = try f.out { try f.g.status("FltGetDiskDeviceObject", volume, $0) }
    #expect(try f.k.load(disk + 0x2c) == 7)
    #expect(try f.out { try f.g.status("FltGetVolumeFromDeviceObject", filter, disk, $0) } == volume)
    let device = try f.out { try f.g.status("FltGetDeviceObject", volume, $0) }
    #expect(try f.k.load(device + 0x2c) == 8)
    // All requests of the filter manager's device come to one routine.
    #expect(try UInt64(f.k.load(UInt64(f.k.load(device + 8)) + 0x38)) == f.k.trap("FltpDispatch"))
    #expect(try f.g.status("FltGetVolumeFromDeviceObject", filter, f.g.device(nil), f.g.space()) == .invalidParameter)
    let file = try f.fileObject(f.open())
    #expect(try f.out { try f.g.status("FltGetVolumeFromFileObject", filter, file, $0) } == volume)
    #expect(try f.out { try f.g.status("FltGetVolumeFromName", filter, f.g.string("c:"), $0) } == volume)
    #expect(try f.g.status("FltGetVolumeFromName", filter, f.g.string("d:"), f.g.space()) == .fltVolumeNotFound)
    let (list, count) = (try f.g.space(), try f.g.space())
    #expect(try f.g.status("FltEnumerateVolumes", filter, 0, 0, count) == .bufferTooSmall)
    #expect(try f.g.status("FltEnumerateVolumes", filter, list, 1, count) == .success)
    #expect(try UInt64(f.k.load(list)) == volume && f.k.load(count) == 1)
    for routine in ["FltGetVolumeName", "FltGetFileSystemType"] {
      #expect(try f.g.status(routine, filter, 0, f.g.space()) == .invalidParameter, "\(routine)")
    }
  }

  @Test(
    "what only the filter manager and the file systems lead to is not for import",
    arguments: ["FltpDispatch", "FltpPassThroughCompletion", "FltpCancelRoutine", "FltpWorkItem", "IopCompleteLate"])
  func internals(name: String) { #expect(DeclarationTests.table.number(of: name) == nil) }
}
