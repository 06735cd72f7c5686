import Guest
import WindowsTypes

extension Export {
  /// The registry's system calls: `Zw…` for drivers; the `Nt…` that user mode reaches has no export on XP.
  static let registryKeys: [Export] = ["Nt", "Zw"].flatMap { prefix in keyCalls(prefix) + queryCalls(prefix) + watchCalls(prefix) }

  private static let uninherited =
    "a new key has the list that its maker gives, or else that of the key above it, without entries of CREATOR OWNER's"

  private static func mode(_ prefix: String, _ kernel: Kernel) throws -> KPROCESSOR_MODE {
    prefix == "Zw" ? .kernelMode : try kernel.previousMode()
  }

  private static func keyCalls(_ prefix: String) -> [Export] {
    let isImportable = prefix == "Zw"
    return [
      // nf-wdm-zwopenkey
      export("\(prefix)OpenKey(KeyHandle, DesiredAccess, ObjectAttributes)", irql: .passive, isImportable: isImportable) {
        (kernel, handle: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>) async throws -> NTSTATUS in
        try await kernel.openKey(.init(handle: handle, access: access, attributes: attributes, mode: mode(prefix, kernel)))
      },
      // nf-wdm-zwcreatekey
      export(
        "\(prefix)CreateKey(KeyHandle, DesiredAccess, ObjectAttributes, TitleIndex, Class, CreateOptions, Disposition)", irql: .passive,
        isImportable: isImportable
      ) {
        (
          kernel, handle: Pointer<GuestWord>, access: UInt32, attributes: Pointer<OBJECT_ATTRIBUTES>, title: UInt32,
          className: Pointer<UNICODE_STRING>, options: UInt32, disposition: Pointer<UInt32>
        ) async throws -> NTSTATUS in
        try await kernel.createKey(
          .init(handle: handle, access: access, attributes: attributes, mode: mode(prefix, kernel)), class: className, options: options,
          disposition: disposition)
      }
      .partially(uninherited),
      // nf-wdm-zwdeletekey
      export("\(prefix)DeleteKey(KeyHandle)", irql: .passive, isImportable: isImportable) {
        (kernel, handle: GuestWord) async throws -> NTSTATUS in
        try await kernel.deleteKey(handle.bits, mode: mode(prefix, kernel))
      },
      // nf-wdm-zwsetvaluekey
      export("\(prefix)SetValueKey(KeyHandle, ValueName, TitleIndex, Type, Data, DataSize)", irql: .passive, isImportable: isImportable) {
        (
          kernel, handle: GuestWord, name: Pointer<UNICODE_STRING>, title: UInt32, type: RegistryValueType, data: GuestWord, size: UInt32
        ) async throws -> NTSTATUS in
        try await kernel.setValue(handle.bits, name, title: title, type, (data.bits, size), mode: mode(prefix, kernel))
      },
      // nf-wdm-zwdeletevaluekey
      export("\(prefix)DeleteValueKey(KeyHandle, ValueName)", irql: .passive, isImportable: isImportable) {
        (kernel, handle: GuestWord, name: Pointer<UNICODE_STRING>) async throws -> NTSTATUS in
        try await kernel.deleteValue(handle.bits, name, mode: mode(prefix, kernel))
      },
      // nf-wdm-zwflushkey
      export("\(prefix)FlushKey(KeyHandle)", irql: .passive, isImportable: isImportable) { (kernel, handle: GuestWord) -> NTSTATUS in
        try kernel.flushKey(handle.bits, mode: mode(prefix, kernel))
      },
    ]
  }

  private static func queryCalls(_ prefix: String) -> [Export] {
    let isImportable = prefix == "Zw"
    return [
      // nf-wdm-zwquerykey
      export(
        "\(prefix)QueryKey(KeyHandle, KeyInformationClass, KeyInformation, Length, ResultLength)", irql: .passive,
        isImportable: isImportable
      ) {
        (
          kernel, handle: GuestWord, kind: KEY_INFORMATION_CLASS, information: GuestWord, length: UInt32, needed: Pointer<UInt32>
        ) async throws -> NTSTATUS in
        try await kernel.queryKey(
          handle.bits, kind, .init(address: information.bits, length: length, needed: needed), mode: mode(prefix, kernel))
      }
      .partially("KeyCachedInformation is not there"),
      // nf-wdm-zwenumeratekey
      export(
        "\(prefix)EnumerateKey(KeyHandle, Index, KeyInformationClass, KeyInformation, Length, ResultLength)", irql: .passive,
        isImportable: isImportable
      ) {
        (
          kernel, handle: GuestWord, index: UInt32, kind: KEY_INFORMATION_CLASS, information: GuestWord, length: UInt32,
          needed: Pointer<UInt32>
        ) async throws -> NTSTATUS in
        try await kernel.enumerateKey(
          handle.bits, index, kind, .init(address: information.bits, length: length, needed: needed), mode: mode(prefix, kernel))
      },
      // nf-wdm-zwqueryvaluekey
      export(
        "\(prefix)QueryValueKey(KeyHandle, ValueName, KeyValueInformationClass, KeyValueInformation, Length, ResultLength)",
        irql: .passive, isImportable: isImportable
      ) {
        (
          kernel, handle: GuestWord, name: Pointer<UNICODE_STRING>, kind: KEY_VALUE_INFORMATION_CLASS, information: GuestWord,
          length: UInt32, needed: Pointer<UInt32>
        ) async throws -> NTSTATUS in
        try await kernel.queryValue(
          handle.bits, name, kind, .init(address: information.bits, length: length, needed: needed), mode: mode(prefix, kernel))
      },
      // nf-wdm-zwenumeratevaluekey
      export(
        "\(prefix)EnumerateValueKey(KeyHandle, Index, KeyValueInformationClass, KeyValueInformation, Length, ResultLength)",
        irql: .passive, isImportable: isImportable
      ) {
        (
          kernel, handle: GuestWord, index: UInt32, kind: KEY_VALUE_INFORMATION_CLASS, information: GuestWord, length: UInt32,
          needed: Pointer<UInt32>
        ) async throws -> NTSTATUS in
        try await kernel.enumerateValue(
          handle.bits, index, kind, .init(address: information.bits, length: length, needed: needed), mode: mode(prefix, kernel))
      },
    ]
  }

  private static func watchCalls(_ prefix: String) -> [Export] {
    [
      // nf-ntifs-zwnotifychangekey
      export(
        "\(prefix)NotifyChangeKey(KeyHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, CompletionFilter, WatchTree, Buffer, BufferSize, Asynchronous)",
        irql: .passive, isImportable: prefix == "Zw"
      ) {
        (
          kernel, handle: GuestWord, event: GuestWord, routine: GuestWord, context: GuestWord, block: Pointer<IO_STATUS_BLOCK>,
          filter: UInt32, tree: UInt8, buffer: GuestWord, size: UInt32, isAsynchronous: UInt8
        ) async throws -> NTSTATUS in
        try await kernel.notifyChange(
          handle.bits,
          .init(
            event: event.bits, apcRoutine: routine.bits, apcContext: context.bits, block: block, filter: filter, watchesTree: tree != 0,
            isAsynchronous: isAsynchronous != 0, mode: mode(prefix, kernel)))
      }
      .callingAPCs(inUserMode: prefix == "Nt")
    ]
  }

  /// Being told of the registry's operations.
  static let registryCallbacks: [Export] = [
    // nf-wdm-cmregistercallback
    export("CmRegisterCallback(Function, Context, Cookie)", irql: .apc) {
      (kernel, routine: GuestWord, context: GuestWord, cookie: Pointer<Int64>) -> NTSTATUS in
      try kernel.registerRegistryCallback(routine.bits, context.bits, altitude: nil, cookie: cookie)
    },
    // nf-wdm-cmregistercallbackex
    export("CmRegisterCallbackEx(Function, Altitude, Driver, Context, Cookie, Reserved)", irql: .apc) {
      (
        kernel, routine: GuestWord, altitude: Pointer<UNICODE_STRING>, driver: GuestWord, context: GuestWord, cookie: Pointer<Int64>,
        reserved: GuestWord
      ) -> NTSTATUS in
      try kernel.registerRegistryCallback(routine.bits, context.bits, altitude: altitude.string(), cookie: cookie)
    }
    .partially("those above a callback that refuses are not told of the end")
    .uncertain("it is Windows Vista's, as are the notifications that its callbacks get here"),
    // nf-wdm-cmunregistercallback
    export("CmUnRegisterCallback(Cookie)", irql: .apc) { (kernel, cookie: UInt64) async throws -> NTSTATUS in
      try await kernel.cleanUpRegistryContexts(ofCallback: cookie)
      return kernel.unregisterRegistryCallback(cookie)
    },
    // nf-wdm-cmcallbackgetkeyobjectid
    export("CmCallbackGetKeyObjectID(Cookie, Object, ObjectID, ObjectName)", irql: .apc) {
      (kernel, cookie: Pointer<Int64>, object: GuestWord, identifier: Pointer<GuestWord>, name: Pointer<Pointer<UNICODE_STRING>>)
        -> NTSTATUS in
      try kernel.keyObjectID(cookie, object.bits, identifier, name)
    }
    .uncertain("it is Windows Vista's"),
  ]

  /// The run-time library's registry routines.
  static let registryRoutines: [Export] = [
    // nf-wdm-rtlqueryregistryvalues
    export("RtlQueryRegistryValues(RelativeTo, Path, QueryTable, Context, Environment)", irql: .passive) {
      (
        kernel, relativeTo: UInt32, path: Pointer<UInt16>, table: Pointer<RTL_QUERY_REGISTRY_TABLE>, context: GuestWord,
        environment: Pointer<UInt16>
      ) async throws -> NTSTATUS in
      switch try await kernel.runtimeKey(relativeTo, path) {
      // RTL_REGISTRY_OPTIONAL
      case .failure(let refusal): return refusal.status != .invalidParameter && relativeTo & 0x8000_0000 != 0 ? .success : refusal.status
      case .success(let key):
        return try await RegistryQuery(kernel: kernel, top: key, context: context.bits, environment: environment).run(table)
      }
    }
    .partially("registry callbacks are told of the key that is opened, and not of each value that is read")
    .uncertain("without an environment block the names in a REG_EXPAND_SZ stay as they are"),
    // nf-wdm-rtlwriteregistryvalue
    export("RtlWriteRegistryValue(RelativeTo, Path, ValueName, ValueType, ValueData, ValueLength)", irql: .passive) {
      (
        kernel, relativeTo: UInt32, path: Pointer<UInt16>, name: Pointer<UInt16>, type: RegistryValueType, data: GuestWord, size: UInt32
      ) async throws -> NTSTATUS in
      try await kernel.writeRegistryValue(relativeTo, path, name, type, data.bits, size)
    },
    // nf-wdm-rtldeleteregistryvalue
    export("RtlDeleteRegistryValue(RelativeTo, Path, ValueName)", irql: .passive) {
      (kernel, relativeTo: UInt32, path: Pointer<UInt16>, name: Pointer<UInt16>) async throws -> NTSTATUS in
      try await kernel.deleteRegistryValue(relativeTo, path, name)
    },
    // nf-wdm-rtlcreateregistrykey
    export("RtlCreateRegistryKey(RelativeTo, Path)", irql: .passive) {
      (kernel, relativeTo: UInt32, path: Pointer<UInt16>) async throws -> NTSTATUS in
      switch try await kernel.runtimeKey(relativeTo, path, makesLast: true) {
      case .failure(let refusal): refusal.status
      case .success: .success
      }
    },
    // nf-wdm-rtlcheckregistrykey
    export("RtlCheckRegistryKey(RelativeTo, Path)", irql: .passive) {
      (kernel, relativeTo: UInt32, path: Pointer<UInt16>) async throws -> NTSTATUS in
      switch try await kernel.runtimeKey(relativeTo, path) {
      case .failure(let refusal): refusal.status
      case .success: .success
      }
    },
    // nf-wdm-rtlformatcurrentuserkeypath of ntddk.h
    export("RtlFormatCurrentUserKeyPath(CurrentUserKeyPath)", irql: .passive) {
      (kernel, path: Pointer<UNICODE_STRING>) -> NTSTATUS in
      let units = Array(kernel.currentUserPath().utf16)
      guard let buffer = try kernel.allocateText(units.count + 1, of: UInt16.self) else { return .insufficientResources }
      try path.store(kernel.currentUserPath(), buffer: buffer)
      return .success
    }
    .partially("every thread's user is the local system account"),
  ]
}
