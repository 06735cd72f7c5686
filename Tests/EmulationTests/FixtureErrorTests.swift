import Emulation
import Foundation
import Testing

let portSteps = #"""
  fixture: 1
  load: [neither.sys]
  processes: {client.exe: {id: 1232, memory: {0x00130000: {size: 0x1000, text: ping}}}}
  threads: {client: client.exe}
  calls:
  - {on: client, connect: '\MonitorPort', as: port}
  - {run: until-idle}

  """#

/// What reading `yaml` as `a.yaml` says, or “no error”.
func message(_ yaml: String) -> String {
  do throws(FixtureError) {
    _ = try Fixture.all(yaml: yaml, file: "a.yaml")
    return "no error"
  } catch {
    return error.description
  }
}

private let world = "fixture: 1\nprocesses: {p: {memory: {0x10000: {size: 0x1000}}}, q: {}}\nthreads: {t: p}\n"

/// A fixture's text, and how what is said of it begins, or what it contains.
struct Mistake: Sendable, CustomTestStringConvertible {
  let yaml: String
  let expected: String
  init(_ yaml: String, _ expected: String, after prefix: String = "") {
    self.yaml = prefix + yaml
    self.expected = expected
  }
  var testDescription: String { expected }
}

private let mistakes: [Mistake] = [
  Mistake("fixture: 2", "a.yaml:1: format version “2”: this build reads version 1"),
  Mistake("about: x", "a.yaml:1: a fixture needs the key “fixture”"),
  Mistake("", "a.yaml: there is no fixture in it: one begins with “fixture: 1”"),
  Mistake("# nothing\n", "a.yaml: there is no fixture in it: one begins with “fixture: 1”"),
  Mistake("- 1", "a.yaml:1: a fixture is a mapping that begins with “fixture: 1”, not a list"),
  Mistake("fixture: 1\nabout:\n", "a.yaml:2: “about” has no value"),
  Mistake("fixture: 1\nload: nt.listing\n", "a.yaml:2: “load” takes a list […], not “nt.listing”"),
  Mistake("fixture: 1\nseed: 010\n", "a.yaml:2: “010” begins with a zero: write 10 or 0x10"),
  Mistake("fixture: 1\nseed: 12:30:10\n", "a.yaml:2: “seed” takes a number, not “12:30:10”"),
  Mistake("fixture: 1\nlimits: {time: 10}\n", "a.yaml:2: “10” needs its unit: write 100ns, 5us, 2ms, 10s or 1min"),
  Mistake("fixture: 1\nlimits: {memory: 4KB}\n", "a.yaml:2: “4KB” is not a size: write 0x3000, 12288 or 12KiB"),
  Mistake("fixture: 1\nprocesses: {1a: {id: 1233}}\n", "a.yaml:2: the identifier 1233 is not a multiple of 4, as Windows’ identifiers are"),
  Mistake("fixture: 1\nprocesses: {a: {id: 8}, b: {id: 8}}\n", "a.yaml:2: the identifier 8 is already that of “a” (line 2)"),
  Mistake("fixture: 1\nprocesses: {a: {memory: {82210020: {size: 0x1000}}}}\n", "a.yaml:2: an address needs 0x: write 0x82210020"),
  Mistake(
    "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 3000}}}}\n",
    "a.yaml:2: “size” is not in whole pages of 0x1000 bytes (did you mean 0x3000?)"),
  Mistake(
    "fixture: 1\nprocesses: {a: {memory: {0x10004: {size: 0x1000}}}}\n",
    "a.yaml:2: 0x10004 is not the first address of a page of 0x1000 bytes"),
  Mistake(
    "fixture: 1\nprocesses:\n  a:\n    memory:\n      0x10000: {size: 0x2000}\n      0x11000: {size: 0x1000}\n",
    "a.yaml:6: the region at 0x11000 overlaps the one at 0x10000 (line 5)"),
  Mistake(
    "fixture: 1\nprocesses: {a: {memory: {0x7ffff000: {size: 0x2000}}}}\n",
    "a.yaml:2: a process's memory ends at 0x80000000, where the kernel's begins"),
  Mistake(
    "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, pager: STATUS_IN_PAGE_ERROR}}}}\n",
    "a.yaml:2: “pager” is not read here: only pages of the kind “paged-out” are read in"),
  Mistake(
    "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, text: a, bytes: 00}}}}\n",
    "a.yaml:2: “bytes” is not read here: the content is given by “text”"),
  Mistake(
    "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, kind: reserved, text: a}}}}\n",
    "a.yaml:2: “text” is not read here: pages of the kind “reserved” hold nothing yet"),
  Mistake(
    "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, offset: 0}}}}\n",
    "a.yaml:2: “offset” is not read here: the region has no “section”"),
  Mistake("fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, guard: yes}}}}\n", "a.yaml:2: “guard” is true or false, not “yes”"),
  Mistake(
    "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, kind: demand-zeroed}}}}\n",
    "a.yaml:2: unknown value “demand-zeroed” of “kind”, expected one of valid, demand-zero, copy-on-write, no-access, reserved, decommitted, paged-out (did you mean “demand-zero”?)"
  ),
  Mistake("fixture: 1\nprocesses: {a: {memory: {0x10000: {bytes: 4}}}}\n", "a.yaml:2: “bytes”: “4” is not pairs of hexadecimal digits"),
  Mistake("fixture: 1\nprocesses: {a: {}}\nthreads: {a: a}\n", "a.yaml:3: “a” already names a process (line 2)"),
  Mistake(
    "fixture: 1\nprocesses: {app.exe: {}}\nthreads: {t: ap.exe}\n",
    "a.yaml:3: unknown process “ap.exe”, expected one of app.exe (did you mean “app.exe”?)"),
  Mistake("fixture: 1\nprocesses: {}\nprocesses: {}\n", "a.yaml:2: duplicate key “processes”, first given here"),
  Mistake("fixture: 1\nabout: &a x\n", "a.yaml:2: an anchor: fixtures have none; write the value where it is used, or quote the text"),
  Mistake("fixture: 1\nabout: *a\n", "a.yaml:2: an alias: fixtures have none; write the value where it is used, or quote the text"),
  Mistake("fixture: 1\nabout: !!str x\n", "a.yaml:2: a tag: fixtures have none; remove it, or quote the text"),
  Mistake("%YAML 1.1\n---\nfixture: 1\n", "a.yaml:1: a directive: fixtures have none; remove it"),
  Mistake("fixture: 1\n<<: {about: x}\n", "a.yaml:2: a merge key: fixtures have none; write the entries out"),
  Mistake("fixture: 1\n? [a]\n: b\n", "a.yaml:2: a complex key: a fixture's keys are plain words and addresses"),
  Mistake("fixture: 1\n[a]: b\n", "a.yaml:2: a key is a plain word, not a collection"),
  Mistake("fixture: 1\nload: [[[[[[[[[[[[[[[[[\n", "a.yaml:2: nested deeper than 16 levels"),
  Mistake("fixture: 1\nload: [", "a.yaml:3: not YAML: did not find expected node content while parsing a flow node from line 3"),
  Mistake("fixture: 1\nabout: \"x\n", "a.yaml:2: a quotation that does not end"),
  Mistake("fixture: 1\nabout: a\0b\n", "a.yaml:2: a NUL byte: a fixture is text"),
  Mistake("fixture: 1\nabout: \u{1}\n", "a.yaml:2: not YAML: control characters are not allowed"),
  Mistake("calls: [{on: t, call: nt!F, with: {A: {wirte: {}}}}]\n", "did you mean “write”?", after: world),
  Mistake(
    "calls: [{on: t, call: nt!F, with: [82210020]}]\n",
    "a.yaml:4: “82210020” needs 0x: write 0x82210020, or 0x4e66ce4 for the decimal number", after: world),
  Mistake("calls: [{on: t, call: 8042d0a0}]\n", "a.yaml:4: an address needs 0x: write 0x8042d0a0", after: world),
  Mistake("calls: [{on: t, call: nt!F, with: [IoReadAcess]}]\n", "did you mean “IoReadAccess”?", after: world),
  Mistake(
    "calls: [{on: t, call: nt!F, with: {D: {read: {code: 3}}}}]\n", "a.yaml:4: “code” is not read here: “read” is no control operation",
    after: world),
  Mistake(
    "calls:\n- {on: t, call: nt!F, with: {D: {write: {lenght: 3}}}}\n", "a.yaml:5: unknown key “lenght”, expected one of buffer, length,",
    after: world),
  Mistake("calls: [{on: p, call: nt!F}]\n", "a.yaml:4: “p” is a process, and “on” takes a thread", after: world),
  Mistake(
    "calls: [{on: t, call: nt!F, expect: {raises: STATUS_X, limit: time}}]\n", "a.yaml:4: “limit” is not read here: a call ends in one way",
    after: world),
  Mistake(
    "calls: [{on: t, call: nt!F, expect: {raises: STATUS_X, parameters: []}}]\n",
    "a.yaml:4: “parameters” is not read here: only a bugcheck has", after: world),
  Mistake(
    "calls: [{exti: p}]\n",
    "a.yaml:4: unknown step “exti”, expected one of call, issue, exit, create-process, create-thread, exit-thread, map, unmap, protect, store, page-out, load, unload, open, ioctl, read, write, close, run, expect, add-device, pnp, power, interrupt, mount, dismount, connect, get-message, reply-message, send-message, filter-load, filter-unload, serve (did you mean “exit”?)",
    after: world),
  Mistake("calls: [{on: t}]\n", "a.yaml:4: “on” belongs to a step that has “call”", after: world),
  Mistake(
    "calls: [{exit: p, unmap: {}}]\n",
    "a.yaml:4: a step has one of call, issue, exit, create-process, create-thread, exit-thread, map, unmap, protect, store, page-out, load, unload, open, ioctl, read, write, close, run, expect, add-device, pnp, power, interrupt, mount, dismount, connect, get-message, reply-message, send-message, filter-load, filter-unload, serve, not several",
    after: world),
  Mistake("calls: [{store: {process: p, at: 0x10000, fill: 1}}]\n", "“fill” is not read here", after: world),
  Mistake("calls: [{on: t, call: nt!F, irql: HIGH}]\n", "a.yaml:4: unknown IRQL “HIGH”", after: world),
  Mistake("patches: [{at: nt!F, bytes: 90 90, was: 90}]\n", "a.yaml:4: “was” has 1 bytes and “bytes” has 2", after: world),
  Mistake("expect: {verdict: right}\n", "a.yaml:4: unknown verdict “right”, expected one of right-process", after: world),
  Mistake(
    "sections: {s: {size: 0x1000}}\nkernel: {0x1000: {size: 0x1000}}\n", "a.yaml:5: kernel memory begins at 0x80000000", after: world),
]

@Test("each mistake is named at its line", arguments: mistakes)
func mistake(_ mistake: Mistake) {
  let message = message(mistake.yaml)
  let found = mistake.expected.hasPrefix("a.yaml") ? message.hasPrefix(mistake.expected) : message.contains(mistake.expected)
  #expect(found, "\(message)")
}

@Test("aliases that would expand to millions are refused at once, wherever they hide")
func aliases() {
  var yaml = "fixture: 1\nabout: [\n"
  for (name, next) in zip("abcdefghijklmnopq", "bcdefghijklmnopqr") {
    yaml += name == "a" ? "&a x,\n" : ""
    yaml += "&\(next) [" + String(repeating: "*\(name),", count: 9) + "],\n"
  }
  #expect(message(yaml + "]\n").hasPrefix("a.yaml:3: an anchor"))
  for hidden in ["load: [a\n 'b, &a x]", "about: |2\n &a x", "about: >\n  \"\nname: &a x", "about: 'it''s' # '\nname: &a x"] {
    #expect(message("fixture: 1\n\(hidden)\n").contains("an anchor"), "\(hidden)")
  }
  #expect(message("fixture: 1\nabout: it's\n  &a x\n") == "no error")
}

@Test("files that are missing, folders, empty or no text are told apart")
func files() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fixtures-\(UInt64.random(in: 0 ... .max))")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  func read(_ name: String, _ bytes: [UInt8]? = nil) throws -> FixtureError? {
    let path = folder.appendingPathComponent(name)
    if let bytes { try Data(bytes).write(to: path) }
    do throws(FixtureError) { _ = try Fixture(contentsOf: path.path) } catch { return error }
    return nil
  }
  let missing = try #require(try read("none.yaml"))
  #expect(missing.kind == .missingFile && missing.exitCode == 66 && missing.message == "no such file")
  #expect(try read("")?.message == "a directory, not a fixture")
  #expect(try read("empty.yaml", [])?.message == "the file is empty; expected a fixture, which begins with “fixture: 1”")
  #expect(try read("nul.yaml", Array("fixture: 1\n\0".utf8))?.line == 2)
  let latin = try #require(try read("latin.yaml", Array("fixture: 1\nabout: h".utf8) + [0xe9, 10]))
  #expect(latin.message == "not UTF-8" && latin.line == 2 && latin.exitCode == 65)
  #expect(try read("large.yaml", Array(repeating: 0x20, count: 4 << 20 + 1))?.message == "larger than 4 MiB")
  #expect(try read("good.yaml", [0xef, 0xbb, 0xbf] + Array(lockFromSystemWorker.utf8)) == nil)
  #expect(try read("cut.yaml", Array(lockFromSystemWorker.utf8.prefix(230))) != nil)
}

@Test("100,000 values are enough")
func manyValues() {
  let yaml = "fixture: 1\nexpect: {messages: [" + String(repeating: "a,", count: 100_001) + "]}\n"
  #expect(message(yaml).hasSuffix("more than 100,000 values"))
}
