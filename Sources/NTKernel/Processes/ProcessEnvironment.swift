import Guest
import Memory
import WindowsTypes

/// What a process's own user mode keeps of it, and drivers read there: `PEB`, `PEB_LDR_DATA` and `RTL_USER_PROCESS_PARAMETERS`
/// (`winternl.h`; the rest as public symbols lay it out).
extension Kernel {
  /// Makes the process's environment block, if it has none yet. System has none.
  ///
  /// The page is with the pager until somebody looks: it takes no memory, and a reader at DISPATCH_LEVEL meets it as it would meet
  /// any page of the process's. The lists of its modules are empty.
  func makeEnvironment(of process: Process) throws {
    guard process.id != 0, !process.hasExited, try process.object.Peb.load().isNull else { return }
    // Where XP puts it, the first free page down from there.
    var page: UInt64 = 0x7ffd_f000
    while process.space[page].kind != .free, page > 0x7ff0_0000 { page -= GuestMemory.pageSize }
    let base = try process.object.SectionBaseAddress.load().address
    let content = EnvironmentPage(at: page, imageBase: base, path: dosPath(of: process), commandLine: process.commandLine)
    try pageOut(Page(.valid), at: page, content: content.bytes, failing: nil, in: process)
    try process.object.Peb.store(Pointer(page, in: memory.memory))
  }

  /// `C:\WINDOWS\system32\notepad.exe`
  private func dosPath(of process: Process) -> String {
    let name = process.imageName ?? "\\WINDOWS\\system32\\\(process.name)"
    for volume in files.volumes where name.lowercased().hasPrefix(volume.name.lowercased() + "\\") {
      return (volume.drive ?? "C:") + name.dropFirst(volume.name.count)
    }
    let system = "\\Device\\HarddiskVolume1"
    if name.lowercased().hasPrefix(system.lowercased() + "\\") { return "C:" + name.dropFirst(system.count) }
    return name.hasPrefix("\\??\\") ? String(name.dropFirst(4)) : "C:" + name
  }
}

/// The bytes of the page in which a process environment block lies, with all that it points at.
private struct EnvironmentPage {
  private(set) var bytes = [UInt8](repeating: 0, count: Int(GuestMemory.pageSize))
  private let address: UInt64
  /// Where the next string goes.
  private var free = 0x520

  /// Offsets in the page.
  private static let (loaderData, parameters) = (0x220, 0x280)

  init(at address: UInt64, imageBase: UInt64, path: String, commandLine: String?) {
    self.address = address
    let (data, block) = (Self.loaderData, Self.parameters)
    // PEB: ImageBaseAddress, Ldr, ProcessParameters, NumberOfProcessors, OSMajorVersion, OSMinorVersion, OSBuildNumber and
    // OSCSDVersion, OSPlatformId.
    for (offset, value) in [
      (0x8, imageBase), (0xc, address + UInt64(data)), (0x10, address + UInt64(block)), (0x64, 1), (0xa4, 5), (0xa8, 1),
      (0xac, 0x0300_0a28), (0xb0, 2),
    ] { put(value, at: offset) }
    // PEB_LDR_DATA: Length, Initialized, and three lists.
    put(0x28, at: data)
    put(1, at: data + 4)
    for list in [0xc, 0x14, 0x1c] {
      for link in [list, list + 4] { put(address + UInt64(data + list), at: data + link) }
    }
    // RTL_USER_PROCESS_PARAMETERS: MaximumLength, Length, Flags (normalized), CurrentDirectory, ImagePathName, CommandLine, WindowTitle,
    // DesktopInfo.
    for (offset, value) in [(0x0, 0x290), (0x4, 0x290), (0x8, 1)] as [(Int, UInt64)] { put(value, at: block + offset) }
    let folder = path.split(separator: "\\", omittingEmptySubsequences: false).dropLast().joined(separator: "\\") + "\\"
    put(folder, at: block + 0x24)
    put(path, at: block + 0x38)
    put(commandLine ?? "\"\(path)\"", at: block + 0x40)
    put(path, at: block + 0x70)
    put("WinSta0\\Default", at: block + 0x78)
  }

  private mutating func put(_ value: UInt64, at offset: Int) {
    for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte))) }
  }

  /// A `UNICODE_STRING`, and its text behind everything else as far as the page goes.
  private mutating func put(_ text: String, at offset: Int) {
    let units = Array(text.utf16.prefix(max(0, min(0x104, (bytes.count - free) / 2 - 1))))
    guard !units.isEmpty else { return }
    put(UInt64(2 * units.count) | UInt64(2 * units.count + 2) << 16, at: offset)
    put(address + UInt64(free), at: offset + 4)
    for unit in units {
      bytes[free] = UInt8(truncatingIfNeeded: unit)
      bytes[free + 1] = UInt8(truncatingIfNeeded: unit >> 8)
      free += 2
    }
    free += 2
  }
}
