import Events
import Guest
import WindowsTypes

/// What the process manager knows beside the objects in guest memory.
struct ProcessManager {
  var processRoutines: [NotifyRoutine] = []
  var threadRoutines: [NotifyRoutine] = []
  var imageRoutines: [NotifyRoutine] = []

  /// A routine that a driver wants called when processes, threads or images come and go.
  struct NotifyRoutine: Hashable {
    let address: UInt64
    /// Takes `PS_CREATE_NOTIFY_INFO`, and may forbid the process.
    var isExtended = false
  }
}

/// What `PsSet…NotifyRoutine` registers, as a report names it.
enum NotifyKind {
  static let process = "a process notify routine"
  static let thread = "a thread notify routine"
  static let image = "a load image notify routine"
}

extension Kernel {
  /// How many routines of a kind can be registered: 8 on XP, 64 since Windows 7 (nf-ntddk-pssetcreateprocessnotifyroutine names 64).
  var notifyRoutineLimit: Int { memory.target.system.release >= .vista ? 64 : 8 }

  /// `PsSetCreateProcessNotifyRoutine` and its `Ex`: a routine twice, or one too many, is STATUS_INVALID_PARAMETER; so is the
  /// removal of one that is not there, which the page calls STATUS_INVALID_PARAMETER or STATUS_PROCEDURE_NOT_FOUND.
  func changeProcessRoutine(_ routine: UInt64, isExtended: Bool, removes: Bool) -> NTSTATUS {
    let entry = ProcessManager.NotifyRoutine(address: routine, isExtended: isExtended)
    let index = processManager.processRoutines.firstIndex(of: entry)
    if removes {
      // STATUS_PROCEDURE_NOT_FOUND
      guard let index else { return .init(rawValue: 0xc000_007a) }
      processManager.processRoutines.remove(at: index)
      unregister(NotifyKind.process, routine)
      return .success
    }
    guard index == nil, routine != 0, processManager.processRoutines.count < notifyRoutineLimit else { return .invalidParameter }
    processManager.processRoutines.append(entry)
    register(NotifyKind.process, routine)
    return .success
  }

  /// Registers a thread or image routine. One too many is STATUS_INSUFFICIENT_RESOURCES (nf-ntddk-pssetcreatethreadnotifyroutine).
  func addRoutine(
    _ routine: UInt64, to list: WritableKeyPath<ProcessManager, [ProcessManager.NotifyRoutine]>, _ kind: String
  ) -> NTSTATUS {
    guard processManager[keyPath: list].count < notifyRoutineLimit else { return .insufficientResources }
    processManager[keyPath: list].append(.init(address: routine))
    register(kind, routine)
    return .success
  }

  /// Removes one. One that is not registered is STATUS_PROCEDURE_NOT_FOUND (nf-ntddk-psremovecreatethreadnotifyroutine).
  func removeRoutine(
    _ routine: UInt64, from list: WritableKeyPath<ProcessManager, [ProcessManager.NotifyRoutine]>, _ kind: String
  ) -> NTSTATUS {
    guard let index = processManager[keyPath: list].firstIndex(where: { $0.address == routine }) else {
      return .init(rawValue: 0xc000_007a)
    }
    processManager[keyPath: list].remove(at: index)
    unregister(kind, routine)
    return .success
  }

  /// Calls a driver's notify routine on the running thread: at PASSIVE_LEVEL in a critical region, with normal kernel APCs disabled
  /// (nc-ntddk-pcreate_process_notify_routine). It must leave both as they were.
  func notify(_ routine: UInt64, _ arguments: [UInt64]) async throws {
    let thread = try currentThread()
    let disabled = try thread.kernelApcDisable.load()
    try thread.kernelApcDisable.store(disabled &- 1)
    _ = try await call(routine, arguments)
    let (irql, inside) = (try kpcr.Irql.load(), try thread.kernelApcDisable.load())
    if irql != .passive {
      report(violation: "a notify routine returned at IRQL \(irql.rawValue); it was called at 0", at: Site(ip: routine))
      try lowerIRQL(to: .passive)
    }
    if inside != disabled &- 1 {
      report(violation: "a notify routine returned with APCs disabled otherwise than it was called", at: Site(ip: routine))
    }
    try thread.kernelApcDisable.store(disabled)
  }

  func notifyThread(_ thread: Thread, isCreated: Bool) async throws {
    for routine in processManager.threadRoutines {
      try await notify(
        routine.address,
        [
          thread.object.Cid.UniqueProcess.load().address, thread.object.Cid.UniqueThread.load().address, isCreated ? 1 : 0,
        ])
    }
  }

  /// `PLOAD_IMAGE_NOTIFY_ROUTINE(FullImageName, ProcessId, ImageInfo)`: of a driver, `ProcessId` is 0 (nc-ntddk-pload_image_notify_routine).
  func notifyImage(_ name: String, process: UInt64, base: UInt64, size: UInt64, isSystem: Bool) async throws {
    guard !processManager.imageRoutines.isEmpty else { return }
    let text = try makeString(name)
    let info = try allocate(0x20)
    defer {
      release(text)
      _ = nonPagedPool.free(info)
    }
    // IMAGE_INFO: ImageAddressingMode IMAGE_ADDRESSING_MODE_32BIT (3), SystemModeImage (bit 8).
    let properties: UInt32 = 3 | (isSystem ? 0x100 : 0)
    for routine in processManager.imageRoutines {
      for (index, word) in [properties, UInt32(base), 0, UInt32(size), 0].enumerated() {
        try memory.memory.store(word, at: info + 4 * UInt64(index))
      }
      try await notify(routine.address, [text.address, process, info])
    }
  }

  /// `\SystemRoot\System32\Drivers\hello.sys`: what the list of modules says.
  func imageName(of driver: Driver) throws -> String {
    let section = try driver.object.DriverSection.load()
    guard !section.isNull else { return "\\SystemRoot\\System32\\Drivers\\\(driver.name).sys" }
    return try section.cast(to: LDR_DATA_TABLE_ENTRY.self).FullDllName.string()
  }

  /// Whether the image that holds `routine` was linked with `/integritycheck`: LDRP_IMAGE_INTEGRITY_FORCED in its entry's flags, as
  /// MmVerifyCallbackFunction looks for it.
  func hasIntegrityCheck(_ routine: UInt64) -> Bool {
    guard let head = loadedModules, let entries = try? head.entries() else { return false }
    for link in entries {
      let entry = link.container(\LDR_DATA_TABLE_ENTRY.InLoadOrderLinks)
      guard let base = try? entry.DllBase.load().address, let size = try? entry.SizeOfImage.load(),
        let flags = try? entry.Flags.load(), routine >= base, routine < base + UInt64(size)
      else { continue }
      return flags & 0x20 != 0
    }
    return false
  }

  /// A counted string of the kernel's own in nonpaged pool, until ``release(_:)``.
  func makeString(_ text: String) throws -> Pointer<UNICODE_STRING> {
    let string = Pointer<UNICODE_STRING>(try allocate(8), in: memory.memory)
    try store(text, in: string)
    return string
  }

  func release(_ string: Pointer<UNICODE_STRING>) {
    if let buffer = try? string.Buffer.load().address { _ = nonPagedPool.free(buffer) }
    _ = nonPagedPool.free(string.address)
  }
}
