extension FixtureReader {
  func readCallExpectation(_ node: FixtureNode) throws(FixtureError) -> Fixture.CallExpectation {
    guard node.isMapping else {
      return try node.text() == "any" ? .any : .returns(try names.argument(node))
    }
    let fields = try node.fields(.callExpectation)
    let given = fields.given(KeyTable.callExpectation.keys.filter { $0 != "parameters" })
    guard let key = given.first, let value = fields[key] else {
      throw node.error("what is expected of a call is a value, any, or one of bugcheck, raises, fault, limit, outcome")
    }
    if given.count > 1 { try fields.refuse([given[1]], because: "a call ends in one way, and \(quoted(key)) is given") }
    if key != "bugcheck" { try fields.refuse(["parameters"], because: "only a bugcheck has parameters") }
    switch key {
    case "bugcheck": return .bugcheck(.init(try names.code(value), parameters: try readParameters(fields["parameters"])))
    case "raises": return .raises(try names.code(value, prefix: "STATUS_"))
    case "fault": return .fault(try readFault(value))
    case "limit": return .limit(try value.word(Fixture.Limit.self))
    default: return .outcome(try readOutcome(value))
    }
  }

  private func readParameters(_ node: FixtureNode?) throws(FixtureError) -> [Fixture.Pattern] {
    guard let node else { return [] }
    let list = try node.list()
    if list.count > 4 { throw node.error("a bugcheck has four parameters, not \(list.count)") }
    var patterns: [Fixture.Pattern] = []
    for element in list {
      let any = element.isScalar ? try element.text() == "any" : false
      patterns.append(any ? .any : .exactly(try names.argument(element)))
    }
    return patterns
  }

  private func readFault(_ node: FixtureNode) throws(FixtureError) -> Fixture.FaultExpectation {
    guard node.isMapping else {
      return try node.text() == "any" ? Fixture.FaultExpectation() : Fixture.FaultExpectation(at: try node.address())
    }
    let fields = try node.fields(.fault)
    return Fixture.FaultExpectation(
      try fields["access"]?.word(Fixture.FaultExpectation.Access.self), at: try fields["at"]?.address())
  }

  private func readOutcome(_ node: FixtureNode) throws(FixtureError) -> Fixture.OutcomeName {
    let name = Fixture.OutcomeName(rawValue: try node.text())
    if Fixture.OutcomeName.known.contains(name) { return name }
    throw node.unknown("outcome \(quoted(name.rawValue))", name.rawValue, among: Fixture.OutcomeName.known.map(\.rawValue))
  }

  func readExpectation(_ node: FixtureNode) throws(FixtureError) -> Fixture.Expectation {
    let fields = try node.fields(.expectation)
    var expectation = Fixture.Expectation(origin: node.origin)
    if let node = fields["verdict"] { expectation.verdict = try readVerdict(node) }
    if let node = fields["locks"] { expectation.locks = try readLocks(node) }
    if let node = fields["memory"] { expectation.memory = try readMemory(node) }
    if let node = fields["kernel-memory"] { expectation.kernelMemory = try readKernelMemory(node) }
    if let node = fields["outcome"] { expectation.outcome = try readOutcome(node) }
    if let node = fields["bugcheck"] { expectation.bugcheck = try readBugcheck(node) }
    if let node = fields["messages"] { expectation.messages = try texts(node) }
    if let node = fields["findings"] { expectation.findings = try texts(node) }
    if let node = fields["irql"] { expectation.irql = try names.irql(node) }
    if let node = fields["attached"] {
      for (key, value) in try node.entries() {
        expectation.attached[try names.check(key, is: .thread)] = try names.check(value, is: .process)
      }
    }
    if let node = fields["locked-pages"] {
      for (key, value) in try node.entries() {
        expectation.lockedPages[try names.check(key, is: .process)] = try value.count(upTo: 0xffff_ffff)
      }
    }
    if let node = fields["calls"] { expectation.calls = try readExpectedCalls(node) }
    if let node = fields["registry"] { expectation.registry = try readRegistry(node) }
    if let node = fields["uncertain"] { expectation.uncertain = try texts(node) }
    return expectation
  }

  private func texts(_ node: FixtureNode) throws(FixtureError) -> [String] {
    var texts: [String] = []
    for element in try node.list() { texts.append(try element.text()) }
    return texts
  }

  private func readVerdict(_ node: FixtureNode) throws(FixtureError) -> Fixture.VerdictName {
    let name = Fixture.VerdictName(rawValue: try node.text())
    if Fixture.VerdictName.known.contains(name) { return name }
    throw node.unknown("verdict \(quoted(name.rawValue))", name.rawValue, among: Fixture.VerdictName.known.map(\.rawValue))
  }

  private func readBugcheck(_ node: FixtureNode) throws(FixtureError) -> Fixture.BugcheckExpectation {
    guard node.isMapping else { return Fixture.BugcheckExpectation(try names.code(node)) }
    let fields = try node.fields(.bugcheck)
    return Fixture.BugcheckExpectation(
      try names.code(try fields.required("code")), parameters: try readParameters(fields["parameters"]))
  }

  private func readLocks(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Expectation.Lock] {
    var locks: [Fixture.Expectation.Lock] = []
    for element in try node.list() {
      let fields = try element.fields(.lock)
      var lock = Fixture.Expectation.Lock(origin: element.origin)
      if let node = fields["process"] { lock.process = try names.check(node, is: .process) }
      lock.address = try fields["at"]?.address()
      lock.pages = try fields["pages"]?.count(upTo: 0xffff_ffff)
      if let node = fields["by"] { lock.by = try names.place(node) }
      lock.operation = try fields["operation"]?.word(Fixture.Expectation.Lock.Access.self)
      lock.undone = try fields["undone"]?.boolean()
      if let node = fields["account"] { lock.account = try names.check(node, is: .process) }
      locks.append(lock)
    }
    return locks
  }

  private func readMemory(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Expectation.MemoryContent] {
    var contents: [Fixture.Expectation.MemoryContent] = []
    for (key, value) in try node.entries() {
      let process = try names.check(key, is: .process)
      for (key, value) in try value.entries() {
        let (address, content) = (try key.address(), try expectedContent(value))
        try checkRange(key, address, UInt64(content.count ?? 1), inKernel: false)
        contents.append(.init(in: process, at: address, content, origin: key.origin))
      }
    }
    return contents
  }

  private func readKernelMemory(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Expectation.KernelContent] {
    var contents: [Fixture.Expectation.KernelContent] = []
    for (key, value) in try node.entries() {
      let (place, content) = (try names.place(key), try expectedContent(value))
      if case .address(let address) = place { try checkRange(key, address, UInt64(content.count ?? 1), inKernel: true) }
      contents.append(.init(at: place, content, origin: key.origin))
    }
    return contents
  }

  /// Content that has a length of its own.
  private func expectedContent(_ node: FixtureNode) throws(FixtureError) -> Fixture.Content {
    let fields = try node.fields(.content)
    try fields.refuse(["fill"], because: "it has no length, so nothing says how much to compare")
    let content = try readContent(fields)
    guard let count = content.count, count > 0 else {
      throw node.error("needs content: one of \(KeyTable.contents.filter { $0 != "fill" }.joined(separator: ", "))")
    }
    return content
  }

  private func readExpectedCalls(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Expectation.ExpectedCall] {
    var calls: [Fixture.Expectation.ExpectedCall] = []
    for element in try node.list() {
      guard element.isMapping else {
        calls.append(.init(try names.place(element), origin: element.origin))
        continue
      }
      let fields = try element.fields(.expectedCall)
      var call = Fixture.Expectation.ExpectedCall(try names.place(try fields.required("call")), origin: element.origin)
      if let node = fields["process"] { call.process = try names.check(node, is: .process) }
      calls.append(call)
    }
    return calls
  }
}
