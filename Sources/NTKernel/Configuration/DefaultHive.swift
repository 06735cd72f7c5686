import WindowsTypes

/// What the registry holds before a fixture adds to it: what drivers commonly read of a fresh Windows XP SP3; on Windows 7
/// the version is that of Windows 7, and the rest is still XP's.
///
/// Where the rest of the run says the same thing elsewhere (version, build, processor, time zone, system root), both agree.
extension Registry {
  func fill() {
    fillSoftware()
    fillSystem()
    fillControl()
    fillHardware()
    fillServices()
    for user in [".DEFAULT", "S-1-5-18", "S-1-5-19", "S-1-5-20"] {
      for key in ["Software\\Microsoft\\Windows\\CurrentVersion", "Control Panel\\International", "Environment"] {
        makeKey(at: "HKU\\\(user)\\\(key)")
      }
      set("HKU\\\(user)\\Control Panel\\International", ["Locale": .string("00000409"), "sCountry": .string("United States")])
    }
    for hive in ["SAM\\SAM", "SECURITY\\Policy"] { makeKey(at: "HKLM\\\(hive)") }
  }

  private func set(_ path: String, _ values: KeyValuePairs<String, RegistryData>) {
    guard let key = makeKey(at: path) else { return }
    for (name, data) in values { key[name] = data }
  }

  private func fillSoftware() {
    set(
      #"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"#,
      [
        "CurrentBuild": .string("1.511.1 () (Obsolete data - do not use)"), "InstallDate": .dword(0x4810_2f80),
        "ProductName": .string(system.productName), "RegDone": .string(""), "RegisteredOrganization": .string(""),
        "RegisteredOwner": .string("user"), "SoftwareType": .string("SYSTEM"), "CurrentVersion": .string("\(system.major).\(system.minor)"),
        "CurrentBuildNumber": .string("\(system.build)"), "BuildLab": .string(system.buildLab),
        "CurrentType": .string("Uniprocessor Free"), "CSDVersion": .string(system.servicePackText), "SystemRoot": .string(#"C:\WINDOWS"#),
        "SourcePath": .string(#"D:\I386"#), "PathName": .string(#"C:\WINDOWS"#),
      ])
    for key in ["Image File Execution Options", "Winlogon", "Svchost", "Windows"] {
      makeKey(at: #"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\"# + key)
    }
    set(
      #"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"#,
      [
        "CommonFilesDir": .string(#"C:\Program Files\Common Files"#), "ProgramFilesDir": .string(#"C:\Program Files"#),
        "DevicePath": .expandableString(#"%SystemRoot%\inf"#), "ProductId": .string("00000-000-0000000-00000"),
      ])
    for key in ["Run", "RunOnce"] { makeKey(at: #"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\"# + key) }
    makeKey(at: #"HKLM\SOFTWARE\Classes"#)
    makeKey(at: #"HKLM\SOFTWARE\Policies\Microsoft\Windows"#)
  }

  private func fillSystem() {
    for key in ["Control", "Enum\\Root", "Hardware Profiles\\0001", "Services"] { makeKey(at: "HKLM\\SYSTEM\\ControlSet001\\\(key)") }
    let current = makeKey(at: #"HKLM\SYSTEM\CurrentControlSet"#)
    current?["SymbolicLinkValue"] = .link(#"\Registry\Machine\System\ControlSet001"#)
    current?.isLink = true
    let profile = makeKey(at: #"HKLM\SYSTEM\ControlSet001\Hardware Profiles\Current"#)
    profile?["SymbolicLinkValue"] = .link(#"\Registry\Machine\System\CurrentControlSet\Hardware Profiles\0001"#)
    profile?.isLink = true
    // "Hardware Profiles" of the registry reference: which of them is the current one, and what each is called.
    set(#"HKLM\SYSTEM\CurrentControlSet\Control\IDConfigDB"#, ["CurrentConfig": .dword(1)])
    set(
      #"HKLM\SYSTEM\CurrentControlSet\Control\IDConfigDB\Hardware Profiles\0001"#,
      ["FriendlyName": .string("Profile 1"), "PreferenceOrder": .dword(0)])
    set(
      #"HKLM\SYSTEM\Select"#,
      ["Current": .dword(1), "Default": .dword(1), "Failed": .dword(0), "LastKnownGood": .dword(1)])
    set(
      #"HKLM\SYSTEM\Setup"#,
      [
        "SetupType": .dword(0), "SystemSetupInProgress": .dword(0), "CmdLine": .string(""),
        "SystemPartition": .string(#"\Device\HarddiskVolume1"#), "OsLoaderPath": .string("\\"),
      ])
    // The disk's signature and the offset of its partition, as the mount manager's unique identifier of a basic volume has them.
    set(
      #"HKLM\SYSTEM\MountedDevices"#,
      [#"\DosDevices\C:"#: .binary([0x0c, 0x1e, 0x50, 0x50, 0x00, 0x7e, 0, 0, 0, 0, 0, 0])])
    // The one service that every run has.
    set(
      #"Services\FltMgr"#,
      [
        "Type": .dword(2), "Start": .dword(0), "ErrorControl": .dword(1), "ImagePath": .expandableString(#"system32\drivers\fltmgr.sys"#),
        "DisplayName": .string("FltMgr"), "Group": .string("FSFilter Infrastructure"), "Tag": .dword(1),
      ])
  }

  private func control(_ path: String, _ values: KeyValuePairs<String, RegistryData>) {
    set(#"HKLM\SYSTEM\CurrentControlSet\Control"# + (path.isEmpty ? "" : "\\" + path), values)
  }

  private func fillControl() {
    control(
      "",
      [
        "CurrentUser": .string("USERNAME"), "WaitToKillServiceTimeout": .string("20000"),
        "SystemStartOptions": .string(" NOEXECUTE=OPTIN  FASTDETECT"),
        "SystemBootDevice": .string("multi(0)disk(0)rdisk(0)partition(1)"),
        "FirmwareBootDevice": .string("multi(0)disk(0)rdisk(0)partition(1)"),
      ])
    for key in ["ActiveComputerName", "ComputerName"] { control("ComputerName\\\(key)", ["ComputerName": .string("PROBELOCK")]) }
    control(
      "CrashControl",
      [
        "AutoReboot": .dword(1), "CrashDumpEnabled": .dword(3), "DumpFile": .expandableString(#"%SystemRoot%\MEMORY.DMP"#),
        "LogEvent": .dword(1), "MinidumpDir": .expandableString(#"%SystemRoot%\Minidump"#), "Overwrite": .dword(1), "SendAlert": .dword(1),
      ])
    control(
      "FileSystem", ["NtfsDisable8dot3NameCreation": .dword(0), "NtfsDisableLastAccessUpdate": .dword(0), "Win31FileSystem": .dword(0)])
    control("Nls\\CodePage", ["ACP": .string("1252"), "OEMCP": .string("437"), "MACCP": .string("10000")])
    control("Nls\\Language", ["Default": .string("0409"), "InstallLanguage": .string("0409")])
    control("ProductOptions", ["ProductType": .string("WinNT"), "ProductSuite": .strings([])])
    control("SafeBoot", ["AlternateShell": .string("cmd.exe")])
    for key in ["Class", "DeviceClasses", "Lsa", "SafeBoot\\Minimal", "SafeBoot\\Network", "hivelist", "Windows"] { control(key, [:]) }
    control(
      "Windows",
      [
        "Directory": .expandableString("%SystemRoot%"), "ErrorMode": .dword(0), "NoInteractiveServices": .dword(0),
        "SystemDirectory": .expandableString(#"%SystemRoot%\system32"#), "ShellErrorMode": .dword(1),
        "CSDVersion": .dword(system.servicePackMajor << 8),
      ])
    control(
      "TimeZoneInformation",
      [
        "Bias": .dword(0), "StandardName": .string("UTC"), "StandardBias": .dword(0), "DaylightName": .string("UTC"),
        "DaylightBias": .dword(0), "ActiveTimeBias": .dword(0),
      ])
    fillSessionManager()
    fillLoadOrder()
  }

  private func fillSessionManager() {
    control(
      "Session Manager",
      [
        "BootExecute": .strings(["autocheck autochk *"]), "CriticalSectionTimeout": .dword(2_592_000), "GlobalFlag": .dword(0),
        "HeapDeCommitFreeBlockThreshold": .dword(0), "HeapDeCommitTotalFreeThreshold": .dword(0), "HeapSegmentCommit": .dword(0),
        "HeapSegmentReserve": .dword(0), "ObjectDirectories": .strings([#"\Windows"#, #"\RPC Control"#]), "ProtectionMode": .dword(1),
        "ResourceTimeoutCount": .dword(648_000), "ProcessorControl": .dword(2),
      ])
    control(
      "Session Manager\\Environment",
      [
        "ComSpec": .expandableString(#"%SystemRoot%\system32\cmd.exe"#), "OS": .string("Windows_NT"),
        "Path": .expandableString(#"%SystemRoot%\system32;%SystemRoot%;%SystemRoot%\System32\Wbem"#),
        "windir": .expandableString("%SystemRoot%"), "PROCESSOR_ARCHITECTURE": .string("x86"), "PROCESSOR_LEVEL": .string("6"),
        "PROCESSOR_IDENTIFIER": .string("x86 Family 6 Model 8 Stepping 3, GenuineIntel"), "PROCESSOR_REVISION": .string("0803"),
        "NUMBER_OF_PROCESSORS": .string("1"), "TEMP": .expandableString(#"%SystemRoot%\TEMP"#),
        "TMP": .expandableString(#"%SystemRoot%\TEMP"#),
      ])
    control(
      "Session Manager\\Memory Management",
      [
        "ClearPageFileAtShutdown": .dword(0), "DisablePagingExecutive": .dword(0), "LargeSystemCache": .dword(0),
        "NonPagedPoolQuota": .dword(0), "NonPagedPoolSize": .dword(0), "PagedPoolQuota": .dword(0), "PagedPoolSize": .dword(0),
        "SecondLevelDataCache": .dword(0), "SystemPages": .dword(0), "PagingFiles": .strings([#"C:\pagefile.sys 1536 3072"#]),
      ])
    control("Session Manager\\Executive", ["AdditionalCriticalWorkerThreads": .dword(0), "AdditionalDelayedWorkerThreads": .dword(0)])
    control("Session Manager\\Kernel", ["ObCaseInsensitive": .dword(1)])
    control(
      "Session Manager\\DOS Devices",
      ["AUX": .string(#"\DosDevices\COM1"#), "NUL": .string(#"\Device\Null"#), "PIPE": .string(#"\Device\NamedPipe"#)])
    control("Session Manager\\Power", [:])
  }

  private func fillLoadOrder() {
    control("ServiceGroupOrder", ["List": .strings(Self.serviceGroups)])
    control("GroupOrderList", [:])
  }

  /// The load order groups of Windows XP ("Specifying Driver Load Order": the list is in the registry; its entries are those that
  /// the DDK's page "Load Order Groups" and INF files of the time name).
  static let serviceGroups = [
    "System Reserved", "Boot Bus Extender", "System Bus Extender", "SCSI miniport", "Port", "Primary Disk", "SCSI Class",
    "SCSI CDROM Class", "FSFilter Infrastructure", "FSFilter System", "FSFilter Bottom", "FSFilter Copy Protection",
    "FSFilter Security Enhancer", "FSFilter Open File", "FSFilter Physical Quota Management", "FSFilter Encryption",
    "FSFilter Compression", "FSFilter HSM", "FSFilter Cluster File System", "FSFilter System Recovery", "FSFilter Quota Management",
    "FSFilter Content Screener", "FSFilter Continuous Backup", "FSFilter Replication", "FSFilter Anti-Virus", "FSFilter Undelete",
    "FSFilter Activity Monitor", "FSFilter Top", "Filter", "Boot File System", "Base", "Pointer Port", "Keyboard Port",
    "Pointer Class", "Keyboard Class", "Video Init", "Video", "Video Save", "File System", "Event Log", "Streams Drivers",
    "NDIS Wrapper", "COM Infrastructure", "UIGroup", "LocalValidation", "PlugPlay", "PNP_TDI", "NDIS", "TDI", "NetBIOSGroup",
    "ShellSvcGroup", "SchedulerGroup", "SpoolerGroup", "AudioGroup", "SmartCardGroup", "NetworkProvider", "RemoteValidation",
    "NetDDEGroup", "Parallel arbitrator", "Extended Base", "PCI Configuration", "MS Transactions",
  ]

  /// `\Registry\Machine\Hardware` is made at each boot: the processor is the one that `cpuid` describes.
  private func fillHardware() {
    let system = #"HKLM\HARDWARE\DESCRIPTION\System"#
    if let machine = root.subkey("MACHINE"), machine.subkey("HARDWARE") == nil {
      machine.insert(RegistryKey("HARDWARE", in: machine, isVolatile: true, at: VirtualTime.boot))
    }
    set(
      system,
      ["Identifier": .string("AT/AT COMPATIBLE"), "SystemBiosDate": .string("04/13/08"), "SystemBiosVersion": .strings(["PROBELOCK - 1"])])
    set(
      system + #"\CentralProcessor\0"#,
      [
        "Component Information": .binary([UInt8](repeating: 0, count: 12) + [1, 0, 0, 0]),
        "Identifier": .string("x86 Family 6 Model 8 Stepping 3"), "VendorIdentifier": .string("GenuineIntel"), "~MHz": .dword(100),
      ])
    for key in [#"DEVICEMAP"#, #"RESOURCEMAP"#, #"DESCRIPTION\System\MultifunctionAdapter"#] { makeKey(at: #"HKLM\HARDWARE\"# + key) }
    set(
      #"HKLM\HARDWARE\DEVICEMAP\KeyboardClass"#,
      [#"\Device\KeyboardClass0"#: .string(#"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\Kbdclass"#)])
    set(
      #"HKLM\HARDWARE\DEVICEMAP\PointerClass"#,
      [#"\Device\PointerClass0"#: .string(#"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\Mouclass"#)])
    for (kind, number) in [("KeyboardPort", "Keyboard"), ("PointerPort", "Pointer")] {
      set(
        #"HKLM\HARDWARE\DEVICEMAP\"# + kind,
        [#"\Device\"# + number + "Port0": .string(#"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\i8042prt"#)])
    }
    set(
      #"HKLM\HARDWARE\DEVICEMAP\Scsi\Scsi Port 0"#,
      ["FirstBusTimeScanInMs": .dword(0), "DMAEnabled": .dword(1), "Driver": .string("atapi")])
    for (target, kind, name) in [(0, "DiskPeripheral", "Probelock Disk"), (1, "CdRomPeripheral", "Probelock CD-ROM")] {
      set(
        #"HKLM\HARDWARE\DEVICEMAP\Scsi\Scsi Port 0\Scsi Bus 0\Target Id \#(target)\Logical Unit Id 0"#,
        ["Identifier": .string(name), "Type": .string(kind)])
    }
    if self.system.release >= .vista {
      set(
        #"HKLM\HARDWARE\DESCRIPTION\System\BIOS"#,
        [
          "BIOSVendor": .string("PROBELOCK"), "BIOSVersion": .string("1"), "BIOSReleaseDate": .string("04/13/2008"),
          "SystemManufacturer": .string("Probelock"), "SystemProductName": .string("PC"), "BaseBoardManufacturer": .string("Probelock"),
          "BaseBoardProduct": .string("440FX"),
        ])
    }
    set(
      #"HKLM\HARDWARE\DEVICEMAP\VIDEO"#,
      [#"\Device\Video0"#: .string(#"\REGISTRY\Machine\System\ControlSet001\Services\VgaSave\Device0"#)])
  }

  /// The services of the drivers that ``StandingObject`` has, as INF files and the installation leave them.
  private func fillServices() {
    let later: [(name: String, type: UInt32, start: UInt32, group: String)] = system.release >= .vista ? [("DXGKrnl", 1, 3, "Video")] : []
    let services: [(name: String, type: UInt32, start: UInt32, group: String)] =
      later + [
        ("ACPI", 1, 0, "Boot Bus Extender"), ("PCI", 1, 0, "Boot Bus Extender"), ("atapi", 1, 0, "SCSI miniport"),
        ("MountMgr", 1, 0, "System Bus Extender"), ("Ftdisk", 1, 0, "System Bus Extender"), ("PartMgr", 1, 0, "Boot Bus Extender"),
        ("Disk", 1, 0, "SCSI Class"), ("Cdrom", 1, 1, "SCSI CDROM Class"), ("KSecDD", 1, 0, "Base"), ("NDIS", 1, 0, "NDIS Wrapper"),
        ("Mup", 2, 0, "Network"), ("Kbdclass", 1, 1, "Keyboard Class"), ("Mouclass", 1, 1, "Pointer Class"),
        ("i8042prt", 1, 1, "Keyboard Port"), ("VgaSave", 1, 1, "Video Save"), ("Null", 1, 1, "Base"), ("Beep", 1, 1, "Base"),
        ("Npfs", 2, 1, "File system"), ("Msfs", 2, 1, "File system"), ("Ntfs", 2, 4, "File system"), ("Tcpip", 1, 1, "PNP_TDI"),
        ("AFD", 1, 1, "TDI"), ("MRxSmb", 2, 1, "Network"),
      ]
    for service in services {
      set(
        "Services\\" + service.name,
        [
          "Type": .dword(service.type), "Start": .dword(service.start), "ErrorControl": .dword(1), "Group": .string(service.group),
          "ImagePath": .expandableString(#"system32\drivers\"# + service.name.lowercased() + ".sys"),
        ])
    }
    set(#"Services\Disk\Enum"#, ["Count": .dword(1), "NextInstance": .dword(1), "0": .string(#"ROOT\DISK\0000"#)])
    set(
      #"Services\Tcpip\Parameters"#,
      ["DataBasePath": .expandableString(#"%SystemRoot%\System32\drivers\etc"#), "Domain": .string(""), "Hostname": .string("probelock")])
    makeKey(at: #"Services\Tcpip\Parameters\Interfaces"#)
    // Without a network adapter TCP/IP is bound to the wide area network's alone: who looks for adapters there finds that one.
    set(
      #"Services\Tcpip\Linkage"#,
      [
        "Bind": .strings([#"\Device\NdisWanIp"#]), "Export": .strings([#"\Device\Tcpip_NdisWanIp"#]), "Route": .strings(["\"NdisWanIp\""]),
      ])
    set(
      #"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4D36E972-E325-11CE-BFC1-08002BE10318}"#,
      ["Class": .string("Net"), "": .string("Network adapters")])
    // GUID_DEVCLASS_KEYBOARD, GUID_DEVCLASS_MOUSE, GUID_DEVCLASS_DISKDRIVE (devguid.h).
    for (identifier, name, filter) in [
      ("4D36E96B", "Keyboard", "kbdclass"), ("4D36E96F", "Mouse", "mouclass"), ("4D36E967", "DiskDrive", "PartMgr"),
    ] {
      set(
        #"HKLM\SYSTEM\CurrentControlSet\Control\Class\{"# + identifier + "-E325-11CE-BFC1-08002BE10318}",
        ["Class": .string(name), (name == "DiskDrive" ? "LowerFilters" : "UpperFilters"): .strings([filter])])
    }
    set(
      #"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\KnownDLLs"#,
      ["DllDirectory": .expandableString(#"%SystemRoot%\system32"#), "kernel32": .string("kernel32.dll"), "user32": .string("user32.dll")])
  }
}
