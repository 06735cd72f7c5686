import NTKernel
import WindowsTypes

extension FixtureReader {
  func readRegistry(_ node: FixtureNode) throws(FixtureError) -> [Fixture.RegistryKey] {
    var keys: [Fixture.RegistryKey] = []
    for (key, value) in try node.entries() {
      let path = try key.text()
      guard Registry.isPath(path) else {
        throw key.error("\(quoted(path)) is no key of the registry: write \\Registry\\Machine\\…, HKLM\\…, HKU\\… or Services\\…")
      }
      var made = Fixture.RegistryKey(path, origin: key.origin)
      if value.isScalar {
        guard try value.text() == "absent" else {
          throw value.error("a key takes a mapping {value: {dword: 1}, …}, or “absent”, not \(value.described)")
        }
        made.isAbsent = true
      } else {
        for (name, data) in try value.entries() { made.values.append(try readRegistryValue(name, data)) }
      }
      keys.append(made)
    }
    return keys
  }

  private func readRegistryValue(_ name: FixtureNode, _ node: FixtureNode) throws(FixtureError) -> Fixture.RegistryValue {
    let text = try name.text()
    guard text.utf16.count <= 16383 else { throw name.error("a value's name has at most 16383 characters") }
    let title = text == "@" ? "" : text
    if node.isScalar, try node.text() == "absent" { return .init(title, nil) }
    guard node.isMapping else {
      throw node.error("a value says its type: {dword: 1}, {sz: text}, {multi-sz: [a, b]}, {binary: 0a 0b}, …, or is “absent”")
    }
    return .init(title, try readRegistryData(try node.fields(.registryValue)))
  }

  private func readRegistryData(_ fields: Fields) throws(FixtureError) -> RegistryData {
    let spelled = KeyTable.registryTypes
    guard let kind = fields.given(spelled).first, let node = fields[kind] else {
      guard let type = fields["type"] else { throw fields.node.error("a value needs its type: one of \(spelled.joined(separator: ", "))") }
      return RegistryData(try registryType(type), try fields["bytes"]?.bytes() ?? [])
    }
    try fields.refuse(spelled.filter { $0 != kind } + ["type", "bytes"], because: "the data is given by \(quoted(kind))")
    switch kind {
    case "sz": return .string(try node.text())
    case "expand-sz": return .expandableString(try node.text())
    case "multi-sz":
      var texts: [String] = []
      for element in try node.list() { texts.append(try element.text()) }
      return .strings(texts)
    case "dword": return .dword(UInt32(truncatingIfNeeded: try node.count(upTo: 0xffff_ffff)))
    case "qword": return .qword(try node.count())
    default: return .binary(try node.bytes())
    }
  }

  private func registryType(_ node: FixtureNode) throws(FixtureError) -> RegistryValueType {
    let text = try node.text()
    if text.first?.isNumber == true { return RegistryValueType(rawValue: UInt32(truncatingIfNeeded: try node.count(upTo: 0xffff_ffff))) }
    guard let type = RegistryValueType(name: text) else {
      throw node.unknown("type \(quoted(text))", text, among: RegistryValueType.names.map(\.1))
    }
    return type
  }
}
