/// A process or thread as events name it: by its position in the run's list, so that names are looked up once, when printed.
public typealias ProcessID = Int
public typealias ThreadID = Int

/// Why the address space changed.
public enum SwitchReason: Sendable, Hashable { case attach, detach, schedule, control }

/// What `LOCK_OPERATION` a lock was made with.
public enum LockIntent: Int, Sendable, Hashable { case read = 0, write = 1, modify = 2 }

/// Where in guest code something happened.
public struct Site: Sendable, Hashable {
  /// The instruction, or the address a call returns to.
  public var ip: UInt64
  /// The return addresses of the calls that led there, innermost first, as the frame pointers and the current call tell.
  public var stack: [UInt64]
  public init(ip: UInt64, stack: [UInt64] = []) {
    self.ip = ip
    self.stack = stack
  }
}

/// A lock of the pages an MDL describes, with everything the verdict needs, as memory was at that moment.
public struct LockEvent: Sendable, Hashable {
  public var mdl: UInt64
  /// The first byte, and how many.
  public var address: UInt64
  public var length: UInt64
  public var intent: LockIntent
  /// What the MDL's frame array says, beside what the requestor's page tables hold for the range.
  public let pages: FrameList
  /// Whose page tables were current: where the routine probed.
  public var current: ProcessID
  /// `Mdl.Process`: to whom the lock is charged, if to anyone.
  public var account: ProcessID?
  /// Whose buffer it was, by the record made when the I/O was issued.
  public var requestor: ProcessID?
  /// `MmProbeAndLockPages`, or the routine that did it.
  public var routine: String
  /// Whether the MDL was locked before: the earlier reference is lost.
  public var wasLocked: Bool
  public var site: Site

  public init(
    mdl: UInt64, address: UInt64, length: UInt64, intent: LockIntent, pages: FrameList, current: ProcessID,
    account: ProcessID?, requestor: ProcessID?, routine: String, wasLocked: Bool, site: Site
  ) {
    self.mdl = mdl
    self.address = address
    self.length = length
    self.intent = intent
    self.pages = pages
    self.current = current
    self.account = account
    self.requestor = requestor
    self.routine = routine
    self.wasLocked = wasLocked
    self.site = site
  }

  public init(
    mdl: UInt64, address: UInt64, length: UInt64, intent: LockIntent, frames: [UInt32], current: ProcessID,
    account: ProcessID?, requestor: ProcessID?, requestorFrames: [UInt32?], owners: [ProcessID?], routine: String,
    wasLocked: Bool, site: Site
  ) {
    self.init(
      mdl: mdl, address: address, length: length, intent: intent, pages: FrameList(frames, requestorFrames, owners),
      current: current, account: account, requestor: requestor, routine: routine, wasLocked: wasLocked, site: site)
  }
}

/// A view of an MDL's frames at another address, judged against the requestor's page tables at that moment.
public struct MappingEvent: Sendable, Hashable {
  public var mdl: UInt64
  public var address: UInt64
  public var length: UInt64
  /// Where the buffer itself is.
  public var bufferAddress: UInt64
  /// The MDL's frames, beside what the requestor's page tables hold for the buffer.
  public let pages: FrameList
  /// The process in whose half the view is; `nil` for system space.
  public var process: ProcessID?
  public var requestor: ProcessID?
  /// Whether a lock that the kernel made stands behind the MDL; guest code can set the flag by hand.
  public var isLockedByKernel: Bool
  public var routine: String
  public var site: Site

  public init(
    mdl: UInt64, address: UInt64, length: UInt64, bufferAddress: UInt64, pages: FrameList, process: ProcessID?,
    requestor: ProcessID?, isLockedByKernel: Bool, routine: String, site: Site
  ) {
    self.mdl = mdl
    self.address = address
    self.length = length
    self.bufferAddress = bufferAddress
    self.pages = pages
    self.process = process
    self.requestor = requestor
    self.isLockedByKernel = isLockedByKernel
    self.routine = routine
    self.site = site
  }

  public init(
    mdl: UInt64, address: UInt64, length: UInt64, bufferAddress: UInt64, frames: [UInt32], process: ProcessID?,
    requestor: ProcessID?, requestorFrames: [UInt32?], owners: [ProcessID?], isLockedByKernel: Bool, routine: String,
    site: Site
  ) {
    self.init(
      mdl: mdl, address: address, length: length, bufferAddress: bufferAddress,
      pages: FrameList(frames, requestorFrames, owners), process: process, requestor: requestor,
      isLockedByKernel: isLockedByKernel, routine: routine, site: site)
  }
}

/// A page fault: what was wanted where, and what the kernel made of it.
public struct FaultEvent: Sendable, Hashable {
  public enum Resolution: Sendable, Hashable {
    /// The page is there now, and the access was tried again: `demand zero`, `copy on write`, `paged in`.
    case repaired(String)
    /// The access raised this status.
    case raised(UInt32)
    case bugCheck(UInt32)
  }
  public var address: UInt64
  public var access: String
  public var process: ProcessID
  /// The routine in whose name the kernel touched the page, or `nil` for an instruction.
  public var routine: String?
  public var resolution: Resolution
  public var site: Site

  public init(
    address: UInt64, access: String, process: ProcessID, routine: String?, resolution: Resolution, site: Site
  ) {
    self.address = address
    self.access = access
    self.process = process
    self.routine = routine
    self.resolution = resolution
    self.site = site
  }
}

/// Guest code, or a routine that it called, used an outstanding request's buffer address in a process that the request is not of.
public struct ForeignAccessEvent: Sendable, Hashable {
  public enum Kind: String, Sendable { case read, write, probe }
  public var kind: Kind
  public var address: UInt64
  /// Whose page tables were current.
  public var process: ProcessID
  /// Whose buffer it was, by the record made when the I/O was issued.
  public var requestor: ProcessID
  /// The routine that did it, or `nil` for an instruction.
  public var routine: String?
  public var site: Site

  public init(kind: Kind, address: UInt64, process: ProcessID, requestor: ProcessID, routine: String?, site: Site) {
    self.kind = kind
    self.address = address
    self.process = process
    self.requestor = requestor
    self.routine = routine
    self.site = site
  }
}

/// An asynchronous procedure call has come: its kernel routine is called next, in this thread and in this process.
public struct APCEvent: Sendable, Hashable {
  public enum Kind: String, Sendable { case special = "special kernel", normal = "normal kernel", user }
  public var kind: Kind
  /// Its kernel routine.
  public var routine: UInt64
  /// Its normal routine; 0 where it has none.
  public var normal: UInt64
  public var thread: ThreadID
  /// Whose page tables are current.
  public var process: ProcessID

  public init(kind: Kind, routine: UInt64, normal: UInt64, thread: ThreadID, process: ProcessID) {
    self.kind = kind
    self.routine = routine
    self.normal = normal
    self.thread = thread
    self.process = process
  }
}

/// What happened in a run, besides instructions and calls.
public enum Event: Sendable, Hashable {
  /// The processor went on in another process's address space. `thread` is the one that runs there.
  case addressSpace(from: ProcessID, to: ProcessID, thread: ThreadID, SwitchReason)
  /// Another thread runs.
  case thread(ThreadID)
  indirect case fault(FaultEvent)
  indirect case foreignAccess(ForeignAccessEvent)
  indirect case lock(LockEvent)
  case unlock(mdl: UInt64, account: ProcessID?, pages: Int, routine: String, site: Site)
  indirect case mapping(MappingEvent)
  case unmapping(mdl: UInt64, address: UInt64, routine: String, site: Site)
  case irql(from: UInt8, to: UInt8)
  indirect case apc(APCEvent)
  /// A routine was called above the highest IRQL that its documentation allows, and did its work all the same.
  case irqlTooHigh(routine: String, irql: UInt8, limit: UInt8, site: Site)
  /// An exception was raised; `information` are its parameters.
  case exception(code: UInt32, address: UInt64, information: [UInt64], site: Site)
  /// A frame's handler took the exception: the unwind ended there.
  case handled(frame: UInt64, target: UInt64)
  /// What `DbgPrint` and its like said.
  case message(String)
  /// An instruction that the kernel model decides: `rdtsc -> 0000000000001234`.
  case sensitive(ip: UInt64, String)
  /// Something the documentation leaves open happened, and the model chose.
  case uncertain(String)
  /// The model has something to say that no trace line shows.
  case note(String)
  case bugCheck(code: UInt32, parameters: [UInt64], site: Site)
  /// Guest code broke a rule of the I/O manager's that stops no machine by itself.
  case violation(String, site: Site)
  /// A driver went without taking this back; `site` is the call that made it.
  case leftBehind(driver: String, String, site: Site)
  /// A process ended, with this many pages still locked.
  case processExit(ProcessID, lockedPages: Int)
  /// Something happened to a communication port.
  indirect case port(PortEvent)
  /// The run is at rest, and this thread waits for something.
  case waits(ThreadID, String)
  /// Threads wait for each other, and nobody else can help: who waits for what.
  case deadlock(String)
  /// A step of the fixture began: what follows is its doing.
  case step(Int, String)
}
