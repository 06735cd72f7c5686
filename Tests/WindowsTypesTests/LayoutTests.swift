import Foundation
import Guest
import Testing
import WindowsTypes

@Suite("Layouts")
struct LayoutTests {
  static let target = Target.windowsXP_x86

  @Test("clang lays the structures out for Windows as the tables say")
  func agreeWithClang() throws {
    let header = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "structures.h").path
    var source = "#include \"\(header)\"\n"
    for type in StructureCatalogue.all where type.isKnown(in: Self.target) {
      let name = StructureCatalogue.name(of: type)
      let description = StructureDescription(type, in: Self.target)
      source += "_Static_assert(sizeof(struct \(name)) == \(description.size), \"size of \(name)\");\n"
      if name == "KPRCB" { continue }
      for member in description.members where member.bits == nil {
        let path = "struct \(name), \(member.name)"
        source += "_Static_assert(__builtin_offsetof(\(path)) == \(member.offset), \"\(path)\");\n"
        source += "_Static_assert(sizeof(((struct \(name) *)0)->\(member.name)) == \(member.size(in: Self.target)), \"\(path)\");\n"
      }
    }
    let clang = Process()
    clang.executableURL = URL(filePath: "/usr/bin/env")
    clang.arguments = ["clang", "-target", "i686-pc-windows-msvc", "-fsyntax-only", "-ferror-limit=0", "-xc", "-"]
    let (input, errors) = (Pipe(), Pipe())
    (clang.standardInput, clang.standardError) = (input, errors)
    try clang.run()
    input.fileHandleForWriting.write(Data(source.utf8))
    try input.fileHandleForWriting.close()
    let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    clang.waitUntilExit()
    #expect(clang.terminationStatus == 0, "\(message)")
  }

  @Test("no member runs past the end of its structure, and no bit past the end of its unit", arguments: StructureCatalogue.all.indices)
  func membersFit(index: Int) {
    let description = StructureDescription(StructureCatalogue.all[index], in: Self.target)
    #expect(!description.members.isEmpty)
    for member in description.members {
      #expect(member.size(in: Self.target) > 0, "\(description.name).\(member.name)")
      #expect(member.offset + member.size(in: Self.target) <= description.size, "\(description.name).\(member.name)")
      if let bits = member.bits {
        #expect(bits.upperBound < 8 * member.type.size(in: Self.target), "\(description.name).\(member.name)")
      }
    }
  }

  @Test(
    "members that traced code addresses lie where the public symbols put them",
    arguments: [
      ("KTHREAD", "ApcState", 0x34), ("KAPC_STATE", "Process", 0x10), ("ETHREAD", "ThreadsProcess", 0x220),
      ("ETHREAD", "Cid", 0x1ec), ("KPROCESS", "DirectoryTableBase", 0x18), ("KPROCESS", "StackCount", 0x60),
      ("KTHREAD", "KernelApcDisable", 0xd4), ("KTHREAD", "PreviousMode", 0x140), ("KTHREAD", "SavedApcState", 0x14c),
      ("KTHREAD", "ApcStateIndex", 0x165), ("KTHREAD", "ApcStatePointer", 0x138), ("KTHREAD", "TrapFrame", 0x134),
      ("EPROCESS", "UniqueProcessId", 0x84), ("EPROCESS", "NumberOfLockedPages", 0x12c), ("EPROCESS", "ImageFileName", 0x174),
      ("EPROCESS", "Vm", 0x1f8), ("EPROCESS", "Flags", 0x248), ("KPCR", "SelfPcr", 0x1c), ("KPCR", "Prcb", 0x20),
      ("KPCR", "Irql", 0x24), ("KPCR", "PrcbData", 0x120), ("KPRCB", "CurrentThread", 4), ("KPRCB", "DpcRoutineActive", 0x874),
      ("MDL", "Process", 8), ("MDL", "MappedSystemVa", 0xc), ("MDL", "StartVa", 0x10), ("IRP", "Tail", 0x40),
      ("IRP_Tail_Overlay", "Thread", 0x10), ("IRP_Tail_Overlay", "CurrentStackLocation", 0x20),
      ("IO_STACK_LOCATION", "Parameters", 4), ("IO_STACK_LOCATION", "DeviceObject", 0x14), ("CONTEXT", "Eip", 0xb8),
      ("KTRAP_FRAME", "ExceptionList", 0x4c), ("FLT_CALLBACK_DATA", "Iopb", 8), ("FLT_IO_PARAMETER_BLOCK", "Parameters", 0x10),
      ("FLT_PARAMETERS_Read", "ReadBuffer", 0x10), ("FLT_PARAMETERS_Read", "MdlAddress", 0x14),
      ("FLT_PARAMETERS_QuerySecurity", "MdlAddress", 0xc), ("FLT_REGISTRATION", "FilterUnloadCallback", 0x10),
      ("EH3_FRAME", "Registration", 8), ("KUSER_SHARED_DATA", "SystemCall", 0x300),
    ])
  func knownOffsets(structure: String, member: String, offset: Int) throws {
    let description = StructureDescription(try StructureCatalogue.structure(named: structure), in: Self.target)
    #expect(description[member]?.offset == offset)
  }

  @Test("sizes that guest code relies on")
  func sizes() {
    #expect(KAPC_STATE.layouts.size(in: Self.target) == 0x18)
    #expect(EPROCESS.layouts.size(in: Self.target) == 0x260)
    #expect(ETHREAD.layouts.size(in: Self.target) == 0x258)
    #expect(MDL.layouts.size(in: Self.target) == 0x1c)
    #expect(IRP.layouts.size(in: Self.target) == 0x70)
    #expect(IO_STACK_LOCATION.layouts.size(in: Self.target) == 0x24)
    #expect(CONTEXT.layouts.size(in: Self.target) == 0x2cc)
    #expect(FLT_REGISTRATION.layouts.size(in: Self.target) == 0x30)
  }
}
