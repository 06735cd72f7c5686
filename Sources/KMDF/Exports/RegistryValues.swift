import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// Keys and values of every type (wdfregistry.h).
  static let registryValueFunctions: [Export] = [
    // nf-wdfregistry-wdfregistrycreatekey: REG_CREATED_NEW_KEY 1, REG_OPENED_EXISTING_KEY 2.
    asyncFunction(
      "WdfRegistryCreateKey(DriverGlobals, ParentKey, KeyName, DesiredAccess, CreateOptions, CreateDisposition, KeyAttributes, Key)",
      irql: .passive
    ) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, parent: GuestWord, name: Pointer<UNICODE_STRING>, access: UInt32, options: UInt32,
        disposition: Pointer<UInt32>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let text = try kernel.required(name).string()
        let path = parent.bits == 0 ? text : try kernel.object(parent, Key.self).key.path + "\\" + text
        let known = kernel.registry.key(at: path)
        if !disposition.isNull { try disposition.store(known == nil ? 1 : 2) }
        return try kernel.open(known ?? kernel.registry.makeKey(at: path), kernel.binding(globals), attributes, result)
      }
    }
    .partially("the access that is asked for is not checked, and a volatile key is as any other"),
    // nf-wdfregistry-wdfregistrywdmgethandle: a handle of the kernel's, which goes with the key.
    asyncFunction("WdfRegistryWdmGetHandle(DriverGlobals, Key)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord) async throws -> GuestWord in
      let key = try kernel.object(key, Key.self)
      if key.wdmHandle == 0 { key.wdmHandle = try kernel.makeHandle(toKey: key.key) }
      return GuestWord(key.wdmHandle)
    },
    // nf-wdfregistry-wdfregistryremovekey: the key object goes, too.
    asyncFunction("WdfRegistryRemoveKey(DriverGlobals, Key)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord) async throws -> NTSTATUS in
      let key = try kernel.object(key, Key.self)
      guard key.key.subkeys.isEmpty, kernel.registry.removeKey(at: key.key.path) else { return NTSTATUS(rawValue: 0xc000_0121) }
      try await kernel.delete(key)
      return .success
    },
    function("WdfRegistryRemoveValue(DriverGlobals, Key, ValueName)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>) -> NTSTATUS in
      let (key, name) = (try kernel.object(key, Key.self).key, try kernel.required(name).string())
      guard key[name] != nil else { return .objectNameNotFound }
      key[name] = nil
      return .success
    },
    // nf-wdfregistry-wdfregistryqueryvalue: STATUS_BUFFER_OVERFLOW, with the length, where the data does not fit.
    function("WdfRegistryQueryValue(DriverGlobals, Key, ValueName, ValueLength, Value, ValueLengthQueried, ValueType)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, length: UInt32, buffer: GuestWord,
        queried: Pointer<UInt32>, type: Pointer<UInt32>
      ) -> NTSTATUS in
      guard let data = try kernel.object(key, Key.self).key[kernel.required(name).string()] else { return .objectNameNotFound }
      if !queried.isNull { try queried.store(UInt32(data.bytes.count)) }
      if !type.isNull { try type.store(data.type.rawValue) }
      guard buffer.bits != 0 else { return length == 0 ? .bufferOverflow : .invalidParameter }
      guard data.bytes.count <= length else { return .bufferOverflow }
      try kernel.memory.memory.write(data.bytes, at: buffer.bits)
      return .success
    },
    // nf-wdfregistry-wdfregistryquerymemory
    asyncFunction("WdfRegistryQueryMemory(DriverGlobals, Key, ValueName, PoolType, MemoryAttributes, Memory, ValueType)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, pool: UInt32,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>, type: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        guard let data = try kernel.object(key, Key.self).key[kernel.required(name).string()] else { return .objectNameNotFound }
        let binding = try kernel.binding(globals)
        guard
          let block = try kernel.allocatePool(UInt64(max(1, data.bytes.count)), tag: globals.DriverTag.load(), paged: pool & 1 != 0)
        else { return .insufficientResources }
        try kernel.memory.memory.write(data.bytes, at: block)
        let memory = MemoryObject(try kernel.objectBlock(), binding, buffer: block, size: UInt64(data.bytes.count))
        memory.ownedBlock = block
        try kernel.adopt(memory, kernel.attributes(attributes), parent: binding.driver)
        if !type.isNull { try type.store(data.type.rawValue) }
        try result.store(memory.handle)
        return .success
      }
    },
    // nf-wdfregistry-wdfregistryquerystring
    function("WdfRegistryQueryString(DriverGlobals, Key, ValueName, String)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, string: GuestWord) -> NTSTATUS in
      guard let data = try kernel.object(key, Key.self).key[kernel.required(name).string()] else { return .objectNameNotFound }
      guard data.type == .string, let text = data.text else { return .objectTypeMismatch }
      try kernel.object(string, StringObject.self).replace(with: text, kernel)
      return .success
    },
    // nf-wdfregistry-wdfregistryquerymultistring: a string object for each, in the caller's collection.
    asyncFunction("WdfRegistryQueryMultiString(DriverGlobals, Key, ValueName, StringsAttributes, Collection)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, collection: GuestWord
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        guard let data = try kernel.object(key, Key.self).key[kernel.required(name).string()] else { return .objectNameNotFound }
        guard data.type == .multiString, let texts = data.texts else { return .objectTypeMismatch }
        let collection = try kernel.object(collection, Collection.self)
        for text in texts {
          let string = try kernel.makeString(text, kernel.binding(globals), kernel.attributes(attributes), parent: collection)
          kernel.reference(string)
          collection.items.append(string)
        }
        return .success
      }
    },
    // nf-wdfregistry-wdfregistryassignvalue, nf-wdfregistry-wdfregistryassignmemory
    function("WdfRegistryAssignValue(DriverGlobals, Key, ValueName, ValueType, ValueLength, Value)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, type: UInt32, length: UInt32,
        value: GuestWord
      ) -> NTSTATUS in
      try kernel.assign(kernel.object(key, Key.self), name, type, value.bits, UInt64(length))
    },
    function("WdfRegistryAssignMemory(DriverGlobals, Key, ValueName, ValueType, Memory, MemoryOffsets)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, type: UInt32, memory: GuestWord,
        offsets: Pointer<GuestWord>
      ) -> NTSTATUS in
      let memory = try kernel.object(memory, MemoryObject.self)
      // WDFMEMORY_OFFSET: an offset and a length.
      let (offset, length) = try offsets.isNull ? (0, memory.size) : (offsets.load().bits, offsets[1].load().bits)
      guard offset <= memory.size, length <= memory.size - offset else { return .invalidParameter }
      return try kernel.assign(kernel.object(key, Key.self), name, type, memory.buffer + offset, length)
    },
    // nf-wdfregistry-wdfregistryassignunicodestring, nf-wdfregistry-wdfregistryassignstring: REG_SZ.
    function("WdfRegistryAssignUnicodeString(DriverGlobals, Key, ValueName, Value)", irql: .passive) {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, value: Pointer<UNICODE_STRING>
      ) -> NTSTATUS in
      try kernel.object(key, Key.self).key[kernel.required(name).string()] = .string(kernel.required(value).string())
      return .success
    },
    function("WdfRegistryAssignString(DriverGlobals, Key, ValueName, String)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, string: GuestWord) -> NTSTATUS in
      try kernel.object(key, Key.self).key[kernel.required(name).string()] = .string(
        kernel.object(string, StringObject.self).string.string())
      return .success
    },
    // nf-wdfregistry-wdfregistryassignmultistring: the strings of a collection.
    function("WdfRegistryAssignMultiString(DriverGlobals, Key, ValueName, StringsCollection)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, key: GuestWord, name: Pointer<UNICODE_STRING>, strings: GuestWord) -> NTSTATUS in
      let items = try kernel.object(strings, Collection.self).items
      let texts = try items.compactMap { try ($0 as? StringObject)?.string.string() }
      guard texts.count == items.count else { return .invalidParameter }
      try kernel.object(key, Key.self).key[kernel.required(name).string()] = .strings(texts)
      return .success
    },
  ]
}

extension Kernel {
  fileprivate func assign(
    _ key: Key, _ name: Pointer<UNICODE_STRING>, _ type: UInt32, _ place: UInt64, _ length: UInt64
  ) throws -> NTSTATUS {
    guard length <= 1 << 20 else { return .insufficientResources }
    try key.key[required(name).string()] = RegistryData(
      RegistryValueType(rawValue: type), length == 0 ? [] : memory.memory.bytes(Int(length), at: place))
    return .success
  }
}
