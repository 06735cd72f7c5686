/// The keys that one kind of object in a fixture takes: what the reader accepts, and what the schema must say.
struct KeyTable: Sendable {
  /// Its definition's name in the schema.
  let name: String
  /// What messages call the object.
  let title: String
  let keys: [String]
  let required: [String]

  init(_ name: String, _ title: String, _ keys: [String], required: [String] = []) {
    self.name = name
    self.title = title
    self.keys = keys
    self.required = required
  }

  /// The spellings of content, of which an object takes at most one.
  static let contents = ["text", "utf16", "bytes", "fill", "u16", "u32", "u64"]
  private static let states = ["kind", "protection", "guard", "pager"]

  static let fixture = KeyTable(
    "fixture", "a fixture",
    [
      "fixture", "name", "about", "windows", "target", "pool", "load", "seed", "limits", "processes", "sections", "threads", "kernel",
      "values",
      "patches", "stubs", "registry", "volumes", "calls", "expect",
    ], required: ["fixture"])
  static let limits = KeyTable("limits", "“limits”", ["instructions", "memory", "trace", "time"])
  static let process = KeyTable("process", "a process", ["id", "user", "memory"])
  static let region = KeyTable("region", "a region", ["size"] + contents + states + ["section", "offset"])
  static let kernelRegion = KeyTable("kernel-region", "a region", ["name", "size"] + contents + ["kind", "protection"])
  static let section = KeyTable("section", "a section", ["size"] + contents)
  static let thread = KeyTable("thread", "a thread", ["process", "attached", "id"], required: ["process"])
  static let value = KeyTable("value", "a value", ["size"] + contents)
  static let patch = KeyTable("patch", "a patch", ["at", "bytes", "was"], required: ["at", "bytes"])
  /// The spellings of a registry value's data, of which it takes one, or else a type and bytes.
  static let registryTypes = ["sz", "expand-sz", "multi-sz", "dword", "qword", "binary"]
  static let registryValue = KeyTable("registry-value", "a registry value", registryTypes + ["type", "bytes"])
  static let volume = KeyTable(
    "volume", "a volume",
    ["file-system", "drive", "label", "serial", "size", "read-only", "completes", "buffers", "fast-io", "paging-io", "mounted", "files"])
  static let file = KeyTable("file", "a file", ["directory", "size"] + contents + ["attributes", "created", "modified"])
  static let content = KeyTable("content", "content", contents)

  static let call = KeyTable(
    "call", "a call", ["on", "call", "with", "irql", "as", "kind", "expect"], required: ["on", "call"])
  static let issue = KeyTable("issue", "the step “issue”", ["issue", "as"], required: ["issue"])
  static let exit = KeyTable("exit", "the step “exit”", ["exit", "status"], required: ["exit"])
  static let exitThread = KeyTable("exit-thread", "the step “exit-thread”", ["exit-thread", "status"], required: ["exit-thread"])
  static let createProcess = KeyTable(
    "create-process", "the step “create-process”",
    ["on", "create-process", "thread", "id", "thread-id", "user", "image", "command-line", "memory", "expect"],
    required: ["on", "create-process", "thread"])
  static let createThread = KeyTable(
    "create-thread", "the step “create-thread”", ["on", "create-thread", "in", "id"], required: ["on", "create-thread"])
  static let map = KeyTable("map", "“map”", ["process", "at"] + region.keys, required: ["process", "at"])
  static let unmap = KeyTable("unmap", "“unmap”", ["process", "at", "size"], required: ["process", "at", "size"])
  static let protect = KeyTable(
    "protect", "“protect”", ["process", "at", "size", "protection", "guard", "kind"], required: ["process", "at", "size"])
  static let store = KeyTable("store", "“store”", ["process", "at"] + contents, required: ["process", "at"])
  static let pageOut = KeyTable("page-out", "“page-out”", ["process", "at", "size"], required: ["process", "at", "size"])
  static let load = KeyTable("load", "the step “load”", ["load", "entry", "expect"], required: ["load"])
  static let unload = KeyTable("unload", "the step “unload”", ["unload", "expect"], required: ["unload"])
  static let mount = KeyTable("mount", "the step “mount”", ["mount", "expect"], required: ["mount"])
  static let dismount = KeyTable("dismount", "the step “dismount”", ["dismount", "expect"], required: ["dismount"])
  static let open = KeyTable(
    "open", "the step “open”", ["on", "open", "as", "overlapped", "access", "disposition", "options", "expect"],
    required: ["on", "open", "as"])
  static let ioctl = KeyTable(
    "ioctl", "the step “ioctl”", ["on", "ioctl", "to", "input", "output", "expect", "information"], required: ["on", "ioctl", "to"])
  private static let transfer = ["buffer", "offset", "expect", "information"]
  static let read = KeyTable("read", "the step “read”", ["on", "read"] + transfer, required: ["on", "read", "buffer"])
  static let write = KeyTable("write", "the step “write”", ["on", "write"] + transfer, required: ["on", "write", "buffer"])
  static let close = KeyTable("close", "the step “close”", ["on", "close", "expect"], required: ["on", "close"])
  static let connect = KeyTable(
    "connect", "the step “connect”", ["on", "connect", "as", "context", "options", "expect"], required: ["on", "connect", "as"])
  static let getMessage = KeyTable(
    "get-message", "the step “get-message”", ["on", "get-message", "buffer", "overlapped", "expect"],
    required: ["on", "get-message", "buffer"])
  static let replyMessage = KeyTable(
    "reply-message", "the step “reply-message”", ["on", "reply-message", "buffer", "expect"], required: ["on", "reply-message", "buffer"])
  static let sendMessage = KeyTable(
    "send-message", "the step “send-message”", ["on", "send-message", "input", "output", "expect"], required: ["on", "send-message"])
  static let filterLoad = KeyTable(
    "filter-load", "the step “filter-load”", ["on", "filter-load", "expect"], required: ["on", "filter-load"])
  static let filterUnload = KeyTable(
    "filter-unload", "the step “filter-unload”", ["on", "filter-unload", "expect"], required: ["on", "filter-unload"])
  static let serve = KeyTable(
    "serve", "the step “serve”", ["on", "serve", "buffer", "replies", "messages"], required: ["on", "serve"])
  static let reply = KeyTable("reply", "a reply", ["to", "after", "open", "send", "ends", "exits", "closes", "status", "with"])
  static let run = KeyTable("run", "the step “run”", ["run"], required: ["run"])
  /// The keys that say what kind of step a step is.
  static let steps = [
    "call", "issue", "exit", "create-process", "create-thread", "exit-thread", "map", "unmap", "protect", "store", "page-out", "load",
    "unload", "open", "ioctl", "read", "write", "close",
    "run", "expect", "add-device", "pnp", "power", "interrupt", "mount", "dismount",
    "connect", "get-message", "reply-message", "send-message", "filter-load", "filter-unload", "serve",
  ]

  static let textArgument = KeyTable("text-argument", "an argument", ["text"], required: ["text"])
  static let operation = KeyTable(
    "operation", "an operation",
    [
      "buffer", "length", "input", "input-length", "code", "method", "requestor", "process", "mode", "minor", "flags", "mdl",
      "fast-io", "post-operation", "system-buffer",
    ])
  static let operations = KeyTable("operation-argument", "an operation", Fixture.Operation.Kind.allCases.map(\.rawValue))

  static let callExpectation = KeyTable(
    "call-expectation", "what is expected", ["bugcheck", "parameters", "raises", "fault", "limit", "outcome"])
  static let fault = KeyTable("fault", "“fault”", ["access", "at"])
  static let bugcheck = KeyTable("bugcheck", "“bugcheck”", ["code", "parameters"], required: ["code"])
  static let expectation = KeyTable(
    "expectation", "what is expected",
    [
      "verdict", "locks", "memory", "kernel-memory", "outcome", "bugcheck", "messages", "findings", "irql", "attached",
      "locked-pages", "calls", "uncertain", "registry",
    ])
  static let lock = KeyTable(
    "lock", "a lock", ["process", "at", "pages", "by", "operation", "undone", "account"])
  static let expectedCall = KeyTable("expected-call", "a call", ["call", "process"], required: ["call"])

  static let all = [
    fixture, limits, process, region, kernelRegion, section, thread, value, patch, registryValue, volume, file, content, call, issue,
    exit, exitThread, createProcess, createThread, map, unmap, protect,
    connect, getMessage, replyMessage, sendMessage, filterLoad, filterUnload, serve, reply,
    store, pageOut, load, unload, open, ioctl, read, write, close, addDevice, pnp, power, interrupt, mount, dismount, run, textArgument,
    operation,
    operations, callExpectation, fault,
    bugcheck, expectation, lock, expectedCall,
  ]
}
