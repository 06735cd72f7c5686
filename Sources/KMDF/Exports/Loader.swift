import Guest
import NTKernel
import WindowsTypes

extension KMDF {
  /// `wdfldr.sys` (`fxldr.h` of Windows-Driver-Frameworks).
  static let loaderRoutines: [Export] = [
    export("WdfVersionBind(DriverObject, RegistryPath, BindInfo, ComponentGlobals)", module: "WDFLDR", irql: .passive) {
      (
        kernel, driver: Pointer<DRIVER_OBJECT>, path: Pointer<UNICODE_STRING>, info: Pointer<WDF_BIND_INFO>,
        result: Pointer<GuestWord>
      ) -> NTSTATUS in
      try kernel.bind(driver, path, info, result)
    }
    .uncertain(
      "the machine has a framework of version 1.15, whatever its Windows: the redistributable for XP ends with 1.9, and a later driver is bound nevertheless"
    ),
    export("WdfVersionUnbind(RegistryPath, BindInfo, ComponentGlobals)", module: "WDFLDR", irql: .passive) {
      (kernel, path: Pointer<UNICODE_STRING>, info: Pointer<WDF_BIND_INFO>, globals: Pointer<WDF_DRIVER_GLOBALS>) async throws -> NTSTATUS
      in
      guard let binding = kernel.framework.bindings[globals.address] else { return .unsuccessful }
      if let driver = binding.driver { try await kernel.delete(driver) }
      kernel.framework.bindings[globals.address] = nil
      kernel.free(globals.address)
      if let table = binding.table { kernel.free(table) }
      return .success
    },
    export("WdfVersionBindClass(BindInfo, Globals, ClassBindInfo)", module: "WDFLDR", irql: .passive) {
      (_, info: Pointer<WDF_BIND_INFO>, globals: Pointer<WDF_DRIVER_GLOBALS>, classInfo: GuestWord) -> NTSTATUS in
      // The service of a class extension that is not installed.
      .objectNameNotFound
    }
    .partially("no class extension is installed: a driver that needs one is refused"),
    export("WdfVersionUnbindClass(BindInfo, Globals, ClassBindInfo)", module: "WDFLDR", irql: .passive) {
      (_, info: Pointer<WDF_BIND_INFO>, globals: Pointer<WDF_DRIVER_GLOBALS>, classInfo: GuestWord) in
    }
    .partially("no class extension is installed, so none is bound"),
  ]
}

extension Kernel {
  /// Fills in a driver's function table, and makes its globals.
  ///
  /// Up to KMDF 1.13 the bind information points at a table in the driver's own image, which is filled in place; from 1.15 on at a
  /// pointer, which comes to point at the framework's table (`fxlibrarycommon.cpp`). A count that no released version has is
  /// refused.
  func bind(
    _ driver: Pointer<DRIVER_OBJECT>, _ path: Pointer<UNICODE_STRING>, _ info: Pointer<WDF_BIND_INFO>, _ result: Pointer<GuestWord>
  ) throws -> NTSTATUS {
    try result.store(0)
    guard try info.Size.load() == UInt32(WDF_BIND_INFO.layouts.size(in: memory.target)) else { return .infoLengthMismatch }
    guard try name(at: info.Component.load()).lowercased() == "kmdflibrary", try info.Major.load() == 1 else {
      return .objectNameNotFound
    }
    let count = Int(try info.FuncCount.load())
    let minor = try info.Minor.load()
    guard FunctionTable.counts.contains(where: { $0.count == count }), minor <= FunctionTable.counts.last?.minor ?? 0 else {
      note("the driver wants KMDF 1.\(minor) with \(count) functions, which is no version that is provided")
      return .invalidParameter
    }
    let addresses = FunctionTable.names.prefix(count).map { GuestWord(frameworkTrap($0)) }
    var table: UInt64?
    if count >= FunctionTable.firstWithPointer {
      let own = try allocate(UInt64(count * memory.target.width.rawValue))
      table = own
      try info.FuncTable.load().store(GuestWord(own))
    }
    let first = try table.map { Pointer<GuestWord>($0, in: memory.memory) } ?? info.FuncTable.load()
    for (index, address) in addresses.enumerated() { try first[index].store(address) }
    let globals = Pointer<WDF_DRIVER_GLOBALS>(try allocate(UInt64(WDF_DRIVER_GLOBALS.layouts.size(in: memory.target))), in: memory.memory)
    // The driver's name, for the debugger, and a pool tag from its first letters.
    let service = try path.string().split(separator: "\\").last.map(String.init) ?? ""
    let name: [UInt8] = Array(service.utf8.prefix(31))
    for (index, byte) in name.enumerated() { try globals.DriverName[index].store(byte) }
    var tag: UInt32 = 0
    for byte in (name + [0x20, 0x20, 0x20, 0x20]).prefix(4).reversed() { tag = tag << 8 | UInt32(byte) }
    try globals.DriverTag.store(tag)
    framework.bindings[globals.address] = Binding(globals, driver, registryPath: try path.string(), table: table)
    try result.store(GuestWord(globals.address))
    return .success
  }

  private func note(_ text: String) { stream.append(.note(text)) }

  /// A zero-terminated name of at most 64 characters.
  func name(at pointer: Pointer<UInt16>) throws -> String {
    var units: [UInt16] = []
    while units.count < 64, case let unit = try pointer[units.count].load(), unit != 0 { units.append(unit) }
    return String(decoding: units, as: UTF16.self)
  }
}
