import Guest
import WindowsTypes

/// Who provides UNC paths, by handle.
final class UNCProviders {
  var names: [UInt64: String] = [:]
}

extension Export {
  /// What the run-time library of file systems does beside names, locks and cached data.
  static let fileSystemServiceCalls: [Export] = [
    postOverflow("FsRtlPostStackOverflow"), postOverflow("FsRtlPostPagingFileStackOverflow"),
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlnotifyvolumeevent: whoever watches a file of the volume's device is told.
    export("FsRtlNotifyVolumeEvent(FileObject, EventCode)", irql: .passive) {
      (kernel, file: Pointer<FILE_OBJECT>, code: UInt32) async throws -> NTSTATUS in
      guard let event = Kernel.volumeEvents[code] else { return .invalidParameter }
      var base = try file.DeviceObject.load()
      for _ in 0..<256 {
        let under = try base.DeviceObjectExtension.load().AttachedTo.load()
        if under.isNull { break }
        base = under
      }
      // TARGET_DEVICE_CUSTOM_NOTIFICATION: version 1, without a name and data.
      let here = kernel.memory.memory
      let structure = try kernel.allocate(0x20)
      defer { kernel.free(structure) }
      try here.store(UInt16(1), at: structure)
      try here.store(UInt16(0x20), at: structure + 2)
      try here.write(event, at: structure + 4)
      try here.store(UInt32.max, at: structure + 0x18)
      try await kernel.reportTargetChange(base.address, structure)
      return .success
    }
    .partially("the events from FSRTL_VOLUME_NEEDS_CHKDSK on are refused"),
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlbalancereads: FT_BALANCED_READ_MODE, which a single disk's driver refuses.
    export("FsRtlBalanceReads(TargetDevice)", irql: .passive) {
      (kernel, device: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      try await kernel.control(device, IOControlCode(rawValue: 0x66_001b), [], outputLength: 0).status
    },
    // nf-ntifs-fsrtlvalidatereparsepointbuffer
    export("FsRtlValidateReparsePointBuffer(BufferLength, ReparseBuffer)", irql: .apc) {
      (kernel, length: UInt32, buffer: GuestWord) -> NTSTATUS in
      try kernel.checkReparsePoint(length, at: buffer.bits)
    },
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtllookuplastlargemcbentryandindex
    lastRunAndIndex("FsRtlLookupLastLargeMcbEntryAndIndex(OpaqueMcb, LargeVbn, LargeLbn, Index)"),
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlgetnextfilelock: FILE_LOCK_INFO in the FILE_LOCK itself, which the next call changes.
    export("FsRtlGetNextFileLock(FileLock, Restart)", irql: .apc) { (kernel, lock: GuestWord, restart: UInt8) -> GuestWord in
      let here = kernel.memory.memory
      let (information, place) = (lock.bits + 0x10, lock.bits + 0x38)
      let index = restart != 0 ? 0 : Int(try here.load(UInt32.self, at: place))
      guard let locks = kernel.files.locks[lock.bits], index < locks.count else { return 0 }
      let next = locks[index]
      try here.store(next.offset, at: information)
      try here.store(next.length, at: information + 8)
      try here.store(UInt32(next.isExclusive ? 1 : 0), at: information + 0x10)
      try here.store(next.key, at: information + 0x14)
      try here.store(UInt32(truncatingIfNeeded: next.file), at: information + 0x18)
      try here.store(UInt32(truncatingIfNeeded: next.process), at: information + 0x1c)
      try here.store(next.offset &+ next.length &- 1, at: information + 0x20)
      try here.store(UInt32(index + 1), at: place)
      return GuestWord(information)
    },
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlaretherecurrentorinprogressfilelocks
    export("FsRtlAreThereCurrentOrInProgressFileLocks(FileLock)", irql: .apc) { (kernel, lock: GuestWord) -> UInt8 in
      kernel.files.locks[lock.bits]?.isEmpty ?? true ? 0 : 1
    },
    // nf-ntifs-fsrtlregisteruncprovider
    export("FsRtlRegisterUncProvider(MupHandle, RedirectorDeviceName, MailslotsSupported)", irql: .passive) {
      (kernel, handle: Pointer<GuestWord>, name: Pointer<UNICODE_STRING>, mailslots: UInt8) -> NTSTATUS in
      try handle.store(GuestWord(kernel.registerProvider(name.string())))
      return .success
    }
    .partially("no path is looked up at a provider: the run has no MUP"),
    // nf-ntifs-fsrtlregisteruncproviderex: the device has no name of its own.
    export("FsRtlRegisterUncProviderEx(MupHandle, RedirDevName, DeviceObject, Flags)", irql: .passive) {
      (
        kernel, handle: Pointer<GuestWord>, name: Pointer<UNICODE_STRING>, device: Pointer<DEVICE_OBJECT>, flags: UInt32
      ) -> NTSTATUS in
      guard kernel.kind(of: device.address) == .device, try !device.Flags.load().contains(.deviceHasName) else { return .invalidParameter }
      try handle.store(GuestWord(kernel.registerProvider(name.string())))
      return .success
    }
    .partially("no path is looked up at a provider, and its name is no link to MUP: the run has none"),
    // nf-ntifs-fsrtlderegisteruncprovider
    export("FsRtlDeregisterUncProvider(Handle)", irql: .passive) { (kernel, handle: GuestWord) in
      guard kernel.uncProviders.names.removeValue(forKey: handle.bits) != nil else { return }
      kernel.unregister(Kernel.uncProvider, handle.bits)
      kernel.free(handle.bits)
    },
    // nf-ntifs-fsrtlmupgetproviderinfofromfileobject: level 1 is the only one, and no file is a provider's.
    export("FsRtlMupGetProviderInfoFromFileObject(FileObject, Level, Buffer, BufferSize)", irql: .apc) {
      (kernel, file: Pointer<FILE_OBJECT>, level: UInt32, buffer: GuestWord, size: Pointer<UInt32>) -> NTSTATUS in
      guard level == 1 else { return .invalidParameter }
      return .invalidDeviceRequest
    },
    // nf-ntifs-fsrtlregisterfilesystemfiltercallbacks
    export("FsRtlRegisterFileSystemFilterCallbacks(FilterDriverObject, Callbacks)", irql: .apc) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, callbacks: Pointer<FS_FILTER_CALLBACKS>) -> NTSTATUS in
      guard !driver.isNull, !callbacks.isNull else { return .invalidParameter }
      // A copy that is as long as the structure is here, whatever the caller's version of it.
      let size = UInt64(Pointer<FS_FILTER_CALLBACKS>.size(in: kernel.memory.memory))
      let given = UInt64(try callbacks.SizeOfFsFilterCallbacks.load())
      guard given >= 8 else { return .invalidParameter }
      let copy = try kernel.allocate(size)
      try kernel.move(min(size, given), from: callbacks.address, to: copy)
      try driver.DriverExtension.load().FsFilterCallbacks.store(Pointer(copy, in: kernel.memory.memory))
      kernel.filterCallbacks.isUsed = true
      return .success
    }
    .partially("there is no modified page writer, so its two callbacks are never called"),
  ]

  private static func postOverflow(_ name: String) -> Export {
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlpoststackoverflow: in a worker, which has a stack of its own.
    export("\(name)(Context, Event, StackOverflowRoutine)", irql: .apc) {
      (kernel, context: GuestWord, event: GuestWord, routine: GuestWord) in
      try kernel.queue(WorkItem(routine: routine.bits, arguments: [context.bits, event.bits], finish: {}), queue: 2)
    }
  }
}

extension Kernel {
  static let uncProvider = "a UNC provider"
  fileprivate var uncProviders: UNCProviders { part { UNCProviders() } }

  fileprivate func registerProvider(_ name: String) throws -> UInt64 {
    let handle = try allocate(0x10)
    uncProviders.names[handle] = name
    register(Self.uncProvider, handle)
    return handle
  }

  /// `FSRTL_VOLUME_DISMOUNT` to `FSRTL_VOLUME_MOUNT` (`ntifs.h`), and the GUIDs of `ioevent.h`.
  fileprivate static let volumeEvents: [UInt32: [UInt8]] = [
    1: guid(0xd16a_55e8, 0x1059, 0x11d2, [0x8f, 0xfd, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32]),
    2: guid(0xe3c5_b178, 0x105d, 0x11d2, [0x8f, 0xfd, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32]),
    3: guid(0x5070_8874, 0xc9af, 0x11d1, [0x8f, 0xef, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32]),
    4: guid(0xae2e_ed10, 0x0ba8, 0x11d2, [0x8f, 0xfb, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32]),
    5: guid(0x9a8c_3d68, 0xd0cb, 0x11d1, [0x8f, 0xef, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32]),
    6: guid(0xb580_4878, 0x1a96, 0x11d2, [0x8f, 0xfd, 0x00, 0xa0, 0xc9, 0xa0, 0x6d, 0x32]),
  ]

  private static func guid(_ first: UInt32, _ second: UInt16, _ third: UInt16, _ rest: [UInt8]) -> [UInt8] {
    var record = RecordBuilder()
    record.put(first)
    record.put(second)
    record.put(third)
    return record.bytes + rest
  }
}
