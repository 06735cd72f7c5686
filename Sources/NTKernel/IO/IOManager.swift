import Events
import Guest
import WindowsTypes

/// What the I/O and the object manager know of objects that lie in guest memory: names, and who made what.
struct IOManager {
  var namespace = ObjectNamespace()
  var objects: [UInt64: ObjectRecord] = [:]
  var drivers: [Driver] = []
  /// The references that callers took and did not give back, by object, oldest first.
  var references: [UInt64: [Site]] = [:]
  /// What drivers have registered to be called for.
  var registrations: [Registration] = []
  /// Who issued the requests that are on their way, by IRP.
  var issued: [UInt64: Issue] = [:]
  /// IRPs that are complete but for what their issuer does when the dispatch routine has returned.
  var deferred: Set<UInt64> = []
  /// The page of each process's own that its system calls keep their blocks in, and how much of it is used.
  var userBlocks: [Int: (page: UInt64, used: UInt64)] = [:]
  /// What else happens when the last handle to an object of a kind is closed, in the context of whoever closes it.
  var closeProcedures: [ObjectKind: (UInt64) async throws -> Void] = [:]
  /// Who set each timer last, by its address.
  var timerSites: [UInt64: Site] = [:]
  /// The lists of extra create parameters that creates carry, by IRP.
  var createParameters: [UInt64: UInt64] = [:]
  var power = PowerRequests()
  /// The reparse points that creates came back with, by file object.
  var reparsePoints: [UInt64: [UInt8]] = [:]
  /// The reads that wait for a key or a movement, with the file of each: IRP first.
  var inputReads: [(irp: UInt64, file: UInt64)] = []
  /// For names that a device does not choose itself.
  var generatedNames = 0

  /// An object that this manager made.
  struct ObjectRecord {
    let kind: ObjectKind
    /// The start of its memory, in front of header and name.
    let block: UInt64
    var path: String?
    var site: Site
  }

  /// Who is waiting for an IRP.
  struct Issue {
    /// In whose address space the buffers are.
    let requestor: Process
    let thread: Thread
    /// The file object that stays until a pended request is complete.
    var heldFile: UInt64?
    /// Whether it ends where it is completed: the issuer has a completion routine of its own, and needs no APC.
    var endsInline = false
    /// Whether it is complete but for the APC that is on its way to the thread.
    var isCompleting = false
  }

  /// Something that a driver wants to be called for until it takes it back.
  struct Registration: Hashable {
    /// As a report names it: `a shutdown notification`.
    let what: String
    /// The routine or object that identifies it.
    let key: UInt64
    let site: Site
  }
}

/// Who called the export that is being served: pool blocks remember it.
final class CallSite {
  var address: UInt64 = 0
}

extension Kernel {
  /// Notes that a driver is to be called for `what` until it is taken back.
  package func register(_ what: String, _ key: UInt64) { io.registrations.append(.init(what: what, key: key, site: site())) }

  /// Takes a registration back. Returns whether there was one.
  @discardableResult
  package func unregister(_ what: String, _ key: UInt64) -> Bool {
    guard let index = io.registrations.firstIndex(where: { $0.what == what && $0.key == key }) else { return false }
    io.registrations.remove(at: index)
    return true
  }

  /// Whether there is such a registration.
  package func isRegistered(_ what: String, _ key: UInt64) -> Bool { io.registrations.contains { $0.what == what && $0.key == key } }

  /// Says that guest code broke a rule of the I/O manager's.
  package func report(violation sentence: String, at place: Site? = nil) {
    stream.append(.violation(sentence, site: place ?? site()))
  }

  /// Has `body` called when the last handle to an object of `kind` is closed, in the context of whoever closes it.
  package func onLastClose(of kind: ObjectKind, _ body: @escaping (UInt64) async throws -> Void) { io.closeProcedures[kind] = body }

  /// Says that whoever issued `irp` ends it where it is completed, as those do who have a completion routine of their own.
  package func endInline(_ irp: Pointer<IRP>) { io.issued[irp.address]?.endsInline = true }

  /// Lets every ready thread run, and time pass, until all wait and nothing is due: then ``ending`` is ``Ending/idle``.
  public func runUntilIdle() throws -> Continuation { try runNextThread() }

  /// The run goes on after it came to rest.
  public func leaveIdle() { if ending == .idle { ending = nil } }
}
