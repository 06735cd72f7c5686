import NTKernel

extension FixtureReader {
  /// The step that `node` is, if it is about the life of processes and threads.
  mutating func readProcessStep(_ node: FixtureNode) throws(FixtureError) -> Fixture.Step.Action? {
    let roles = try node.entries().map(\.value.role)
    if roles.contains("create-process") { return .createProcess(try readProcessStart(try node.fields(.createProcess))) }
    if roles.contains("create-thread") { return .createThread(try readThreadStart(try node.fields(.createThread))) }
    if roles.contains("exit-thread") {
      let fields = try node.fields(.exitThread)
      return .exitThread(try names.check(try fields.required("exit-thread"), is: .thread), status: try readStatus(fields["status"]))
    }
    // Another key of a step beside it is the same mistake as with any step.
    if roles.contains("exit"), roles.filter(KeyTable.steps.contains).count == 1 {
      let fields = try node.fields(.exit)
      return .exit(process: try names.check(try fields.required("exit"), is: .process), status: try readStatus(fields["status"]))
    }
    return nil
  }

  private mutating func readProcessStart(_ fields: Fields) throws(FixtureError) -> Fixture.ProcessStart {
    let creator = try names.check(try fields.required("on"), is: .thread)
    let name = try names.define(try fields.required("create-process"), as: .process)
    var process = Fixture.Process(name, origin: try fields.required("create-process").origin)
    if let node = fields["id"] { process.id = try names.identify(node, name) }
    process.user = try fields["user"]?.word(ProcessUser.self)
    if let node = fields["memory"] { process.memory = try readMemory(node) }
    let thread = try names.define(try fields.required("thread"), as: .thread)
    var start = Fixture.ProcessStart(by: creator, process, thread: thread)
    if let node = fields["thread-id"] { start.threadID = try names.identify(node, thread) }
    start.image = try fields["image"].map { node throws(FixtureError) in try path(node) }
    start.commandLine = try fields["command-line"].map { node throws(FixtureError) in try line(node) }
    if let node = fields["expect"] { start.expect = try readCallExpectation(node) }
    return start
  }

  private mutating func readThreadStart(_ fields: Fields) throws(FixtureError) -> Fixture.ThreadStart {
    let creator = try names.check(try fields.required("on"), is: .thread)
    var start = Fixture.ThreadStart(by: creator, try names.define(try fields.required("create-thread"), as: .thread))
    if let node = fields["in"] { start.process = try names.check(node, is: .process) }
    if let node = fields["id"] { start.id = try names.identify(node, start.thread) }
    return start
  }

  /// The regions of a process's memory, by address.
  func readMemory(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Region] {
    var regions: [(Fixture.Region, FixtureNode)] = []
    for (key, value) in try node.entries() { regions.append((try readRegion(at: key, try value.fields(.region)), key)) }
    return try ordered(regions)
  }

  private func readStatus(_ node: FixtureNode?) throws(FixtureError) -> Fixture.Code? {
    guard let node else { return nil }
    return try names.code(node, prefix: "STATUS_")
  }

  private func path(_ node: FixtureNode) throws(FixtureError) -> String {
    let text = try line(node)
    guard text.hasPrefix("\\") else {
      throw node.error("\(quoted(text)) is no path of the object manager's: write \\WINDOWS\\system32\\name.exe")
    }
    return text
  }

  private func line(_ node: FixtureNode) throws(FixtureError) -> String {
    let text = try node.text()
    guard text.utf16.count <= 1024, !text.contains(where: \.isNewline) else {
      throw node.error("\(quoted(node.role)) is one line of at most 1024 characters")
    }
    return text
  }
}
