import Emulation
import Foundation
import Testing

let laterSteps = #"""
  fixture: 1
  load: [neither.sys]
  processes: {client.exe: {id: 1232, memory: {0x00130000: {size: 0x1000, text: ping}}}}
  threads: {client: client.exe}
  calls:
  - {on: client, open: '\\.\Neither', as: device}
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

@Test(
  "each mistake is named at its line",
  arguments: [
    ("fixture: 2", "a.yaml:1: format version “2”: this build reads version 1"),
    ("about: x", "a.yaml:1: a fixture needs the key “fixture”"),
    ("", "a.yaml: there is no fixture in it: one begins with “fixture: 1”"),
    ("# nothing\n", "a.yaml: there is no fixture in it: one begins with “fixture: 1”"),
    ("- 1", "a.yaml:1: a fixture is a mapping that begins with “fixture: 1”, not a list"),
    ("fixture: 1\nabout:\n", "a.yaml:2: “about” has no value"),
    ("fixture: 1\nload: nt.listing\n", "a.yaml:2: “load” takes a list […], not “nt.listing”"),
    ("fixture: 1\nseed: 010\n", "a.yaml:2: “010” begins with a zero: write 10 or 0x10"),
    ("fixture: 1\nseed: 12:30:10\n", "a.yaml:2: “seed” takes a number, not “12:30:10”"),
    ("fixture: 1\nlimits: {time: 10}\n", "a.yaml:2: “10” needs its unit: write 100ns, 5us, 2ms, 10s or 1min"),
    ("fixture: 1\nlimits: {memory: 4KB}\n", "a.yaml:2: “4KB” is not a size: write 0x3000, 12288 or 12KiB"),
    ("fixture: 1\nprocesses: {1a: {id: 1233}}\n", "a.yaml:2: the identifier 1233 is not a multiple of 4, as Windows’ identifiers are"),
    ("fixture: 1\nprocesses: {a: {id: 8}, b: {id: 8}}\n", "a.yaml:2: the identifier 8 is already that of “a” (line 2)"),
    ("fixture: 1\nprocesses: {a: {memory: {82210020: {size: 0x1000}}}}\n", "a.yaml:2: an address needs 0x: write 0x82210020"),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 3000}}}}\n",
      "a.yaml:2: “size” is not in whole pages of 0x1000 bytes (did you mean 0x3000?)"
    ),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x10004: {size: 0x1000}}}}\n",
      "a.yaml:2: 0x10004 is not the first address of a page of 0x1000 bytes"
    ),
    (
      "fixture: 1\nprocesses:\n  a:\n    memory:\n      0x10000: {size: 0x2000}\n      0x11000: {size: 0x1000}\n",
      "a.yaml:6: the region at 0x11000 overlaps the one at 0x10000 (line 5)"
    ),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x7ffff000: {size: 0x2000}}}}\n",
      "a.yaml:2: a process's memory ends at 0x80000000, where the kernel's begins"
    ),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, pager: STATUS_IN_PAGE_ERROR}}}}\n",
      "a.yaml:2: “pager” is not read here: only pages of the kind “paged-out” are read in"
    ),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, text: a, bytes: 00}}}}\n",
      "a.yaml:2: “bytes” is not read here: the content is given by “text”"
    ),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, kind: reserved, text: a}}}}\n",
      "a.yaml:2: “text” is not read here: pages of the kind “reserved” hold nothing yet"
    ),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, offset: 0}}}}\n",
      "a.yaml:2: “offset” is not read here: the region has no “section”"
    ),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, guard: yes}}}}\n",
      "a.yaml:2: “guard” is true or false, not “yes”"
    ),
    (
      "fixture: 1\nprocesses: {a: {memory: {0x10000: {size: 0x1000, kind: demand-zeroed}}}}\n",
      "a.yaml:2: unknown value “demand-zeroed” of “kind”, expected one of valid, demand-zero, copy-on-write, no-access, reserved, "
        + "decommitted, paged-out (did you mean “demand-zero”?)"
    ),
    ("fixture: 1\nprocesses: {a: {memory: {0x10000: {bytes: 4}}}}\n", "a.yaml:2: “bytes”: “4” is not pairs of hexadecimal digits"),
    ("fixture: 1\nprocesses: {a: {}}\nthreads: {a: a}\n", "a.yaml:3: “a” already names a process (line 2)"),
    (
      "fixture: 1\nprocesses: {app.exe: {}}\nthreads: {t: ap.exe}\n",
      "a.yaml:3: unknown process “ap.exe”, expected one of app.exe (did you mean “app.exe”?)"
    ),
    ("fixture: 1\nprocesses: {}\nprocesses: {}\n", "a.yaml:2: duplicate key “processes”, first given here"),
    ("fixture: 1\nabout: &a x\n", "a.yaml:2: an anchor: fixtures have none; write the value where it is used, or quote the text"),
    ("fixture: 1\nabout: *a\n", "a.yaml:2: an alias: fixtures have none; write the value where it is used, or quote the text"),
    ("fixture: 1\nabout: !!str x\n", "a.yaml:2: a tag: fixtures have none; remove it, or quote the text"),
    ("%YAML 1.1\n---\nfixture: 1\n", "a.yaml:1: a directive: fixtures have none; remove it"),
    ("fixture: 1\n<<: {about: x}\n", "a.yaml:2: a merge key: fixtures have none; write the entries out"),
    ("fixture: 1\n? [a]\n: b\n", "a.yaml:2: a complex key: a fixture's keys are plain words and addresses"),
    ("fixture: 1\n[a]: b\n", "a.yaml:2: a key is a plain word, not a collection"),
    ("fixture: 1\nload: " + String(repeating: "[", count: 17) + "\n", "a.yaml:2: nested deeper than 16 levels"),
    ("fixture: 1\nload: [", "a.yaml:3: not YAML: did not find expected node content while parsing a flow node from line 3"),
    ("fixture: 1\nabout: \"x\n", "a.yaml:2: a quotation that does not end"),
    ("fixture: 1\nabout: a\0b\n", "a.yaml:2: a NUL byte: a fixture is text"),
    ("fixture: 1\nabout: \u{1}\n", "a.yaml:2: not YAML: control characters are not allowed"),
    (laterSteps, "a.yaml:6: steps with “open” are not there yet"),
    (world + "calls: [{on: t, call: nt!F, with: {A: {wirte: {}}}}]\n", "did you mean “write”?"),
    (
      world + "calls: [{on: t, call: nt!F, with: [82210020]}]\n",
      "a.yaml:4: “82210020” needs 0x: write 0x82210020, or 0x4e66c64 for the decimal number"
    ),
    (world + "calls: [{on: t, call: 8042d0a0}]\n", "a.yaml:4: an address needs 0x: write 0x8042d0a0"),
    (world + "calls: [{on: t, call: nt!F, with: [IoReadAcess]}]\n", "did you mean “IoReadAccess”?"),
    (
      world + "calls: [{on: t, call: nt!F, with: {D: {read: {code: 3}}}}]\n",
      "a.yaml:4: “code” is not read here: “read” is no control operation"
    ),
    (
      world + "calls:\n- {on: t, call: nt!F, with: {D: {write: {lenght: 3}}}}\n",
      "a.yaml:5: unknown key “lenght”, expected one of buffer, length,"
    ),
    (world + "calls: [{on: p, call: nt!F}]\n", "a.yaml:4: “p” is a process, and “on” takes a thread"),
    (
      world + "calls: [{on: t, call: nt!F, expect: {raises: STATUS_X, limit: time}}]\n",
      "a.yaml:4: “limit” is not read here: a call ends in one way"
    ),
    (
      world + "calls: [{on: t, call: nt!F, expect: {raises: STATUS_X, parameters: []}}]\n",
      "a.yaml:4: “parameters” is not read here: only a bugcheck has"
    ),
    (
      world + "calls: [{exti: p}]\n",
      "a.yaml:4: unknown step “exti”, expected one of call, exit, map, unmap, protect, store, page-out, expect (did you mean “exit”?)"
    ),
    (world + "calls: [{on: t}]\n", "a.yaml:4: “on” belongs to a step that has “call”"),
    (
      world + "calls: [{exit: p, unmap: {}}]\n",
      "a.yaml:4: a step has one of call, exit, map, unmap, protect, store, page-out, expect, not several"
    ),
    (world + "calls: [{store: {process: p, at: 0x10000, fill: 1}}]\n", "“fill” is not read here"),
    (world + "calls: [{on: t, call: nt!F, irql: HIGH}]\n", "a.yaml:4: unknown IRQL “HIGH”"),
    (world + "patches: [{at: nt!F, bytes: 90 90, was: 90}]\n", "a.yaml:4: “was” has 1 bytes and “bytes” has 2"),
    (world + "expect: {verdict: right}\n", "a.yaml:4: unknown verdict “right”, expected one of right-process"),
    (world + "sections: {s: {size: 0x1000}}\nkernel: {0x1000: {size: 0x1000}}\n", "a.yaml:5: kernel memory begins at 0x80000000"),
  ])
func mistakes(yaml: String, expected: String) {
  let message = message(yaml)
  #expect(expected.hasPrefix("a.yaml") ? message.hasPrefix(expected) : message.contains(expected), "\(message)")
}

@Test("aliases that would expand to millions are refused at once, wherever they hide")
func aliases() {
  var yaml = "fixture: 1\nabout: [\n"
  for (name, next) in zip("abcdefghijklmnopq", "bcdefghijklmnopqr") {
    yaml += name == "a" ? "&a x,\n" : ""
    yaml += "&\(next) [" + String(repeating: "*\(name),", count: 9) + "],\n"
  }
  #expect(message(yaml + "]\n").hasPrefix("a.yaml:3: an anchor"))
  for hidden in ["about: it's\n  &a x", "about: |2\n &a x", "load: [a\n 'b, &a x]", "about: >\n  \"\nname: &a x"] {
    #expect(message("fixture: 1\n\(hidden)\n") != "no error" || !hidden.contains("name"), "\(hidden)")
  }
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
  #expect(try read("empty.yaml", [])?.message == "empty: a fixture begins with “fixture: 1”")
  #expect(try read("nul.yaml", Array("fixture: 1\n\0".utf8))?.line == 2)
  let latin = try #require(try read("latin.yaml", Array("fixture: 1\nabout: h".utf8) + [0xe9, 10]))
  #expect(latin.message == "not UTF-8" && latin.line == 2 && latin.exitCode == 65)
  #expect(try read("large.yaml", Array(repeating: 0x20, count: 4 << 20 + 1))?.message == "larger than 4 MiB")
  #expect(try read("good.yaml", [0xef, 0xbb, 0xbf] + Array(lockFromSystemWorker.utf8)) == nil)
  #expect(try read("cut.yaml", Array(lockFromSystemWorker.utf8.prefix(300))) != nil)
}

@Test("100,000 values are enough")
func manyValues() {
  let yaml = "fixture: 1\nexpect: {messages: [" + String(repeating: "a,", count: 100_001) + "]}\n"
  #expect(message(yaml).hasSuffix("more than 100,000 values"))
}
