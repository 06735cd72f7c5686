import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// Volumes.
  static let volumes: [Export] = [
    // nf-fltkernel-fltenumeratevolumes
    export("FltEnumerateVolumes(Filter, VolumeList, VolumeListSize, NumberVolumesReturned)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, list: Pointer<GuestWord>, size: UInt32, count: Pointer<UInt32>) -> NTSTATUS in
      guard try kernel.filter(filter, in: "FltEnumerateVolumes") != nil else { return .invalidParameter }
      return try kernel.list(kernel.filterVolumes(), list, size, count)
    },
    // nf-fltkernel-fltgetvolumefromname
    export("FltGetVolumeFromName(Filter, VolumeName, RetVolume)", module: "fltMgr", irql: .passive) {
      (kernel, filter: Pointer<FLT_FILTER>, name: Pointer<UNICODE_STRING>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard try kernel.filter(filter, in: "FltGetVolumeFromName") != nil else { return .invalidParameter }
      return try kernel.hand(kernel.filterVolume(named: name.string()), to: result, else: .fltVolumeNotFound)
    },
    // nf-fltkernel-fltgetvolumefrominstance
    export("FltGetVolumeFromInstance(Instance, RetVolume)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltGetVolumeFromInstance") else { return .invalidParameter }
      return try kernel.hand(instance.volume, to: result, else: .fltDeletingObject)
    },
    // nf-fltkernel-fltgetvolumefromfileobject
    export("FltGetVolumeFromFileObject(Filter, FileObject, RetVolume)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, file: Pointer<FILE_OBJECT>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard try kernel.filter(filter, in: "FltGetVolumeFromFileObject") != nil else { return .invalidParameter }
      return try kernel.hand(kernel.filterVolume(ofDevice: file.DeviceObject.load()), to: result, else: .invalidParameter)
    },
    // nf-fltkernel-fltgetvolumefromdeviceobject
    export("FltGetVolumeFromDeviceObject(Filter, DeviceObject, RetVolume)", module: "fltMgr", irql: .apc) {
      (kernel, filter: Pointer<FLT_FILTER>, device: Pointer<DEVICE_OBJECT>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard try kernel.filter(filter, in: "FltGetVolumeFromDeviceObject") != nil else { return .invalidParameter }
      return try kernel.hand(kernel.filterVolume(ofDevice: device), to: result, else: .invalidParameter)
    },
    // nf-fltkernel-fltgetvolumename: without a buffer, or in one too small, the size alone.
    export("FltGetVolumeName(Volume, VolumeName, BufferSizeNeeded)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, name: Pointer<UNICODE_STRING>, size: Pointer<UInt32>) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltGetVolumeName") else { return .invalidParameter }
      return try kernel.copy(volume.name, to: name, size)
    },
    // nf-fltkernel-fltgetvolumeguidname
    export("FltGetVolumeGuidName(Volume, VolumeGuidName, BufferSizeNeeded)", module: "fltMgr", irql: .passive) {
      (kernel, pointer: Pointer<Void>, name: Pointer<UNICODE_STRING>, size: Pointer<UInt32>) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltGetVolumeGuidName") else { return .invalidParameter }
      return try kernel.copy(kernel.guidName(of: volume), to: name, size)
    }
    .uncertain("there is no mount manager: the GUID is made of the volume's serial number and its place among the volumes"),
    // nf-fltkernel-fltgetvolumeproperties
    export(
      "FltGetVolumeProperties(Volume, VolumeProperties, VolumePropertiesLength, LengthReturned)", module: "fltMgr", irql: .apc
    ) {
      (
        kernel, pointer: Pointer<Void>, properties: Pointer<FLT_VOLUME_PROPERTIES>, length: UInt32, returned: Pointer<UInt32>
      ) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltGetVolumeProperties") else { return .invalidParameter }
      return try kernel.writeProperties(of: volume, properties, Int(length), returned)
    },
    // nf-fltkernel-fltgetdeviceobject
    export("FltGetDeviceObject(Volume, DeviceObject)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<Pointer<DEVICE_OBJECT>>) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltGetDeviceObject") else { return .invalidParameter }
      try kernel.reference(volume.device.address, for: kernel.site())
      try result.store(volume.device)
      return .success
    },
    // nf-fltkernel-fltgetdiskdeviceobject
    export("FltGetDiskDeviceObject(Volume, DiskDeviceObject)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<Pointer<DEVICE_OBJECT>>) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltGetDiskDeviceObject") else { return .invalidParameter }
      let disk = volume.volume.storageDevice
      if disk.isNull { return .fltNoDeviceObject }
      try kernel.reference(disk.address, for: kernel.site())
      try result.store(disk)
      return .success
    },
    // nf-fltkernel-fltisvolumewritable: of a volume or an instance.
    export("FltIsVolumeWritable(FltObject, IsWritable)", module: "fltMgr", irql: .passive) {
      (kernel, pointer: Pointer<Void>, result: Pointer<UInt8>) -> NTSTATUS in
      guard let volume = try kernel.volume(ofObject: pointer, in: "FltIsVolumeWritable") else { return .invalidParameter }
      try result.store(volume.volume.isReadOnly ? 0 : 1)
      return .success
    },
    // nf-fltkernel-fltgetfilesystemtype: of a volume or an instance.
    export("FltGetFileSystemType(FltObject, FileSystemType)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<UInt32>) -> NTSTATUS in
      guard let volume = try kernel.volume(ofObject: pointer, in: "FltGetFileSystemType") else { return .invalidParameter }
      try result.store(volume.volume.kind.filterType)
      return .success
    },
  ]

  /// Instances.
  static let instances: [Export] = [
    // nf-fltkernel-fltattachvolume
    export("FltAttachVolume(Filter, Volume, InstanceName, RetInstance)", module: "fltMgr", irql: .passive) {
      (
        kernel, filter: Pointer<FLT_FILTER>, volume: Pointer<Void>, name: Pointer<UNICODE_STRING>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      guard let filter = try kernel.filter(filter, in: "FltAttachVolume"),
        let volume = try kernel.object(volume, FilterVolume.self, in: "FltAttachVolume")
      else { return .invalidParameter }
      let name = name.isNull ? filter.instances.defaultInstance.name : try name.string()
      guard let keys = filter.instances.instances.first(where: { $0.name.lowercased() == name.lowercased() }) else {
        return .objectNameNotFound
      }
      if keys.flags.contains(.suppressesManualAttachment) { return .fltDoNotAttach }
      return try await kernel.attachManually(filter, volume, name, keys.altitude, result)
    },
    // nf-fltkernel-fltattachvolumeataltitude
    export("FltAttachVolumeAtAltitude(Filter, Volume, Altitude, InstanceName, RetInstance)", module: "fltMgr", irql: .passive) {
      (
        kernel, filter: Pointer<FLT_FILTER>, volume: Pointer<Void>, altitude: Pointer<UNICODE_STRING>, name: Pointer<UNICODE_STRING>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      guard let filter = try kernel.filter(filter, in: "FltAttachVolumeAtAltitude"),
        let volume = try kernel.object(volume, FilterVolume.self, in: "FltAttachVolumeAtAltitude"),
        let place = Altitude(try altitude.string())
      else { return .invalidParameter }
      let name = name.isNull ? filter.instances.defaultInstance.name : try name.string()
      return try await kernel.attachManually(filter, volume, name, place, result)
    }
    .uncertain("without a name the instance is called as the default one"),
    // nf-fltkernel-fltdetachvolume
    export("FltDetachVolume(Filter, Volume, InstanceName)", module: "fltMgr", irql: .passive) {
      (kernel, filter: Pointer<FLT_FILTER>, volume: Pointer<Void>, name: Pointer<UNICODE_STRING>) async throws -> NTSTATUS in
      guard let filter = try kernel.filter(filter, in: "FltDetachVolume"),
        let volume = try kernel.object(volume, FilterVolume.self, in: "FltDetachVolume")
      else { return .invalidParameter }
      let wanted = name.isNull ? filter.instances.defaultInstance.name : try name.string()
      guard let instance = volume.instances.first(where: { $0.filter === filter && $0.name.lowercased() == wanted.lowercased() }) else {
        return .fltInstanceNotFound
      }
      return try await kernel.detach(instance)
    },
    // nf-fltkernel-fltenumerateinstances: of a volume, of a filter, of both, or all.
    export(
      "FltEnumerateInstances(Volume, Filter, InstanceList, InstanceListSize, NumberInstancesReturned)", module: "fltMgr", irql: .apc
    ) {
      (
        kernel, volume: GuestWord, filter: GuestWord, list: Pointer<GuestWord>, size: UInt32, count: Pointer<UInt32>
      ) -> NTSTATUS in
      let all = try kernel.filterVolumes().filter { volume.bits == 0 || $0.address == volume.bits }.flatMap(\.instances)
      return try kernel.list(all.filter { filter.bits == 0 || $0.filter.address == filter.bits }, list, size, count)
    },
    // nf-fltkernel-fltenumeratefilters
    export("FltEnumerateFilters(FilterList, FilterListSize, NumberFiltersReturned)", module: "fltMgr", irql: .apc) {
      (kernel, list: Pointer<GuestWord>, size: UInt32, count: Pointer<UInt32>) -> NTSTATUS in
      try kernel.list(kernel.filterManager.filters.sorted { $1.instances.altitude < $0.instances.altitude }, list, size, count)
    },
    // nf-fltkernel-fltgetfilterfromname
    export("FltGetFilterFromName(FilterName, RetFilter)", module: "fltMgr", irql: .apc) {
      (kernel, name: Pointer<UNICODE_STRING>, result: Pointer<GuestWord>) -> NTSTATUS in
      let wanted = try name.string().lowercased()
      return try kernel.hand(
        kernel.filterManager.filters.first { $0.name.lowercased() == wanted }, to: result, else: .fltFilterNotFound)
    },
    // nf-fltkernel-fltgetfilterfrominstance
    export("FltGetFilterFromInstance(Instance, RetFilter)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltGetFilterFromInstance") else { return .invalidParameter }
      return try kernel.hand(instance.filter, to: result, else: .fltDeletingObject)
    },
    // nf-fltkernel-fltgetvolumeinstancefromname
    export("FltGetVolumeInstanceFromName(Filter, Volume, InstanceName, RetInstance)", module: "fltMgr", irql: .apc) {
      (
        kernel, filter: GuestWord, volume: Pointer<Void>, name: Pointer<UNICODE_STRING>, result: Pointer<GuestWord>
      ) -> NTSTATUS in
      guard let volume = try kernel.object(volume, FilterVolume.self, in: "FltGetVolumeInstanceFromName") else { return .invalidParameter }
      let wanted = name.isNull ? nil : try name.string().lowercased()
      let found = volume.instances.first {
        (filter.bits == 0 || $0.filter.address == filter.bits) && (wanted == nil || $0.name.lowercased() == wanted)
      }
      return try kernel.hand(found, to: result, else: .fltInstanceNotFound)
    },
    // nf-fltkernel-fltgettopinstance
    export("FltGetTopInstance(Volume, Instance)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltGetTopInstance") else { return .invalidParameter }
      return try kernel.hand(volume.instances.first, to: result, else: .noMoreEntries)
    },
    // nf-fltkernel-fltgetbottominstance
    export("FltGetBottomInstance(Volume, Instance)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let volume = try kernel.object(pointer, FilterVolume.self, in: "FltGetBottomInstance") else { return .invalidParameter }
      return try kernel.hand(volume.instances.last, to: result, else: .noMoreEntries)
    },
    // nf-fltkernel-fltgetupperinstance
    export("FltGetUpperInstance(CurrentInstance, UpperInstance)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltGetUpperInstance") else { return .invalidParameter }
      let upper = instance.volume.instances.last { instance.altitude < $0.altitude }
      return try kernel.hand(upper, to: result, else: .noMoreEntries)
    },
    // nf-fltkernel-fltgetlowerinstance
    export("FltGetLowerInstance(CurrentInstance, LowerInstance)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<Void>, result: Pointer<GuestWord>) -> NTSTATUS in
      guard let instance = try kernel.object(pointer, Instance.self, in: "FltGetLowerInstance") else { return .invalidParameter }
      let lower = instance.volume.instances.first { $0.altitude < instance.altitude }
      return try kernel.hand(lower, to: result, else: .noMoreEntries)
    },
    // nf-fltkernel-fltcompareinstancealtitudes
    export("FltCompareInstanceAltitudes(Instance1, Instance2)", module: "fltMgr", irql: .apc) {
      (kernel, first: Pointer<Void>, second: Pointer<Void>) -> Int32 in
      guard let first = try kernel.object(first, Instance.self, in: "FltCompareInstanceAltitudes"),
        let second = try kernel.object(second, Instance.self, in: "FltCompareInstanceAltitudes")
      else { return 0 }
      return first.altitude == second.altitude ? 0 : first.altitude < second.altitude ? -1 : 1
    },
  ]
}
