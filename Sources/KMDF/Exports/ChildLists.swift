import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// Dynamic lists of children (wdfchildlist.h).
  static let childListFunctions: [Export] = [
    // nf-wdfchildlist-wdfchildlistcreate
    asyncFunction("WdfChildListCreate(DriverGlobals, Device, Config, DeviceListAttributes, DeviceList)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, config: Pointer<GuestWord>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let list = try kernel.makeChildList(
          kernel.object(device, Device.self), .init(kernel.required(config)), kernel.attributes(attributes, allowsParent: false))
        try result.store(list.handle)
        return .success
      }
    },
    function("WdfChildListGetDevice(DriverGlobals, DeviceList)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord) -> GuestWord in
      try kernel.object(list, ChildList.self).device?.handle ?? 0
    },
    // nf-wdfchildlist-wdfchildlistretrievepdo: WDF_CHILD_RETRIEVE_INFO tells what became of the child.
    asyncFunction("WdfChildListRetrievePdo(DriverGlobals, ChildList, RetrieveInfo)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, info: Pointer<GuestWord>) async throws -> GuestWord in
      let list = try kernel.object(list, ChildList.self)
      var handle: GuestWord = 0
      _ = try await kernel.refusing {
        // WdfChildListRetrieveDeviceSuccess 1, NotYetCreated 2, NoSuchDevice 3.
        try info[3].store(3)
        guard let entry = try await kernel.entry(info[1].load().bits, in: list) else { return .noSuchDevice }
        try info[3].store(entry.device == nil ? 2 : 1)
        if case let place = try info[2].load().bits, place != 0, entry.address != 0 {
          try kernel.copy(UInt64(list.configuration.addressSize), from: entry.address, to: place)
        }
        handle = entry.device?.handle ?? 0
        return .success
      }
      return handle
    }
    .partially("a comparison of the caller's own is not used"),
    // nf-wdfchildlist-wdfchildlistretrieveaddressdescription
    asyncFunction("WdfChildListRetrieveAddressDescription(DriverGlobals, ChildList, IdentificationDescription, AddressDescription)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, identification: GuestWord, address: GuestWord) async throws
        -> NTSTATUS
      in
      let list = try kernel.object(list, ChildList.self)
      return try await kernel.refusing {
        guard let entry = try await kernel.entry(identification.bits, in: list), entry.address != 0 else { return .noSuchDevice }
        try kernel.copy(UInt64(list.configuration.addressSize), from: entry.address, to: address.bits)
        return .success
      }
    },
    // nf-wdfchildlist-wdfchildlistbeginscan: what is not reported until the scan ends is gone.
    procedure("WdfChildListBeginScan(DriverGlobals, ChildList)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord) in
      let list = try kernel.object(list, ChildList.self)
      list.isScanning = true
      for entry in list.entries { entry.isSeen = false }
    },
    asyncProcedure("WdfChildListEndScan(DriverGlobals, ChildList)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord) async throws in
      let list = try kernel.object(list, ChildList.self)
      guard list.isScanning else { return }
      list.isScanning = false
      for entry in list.entries where !entry.isSeen && entry.isPresent { try await kernel.lose(entry, of: list) }
      try await kernel.changeRelations(of: list.device)
    },
    // nf-wdfchildlist-wdfchildlistbeginiteration: WDF_CHILD_LIST_ITERATOR is its size, then WdfRetrieve… flags.
    procedure("WdfChildListBeginIteration(DriverGlobals, ChildList, Iterator)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, iterator: GuestWord) in
      let list = try kernel.object(list, ChildList.self)
      if list.iterations.count < 64 { list.iterations[iterator.bits] = 0 }
    },
    // nf-wdfchildlist-wdfchildlistretrievenextdevice: STATUS_NO_MORE_ENTRIES behind the last.
    function("WdfChildListRetrieveNextDevice(DriverGlobals, ChildList, Iterator, Device, Info)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, iterator: Pointer<UInt32>, result: Pointer<GuestWord>,
        info: Pointer<GuestWord>
      ) -> NTSTATUS in
      let list = try kernel.object(list, ChildList.self)
      try kernel.required(result).store(0)
      guard var place = list.iterations[iterator.address] else { return .invalidParameter }
      let flags = try iterator[1].load()
      while place < list.entries.count {
        let entry = list.entries[place]
        place += 1
        list.iterations[iterator.address] = place
        // WdfRetrievePresentChildren 1, WdfRetrieveMissingChildren 2, WdfRetrievePendingChildren 4.
        let kind: UInt32 = !entry.isPresent ? 2 : entry.device == nil ? 4 : 1
        guard flags & kind != 0 else { continue }
        try result.store(entry.device?.handle ?? 0)
        guard !info.isNull else { return .success }
        try info[3].store(entry.device == nil ? 2 : 1)
        for (index, source, size) in [
          (1, entry.identification, list.configuration.identificationSize), (2, entry.address, list.configuration.addressSize),
        ] {
          if case let target = try info[index].load().bits, target != 0, source != 0 {
            try kernel.copy(UInt64(size), from: source, to: target)
          }
        }
        return .success
      }
      return .noMoreEntries
    },
    procedure("WdfChildListEndIteration(DriverGlobals, ChildList, Iterator)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, iterator: GuestWord) in
      try kernel.object(list, ChildList.self).iterations[iterator.bits] = nil
    },
    // nf-wdfchildlist-wdfchildlistaddorupdatechilddescriptionaspresent: STATUS_OBJECT_NAME_EXISTS for one that is there.
    asyncFunction(
      "WdfChildListAddOrUpdateChildDescriptionAsPresent(DriverGlobals, ChildList, IdentificationDescription, AddressDescription)"
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, identification: GuestWord, address: GuestWord
      ) async throws -> NTSTATUS in
      let list = try kernel.object(list, ChildList.self)
      return try await kernel.refusing { try await kernel.report(identification.bits, address.bits, in: list) }
    },
    // nf-wdfchildlist-wdfchildlistupdatechilddescriptionasmissing
    asyncFunction("WdfChildListUpdateChildDescriptionAsMissing(DriverGlobals, ChildList, IdentificationDescription)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, identification: GuestWord) async throws -> NTSTATUS in
      let list = try kernel.object(list, ChildList.self)
      return try await kernel.refusing {
        guard let entry = try await kernel.entry(identification.bits, in: list) else { return .noSuchDevice }
        try await kernel.lose(entry, of: list)
        if !list.isScanning { try await kernel.changeRelations(of: list.device) }
        return .success
      }
    },
    procedure("WdfChildListUpdateAllChildDescriptionsAsPresent(DriverGlobals, ChildList)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord) in
      for entry in try kernel.object(list, ChildList.self).entries where entry.isPresent { entry.isSeen = true }
    },
    // nf-wdfchildlist-wdfchildlistrequestchildeject: whether the child is there.
    asyncFunction("WdfChildListRequestChildEject(DriverGlobals, ChildList, IdentificationDescription)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, list: GuestWord, identification: GuestWord) async throws -> UInt8 in
      let list = try kernel.object(list, ChildList.self)
      var isThere = false
      _ = try await kernel.refusing {
        isThere = try await kernel.entry(identification.bits, in: list)?.device != nil
        return .success
      }
      return isThere ? 1 : 0
    }
    .partially("nothing is ejected"),
  ]
}
