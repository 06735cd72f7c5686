import Guest
import WindowsTypes

/// Every routine that the run provides in Swift, in a fixed order: an export's position is its trap's number.
public struct ExportTable: Sendable {
  public let exports: [Export]
  private let byName: [String: Int]
  /// The version of Windows that first has each.
  private let introductions: [WindowsRelease]

  /// Names must differ within a module.
  public init(_ tables: [[Export]]) {
    let all = tables.flatMap { $0 }
    exports = all
    introductions = all.map { KnownRoutines.introduction(of: $0.name, in: $0.module) }
    byName = Dictionary(all.enumerated().map { ("\($1.module)!\($1.name)".lowercased(), $0) }) { first, _ in
      preconditionFailure("\(all[first].module)!\(all[first].name) is declared twice")
    }
  }

  /// The table and, behind it, the service of every `Zw` routine that has no `Nt` routine of its own: where the entry of the table of
  /// system services leads, which drivers read, replace and call. It does what the `Zw` routine does, for whoever calls it.
  public var withServices: ExportTable {
    ExportTable([
      exports,
      exports.compactMap { export in
        guard export.module == "nt", export.isImportable, export.name.hasPrefix("Zw") else { return nil }
        let name = "Nt" + export.name.dropFirst(2)
        return self["nt", name] == nil ? export.internally(named: name) : nil
      },
    ])
  }

  /// The number of the importable routine `name`, whichever module exports it.
  public func number(of name: String) -> Int? {
    exports.firstIndex { $0.name == name && $0.isImportable }
  }

  /// The number of the routine that guest code of `target` finds by `name` in `module`, spelled as it is there.
  public func number(exportedAs name: String, by module: String, in target: Target) -> Int? {
    guard let number = self[module, name], exports[number].isImportable, exports[number].name == name,
      introductions[number] <= target.system.release
    else { return nil }
    return number
  }

  /// Whether `target` has the routine with that number.
  public func isThere(_ number: Int, in target: Target) -> Bool { introductions[number] <= target.system.release }

  /// The number of `name` in `module`.
  public subscript(module: String, name: String) -> Int? { byName["\(module)!\(name)".lowercased()] }

  /// The kernel's and the HAL's own.
  public static let kernel: [[Export]] =
    [
      Export.ke, Export.attach, Export.irql, Export.mm, Export.mmMapping, Export.io, Export.ps, Export.ex, Export.rtl, Export.debug,
      Export.waiting, Export.dispatcherObjects, Export.timersAndDPCs,
      Export.systemThreads, Export.fastMutexes, Export.resources,
      Export.drivers, Export.devices, Export.irps, Export.files, Export.ob, Export.internals, Export.ioInternals,
      Export.memoryBlocks, Export.rtlMemory, Export.narrowStrings, Export.wideStrings, Export.narrowStringChanges,
      Export.wideStringChanges, Export.narrowSecureStrings, Export.wideSecureStrings, Export.characters, Export.sorting,
      Export.narrowPrintf, Export.widePrintf, Export.narrowSecurePrintf, Export.wideSecurePrintf, Export.numberText,
      Export.widthChanges, Export.unicodeStrings, Export.ansiStrings, Export.unicodeText, Export.ansiConversions,
      Export.oemConversions, Export.multiByteSizes, Export.rtlNumbers, Export.interlocked, Export.stackLists, Export.fastLists,
      Export.sequencedLists, Export.spinLocks, Export.queuedSpinLocks, Export.compilerArithmetic, Export.largeIntegers,
      Export.time, Export.ports, Export.deviceRegisters, Export.bitmaps, Export.bitmapRuns, Export.calendar, Export.random,
      Export.version, Export.lookaside, Export.identifiers, Export.accessLists, Export.securityDescriptors, Export.frames,
      Export.balancedTables, Export.splayedTables, Export.splayTrees, Export.executive,
      Export.fileInformation, Export.fileSystemInternals, Export.lateCompletion, Export.sections, Export.objectCalls,
      Export.volumeCalls, Export.fileNameCalls, Export.fileLockCalls, Export.cacheCalls,
      Export.cacheMdlCalls, Export.notifyCalls,
      Export.registryKeys, Export.registryCallbacks, Export.registryRoutines, Export.driverLoading,
      Export.objectCreation, Export.objectCallbacks,
    ] + Export.hardware + [Export.raisedExceptions, Export.trapHandlers] + Export.threadPrimitives
    + Export.rarelyImported + [Export.attributeCalls, Export.lazyWriter] + Export.lessUsual
}
