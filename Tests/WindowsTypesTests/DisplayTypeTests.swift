import Guest
import Testing
import WindowsTypes

@Suite("dt")
struct DisplayTypeTests {
  let memory = TestMemory()

  @Test("a layout without an address")
  func layout() throws {
    #expect(
      try dt("mdl", in: .windowsXP_x86) == """
        nt!_MDL
           +0x000 Next             : Ptr32 _MDL
           +0x004 Size             : Int2B
           +0x006 MdlFlags         : Int2B
           +0x008 Process          : Ptr32 _EPROCESS
           +0x00c MappedSystemVa   : Ptr32 Void
           +0x010 StartVa          : Ptr32 Void
           +0x014 ByteCount        : Uint4B
           +0x018 ByteOffset       : Uint4B

        """)
    let driver = try dt("nt!_DRIVER_OBJECT", in: .windowsXP_x86)
    #expect(driver.contains("\n   +0x034 DriverUnload     : Ptr32     void\n"))
    #expect(driver.contains("\n   +0x038 MajorFunction    : [28] Ptr32     long\n"))
    let process = try dt("EPROCESS", in: .windowsXP_x86)
    #expect(process.contains("\n   +0x174 ImageFileName    : [16] UChar\n"))
    #expect(process.contains("\n   +0x248 CreateReported   : Pos 0, 1 Bit\n"))
    #expect(process.contains("\n   +0x248 AddressSpaceInitialized : Pos 10, 2 Bits\n"))
    #expect(try dt("FLT_CALLBACK_DATA", in: .windowsXP_x86).hasPrefix("fltMgr!_FLT_CALLBACK_DATA\n"))
    #expect(try dt("DEVICE_OBJECT", in: .windowsXP_x86).contains("   +0x034 Queue            : <unnamed-tag>\n"))
  }

  @Test("an MDL in memory")
  func mdl() throws {
    try memory { memory in
      let mdl = Pointer<MDL>(0x8000_0100, in: memory)
      try mdl.Size.store(32)
      try mdl.MdlFlags.store([.pagesLocked, .writeOperation])
      try mdl.Process.store(Pointer(0x8221_0020, in: memory))
      try mdl.StartVa.store(Pointer(0x0012_f000, in: memory))
      try mdl.ByteCount.store(0x644)
      try mdl.ByteOffset.store(9)
      #expect(
        try dt("_MDL", at: mdl.address, in: memory) == """
          nt!_MDL
             +0x000 Next             : (null)\u{20}
             +0x004 Size             : 0n32
             +0x006 MdlFlags         : 0n130
             +0x008 Process          : 0x82210020 _EPROCESS
             +0x00c MappedSystemVa   : (null)\u{20}
             +0x010 StartVa          : 0x0012f000 Void
             +0x014 ByteCount        : 0x644
             +0x018 ByteOffset       : 9

          """)
      #expect(try mdl.pageCount() == 1)
      #expect(try mdl.virtualAddress() == 0x12_f009)
      #expect(mdl.frames.address == mdl.address + 0x1c)
    }
  }

  @Test("a process, line for line as a debugger printed one")
  func process() throws {
    try memory { memory in
      let process = Pointer<EPROCESS>(0x8000_1020, in: memory)
      try process.Pcb.DirectoryTableBase.store(0x39000)
      try process.Pcb.BasePriority.store(8)
      try process.CreateTime.QuadPart.store(0x01d8_0de5_27b8_6f20)
      try process.OtherOperationCount.QuadPart.store(0xea)
      try process.UniqueProcessId.store(Pointer(0x234, in: memory))
      try process.ActiveProcessLinks.Flink.store(Pointer(0x8055_b358, in: memory))
      try process.ActiveProcessLinks.Blink.store(Pointer(0x82b8_70a8, in: memory))
      try process.QuotaUsage.store(0x898)
      try process.ActiveThreads.store(1)
      try memory.write(Array("kernel lab1.exe".utf8), at: process.ImageFileName.address)
      try process.Flags.store(0x50800)
      try process.ExitStatus.store(.pending)
      try process.SubSystemVersion.store(0x501)
      try process.PriorityClass.store(2)
      let text = try dt("eprocess", at: process.address, in: memory)
      for line in [
        "+0x000 Pcb              : _KPROCESS",
        "+0x070 CreateTime       : _LARGE_INTEGER 0x01d80de5`27b86f20",
        "+0x078 ExitTime         : _LARGE_INTEGER 0x0",
        "+0x084 UniqueProcessId  : 0x00000234 Void",
        "+0x088 ActiveProcessLinks : _LIST_ENTRY [ 0x8055b358 - 0x82b870a8 ]",
        "+0x090 QuotaUsage       : [3] 0x898",
        "+0x0bc DebugPort        : (null) ",
        "+0x12c NumberOfLockedPages : 0",
        "+0x168 PageDirectoryPte : _HARDWARE_PTE",
        "+0x174 ImageFileName    : [16]  \"kernel lab1.exe\"",
        "+0x184 JobLinks         : _LIST_ENTRY [ 0x0 - 0x0 ]",
        "+0x1a0 ActiveThreads    : 1",
        "+0x1ac LastThreadExitStatus : 0n0",
        "+0x1c8 OtherOperationCount : _LARGE_INTEGER 0xea",
        "+0x248 Flags            : 0x50800",
        "+0x248 CreateReported   : 0y0",
        "+0x248 AddressSpaceInitialized : 0y10",
        "+0x248 HasAddressSpace  : 0y1",
        "+0x248 Unused           : 0y00000 (0)",
        "+0x24c ExitStatus       : 0n259",
        "+0x252 SubSystemMinorVersion : 0x1 ''",
        "+0x253 SubSystemMajorVersion : 0x5 ''",
        "+0x252 SubSystemVersion : 0x501",
        "+0x254 PriorityClass    : 0x2 ''",
        "+0x255 WorkingSetAcquiredUnsafe : 0 ''",
      ] {
        #expect(text.contains("\n   \(line)\n"), "\(line)")
      }
      let kernelPart = try dt("nt!_KPROCESS", at: process.address, in: memory)
      #expect(kernelPart.contains("   +0x018 DirectoryTableBase : [2] 0x39000\n"))
      #expect(kernelPart.contains("   +0x062 BasePriority     : 8 ''\n"))
    }
  }

  @Test("strings, code and what cannot be read")
  func rest() throws {
    try memory { memory in
      let driver = Pointer<DRIVER_OBJECT>(0x8000_0000, in: memory)
      try driver.DriverName.store("\\Driver\\probe", buffer: Pointer(0x8000_0800, in: memory))
      try driver.DriverUnload.store(Pointer(0xf7b1_d000, in: memory))
      let text = try dt("DRIVER_OBJECT", at: driver.address, in: memory) { $0 == 0xf7b1_d000 ? "probe!Unload+0" : nil }
      #expect(text.contains("   +0x01c DriverName       : _UNICODE_STRING \"\\Driver\\probe\"\n"))
      #expect(text.contains("   +0x034 DriverUnload     : 0xf7b1d000     void  probe!Unload+0\n"))
      #expect(
        try dt("LIST_ENTRY", at: 0x8000_1000, in: memory).hasPrefix(
          "nt!_LIST_ENTRY\n [ 0x0 - 0x0 ]\n   +0x000 Flink            : (null) \n"))
      #expect(
        try dt("CLIENT_ID", at: 0x8000_2000, in: memory) == """
          nt!_CLIENT_ID
             +0x000 UniqueProcess    : ????
             +0x004 UniqueThread     : ????

          """)
      for address: UInt64 in [0xffff_fffc, 0x1_0000_0000, .max, .max - 8] {
        for type in StructureCatalogue.all where type.isKnown(in: .windowsXP_x86) {
          #expect(try dt(StructureCatalogue.name(of: type), at: address, in: memory).contains(" : "))
        }
      }
      let name = Pointer<UNICODE_STRING>(0x8000_0ff8, in: memory)
      try name.Length.store(0xffff)
      try name.Buffer.store(Pointer(0x8000_0000, in: memory))
      #expect(try dt("OBJECT_NAME_INFORMATION", at: name.address, in: memory).hasSuffix("Name             : _UNICODE_STRING\n"))
    }
  }

  @Test("a structure's name in any spelling, and a guess for a wrong one")
  func names() throws {
    for name in ["EPROCESS", "_EPROCESS", "nt!_eprocess", "__eprocess"] {
      #expect(try StructureCatalogue.structure(named: name) is EPROCESS.Type)
    }
    #expect(throws: UnknownStructure(name: "EPROCES", nearest: "EPROCESS")) { try StructureCatalogue.structure(named: "EPROCES") }
    #expect(throws: UnknownStructure.self) { try dt("", in: .windowsXP_x86) }
    let names = StructureCatalogue.all.map(StructureCatalogue.name(of:))
    #expect(Set(names).count == names.count)
  }
}
