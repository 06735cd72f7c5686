import Foundation
import NTKernel
import Testing

@Suite("Coverage") struct CoverageTests {
  /// The sources of this target, without this file and the helper.
  static let sources: String = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "swift" && $0.lastPathComponent.hasSuffix("Tests.swift") }
      .filter { !["CoverageTests.swift", "DeclarationTests.swift"].contains($0.lastPathComponent) }
      .compactMap { try? String(contentsOf: $0, encoding: .utf8) }.joined()
  }()

  /// Places that calls lead to by themselves.
  static let reachedIndirectly: Set = ["KiNestedExceptionHandler", "KiCollidedUnwindHandler", "KiGuardHandler"]

  /// Waiting, timers, deferred calls, work items, fast mutexes and resources: what is listed here waits for its tests.
  static let untested: Set = [
    "KeWaitForMultipleObjects", "PsCreateSystemThread",
    "ExAcquireFastMutex", "ExAcquireFastMutexUnsafe", "ExAcquireResourceExclusiveLite", "ExAcquireResourceSharedLite",
    "ExAcquireSharedStarveExclusive", "ExConvertExclusiveToSharedLite", "ExDeleteResourceLite", "ExGetExclusiveWaiterCount",
    "ExGetSharedWaiterCount", "ExInitializeResourceLite", "ExIsResourceAcquiredExclusiveLite", "ExIsResourceAcquiredSharedLite",
    "ExQueueWorkItem", "ExReinitializeResourceLite", "ExReleaseFastMutex", "ExReleaseFastMutexUnsafe",
    "ExReleaseResourceForThreadLite", "ExReleaseResourceLite", "ExTryToAcquireFastMutex", "KeCancelTimer",
    "KeClearEvent", "KeDelayExecutionThread", "KeFlushQueuedDpcs", "KeInitializeDpc",
    "KeInitializeEvent", "KeInitializeMutex", "KeInitializeSemaphore", "KeInitializeTimer",
    "KeInitializeTimerEx", "KeInsertQueueDpc", "KePulseEvent", "KeQueryPriorityThread",
    "KeReadStateEvent", "KeReadStateMutex", "KeReadStateSemaphore", "KeReadStateTimer",
    "KeReleaseMutex", "KeReleaseSemaphore", "KeRemoveQueueDpc", "KeResetEvent",
    "KeSetEvent", "KeSetImportanceDpc", "KeSetPriorityThread", "KeSetTargetProcessorDpc",
    "KeSetTimer", "KeSetTimerEx", "KeWaitForMutexObject", "KeWaitForSingleObject",
    "PsTerminateSystemThread",
  ]

  @Test("every export is named by a test of this target", arguments: DeclarationTests.table.exports.map(\.name))
  func named(name: String) {
    let isNamed = Self.sources.contains("\"\(name)\"")
    if Self.untested.contains(name) {
      #expect(!isNamed, "\(name) has a test now: take it off the list")
    } else {
      #expect(isNamed || Self.reachedIndirectly.contains(name), "no test calls \(name)")
    }
  }
}
