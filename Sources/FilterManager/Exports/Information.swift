import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// What the filter manager tells of filters, volumes and instances, in the records that user mode gets, too (`fltuserstructures.h`).
  static let information: [Export] = [
    // nf-fltkernel-fltgetfilterinformation
    export("FltGetFilterInformation(Filter, InformationClass, Buffer, BufferSize, BytesReturned)", module: "fltMgr", irql: .apc) {
      (
        kernel, pointer: Pointer<FLT_FILTER>, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>
      ) -> NTSTATUS in
      guard let filter = try kernel.filter(pointer, in: "FltGetFilterInformation") else { return .invalidParameter }
      return try kernel.answer(kernel.record(of: filter, kind), buffer.bits, size, count)
    },
    // nf-fltkernel-fltenumeratefilterinformation: from the highest altitude down.
    export("FltEnumerateFilterInformation(Index, InformationClass, Buffer, BufferSize, BytesReturned)", module: "fltMgr", irql: .apc) {
      (kernel, index: UInt32, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>) -> NTSTATUS in
      let filters = kernel.filterManager.filters.sorted { $1.instances.altitude < $0.instances.altitude }
      guard Int(index) < filters.count else { return .noMoreEntries }
      return try kernel.answer(kernel.record(of: filters[Int(index)], kind), buffer.bits, size, count)
    },
    // nf-fltkernel-fltgetvolumeinformation
    export("FltGetVolumeInformation(Volume, InformationClass, Buffer, BufferSize, BytesReturned)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltGetVolumeInformation") else { return .invalidParameter }
      return try kernel.answer(kernel.record(of: volume, kind), buffer.bits, size, count)
    },
    // nf-fltkernel-fltenumeratevolumeinformation
    export(
      "FltEnumerateVolumeInformation(Filter, Index, InformationClass, Buffer, BufferSize, BytesReturned)", module: "fltMgr", irql: .apc
    ) {
      (
        kernel, filter: Pointer<FLT_FILTER>, index: UInt32, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>
      ) -> NTSTATUS in
      guard try kernel.filter(filter, in: "FltEnumerateVolumeInformation") != nil else { return .invalidParameter }
      let volumes = try kernel.filterVolumes()
      guard Int(index) < volumes.count else { return .noMoreEntries }
      return try kernel.answer(kernel.record(of: volumes[Int(index)], kind), buffer.bits, size, count)
    },
    // nf-fltkernel-fltgetinstanceinformation
    export("FltGetInstanceInformation(Instance, InformationClass, Buffer, BufferSize, BytesReturned)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>) -> NTSTATUS in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltGetInstanceInformation") else { return .invalidParameter }
      return try kernel.answer(kernel.record(of: instance, kind), buffer.bits, size, count)
    },
    // nf-fltkernel-fltenumerateinstanceinformationbyfilter
    export(
      "FltEnumerateInstanceInformationByFilter(Filter, Index, InformationClass, Buffer, BufferSize, BytesReturned)", module: "fltMgr",
      irql: .apc
    ) {
      (
        kernel, pointer: Pointer<FLT_FILTER>, index: UInt32, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>
      ) -> NTSTATUS in
      guard let filter = try kernel.filter(pointer, in: "FltEnumerateInstanceInformationByFilter") else { return .invalidParameter }
      let all = try kernel.filterVolumes().flatMap(\.instances).filter { $0.filter === filter }
      return try kernel.enumerate(all, index, kind, buffer.bits, size, count)
    },
    // nf-fltkernel-fltenumerateinstanceinformationbyvolume
    export(
      "FltEnumerateInstanceInformationByVolume(Volume, Index, InformationClass, Buffer, BufferSize, BytesReturned)", module: "fltMgr",
      irql: .apc
    ) {
      (
        kernel, pointer: Pointer<Void>, index: UInt32, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>
      ) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltEnumerateInstanceInformationByVolume") else {
        return .invalidParameter
      }
      return try kernel.enumerate(volume.instances, index, kind, buffer.bits, size, count)
    },
    // nf-fltkernel-fltenumerateinstanceinformationbyvolumename
    export(
      "FltEnumerateInstanceInformationByVolumeName(VolumeName, Index, InformationClass, Buffer, BufferSize, BytesReturned)",
      module: "fltMgr", irql: .apc
    ) {
      (
        kernel, name: Pointer<UNICODE_STRING>, index: UInt32, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>
      ) -> NTSTATUS in
      guard let volume = try kernel.filterVolume(named: name.string()) else { return .fltVolumeNotFound }
      return try kernel.enumerate(volume.instances, index, kind, buffer.bits, size, count)
    },
    // nf-fltkernel-fltenumerateinstanceinformationbydeviceobject
    export(
      "FltEnumerateInstanceInformationByDeviceObject(DeviceObject, Index, InformationClass, Buffer, BufferSize, BytesReturned)",
      module: "fltMgr", irql: .apc
    ) {
      (
        kernel, device: Pointer<DEVICE_OBJECT>, index: UInt32, kind: UInt32, buffer: GuestWord, size: UInt32, count: Pointer<UInt32>
      ) -> NTSTATUS in
      _ = try device.Type.load()
      guard let volume = try kernel.filterVolume(ofDevice: device) else { return .fltVolumeNotFound }
      return try kernel.enumerate(volume.instances, index, kind, buffer.bits, size, count)
    },
    // nf-fltkernel-fltisfltmgrvolumedeviceobject
    export("FltIsFltMgrVolumeDeviceObject(DeviceObject)", module: "fltMgr", irql: .apc) {
      (kernel, device: Pointer<DEVICE_OBJECT>) -> UInt8 in
      _ = try device.Type.load()
      return try kernel.filterVolumes().contains { $0.device == device } ? 1 : 0
    },
  ]
}

/// One record: numbers, then texts, of which the numbers may say where they are.
private struct InformationRecord {
  private(set) var bytes: [UInt8] = []
  private var texts: [(text: String, lengthAt: Int)] = []

  mutating func put<Value: FixedWidthInteger>(_ value: Value) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }

  /// A length and an offset, which ``end()`` fills in.
  mutating func put(placeOf text: String) {
    texts.append((text, bytes.count))
    put(UInt32(0))
  }

  /// A length, and the text right behind it.
  mutating func put(_ text: String) {
    put(UInt16(text.utf16.count * 2))
    for unit in text.utf16 { put(unit) }
  }

  mutating func end() -> [UInt8] {
    for (text, place) in texts {
      let values = [UInt16(text.utf16.count * 2), UInt16(bytes.count)]
      for (index, value) in values.enumerated() {
        bytes[place + 2 * index] = UInt8(truncatingIfNeeded: value)
        bytes[place + 2 * index + 1] = UInt8(truncatingIfNeeded: value >> 8)
      }
      for unit in text.utf16 { put(unit) }
    }
    return bytes
  }
}

extension Kernel {
  /// `FLTFL_AGGREGATE_INFO_IS_MINIFILTER` and its like of the other records.
  private static let isMinifilter: UInt32 = 1

  /// Whether the target has the records that Windows Vista added.
  private var hasStandardInformation: Bool { memory.target.system.release >= .vista }

  /// `FilterFullInformation`, `FilterAggregateBasicInformation`, `FilterAggregateStandardInformation`; `nil` for no class.
  fileprivate func record(of filter: Filter, _ kind: UInt32) throws -> [UInt8]? {
    let instances = UInt32(try filterVolumes().flatMap(\.instances).count { $0.filter === filter })
    var record = InformationRecord()
    record.put(UInt32(0))
    switch kind {
    case 0:
      // There is one frame.
      record.put(UInt32(0))
      record.put(instances)
      record.put(filter.name)
    case _ where kind == 1 || kind == 2 && hasStandardInformation:
      record.put(Self.isMinifilter)
      if kind == 2 { record.put(UInt32(0)) }
      record.put(UInt32(0))
      record.put(instances)
      record.put(placeOf: filter.name)
      record.put(placeOf: filter.instances.altitude.text)
    default: return nil
    }
    return record.end()
  }

  /// `FilterVolumeBasicInformation`, `FilterVolumeStandardInformation`
  fileprivate func record(of volume: FilterVolume, _ kind: UInt32) -> [UInt8]? {
    var record = InformationRecord()
    switch kind {
    case 0: record.put(volume.name)
    case 1 where hasStandardInformation:
      for value in [0, 0, 0, UInt32(volume.volume.kind.filterType)] { record.put(value) }
      record.put(volume.name)
    default: return nil
    }
    return record.end()
  }

  /// `InstanceBasicInformation`, `InstancePartialInformation`, `InstanceFullInformation`, `InstanceAggregateStandardInformation`
  fileprivate func record(of instance: Instance, _ kind: UInt32) -> [UInt8]? {
    guard kind <= (hasStandardInformation ? 3 : 2) else { return nil }
    var record = InformationRecord()
    record.put(UInt32(0))
    if kind == 3 { for value in [Self.isMinifilter, 0, 0, UInt32(instance.volume.volume.kind.filterType)] { record.put(value) } }
    record.put(placeOf: instance.name)
    if kind >= 1 { record.put(placeOf: instance.altitude.text) }
    if kind >= 2 {
      record.put(placeOf: instance.volume.name)
      record.put(placeOf: instance.filter.name)
    }
    return record.end()
  }

  fileprivate func enumerate(
    _ instances: [Instance], _ index: UInt32, _ kind: UInt32, _ buffer: UInt64, _ size: UInt32, _ count: Pointer<UInt32>
  ) throws -> NTSTATUS {
    guard Int(index) < instances.count else { return .noMoreEntries }
    return try answer(record(of: instances[Int(index)], kind), buffer, size, count)
  }

  fileprivate func answer(_ record: [UInt8]?, _ buffer: UInt64, _ size: UInt32, _ count: Pointer<UInt32>) throws -> NTSTATUS {
    guard let record else { return .invalidParameter }
    try count.store(UInt32(record.count))
    guard record.count <= Int(size) else { return .bufferTooSmall }
    try memory.memory.write(record, at: buffer)
    return .success
  }
}
