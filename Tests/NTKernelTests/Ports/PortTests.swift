import Events
import FilterManager
import Guest
import NTKernel
import Testing
import WindowsTypes

@Suite("Communication ports") struct PortTests {
  // MARK: Making and closing

  @Test("FltCreateCommunicationPort takes what its page requires, and nothing less") func creation() throws {
    let p = try PortGuest()
    let result = try p.g.space()
    #expect(try p.create(result, p.attributes(#"\Other"#, flags: 0x40)) == .invalidParameter)
    #expect(try p.create(result, p.attributes(nil)) == .invalidParameter)
    #expect(try p.create(result, p.attributes(#"\Other"#), connections: 0) == .invalidParameter)
    #expect(try p.create(result, p.attributes(#"\Other"#), connections: 0xffff_ffff) == .invalidParameter)
    #expect(try p.create(result, p.attributes(#"\Other"#), connect: 0) == .invalidParameter)
    #expect(try p.create(result, p.attributes(#"\Other"#), disconnect: 0) == .invalidParameter)
    #expect(try p.create(result, p.attributes(#"\port"#)) == .objectNameCollision)
    #expect(try p.create(result, p.attributes(#"\Nowhere\Port"#)) == .objectPathNotFound)
    #expect(try p.create(result, p.attributes(#"\Other"#), message: 0) == .success)
    #expect(p.uncertain == [])
    // The name is free again once the port is closed.
    try p.g.call("FltCloseCommunicationPort", UInt64(try p.k.load(result)))
    #expect(try p.create(result, p.attributes(#"\Other"#)) == .success)
    try p.g.call("FltCloseCommunicationPort", 0x1234)
    #expect(p.g.violations == ["FltCloseCommunicationPort is called with 00001234, which is no server port (or no longer one)"])
  }

  @Test("a filter that is none makes no port; nor does one that goes") func noFilter() throws {
    let p = try PortGuest()
    let attributes = try p.attributes(#"\Other"#)
    #expect(
      try p.g.status("FltCreateCommunicationPort", p.k.scratch, p.client, attributes, 0, 1, 1, 1, 1) == .invalidParameter)
    try p.g.call("FltCloseCommunicationPort", p.server)
    try p.g.call("FltUnregisterFilter", p.filter)
    #expect(try p.g.status("FltSendMessage", p.k.scratch, p.client, p.client, 4, 0, 0, 0) == .invalidParameter)
  }

  @Test("FltBuildDefaultSecurityDescriptor lets SYSTEM and Administrators in") func security() throws {
    let p = try PortGuest()
    let place = try p.g.space()
    #expect(try p.g.status("FltBuildDefaultSecurityDescriptor", place, 0x1f_0001) == .success)
    let descriptor = UInt64(try p.k.load(place))
    #expect(try p.k.half(descriptor + 2) == 4)
    let list = UInt64(try p.k.load(descriptor + 0x10))
    #expect(try p.k.half(list + 4) == 2)
    #expect(try p.k.load(list + 12) == 0x1f_0001)
    #expect(
      try p.k.memory.memory.bytes(16, at: list + 16) == [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0])
    try p.g.call("FltFreeSecurityDescriptor", descriptor)
    #expect(try p.g.bugCheck("FltFreeSecurityDescriptor", descriptor)[0] == 0xc2)
  }

  @Test("a port's descriptor decides who connects", arguments: ProcessUser.allCases) func access(user: ProcessUser) throws {
    let p = try PortGuest(connections: 3)
    p.k.kernel.setUser(user, of: p.k.service)
    // One with a list that lets nobody in, and one without a list, which lets everybody in.
    let (attributes, list) = (try p.attributes(#"\Closed"#), try p.g.space())
    let descriptor = UInt64(try p.k.load(attributes + 0x10))
    try p.k.store([0x0008_0002, 0], at: list)
    try p.k.store(UInt32(list), at: descriptor + 0x10)
    #expect(try p.create(p.g.space(), attributes) == .success)
    try p.k.store(0, at: descriptor + 0x10)
    try p.k.store(UInt32(try p.g.string(#"\Open"#)), at: attributes + 8)
    #expect(try p.create(p.g.space(), attributes) == .success)
    try p.serve("one") { library in
      for port in [#"\Port"#, #"\Open"#, #"\Closed"#] {
        do { _ = try await library.connect(to: port) } catch { p.log.append("\(port) \(error)") }
      }
    }
    try p.rest()
    let isTrusted = user == .system || user == .administrator
    #expect(
      p.log.filter { !$0.hasPrefix("connect") }
        == (isTrusted ? [] : [#"\Port 80070005 ERROR_ACCESS_DENIED"#]) + [#"\Closed 80070005 ERROR_ACCESS_DENIED"#])
    #expect(p.log.filter { $0.hasPrefix("connect") }.count == (isTrusted ? 2 : 1))
  }

  @Test("FltUnregisterFilter ends connections, tells the driver, and waits for a port that nobody closed") func unregister() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#, context: [1])
      _ = try await library.message(from: port, capacity: 16)
    }
    try p.rest()
    #expect(throws: IOGuest.Stopped.self) { try p.g.call("FltUnregisterFilter", p.filter) }
    #expect(p.log == ["connect [1] in service.exe", "disconnect 119 in notepad.exe", "one: 80070006 ERROR_INVALID_HANDLE"])
    #expect(p.k.kernel.ending == .idle)
    #expect(
      p.k.kernel.waitingThreads().map(\.what) == [
        #"FltUnregisterFilter: the server port \Port to be closed, which FltCloseCommunicationPort does"#
      ])
  }

  // MARK: Connecting

  @Test("a connection is made in the process that asks, with its context copied") func connecting() throws {
    let p = try PortGuest(connections: 2)
    try p.serve("one") { library in
      _ = try await library.connect(to: #"\Port"#, context: [1, 2, 3])
      _ = try await library.connect(to: #"\port"#)
      _ = try await library.connect(to: #"\Port"#)
    }
    try p.rest()
    #expect(p.log == ["connect [1, 2, 3] in service.exe", "connect [] in service.exe", "one: 800704d6 ERROR_CONNECTION_COUNT_LIMIT"])
  }

  @Test("a connection that cannot be is an HRESULT", arguments: [#"\Nothing"#, #"\Device"#, "Port"]) func refused(name: String) throws {
    let p = try PortGuest()
    try p.serve("one") { library in _ = try await library.connect(to: name) }
    try p.rest()
    #expect(p.log == [name == #"\Device"# ? "one: 80070006 ERROR_INVALID_HANDLE" : "one: 80070002 ERROR_FILE_NOT_FOUND"])
  }

  @Test("what the connect routine says is what the process is told, and its place is free again") func rejected() throws {
    let p = try PortGuest()
    p.answer = .accessDenied
    try p.serve("one") { library in
      do { _ = try await library.connect(to: #"\Port"#) } catch let result as HRESULT { p.log.append("\(result)") }
      p.answer = .success
      _ = try await library.connect(to: #"\Port"#)
    }
    try p.rest()
    #expect(p.log == ["connect [] in service.exe", "80070005 ERROR_ACCESS_DENIED", "connect [] in service.exe"])
  }

  @Test("FilterConnectCommunicationPort wants a context and its size together") func contextRule() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let call = { (arguments: [UInt64]) in
        HRESULT(rawValue: UInt32(truncatingIfNeeded: try await p.k.kernel.call(try p.k.trap("FilterConnectCommunicationPort"), arguments)))
      }
      try p.k.memory.memory.write(Array("\\".utf8) + [0, 0, 0], at: TestKernel.buffer)
      let place = TestKernel.buffer + 0x100
      #expect(try await call([TestKernel.buffer, 0, TestKernel.buffer, 0, 0, place]) == .invalidArgument)
      #expect(try p.k.load(place) == 0xffff_ffff)
      #expect(try await call([TestKernel.buffer, 0, 0, 4, 0, place]) == .invalidArgument)
      #expect(try await call([0, 0, 0, 0, 0, place]) == .invalidArgument)
      #expect(try await call([TestKernel.buffer, 2, 0, 0, 0, place]) == .invalidArgument)
      #expect(try await call([0x7777_0000, 0, 0, 0, 0, place]) == HRESULT(.accessViolation))
      #expect(try await call([TestKernel.buffer, 0, 0, 0, 0, 0]) == HRESULT(.accessViolation))
      p.log.append("done")
    }
    try p.rest()
    #expect(p.log == ["done"])
  }

  @Test("the driver is told once, in the closing process, and its end is gone for senders") func disconnect() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      try await library.close(port)
      _ = try await library.message(from: port, capacity: 16)
    }
    try p.rest()
    #expect(p.log == ["connect [] in service.exe", "disconnect 119 in service.exe", "one: 80070006 ERROR_INVALID_HANDLE"])
    #expect(try p.send([1]).status == .portDisconnected)
    try p.g.call("FltCloseClientPort", p.filter, p.client)
    #expect(try p.k.load(p.client) == 0)
    #expect(try p.send([1]).status == .portDisconnected)
    try p.g.call("FltCloseClientPort", p.filter, p.client)
    #expect(p.g.violations == [])
  }

  @Test("closing the server port ends no connection, and lets nobody else in") func closedServer() throws {
    let p = try PortGuest(connections: 2)
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      let message = try await library.message(from: port, capacity: 16)
      try await library.reply(to: message, on: port, [9])
    }
    try p.rest()
    try p.g.call("FltCloseCommunicationPort", p.server)
    try p.serve("two") { library in _ = try await library.connect(to: #"\Port"#) }
    #expect(try p.send([1], room: 1) == (.success, [9]))
    #expect(p.log == ["connect [] in service.exe", "two: 80070002 ERROR_FILE_NOT_FOUND"])
  }

  // MARK: Messages

  @Test("a message crosses with its header, and the reply comes back") func roundTrip() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      while true {
        let message = try await library.message(from: port, capacity: 16)
        p.log.append("\(message.id) \(message.replyLength) \(message.payload)")
        if message.expectsReply { try await library.reply(to: message, on: port, message.payload.reversed()) }
      }
    }
    try p.rest()
    #expect(try p.send([1, 2, 3], room: 8) == (.success, [3, 2, 1]))
    #expect(try p.send([4], room: nil) == (.success, []))
    #expect(try p.send([5], room: 1) == (.success, [5]))
    #expect(p.log.dropFirst() == ["1 24 [1, 2, 3]", "2 0 [4]", "3 17 [5]"])
    #expect(p.uncertain == [])
  }

  @Test("the status in the reply's header is what FltSendMessage returns") func replyStatus() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      let message = try await library.message(from: port, capacity: 16)
      try await library.reply(to: message, on: port, status: .accessDenied, [])
    }
    try p.rest()
    #expect(try p.send([1], room: 4).status == .accessDenied)
  }

  @Test("a limit covers delivery and reply, whether relative or absolute", arguments: [false, true])
  func timeouts(isAbsolute: Bool) throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      try await library.sleep(for: 600)
      let message = try await library.message(from: port, capacity: 16)
      try await library.sleep(for: 600)
      do { try await library.reply(to: message, on: port, [1]) } catch let result as HRESULT { p.log.append("\(result)") }
    }
    try p.rest()
    let start = p.k.kernel.interruptTime
    let limit = isAbsolute ? Int64(p.k.kernel.systemTime) + 1000 : -1000
    let result = try p.send([1], room: 1, timeout: limit)
    #expect(result.status == .timeout)
    #expect(result.status.isSuccess)
    #expect(p.k.kernel.interruptTime - start == 1000)
    try p.rest(1000)
    #expect(p.log.last == "801f0020 ERROR_FLT_NO_WAITER_FOR_REPLY")
    // Zero is no limit; a time that is past is.
    #expect(try p.send([1], timeout: 1).status == .timeout)
  }

  @Test("a message that nobody takes in time is not delivered later") func undelivered() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      try await library.sleep(for: 5000)
      p.log.append("\(try await library.message(from: port, capacity: 16).payload)")
    }
    try p.rest()
    #expect(try p.send([1], timeout: -100).status == .timeout)
    #expect(try p.send([2]).status == .success)
    #expect(p.log.last == "[2]")
  }

  @Test("a reply longer than the buffer is STATUS_BUFFER_OVERFLOW: sizeof of a padded structure does that") func overflow() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      let message = try await library.message(from: port, capacity: 16)
      // {header; UCHAR} unpacked is 18h bytes, of which 8 are not the header's.
      try await library.reply(to: message, on: port, [1, 0, 0, 0, 0, 0, 0, 0])
    }
    try p.rest()
    #expect(try p.send([1], room: 1).status == .bufferOverflow)
    #expect(p.uncertain.count == 1)
  }

  @Test("a buffer too small for a message leaves it queued; a bad one is an HRESULT, too") func smallBuffer() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      for capacity in [3, 4] {
        do {
          p.log.append("\(try await library.message(from: port, capacity: capacity).payload)")
        } catch let result as HRESULT { p.log.append("\(result)") }
      }
      let get = { (arguments: [UInt64]) in
        HRESULT(rawValue: UInt32(truncatingIfNeeded: try await p.k.kernel.call(try p.k.trap("FilterGetMessage"), arguments)))
      }
      let handle = UInt64(port.handle)
      #expect(try await get([handle, 0, 16, 0]) == .invalidArgument)
      #expect(try await get([handle, TestKernel.buffer, 15, 0]) == .invalidArgument)
      #expect(try await get([handle, 0x8000_0000, 16, 0]) == HRESULT(.accessViolation))
      #expect(try await get([0x444, TestKernel.buffer, 16, 0]) == .invalidHandle)
      let reply = { (arguments: [UInt64]) in
        HRESULT(rawValue: UInt32(truncatingIfNeeded: try await p.k.kernel.call(try p.k.trap("FilterReplyMessage"), arguments)))
      }
      #expect(try await reply([handle, 0, 16]) == .invalidArgument)
      #expect(try await reply([handle, TestKernel.buffer, 15]) == .invalidArgument)
      #expect(try await reply([handle, TestKernel.buffer, 16]) == .noWaiterForReply)
      #expect(try await reply([handle, TestKernel.buffer, 0x7fff_0000]) == HRESULT(.insufficientResources))
      p.log.append("done")
    }
    try p.rest()
    #expect(try p.send([1, 2, 3, 4]).status == .success)
    try p.rest()
    #expect(p.log.dropFirst() == ["8007007a ERROR_INSUFFICIENT_BUFFER", "[1, 2, 3, 4]", "done"])
  }

  @Test("a client that ends with a message in its hands is a disconnect") func abandoned() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      _ = try await library.message(from: port, capacity: 16)
      try await library.close(port)
    }
    try p.rest()
    #expect(try p.send([1], room: 1).status == .portDisconnected)
    #expect(p.log.last == "disconnect 119 in service.exe")
  }

  @Test("a driver that closes its end ends the process's wait") func closedByDriver() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      _ = try await library.message(from: port, capacity: 16)
    }
    try p.rest()
    try p.g.call("FltCloseClientPort", p.filter, p.client)
    try p.rest()
    #expect(p.log.last == "one: 80070006 ERROR_INVALID_HANDLE")
    #expect(try p.k.load(p.client) == 0)
  }

  @Test("FilterGetMessage with an OVERLAPPED completes later, in the process's pages whatever process is current") func overlapped() throws
  {
    let p = try PortGuest()
    let (buffer, overlapped) = (TestKernel.buffer, TestKernel.buffer + 0x1000)
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      try p.k.memory.memory.fill(0, count: 0x20, at: overlapped)
      let value = try await p.k.kernel.call(try p.k.trap("FilterGetMessage"), [UInt64(port.handle), buffer, 64, overlapped])
      p.log.append("\(HRESULT(rawValue: UInt32(truncatingIfNeeded: value)))")
    }
    try p.rest()
    #expect(p.log.last == "800703e5 ERROR_IO_PENDING")
    #expect(try p.k.service.space.memory.load(UInt32.self, at: overlapped) == 0x103)
    #expect(try p.send([7, 8]).status == .success)
    let there = p.k.service.space.memory
    #expect(try there.load(UInt32.self, at: overlapped) == 0)
    #expect(try there.load(UInt32.self, at: overlapped + 4) == 18)
    #expect(try there.bytes(2, at: buffer + 16) == [7, 8])
    #expect(p.k.kernel.currentSpaceOwner === p.k.notepad)
  }

  // MARK: From the process to the driver

  @Test("FilterSendMessage runs the driver's routine in the sender, on the sender's own addresses") func requests() throws {
    let p = try PortGuest()
    p.g.routine(at: PortGuest.message, 6) { arguments in
      let data = try p.k.memory.memory.bytes(Int(arguments[2]), at: arguments[1])
      p.log.append("message \(arguments[0]) \(data) in \(p.k.kernel.currentSpaceOwner.name)")
      #expect(arguments[1] < 0x8000_0000)
      if arguments[3] != 0 {
        try p.k.store(0x0102_0304, at: arguments[3])
        try p.k.store(4, at: arguments[5])
      }
      return arguments[2] == 3 ? UInt64(NTSTATUS.accessDenied.rawValue) : 0
    }
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      p.log.append("\(try await library.send([1, 2], to: port, capacity: 8))")
      p.log.append("\(try await library.send([1], to: port, capacity: 0))")
      _ = try await library.send([1, 2, 3], to: port, capacity: 8)
    }
    try p.rest()
    #expect(
      p.log.dropFirst() == [
        "message 119 [1, 2] in service.exe", "[4, 3, 2, 1]", "message 119 [1] in service.exe", "[]",
        "message 119 [1, 2, 3] in service.exe", "one: 80070005 ERROR_ACCESS_DENIED",
      ])
  }

  @Test("a port without a message routine, a NULL buffer and a bad one refuse FilterSendMessage") func refusedRequests() throws {
    let p = try PortGuest(message: 0)
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      let send = { (arguments: [UInt64]) in
        HRESULT(rawValue: UInt32(truncatingIfNeeded: try await p.k.kernel.call(try p.k.trap("FilterSendMessage"), arguments)))
      }
      let place = TestKernel.buffer
      #expect(try await send([UInt64(port.handle), 0, 0, 0, 0, place]) == .invalidArgument)
      #expect(try await send([0x500, place, 1, 0, 0, place]) == .invalidHandle)
      _ = try await library.send([1], to: port, capacity: 0)
    }
    try p.rest()
    #expect(p.log.last == "one: 80070001 ERROR_INVALID_FUNCTION")
    #expect(p.uncertain.count == 1)
  }

  // MARK: Waiting

  @Test("a service that must answer its own question is a deadlock, and the circle is named") func deadlock() throws {
    let p = try PortGuest()
    p.g.routine(at: PortGuest.message, 6) { _ in
      // The driver asks the very thread that is asking it.
      UInt64(try p.send([1], room: 1).status.rawValue)
    }
    try p.serve("one") { library in
      let port = try await library.connect(to: #"\Port"#)
      let message = try await library.message(from: port, capacity: 16)
      _ = try await library.send([1], to: port, capacity: 0)
      try await library.reply(to: message, on: port, [])
    }
    try p.rest()
    #expect(throws: IOGuest.Stopped.self) { try p.send([1], room: 1) }
    p.k.kernel.noteWaits()
    let found = p.k.stream.events.compactMap { if case .deadlock(let text) = $0 { text } else { nil } }
    #expect(
      found == [
        #"deadlock: one of service.exe waits for a reply to message 2 on \Port, which itself would have to end; "#
          + #"client of notepad.exe waits for a reply to message 1 on \Port, which one of service.exe would have to end"#
      ])
  }

  @Test("what is none, or closed, is said and comes to a documented status") func hostile() throws {
    let p = try PortGuest()
    try p.k.store(0x1238, at: p.client)
    #expect(try p.send([1]).status == .portDisconnected)
    try p.g.call("FltCloseClientPort", p.filter, p.client)
    #expect(p.g.violations.count == 2)
    #expect(try p.k.load(p.client) == 0)
    let exception = try p.k.raised("FltSendMessage", p.filter, 0, p.k.scratch, 4, 0, 0, 0)
    #expect(try exception.code == .accessViolation)
  }

  @Test("FilterLoad and FilterUnload say what is not there") func loading() throws {
    let p = try PortGuest()
    try p.serve("one") { library in
      do { try await library.load("nothing") } catch let result as HRESULT { p.log.append("FilterLoad: \(result)") }
      do { try await library.unload("nothing") } catch let result as HRESULT { p.log.append("FilterUnload: \(result)") }
      do { try await library.load("demo") } catch let result as HRESULT { p.log.append("FilterLoad: \(result)") }
    }
    try p.rest()
    #expect(
      p.log == [
        "FilterLoad: 80070002 ERROR_FILE_NOT_FOUND", "FilterUnload: 801f0013 ERROR_FLT_FILTER_NOT_FOUND",
        "FilterLoad: 80070420 ERROR_SERVICE_ALREADY_RUNNING",
      ])
  }
}
