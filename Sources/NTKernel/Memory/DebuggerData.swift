import Guest
import WindowsTypes

/// What a kernel debugger reads first, and with it drivers that look for what the kernel does not export: `KPCR.KdVersionBlock` leads
/// to the version, its `DebuggerDataList` to a `KDDEBUGGER_DATA64` (`wdbgexts.h`).
///
/// An address of 32 bits stands there extended by its sign. What this kernel has no variable for is 0.
struct DebuggerData {
  /// Where the `KDDEBUGGER_DATA64` lies.
  let address: UInt64

  /// Offsets of its members.
  static let (kernelBase, loadedModules, activeProcesses, clientIdentifiers) = (UInt64(0x18), UInt64(0x48), UInt64(0x50), UInt64(0x58))

  func store(_ value: UInt64, at member: UInt64, in memory: GuestMemory) throws {
    try memory.store(UInt32(truncatingIfNeeded: value), at: address + member)
    try memory.store(value & 0x8000_0000 != 0 ? UInt32.max : 0, at: address + member + 4)
  }
}

extension Kernel {
  /// Where the debugger's data lies: in the page of the descriptor tables, right behind the version, as in XP, whose drivers count
  /// on it: `KdVersionBlock` + 70h is PsLoadedModuleList, + 78h PsActiveProcessHead, + 80h PspCidTable.
  private var debuggerData: DebuggerData { DebuggerData(address: layout.segmentTable + 0xc28) }

  /// Writes the list that `DBGKD_GET_VERSION64.DebuggerDataList` names, and the one block in it: `KDBG`, 0x290 bytes in XP.
  func makeDebuggerData(behind version: UInt64) throws {
    let here = memory.memory
    let (head, data) = (version + 0x380, debuggerData)
    try here.store(UInt32(truncatingIfNeeded: head), at: version + 0x20)
    try here.store(UInt32.max, at: version + 0x24)
    // DBGKD_DEBUG_DATA_HEADER64: a place for a LIST_ENTRY64, which a 32-bit kernel links as its own LIST_ENTRY; OwnerTag, Size.
    for (place, link) in [(head, data.address), (head + 4, data.address), (data.address, head), (data.address + 4, head)] {
      try here.store(UInt32(truncatingIfNeeded: link), at: place)
    }
    try here.store(UInt32(0x4742_444b), at: data.address + 0x10)
    try here.store(UInt32(0x290), at: data.address + 0x14)
    try data.store(0x804d_7000, at: DebuggerData.kernelBase, in: here)
    try data.store(layout.modules.lowerBound, at: DebuggerData.loadedModules, in: here)
    try data.store(clientIdentifierTable, at: DebuggerData.clientIdentifiers, in: here)
  }

  /// The list of processes has its head now.
  func publish(activeProcesses head: UInt64) throws {
    try debuggerData.store(head, at: DebuggerData.activeProcesses, in: memory.memory)
  }
}
