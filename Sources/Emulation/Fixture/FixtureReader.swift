import Guest
import NTKernel

/// How drivers' pool is served.
private enum PoolKind: String, CaseIterable {
  case normal, special
}

/// Reads one document into a fixture.
struct FixtureReader {
  var names = FixtureNames()
  var target = Target.windowsXP_x86
  /// By name, in bytes.
  var sectionSizes: [String: UInt64] = [:]
  private let root: FixtureNode

  init(_ root: FixtureNode) { self.root = root }

  /// The fixture that the document says, called `name` unless it names itself.
  mutating func read(name: String) throws(FixtureError) -> Fixture {
    try root.checkShape()
    guard root.isMapping else { throw root.error("a fixture is a mapping that begins with “fixture: 1”, not \(root.described)") }
    let fields = try root.fields(.fixture)
    let version = try fields.required("fixture")
    guard try version.text() == String(Fixture.formatVersion) else {
      throw version.error("format version \(version.described): this build reads version \(Fixture.formatVersion)")
    }
    var fixture = Fixture(try fields["name"].map { node throws(FixtureError) in try fixtureName(node) } ?? name)
    fixture.about = try fields["about"]?.text() ?? ""
    if let node = fields["target"] { target = try readTarget(node) }
    if let node = fields["windows"] {
      if let other = fields["target"] { throw other.error("“target” says what “windows” says; leave it out") }
      target = try readWindows(node)
    }
    fixture.target = target
    if let node = fields["pool"] { fixture.usesSpecialPool = try node.word(PoolKind.self) == .special }
    if let node = fields["load"] { fixture.load = try readImages(node) }
    if let node = fields["seed"] { fixture.seed = try node.count() }
    if let node = fields["limits"] { fixture.limits = try readLimits(node) }
    if let node = fields["sections"] { fixture.sections = try readSections(node) }
    if let node = fields["processes"] { fixture.processes = try readProcesses(node) }
    if let node = fields["threads"] { fixture.threads = try readThreads(node) }
    if let node = fields["kernel"] { fixture.kernel = try readKernel(node) }
    if let node = fields["values"] { fixture.values = try readValues(node) }
    if let node = fields["patches"] { fixture.patches = try readPatches(node) }
    if let node = fields["stubs"] { fixture.stubs = try readStubs(node) }
    if let node = fields["registry"] { fixture.registry = try readRegistry(node) }
    if let node = fields["volumes"] { fixture.volumes = try readVolumes(node) }
    if let node = fields["calls"] {
      for step in try node.list() { fixture.steps.append(try readStep(step)) }
    }
    if let node = fields["expect"] { fixture.expect = try readExpectation(node) }
    return fixture
  }

  private func fixtureName(_ node: FixtureNode) throws(FixtureError) -> String {
    let name = try node.text()
    if name.isEmpty || name.utf8.count > 128 || name.contains("/") || name.contains(where: \.isNewline) {
      throw node.error("\(quoted(name)) cannot name a fixture: up to 128 characters on one line, without “/”")
    }
    return name
  }

  private func readTarget(_ node: FixtureNode) throws(FixtureError) -> Target {
    let text = try node.text()
    guard let target = Target.all.first(where: { $0.name == text }) else {
      throw node.unknown("target \(quoted(text))", text, among: Target.all.map(\.name))
    }
    return target
  }

  private func readWindows(_ node: FixtureNode) throws(FixtureError) -> Target {
    let text = try node.text()
    guard let target = Target.windows(named: text) else {
      throw node.unknown("version of Windows \(quoted(text))", text, among: Target.all.map(\.windowsName))
    }
    return target
  }

  private func readImages(_ node: FixtureNode) throws(FixtureError) -> [String] {
    var images: [String] = []
    var seen: Set<String> = []
    for element in try node.list() {
      let image = try element.text()
      if image.isEmpty || image.contains(where: { $0.isNewline }) { throw element.error("an image's file name is one line of text") }
      if !seen.insert(image).inserted { throw element.error("\(quoted(image)) is loaded twice") }
      images.append(image)
    }
    return images
  }

  private func readLimits(_ node: FixtureNode) throws(FixtureError) -> Fixture.Limits {
    let fields = try node.fields(.limits)
    var limits = Fixture.Limits()
    if let node = fields["instructions"] { limits.instructions = try node.count() }
    if let node = fields["memory"] { limits.memory = try node.size() }
    if let node = fields["trace"] { limits.trace = try node.size() }
    limits.time = try fields["time"]?.duration()
    return limits
  }

  // MARK: The world

  private mutating func readSections(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Section] {
    var sections: [Fixture.Section] = []
    for (key, value) in try node.entries() {
      let name = try names.define(key, as: .section)
      let fields = try value.fields(.section)
      let content = try readContent(fields)
      let size = try readSize(fields, content)
      sectionSizes[name] = size
      sections.append(Fixture.Section(name, size: size, content, origin: key.origin))
    }
    return sections
  }

  private mutating func readProcesses(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Process] {
    var processes: [Fixture.Process] = []
    for (key, value) in try node.entries() {
      let name = try names.define(key, as: .process)
      let fields = try value.fields(.process)
      var process = Fixture.Process(name, origin: key.origin)
      if let node = fields["id"] { process.id = try names.identify(node, name) }
      process.user = try fields["user"]?.word(ProcessUser.self)
      if let node = fields["memory"] { process.memory = try readMemory(node) }
      processes.append(process)
    }
    return processes
  }

  private mutating func readThreads(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Thread] {
    var threads: [Fixture.Thread] = []
    for (key, value) in try node.entries() {
      let name = try names.define(key, as: .thread)
      guard value.isMapping else {
        threads.append(Fixture.Thread(name, in: try names.check(value, is: .process), origin: key.origin))
        continue
      }
      let fields = try value.fields(.thread)
      var thread = Fixture.Thread(name, in: try names.check(try fields.required("process"), is: .process), origin: key.origin)
      if let node = fields["attached"] { thread.attached = try names.check(node, is: .process) }
      if let node = fields["id"] { thread.id = try names.identify(node, name) }
      threads.append(thread)
    }
    return threads
  }

  private mutating func readKernel(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Region] {
    var regions: [(Fixture.Region, FixtureNode)] = []
    for (key, value) in try node.entries() {
      let fields = try value.fields(.kernelRegion)
      let content = try readContent(fields)
      var region = Fixture.Region(at: try key.pageAddress(), size: try readSize(fields, content), content, origin: key.origin)
      try checkRange(key, region.address, region.size, inKernel: true)
      if let node = fields["name"] { region.name = try names.define(node, as: .region) }
      region.kind = try readKind(fields)
      region.protection = try readProtection(fields, region.kind)
      try checkContent(fields, region.kind)
      regions.append((region, key))
    }
    return try ordered(regions)
  }

  private mutating func readValues(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Value] {
    var values: [Fixture.Value] = []
    for (key, value) in try node.entries() {
      let name = try names.define(key, as: .value)
      let fields = try value.fields(.value)
      let content = try readContent(fields)
      guard let size = try fields["size"]?.size() ?? content.count.map(UInt64.init), size > 0 else {
        throw value.error("a value needs “size”, or content that has one")
      }
      try checkFit(fields, content, size)
      values.append(Fixture.Value(name, size: size, content, origin: key.origin))
    }
    return values
  }

  private func readPatches(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Patch] {
    var patches: [Fixture.Patch] = []
    for element in try node.list() {
      let fields = try element.fields(.patch)
      let bytes = try fields.required("bytes").bytes()
      let was = try fields["was"]?.bytes()
      if let was, was.count != bytes.count {
        throw try fields.required("was").error("“was” has \(was.count) bytes and “bytes” has \(bytes.count)")
      }
      patches.append(Fixture.Patch(at: try names.place(try fields.required("at")), bytes, was: was, origin: element.origin))
    }
    return patches
  }
}
