import Guest
import NTKernel
import WindowsTypes

/// What the driver framework of one kernel knows beside guest memory: the objects behind the handles, which mean nothing to
/// whoever holds one.
package final class Framework {
  /// The drivers that are bound, by the address of their globals.
  var bindings: [UInt64: Binding] = [:]
  /// Every object, by its handle.
  var objects: [UInt64: FrameworkObject] = [:]
  var deviceInits: [UInt64: DeviceInit] = [:]
  /// The requests that no driver has completed, by IRP.
  var requests: [UInt64: Request] = [:]
  var devices: [UInt64: Device] = [:]

  /// How many objects there are.
  package var objectCount: Int { objects.count }
}

/// A driver that is bound to the framework: what `WdfVersionBind` makes and `WdfVersionUnbind` takes away.
final class Binding {
  let globals: Pointer<WDF_DRIVER_GLOBALS>
  let driverObject: Pointer<DRIVER_OBJECT>
  let registryPath: String
  /// The framework's table, for a driver that holds a pointer to one.
  let table: UInt64?
  var driver: FrameworkDriver?

  init(_ globals: Pointer<WDF_DRIVER_GLOBALS>, _ driverObject: Pointer<DRIVER_OBJECT>, registryPath: String, table: UInt64?) {
    self.globals = globals
    self.driverObject = driverObject
    self.registryPath = registryPath
    self.table = table
  }
}

/// The first parameter of WDF_VIOLATION, bugcheck 0x10D (`wdfbugcodes.h`; bug check 0x10D).
enum Violation: UInt64 {
  case recursiveLock = 2
  case requiredParameterIsNull = 4
  case invalidHandle = 5
  case requestFatalError = 6
  case objectError = 7
  case queueFatalError = 0xa
  case invalidLockOperation = 0xb

  func bugCheck(_ second: UInt64 = 0, _ third: UInt64 = 0) -> BugCheck { BugCheck(.wdfViolation, rawValue, second, third, 0) }
}

extension Kernel {
  /// The driver framework's own part of this kernel.
  package var framework: Framework { part { Framework() } }

  /// The driver whose globals a function was given.
  func binding(_ globals: Pointer<WDF_DRIVER_GLOBALS>) throws -> Binding {
    guard let binding = framework.bindings[globals.address] else { throw Violation.invalidHandle.bugCheck(globals.address) }
    return binding
  }

  /// The object behind a handle. A handle of another kind of object, or of none, is bugcheck 0x10D with 5.
  func object<Object: FrameworkObject>(_ handle: GuestWord, _: Object.Type = Object.self) throws -> Object {
    guard let object = framework.objects[handle.bits] as? Object else { throw Violation.invalidHandle.bugCheck(handle.bits) }
    return object
  }

  /// A pointer that must not be null; one that is, is bugcheck 0x10D with 4 and the caller.
  func required<Pointee>(_ pointer: Pointer<Pointee>) throws -> Pointer<Pointee> {
    guard !pointer.isNull else { throw Violation.requiredParameterIsNull.bugCheck(0, site().ip) }
    return pointer
  }

  /// Where a routine of the framework's own is reached.
  func frameworkTrap(_ name: String) -> UInt64 { trapAddress(of: name, in: KMDF.module) }

  /// Calls an event callback of the driver's. It must come back at the IRQL at which it was called: else bugcheck 0x10D with 0Eh.
  @discardableResult
  func notify(_ routine: GuestWord, _ arguments: [UInt64]) async throws -> UInt64 {
    guard routine.bits != 0 else { return 0 }
    let before = try kpcr.Irql.load()
    let result = try await call(routine.bits, arguments)
    let after = try kpcr.Irql.load()
    guard before == after else {
      report(
        violation: "an event callback returned at IRQL \(after.rawValue); it was called at \(before.rawValue)", at: .init(ip: routine.bits))
      return result
    }
    return result
  }
}
