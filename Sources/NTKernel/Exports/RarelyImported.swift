extension Export {
  /// What few drivers import, and what other modules than the kernel and the HAL export. Behind all other tables, so that the places
  /// of those stay.
  static let rarelyImported: [[Export]] =
    [
      oplockCalls, tunnelCalls, createParameterCalls, fastTransferCalls, pinnedDataCalls, fileSystemServiceCalls, filterContextCalls,
      partitionCalls, namePrefixes, shortNames, imageResources, rangeLists, narrowAddresses, wideAddresses, tableDirectories,
      machineState, requestExtras, securityExtras, usbd, tdi, wmilib, filterEngine, callouts, netBuffers, startIo,
    ] + portModules

  /// What port and class drivers export, and the helper modules beside them.
  private static let portModules: [[Export]] = [
    ndisDrivers, ndisInternals, ndisHandlers, ndisIndications, ndisAdapters, ndisDevices, ndisProtocols, ndisConfiguration, ndisPackets,
    ndisUtilities, scsiport, storport, scsiInternals, videoprt, videoInternals, hidclass, classpnp, ks, portcls,
    battc, usbport, controllers, randomNumbers, bootvid, winsockKernel, netBufferLists, ndisHardware, wppRecorder, videoExtras,
    tdiAddresses,
  ]
}
