import Events
import Guest
import NTKernel
import WindowsTypes

/// What the filter manager of one kernel knows beside guest memory.
package final class Manager {
  /// In the order in which they were registered.
  package internal(set) var filters: [Filter] = []
  /// Filters, volumes and instances, by the address of their object.
  var objects: [UInt64: FilterObject] = [:]
  var volumes: [FilterVolume] = []
  var volumeByDevice: [UInt64: FilterVolume] = [:]

  // Operations.

  /// Those under way, and those that filters have allocated, by the address of their callback data.
  var operations: [UInt64: Operation] = [:]
  /// Memory of callback data that is done with.
  var spareBlocks: [UInt64] = []
  /// What threads wait on for an operation to come back from below.
  var events: [UInt64: Pointer<KEVENT>] = [:]
  /// Requests that filters make themselves start below this instance, by IRP.
  var starts: [UInt64: Instance] = [:]
  /// Requests that filters make without waiting for them, by IRP.
  var lateRequests: [UInt64: LateRequest] = [:]
  /// The same of the create that a thread is about to send.
  var pendingCreates: [ThreadID: Instance] = [:]
  /// Files that a filter has opened below itself, by file object: so goes all that is done with them.
  var targets: [UInt64: Instance] = [:]
  private var interestedCache: [UInt64: [[Instance]?]] = [:]
  private var completion: UInt64 = 0

  // Contexts, by the address of the filter's part.

  var contexts: [UInt64: Context] = [:]
  var placed: [Context.Place: Context] = [:]
  /// Addresses of the latest that are gone.
  private(set) var freedContexts: Set<UInt64> = []

  // Names.

  struct Name {
    let units: [UInt16]
    /// How many of them name the volume.
    let volume: Int
    var references: Int
  }
  struct NameKey: Hashable {
    let file: UInt64
    let format: UInt32
  }
  var names: [UInt64: Name] = [:]
  var queriedNames: Set<NameKey> = []
  var irpNames: [UInt8: UInt64] = [:]

  // Work.

  var work: [UInt64: Kernel.DeferredWork] = [:]
  var lastWork: UInt64 = 0
  /// Who waits for a push lock, and who has one alone, by its address.
  var pushLockWaiters: [UInt64: [NTKernel.Thread]] = [:]
  var pushLockOwners: [UInt64: NTKernel.Thread] = [:]
  /// What kind of work item lies at an address.
  var workItems: [UInt64: String] = [:]

  /// Whether it has started: before that nobody can register.
  package internal(set) var isUp = true

  package func filter(at address: UInt64) -> Filter? { objects[address] as? Filter }

  /// The filter that `driver` has registered.
  package func filter(of driver: Driver) -> Filter? { filters.first { $0.driver === driver } }

  /// The instances on a volume that have callbacks for a major function, from the highest altitude down.
  func interested(in major: Int, on volume: FilterVolume) -> [Instance] {
    if let known = interestedCache[volume.address]?[major] { return known }
    let found = volume.instances.filter { $0.operations[major] != nil }
    interestedCache[volume.address, default: Array(repeating: nil, count: 256)][major] = found
    return found
  }

  /// Instances have come or gone.
  func noteInstances() { interestedCache = [:] }

  func takeStart(_ irp: UInt64) -> Instance? { starts.isEmpty ? nil : starts.removeValue(forKey: irp) }

  func completionTrap(_ kernel: Kernel) -> UInt64 {
    if completion == 0 { completion = kernel.trapAddress(of: "FltpPassThroughCompletion", in: "fltMgr") }
    return completion
  }

  func noteFreed(_ context: UInt64) {
    if freedContexts.count > 256 { freedContexts = [] }
    freedContexts.insert(context)
  }
}

extension Kernel {
  /// Says whether the filter manager has started. It has, unless somebody who starts drivers in their order says otherwise.
  public func setFilterManager(isUp: Bool) { filterManager.isUp = isUp }

  /// The filter manager's own part of this kernel.
  package var filterManager: Manager { part { Manager() } }
}

/// The head of each of the filter manager's objects, and what they all have.
///
/// Drivers have no business in it. The head is as the debugger's public extension shows `FLT_OBJECT`; what follows is ours.
struct FLT_OBJECT: GuestStructure {
  static let name = "_FLT_OBJECT"
  /// `FLT_OBFL_…`: the kind of object, and whether it is being taken away.
  let Flags: Field<UInt32>
  let PointerCount: Field<UInt32>
  /// Twice the number of references that `FltObjectReference` and its like gave out; the lowest bit says that no more are given.
  let RundownRef: Field<UInt32>
  let PrimaryLink: Field<LIST_ENTRY>
  let Name: Field<UNICODE_STRING>
  let Altitude: Field<UNICODE_STRING>
  let DriverObject: Field<Pointer<DRIVER_OBJECT>>
  /// Set when the last reference is given back after rundown began.
  let RundownEvent: Field<KEVENT>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x40,
      FLT_OBJECT(
        Flags: 0x00, PointerCount: 0x04, RundownRef: 0x08, PrimaryLink: 0x0c, Name: 0x14, Altitude: 0x1c, DriverObject: 0x24,
        RundownEvent: 0x28
      )
    ))

  /// `FLT_OBFL_DRAINING`
  static let draining: UInt32 = 1
}

/// One of the filter manager's objects.
package class FilterObject {
  package let object: Pointer<Void>
  package let name: String
  /// The calls that took references with `FltObjectReference`, oldest first: the last one given back is the last one taken.
  var references: [Site] = []

  var head: Pointer<FLT_OBJECT> { object.cast() }
  package var address: UInt64 { object.address }

  init(_ object: Pointer<Void>, name: String) {
    self.object = object
    self.name = name
  }

  /// As messages name it.
  var description: String { name }
}

/// The kinds of object, as `FLT_OBFL_TYPE_…` tells them apart.
enum FilterObjectKind: UInt32 {
  case instance = 0x100_0000
  case filter = 0x200_0000
  case volume = 0x400_0000
}

extension Kernel {
  /// Memory for one of the filter manager's objects, its head filled in.
  func makeFilterObject(_ kind: FilterObjectKind, name: String, altitude: String) throws -> Pointer<Void> {
    let size = UInt64(FLT_OBJECT.layouts.size(in: memory.target))
    let head = Pointer<FLT_OBJECT>(try allocate(size), in: memory.memory)
    try head.Flags.store(kind.rawValue)
    try head.PointerCount.store(1)
    try head.PrimaryLink.initialize()
    try store(name, in: head.Name)
    try store(altitude, in: head.Altitude)
    try initializeEvent(head.RundownEvent, .eventNotification, isSet: false)
    return head.cast()
  }

  /// The object is no longer known, and its memory goes.
  func free(_ object: FilterObject) throws {
    filterManager.objects[object.address] = nil
    for string in [object.head.Name, object.head.Altitude] { free(try string.Buffer.load().address) }
    free(object.address)
  }

  // MARK: References

  /// `FltObjectReference`: keeps the object until `dereference`, unless it is going already.
  func reference(_ object: FilterObject, by site: Site?) throws -> NTSTATUS {
    let count = try object.head.RundownRef.load()
    guard count & 1 == 0 else { return .fltDeletingObject }
    try object.head.RundownRef.store(count &+ 2)
    if let site { object.references.append(site) }
    return .success
  }

  /// Takes a reference for whoever is handed the object by a routine that lists objects.
  func handOut(_ object: FilterObject) throws { _ = try reference(object, by: site()) }

  func dereference(_ object: FilterObject, by site: Site?) throws {
    let count = try object.head.RundownRef.load()
    guard count >= 2 else { return report(violation: "\(object.description) is dereferenced more often than it was referenced") }
    try object.head.RundownRef.store(count - 2)
    if site != nil { _ = object.references.popLast() }
    if count - 2 == 1 { try set(object.head.RundownEvent) }
  }

  /// No more references are given out.
  func beginRundown(_ object: FilterObject) throws {
    try object.head.RundownRef.store(object.head.RundownRef.load() | 1)
    try object.head.Flags.store(object.head.Flags.load() | FLT_OBJECT.draining)
  }

  func isGoing(_ object: FilterObject) throws -> Bool { try object.head.RundownRef.load() & 1 != 0 }

  /// Waits until every reference is given back.
  func awaitRundown(_ object: FilterObject, in routine: String) async throws {
    while case let left = try object.head.RundownRef.load() >> 1, left > 0 {
      let taken = object.references.map { "one taken at \(hex($0.ip))" }.joined(separator: ", ")
      try object.head.RundownEvent.Header.SignalState.store(0)
      try await wait(
        for: object.head.RundownEvent,
        "\(routine): \(left) \(left == 1 ? "reference" : "references") to \(object.description) left"
          + (taken.isEmpty ? "" : " (\(taken))"))
    }
  }
}
