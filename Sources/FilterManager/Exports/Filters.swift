import Guest
import NTKernel
import WindowsTypes

extension FilterManager {
  /// A filter's own life.
  static let filters: [Export] = [
    // nf-fltkernel-fltregisterfilter
    export("FltRegisterFilter(Driver, Registration, RetFilter)", module: "fltMgr", irql: .apc) {
      (kernel, driver: Pointer<DRIVER_OBJECT>, record: Pointer<FLT_REGISTRATION>, result: Pointer<Pointer<FLT_FILTER>>) -> NTSTATUS in
      try kernel.registerFilter(driver, record, result)
    }
    .uncertain("a table of operations or contexts with an entry of no known kind is STATUS_INVALID_PARAMETER"),
    // nf-fltkernel-fltstartfiltering
    export("FltStartFiltering(Filter)", module: "fltMgr", irql: .apc) {
      (kernel, pointer: Pointer<FLT_FILTER>) async throws -> NTSTATUS in
      guard let filter = try kernel.filter(pointer, in: "FltStartFiltering") else { return .invalidParameter }
      return try await kernel.startFiltering(filter)
    },
    // nf-fltkernel-fltunregisterfilter
    export("FltUnregisterFilter(Filter)", module: "fltMgr", irql: .apc) { (kernel, pointer: Pointer<FLT_FILTER>) async throws in
      guard let filter = try kernel.filter(pointer, in: "FltUnregisterFilter") else { return }
      try await kernel.unregister(filter)
    },
    // nf-fltkernel-fltobjectreference
    export("FltObjectReference(FltObject)", module: "fltMgr", irql: .apc) { (kernel, pointer: Pointer<UInt32>) -> NTSTATUS in
      guard let object = kernel.filterManager.objects[pointer.address] else {
        _ = try pointer.load()
        kernel.report(violation: "FltObjectReference is called with \(hex(pointer.address)), which is none of the filter manager's objects")
        return .fltDeletingObject
      }
      return try kernel.reference(object, by: kernel.site())
    },
    // nf-fltkernel-fltobjectdereference
    export("FltObjectDereference(FltObject)", module: "fltMgr", irql: .apc) { (kernel, pointer: Pointer<UInt32>) in
      guard let object = kernel.filterManager.objects[pointer.address] else {
        _ = try pointer.load()
        kernel.report(
          violation: "FltObjectDereference is called with \(hex(pointer.address)), which is none of the filter manager's objects")
        return
      }
      try kernel.dereference(object, by: kernel.site())
    },
    // nf-fltkernel-fltunloadfilter
    export("FltUnloadFilter(FilterName)", module: "fltMgr", irql: .passive) {
      (kernel, name: Pointer<UNICODE_STRING>) async throws -> NTSTATUS in
      try await kernel.unloadFilter(named: name.string())
    },
    // What DriverUnload of a minifilter's driver object is while it is registered: the service is being stopped.
    export("FltpMiniFilterDriverUnload(DriverObject)", module: "fltMgr", isImportable: false) {
      (kernel, object: Pointer<DRIVER_OBJECT>) async throws in
      guard let driver = kernel.driver(at: object.address), let filter = kernel.filterManager.filter(of: driver) else { return }
      _ = try await kernel.askToUnload(filter, isMandatory: true)
    },
  ]
}
