import Guest
import WindowsTypes

/// WppRecorder.sys: the inflight trace recorder (wpprecorder.h), which keeps a driver's latest WPP messages in memory. It comes with
/// Windows 8.1; a driver that imports it is run nevertheless.
extension Export {
  static let wppRecorder: [Export] = [
    // What the driver's own WPP_INIT_TRACING and WPP_CLEANUP call.
    export("WppAutoLogStart(WppCb, DriverObject, RegistryPath)", module: "WppRecorder", irql: .passive) {
      (_, control: GuestWord, driver: GuestWord, path: GuestWord) in
    }
    .partially("the driver's default log is off, as its registry settings can have it"),
    export("WppAutoLogStop(WppCb, DriverObject)", module: "WppRecorder", irql: .passive) {
      (kernel, control: GuestWord, driver: GuestWord) in
      for (log, owner) in kernel.traceLogs.owners where owner == control.bits { _ = kernel.deleteTraceLog(log) }
    },
    // What a message's macro calls: the log, then the message, then its arguments and their sizes.
    variadicExport(
      "WppAutoLogTrace(AutoLogContext, MessageLevel, MessageFlags, MessageGuid, MessageNumber, ...)", module: "WppRecorder",
      irql: .high
    ) {
      (_, _: VariadicArguments, log: GuestWord, level: UInt8, flags: UInt32, guid: GuestWord, number: UInt16) -> NTSTATUS in .success
    }
    .partially("the message is in the trace of the run alone"),
    // nf-wpprecorder-wpprecorderlogcreate: RECORDER_LOG_CREATE_PARAMS has the log's size behind its own and its tag.
    export("imp_WppRecorderLogCreate(WppCb, CreateParams, RecorderLog)", module: "WppRecorder", irql: .dispatch) {
      (kernel, control: GuestWord, parameters: GuestWord, result: Pointer<GuestWord>) -> NTSTATUS in
      guard parameters.bits != 0, !result.isNull else { return .invalidParameter }
      try result.store(0)
      let given = kernel.words(parameters.bits)
      guard try given[0] >= 0x10 else { return .invalidParameter }
      let size = try given[8]
      guard size <= 0x10_0000, let log = try kernel.nonPagedPool.allocate(max(0x40, size), tag: Kernel.ownTag, in: kernel.memory) else {
        return .insufficientResources
      }
      kernel.traceLogs.owners[log] = control.bits
      kernel.register(Kernel.traceLog, log)
      try result.store(GuestWord(log))
      return .success
    }
    .uncertain("a log of more than 1 MB is refused: the page gives no limit"),
    // nf-wpprecorder-wpprecorderlogdelete
    export("imp_WppRecorderLogDelete(WppCb, RecorderLog)", module: "WppRecorder", irql: .dispatch) {
      (kernel, control: GuestWord, log: GuestWord) -> NTSTATUS in kernel.deleteTraceLog(log.bits) ? .success : .invalidParameter
    }
    .uncertain("what is no log is STATUS_INVALID_PARAMETER"),
    // nf-wpprecorder-imp_wpprecorderisdefaultlogavailable, nf-wpprecorder-imp_wpprecorderloggetdefault
    export("imp_WppRecorderIsDefaultLogAvailable(WppCb)", module: "WppRecorder", irql: .dispatch) { (_, control: GuestWord) -> UInt8 in 0 },
    export("imp_WppRecorderLogGetDefault(WppCb)", module: "WppRecorder", irql: .dispatch) { (_, control: GuestWord) -> GuestWord in 0 },
    // Tells a tracing session that begins what has been logged before. None does.
    export("imp_WppRecorderReplay(WppCb, WppTraceHandle, EnableFlags, EnableLevel)", module: "WppRecorder", irql: .passive) {
      (_, control: GuestWord, session: UInt64, flags: UInt32, level: UInt8) -> NTSTATUS in .success
    },
    // nf-wpprecorder-wpprecorderconfigure
    export("imp_WppRecorderConfigure(WppCb, ConfigureParams)", module: "WppRecorder", irql: .passive) {
      (kernel, control: GuestWord, parameters: GuestWord) -> NTSTATUS in
      try parameters.bits != 0 && kernel.words(parameters.bits)[0] >= 8 ? .success : .invalidParameter
    }
    .partially("the default log stays off"),
  ]
}

/// The logs that drivers have made, with the control blocks that they belong to.
private final class TraceLogs {
  var owners: [UInt64: UInt64] = [:]
}

extension Kernel {
  fileprivate static let traceLog = "a log of the trace recorder's"
  fileprivate var traceLogs: TraceLogs { part { TraceLogs() } }

  fileprivate func deleteTraceLog(_ log: UInt64) -> Bool {
    guard traceLogs.owners.removeValue(forKey: log) != nil else { return false }
    unregister(Self.traceLog, log)
    free(log)
    return true
  }
}
