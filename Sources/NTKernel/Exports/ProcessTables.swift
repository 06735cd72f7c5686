extension Export {
  /// Processes, threads, security, and what else the executive offers beside I/O.
  static let executive: [Export] = [
    notifyRoutines, securityChecks, tokens, objectSecurity, processFacts, processHandles, processCalls, eventCalls, poolVariants,
  ].flatMap { $0 }
}
