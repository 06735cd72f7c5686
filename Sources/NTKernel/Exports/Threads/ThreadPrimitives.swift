extension Export {
  /// APCs, and what threads synchronize with beside dispatcher objects.
  static let threadPrimitives: [[Export]] = [
    asynchronousCalls, guardedMutexes, rundownProtection, pushLocks, readerWriterSpinLocks, criticalAcquisitions, extendedLookaside,
    zones, threadFacts,
  ]
}
