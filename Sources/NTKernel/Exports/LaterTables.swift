extension Export {
  /// Tables that stand behind all others, so that the places of those stay.
  static let laterTables: [[Export]] = [
    oplockCalls, tunnelCalls, createParameterCalls, fastTransferCalls, pinnedDataCalls, fileSystemServiceCalls, filterContextCalls,
    partitionCalls, namePrefixes, shortNames, imageResources, rangeLists, narrowAddresses, wideAddresses, tableDirectories,
    machineState, requestExtras, securityExtras, usbd, tdi, wmilib, filterEngine, callouts, netBuffers,
  ]
}
