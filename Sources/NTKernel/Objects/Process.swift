import Events
import Guest
import Memory
import WindowsTypes

/// A process: the address space that Swift holds for it, and where its `EPROCESS` lies. Everything else is in guest memory.
public final class Process {
  /// Its number in the run, from 0 for System.
  public let id: ProcessID
  /// As the run knows it; `ImageFileName` holds at most 15 bytes of it.
  public let name: String
  public let object: Pointer<EPROCESS>
  public let space: AddressSpace
  /// What a `CR3` with this process's tables holds.
  public let directoryTableBase: UInt64
  /// Whether it has ended.
  public internal(set) var hasExited = false
  /// The file that it runs, as the object manager names it; `nil` for one in `\WINDOWS\system32`.
  var imageName: String?
  var commandLine: String?
  /// Whose it is.
  var user: ProcessUser
  /// What somebody ended it with, before its last thread was gone.
  var exitStatus: NTSTATUS?

  init(id: ProcessID, name: String, object: Pointer<EPROCESS>, space: AddressSpace, directoryTableBase: UInt64) {
    self.id = id
    self.name = name
    self.object = object
    self.space = space
    self.directoryTableBase = directoryTableBase
    user = id == 0 ? .system : .administrator
  }
}

extension Kernel {
  /// Makes a process with an empty address space.
  ///
  /// - Parameter uniqueID: `UniqueProcessId`, a multiple of 4 on Windows.
  @discardableResult
  public func createProcess(_ name: String, uniqueID: UInt64) throws -> Process {
    let isFirst = processes.isEmpty
    let space = isFirst ? memory.current : try memory.makeAddressSpace()
    let object: Pointer<EPROCESS> = try allocateObject()
    // The page directory's frame is never walked: the number alone is what CR3 holds.
    let directory = UInt64(try memory.physical.allocate()) << GuestMemory.pageShift
    let process = Process(id: processes.count, name: name, object: object, space: space, directoryTableBase: directory)
    processes.append(process)
    processByObject[object.address] = process
    processByDirectory[directory] = process

    let pcb = object.Pcb
    try pcb.Header.Type.store(.process)
    try pcb.Header.Size.store(UInt8(Pointer<KPROCESS>.size(in: memory.memory) / 4))
    for list in [
      pcb.Header.WaitListHead, pcb.ProfileListHead, pcb.ReadyListHead, pcb.ThreadListHead, object.ThreadListHead,
      object.ActiveProcessLinks,
    ] { try list.initialize() }
    try pcb.DirectoryTableBase.store(GuestWord(directory))
    try pcb.BasePriority.store(8)
    try object.UniqueProcessId.store(Pointer(uniqueID, in: memory.memory))
    try memory.memory.write(Array(name.utf8.prefix(15)) + [0], at: object.ImageFileName.address)
    if let list = activeProcesses {
      try list.insertTail(object.ActiveProcessLinks)
    } else {
      // The head is a variable of the kernel's, which no documented name leads to.
      let head = Pointer<LIST_ENTRY>(try allocate(8), in: memory.memory)
      try head.initialize()
      try head.insertTail(object.ActiveProcessLinks)
      activeProcesses = head
      try publish(activeProcesses: head.address)
    }
    try noteClient(uniqueID, object.address)
    try placeToken(of: process)
    try mapSharedUserData(in: space)
    return process
  }

  /// The process whose `EPROCESS` lies at `address`.
  public func process(at address: UInt64) -> Process? { processByObject[address] }

  /// The process in whose address space the processor is.
  public var currentSpaceOwner: Process {
    processes.first { $0.space === memory.current } ?? processes[0]
  }

  /// The process that the current thread is attached to: `KPCR.PrcbData.CurrentThread->ApcState.Process`.
  package func currentProcess() throws -> Pointer<KPROCESS> { try currentThread().ApcState.Process.load() }

  /// Ends a process: its address space goes, unless pages of it are still locked.
  ///
  /// Locked pages at that moment are bugcheck 0x76, PROCESS_HAS_LOCKED_PAGES (bug check reference: parameter 1 is 0, then the
  /// process, the count, and the tracking list if locks are tracked).
  public func exit(_ process: Process) throws {
    let locked = try process.object.NumberOfLockedPages.load().bits
    stream.append(.processExit(process.id, lockedPages: Int(truncatingIfNeeded: locked)))
    if locked != 0 {
      throw BugCheck(.processHasLockedPages, 0, process.object.address, locked, 0)
    }
    process.hasExited = true
    try noteClient(process.object.UniqueProcessId.load().address, 0)
    forgetAreas(of: process)
    try process.object.Pcb.Header.SignalState.store(1)
    try signal(process.object.Pcb.Header)
    try process.object.ActiveProcessLinks.remove()
    for index in Array(process.space.user.occupiedPages()) {
      try process.space.user.set(.free, at: UInt64(index) << GuestMemory.pageShift)
    }
  }

  /// The page that the kernel and every process share, read-only for the latter (`KUSER_SHARED_DATA` in ntddk.h).
  private func mapSharedUserData(in space: AddressSpace) throws {
    guard let frame = space.frame(at: memory.target.sharedUserDataAddress) else { return }
    try space.user.set(Page(.valid, .readOnly, frame: frame, isShared: true), at: memory.target.userSharedDataAddress)
  }
}
