import Foundation
import Testing

@testable import Emulation

@Test("the schema has the keys that the reader has")
func schemaKeys() throws {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  let data = try Data(contentsOf: root.appendingPathComponent("images/fixture.schema.json"))
  let schema = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
  for table in KeyTable.all {
    let properties = definitions[table.name]?["properties"] as? [String: [String: Any]]
    #expect(properties?.keys.sorted() == table.keys.sorted(), "\(table.name)")
    #expect((definitions[table.name]?["required"] as? [String] ?? []).sorted() == table.required.sorted(), "\(table.name)")
    #expect(definitions[table.name]?["additionalProperties"] as? Bool == false, "\(table.name)")
  }
  let objects = definitions.filter { $0.value["properties"] != nil }.keys
  #expect(Set(objects) == Set(KeyTable.all.map(\.name)))

  func words(_ object: String, _ key: String) -> [String]? {
    (definitions[object]?["properties"] as? [String: [String: Any]])?[key]?["enum"] as? [String]
  }
  #expect(words("region", "kind") == Fixture.Region.Kind.allCases.map(\.rawValue))
  #expect(words("region", "protection") == Fixture.Protection.allCases.map(\.rawValue))
  #expect(words("call", "kind") == Fixture.Call.Kind.allCases.map(\.rawValue))
  #expect(words("operation", "method") == Fixture.Operation.Method.allCases.map(\.rawValue))
  #expect(words("open", "disposition") == Fixture.Opening.Disposition.allCases.map(\.rawValue))
  let options = (definitions["open"]?["properties"] as? [String: [String: Any]])?["options"]?["items"] as? [String: [String]]
  #expect(options?["enum"] == Fixture.Opening.options.keys.sorted())
  #expect(words("operation", "mode") == Fixture.Operation.Mode.allCases.map(\.rawValue))
  #expect(words("expectation", "verdict") == Fixture.VerdictName.known.map(\.rawValue))
  #expect(words("expectation", "outcome") == Fixture.OutcomeName.known.map(\.rawValue))
  #expect(words("call-expectation", "limit") == Fixture.Limit.allCases.map(\.rawValue))
  #expect(words("fault", "access") == Fixture.FaultExpectation.Access.allCases.map(\.rawValue))
  #expect(words("lock", "operation") == Fixture.Expectation.Lock.Access.allCases.map(\.rawValue))
}
