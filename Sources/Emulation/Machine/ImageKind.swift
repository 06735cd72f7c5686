import Images

extension Image {
  /// What a file is that has no `DriverEntry`: `a display driver's DLL, which imports WIN32K!EngLockSurface: …`; `nil` for what may be a
  /// driver.
  ///
  /// What an image imports decides, as it does when the kernel loads it: nothing of user mode can be bound, and win32k.sys is in the
  /// sessions' space alone.
  var kindWithoutDriverEntry: String? {
    guard file.isPortableExecutable else { return nil }
    if file.entryPoint == nil { return "a file without an entry point, such as one of resources or a KD transport" }
    func has(_ names: String...) -> Bool { names.allSatisfy { exports[$0] != nil } }
    if has("KeBugCheckEx", "ExAllocatePoolWithTag", "IoCreateDevice") { return "the kernel itself" }
    if has("HalInitSystem") { return "a HAL, whose entry the kernel calls while it starts" }
    // What calls the kernel is run, whatever else it calls: Wine's drivers, for one, are linked with kernel32.
    if imports.contains(where: { ["nt", "hal"].contains($0.module.lowercased()) }) { return nil }
    func firstImport(from modules: Set<String>) -> String? {
      imports.first { modules.contains($0.module.lowercased()) }.map { "\($0.module)!\($0.name)" }
    }
    if let name = firstImport(from: ["win32k"]) {
      return "a DLL of a display or printer driver's, which imports \(name): the graphics engine calls its DrvEnableDriver"
    }
    if let name = firstImport(from: ["ntdll", "kernel32", "kernelbase", "user32", "advapi32", "mscoree"]) {
      return "a \(file.isDLL ? "DLL" : "program") of user mode, which imports \(name)"
    }
    return nil
  }
}
