import Guest
import WindowsTypes

/// The run-time library's text in UTF-8, comparisons by length, initialisation once, directories of images; power settings.
extension Export {
  static let laterLibrary: [Export] = [
    // nf-wdm-rtlunicodetoutf8n
    export(
      "RtlUnicodeToUTF8N(UTF8StringDestination, UTF8StringMaxByteCount, UTF8StringActualByteCount, UnicodeStringSource, UnicodeStringByteCount)",
      irql: .passive
    ) {
      (kernel, target: GuestWord, room: UInt32, actual: Pointer<UInt32>, source: GuestWord, count: UInt32) -> NTSTATUS in
      guard source.bits != 0 else { return Kernel.invalidParameter(4) }
      guard count % 2 == 0 else { return Kernel.invalidParameter(5) }
      let bytes = try kernel.textBytes(source.bits, count)
      let units = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
      return try kernel.store(units, as: UTF16.self, in: UTF8.self, target.bits, room, actual) { [$0] }
    },
    // nf-wdm-rtlutf8tounicoden
    export(
      "RtlUTF8ToUnicodeN(UnicodeStringDestination, UnicodeStringMaxByteCount, UnicodeStringActualByteCount, UTF8StringSource, UTF8StringByteCount)",
      irql: .passive
    ) {
      (kernel, target: GuestWord, room: UInt32, actual: Pointer<UInt32>, source: GuestWord, count: UInt32) -> NTSTATUS in
      guard source.bits != 0 else { return Kernel.invalidParameter(4) }
      return try kernel.store(kernel.textBytes(source.bits, count), as: UTF8.self, in: UTF16.self, target.bits, room, actual) {
        [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
      }
    },
    // nf-ntifs-rtlcompareunicodestring's fellow of Windows 7: lengths in characters.
    export("RtlCompareUnicodeStrings(String1, String1Length, String2, String2Length, CaseInSensitive)", irql: .passive) {
      (kernel, first: Pointer<UInt16>, firstCount: UInt32, second: Pointer<UInt16>, secondCount: UInt32, folds: UInt8) -> Int32 in
      for index in 0..<Int(min(firstCount, secondCount, 0x10_0000)) {
        var (left, right) = (try first[index].load(), try second[index].load())
        if folds != 0 { (left, right) = (left.uppercased, right.uppercased) }
        if left != right { return Int32(left) - Int32(right) }
      }
      return Int32(truncatingIfNeeded: Int64(firstCount) - Int64(secondCount))
    }
    .uncertain("the routine has no reference page"),
    // nf-ntifs-rtlduplicateunicodestring: RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE 1, …_ALLOCATE_NULL_STRING 2, which needs 1.
    export("RtlDuplicateUnicodeString(Flags, StringIn, StringOut)", irql: .passive) {
      (kernel, flags: UInt32, source: Pointer<UNICODE_STRING>, result: Pointer<UNICODE_STRING>) -> NTSTATUS in
      guard flags & ~3 == 0, flags != 2, !source.isNull, !result.isNull else { return .invalidParameter }
      let length = try source.Length.load()
      try kernel.memory.memory.fill(0, count: 8, at: result.address)
      guard length > 0 || flags & 2 != 0 else { return .success }
      let extra: UInt16 = flags & 1 != 0 ? 2 : 0
      guard UInt32(length) + UInt32(extra) <= 0xfffe else { return .nameTooLong }
      // RtlFreeUnicodeString gives it back.
      guard let buffer = try kernel.pagedPool.allocate(UInt64(max(2, length + extra)), tag: 0x6769_5352, in: kernel.memory) else {
        return .noMemory
      }
      try kernel.memory.memory.write(kernel.memory.memory.bytes(Int(length), at: source.Buffer.load().address), at: buffer)
      try result.Length.store(length)
      try result.MaximumLength.store(length + extra)
      try result.Buffer.store(Pointer(buffer, in: kernel.memory.memory))
      return .success
    },
    // nf-ntddk-rtlrunonceinitialize
    export("RtlRunOnceInitialize(RunOnce)") { (_, once: Pointer<UInt32>) in try once.store(0) },
    // nf-ntddk-rtlrunonceexecuteonce: the low two bits say how far it is; 2 is done, and the rest is the context.
    export("RtlRunOnceExecuteOnce(RunOnce, InitFn, Parameter, Context)", irql: .apc) {
      (kernel, once: Pointer<UInt32>, routine: GuestWord, parameter: GuestWord, context: Pointer<UInt32>) async throws -> NTSTATUS in
      if try once.load() & 3 == 2 {
        if !context.isNull { try context.store(once.load() & ~3) }
        return .success
      }
      try once.store(1)
      let place = try kernel.allocate(8)
      defer { kernel.free(place) }
      let isDone = try await kernel.call(routine.bits, [once.address, parameter.bits, place]) & 0xffff_ffff != 0
      let value = try kernel.memory.memory.load(UInt32.self, at: place)
      try once.store(isDone ? value & ~3 | 2 : 0)
      guard isDone else { return .unsuccessful }
      if !context.isNull { try context.store(value) }
      return .success
    }
    .partially("a second thread does not wait for the first one's initialisation, but runs its own"),
    // RtlImageDirectoryEntryToData (no page): an IMAGE_DATA_DIRECTORY's place, in an image that is mapped or a file that is read.
    export("RtlImageDirectoryEntryToData(BaseOfImage, MappedAsImage, DirectoryEntry, Size)") {
      (kernel, base: GuestWord, isMapped: UInt8, index: UInt16, size: Pointer<UInt32>) -> GuestWord in
      // The lowest bit says that the file is mapped as data.
      let place = try kernel.imageDirectory(base.bits & ~3, isMapped: isMapped != 0 && base.bits & 1 == 0, UInt64(index))
      if !size.isNull { try size.store(place?.size ?? 0) }
      return GuestWord(place?.address ?? 0)
    }
    .uncertain("the routine has no reference page"),
    // nf-wdm-poregisterpowersettingcallback (Vista): the callback is told the setting's value at once.
    export("PoRegisterPowerSettingCallback(DeviceObject, SettingGuid, Callback, Context, Handle)", irql: .passive) {
      (
        kernel, device: GuestWord, setting: GuestWord, callback: GuestWord, context: GuestWord, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      guard setting.bits != 0, callback.bits != 0 else { return .invalidParameter }
      let registration = try kernel.allocate(0x20)
      kernel.register(Kernel.powerSetting, registration)
      let identifier = try kernel.memory.memory.bytes(16, at: setting.bits)
      if !result.isNull { try result.store(GuestWord(registration)) }
      guard identifier == Kernel.powerSource else { return .success }
      // PoAc
      try kernel.memory.memory.write(identifier + [0, 0, 0, 0], at: registration)
      _ = try await kernel.call(callback.bits, [registration, registration + 16, 4, context.bits])
      return .success
    }
    .partially("GUID_ACDC_POWER_SOURCE alone has a value, and no setting changes"),
    // nf-wdm-pounregisterpowersettingcallback
    export("PoUnregisterPowerSettingCallback(Handle)", irql: .passive) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.unregister(Kernel.powerSetting, handle.bits) else { return .invalidParameter }
      kernel.free(handle.bits)
      return .success
    },
    // nf-ntifs-fsrtlcancellablewaitforsingleobject
    export("FsRtlCancellableWaitForSingleObject(Object, Timeout, Irp)", irql: .apc) {
      (kernel, object: Pointer<DISPATCHER_HEADER>, timeout: Pointer<Int64>, irp: Pointer<IRP>) -> NTSTATUS in
      // STATUS_CANCELLED
      if try !irp.isNull && irp.Cancel.load() != 0 { return NTSTATUS(rawValue: 0xc000_0120) }
      return try kernel.wait([object], timeout: timeout.isNull ? nil : timeout.load())
    }
    .partially("a wait that has begun does not end when the request is cancelled, or its thread ended"),
    // nf-ntifs-obiskernelhandle
    export("ObIsKernelHandle(Handle)") { (_, handle: GuestWord) -> UInt8 in
      handle.bits & 0x8000_0000 != 0 && handle.bits < 0xffff_fffe ? 1 : 0
    },
    // nf-wdm-kequeryunbiasedinterrupttime: what passed while the machine slept does not count, and it never does.
    export("KeQueryUnbiasedInterruptTime()") { kernel -> UInt64 in kernel.interruptTimeAtTick },
    // KeFlushEntireTb (no page)
    export("KeFlushEntireTb(Invalid, AllProcessors)", irql: .dispatch) { (kernel, isInvalid: UInt8, all: UInt8) in
      _ = try kernel.releasePageTableViews()
    }
    .uncertain("the routine has no reference page"),
  ]
}

extension Kernel {
  fileprivate static let powerSetting = "a power setting callback"
  /// `GUID_ACDC_POWER_SOURCE` (wdm.h)
  fileprivate static let powerSource: [UInt8] = [
    0x59, 0x9a, 0x3e, 0x5d, 0xd5, 0xe9, 0x00, 0x4b, 0xa6, 0xbd, 0xff, 0x34, 0xff, 0x51, 0x65, 0x48,
  ]

  fileprivate func textBytes(_ place: UInt64, _ count: UInt32) throws -> [UInt8] {
    guard count <= 0x100_0000 else { throw GuestException(.insufficientResources) }
    return try memory.memory.bytes(Int(count), at: place)
  }

  /// Stores text in another encoding, whole characters as far as they fit: STATUS_BUFFER_TOO_SMALL where not all do, and
  /// STATUS_SOME_NOT_MAPPED where U+FFFD stands for what is no character. Without a target the length alone is told.
  fileprivate func store<Source: Unicode.Encoding, Target: Unicode.Encoding>(
    _ units: [Source.CodeUnit], as source: Source.Type, in target: Target.Type, _ place: UInt64, _ room: UInt32,
    _ actual: Pointer<UInt32>, _ split: (Target.CodeUnit) -> [UInt8]
  ) throws -> NTSTATUS {
    guard place != 0 || !actual.isNull else { return .invalidParameter }
    let isBroken = transcode(units.makeIterator(), from: source, to: UTF32.self, stoppingOnError: true) { _ in }
    var (bytes, isWhole): ([UInt8], Bool) = ([], true)
    for scalar in String(decoding: units, as: source).unicodeScalars {
      let encoded = Target.encode(scalar).map { $0.flatMap(split) } ?? []
      guard place == 0 || bytes.count + encoded.count <= Int(room) else {
        isWhole = false
        break
      }
      bytes += encoded
    }
    if place != 0 { try memory.memory.write(bytes, at: place) }
    if !actual.isNull { try actual.store(UInt32(bytes.count)) }
    return isWhole ? isBroken ? NTSTATUS(rawValue: 0x107) : .success : .bufferTooSmall
  }

  /// Where an image's data directory lies; `nil` where it has none, or is no image.
  fileprivate func imageDirectory(_ base: UInt64, isMapped: Bool, _ index: UInt64) throws -> (address: UInt64, size: UInt32)? {
    let here = memory.memory
    guard try here.load(UInt16.self, at: base) == 0x5a4d else { return nil }
    let headers = base + UInt64(try here.load(UInt32.self, at: base + 0x3c))
    guard try here.load(UInt32.self, at: headers) == 0x4550, try here.load(UInt16.self, at: headers + 0x18) == 0x10b,
      try index < UInt64(here.load(UInt32.self, at: headers + 0x74))
    else { return nil }
    let place = UInt64(try here.load(UInt32.self, at: headers + 0x78 + 8 * index))
    let size = try here.load(UInt32.self, at: headers + 0x7c + 8 * index)
    guard place != 0 else { return nil }
    if try isMapped || place < UInt64(here.load(UInt32.self, at: headers + 0x54)) { return (base + place, size) }
    let sections = headers + 0x18 + UInt64(try here.load(UInt16.self, at: headers + 0x14))
    for number in 0..<UInt64(try here.load(UInt16.self, at: headers + 6)) {
      let section = sections + 40 * number
      let (start, length) = (
        UInt64(try here.load(UInt32.self, at: section + 12)), UInt64(try here.load(UInt32.self, at: section + 16))
      )
      guard place >= start, place < start + length else { continue }
      return (base + place - start + UInt64(try here.load(UInt32.self, at: section + 20)), size)
    }
    return nil
  }
}
