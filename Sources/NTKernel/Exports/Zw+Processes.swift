import Guest
import WindowsTypes

extension Export {
  /// Handles to processes and threads.
  static let processHandles: [Export] = ["Zw", "Nt"].flatMap { prefix -> [Export] in
    [
      // nf-ntddk-ntopenprocess
      export("\(prefix)OpenProcess(ProcessHandle, DesiredAccess, ObjectAttributes, ClientId)", irql: .passive) {
        (
          kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, client: Pointer<CLIENT_ID>
        ) async throws -> NTSTATUS in
        try await kernel.guardedWaiting(prefix) { try await kernel.openProcess(result, access, attributes, client, prefix) }
      }
      .partially("from user mode: the owner and SeDebugPrivilege alone decide, not the process's descriptor"),
      // ZwOpenThread has no reference page; it is as ZwOpenProcess is.
      export("\(prefix)OpenThread(ThreadHandle, DesiredAccess, ObjectAttributes, ClientId)", irql: .passive) {
        (
          kernel, result: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, client: Pointer<CLIENT_ID>
        ) async throws -> NTSTATUS in
        try await kernel.guardedWaiting(prefix) { try await kernel.openThread(result, access, attributes, client, prefix) }
      },
    ]
  }

  /// What processes and threads are asked by their handles.
  static let processCalls: [Export] =
    ["Zw", "Nt"].flatMap { prefix -> [Export] in
      [
        // nf-winternl-ntqueryinformationprocess
        export(
          "\(prefix)QueryInformationProcess(ProcessHandle, ProcessInformationClass, ProcessInformation, ProcessInformationLength, ReturnLength)",
          irql: .passive
        ) {
          (kernel, handle: GuestWord, kind: UInt32, buffer: GuestWord, length: UInt32, needed: Pointer<UInt32>) -> NTSTATUS in
          try kernel.guarded(prefix) {
            switch try kernel.object(handle.bits, access: 0x400, type: kernel.objectType(.process), mode: kernel.mode(of: prefix)) {
            case .failure(let refusal): return refusal.status
            case .success(let entry):
              guard let process = kernel.process(at: entry.object) else { return .invalidHandle }
              // ProcessImageFileName and its Win32 form: a counted string, as long as it is.
              if kind == 27 || kind == 43 { return try kernel.queryImageName(of: process, buffer.bits, length, needed) }
              return try kernel.answer(try kernel.facts(kind, of: process), buffer.bits, length, needed)
            }
          }
        }
        .partially("basic information, times, debug port, handle count, session, WOW64, image name and debugger classes"),
        // nf-winternl-ntqueryinformationthread
        export(
          "\(prefix)QueryInformationThread(ThreadHandle, ThreadInformationClass, ThreadInformation, ThreadInformationLength, ReturnLength)",
          irql: .passive
        ) {
          (kernel, handle: GuestWord, kind: UInt32, buffer: GuestWord, length: UInt32, needed: Pointer<UInt32>) -> NTSTATUS in
          try kernel.guarded(prefix) {
            switch try kernel.object(handle.bits, access: 0x40, type: kernel.objectType(.thread), mode: kernel.mode(of: prefix)) {
            case .failure(let refusal): return refusal.status
            case .success(let entry):
              guard let thread = kernel.thread(at: entry.object) else { return .invalidHandle }
              return try kernel.answer(try kernel.facts(kind, of: thread), buffer.bits, length, needed)
            }
          }
        }
        .partially("basic information, times, start address and whether it is the last of its process"),
        // nf-ntifs-zwsetinformationthread
        export(
          "\(prefix)SetInformationThread(ThreadHandle, ThreadInformationClass, ThreadInformation, ThreadInformationLength)", irql: .passive
        ) {
          (kernel, handle: GuestWord, kind: UInt32, buffer: Pointer<UInt32>, length: UInt32) -> NTSTATUS in
          try kernel.guarded(prefix) { try kernel.setThread(handle.bits, kind, buffer, length, prefix) }
        }
        .partially("priority, base priority, affinity, impersonation token, hiding from debuggers and break on termination"),
        // nf-winternl-ntquerysysteminformation
        export(
          "\(prefix)QuerySystemInformation(SystemInformationClass, SystemInformation, SystemInformationLength, ReturnLength)",
          irql: .passive
        ) {
          (kernel, kind: UInt32, buffer: GuestWord, length: UInt32, needed: Pointer<UInt32>) -> NTSTATUS in
          try kernel.guarded(prefix) {
            guard let (bytes, isExact) = try kernel.systemInformation(kind, at: buffer.bits) else { return NTSTATUS(rawValue: 0xc000_0003) }
            if isExact { return try kernel.answer(bytes, buffer.bits, length, needed) }
            if !needed.isNull { try needed.store(UInt32(bytes.count)) }
            guard length >= UInt32(bytes.count) else { return .infoLengthMismatch }
            try kernel.memory.memory.write(bytes, at: buffer.bits)
            return .success
          }
        }
        .partially("of the counters, most are 0; paging files, pool tags, locks and sessions are unknown classes"),
      ]
    } + [
      // nf-ntddk-zwterminateprocess
      export("ZwTerminateProcess(ProcessHandle, ExitStatus)", irql: .passive) {
        (kernel, handle: GuestWord, status: NTSTATUS) async throws -> NTSTATUS in
        try await kernel.terminateProcess(handle.bits, status, "Zw")
      }
      .partially("a thread that waits in the kernel ends when its wait is over and it has returned")
    ]
}

extension Kernel {
  /// Writes an answer of fixed length: another length is STATUS_INFO_LENGTH_MISMATCH; no answer is STATUS_INVALID_INFO_CLASS.
  func answer(_ bytes: [UInt8]?, _ buffer: UInt64, _ length: UInt32, _ needed: Pointer<UInt32>) throws -> NTSTATUS {
    guard let bytes else { return NTSTATUS(rawValue: 0xc000_0003) }
    if !needed.isNull { try needed.store(UInt32(bytes.count)) }
    guard length == UInt32(bytes.count) else { return .infoLengthMismatch }
    try memory.memory.write(bytes, at: buffer)
    return .success
  }

  /// Of name and identifier one must be given, and not both (STATUS_INVALID_PARAMETER_MIX).
  private func checkMix(_ attributes: Pointer<OBJECT_ATTRIBUTES>, _ client: Pointer<CLIENT_ID>) throws -> NTSTATUS? {
    let isNamed = try !attributes.isNull && !attributes.ObjectName.load().isNull
    if isNamed != client.isNull { return NTSTATUS(rawValue: 0xc000_0030) }
    // Processes and threads have no names.
    return isNamed ? .objectNameNotFound : nil
  }

  private func open(
    _ object: UInt64, of owner: Process, _ result: Pointer<GuestWord>, _ access: UInt32, _ attributes: Pointer<OBJECT_ATTRIBUTES>,
    _ mapping: GenericMapping, _ prefix: String
  ) async throws -> NTSTATUS {
    let mode = try mode(of: prefix)
    if mode == .userMode {
      let token = try currentToken()
      let isOwn = try token.user == primaryToken(of: owner).user
      // SeDebugPrivilege
      guard isOwn || token.hasEnabled(20) else { return .accessDenied }
    }
    let flags = attributes.isNull ? 0 : try attributes.Attributes.load()
    let wanted = access & 0x200_0000 != 0 ? mapping.all : mapping.map(access)
    try result.store(0)
    let attributes = ObjectAttributeFlags(rawValue: flags)
    let isKernel = attributes.contains(.kernelHandle) && mode == .kernelMode
    return try await announcingHandle(.init(code: 1, object: object, isKernelHandle: isKernel), access: wanted) { granted in
      try reference(object, for: nil)
      try result.store(GuestWord(makeHandle(to: object, access: granted, attributes: attributes, mode: mode)))
      return .success
    }
  }

  func openProcess(
    _ result: Pointer<GuestWord>, _ access: UInt32, _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ client: Pointer<CLIENT_ID>,
    _ prefix: String
  ) async throws -> NTSTATUS {
    if let status = try checkMix(attributes, client) { return status }
    let (id, threadID) = (try client.UniqueProcess.load().address, try client.UniqueThread.load().address)
    let found = try processes.first { process in
      guard try id != 0 && !process.hasExited && process.object.UniqueProcessId.load().address == id else { return false }
      return try threadID == 0
        || threads.contains { try $0.owner === process && $0.object.Cid.UniqueThread.load().address == threadID }
    }
    // STATUS_INVALID_CID, as the page says of an identifier that is nobody's.
    guard let found else { return NTSTATUS(rawValue: threadID == 0 ? 0xc000_000d : 0xc000_000b) }
    return try await open(
      found.object.address, of: found, result, access, attributes,
      GenericMapping(read: 0x2_0410, write: 0x2_0beb, execute: 0x12_0000, all: 0x1f_0fff), prefix)
  }

  func openThread(
    _ result: Pointer<GuestWord>, _ access: UInt32, _ attributes: Pointer<OBJECT_ATTRIBUTES>, _ client: Pointer<CLIENT_ID>,
    _ prefix: String
  ) async throws -> NTSTATUS {
    if let status = try checkMix(attributes, client) { return status }
    let (id, owner) = (try client.UniqueThread.load().address, try client.UniqueProcess.load().address)
    let found = try threads.first { thread in
      try id != 0 && !thread.hasEnded && thread.object.Cid.UniqueThread.load().address == id
        && (owner == 0 || thread.object.Cid.UniqueProcess.load().address == owner)
    }
    guard let found else { return NTSTATUS(rawValue: 0xc000_000b) }
    return try await open(
      found.object.address, of: found.owner, result, access, attributes,
      GenericMapping(read: 0x2_0048, write: 0x2_0037, execute: 0x12_0000, all: 0x1f_03ff), prefix)
  }

  /// Ends every thread of a process, each in its own context; the caller's own last.
  func terminateProcess(_ handle: UInt64, _ status: NTSTATUS, _ prefix: String) async throws -> NTSTATUS {
    guard let running else { throw KernelError("no thread runs") }
    var process = running.owner
    if handle != 0 {
      switch try object(handle, access: 1, type: objectType(.process), mode: mode(of: prefix)) {
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        guard let found = self.process(at: entry.object) else { return .invalidHandle }
        process = found
      }
    }
    // System and the idle process do not end.
    if process.id == 0 { return .accessDenied }
    if process.hasExited { return .processIsTerminating }
    process.exitStatus = status
    for thread in threads where thread.owner === process && !thread.hasEnded && thread !== running {
      try thread.object.store(bits: \.Terminated, 1)
      guard thread.isAtRest else { continue }
      thread.resumption = .start { [self] in
        try await tearDown(thread, status)
        return 0
      }
      thread.startsExit = true
      try makeReady(thread)
    }
    // With a handle of 0 the caller's own thread goes on.
    if process === running.owner, handle != 0 { throw ThreadEnds(status: status) }
    return .success
  }

  // MARK: Answers

  private func long(_ value: Int64) -> [UInt64] { [UInt64(bitPattern: value) & 0xffff_ffff, UInt64(bitPattern: value) >> 32] }

  /// `PROCESSINFOCLASS` (`winternl.h`, ReactOS: psfuncs.h).
  func facts(_ kind: UInt32, of process: Process) throws -> [UInt8]? {
    let object = process.object
    switch kind {
    case 0:
      // STATUS_PENDING while it lives.
      let status = process.hasExited ? try object.ExitStatus.load().rawValue : 0x103
      return words([
        UInt64(status), try object.Peb.load().address, 1, UInt64(try object.Pcb.BasePriority.load()),
        try object.UniqueProcessId.load().address, try object.InheritedFromUniqueProcessId.load().address,
      ])
    case 4: return words(long(try object.CreateTime.QuadPart.load()) + long(try object.ExitTime.QuadPart.load()) + [0, 0, 0, 0])
    case 7: return words([try object.DebugPort.load().address])
    case 20: return words([UInt64(handles.handles(of: process.id).count)])
    case 24, 26, 29: return words([0])
    case 31: return words([1])
    default: return nil
    }
  }

  /// The path of the file that a process runs, as the object manager names it.
  func imagePath(of process: Process) -> String {
    process.imageName ?? "\\Device\\HarddiskVolume1\\WINDOWS\\system32\\\(process.name)"
  }

  func queryImageName(of process: Process, _ buffer: UInt64, _ length: UInt32, _ needed: Pointer<UInt32>) throws -> NTSTATUS {
    let name = imagePath(of: process)
    let size = UInt32(8 + name.utf16.count * 2 + 2)
    if !needed.isNull { try needed.store(size) }
    guard length >= size else { return .infoLengthMismatch }
    try Pointer<UNICODE_STRING>(buffer, in: memory.memory).store(name, buffer: Pointer(buffer + 8, in: memory.memory))
    return .success
  }

  /// `THREADINFOCLASS`.
  func facts(_ kind: UInt32, of thread: Thread) throws -> [UInt8]? {
    let object = thread.object
    switch kind {
    case 0:
      let status = thread.hasEnded ? try object.ExitStatus.load().rawValue : 0x103
      return words([
        UInt64(status), try object.Tcb.Teb.load().address, try object.Cid.UniqueProcess.load().address,
        try object.Cid.UniqueThread.load().address, 1, UInt64(try object.Tcb.Priority.load()), UInt64(try object.Tcb.BasePriority.load()),
      ])
    case 1: return words(long(try object.CreateTime.QuadPart.load()) + long(try object.ExitTime.QuadPart.load()) + [0, 0, 0, 0])
    case 9: return words([try object.StartAddress.load().address])
    case 12: return words([try thread.owner.object.ActiveThreads.load() == 1 ? 1 : 0])
    default: return nil
    }
  }

  func setThread(_ handle: UInt64, _ kind: UInt32, _ value: Pointer<UInt32>, _ length: UInt32, _ prefix: String) throws -> NTSTATUS {
    let entry: HandleTable.Entry
    switch try object(handle, access: 0x20, type: objectType(.thread), mode: mode(of: prefix)) {
    case .failure(let refusal): return refusal.status
    case .success(let found): entry = found
    }
    guard let thread = thread(at: entry.object) else { return .invalidHandle }
    let tcb = thread.object.Tcb
    if kind == 17 { return length == 0 ? try hide(thread) : .infoLengthMismatch }
    guard length == 4 else { return [2, 3, 4, 5, 18].contains(kind) ? .infoLengthMismatch : NTSTATUS(rawValue: 0xc000_0003) }
    let wanted = Int32(bitPattern: try value.load())
    switch kind {
    case 2:
      guard (1...15).contains(wanted) else { return .invalidParameter }
      isPreemptionDue = true
      try tcb.Priority.store(Int8(wanted))
    case 3:
      // An increment from -2 to 2, or to the ends of the range (15, -15).
      guard (-2...2).contains(wanted) || abs(wanted) == 15 else { return .invalidParameter }
      let base = Int32(try thread.owner.object.Pcb.BasePriority.load())
      let new = abs(wanted) == 15 ? (wanted > 0 ? 15 : 1) : max(1, min(15, base + wanted))
      isPreemptionDue = true
      try tcb.BasePriority.store(Int8(new))
      try tcb.Priority.store(Int8(new))
    case 4:
      guard wanted & 1 != 0 else { return .invalidParameter }
      try tcb.affinity.store(1)
    case 5:
      guard wanted != 0 else {
        try impersonate(nil, by: thread, copyOnOpen: false, effectiveOnly: false, level: 0)
        return .success
      }
      switch try object(UInt64(UInt32(bitPattern: wanted)), access: 4, type: objectType(.token), mode: mode(of: prefix)) {
      case .failure(let refusal): return refusal.status
      case .success(let entry):
        // STATUS_BAD_TOKEN_TYPE: a primary token does not impersonate.
        guard let token = try token(at: entry.object), token.type == 2 else { return NTSTATUS(rawValue: 0xc000_00a8) }
        try impersonate(token, by: thread, copyOnOpen: true, effectiveOnly: false, level: token.impersonationLevel)
      }
    case 18: try thread.object.store(bits: \.BreakOnTermination, wanted == 0 ? 0 : 1)
    default: return NTSTATUS(rawValue: 0xc000_0003)
    }
    return .success
  }

  private func hide(_ thread: Thread) throws -> NTSTATUS {
    try thread.object.store(bits: \.HideFromDebugger, 1)
    return .success
  }
}
