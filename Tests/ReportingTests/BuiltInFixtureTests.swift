import Emulation
import GuestCode
import Testing

@Test("every built-in fixture comes out as it says", arguments: Golden.all)
func isAsExpected(_ golden: Golden) throws {
  for mismatch in try golden.outcome().mismatches { Issue.record("\(mismatch)") }
}

@Test("every built-in fixture can be read, has a name of its own and says what it shows")
func areReadable() throws {
  for file in BuiltIn.fixtures { #expect(throws: Never.self) { try Fixture.all(yaml: file.text, file: file.name) } }
  let builtInFixtures = Golden.all.flatMap(\.fixtures)
  #expect(Set(builtInFixtures.map(\.name)).count == builtInFixtures.count)
  for fixture in builtInFixtures { #expect(!fixture.about.isEmpty && !fixture.about.hasSuffix("."), "\(fixture.name)") }
  #expect(builtInFixtures.count >= 45)
}
