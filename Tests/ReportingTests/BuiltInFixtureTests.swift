import Emulation
import GuestCode
import Testing

/// Every fixture that is built in, in the order of their files.
let builtInFixtures: [Fixture] = BuiltIn.fixtures.flatMap { file in
  do {
    return try Fixture.all(yaml: file.text, file: file.name)
  } catch {
    Issue.record("\(error)")
    return []
  }
}

@Test("every built-in fixture comes out as it says", arguments: builtInFixtures)
func isAsExpected(_ fixture: Fixture) throws {
  let run = try emulate(fixture)
  for mismatch in run.mismatches {
    Issue.record("images/\(fixture.name).yaml:\(mismatch.line.map(String.init) ?? "?"): \(mismatch.sentence)")
  }
}

@Test("every built-in fixture can be read, has a name of its own and says what it shows")
func areReadable() throws {
  for file in BuiltIn.fixtures { #expect(throws: Never.self) { try Fixture.all(yaml: file.text, file: file.name) } }
  #expect(Set(builtInFixtures.map(\.name)).count == builtInFixtures.count)
  for fixture in builtInFixtures { #expect(!fixture.about.isEmpty && !fixture.about.hasSuffix("."), "\(fixture.name)") }
  #expect(builtInFixtures.count >= 45)
}

extension Fixture: CustomTestStringConvertible {
  public var testDescription: String { name }
}
