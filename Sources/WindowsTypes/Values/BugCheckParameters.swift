extension BugCheckCode {
  /// What the four parameters mean, as a report says it; empty for a code that is not described here.
  ///
  /// A code whose first parameter selects the rest describes the most common form; ``parameterMeanings(first:)`` knows the others.
  public var parameterMeanings: [String] { Self.meanings[self] ?? [] }

  /// What the four parameters mean in a bugcheck whose first parameter is `first`.
  public func parameterMeanings(first: UInt64) -> [String] {
    switch (self, first) {
    case (.processHasLockedPages, 1):
      ["1: pages are unlocked that were not locked", "the MDL", "pages that are locked in the process", "stacks, if locks are tracked"]
    case (.memoryManagement, 0x1236):
      ["1236: a page is mapped or used that is not locked", "the MDL", "the entry of the frame number in it", "the frame number"]
    case (.memoryManagement, 0x61946):
      ["61946: the MDL to be locked is malformed", "the MDL", "reserved", "reserved"]
    case (.pfnListCorrupt, 0x07):
      ["7: a page was unlocked more often than locked", "the frame number", "its share count", "reserved"]
    case (.pfnListCorrupt, 0x99):
      ["99: the entry of a page frame is damaged", "the frame number", "its state", "reserved"]
    case (.pfnListCorrupt, 0x9a):
      ["9a: a page is freed that is still locked", "the frame number", "its state", "its reference count"]
    default: parameterMeanings
    }
  }

  private static let meanings: [BugCheckCode: [String]] = [
    .apcIndexMismatch: [
      "the system call or worker routine that returned", "the thread's ApcStateIndex", "its count of disabled APCs",
      "0 after a system call, 1 after a worker routine",
    ],
    .invalidProcessAttachAttempt: [
      "the process to attach to", "the process the thread is attached to", "the thread's ApcStateIndex",
      "not 0 while a DPC runs",
    ],
    .invalidProcessDetachAttempt: ["reserved", "reserved", "reserved", "reserved"],
    .irqlNotLessOrEqual: [
      "the address that was used", "the IRQL at that time", "bit 0: write, bit 3: execute", "the instruction that used it",
    ],
    .memoryManagement: ["the kind of damage", "depends on the kind", "depends on the kind", "depends on the kind"],
    .kmodeExceptionNotHandled: [
      "the exception code", "the address it happened at", "the exception's first parameter", "the exception's second parameter",
    ],
    .pfnListCorrupt: ["the kind of damage", "depends on the kind", "depends on the kind", "depends on the kind"],
    .pageFaultInNonpagedArea: [
      "the address that was used", "0 read, 1 write", "the instruction that used it", "the kind of fault",
    ],
    .processHasLockedPages: [
      "0: a process ends with locked pages", "the process", "how many pages are locked", "stacks, if locks are tracked",
    ],
    .systemThreadExceptionNotHandled: [
      "the exception code", "the address it happened at", "the exception record", "the context record",
    ],
    .kernelModeExceptionNotHandled: [
      "the exception code", "the address it happened at", "the trap frame", "reserved",
    ],
    .driverVerifierDetectedViolation: [
      "the rule that was broken", "depends on the rule", "depends on the rule", "depends on the rule",
    ],
    .driverVerifierIOManagerViolation: [
      "the rule that was broken", "depends on the rule", "depends on the rule", "depends on the rule",
    ],
    .driverLeftLockedPagesInProcess: [
      "the record of locks, or the caller that locked", "0", "the MDL with the locked pages", "how many pages are locked",
    ],
    .driverIRQLNotLessOrEqual: [
      "the address that was used", "the IRQL at that time", "0 read, 1 write, 2 or 8 execute", "the instruction that used it",
    ],
    .fltMgrFileSystem: ["what was wrong", "depends on it", "depends on it", "depends on it"],
  ]
}
