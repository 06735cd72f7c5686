extension FixtureReader {
  /// The step that `node` is, if it is about drivers and devices.
  mutating func readDriverStep(_ node: FixtureNode) throws(FixtureError) -> Fixture.Step.Action? {
    let roles = try node.entries().map(\.value.role)
    if roles.contains("load") { return .load(try readLoad(node)) }
    if roles.contains("unload") { return .unload(try readUnload(node)) }
    if roles.contains("run") {
      return .run(try node.fields(.run).required("run").word(Fixture.Running.self))
    }
    for (role, table) in [
      ("open", KeyTable.open), ("ioctl", .ioctl), ("read", .read), ("write", .write), ("close", .close),
    ] where roles.contains(role) {
      return .request(try readRequest(role, try node.fields(table)))
    }
    return nil
  }

  private func readLoad(_ node: FixtureNode) throws(FixtureError) -> Fixture.Load {
    let fields = try node.fields(.load)
    var load = Fixture.Load(try serviceName(try fields.required("load")))
    if let node = fields["entry"] { load.entry = try names.place(node) }
    if let node = fields["expect"] { load.expect = try readCallExpectation(node) }
    return load
  }

  private func readUnload(_ node: FixtureNode) throws(FixtureError) -> Fixture.Unload {
    let fields = try node.fields(.unload)
    var unload = Fixture.Unload(try serviceName(try fields.required("unload")))
    guard let node = fields["expect"] else { return unload }
    if node.isScalar, try node.text() == "nothing-left-behind" {
      unload.leavesNothing = true
    } else {
      unload.expect = try readCallExpectation(node)
    }
    return unload
  }

  private func serviceName(_ node: FixtureNode) throws(FixtureError) -> String {
    let name = try node.text()
    guard !name.isEmpty, name.utf8.count <= 128, !name.contains(where: { $0.isNewline || $0 == "\\" || $0 == "/" }) else {
      throw node.error("\(quoted(name)) cannot name a driver: up to 128 characters on one line, without “\\” and “/”")
    }
    return name
  }

  private mutating func readRequest(_ role: String, _ fields: Fields) throws(FixtureError) -> Fixture.IORequest {
    let thread = try names.check(try fields.required("on"), is: .thread)
    let kind: Fixture.IORequest.Kind
    switch role {
    case "open":
      let path = try fields.required("open")
      let text = try path.text()
      guard text.hasPrefix("\\"), text.utf8.count <= 1024 else {
        throw path.error("\(quoted(text)) is no path of a device: write \\\\.\\Name or \\Device\\Name")
      }
      let handle = try names.define(try fields.required("as"), as: .result)
      kind = .open(
        path: text, handle: handle, isOverlapped: try fields["overlapped"]?.boolean() ?? false, try readOpening(fields))
    case "ioctl":
      let code = UInt32(truncatingIfNeeded: try fields.required("ioctl").word(upTo: 0xffff_ffff))
      kind = .control(
        code: code, handle: try handle(try fields.required("to")), input: try buffer(fields["input"]),
        output: try buffer(fields["output"]))
    case "close": kind = .close(handle: try handle(try fields.required("close")))
    default:
      let node = try fields.required("buffer")
      let offset = try fields["offset"]?.size() ?? 0
      guard let buffer = try buffer(node) else { throw node.error("a buffer is [address, length]") }
      let handle = try handle(try fields.required(role))
      kind = role == "read" ? .read(handle: handle, buffer, offset: offset) : .write(handle: handle, buffer, offset: offset)
    }
    var request = Fixture.IORequest(on: thread, kind)
    if let node = fields["expect"] { request.expect = try readCallExpectation(node) }
    if role != "open", role != "close" { request.information = try fields["information"]?.count(upTo: 0xffff_ffff) }
    return request
  }

  private func readOpening(_ fields: Fields) throws(FixtureError) -> Fixture.Opening {
    var opening = Fixture.Opening()
    if let node = fields["access"] { opening.access = UInt32(truncatingIfNeeded: try node.word(upTo: 0xffff_ffff)) }
    opening.disposition = try fields["disposition"]?.word(Fixture.Opening.Disposition.self) ?? .open
    for node in try fields["options"]?.list() ?? [] {
      let name = try node.text()
      guard Fixture.Opening.options[name] != nil else {
        throw node.unknown("create option \(quoted(name))", name, among: Fixture.Opening.options.keys.sorted())
      }
      opening.options.append(name)
    }
    return opening
  }

  private func handle(_ node: FixtureNode) throws(FixtureError) -> String { try names.check(node, is: .result) }

  private func buffer(_ node: FixtureNode?) throws(FixtureError) -> Fixture.Buffer? {
    guard let node else { return nil }
    let parts = try node.list()
    guard parts.count == 2 else { throw node.error("a buffer is [address, length], not \(parts.count) values") }
    return Fixture.Buffer(at: try parts[0].address(), try parts[1].small())
  }
}
