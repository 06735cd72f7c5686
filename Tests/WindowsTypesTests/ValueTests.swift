import Guest
import Testing

@testable import WindowsTypes

@Suite("Named values")
struct ValueTests {
  @Test("statuses have a name and are found by it")
  func statuses() {
    #expect(NTSTATUS.accessViolation.name == "STATUS_ACCESS_VIOLATION")
    #expect(NTSTATUS(rawValue: 0).name == "STATUS_SUCCESS")
    #expect(NTSTATUS(name: "status_access_violation") == .accessViolation)
    #expect(NTSTATUS(name: "FLT_DO_NOT_ATTACH")?.rawValue == 0xc01c_000f)
    #expect(NTSTATUS(rawValue: 0xc0ff_0001).description == "c0ff0001")
    #expect(NTSTATUS.nearestName(to: "STATUS_ACESS_VIOLATON") == "STATUS_ACCESS_VIOLATION")
    #expect(NTSTATUS.nearestName(to: "insuficient_resources") == "STATUS_INSUFFICIENT_RESOURCES")
    #expect(NTSTATUS.nearestName(to: "nothing like any of these") == nil)
    #expect(NTSTATUS.allNames.count > 900)
  }

  @Test("success is a value that is not negative")
  func success() {
    #expect(NTSTATUS.success.isSuccess && NTSTATUS.timeout.isSuccess && NTSTATUS.pending.isSuccess)
    #expect(!NTSTATUS.bufferOverflow.isSuccess && !NTSTATUS.accessDenied.isSuccess)
    #expect(NTSTATUS.bufferOverflow.severity == .warning)
  }

  @Test("every name in the tables leads back to its value")
  func tables() {
    for (name, value) in NTSTATUS.names.inOrder { #expect(NTSTATUS(name: name)?.rawValue == value) }
    for (name, value) in BugCheckCode.names.inOrder {
      #expect(BugCheckCode(name: name)?.rawValue == value)
      #expect(BugCheckCode(rawValue: value).name == name)
    }
  }

  @Test("bugchecks have a name, and those of this field have a meaning")
  func bugchecks() {
    #expect(BugCheckCode.invalidProcessAttachAttempt.description == "INVALID_PROCESS_ATTACH_ATTEMPT (5)")
    #expect(BugCheckCode(name: "process_has_locked_pages") == .processHasLockedPages)
    #expect(BugCheckCode.nearestName(to: "INVALID_PROCES_ATTACH_ATTEMPT") == "INVALID_PROCESS_ATTACH_ATTEMPT")
    #expect(BugCheckCode.processHasLockedPages.parameterMeanings[1] == "the process")
    #expect(BugCheckCode.processHasLockedPages.parameterMeanings(first: 1)[1] == "the MDL")
    for code: UInt32 in [1, 5, 6, 0xa, 0x1a, 0x1e, 0x4e, 0x50, 0x76, 0x7e, 0x8e, 0xc4, 0xc9, 0xcb, 0xd1, 0xf5] {
      #expect(BugCheckCode(rawValue: code).name != nil)
      #expect(BugCheckCode(rawValue: code).parameterMeanings.count == 4)
    }
  }

  @Test("flags print by name, and what has none in hexadecimal")
  func flags() {
    #expect(MdlFlags([.pagesLocked, .writeOperation]).description == "MDL_PAGES_LOCKED | MDL_WRITE_OPERATION")
    #expect(
      CallbackDataFlags(rawValue: 0x8000_0101).flagNames == ["FLTFL_CALLBACK_DATA_IRP_OPERATION", "FLTFL_CALLBACK_DATA_DIRTY", "0x100"])
    #expect(MdlFlags(name: "mdl_partial") == .partial)
    #expect(MdlFlags().description == "0")
    #expect(StackLocationFlags.names(of: 0x42, for: .lockControl) == ["SL_EXCLUSIVE_LOCK", "0x40"])
  }

  @Test("function codes, the filter manager's own too")
  func functions() {
    #expect(IRP_MJ.create.rawValue == 0 && IRP_MJ.pnp.rawValue == 0x1b)
    #expect(IRP_MJ(rawValue: 0xff).name == "IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION")
    #expect(IRP_MJ(name: "IRP_MJ_MDL_READ")?.rawValue == 0xf1)
    #expect(IRP_MJ.mdlRead.isFilterManagerOwn && !IRP_MJ.read.isFilterManagerOwn)
    #expect(MinorFunction(1, of: .directoryControl).name == "IRP_MN_QUERY_DIRECTORY")
    #expect(MinorFunction(name: "IRP_MN_MOUNT_VOLUME") == MinorFunction(1, of: .fileSystemControl))
    #expect(IRQL.apc.description == "APC_LEVEL" && IRQL(rawValue: 5).description == "DIRQL 5" && IRQL.apc < .dispatch)
  }

  @Test("control codes come apart and together")
  func controlCodes() {
    let code = IOControlCode(deviceType: 0x22, function: 0x800, method: .neither, access: 0)
    #expect(code.rawValue == 0x0022_2003)
    #expect(code.method == .neither && code.function == 0x800 && code.deviceType == 0x22)
    #expect(code.description == "0x00222003 (device 0x22, function 0x800, METHOD_NEITHER, any access)")
  }

  @Test("addresses of the target")
  func addresses() {
    let target = Target.windowsXP_x86
    #expect(target.highestUserAddress + 1 == target.userProbeAddress)
    #expect(target.userProbeAddress < target.systemRangeStart)
    #expect(target.kpcrAddress == 0xffdf_f000)
  }
}

@Suite("Guest structures in memory")
struct MemoryTests {
  let memory = TestMemory()

  @Test("lists, as the macros of wdm.h make them")
  func lists() throws {
    try memory { memory in
      let head = Pointer<LIST_ENTRY>(0x8000_0000, in: memory)
      let threads = (1...3).map { Pointer<KAPC>(0x8000_0000 + UInt64($0) * 0x100, in: memory) }
      try head.initialize()
      #expect(try head.isEmpty)
      #expect(try head.removeHead() == nil)
      try head.insertTail(threads[0].ApcListEntry)
      try head.insertTail(threads[1].ApcListEntry)
      try head.insertHead(threads[2].ApcListEntry)
      #expect(try head.elements(\KAPC.ApcListEntry) == [threads[2], threads[0], threads[1]])
      #expect(try !threads[0].ApcListEntry.remove())
      #expect(try head.removeTail()?.container(\KAPC.ApcListEntry) == threads[1])
      #expect(try head.removeHead() == threads[2].ApcListEntry)
      #expect(try head.isEmpty)
    }
  }

  @Test("bit fields, strings and the pointer types of members")
  func access() throws {
    try memory { memory in
      let process = Pointer<EPROCESS>(0x8000_1000, in: memory)
      try process.store(bits: \.AddressSpaceInitialized, 2)
      try process.store(bits: \.ProcessExiting, 1)
      #expect(try process.Flags.load() == 0x804)
      #expect(try process.load(bits: \.AddressSpaceInitialized) == 2)
      try process.store(bits: \.AddressSpaceInitialized, 1)
      #expect(try process.Flags.load() == 0x404)

      let name = Pointer<UNICODE_STRING>(0x8000_0000, in: memory)
      try name.store("\\Device\\Größe", buffer: Pointer(0x8000_0040, in: memory))
      #expect(try name.string() == "\\Device\\Größe")
      #expect(try name.Length.load() == 26 && name.MaximumLength.load() == 28)

      let thread = Pointer<ETHREAD>(0x8000_3000, in: memory)
      try thread.Tcb.ApcState.Process.store(process.Pcb)
      #expect(try Pointer<UInt32>(0x8000_3044, in: memory).load() == 0x8000_1000)
      try thread.zero()
      #expect(try thread.Tcb.ApcState.Process.load().isNull)
    }
  }
}
