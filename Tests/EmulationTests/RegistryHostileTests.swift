import Emulation
import Events
import Testing

/// The registry's calls with arguments that no driver should pass: each run ends in an outcome.
@Suite("Hostile registry calls") struct RegistryHostileTests {
  private static let routines: [(String, Int)] = [
    ("ZwOpenKey", 3), ("ZwCreateKey", 7), ("ZwDeleteKey", 1), ("ZwSetValueKey", 6), ("ZwDeleteValueKey", 2), ("ZwFlushKey", 1),
    ("ZwQueryKey", 5), ("ZwEnumerateKey", 6), ("ZwQueryValueKey", 6), ("ZwEnumerateValueKey", 6), ("ZwNotifyChangeKey", 10),
    ("CmRegisterCallback", 3), ("CmRegisterCallbackEx", 6), ("CmUnRegisterCallback", 2), ("CmCallbackGetKeyObjectID", 4),
    ("RtlQueryRegistryValues", 5), ("RtlWriteRegistryValue", 6), ("RtlDeleteRegistryValue", 3), ("RtlCreateRegistryKey", 2),
    ("RtlCheckRegistryKey", 2), ("RtlFormatCurrentUserKeyPath", 1), ("ZwLoadDriver", 1), ("ZwUnloadDriver", 1),
    ("IopLoadUnloadDriver", 1), ("IopReinitializeDriver", 1), ("NtOpenKey", 3), ("NtSetValueKey", 6), ("NtQueryKey", 5),
  ]
  private static let words: [Int] = [0, 1, -1, 0x42_0000, 0x7fff_fff0, 0xf8e1_0000, 0xf8e1_0ffe, 0x4000_0000]

  @Test("no argument crashes the run or hangs it", arguments: routines.indices)
  func arguments(index: Int) throws {
    let (routine, count) = Self.routines[index]
    for (index, word) in Self.words.enumerated() {
      for other in [Self.words[(index + 1) % Self.words.count], Self.words[(index + 4) % Self.words.count]] {
        let arguments = (0..<count).map { Fixture.Argument(integerLiteral: $0.isMultiple(of: 2) ? word : other) }
        let fixture = Fixture(
          "hostile", limits: Fixture.Limits(instructions: 50_000, memory: 32 << 20, trace: 8 << 20),
          processes: [Fixture.Process("notepad.exe", id: 1232, memory: [Fixture.Region(at: 0x42_0000, size: 0x2000, .fill(0xff))])],
          threads: [Fixture.Thread("client", in: "notepad.exe")],
          kernel: [Fixture.Region(at: 0xf8e1_0000, size: 0x1000, .fill(0x41), name: "data")],
          steps: [
            .init(
              .call(
                .init(
                  on: "client", .symbol(module: "nt", name: routine, offset: 0), with: .init(arguments.map { .init(nil, $0) }), expect: .any
                )))
          ])
        _ = try emulate(fixture)
      }
    }
  }

  @Test("a callback that calls what it is called for runs out of stack, not of host memory") func recursion() throws {
    let names = try emulate(Fixture("names")).names
    let routine = names.trapAddresses[try #require(names.exports["nt", "RtlCheckRegistryKey"])]
    // push path; push RTL_REGISTRY_SERVICES; mov eax,routine; call eax; ret 0Ch
    let code: [UInt8] =
      [0x68, 0, 0, 0xe2, 0xf8, 0x6a, 1, 0xb8] + HostileTests.bytes(UInt32(routine)) + [0xff, 0xd0, 0xc2, 0x0c, 0]
    let run = try emulate(
      Fixture(
        "recursion", limits: Fixture.Limits(instructions: 200_000, memory: 64 << 20, trace: 32 << 20),
        threads: [Fixture.Thread("system", in: "System")],
        kernel: [
          Fixture.Region(at: 0xf8e0_0000, size: 0x1000, .bytes(code), protection: .executeRead, name: "code"),
          Fixture.Region(at: 0xf8e2_0000, size: 0x1000, .zeros, name: "data"),
        ],
        steps: [
          .init(.call(.init(on: "system", "nt!CmRegisterCallback", with: [0xf8e0_0000, 0, 0xf8e2_0100], expect: .any))),
          .init(.call(.init(on: "system", "nt!RtlCheckRegistryKey", with: [1, 0xf8e2_0000], expect: .any))),
        ]))
    guard case .bugCheck(let bugCheck) = run.outcome else {
      Issue.record("\(run.outcome)")
      return
    }
    // UNEXPECTED_KERNEL_MODE_TRAP, a double fault: the stack is used up.
    #expect(bugCheck.code.rawValue == 0x7f && bugCheck.parameters[0] == 8)
  }
}
