import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// Spin locks and wait locks (wdfsync.h).
  static let lockFunctions: [Export] = [
    // nf-wdfsync-wdfspinlockcreate
    asyncFunction("WdfSpinLockCreate(DriverGlobals, SpinLockAttributes, SpinLock)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let binding = try kernel.binding(globals)
        try kernel.required(result).store(0)
        let lock = SpinLock(try kernel.objectBlock(), binding)
        try kernel.adopt(lock, kernel.attributes(attributes), parent: binding.driver)
        try result.store(lock.handle)
        return .success
      }
    },
    // nf-wdfsync-wdfspinlockacquire: on one processor a lock that is held is held by whoever asks.
    procedure("WdfSpinLockAcquire(DriverGlobals, SpinLock)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, lock: GuestWord) in
      let lock = try kernel.object(lock, SpinLock.self)
      guard lock.oldIRQL == nil else { throw Violation.recursiveLock.bugCheck(lock.handle.bits) }
      lock.oldIRQL = try kernel.raiseIRQL(to: .dispatch)
    },
    // nf-wdfsync-wdfspinlockrelease: of a lock that is not held it is bugcheck 0x10D with 0Bh and 1.
    procedure("WdfSpinLockRelease(DriverGlobals, SpinLock)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, lock: GuestWord) in
      let lock = try kernel.object(lock, SpinLock.self)
      guard let old = lock.oldIRQL else { throw Violation.invalidLockOperation.bugCheck(1, lock.handle.bits) }
      lock.oldIRQL = nil
      try kernel.lowerIRQL(to: old)
    },
    // nf-wdfsync-wdfwaitlockcreate
    asyncFunction("WdfWaitLockCreate(DriverGlobals, LockAttributes, Lock)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        let binding = try kernel.binding(globals)
        try kernel.required(result).store(0)
        let lock = WaitLock(try kernel.objectBlock(), binding)
        try kernel.initializeEvent(lock.event(kernel), .eventSynchronization, isSet: true)
        try kernel.adopt(lock, kernel.attributes(attributes), parent: binding.driver)
        try result.store(lock.handle)
        return .success
      }
    },
    // nf-wdfsync-wdfwaitlockacquire: a thread that holds the lock already is bugcheck 0x10D with 2.
    asyncFunction("WdfWaitLockAcquire(DriverGlobals, Lock, Timeout)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, lock: GuestWord, timeout: Pointer<Int64>) async throws -> NTSTATUS in
      let lock = try kernel.object(lock, WaitLock.self)
      let thread = kernel.running?.object.address
      guard lock.owner == nil || lock.owner != thread else { throw Violation.recursiveLock.bugCheck(lock.handle.bits) }
      let status = try await kernel.waiting([lock.event(kernel).Header], timeout: timeout.isNull ? nil : timeout.load())
      guard status == .success else { return status }
      lock.owner = thread
      return .success
    },
    // nf-wdfsync-wdfwaitlockrelease
    procedure("WdfWaitLockRelease(DriverGlobals, Lock)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, lock: GuestWord) in
      let lock = try kernel.object(lock, WaitLock.self)
      lock.owner = nil
      try kernel.set(lock.event(kernel))
    },
    // nf-wdfsync-wdfobjectacquirelock: a device or a queue that has a synchronization scope, and no other.
    procedure("WdfObjectAcquireLock(DriverGlobals, Object)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord) in
      let object = try kernel.object(object, FrameworkObject.self)
      guard object is Device || object is Queue, object.scope != .none else {
        throw Violation.invalidLockOperation.bugCheck(0, object.handle.bits)
      }
      if !object.isPassive, try kernel.kpcr.Irql.load() < .dispatch { _ = try kernel.raiseIRQL(to: .dispatch) }
    }
    .partially("it raises the IRQL, and nobody else is kept out: there is one processor"),
    procedure("WdfObjectReleaseLock(DriverGlobals, Object)") { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, object: GuestWord) in
      let object = try kernel.object(object, FrameworkObject.self)
      guard object is Device || object is Queue, object.scope != .none else {
        throw Violation.invalidLockOperation.bugCheck(0, object.handle.bits)
      }
      if !object.isPassive, try kernel.kpcr.Irql.load() == .dispatch { try kernel.lowerIRQL(to: .passive) }
    }
    .partially("it lowers the IRQL to PASSIVE_LEVEL, whatever it was before"),
  ]
}
