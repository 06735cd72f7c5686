import Guest
import Testing
import WindowsTypes

@Suite("Layouts of Windows 7")
struct Windows7LayoutTests {
  static let target = Target.windows7_x86

  @Test(
    "members lie where a debugger shows them on Windows 7 SP1",
    arguments: [
      ("KTHREAD", "ApcState", 0x40), ("KTHREAD", "KernelApcDisable", 0x84), ("KTHREAD", "SpecialApcDisable", 0x86),
      ("KTHREAD", "TrapFrame", 0x128), ("KTHREAD", "ApcStateIndex", 0x134), ("KTHREAD", "PreviousMode", 0x13a),
      ("KTHREAD", "Process", 0x150), ("KTHREAD", "ApcStatePointer", 0x168), ("KTHREAD", "SavedApcState", 0x170),
      ("KTHREAD", "ThreadListEntry", 0x1e0), ("KTHREAD", "MutantListHead", 0x1e8), ("ETHREAD", "StartAddress", 0x218),
      ("ETHREAD", "Cid", 0x22c), ("ETHREAD", "ClientSecurity", 0x248), ("ETHREAD", "IrpList", 0x24c),
      ("ETHREAD", "ThreadListEntry", 0x268), ("ETHREAD", "CrossThreadFlags", 0x280), ("KPROCESS", "DirectoryTableBase", 0x18),
      ("KPROCESS", "StackCount", 0x74), ("EPROCESS", "UniqueProcessId", 0xb4), ("EPROCESS", "ActiveProcessLinks", 0xb8),
      ("EPROCESS", "Token", 0xf8), ("EPROCESS", "NumberOfLockedPages", 0x11c), ("EPROCESS", "ImageFileName", 0x16c),
      ("EPROCESS", "Peb", 0x1a8), ("EPROCESS", "Flags", 0x270), ("KPCR", "PrcbData", 0x120), ("KPRCB", "DpcRoutineActive", 0x1932),
      ("KPRCB", "Number", 0x3cc), ("OBJECT_HEADER", "TypeIndex", 0xc), ("OBJECT_HEADER", "InfoMask", 0xe),
      ("OBJECT_TYPE", "Index", 0x14), ("OBJECT_TYPE", "CallbackList", 0x80), ("FILE_OBJECT", "FileObjectExtension", 0x7c),
      ("ERESOURCE", "ActiveEntries", 0x20), ("ERESOURCE", "NumberOfExclusiveWaiters", 0x2c), ("LDR_DATA_TABLE_ENTRY", "LoadTime", 0x70),
      ("KUSER_SHARED_DATA", "ActiveProcessorCount", 0x3c0),
    ])
  func knownOffsets(structure: String, member: String, offset: Int) throws {
    let description = StructureDescription(try StructureCatalogue.structure(named: structure), in: Self.target)
    #expect(description[member]?.offset == offset)
  }

  @Test("sizes, and no member past the end", arguments: StructureCatalogue.all.indices)
  func membersFit(index: Int) {
    let description = StructureDescription(StructureCatalogue.all[index], in: Self.target)
    let sizes = ["_KTHREAD": 0x200, "_ETHREAD": 0x2b8, "_KPROCESS": 0x98, "_EPROCESS": 0x2c0, "_KPCR": 0x3748, "_OBJECT_TYPE": 0x88]
    if let size = sizes[description.name] { #expect(description.size == size) }
    for member in description.members {
      #expect(member.offset >= 0 && member.offset + member.size(in: Self.target) <= description.size, "\(description.name).\(member.name)")
      #expect(!member.name.hasSuffix("_7"))
    }
  }

  @Test("what is described for XP alone is not printed as Windows 7's, and what Windows 7 brought not as XP's")
  func unknownStructures() throws {
    #expect(throws: UnknownStructure.self) { try dt("_MMPFN", in: Self.target) }
    #expect(throws: UnknownStructure.self) { try dt("_GROUP_AFFINITY", in: .windowsXP_x86) }
    #expect(try dt("_MDL", in: Self.target) == dt("_MDL", in: .windowsXP_x86))
  }
}
