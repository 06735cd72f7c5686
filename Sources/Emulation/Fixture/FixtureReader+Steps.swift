extension FixtureReader {
  mutating func readStep(_ node: FixtureNode) throws(FixtureError) -> Fixture.Step {
    let entries = try node.entries()
    if entries.contains(where: { $0.value.role == "call" }) {
      return Fixture.Step(.call(try readCall(node)), origin: node.origin)
    }
    if let action = try readPortStep(node) { return Fixture.Step(action, origin: node.origin) }
    if let action = try readDeviceStep(node) { return Fixture.Step(action, origin: node.origin) }
    if let action = try readProcessStep(node) { return Fixture.Step(action, origin: node.origin) }
    if let action = try readVolumeStep(node) { return Fixture.Step(action, origin: node.origin) }
    if let action = try readDriverStep(node) { return Fixture.Step(action, origin: node.origin) }
    if entries.contains(where: { $0.value.role == "issue" }) {
      let fields = try node.fields(.issue)
      let operation = try names.operation(try fields.required("issue"), what: "“issue” takes")
      let result = try fields["as"].map { node throws(FixtureError) in try names.define(node, as: .result) }
      return Fixture.Step(.issue(operation, result: result), origin: node.origin)
    }
    for (key, value) in entries where !KeyTable.steps.contains(value.role) {
      if KeyTable.call.keys.contains(value.role) {
        throw key.error("\(quoted(value.role)) belongs to a step that has “call”")
      }
      throw key.unknown("step \(quoted(value.role))", value.role, among: KeyTable.steps)
    }
    guard entries.count == 1, let (_, value) = entries.first else {
      throw node.error(
        "a step has one of \(KeyTable.steps.joined(separator: ", ")), not \(entries.isEmpty ? "none" : "several")")
    }
    return Fixture.Step(try readAction(value), origin: node.origin)
  }

  private func readAction(_ node: FixtureNode) throws(FixtureError) -> Fixture.Step.Action {
    switch node.role {
    case "map":
      let fields = try node.fields(.map)
      return .map(process: try process(fields), try readRegion(at: try fields.required("at"), fields))
    case "unmap": return .unmap(try range(try node.fields(.unmap)))
    case "protect": return .protect(try readProtect(node))
    case "store":
      let fields = try node.fields(.store)
      let address = try fields.required("at").address()
      let content = try readContent(fields)
      guard let count = content.count, count > 0 else {
        if case .fill = content { throw node.error("“fill” is not read here: a store is as long as its content, and “fill” has no length") }
        throw node.error("“store” needs content: one of \(KeyTable.contents.filter { $0 != "fill" }.joined(separator: ", "))")
      }
      try checkRange(node, address, UInt64(count), inKernel: false)
      return .store(process: try process(fields), address: address, content)
    case "page-out": return .pageOut(try range(try node.fields(.pageOut)))
    default: return .expect(try readExpectation(node))
    }
  }

  private func process(_ fields: Fields) throws(FixtureError) -> String {
    try names.check(try fields.required("process"), is: .process)
  }

  private func range(_ fields: Fields) throws(FixtureError) -> Fixture.Range {
    let at = try fields.required("at")
    let range = Fixture.Range(
      in: try process(fields), at: try at.pageAddress(), size: try fields.required("size").pages())
    try checkRange(at, range.address, range.size, inKernel: false)
    return range
  }

  private func readProtect(_ node: FixtureNode) throws(FixtureError) -> Fixture.Protect {
    let fields = try node.fields(.protect)
    var protect = Fixture.Protect(try range(fields))
    protect.kind = try fields["kind"]?.word(Fixture.Region.Kind.self)
    if let kind = protect.kind { _ = try readProtection(fields, kind) }
    protect.protection = try fields["protection"]?.word(Fixture.Protection.self)
    protect.guard = try fields["guard"]?.boolean()
    if protect.kind == nil, protect.protection == nil, protect.guard == nil {
      throw node.error("“protect” needs one of protection, guard, kind")
    }
    return protect
  }

  private mutating func readCall(_ node: FixtureNode) throws(FixtureError) -> Fixture.Call {
    let fields = try node.fields(.call)
    var call = Fixture.Call(
      on: try names.check(try fields.required("on"), is: .thread), try names.place(try fields.required("call")))
    if let node = fields["with"] { call.arguments = try readArguments(node) }
    if let node = fields["irql"] { call.irql = try names.irql(node) }
    call.kind = try fields["kind"]?.word(Fixture.Call.Kind.self) ?? .thread
    if let node = fields["expect"] { call.expect = try readCallExpectation(node) }
    if let node = fields["as"] { call.result = try names.define(node, as: .result) }
    return call
  }

  private func readArguments(_ node: FixtureNode) throws(FixtureError) -> Fixture.Arguments {
    var arguments = Fixture.Arguments([])
    if node.isMapping {
      for (key, value) in try node.entries() {
        arguments.elements.append(.init(value.role, try names.argument(value), origin: key.origin))
      }
    } else {
      for element in try node.list() {
        arguments.elements.append(.init(nil, try names.argument(element), origin: element.origin))
      }
    }
    return arguments
  }
}
