import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Operations through filters") struct OperationTests {
  typealias F = FilterGuest

  /// A filter whose callbacks for reads are `pre` and `post`.
  private func reader(
    _ f: F, altitude: String? = nil, flags: UInt32 = 0, pre: @escaping ([UInt64]) throws -> UInt64,
    post: (([UInt64]) throws -> UInt64)? = nil
  ) throws -> UInt64 {
    let offset = altitude == nil ? 0 : UInt64(0x40 * (f.k.kernel.drivers.count))
    f.g.routine(at: F.pre + offset, 3, pre)
    if let post { f.g.routine(at: F.post + offset, 4, post) }
    let table = try f.operations([(3, flags, F.pre + offset, post == nil ? 0 : F.post + offset)])
    return try altitude.map { try f.other("other\($0)", altitude: $0, [0xc: table]) } ?? f.start([0xc: table])
  }

  @Test("callbacks run from the highest altitude down and back up, with the documented parameters") func order() throws {
    let f = try F()
    var log: [String] = []
    var seen: [UInt64] = []
    _ = try reader(f) {
      log.append("middle down")
      let iopb = UInt64(try f.k.load($0[0] + 8))
      seen = try [iopb + 4, iopb + 0x10, iopb + 0x20].map { UInt64(try f.k.load($0)) } + [UInt64(f.k.load($0[0]))]
      try f.k.store(0x77, at: $0[2])
      return 0
    } post: {
      log.append("middle up \($0[2]) \(try f.k.load($0[0] + 0xc)) \(try f.k.load($0[0] + 0x10))")
      return 0
    }
    _ = try reader(f, altitude: "380000") { _ in
      log.append("top down")
      return 5
    } post: { _ in
      log.append("top up")
      return 0
    }
    _ = try reader(f, altitude: "40000") { _ in
      log.append("bottom down")
      return 1
    }
    let bytes = try f.read(f.open(), 5)
    #expect(bytes == Array("hello".utf8))
    #expect(log == ["top down", "middle down", "bottom down", "middle up 119 0 5", "top up"])
    // IRP_MJ_READ, Length, a buffer of system space; an IRP.
    #expect(seen[0] & 0xff == 3 && seen[1] == 5 && seen[2] >= 0x8000_0000 && seen[3] & 1 == 1)
    #expect(f.g.violations.isEmpty)
  }

  @Test("an operation that is sent to another volume's instance goes on below that") func otherVolume() throws {
    let f = try F()
    try f.k.kernel.addVolume(
      VolumeDescription(
        device: #"\Device\HarddiskVolume2"#, drive: "D:", files: [FileDescription(#"\other.txt"#, content: Array("other".utf8))]))
    let other = try f.fileObject(f.open(#"\??\D:\other.txt"#))
    var log: [UInt64] = []
    var target: UInt64 = 0
    var file = other
    let filter = try reader(f) {
      log.append(UInt64(try f.k.load($0[1] + 8)))
      let iopb = UInt64(try f.k.load($0[0] + 8))
      try f.k.store([UInt32(file), UInt32(target)], at: iopb + 8)
      try f.g.call("FltSetCallbackDataDirty", $0[0])
      return 0
    } post: { _ in
      0
    }
    let (list, count) = (try f.g.space(8), try f.g.space())
    #expect(try f.g.status("FltEnumerateInstances", 0, filter, list, 2, count) == .success)
    target = UInt64(try f.k.load(list + 4))
    let handle = try f.open()
    #expect(try f.read(handle, 5) == Array("other".utf8))
    #expect(log.count == 1 && f.g.violations.isEmpty)
    // What is no instance of the filter's is said, and the operation stays where it is.
    (target, file) = (filter, try f.fileObject(handle))
    _ = try f.read(handle, 5)
    #expect(f.g.violations.count == 1)
  }

  @Test func completes() throws {
    let f = try F()
    _ = try reader(f) {
      try f.k.store([NTSTATUS.accessDenied.rawValue, 0], at: $0[0] + 0xc)
      return 4
    }
    _ = try f.read(f.open(), 5, expect: .accessDenied)
    #expect(f.g.violations.isEmpty)
  }

  @Test("nonsense is said, and the operation goes on", arguments: [3, 9, 0xffff_ffff] as [UInt64]) func nonsense(status: UInt64) throws {
    let f = try F()
    _ = try reader(f) { _ in status }
    #expect(try f.read(f.open(), 5) == Array("hello".utf8))
    #expect(f.g.violations.count == 1)
  }

  @Test("a callback that is wanted and not registered is bugcheck 0xF5") func missingPost() throws {
    let f = try F()
    _ = try reader(f) { _ in 0 }
    let handle = try f.open()
    let (block, buffer, offset) = (try f.g.space(), try f.g.space(), try f.g.space())
    #expect(try f.g.bugCheck("ZwReadFile", handle, 0, 0, 0, block, buffer, 5, offset, 0).prefix(2) == [0xf5, 0x66])
  }

  @Test func nonsenseOnTheWayUp() throws {
    let f = try F()
    _ = try reader(f) { _ in
      0
    } post: { _ in
      7
    }
    #expect(try f.read(f.open(), 5) == Array("hello".utf8))
    #expect(f.g.violations == ["a post-operation callback of demo returned 7 for IRP_MJ_READ, which is no FLT_POSTOP_CALLBACK_STATUS"])
  }

  @Test func dirtyParameters() throws {
    let f = try F()
    var isDirty: [UInt64] = []
    _ = try reader(f) {
      // Three bytes less; without saying so at first.
      let iopb = UInt64(try f.k.load($0[0] + 8))
      try f.k.store(2, at: iopb + 0x10)
      isDirty.append(try f.g.call("FltIsCallbackDataDirty", $0[0]) & 0xff)
      if isDirty.count == 2 {
        try f.g.call("FltSetCallbackDataDirty", $0[0])
        try f.g.call("FltClearCallbackDataDirty", $0[0])
        try f.g.call("FltSetCallbackDataDirty", $0[0])
        isDirty.append(try f.g.call("FltIsCallbackDataDirty", $0[0]) & 0xff)
      }
      return 1
    }
    let handle = try f.open()
    #expect(try f.read(handle, 5) == Array("hello".utf8))
    #expect(f.g.violations == ["demo changed the parameters of an operation without FltSetCallbackDataDirty"])
    #expect(try f.read(handle, 5) == Array("he\0\0\0".utf8))
    #expect(isDirty == [0, 0, 1])
  }

  @Test func registrationFlags() throws {
    let f = try F()
    var count = 0
    // Cached reads, then anything but a volume's.
    for flags in [2, 4, 1] as [UInt32] {
      _ = try reader(f, altitude: "38000\(flags)", flags: flags) { _ in
        count += Int(flags)
        return 1
      }
    }
    _ = try f.read(f.open(), 5)
    #expect(count == 1)
  }

  @Test("a pended operation goes on when its filter says so") func pending() throws {
    let f = try F()
    var data: UInt64 = 0
    _ = try reader(f) {
      data = $0[0]
      // From within the callback: the answer comes before the status.
      try f.g.call("FltCompletePendedPreOperation", data, 0, 0x5a)
      return 2
    } post: {
      #expect($0[2] == 0x5a)
      return 0
    }
    #expect(try f.read(f.open(), 5) == Array("hello".utf8))
    try f.g.call("FltCompletePendedPreOperation", data, 1, 0)
    #expect(f.g.violations.count == 1)
    try f.g.call("FltCompletePendedPostOperation", data)
    #expect(f.g.violations.count == 2)
  }

  @Test("an operation that nobody completes ends the run, which says who waits") func neverCompleted() throws {
    let f = try F()
    let filter = try reader(f) { _ in 2 }
    let handle = try f.open()
    let (block, buffer, offset) = (try f.g.space(), try f.g.space(), try f.g.space())
    #expect(throws: IOGuest.Stopped.self) { try f.g.call("ZwReadFile", [handle, 0, 0, 0, block, buffer, 5, offset, 0]) }
    #expect(f.k.kernel.ending == .idle)
    let waits = f.k.kernel.waitingThreads().map(\.what)
    #expect(waits.contains { $0.contains("IRP_MJ_READ") && $0.contains("demo") }, "\(waits)")
    _ = filter
  }

  @Test func pendedOnTheWayUp() throws {
    let f = try F()
    _ = try reader(f) { _ in
      5
    } post: {
      try f.g.call("FltCompletePendedPostOperation", $0[0])
      return 1
    }
    #expect(try f.read(f.open(), 5) == Array("hello".utf8))
    #expect(f.g.violations.isEmpty)
  }

  @Test func whenSafe() throws {
    let f = try F()
    let safe: UInt64 = 0xf8b0_9000
    var count = 0
    f.g.routine(at: safe, 4) { _ in
      count += 1
      return 0
    }
    _ = try reader(f) { _ in
      0
    } post: {
      let result = try f.g.space()
      #expect(try f.g.call("FltDoCompletionProcessingWhenSafe", $0[0], $0[1], 0, 0, safe, result) & 0xff == 1)
      #expect(try f.g.call("FltDoCompletionProcessingWhenSafe", $0[0], $0[1], 0, 1, safe, result) & 0xff == 1)
      return UInt64(try f.k.load(result))
    }
    _ = try f.read(f.open(), 5)
    #expect(count == 2)
    #expect(f.g.violations == ["FltDoCompletionProcessingWhenSafe is called while the operation is drained"])
    #expect(try f.g.call("FltDoCompletionProcessingWhenSafe", f.k.scratch, 0, 0, 0, safe, f.g.space()) & 0xff == 0)
  }

  @Test("fast I/O: about the caller's own buffer, until a filter will have an IRP") func fastIO() throws {
    let f = try F(hasVolume: false)
    var volume = VolumeDescription(
      device: F.volumeName, drive: "C:", files: [FileDescription(#"\Long directory\notes.txt"#, content: Array("hello".utf8))])
    volume.hasFastIO = true
    try f.k.kernel.addVolume(volume)
    var (kinds, answer): ([UInt32], UInt64) = ([], 1)
    _ = try reader(f) {
      let flags = try f.k.load($0[0])
      kinds.append(flags & 3)
      return flags & 2 != 0 ? answer : 1
    }
    var statuses: [UInt32] = []
    _ = try reader(f, altitude: "380000") { _ in
      0
    } post: {
      statuses.append(try f.k.load($0[0] + 0xc))
      return 0
    }
    let handle = try f.open()
    // The first comes as an IRP: nothing is cached yet.
    for _ in 0..<2 { #expect(try f.read(handle, 5) == Array("hello".utf8)) }
    #expect(kinds == [1, 2])
    answer = 3
    #expect(try f.read(handle, 5) == Array("hello".utf8))
    #expect(kinds == [1, 2, 2, 1])
    #expect(statuses == [0, 0, NTSTATUS.fltDisallowFastIO.rawValue, 0])
    #expect(f.g.violations.isEmpty)
    // It cannot be pended.
    answer = 2
    #expect(try f.read(handle, 5) == Array("hello".utf8))
    #expect(f.g.violations == ["a pre-operation callback of demo returned FLT_PREOP_PENDING for IRP_MJ_READ as fast I/O, which cannot be pended"])
  }

  @Test func workItems() throws {
    let f = try F()
    let filter = try f.start()
    let item = try f.g.call("FltAllocateGenericWorkItem")
    var calls: [[UInt64]] = []
    f.g.routine(at: 0xf8b0_9000, 3) {
      calls.append($0)
      return 0
    }
    #expect(try f.g.status("FltQueueGenericWorkItem", item, f.k.scratch, 0xf8b0_9000, 1, 0) == .invalidParameter)
    #expect(try f.g.status("FltQueueGenericWorkItem", item, filter, 0xf8b0_9000, 1, 0) == .success)
    #expect(try f.k.kernel.leftovers(of: f.g.driver).map(\.what).contains("a generic work item"))
    // A worker of higher priority runs it at once, or when this thread gives way.
    try f.g.call("KeDelayExecutionThread", 0, 0, f.delay())
    #expect(calls == [[item, filter, 0]])
    try f.g.call("FltFreeGenericWorkItem", item)
    try f.g.call("FltFreeGenericWorkItem", item)
    #expect(f.g.violations.count == 1)
    let deferred = try f.g.call("FltAllocateDeferredIoWorkItem")
    #expect(try f.g.status("FltQueueDeferredIoWorkItem", deferred, f.k.scratch, 0xf8b0_9000, 1, 0) == .invalidParameter)
    try f.g.call("FltFreeDeferredIoWorkItem", deferred)
  }

  @Test func aboutAnOperation() throws {
    let f = try F()
    let callback: UInt64 = 0xf8b0_9100
    var told: [UInt64] = []
    f.g.routine(at: callback, 4) {
      told = $0
      return 0
    }
    _ = try reader(f) {
      let process = try f.g.call("FltGetRequestorProcess", $0[0])
      #expect(process == f.k.notepad.object.address)
      #expect(try f.g.call("FltGetRequestorProcessId", $0[0]) == 1232)
      #expect(try f.g.call("FltIsIoCanceled", $0[0]) & 0xff == 0)
      #expect(try f.g.call("FltCancelIo", $0[0]) & 0xff == 0)
      #expect(try f.g.call("FltIsIoCanceled", $0[0]) & 0xff == 1)
      #expect(try f.g.status("FltSetCancelCompletion", $0[0], 0xf8b0_9200) == .cancelled)
      #expect(try f.g.status("FltClearCancelCompletion", $0[0]) == .cancelled)
      #expect(try f.g.status("FltRequestOperationStatusCallback", $0[0], callback, 0x11) == .success)
      #expect(try f.g.status("FltRequestOperationStatusCallback", $0[0], 0, 0) == .invalidParameter)
      return 1
    }
    _ = try f.read(f.open(), 5)
    #expect(told.count == 4 && told[2] == 0 && told[3] == 0x11)
    // Callback data without a thread.
    let data = try f.g.space(0x60)
    #expect(try f.g.call("FltGetRequestorProcess", data) == 0)
    #expect(try f.g.call("FltGetRequestorProcessId", data) == 0)
    #expect(try f.g.call("FltCancelIo", f.k.scratch) & 0xff == 0)
    #expect(try f.g.call("FltIsIoCanceled", f.k.scratch) & 0xff == 0)
  }

  @Test func cancelCompletion() throws {
    let f = try F()
    let callback: UInt64 = 0xf8b0_9200
    var count = 0
    f.g.routine(at: callback, 1) { _ in
      count += 1
      return 0
    }
    _ = try reader(f) { (arguments: [UInt64]) throws -> UInt64 in
      #expect(try f.g.status("FltSetCancelCompletion", arguments[0], callback) == .success)
      #expect(try f.g.status("FltClearCancelCompletion", arguments[0]) == .success)
      #expect(try f.g.status("FltSetCancelCompletion", arguments[0], callback) == .success)
      #expect(try f.g.call("FltCancelIo", arguments[0]) & 0xff == 1)
      return 1
    }
    _ = try f.read(f.open(), 5)
    #expect(count == 1)
    #expect(try f.g.status("FltSetCancelCompletion", f.k.scratch, callback) == .invalidParameter)
    #expect(try f.g.status("FltClearCancelCompletion", f.k.scratch) == .invalidParameter)
  }

  @Test func queues() throws {
    let f = try F()
    let routines = (0..<6).map { 0xf8b0_9300 + 0x10 * UInt64($0) }
    var queued: [UInt64] = []
    f.g.routine(at: routines[0], 3) {
      queued.append($0[1])
      return 0
    }
    f.g.routine(at: routines[1], 2) { arguments in
      queued.removeAll { $0 == arguments[1] }
      return 0
    }
    f.g.routine(at: routines[2], 3) { _ in queued.first ?? 0 }
    f.g.routine(at: routines[3], 2) { _ in 0 }
    f.g.routine(at: routines[4], 2) { _ in 0 }
    f.g.routine(at: routines[5], 2) {
      try f.k.store([NTSTATUS.cancelled.rawValue, 0], at: $0[1] + 0xc)
      try f.g.call("FltCompletePendedPreOperation", $0[1], 4, 0)
      return 0
    }
    let (queue, context) = (try f.g.space(0x40), try f.g.space())
    var round = 0
    let filter = try reader(f) {
      round += 1
      #expect(try f.g.status("FltCbdqInsertIo", queue, $0[0], context, 0) == (round == 3 ? .fltCbdqDisabled : .success))
      if round == 3 { return 1 }
      if round == 4 {
        #expect(try f.g.call("FltCancelIo", $0[0]) & 0xff == 1)
        return 2
      }
      let taken = round == 1 ? try f.g.call("FltCbdqRemoveNextIo", queue, 0) : try f.g.call("FltCbdqRemoveIo", queue, context)
      #expect(taken == $0[0] && queued.isEmpty)
      #expect(try f.g.call("FltCbdqRemoveNextIo", queue, 0) == 0)
      #expect(try f.g.call("FltCbdqRemoveIo", queue, context) == 0)
      return 1
    }
    let instance = try f.instance(of: filter)
    #expect(
      try f.g.status(
        "FltCbdqInitialize", instance, queue, routines[0], routines[1], routines[2], routines[3], routines[4], routines[5]) == .success)
    let handle = try f.open()
    for _ in 0..<2 { _ = try f.read(handle, 5) }
    try f.g.call("FltCbdqDisable", queue)
    _ = try f.read(handle, 5)
    try f.g.call("FltCbdqEnable", queue)
    _ = try f.read(handle, 5, expect: .cancelled)
    #expect(queued.isEmpty && f.g.violations.isEmpty)
    #expect(try f.g.status("FltCbdqInsertIo", queue, f.k.scratch, 0, 0) == .invalidParameter)
  }

  @Test func smallThings() throws {
    let f = try F()
    let filter = try f.start()
    let instance = try f.instance(of: filter)
    let name = try f.g.call("FltGetIrpName", 3)
    #expect(try f.k.memory.memory.bytes(12, at: name) == Array("IRP_MJ_READ\0".utf8))
    #expect(try f.g.call("FltGetIrpName", 3) == name && f.g.call("FltGetIrpName", 0x70) != name)
    let routine = try f.g.space(32)
    try f.k.memory.memory.write(Array("FltGetIrpName\0".utf8), at: routine)
    #expect(try f.g.call("FltGetRoutineAddress", routine) == f.k.trap("FltGetIrpName"))
    try f.k.memory.memory.write(Array("FltNothing\0".utf8), at: routine)
    #expect(try f.g.call("FltGetRoutineAddress", routine) == 0)
    let resource = try f.g.space(0x38)
    try f.g.call("ExInitializeResourceLite", resource)
    try f.g.call("FltAcquireResourceExclusive", resource)
    #expect(try f.g.call("ExIsResourceAcquiredExclusiveLite", resource) & 0xff == 1)
    #expect(try f.k.load(f.k.currentThread + 0xd4) == 0xffff_ffff)
    try f.g.call("FltReleaseResource", resource)
    try f.g.call("FltAcquireResourceShared", resource)
    try f.g.call("FltReleaseResource", resource)
    #expect(try f.k.load(f.k.currentThread + 0xd4) == 0)
    // Transactions are Windows Vista's.
    #expect(try f.g.status("FltEnlistInTransaction", instance, 0, 0, 0) == .notSupported)
    #expect(try f.g.bugCheck("FltReleaseResource", resource).first == 0xe3)
  }
}
