import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  static let stringFunctions: [Export] = [
    // nf-wdfstring-wdfstringcreate: null for an empty string.
    asyncFunction("WdfStringCreate(DriverGlobals, UnicodeString, StringAttributes, String)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, text: Pointer<UNICODE_STRING>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let binding = try kernel.binding(globals)
        try kernel.required(result).store(0)
        let string = try kernel.makeString(
          text.isNull ? "" : text.string(), binding, kernel.attributes(attributes), parent: binding.driver)
        try result.store(string.handle)
        return .success
      }
    },
    // nf-wdfstring-wdfstringgetunicodestring
    procedure("WdfStringGetUnicodeString(DriverGlobals, String, UnicodeString)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, string: GuestWord, result: Pointer<UNICODE_STRING>) in
      let own = try kernel.object(string, StringObject.self).string
      try result.Length.store(own.Length.load())
      try result.MaximumLength.store(own.MaximumLength.load())
      try result.Buffer.store(own.Buffer.load())
    },
  ]

  /// Keys of the registry (wdfregistry.h).
  static let registryFunctions: [Export] = [
    // nf-wdfdriver-wdfdriveropenparametersregistrykey
    asyncFunction("WdfDriverOpenParametersRegistryKey(DriverGlobals, Driver, DesiredAccess, KeyAttributes, Key)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, driver: GuestWord, access: UInt32, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let driver = try kernel.object(driver, FrameworkDriver.self)
        let path = driver.binding.registryPath + "\\Parameters"
        return try kernel.open(kernel.registry.makeKey(at: path), driver.binding, attributes, result)
      }
    },
    // nf-wdfregistry-wdfregistryopenkey: a null parent is the registry's own root, and the name a whole path.
    asyncFunction("WdfRegistryOpenKey(DriverGlobals, ParentKey, KeyName, DesiredAccess, KeyAttributes, Key)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, parent: GuestWord, name: Pointer<UNICODE_STRING>, access: UInt32,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let text = try kernel.required(name).string()
        let path = parent.bits == 0 ? text : try kernel.object(parent, Key.self).key.path + "\\" + text
        return try kernel.open(kernel.registry.key(at: path), kernel.binding(globals), attributes, result)
      }
    }
    .partially("the access that is asked for is not checked"),
    // nf-wdfregistry-wdfregistryclose
    asyncProcedure("WdfRegistryClose(DriverGlobals, Key)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord) async throws in
      try await kernel.delete(kernel.object(key, Key.self))
    },
    // nf-wdfregistry-wdfregistryqueryulong: another type than REG_DWORD is STATUS_OBJECT_TYPE_MISMATCH.
    function("WdfRegistryQueryULong(DriverGlobals, Key, ValueName, Value)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, result: Pointer<UInt32>
      ) -> NTSTATUS in
      guard let data = try kernel.object(key, Key.self).key[kernel.required(name).string()] else { return .objectNameNotFound }
      guard data.type == .dword, let number = data.number else { return .objectTypeMismatch }
      try kernel.required(result).store(UInt32(truncatingIfNeeded: number))
      return .success
    },
    // nf-wdfregistry-wdfregistryassignulong
    function("WdfRegistryAssignULong(DriverGlobals, Key, ValueName, Value)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, value: UInt32) -> NTSTATUS in
      try kernel.object(key, Key.self).key[kernel.required(name).string()] = .dword(value)
      return .success
    },
    // nf-wdfregistry-wdfregistryqueryunicodestring: a string that does not fit is STATUS_BUFFER_OVERFLOW, with its length.
    function("WdfRegistryQueryUnicodeString(DriverGlobals, Key, ValueName, ValueByteLength, Value)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, length: Pointer<UInt16>,
        result: Pointer<UNICODE_STRING>
      ) -> NTSTATUS in
      guard let data = try kernel.object(key, Key.self).key[kernel.required(name).string()] else { return .objectNameNotFound }
      guard data.type == .string, let text = data.text else { return .objectTypeMismatch }
      let size = text.utf16.count * 2
      if !length.isNull { try length.store(UInt16(truncatingIfNeeded: size + 2)) }
      guard !result.isNull else { return .success }
      guard try Int(result.MaximumLength.load()) >= size else { return .bufferOverflow }
      let buffer = try result.Buffer.load()
      for (index, unit) in text.utf16.enumerated() { try buffer[index].store(unit) }
      try result.Length.store(UInt16(size))
      return .success
    },
  ]

  /// nf-wdfcollection-wdfcollectioncreate and the pages beside it. A collection keeps a reference to each object in it.
  static let collectionFunctions: [Export] = [
    asyncFunction("WdfCollectionCreate(DriverGlobals, CollectionAttributes, Collection)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let binding = try kernel.binding(globals)
        try kernel.required(result).store(0)
        let collection = Collection(try kernel.objectBlock(), binding)
        try kernel.adopt(collection, kernel.attributes(attributes), parent: binding.driver)
        try result.store(collection.handle)
        return .success
      }
    },
    function("WdfCollectionGetCount(DriverGlobals, Collection)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, collection: GuestWord) -> UInt32 in
      UInt32(try kernel.object(collection, Collection.self).items.count)
    },
    function("WdfCollectionAdd(DriverGlobals, Collection, Object)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, collection: GuestWord, object: GuestWord) -> NTSTATUS in
      let object = try kernel.object(object, FrameworkObject.self)
      kernel.reference(object)
      try kernel.object(collection, Collection.self).items.append(object)
      return .success
    },
    asyncProcedure("WdfCollectionRemove(DriverGlobals, Collection, Item)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, collection: GuestWord, item: GuestWord) async throws in
      let (collection, item) = try (kernel.object(collection, Collection.self), kernel.object(item, FrameworkObject.self))
      guard let index = collection.items.firstIndex(where: { $0 === item }) else { return }
      collection.items.remove(at: index)
      try await kernel.dereference(item)
    },
    asyncProcedure("WdfCollectionRemoveItem(DriverGlobals, Collection, Index)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, collection: GuestWord, index: UInt32) async throws in
      let collection = try kernel.object(collection, Collection.self)
      guard Int(index) < collection.items.count else { return }
      try await kernel.dereference(collection.items.remove(at: Int(index)))
    },
    function("WdfCollectionGetItem(DriverGlobals, Collection, Index)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, collection: GuestWord, index: UInt32) -> GuestWord in
      try kernel.object(collection, Collection.self).items.dropFirst(Int(index)).first?.handle ?? 0
    },
    function("WdfCollectionGetFirstItem(DriverGlobals, Collection)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, collection: GuestWord) -> GuestWord in
      try kernel.object(collection, Collection.self).items.first?.handle ?? 0
    },
    function("WdfCollectionGetLastItem(DriverGlobals, Collection)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, collection: GuestWord) -> GuestWord in
      try kernel.object(collection, Collection.self).items.last?.handle ?? 0
    },
  ]
}

extension Kernel {
  /// A string whose characters lie behind it.
  func textBlock(_ text: String) throws -> Pointer<UNICODE_STRING> {
    let block = try allocate(UInt64(8 + text.utf16.count * 2 + 2))
    let string = Pointer<UNICODE_STRING>(block, in: memory.memory)
    try string.store(text, buffer: Pointer(block + 8, in: memory.memory))
    return string
  }

  func makeString(_ text: String, _ binding: Binding, _ attributes: Attributes, parent: FrameworkObject?) throws -> StringObject {
    let object = StringObject(try objectBlock(), binding, try textBlock(text))
    try adopt(object, attributes, parent: parent)
    return object
  }

  func open(
    _ key: RegistryKey?, _ binding: Binding, _ attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, _ result: Pointer<GuestWord>
  ) throws -> NTSTATUS {
    try required(result).store(0)
    guard let key else { return .objectNameNotFound }
    let object = Key(try objectBlock(), binding, key)
    try adopt(object, self.attributes(attributes), parent: binding.driver)
    try result.store(object.handle)
    return .success
  }
}
