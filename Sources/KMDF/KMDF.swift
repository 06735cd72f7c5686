import Guest
import NTKernel
import WindowsTypes

/// The Kernel-Mode Driver Framework: what `wdfldr.sys` exports, and the functions behind the table that it hands to a driver.
///
/// Sources: the reference pages of each function, and, where those are silent, the sources that Microsoft published as
/// Windows-Driver-Frameworks.
public enum KMDF {
  /// The module that traces name the table's functions by.
  public static let module = "Wdf01000"

  /// What drivers import.
  public static let loader: [Export] = loaderRoutines
  /// The table's functions that are provided.
  public static let functions: [Export] =
    driverFunctions + deviceInitFunctions + deviceFunctions + fileFunctions + queueFunctions + queueStateFunctions + requestFunctions
    + requestBufferFunctions + memoryFunctions + objectFunctions + lockFunctions + laterFunctions + stringFunctions
    + registryFunctions + collectionFunctions + powerFunctions + targetFunctions + childFunctions + childListFunctions
    + interruptFunctions + deviceFactFunctions + deviceInterfaceFunctions + registryValueFunctions + wmiFunctions + transferFunctions
    + remoteTargetFunctions + ownRequestFunctions + rarelyUsedFunctions
  /// A function of the table that nobody provides ends the run when it is called, and is named.
  static let missing: [Export] = {
    let provided = Set(functions.map(\.name))
    return FunctionTable.names.filter { !provided.contains($0) }.map { name in
      export(name, module: module, isImportable: false) { _ in throw RoutineNotProvided("\(module)!\(name)") }
    }
  }()
  /// All, in a fixed order.
  public static let exports: [Export] = loader + functions + missing + internals

  /// What the framework itself leads to.
  static let internals: [Export] = [
    export("FxDispatch(DeviceObject, Irp)", module: module, isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws -> NTSTATUS in
      try await kernel.dispatchFramework(device, irp)
    },
    export("FxAddDevice(DriverObject, PhysicalDeviceObject)", module: module, isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, device: Pointer<DEVICE_OBJECT>) async throws -> NTSTATUS in
      try await kernel.addFrameworkDevice(driver, device)
    },
    export("FxDriverUnload(DriverObject)", module: module, isImportable: false) {
      (kernel, driver: Pointer<DRIVER_OBJECT>) async throws in
      guard let own = kernel.framework.bindings.values.first(where: { $0.driverObject == driver })?.driver else { return }
      try await kernel.notify(own.evtUnload, [own.handle.bits])
      if kernel.framework.objects[own.handle.bits] === own { try await kernel.delete(own) }
    },
    export("FxRequestCancel(DeviceObject, Irp)", module: module, isImportable: false) {
      (kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>) async throws in
      try await kernel.cancelFrameworkRequest(irp)
    },
    // What the system's worker calls: an item can be queued again by its own callback.
    export("FxWorkItem(WorkItem)", module: module, isImportable: false) { (kernel, item: GuestWord) async throws in
      guard let later = kernel.framework.objects[item.bits] as? LaterCall else { return }
      later.isQueued = false
      try await kernel.notify(later.routine, [item.bits])
      if !later.isQueued { try kernel.set(later.event(kernel)) }
      try await kernel.dereference(later)
    },
    // What a timer's or a DPC's KDPC names: the driver's callback wants a handle.
    export("FxDpc(Dpc, DeferredContext, SystemArgument1, SystemArgument2)", module: module, isImportable: false) {
      (kernel, dpc: GuestWord, context: GuestWord, first: GuestWord, second: GuestWord) async throws in
      // nc-wdfinterrupt-evt_wdf_interrupt_dpc
      if let interrupt = kernel.framework.objects[context.bits] as? Interrupt {
        try await kernel.notify(interrupt.dpcRoutine, [context.bits, interrupt.device?.handle.bits ?? 0])
      }
      guard let later = kernel.framework.objects[context.bits] as? LaterCall else { return }
      try await kernel.notify(later.routine, [context.bits])
    },
  ]

  /// Declares a function of the table.
  static func function<each Parameter: GuestValue, Result: GuestValue>(
    _ prototype: String, irql: IRQL? = .dispatch, _ body: @escaping @Sendable (Kernel, repeat each Parameter) throws -> Result
  ) -> Export { export(prototype, module: module, irql: irql, isImportable: false, body) }

  static func procedure<each Parameter: GuestValue>(
    _ prototype: String, irql: IRQL? = .dispatch, _ body: @escaping @Sendable (Kernel, repeat each Parameter) throws -> Void
  ) -> Export { export(prototype, module: module, irql: irql, isImportable: false, body) }

  static func asyncFunction<each Parameter: GuestValue, Result: GuestValue>(
    _ prototype: String, irql: IRQL? = .dispatch, _ body: @escaping @Sendable (Kernel, repeat each Parameter) async throws -> Result
  ) -> Export { export(prototype, module: module, irql: irql, isImportable: false, body) }

  static func asyncProcedure<each Parameter: GuestValue>(
    _ prototype: String, irql: IRQL? = .dispatch, _ body: @escaping @Sendable (Kernel, repeat each Parameter) async throws -> Void
  ) -> Export { export(prototype, module: module, irql: irql, isImportable: false, body) }
}
