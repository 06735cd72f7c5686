import Events
import Guest
import NTKernel
import WindowsTypes

/// Messages from a driver to a process, and the replies.
extension Kernel {
  /// `FltSendMessage` (nf-fltkernel-fltsendmessage).
  ///
  /// One time limit covers delivery and reply. STATUS_TIMEOUT is a success by `NT_SUCCESS`.
  func send(
    to variable: Pointer<GuestWord>, _ buffer: UInt64, _ length: UInt32, reply: UInt64, _ replyLength: Pointer<UInt32>,
    timeout: Pointer<Int64>
  ) async throws -> NTSTATUS {
    guard let sender = running else { return .portDisconnected }
    let handle = try variable.load().bits
    guard handle != 0 else { return .portDisconnected }
    guard let connection = try connection(ofHandle: handle, .clientPort) else {
      report(violation: "FltSendMessage is called with \(hex(handle)), which is no client port (or no longer one)")
      return .portDisconnected
    }
    guard !connection.isOver else { return .portDisconnected }
    guard length <= Self.largestMessage else { return .insufficientResources }
    let capacity = reply == 0 ? nil : Int(try replyLength.load())
    let limit = timeout.isNull ? 0 : try timeout.load()
    let message = Message(
      ports.nextMessage(), try memory.memory.bytes(Int(length), at: buffer), capacity: capacity, sender: sender)
    let start = interruptTime
    try note(.sent(capacity: capacity), connection, message: message.id, message.payload)
    let status = try await deliver(message, over: connection, limit: limit == 0 ? nil : limit)
    let result = try take(message.reply, of: message, status, to: reply, replyLength)
    try note(.returned(status: result.rawValue, waited: interruptTime - start), connection, message: message.id)
    return result
  }

  /// What a receiver's header may count: beyond that the filter manager is said to have no memory.
  static let largestMessage: UInt32 = 16 << 20

  /// Queues the message and waits: for its delivery, or for its reply if one is expected.
  private func deliver(_ message: Message, over connection: Connection, limit: Int64?) async throws -> NTSTATUS {
    if let pending = connection.pending.first {
      connection.pending.removeFirst()
      if try complete(pending, of: connection, .success, header(of: message) + message.payload) {
        try note(.delivered(address: pending.address), connection, message: message.id, message.payload)
        if message.capacity == nil { return .success }
        connection.awaiting[message.id] = message
      } else {
        connection.queue.append(message)
      }
    } else {
      connection.queue.append(message)
      if !connection.receivers.isEmpty { try wake(connection.receivers.removeFirst(), .success) }
    }
    // Whatever ends the wait, an unwind included, nobody replies to the message any more.
    defer {
      connection.queue.removeAll { $0 === message }
      connection.awaiting[message.id] = nil
    }
    let what = message.capacity == nil ? "somebody to take message" : "a reply to message"
    // Nobody waits in a thread that is to end.
    if try isTerminating(message.sender) { return .threadIsTerminating }
    let purpose = WaitPurpose("\(what) \(message.id) on \(connection.server.name)", endsWithThread: true) {
      if let taker = message.taker { return [taker] }
      return connection.servants
    }
    let status = try await block(purpose, timeout: limit)
    // A reply that came after that is nobody's.
    if status == .threadIsTerminating { message.reply = nil }
    return status
  }

  /// The reply reaches the sender's buffer, in the sender's context.
  ///
  /// A reply that is longer than the buffer is STATUS_BUFFER_OVERFLOW. Documentation and sample disagree about whether the length
  /// counts the header (FltSendMessage's page: yes; the scanner sample: no); the data alone must fit, which both fulfil.
  private func take(
    _ reply: (status: NTSTATUS, data: [UInt8])?, of message: Message, _ status: NTSTATUS, to buffer: UInt64, _ length: Pointer<UInt32>
  ) throws -> NTSTATUS {
    guard let reply, let capacity = message.capacity else { return status }
    try memory.memory.write(reply.data.prefix(capacity), at: buffer)
    guard reply.data.count <= capacity else {
      note(uncertain: "a reply of \(reply.data.count) bytes for a buffer of \(capacity): the buffer is filled, and ReplyLength stays")
      return .bufferOverflow
    }
    try length.store(UInt32(reply.data.count))
    return reply.status
  }

  private func header(of message: Message) -> [UInt8] {
    let reply = message.capacity.map { UInt32(clamping: $0 + Self.replyHeader) } ?? 0
    return bytes(UInt64(reply)) + bytes(message.id)
  }

  private func bytes(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }

  /// `sizeof(FILTER_MESSAGE_HEADER)` and `sizeof(FILTER_REPLY_HEADER)`.
  static let messageHeader = 16
  static let replyHeader = 16

  // MARK: The process's side

  /// `FilterGetMessage`, in the receiver's context: the message is written to the receiver's own pages.
  func getMessage(_ handle: UInt64, _ buffer: UInt64, _ size: UInt32, overlapped: UInt64) async throws -> NTSTATUS {
    guard let connection = try connection(ofHandle: handle, .portFile), let thread = running else { return .invalidHandle }
    do { try checkUserRange(buffer, UInt64(size), 4) } catch let exception as GuestException { return exception.code }
    if !connection.servants.contains(where: { $0 === thread }) { connection.servants.append(thread) }
    while !connection.isOver {
      if let message = connection.queue.first {
        guard Int(size) >= Self.messageHeader + message.payload.count else {
          note(uncertain: "a message of \(message.payload.count) bytes for a buffer of \(size): it stays queued")
          return .bufferTooSmall
        }
        do {
          try memory.memory.write(header(of: message) + message.payload, at: buffer)
        } catch let exception as GuestException { return exception.code }
        connection.queue.removeFirst()
        try note(.delivered(address: buffer), connection, message: message.id, message.payload)
        message.taker = thread
        ports.deliveries[thread.id] = message.payload.count
        if message.capacity == nil {
          try wake(message.sender, .success)
        } else {
          connection.awaiting[message.id] = message
        }
        return .success
      }
      if overlapped != 0 {
        do {
          try checkUserRange(overlapped, 0x14, 4)
          try store(Self.statusPending, at: overlapped)
          let event = UInt64(try memory.memory.load(UInt32.self, at: overlapped + 0x10))
          connection.pending.append(
            PendingReceive(
              address: buffer, size: UInt64(size), overlapped: overlapped, event: event == 0 ? nil : try entry(of: event)?.object))
        } catch let exception as GuestException { return exception.code }
        return .pending
      }
      connection.receivers.append(thread)
      defer { connection.receivers.removeAll { $0 === thread } }
      _ = try await block(WaitPurpose("a message on \(connection.server.name)"))
    }
    return .portDisconnected
  }

  private static let statusPending: UInt32 = 0x103
  private func store(_ value: UInt32, at address: UInt64) throws { try memory.memory.store(value, at: address) }

  /// Ends a call with an `OVERLAPPED` in the pages of the connection's process, whatever process is current: data, then
  /// `Internal` (the status) and `InternalHigh` (the count), then the event. Returns whether the data found room.
  @discardableResult
  func complete(_ pending: PendingReceive, of connection: Connection, _ status: NTSTATUS, _ data: [UInt8]) throws -> Bool {
    var status = status
    if data.count > pending.size { status = .bufferTooSmall }
    guard !connection.process.hasExited else { return false }
    let before = memory.current
    memory.activate(connection.process.space)
    defer { memory.activate(before) }
    do {
      if status.isSuccess { try memory.memory.write(data, at: pending.address) }
    } catch let exception as GuestException { status = exception.code }
    do {
      try store(status.rawValue, at: pending.overlapped)
      try store(UInt32(status.isSuccess ? data.count : 0), at: pending.overlapped + 4)
    } catch is GuestException {}
    if let event = pending.event, kind(of: event) == .event { try set(Pointer<KEVENT>(event, in: memory.memory)) }
    return status.isSuccess
  }

  /// `FilterReplyMessage`, in the replier's context.
  func reply(_ handle: UInt64, _ buffer: UInt64, _ size: UInt32) throws -> NTSTATUS {
    guard let connection = try connection(ofHandle: handle, .portFile) else { return .invalidHandle }
    guard size >= Self.replyHeader else { return .invalidParameter }
    guard !connection.isOver else { return .portDisconnected }
    guard size <= Self.largestMessage else { return .insufficientResources }
    let status: NTSTATUS
    let id: UInt64
    let data: [UInt8]
    do {
      try checkUserRange(buffer, UInt64(size), 4)
      status = NTSTATUS(rawValue: try memory.memory.load(UInt32.self, at: buffer))
      id = try memory.memory.load(UInt64.self, at: buffer + 8)
      data = try memory.memory.bytes(Int(size) - Self.replyHeader, at: buffer + UInt64(Self.replyHeader))
    } catch let exception as GuestException { return exception.code }
    guard let message = connection.awaiting.removeValue(forKey: id) else {
      try note(.lateReply, connection, message: id, data)
      return .fltNoWaiterForReply
    }
    try note(.replied(status: status.rawValue), connection, message: id, data)
    message.reply = (status, data)
    try wake(message.sender, .success)
    return .success
  }

  /// `FilterSendMessage`: the driver's routine runs here and now, in the sender's context, on the sender's own buffers, which are
  /// probed and nothing else (nf-fltkernel-fltcreatecommunicationport, MessageNotifyCallback).
  func request(
    _ handle: UInt64, _ input: UInt64, _ inputSize: UInt32, _ output: UInt64, _ outputSize: UInt32, _ returned: Pointer<UInt32>
  ) async throws -> NTSTATUS {
    guard let connection = try connection(ofHandle: handle, .portFile) else { return .invalidHandle }
    guard input != 0 else { return .invalidParameter }
    guard !connection.isOver else { return .portDisconnected }
    let server = connection.server
    guard server.message != 0 else {
      note(uncertain: "\(server.name) has no MessageNotifyCallback: FilterSendMessage fails with STATUS_INVALID_DEVICE_REQUEST")
      return .invalidDeviceRequest
    }
    let outputSize = output == 0 ? 0 : outputSize
    var head: [UInt8] = []
    do {
      try probe(returned.address, 4)
      try checkUserRange(input, UInt64(inputSize), 1)
      if inputSize > 0 { head = try memory.memory.bytes(min(PortEvent.shownBytes, Int(inputSize)), at: input) }
      if outputSize > 0 {
        try checkUserRange(output, UInt64(outputSize), 1)
        try probe(output, UInt64(outputSize))
      }
    } catch let exception as GuestException { return exception.code }
    try record(BufferRequest(requestor: try requestor().id, address: input, length: UInt64(inputSize)))
    if outputSize > 0 { try record(BufferRequest(requestor: try requestor().id, address: output, length: UInt64(outputSize))) }
    try note(.requested(address: input), connection, head)
    let place = below(registers[.sp], 16)
    try memory.memory.store(UInt32(0), at: place)
    let value = try await call(
      server.message, [connection.cookie, input, UInt64(inputSize), output, UInt64(outputSize), place], below: place)
    let status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value))
    let count = try memory.memory.load(UInt32.self, at: place)
    do { try returned.store(count) } catch let exception as GuestException { return exception.code }
    if count > outputSize {
      report(
        violation: "MessageNotifyCallback of \(server.name) says that it wrote \(count) bytes to a buffer of \(outputSize)",
        at: Site(ip: server.message))
    }
    var answer: [UInt8] = []
    if status.isSuccess, count > 0, count <= outputSize {
      answer = (try? memory.memory.bytes(min(PortEvent.shownBytes, Int(count)), at: output)) ?? []
    }
    try note(.answered(status: status.rawValue), connection, answer)
    return status
  }
}
