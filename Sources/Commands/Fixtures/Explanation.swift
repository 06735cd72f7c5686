import Emulation
import Guest
import Images
import Reporting

/// The world that a fixture's run took place in, with every choice that the fixture left open.
struct Explanation {
  let run: Run
  private var names: Names { run.names }

  init(_ run: Run) { self.run = run }

  var text: String {
    var lines = ["\(run.fixture.name): \(names.target)" + (run.fixture.about.isEmpty ? "" : ", \(run.fixture.about)")]
    lines.append("processes")
    for process in names.processes {
      lines.append("  \(process.title.padded(to: 28)) EPROCESS \(address(process.object))")
      lines += (run.fixture.process(process.name)?.memory ?? []).map { "    " + describe($0) }
    }
    lines.append("threads")
    for thread in names.threads {
      lines.append("  \(thread.name.padded(to: 28)) ETHREAD  \(address(thread.object)) of \(names.processes[thread.owner].title)")
    }
    if !run.fixture.kernel.isEmpty {
      lines.append("kernel memory")
      lines += run.fixture.kernel.map { "    " + describe($0) }
    }
    lines.append("images")
    for image in names.images {
      lines.append("  \(image.name.padded(to: 28)) \(address(image.base)) to \(address(image.base + image.size))")
      for item in image.imports.sorted(by: { $0.slot < $1.slot }) {
        lines.append("    \(address(item.slot)) \("\(item.module)!\(item.name)".padded(to: 38)) \(binding(item).title)")
      }
    }
    if !run.startOrder.isEmpty {
      lines.append("drivers, as they start")
      for start in run.startOrder {
        lines.append("  \(start.driver.padded(to: 28)) \(start.reason)" + (start.obstacle.map { ": not started, \($0)" } ?? ""))
      }
    }
    return Console.printable(lines.joined(separator: "\n"), keeping: "\n") + "\n\n"
  }

  var json: JSONValue {
    .object([
      "target": .string(names.target.name),
      "processes": .array(
        names.processes.map { process in
          .object([
            "name": .string(process.name), "id": .number(Int(clamping: process.uniqueID)), "object": .address(process.object),
            "memory": .array((run.fixture.process(process.name)?.memory ?? []).map(json)),
          ])
        }),
      "threads": .array(
        names.threads.map {
          .object(["name": .string($0.name), "process": .string(names.processes[$0.owner].name), "object": .address($0.object)])
        }),
      "startOrder": .array(
        run.startOrder.map {
          .object(["driver": .string($0.driver), "reason": .string($0.reason), "obstacle": $0.obstacle.map { .string($0) } ?? .null])
        }),
      "images": .array(
        names.images.map { image in
          .object([
            "name": .string(image.name), "base": .address(image.base), "size": .hexadecimal(image.size),
            "imports": .array(
              image.imports.sorted { $0.slot < $1.slot }.map {
                .object([
                  "slot": .address($0.slot), "name": .string("\($0.module)!\($0.name)"), "bound": .string(binding($0).title),
                  "address": binding($0).address.map { .address($0) } ?? .null,
                ])
              }),
          ])
        }),
    ])
  }

  /// What an import leads to: the order is the loader's.
  private func binding(_ item: Image.Import) -> (title: String, address: UInt64?) {
    let exporters = names.images.filter { $0.name == item.module } + names.images
    if let image = exporters.first(where: { $0.exports[item.name] != nil }), let found = image.exports[item.name] {
      return ("-> \(image.name)!\(item.name) \(address(found)), guest code", found)
    }
    if let number = names.exports[item.module, item.name], names.trapAddresses.indices.contains(number) {
      return ("-> \(address(names.trapAddresses[number])), provided by Probelock", names.trapAddresses[number])
    }
    return ("-> nothing: a call ends the run", nil)
  }

  private func address(_ address: UInt64) -> String { hex(address, names.target) }

  private func describe(_ region: Fixture.Region) -> String {
    var words = [region.kind.rawValue, region.protection.rawValue]
    if region.guard { words.append("guard") }
    if let section = region.section { words.append("section \(section)+0x\(hex(region.sectionOffset, digits: 1))") }
    if let pager = region.pager { words.append("pager fails with \(pager)") }
    if let name = region.name { words.append("called \(name)") }
    let pages = (region.size + 0xfff) >> 12
    return
      "\(address(region.address)) to \(address(region.address &+ region.size)) \(pages == 1 ? "1 page" : "\(pages) pages"): \(words.joined(separator: ", "))"
  }

  private func json(_ region: Fixture.Region) -> JSONValue {
    .object([
      "address": .address(region.address), "size": .hexadecimal(region.size), "kind": .string(region.kind.rawValue),
      "protection": .string(region.protection.rawValue), "guard": .bool(region.guard),
      "section": region.section.map { .string($0) },
    ])
  }
}
