import Guest
import WindowsTypes

/// What `ZwQuerySystemInformation` tells of the machine (`winternl.h`; the rest as ReactOS' `extypes.h` lays it out).
extension Kernel {
  /// The answer to a class, for a buffer at `place`; whether its length must be met exactly. `nil` for a class that is not there.
  func systemInformation(_ kind: UInt32, at place: UInt64) throws -> (bytes: [UInt8], isExact: Bool)? {
    switch kind {
    case 0: return (words(basicInformation), true)
    // SYSTEM_PROCESSOR_INFORMATION: Intel, family 6.
    case 1: return (words([0x6_0000, 0x0f06, 0x2000_3fff]), true)
    case 3:
      return (words(halves(time.bootTime) + halves(systemTime) + [0, 0, 0, 0] + [0, 0, 0, 0]), false)
    case 5: return (try processInformation(at: place), false)
    case 11: return (try moduleInformation(), false)
    // SYSTEM_KERNEL_DEBUGGER_INFORMATION: not enabled, not present.
    case 35: return ([0, 1], true)
    default: return try furtherInformation(kind)
    }
  }

  /// Classes that say little of a machine at rest.
  private func furtherInformation(_ kind: UInt32) throws -> (bytes: [UInt8], isExact: Bool)? {
    switch kind {
    // SYSTEM_PERFORMANCE_INFORMATION: pages available, committed, the limit, the peak; the rest counts what has happened.
    case 2:
      let free = UInt64(memory.physical.capacity - memory.physical.used)
      let used = UInt64(memory.physical.used)
      return (words(Array(repeating: 0, count: 11) + [free, used, 0x1_0000, used] + Array(repeating: 0, count: 63)), false)
    // SYSTEM_DEVICE_INFORMATION: a disk and a CD-ROM drive.
    case 7: return (words([1, 0, 1, 0, 0, 0]), true)
    // SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION: idle, kernel and user time, DPCs, interrupts.
    case 8: return (words(halves(interruptTime) + halves(interruptTime) + Array(repeating: 0, count: 8)), false)
    case 16, 64: return (try handleInformation(isExtended: kind == 64), false)
    case 21: return (words(Array(repeating: 0, count: 9)), false)  // SYSTEM_FILECACHE_INFORMATION
    case 28: return (words([VirtualTime.tick, VirtualTime.tick, 1]), true)  // SYSTEM_QUERY_TIME_ADJUST_INFORMATION
    case 33: return (words([0, 0, 0, 0]), false)  // SYSTEM_EXCEPTION_INFORMATION
    case 36: return (words(Array(repeating: 0, count: 12)), false)  // SYSTEM_CONTEXT_SWITCH_INFORMATION
    case 37: return (words([UInt64(Registry.quota), UInt64(registry.usedBytes), 0x1_0000]), true)
    case 44: return (words(Array(repeating: 0, count: 43)), true)  // RTL_TIME_ZONE_INFORMATION: UTC
    case 50: return (words([memory.target.systemRangeStart]), true)  // SYSTEM_RANGE_START_INFORMATION
    default: return nil
    }
  }

  /// `SYSTEM_HANDLE_INFORMATION`, or `SYSTEM_HANDLE_INFORMATION_EX`: every handle of every process. The kernel's own are System's.
  private func handleInformation(isExtended: Bool) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var count: UInt64 = 0
    for process in [HandleTable.kernel] + processes.filter({ !$0.hasExited }).map(\.id) {
      let owner = try processes.first { $0.id == max(0, process) }?.object.UniqueProcessId.load().address ?? 0
      for handle in handles.handles(of: process) {
        let value = process == HandleTable.kernel ? handle | 0x8000_0000 : handle
        guard let entry = handles[value, process] else { continue }
        let type = try io.objects[entry.object] == nil ? 0 : UInt64(header(of: entry.object).Type.load().Index.load())
        count += 1
        if isExtended {
          bytes += words([entry.object, owner, value, UInt64(entry.grantedAccess), type << 16, 0, 0])
        } else {
          bytes += words([owner & 0xffff, type & 0xff | (value & 0xffff) << 16, entry.object, UInt64(entry.grantedAccess)])
        }
      }
    }
    return words(isExtended ? [count, 0] : [count]) + bytes
  }

  private func halves(_ value: UInt64) -> [UInt64] { [value & 0xffff_ffff, value >> 32] }

  /// `SYSTEM_BASIC_INFORMATION`, of a machine with 256 MiB.
  private var basicInformation: [UInt64] {
    [
      0, VirtualTime.tick, GuestMemory.pageSize, 0x1_0000, 1, 0xffff, 0x1_0000, 0x1_0000, memory.target.highestUserAddress, 1, 1,
    ]
  }

  /// `RTL_PROCESS_MODULES`: a count, and 0x11C bytes for each image.
  private func moduleInformation() throws -> [UInt8] {
    let entries = try moduleList().entries(limit: 1024)
    var bytes = words([UInt64(entries.count)])
    for (index, link) in entries.enumerated() {
      let entry = link.container(\LDR_DATA_TABLE_ENTRY.InLoadOrderLinks)
      var path = Array(try entry.FullDllName.string().utf8.prefix(255))
      let name = (path.lastIndex(of: 0x5c) ?? -1) + 1
      path += Array(repeating: 0, count: 256 - path.count)
      bytes += words([
        0, 0, try entry.DllBase.load().address, UInt64(try entry.SizeOfImage.load()), UInt64(try entry.Flags.load()), UInt64(index),
        UInt64(try entry.LoadCount.load()) | UInt64(name) << 16,
      ])
      bytes += path
    }
    return bytes
  }

  /// `SYSTEM_PROCESS_INFORMATION`s, each followed by its threads and its name; the idle process first, which has no name.
  private func processInformation(at place: UInt64) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let live = processes.filter { !$0.hasExited }
    for index in -1..<live.count {
      let process = index < 0 ? nil : live[index]
      let own = process.map { process in threads.filter { $0.owner === process && !$0.hasEnded } } ?? []
      var name: [UInt8] = []
      if let process { for unit in Array(process.name.utf16) + [0] { name += [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)] } }
      let size = (0xb8 + 0x40 * own.count + name.count + 7) & ~7
      let text = place + UInt64(bytes.count + 0xb8 + 0x40 * own.count)
      let nameLength = UInt64(max(0, name.count - 2))
      var head = words([index == live.count - 1 ? 0 : UInt64(size), UInt64(own.count), 0, 0, 0, 0, 0, 0])
      head += words(halves(UInt64(bitPattern: try process?.object.CreateTime.QuadPart.load() ?? 0)) + [0, 0, 0, 0])
      head += words([
        nameLength | UInt64(name.count) << 16, name.isEmpty ? 0 : text, UInt64(try process?.object.Pcb.BasePriority.load() ?? 0),
      ])
      head += words([
        try process?.object.UniqueProcessId.load().address ?? 0, try process?.object.InheritedFromUniqueProcessId.load().address ?? 0,
        UInt64(process.map { handles.handles(of: $0.id).count } ?? 0), 0, process?.directoryTableBase ?? 0,
      ])
      head += Array(repeating: 0, count: 0xb8 - head.count)
      for thread in own { head += try threadInformation(thread) }
      bytes += head + name + Array(repeating: 0, count: size - head.count - name.count)
    }
    return bytes
  }

  /// `SYSTEM_THREAD_INFORMATION`.
  private func threadInformation(_ thread: Thread) throws -> [UInt8] {
    let object = thread.object
    let created = UInt64(bitPattern: try object.CreateTime.QuadPart.load())
    let (process, id) = (try object.Cid.UniqueProcess.load().address, try object.Cid.UniqueThread.load().address)
    let (priority, base) = (UInt64(try object.Tcb.Priority.load()), UInt64(try object.Tcb.BasePriority.load()))
    let (state, reason) = (UInt64(try object.Tcb.State.load().rawValue), UInt64(try object.Tcb.WaitReason.load()))
    let start = try object.StartAddress.load().address
    var values: [UInt64] = [0, 0, 0, 0]
    values += halves(created)
    values += [0, start, process, id, priority, base, 0, state, reason, 0]
    return words(values)
  }
}
