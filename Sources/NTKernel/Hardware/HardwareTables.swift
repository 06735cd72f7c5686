extension Export {
  /// Hardware, Plug and Play, power, physical memory, and the rest of the I/O manager.
  static let hardware: [[Export]] = [
    tableRoutines, deviceMemory, specialMemory, moreMDLs, residency, halBuses, halServices, bootDisplay, kernelDebugger, interrupts,
    directMemoryAccess, adapterOperations, deviceWork, cancelSafeQueues, deviceQueues, threadQueues, bugCheckCallbacks, callbackObjects,
    errorLog, removeLocks, processors, plugAndPlay, plugAndPlayKeys, plugAndPlayInternals, power, instrumentation, moreRequests,
  ]
}
