import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  static let memoryFunctions: [Export] = [
    // nf-wdfmemory-wdfmemorycreate
    asyncFunction("WdfMemoryCreate(DriverGlobals, Attributes, PoolType, PoolTag, BufferSize, Memory, Buffer)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, pool: UInt32, tag: UInt32,
        size: GuestWord, result: Pointer<GuestWord>, buffer: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        guard size.bits > 0 else { return .invalidParameter }
        let binding = try kernel.binding(globals)
        let attributes = try kernel.attributes(attributes)
        let poolTag = tag == 0 ? try globals.DriverTag.load() : tag
        guard size.bits < 64 << 20, let block = try kernel.allocatePool(size.bits, tag: poolTag, paged: pool & 1 != 0) else {
          return .insufficientResources
        }
        let memory = MemoryObject(try kernel.objectBlock(), binding, buffer: block, size: size.bits)
        memory.ownedBlock = block
        try kernel.adopt(memory, attributes, parent: binding.driver)
        try result.store(memory.handle)
        if !buffer.isNull { try buffer.store(GuestWord(block)) }
        return .success
      }
    },
    // nf-wdfmemory-wdfmemorycreatepreallocated
    asyncFunction("WdfMemoryCreatePreallocated(DriverGlobals, Attributes, Buffer, BufferSize, Memory)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, buffer: GuestWord, size: GuestWord,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        guard buffer.bits != 0, size.bits > 0 else { return .invalidParameter }
        let binding = try kernel.binding(globals)
        let memory = MemoryObject(try kernel.objectBlock(), binding, buffer: buffer.bits, size: size.bits)
        try kernel.adopt(memory, kernel.attributes(attributes), parent: binding.driver)
        try result.store(memory.handle)
        return .success
      }
    },
    // nf-wdfmemory-wdfmemoryassignbuffer
    function("WdfMemoryAssignBuffer(DriverGlobals, Memory, Buffer, BufferSize)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, memory: GuestWord, buffer: GuestWord, size: GuestWord) -> NTSTATUS in
      let memory = try kernel.object(memory, MemoryObject.self)
      guard memory.ownedBlock == nil, memory.mdl == nil else { return .invalidDeviceRequest }
      guard buffer.bits != 0, size.bits > 0 else { return .invalidParameter }
      memory.buffer = buffer.bits
      memory.size = size.bits
      return .success
    },
    // nf-wdfmemory-wdfmemorygetbuffer
    function("WdfMemoryGetBuffer(DriverGlobals, Memory, BufferSize)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, memory: GuestWord, size: Pointer<GuestWord>) -> GuestWord in
      let memory = try kernel.object(memory, MemoryObject.self)
      if !size.isNull { try size.store(GuestWord(memory.size)) }
      return GuestWord(memory.buffer)
    },
    // nf-wdfmemory-wdfmemorycopytobuffer, nf-wdfmemory-wdfmemorycopyfrombuffer
    function("WdfMemoryCopyToBuffer(DriverGlobals, SourceMemory, SourceOffset, Buffer, NumBytesToCopyTo)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, memory: GuestWord, offset: GuestWord, buffer: GuestWord, count: GuestWord
      ) -> NTSTATUS in
      let memory = try kernel.object(memory, MemoryObject.self)
      guard buffer.bits != 0, count.bits > 0 else { return .invalidParameter }
      guard offset.bits + count.bits <= memory.size else { return .bufferTooSmall }
      try kernel.copy(count.bits, from: memory.buffer + offset.bits, to: buffer.bits)
      return .success
    },
    function("WdfMemoryCopyFromBuffer(DriverGlobals, DestinationMemory, DestinationOffset, Buffer, NumBytesToCopyFrom)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, memory: GuestWord, offset: GuestWord, buffer: GuestWord, count: GuestWord
      ) -> NTSTATUS in
      let memory = try kernel.object(memory, MemoryObject.self)
      guard buffer.bits != 0, count.bits > 0 else { return .invalidParameter }
      guard offset.bits + count.bits <= memory.size else { return .bufferTooSmall }
      try kernel.copy(count.bits, from: buffer.bits, to: memory.buffer + offset.bits)
      return .success
    },
  ]

  /// General objects, contexts and references (wdfobject.h).
  static let objectFunctions: [Export] = [
    // nf-wdfobject-wdfobjectcreate
    asyncFunction("WdfObjectCreate(DriverGlobals, Attributes, Object)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let binding = try kernel.binding(globals)
        try kernel.required(result).store(0)
        let object = FrameworkObject(try kernel.objectBlock(), binding)
        try kernel.adopt(object, kernel.attributes(attributes), parent: binding.driver)
        try result.store(object.handle)
        return .success
      }
    },
    // nf-wdfobject-wdfobjectdelete
    asyncProcedure("WdfObjectDelete(DriverGlobals, Object)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord) async throws in
      let object = try kernel.object(object, FrameworkObject.self)
      try kernel.checkDeletable(object)
      try await kernel.delete(object)
    }
    .uncertain("an object that a driver may not delete is bugcheck 0x10D with 7: the page says a bugcheck, and not which"),
    // nf-wdfobject-wdfobjectreferenceactual, nf-wdfobject-wdfobjectdereferenceactual
    procedure("WdfObjectReferenceActual(DriverGlobals, Handle, Tag, Line, File)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord, tag: GuestWord, line: Int32, file: GuestWord) in
      kernel.reference(try kernel.object(object, FrameworkObject.self))
    },
    asyncProcedure("WdfObjectDereferenceActual(DriverGlobals, Handle, Tag, Line, File)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord, tag: GuestWord, line: Int32, file: GuestWord) async throws in
      try await kernel.dereference(kernel.object(object, FrameworkObject.self))
    },
    // nf-wdfobject-wdfobjectgettypedcontextworker: null where the object has no context of the type. Alone of all it is FASTCALL
    // (wdfobject.h).
    export("WdfObjectGetTypedContextWorker(DriverGlobals, Handle, TypeInfo)", module: module, .fastcall, isImportable: false) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord, type: GuestWord) -> GuestWord in
      let contexts = try kernel.object(object, FrameworkObject.self).contexts
      return GuestWord(contexts.first { $0.type == type.bits && $0.address != 0 }?.address ?? 0)
    },
    // nf-wdfobject-wdfobjectallocatecontext
    asyncFunction("WdfObjectAllocateContext(DriverGlobals, Handle, ContextAttributes, Context)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>,
        result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let object = try kernel.object(object, FrameworkObject.self)
        let attributes = try kernel.attributes(kernel.required(attributes), allowsParent: false)
        guard attributes.contextType != 0 else { return .objectNameInvalid }
        guard !object.isDeleting else { return .deletePending }
        if let known = object.contexts.first(where: { $0.type == attributes.contextType }) {
          if !result.isNull { try result.store(GuestWord(known.address)) }
          return .objectNameExists
        }
        let address = try kernel.addContext(to: object, attributes)
        if !result.isNull { try result.store(GuestWord(address)) }
        return .success
      }
    },
    // nf-wdfobject-wdfobjectcontextgetobject
    function("WdfObjectContextGetObject(DriverGlobals, ContextPointer)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, context: GuestWord) -> GuestWord in
      guard let object = kernel.framework.objects.values.first(where: { $0.contexts.contains { $0.address == context.bits } }) else {
        throw Violation.invalidHandle.bugCheck(context.bits)
      }
      return object.handle
    },
  ]
}

extension Kernel {
  func copy(_ count: UInt64, from source: UInt64, to target: UInt64) throws {
    // Page by page: nothing says that so much memory is there.
    for offset in stride(from: 0, to: count, by: 0x1000) {
      try memory.memory.write(memory.memory.bytes(Int(min(0x1000, count - offset)), at: source + offset), at: target + offset)
    }
  }

  /// What the framework deletes itself: the driver, a queue that is a device's default, requests that it presented, file objects.
  func checkDeletable(_ object: FrameworkObject) throws {
    let isFrameworks =
      object is FrameworkDriver || object is FileObject || (object as? Request)?.isOwn == false
      || (object as? Queue).map { $0.device?.defaultQueue === $0 } == true
      || (object as? Device)?.setup.physicalDevice != nil
    if isFrameworks { throw Violation.objectError.bugCheck(object.handle.bits) }
  }
}

extension NTSTATUS {
  static let objectNameExists = Self(rawValue: 0x4000_0000)
}
