import Guest
import WindowsTypes

/// Whether any filter has registered callbacks: what they are stands in `DRIVER_EXTENSION.FsFilterCallbacks`.
final class FilterCallbacks {
  /// How many routines `FS_FILTER_CALLBACKS` has.
  static let places = 12
  var isUsed = false

  /// What a file is acquired for: `FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION` and its like (`ntifs.h`), and the place of the first
  /// of its four routines: before and after the acquisition, before and after the release.
  enum Purpose {
    case section, flush
    var place: Int { self == .section ? 0 : 4 }
    var acquire: UInt8 { self == .section ? 0xff : 0xfb }
    var release: UInt8 { acquire - 1 }
  }
}

extension Kernel {
  var filterCallbacks: FilterCallbacks { part { FilterCallbacks() } }

  /// Does `body` while the filters of the file's stack, from the top down, have been told that the file is acquired.
  ///
  /// - Parameter parameters: `FS_FILTER_PARAMETERS`: for a section its `SyncType` and page protection.
  func acquired<Result>(
    _ file: Pointer<FILE_OBJECT>, for purpose: FilterCallbacks.Purpose, _ parameters: [UInt32] = [],
    _ body: () async throws -> Result
  ) async throws -> Result {
    guard filterCallbacks.isUsed else { return try await body() }
    try await tell(file, purpose.acquire, purpose.place, parameters)
    do {
      let result = try await body()
      try await tell(file, purpose.release, purpose.place + 2, [])
      return result
    } catch let refusal as Refusal {
      try await tell(file, purpose.release, purpose.place + 2, [])
      throw refusal
    }
  }

  private func tell(_ file: Pointer<FILE_OBJECT>, _ operation: UInt8, _ place: Int, _ parameters: [UInt32]) async throws {
    var device = try relatedDevice(of: file)
    let here = memory.memory
    let data = Pointer<FS_FILTER_CALLBACK_DATA>(try allocate(0x30), in: here)
    defer { free(data.address) }
    try data.SizeOfFsFilterCallbackData.store(0x24)
    try data.Operation.store(operation)
    try data.FileObject.store(file)
    for (index, value) in parameters.enumerated() { try data.Parameters[index].store(value) }
    let context = Pointer<GuestWord>(data.address + 0x28, in: here)
    var asked: [(routine: UInt64, device: Pointer<DEVICE_OBJECT>, context: GuestWord)] = []
    var status = NTSTATUS.success
    for _ in 0..<256 where !device.isNull && status == .success {
      let callbacks = try device.DriverObject.load().DriverExtension.load().FsFilterCallbacks.load()
      if !callbacks.isNull {
        let (before, after) = (try callbacks.Routines[place].load().address, try callbacks.Routines[place + 1].load().address)
        try data.DeviceObject.store(device)
        try context.store(0)
        if before != 0 {
          status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: try await call(before, [data.address, context.address])))
        }
        if status == .success || status == Self.completedByFilter { asked.append((after, device, try context.load())) }
      }
      device = try device.DeviceObjectExtension.load().AttachedTo.load()
    }
    let outcome = status == Self.completedByFilter ? NTSTATUS.success : status
    for (routine, device, context) in asked.reversed() where routine != 0 {
      try data.DeviceObject.store(device)
      _ = try await call(routine, [data.address, UInt64(outcome.rawValue), context.bits])
    }
    if outcome.isFailure { throw Refusal(outcome) }
  }

  /// `STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY`: nobody below is asked.
  private static let completedByFilter = NTSTATUS(rawValue: 0x126)
}
