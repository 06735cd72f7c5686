import Guest
import NTKernel
import WindowsTypes

/// `WDF_OBJECT_ATTRIBUTES`, read.
struct Attributes {
  var cleanup: GuestWord = 0
  var destroy: GuestWord = 0
  var executionLevel = ExecutionLevel.inherited
  var synchronizationScope = SynchronizationScope.inherited
  var parent: GuestWord = 0
  var contextSize: UInt32 = 0
  /// The address of the context type's description; 0 where there is no context.
  var contextType: UInt64 = 0
}

/// A function's refusal, as the status that it returns.
struct Refused: Error {
  let status: NTSTATUS
  init(_ status: NTSTATUS) { self.status = status }
}

extension Kernel {
  /// Does `body`; what it refuses is the status.
  func refusing(_ body: () async throws -> NTSTATUS) async throws -> NTSTATUS {
    do { return try await body() } catch let refused as Refused { return refused.status }
  }

  /// Reads and checks attributes (ns-wdfobject-_wdf_object_attributes; the statuses of `wdfstatus.h`).
  ///
  /// - Parameter allowsParent: whether the driver may choose the parent.
  func attributes(_ pointer: Pointer<WDF_OBJECT_ATTRIBUTES>, allowsParent: Bool = true) throws -> Attributes {
    var attributes = Attributes()
    guard !pointer.isNull else { return attributes }
    guard try pointer.Size.load() == UInt32(WDF_OBJECT_ATTRIBUTES.layouts.size(in: memory.target)) else {
      throw Refused(.infoLengthMismatch)
    }
    guard let level = ExecutionLevel(rawValue: try pointer.ExecutionLevel.load()) else { throw Refused(.wdfExecutionLevelInvalid) }
    guard let scope = SynchronizationScope(rawValue: try pointer.SynchronizationScope.load()) else {
      throw Refused(.wdfSynchronizationScopeInvalid)
    }
    attributes.executionLevel = level
    attributes.synchronizationScope = scope
    attributes.cleanup = try pointer.EvtCleanupCallback.load()
    attributes.destroy = try pointer.EvtDestroyCallback.load()
    attributes.parent = try pointer.ParentObject.load()
    if attributes.parent.bits != 0, !allowsParent { throw Refused(.wdfParentAssignmentNotAllowed) }
    let type = try pointer.ContextTypeInfo.load()
    let override = try pointer.ContextSizeOverride.load()
    guard !type.isNull else {
      if override != 0 { throw Refused(.objectNameInvalid) }
      return attributes
    }
    guard try type.Size.load() == UInt32(WDF_OBJECT_CONTEXT_TYPE_INFO.layouts.size(in: memory.target)) else {
      throw Refused(.infoLengthMismatch)
    }
    guard try type.ContextName.load().bits != 0 else { throw Refused(.objectNameInvalid) }
    let size = try type.ContextSize.load()
    guard override == 0 || override >= size else { throw Refused(.infoLengthMismatch) }
    attributes.contextSize = override == 0 ? size : override
    attributes.contextType = type.address
    return attributes
  }

  /// Memory for an object of the framework's.
  func objectBlock(_ size: UInt64 = 16) throws -> UInt64 { try allocate(max(16, size)) }

  /// Gives a new object its handle, its context and its parent: what the attributes say, or else `parent`.
  func adopt(_ object: FrameworkObject, _ attributes: Attributes, parent: FrameworkObject?) throws {
    let chosen = attributes.parent.bits == 0 ? parent : try self.object(attributes.parent, FrameworkObject.self)
    if let chosen, chosen.isDeleting || chosen.depth >= Self.deepestObject {
      free(object.block)
      throw Refused(chosen.isDeleting ? .deletePending : .insufficientResources)
    }
    object.executionLevel = attributes.executionLevel
    object.synchronizationScope = attributes.synchronizationScope
    framework.objects[object.handle.bits] = object
    try addContext(to: object, attributes)
    object.move(to: chosen)
  }

  /// How many objects may be above one.
  private static let deepestObject = 500

  @discardableResult
  func addContext(to object: FrameworkObject, _ attributes: Attributes) throws -> UInt64 {
    var address: UInt64 = 0
    if attributes.contextType != 0 {
      guard attributes.contextSize < 1 << 20 else { throw Refused(.insufficientResources) }
      address = try allocate(UInt64(max(1, attributes.contextSize)))
    } else if attributes.cleanup.bits == 0 && attributes.destroy.bits == 0 {
      return 0
    }
    object.contexts.append(
      .init(type: attributes.contextType, address: address, cleanup: attributes.cleanup, destroy: attributes.destroy))
    return address
  }

  /// Deletes an object: its children first, each told before its parent; the memory goes with the last reference.
  func delete(_ object: FrameworkObject) async throws {
    guard !object.isDeleting else { return }
    object.isDeleting = true
    while let child = object.children.first {
      try await delete(child)
      // A child that was being deleted already is its deleter's.
      child.move(to: nil)
    }
    for context in object.contexts { try await notify(context.cleanup, [object.handle.bits]) }
    try await object.dispose(self)
    object.move(to: nil)
    try await release(object)
  }

  func reference(_ object: FrameworkObject) { object.references += 1 }

  /// Gives a reference back. The last one is not the driver's to give back: bugcheck 0x10D with 7.
  func dereference(_ object: FrameworkObject) async throws {
    guard object.references > 1 || object.isDeleting else { throw Violation.objectError.bugCheck(object.handle.bits) }
    try await release(object)
  }

  private func release(_ object: FrameworkObject) async throws {
    object.references -= 1
    guard object.references == 0 else { return }
    for context in object.contexts { try await notify(context.destroy, [object.handle.bits]) }
    for context in object.contexts where context.address != 0 { free(context.address) }
    framework.objects[object.handle.bits] = nil
    free(object.block)
  }
}

extension NTSTATUS {
  // `wdfstatus.h`
  static let wdfPaused = Self(rawValue: 0xc020_0203)
  static let wdfBusy = Self(rawValue: 0xc020_0204)
  static let wdfRequestInvalidState = Self(rawValue: 0xc020_0208)
  static let wdfParentAssignmentNotAllowed = Self(rawValue: 0xc020_020f)
  static let wdfSynchronizationScopeInvalid = Self(rawValue: 0xc020_0210)
  static let wdfExecutionLevelInvalid = Self(rawValue: 0xc020_0211)
  static let wdfParentNotSpecified = Self(rawValue: 0xc020_0212)
  static let invalidDeviceState = Self(rawValue: 0xc000_0184)
  static let driverInternalError = Self(rawValue: 0xc000_0183)
}
