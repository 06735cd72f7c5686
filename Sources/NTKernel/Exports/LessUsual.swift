extension Export {
  /// What hardly a driver imports, in the order in which it was added: behind all other tables, so that the places of those stay.
  static let lessUsual: [[Export]] = [
    processorGroups, eventTracing, laterFacts, countlessPrintf, graphics, laterCalls, processorCalls, processCopies, driverObjects,
    utf8Text, errorCodes, ethernetAddresses, compression, atomTables, resourceLengths, smallServices, localTime, heaps, runOnce,
    tableSearches, rangeSets, securityLists, runListCalls, fileSystemHelpers, ansiPrefixes,
    taggedObjects, auditing, subjects, powerSettings, firmwareCalls, debugFilters, cacheExtras, transactions, counters,
    dynamicHashTables, moduleTexts, callersAPCs,
  ]
}
