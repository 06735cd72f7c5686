import WindowsTypes

extension FixtureReader {
  /// The step that `node` is, if it is about communication ports.
  mutating func readPortStep(_ node: FixtureNode) throws(FixtureError) -> Fixture.Step.Action? {
    let roles = try node.entries().map(\.value.role)
    if roles.contains("serve") { return .serve(try readService(try node.fields(.serve))) }
    for table in [KeyTable.connect, .getMessage, .replyMessage, .sendMessage, .filterLoad, .filterUnload] where roles.contains(table.name) {
      return .port(try readPortRequest(table, try node.fields(table)))
    }
    return nil
  }

  private mutating func readPortRequest(_ table: KeyTable, _ fields: Fields) throws(FixtureError) -> Fixture.PortRequest {
    let thread = try names.check(try fields.required("on"), is: .thread)
    let subject = try fields.required(table.name)
    let kind: Fixture.PortRequest.Kind
    switch table.name {
    case "connect":
      let text = try subject.text()
      guard text.hasPrefix("\\"), text.utf8.count <= 512 else { throw subject.error("\(quoted(text)) is no port: write \\Name") }
      kind = .connect(
        port: text, handle: try names.define(try fields.required("as"), as: .result),
        context: try fields["context"].map { node throws(FixtureError) in try content(node) },
        options: UInt32(truncatingIfNeeded: try fields["options"]?.word(upTo: 0xffff_ffff) ?? 0))
    case "get-message":
      kind = .getMessage(
        handle: try names.check(subject, is: .result), try buffer(try fields.required("buffer")),
        overlapped: try fields["overlapped"]?.address())
    case "reply-message":
      kind = .replyMessage(handle: try names.check(subject, is: .result), try buffer(try fields.required("buffer")))
    case "send-message":
      kind = .sendMessage(
        handle: try names.check(subject, is: .result),
        input: try fields["input"].map { node throws(FixtureError) in try buffer(node) },
        output: try fields["output"].map { node throws(FixtureError) in try buffer(node) })
    default:
      let name = try subject.text()
      kind = table.name == "filter-load" ? .load(name) : .unload(name)
    }
    return Fixture.PortRequest(
      on: thread, kind, expect: try fields["expect"].map { node throws(FixtureError) in try readPortExpectation(node) })
  }

  private func readPortExpectation(_ node: FixtureNode) throws(FixtureError) -> Fixture.PortExpectation {
    guard node.isScalar else { return .call(try readCallExpectation(node)) }
    let text = try node.text()
    if text == "any" { return .call(.any) }
    if text.first?.isNumber == true { return .returns(HRESULT(rawValue: UInt32(truncatingIfNeeded: try node.word(upTo: 0xffff_ffff)))) }
    guard let result = HRESULT(name: text) else {
      let known = HRESULT.nearestName(to: text).map { "; did you mean \($0)?" } ?? ""
      throw node.error("\(quoted(text)) is no result of the user side: write S_OK, ERROR_INVALID_HANDLE or 0x80070006\(known)")
    }
    return .returns(result)
  }

  private mutating func readService(_ fields: Fields) throws(FixtureError) -> Fixture.Service {
    var service = Fixture.Service(
      on: try names.check(try fields.required("on"), is: .thread), try names.check(try fields.required("serve"), is: .result))
    if let node = fields["buffer"] { service.buffer = try buffer(node) }
    service.messages = try fields["messages"]?.count()
    if let node = fields["replies"] {
      for element in try node.list() { service.replies.append(try readReply(try element.fields(.reply))) }
    }
    return service
  }

  private func readReply(_ fields: Fields) throws(FixtureError) -> Fixture.Reply {
    var reply = Fixture.Reply()
    reply.to = try fields["to"].map { node throws(FixtureError) in try content(node) }
    reply.with = try fields["with"].map { node throws(FixtureError) in try content(node) }
    reply.send = try fields["send"].map { node throws(FixtureError) in try content(node) }
    if let duration = try fields["after"]?.duration() {
      reply.after = UInt64(clamping: duration.components.seconds) &* 10_000_000 &+ UInt64(duration.components.attoseconds / 100_000_000_000)
    }
    reply.open = try fields["open"]?.text()
    if let node = fields["ends"] { reply.ends = try names.check(node, is: .thread) }
    reply.exits = try fields["exits"]?.boolean() ?? false
    reply.closes = try fields["closes"]?.boolean() ?? false
    if let node = fields["status"] { reply.status = try names.code(node, prefix: "STATUS_") }
    return reply
  }

  private func content(_ node: FixtureNode) throws(FixtureError) -> Fixture.Content {
    let content = try readContent(try node.fields(.content))
    if case .fill = content { throw node.error("“fill” is not read here: the content has no length") }
    return content
  }

  private func buffer(_ node: FixtureNode) throws(FixtureError) -> Fixture.Buffer {
    let parts = try node.list()
    guard parts.count == 2 else { throw node.error("a buffer is [address, length], not \(parts.count) values") }
    return Fixture.Buffer(at: try parts[0].address(), try parts[1].small())
  }
}
