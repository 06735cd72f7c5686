import Events
import Guest
import NTKernel
import WindowsTypes

/// Making ports, connecting to them, and ending both.
extension Kernel {
  /// `FltCreateCommunicationPort` (nf-fltkernel-fltcreatecommunicationport).
  func createPort(
    _ filter: Filter, _ result: Pointer<GuestWord>, _ attributes: Pointer<OBJECT_ATTRIBUTES>, cookie: UInt64,
    _ callbacks: (connect: UInt64, disconnect: UInt64, message: UInt64), maximumConnections: Int32
  ) async throws -> NTSTATUS {
    let flags = ObjectAttributeFlags(rawValue: try attributes.Attributes.load())
    func refuse(_ status: NTSTATUS, _ reason: String) -> NTSTATUS {
      stream.append(.note("FltCreateCommunicationPort of \(filter.name) fails: \(reason)"))
      return status
    }
    if !flags.contains(.kernelHandle) { return refuse(.invalidParameter, "ObjectAttributes lack OBJ_KERNEL_HANDLE") }
    if callbacks.connect == 0 { return refuse(.invalidParameter, "ConnectNotifyCallback is NULL") }
    if callbacks.disconnect == 0 { return refuse(.invalidParameter, "DisconnectNotifyCallback is NULL") }
    if maximumConnections <= 0 { return refuse(.invalidParameter, "MaxConnections is \(maximumConnections); it must be more than 0") }
    if try isGoing(filter) { return refuse(.fltDeletingObject, "the filter is being unregistered") }
    let path: String
    switch try self.path(attributes) {
    case .failure(let refusal): return refuse(refusal.status, "the object's name cannot be used")
    case .success(let name) where name.isEmpty: return refuse(.invalidParameter, "the port has no name")
    case .success(let name):
      switch try place(forNew: name) {
      case .failure(let refusal):
        let isTaken = refusal.status == .objectNameCollision
        return refuse(
          refusal.status, "\(name) \(isTaken ? "is taken" : "is no name for a port: it begins with a backslash, in a directory that exists")")
      case .success(let place): path = place
      }
    }
    let descriptor = try attributes.SecurityDescriptor.load().address
    if descriptor == 0 {
      note(uncertain: "\(path) has no security descriptor: as the object manager's default for SYSTEM has it, others cannot connect")
    }
    let security: UInt64
    switch try captureSecurity(descriptor) {
    case .failure(let failure): return failure.code
    case .success(let copy): security = copy
    }
    let port = ServerPort(
      filter, name: path, cookie: cookie, connect: callbacks.connect, disconnect: callbacks.disconnect, message: callbacks.message,
      maximumConnections: Int(maximumConnections), security: security)
    let object = try makeObject(.serverPort, size: 0x30, path: path)
    port.handle = try makeHandle(to: object, access: FilterPortAccess.all.rawValue, attributes: .kernelHandle, mode: .kernelMode)
    // The handle alone keeps the object: it goes, and its name with it, when that is closed.
    let ports = ports
    ports.servers[object] = port
    register(Self.portRegistration(path), port.handle)
    filter.onUnregister { [unowned self] in try await self.endPort(port) }
    try result.store(GuestWord(port.handle))
    try note(.created(maximumConnections: port.maximumConnections), port)
    return .success
  }

  private static func portRegistration(_ path: String) -> String { "the communication port \(path)" }

  /// `FltCloseCommunicationPort`: takes no more connections; those there are live on.
  func closePort(_ handle: UInt64) async throws {
    guard let entry = try entry(of: handle), kind(of: entry.object) == .serverPort else {
      return report(violation: "FltCloseCommunicationPort is called with \(hex(handle)), which is no server port (or no longer one)")
    }
    _ = try await close(handle)
  }

  /// The last handle to a server port is closed.
  func close(_ port: ServerPort, at object: UInt64) throws {
    ports.servers[object] = nil
    port.isOpen = false
    unregister(Self.portRegistration(port.name), port.handle)
    if port.security != 0 { try freePool(port.security) }
    try note(.closed, port)
  }

  /// The filter goes: its connections end, and its driver is told, as nf-fltkernel-fltcreatecommunicationport says of unloading. A port
  /// that is still open holds the filter up for ever.
  private func endPort(_ port: ServerPort) async throws {
    for connection in port.connections {
      try end(connection, byDriver: true)
      try await tellDriver(of: connection)
    }
    guard port.isOpen else { return }
    report(violation: "\(port.filter.name) is unregistered while its port \(port.name) is open: FltCloseCommunicationPort comes first")
    let what = "FltUnregisterFilter: the server port \(port.name) to be closed, which FltCloseCommunicationPort does"
    while port.isOpen { _ = try await block(WaitPurpose(what)) }
  }

  // MARK: Connections

  /// A process's request to be connected, in its own context: the status that its call comes to.
  func connect(to path: String, context: [UInt8]) async throws -> Result<UInt64, Failure> {
    let ports = ports
    guard case .found(let entry, "") = try resolve(path) else { return .failure(Failure(.objectNameNotFound)) }
    guard entry.kind == .serverPort, let port = ports.servers[entry.object] else { return .failure(Failure(.objectTypeMismatch)) }
    try note(.connecting, port, context)
    if !port.filter.isStarted {
      note(uncertain: "\(port.filter.name) has not started filtering: no page says whether its ports need that; here they do not")
    }
    func refuse(_ status: NTSTATUS, byDriver: Bool = false) throws -> Result<UInt64, Failure> {
      try note(.refused(status.rawValue, byDriver: byDriver), port)
      return .failure(Failure(status))
    }
    if let thread = running, case let status = try mayConnect(to: port, thread), !status.isSuccess { return try refuse(status) }
    guard port.connections.count < port.maximumConnections else {
      note(uncertain: "a connection beyond the port's maximum is refused with STATUS_CONNECTION_COUNT_LIMIT")
      return try refuse(.connectionCountLimit)
    }
    let connection = Connection(port, number: ports.nextConnection(), process: try requestor())
    // It counts from now on: the routine may wait, and others come meanwhile.
    port.connections.append(connection)
    connection.driverEnd = try makeObject(.clientPort, size: 0x40)
    let driverHandle = try makeHandle(
      to: connection.driverEnd, access: FilterPortAccess.all.rawValue, attributes: .kernelHandle, mode: .kernelMode)
    ports.connections[connection.driverEnd] = connection
    register(Self.clientRegistration(connection), connection.driverEnd)
    let block = context.isEmpty ? 0 : try allocatePool(UInt64(context.count), tag: 0x4c74_6c46) ?? 0
    if !context.isEmpty {
      guard block != 0 else {
        _ = try await close(driverHandle)
        return try refuse(.insufficientResources)
      }
      try memory.memory.write(context, at: block)
    }
    let status: NTSTATUS
    do {
      defer { if block != 0 { free(block) } }
      let place = below(registers[.sp], 16)
      try memory.memory.store(UInt32(0), at: place)
      let value = try await call(
        port.connect, [driverHandle, port.cookie, block, UInt64(context.count), place], below: place)
      connection.cookie = UInt64(try memory.memory.load(UInt32.self, at: place))
      status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value))
    }
    guard status.isSuccess else {
      connection.isDriverTold = true
      _ = try await close(driverHandle)
      return try refuse(status, byDriver: true)
    }
    connection.processEnd = try makeObject(.portFile, size: 0x10)
    let handle = try makeHandle(to: connection.processEnd, access: 0x12_019f, attributes: [], mode: .userMode)
    ports.connections[connection.processEnd] = connection
    try note(.connected, connection)
    return .success(handle)
  }

  private static func clientRegistration(_ connection: Connection) -> String {
    "the client port of connection \(connection.number) to \(connection.server.name)"
  }

  /// `FltCloseClientPort`: the variable is cleared first, so that a send that comes later finds no port.
  func closeClient(_ variable: Pointer<GuestWord>) async throws {
    let handle = try variable.load().bits
    try variable.store(0)
    guard handle != 0 else { return }
    guard let entry = try entry(of: handle), kind(of: entry.object) == .clientPort else {
      return report(violation: "FltCloseClientPort is called with \(hex(handle)), which is no client port (or no longer one)")
    }
    _ = try await close(handle)
  }

  /// A connection is over, whoever ended it: everybody who waits on it goes on.
  func end(_ connection: Connection, byDriver: Bool) throws {
    if byDriver { unregister(Self.clientRegistration(connection), connection.driverEnd) }
    guard !connection.isOver else { return }
    connection.isOver = true
    connection.server.connections.removeAll { $0 === connection }
    if connection.processEnd != 0 { try note(.disconnected(byDriver: byDriver), connection) }
    let messages = connection.queue + connection.awaiting.values.sorted { $0.id < $1.id }
    connection.queue = []
    connection.awaiting = [:]
    for message in messages { try wake(message.sender, .portDisconnected) }
    for receiver in connection.receivers { try wake(receiver, .portDisconnected) }
    connection.receivers = []
    for pending in connection.pending { try complete(pending, of: connection, .portDisconnected, []) }
    connection.pending = []
  }

  /// `DisconnectNotifyCallback`, once: in the context of whoever closes the process's last handle, or unloads the filter.
  func tellDriver(of connection: Connection) async throws {
    guard !connection.isDriverTold else { return }
    connection.isDriverTold = true
    _ = try await call(connection.server.disconnect, [connection.cookie])
  }

  /// The connection that one of its ends' handles stands for.
  func connection(ofHandle handle: UInt64, _ kind: ObjectKind) throws -> Connection? {
    guard let entry = try entry(of: handle), self.kind(of: entry.object) == kind else { return nil }
    return ports.connections[entry.object]
  }
}
