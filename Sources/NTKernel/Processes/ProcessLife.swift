import Events
import Guest
import Memory
import WindowsTypes

/// A process that one of the run's threads makes.
public struct ProcessCreation {
  public var name: String
  public var uniqueID: UInt64
  /// Its first thread.
  public var threadName: String
  public var threadID: UInt64
  /// As the object manager names the file; `nil` for one in `\WINDOWS\system32`.
  public var imageName: String?
  public var commandLine: String?
  /// Whose it is; `nil` for its maker's.
  public var user: ProcessUser?
  /// Gives the new address space what it holds at first.
  public var setUp: (Process) throws -> Void

  public init(
    _ name: String, uniqueID: UInt64, threadName: String, threadID: UInt64, imageName: String? = nil, commandLine: String? = nil,
    user: ProcessUser? = nil, setUp: @escaping (Process) throws -> Void = { _ in }
  ) {
    self.name = name
    self.uniqueID = uniqueID
    self.threadName = threadName
    self.threadID = threadID
    self.imageName = imageName
    self.commandLine = commandLine
    self.user = user
    self.setUp = setUp
  }
}

/// How processes and threads come about and end, with everybody told who asked to be.
extension Kernel {
  /// `creator` makes a process with one thread. The result is the status of the system call.
  ///
  /// Process and thread notify routines run in the creator's context, once the first thread exists and before it runs
  /// (nf-ntddk-pssetcreateprocessnotifyroutine); load image routines in the new thread's, before its first instruction.
  public func beginCreation(_ creation: ProcessCreation, by creator: Thread) throws -> Continuation {
    try beginRoutine(on: creator) { [self] in UInt64(try await create(creation, by: creator).rawValue) }
  }

  private func create(_ creation: ProcessCreation, by creator: Thread) async throws -> NTSTATUS {
    let parent = creator.owner
    let process = try createProcess(creation.name, uniqueID: creation.uniqueID)
    try process.object.InheritedFromUniqueProcessId.store(parent.object.UniqueProcessId.load())
    try process.object.CreateTime.QuadPart.store(Int64(bitPattern: systemTime))
    process.user = creation.user ?? parent.user
    process.imageName = creation.imageName
    process.commandLine = creation.commandLine
    try creation.setUp(process)
    let thread = try createThread(creation.threadName, in: process, uniqueID: creation.threadID)
    try thread.object.CreateTime.QuadPart.store(Int64(bitPattern: systemTime))
    try set(EPROCESSFlags.createReported, in: process.object.Flags)
    let status = try await notifyCreation(of: process, by: creator)
    guard status.isSuccess else {
      process.exitStatus = status
      try await tearDown(thread, status)
      return status
    }
    try await notifyThread(thread, isCreated: true)
    return .success
  }

  /// Tells the process routines that `process` is there. A status other than success forbids it (ns-ntddk-_ps_create_notify_info).
  private func notifyCreation(of process: Process, by creator: Thread) async throws -> NTSTATUS {
    let parent = try process.object.InheritedFromUniqueProcessId.load().address
    let id = try process.object.UniqueProcessId.load().address
    var status = NTSTATUS.success
    for routine in processManager.processRoutines {
      guard routine.isExtended else {
        try await notify(routine.address, [parent, id, 1])
        continue
      }
      let info = try notifyInfo(of: process, by: creator, status)
      defer { info.strings.forEach(release) }
      try await notify(routine.address, [process.object.address, id, info.block])
      status = NTSTATUS(rawValue: try memory.memory.load(UInt32.self, at: info.block + 0x20))
      _ = nonPagedPool.free(info.block)
      if !status.isSuccess { break }
    }
    return status
  }

  /// `PS_CREATE_NOTIFY_INFO` of a 32-bit system: Size, Flags, ParentProcessId, CreatingThreadId, FileObject, ImageFileName,
  /// CommandLine, CreationStatus (`ntddk.h`).
  private func notifyInfo(
    of process: Process, by creator: Thread, _ status: NTSTATUS
  ) throws -> (block: UInt64, strings: [Pointer<UNICODE_STRING>]) {
    let here = memory.memory
    let image = try makeString("\\??\\C:" + (process.imageName ?? "\\Windows\\System32\\\(process.name)"))
    let command = try process.commandLine.map { try makeString($0) }
    let block = try allocate(0x24)
    let words: [UInt64] = [
      0x24, 1, try process.object.InheritedFromUniqueProcessId.load().address, try creator.object.Cid.UniqueProcess.load().address,
      try creator.object.Cid.UniqueThread.load().address, 0, image.address, command?.address ?? 0, UInt64(status.rawValue),
    ]
    for (index, word) in words.enumerated() { try here.store(UInt32(truncatingIfNeeded: word), at: block + 4 * UInt64(index)) }
    return (block, [image] + (command.map { [$0] } ?? []))
  }

  /// `creator` makes a thread in `process`.
  public func beginThread(_ name: String, in process: Process, uniqueID: UInt64, by creator: Thread) throws -> Continuation {
    try beginRoutine(on: creator) { [self] in
      guard !process.hasExited else { return UInt64(NTSTATUS.processIsTerminating.rawValue) }
      let thread = try createThread(name, in: process, uniqueID: uniqueID)
      try thread.object.CreateTime.QuadPart.store(Int64(bitPattern: systemTime))
      try await notifyThread(thread, isCreated: true)
      return 0
    }
  }

  /// The first thread of a new process is about to run: its image is mapped, and who wants to know is told, in its context.
  public func beginFirstRun(of thread: Thread) throws -> Continuation {
    try beginRoutine(on: thread) { [self] in
      let process = thread.owner
      let base: UInt64 = 0x40_0000
      var size: UInt64 = 0
      while process.space[base + size].kind != .free { size += GuestMemory.pageSize }
      try process.object.SectionBaseAddress.store(Pointer(base, in: memory.memory))
      try makeEnvironment(of: process)
      try await notifyImage(
        process.imageName ?? "\\WINDOWS\\system32\\\(process.name)", process: process.object.UniqueProcessId.load().address,
        base: base, size: max(size, GuestMemory.pageSize), isSystem: false)
      return 0
    }
  }

  /// Whether a load image routine is there to be told.
  public var wantsImages: Bool { !processManager.imageRoutines.isEmpty }

  /// `thread` ends, of its own accord; its process with it, if it is the last.
  public func beginExit(of thread: Thread, _ status: NTSTATUS) throws -> Continuation {
    try run(thread)
    return try endRunningThread(status, isStep: true)
  }

  /// Runs `body` on `thread`, which is at rest, as the run's own call: no guest code leads there.
  func beginRoutine(on thread: Thread, _ body: @escaping RoutineStack.Body) throws -> Continuation {
    try run(thread)
    registers[.sp] = thread.restingStackPointer
    registers[.bp] = 0
    registers[.flags] = 0x202
    callResult = nil
    return try start(.step, body)
  }

  private func set(_ bit: UInt32, in flags: Pointer<UInt32>) throws { try flags.store(flags.load() | bit) }

  // MARK: Ends

  /// What a thread does on its way out, in its own context: notify routines, its I/O, its mutexes, its APCs; the last one of a
  /// process also what the process leaves.
  func tearDown(_ thread: Thread, _ status: NTSTATUS) async throws {
    let process = thread.owner
    try set(CrossThreadFlags.terminated, in: thread.object.CrossThreadFlags)
    try thread.object.Tcb.ApcState.UserApcPending.store(0)
    try await notifyThread(thread, isCreated: false)
    let isLast = try process.id != 0 && process.object.ActiveThreads.load() <= 1
    if isLast {
      try set(EPROCESSFlags.processExiting, in: process.object.Flags)
      try process.object.ExitStatus.store(process.exitStatus ?? status)
      try process.object.ExitTime.QuadPart.store(Int64(bitPattern: systemTime))
      let (parent, id) = (
        try process.object.InheritedFromUniqueProcessId.load().address, try process.object.UniqueProcessId.load().address
      )
      for routine in processManager.processRoutines {
        try await notify(routine.address, routine.isExtended ? [process.object.address, id, 0] : [parent, id, 0])
      }
    }
    try await cancelRequests(of: thread)
    if isLast { try await closeHandles(of: process) }
    try abandonMutants(of: thread)
    try await runDownAPCs(of: thread)
    try thread.object.ExitTime.QuadPart.store(Int64(bitPattern: systemTime))
    try finish(thread, status)
    if isLast { try exit(process) }
  }

  /// The thread is gone: its object is signaled.
  private func finish(_ thread: Thread, _ status: NTSTATUS) throws {
    try thread.object.Tcb.State.store(.terminated)
    try noteClient(thread.object.Cid.UniqueThread.load().address, 0)
    try thread.object.Tcb.apcQueueable.store(0)
    try thread.object.ExitStatus.store(status)
    let header = thread.object.Tcb.Header
    try header.SignalState.store(1)
    try signal(header)
    let process = thread.owner.object
    try process.LastThreadExitStatus.store(status)
    try process.ActiveThreads.store(process.ActiveThreads.load() &- 1)
    try thread.object.ThreadListEntry.remove()
    try thread.object.Tcb.ThreadListEntry.remove()
  }

  /// How long a thread waits for its requests after it has cancelled them, in steps of a tenth of a second.
  private static let patience = 3000

  /// Cancels what the thread has asked for, and waits for it: five minutes, after which the I/O manager gives it up.
  private func cancelRequests(of thread: Thread) async throws {
    for entry in try thread.object.IrpList.entries() {
      let irp = Pointer<IRP>(entry.address - UInt64(IRP.layouts[memory.target].ThreadListEntry.offset), in: memory.memory)
      _ = try await cancel(irp)
    }
    for _ in 0..<Self.patience where try !thread.object.IrpList.isEmpty { _ = try await waiting([], timeout: -1_000_000) }
    for entry in try thread.object.IrpList.entries() {
      report(violation: "a thread ends, and a request of its was not completed five minutes after it was cancelled", at: Site(ip: 0))
      _ = try entry.remove()
      try entry.initialize()
    }
  }

  /// Closes every handle of the process, in its own context: files get their `IRP_MJ_CLEANUP` there.
  private func closeHandles(of process: Process) async throws {
    for handle in handles.handles(of: process.id) { _ = try await close(handle) }
  }

  /// A mutex that the thread still owns is abandoned: whoever waits for it gets it, and is told (KeWaitForSingleObject).
  private func abandonMutants(of thread: Thread) throws {
    for entry in try thread.object.Tcb.MutantListHead.entries() {
      let mutant = entry.container(\KMUTANT.MutantListEntry)
      try mutant.MutantListEntry.remove()
      try mutant.OwnerThread.store(Pointer(0, in: memory.memory))
      try mutant.Abandoned.store(1)
      try mutant.Header.SignalState.store(1)
      try signal(mutant.Header)
    }
  }
}

/// `EPROCESS.Flags` (public symbols).
enum EPROCESSFlags {
  static let createReported: UInt32 = 1
  static let processExiting: UInt32 = 4
}

/// `ETHREAD.CrossThreadFlags` (public symbols).
enum CrossThreadFlags {
  static let terminated: UInt32 = 1
  static let systemThread: UInt32 = 0x10
  static let hardErrorsAreDisabled: UInt32 = 0x20
}
