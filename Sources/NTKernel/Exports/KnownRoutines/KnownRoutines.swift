import Guest
import WindowsTypes

/// What is known of the routines of Windows' kernel modules, whether they are provided here or not: how they are called, and how many
/// real drivers import them.
public enum KnownRoutines {
  /// How a name is decorated in the import libraries.
  public enum Kind: Hashable, Sendable {
    /// It is called, and pops so many bytes of stack.
    case routine(CallingConvention, stackBytes: Int)
    case variable
  }

  /// How many distinct import sets of real drivers were counted.
  public static let countedDrivers = 311

  /// How many of ``countedDrivers`` import `module!name`; 0 for a name that none of them has.
  public static func importers(of name: String, in module: String) -> Int {
    importersByName[key(module, name)] ?? 0
  }

  /// What `module!name` is on Windows, or `nil` where the libraries do not know it.
  public static func kind(of name: String, in module: String) -> Kind? { kinds[key(module, name)] }

  /// Every name of `module` that the libraries or the drivers know.
  public static func names(in module: String) -> [String] { namesByModule[module.lowercased()] ?? [] }

  /// What drivers of that name's module are for, or `nil` where it is not known.
  ///
  /// - Parameter module: as the debugger names it: `ndis`.
  public static func about(module: String) -> String? {
    let module = module.lowercased()
    return isUserMode(module) ? "a user-mode library: Windows loads no driver that imports from it" : modules[module]
  }

  /// Whether `module` is one that the kernel's loader would look for in vain, for it is no kernel module.
  public static func isUserMode(_ module: String) -> Bool {
    let module = module.lowercased()
    return userModules.contains(module) || module.hasPrefix("api-ms-win-crt") || module.hasPrefix("msvcr")
  }

  private static let userModules: Set<String> = [
    "ntdll", "kernel32", "kernelbase", "user32", "gdi32", "advapi32", "ucrtbase", "ws2_32", "ole32", "shell32", "win32u", "setupapi",
    "cfgmgr32", "rpcrt4", "crypt32",
  ]

  private static let modules = [
    "ndis": "NDIS, the interface of network drivers", "tdi": "the helper routines of TDI, the transports' interface",
    "usbd": "the helper routines of USB clients", "usbport": "the port driver of USB host controllers",
    "hidclass": "the class driver of input devices",
    "hidparse": "the parser of HID report descriptors", "storport": "the port driver of storage adapters",
    "scsiport": "the port driver of SCSI adapters", "classpnp": "the class driver of storage", "videoprt": "the port driver of displays",
    "portcls": "the port class driver of audio", "ks": "kernel streaming", "wdfldr": "the loader of the driver framework, KMDF",
    "wmilib": "the WMI helper routines", "netio": "the network I/O subsystem", "fwpkclnt": "the Windows Filtering Platform",
    "ksecdd": "the kernel's security support", "cng": "the cryptographic primitives", "watchdog": "the display watchdog",
    "win32k": "the window system", "dxgkrnl": "the display kernel", "dxapi": "DirectX's kernel part", "battc": "the battery class driver",
    "bootvid": "the boot video driver", "kdcom": "the kernel debugger's transport", "clfs": "the common log file system",
    "drmk": "the audio content protection", "mcd": "the changer class driver", "smsslib": "the smart card library",
    "smclib": "the smart card library", "pciidex": "the IDE miniport library", "ataport": "the ATA port driver",
    "bda": "broadcast streaming", "stream": "the stream class driver", "hal": "the hardware abstraction layer",
  ]

  /// The version of Windows that first exports `module!name`: XP where no later one is known.
  public static func introduction(of name: String, in module: String) -> WindowsRelease { introductions[key(module, name)] ?? .xp }

  /// Whether `target` exports `module!name`, as far as it is known.
  public static func isExported(_ name: String, of module: String, in target: Target) -> Bool {
    introduction(of: name, in: module) <= target.system.release
  }

  private static let introductions: [String: WindowsRelease] = {
    let releases = Dictionary(uniqueKeysWithValues: WindowsRelease.allCases.map { ("\($0.rawName)", $0) })
    var found: [String: WindowsRelease] = [:]
    for (head, names) in paragraphs(Introductions.text) where head.count == 2 {
      for name in names { found[key(String(head[0]), name)] = releases[String(head[1])] }
    }
    return found
  }()

  private static func key(_ module: String, _ name: String) -> String { module.lowercased() + "!" + name }

  private static let importersByName: [String: Int] = {
    var counts: [String: Int] = [:]
    for (head, names) in paragraphs(ImportCounts.text) where head.count == 2 {
      for name in names { counts[key(String(head[0]), name)] = Int(head[1]) }
    }
    return counts
  }()

  private static let kinds: [String: Kind] = {
    var kinds: [String: Kind] = [:]
    for (head, names) in paragraphs(DocumentedNames.text) where head.count >= 2 {
      let bytes = head.count > 2 ? Int(head[2]) ?? 0 : 0
      let kind: Kind? =
        head[1] == "data" ? .variable : CallingConvention(rawValue: String(head[1])).map { .routine($0, stackBytes: bytes) }
      for name in names { kinds[key(String(head[0]), name)] = kind }
    }
    return kinds
  }()

  private static let namesByModule: [String: [String]] = {
    var all: [String: Set<String>] = [:]
    for text in [DocumentedNames.text, ImportCounts.text] {
      for (head, names) in paragraphs(text) where !head.isEmpty { all[head[0].lowercased(), default: []].formUnion(names) }
    }
    return all.mapValues { $0.sorted() }
  }()

  /// The paragraphs of a table: the words before the colon, and the names behind it.
  private static func paragraphs(_ text: String) -> [(head: [Substring], names: [String])] {
    var result: [(head: [Substring], names: [String])] = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix(" "), !result.isEmpty {
        result[result.count - 1].names += line.split(separator: " ").map(String.init)
      } else if let colon = line.firstIndex(of: ":") {
        result.append((line[..<colon].split(separator: " "), line[line.index(after: colon)...].split(separator: " ").map(String.init)))
      }
    }
    return result
  }
}
