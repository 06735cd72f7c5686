import Emulation
import Events
import NTKernel
import Verification
import WindowsTypes

extension Run {
  /// The run as one JSON object: outcome, verdict, findings, locks, messages and what was not as expected.
  public var json: JSONValue {
    let lines = mismatches.map { mismatch -> JSONValue in
      .object(["line": mismatch.line.map { .number($0) }, "sentence": .string(mismatch.sentence)])
    }
    return .object([
      "name": .string(fixture.name), "about": fixture.about.isEmpty ? nil : .string(fixture.about),
      "target": .string(names.target.name), "asExpected": .bool(isAsExpected),
      "mismatches": .array(lines),
      "outcome": outcome.json, "verdict": .string(verdict.rawValue), "sentence": .string(sentence),
      "findings": .array(findings.map { json($0) }), "locks": .array(locks.map { json($0) }),
      "drivers": drivers.isEmpty ? nil : .array(drivers.map { json($0) }),
      "missing": missing.map { (missing: MissingRoutine) -> JSONValue in json(missing) },
      "stubs": stubs.isEmpty ? nil : .array(stubs.map { json($0) }),
      "messages": .array(messages.map { .string($0) }), "instructions": .number(Int(clamping: instructions)),
    ])
  }

  private func json(_ missing: MissingRoutine) -> JSONValue {
    .object([
      "module": .string(missing.module), "name": .string(missing.name), "site": json(missing.site),
      "importers": .number(missing.importers), "countedDrivers": .number(KnownRoutines.countedDrivers),
      "nearest": missing.nearest.map { .string($0) }, "about": missing.about.map { .string($0) },
      "introduced": missing.introduced.map { .string("\($0)") },
    ])
  }

  private func json(_ record: DriverRecord) -> JSONValue {
    .object([
      "driver": .string(record.driver), "phase": .string("\(record.phase)"), "status": record.status.map { .string("\($0)") },
      "isSuccess": .bool(record.status?.isSuccess ?? false), "devices": .number(record.devices),
      "symbolicLinks": .array(record.linkPaths.map { .string($0) }), "kernelCalls": .number(record.kernelCalls),
      "instructions": .number(Int(clamping: record.instructions)),
      "milliseconds": record.phase == .settle ? .number(Int(clamping: record.duration / 10_000)) : nil,
      "leftBehind": .array(record.leftBehind.map { .string($0) }),
    ])
  }

  private func json(_ stub: StubCalls) -> JSONValue {
    .object([
      "routine": .string(stub.routine), "value": .address(UInt64(stub.value)), "stackBytes": .number(stub.stackBytes),
      "calls": .number(stub.count), "site": json(stub.site),
    ])
  }

  private func json(_ finding: Finding) -> JSONValue {
    .object([
      "rule": .string(finding.rule), "sentence": .string(finding.sentence), "site": finding.site.map { json($0) },
      "isWrongProcess": .bool(finding.isWrongProcess),
    ])
  }

  private func json(_ lock: LockRecord) -> JSONValue {
    let event = lock.event
    return .object([
      "mdl": .address(event.mdl), "address": .address(event.address), "length": .number(Int(clamping: event.length)),
      "pages": .number(event.frames.count), "operation": .string("\(event.intent)"), "routine": .string(event.routine),
      "holder": json(process: lock.holder), "requestor": json(process: event.requestor), "account": json(process: event.account),
      "current": json(process: event.current), "judgement": .string("\(lock.judgement)"), "runningIn": json(process: lock.runningIn),
      "isUndone": .bool(lock.isUndone), "frames": .array(event.frames.map { .hexadecimal(UInt64($0)) }),
      "site": json(event.site),
    ])
  }

  private func json(_ site: Site) -> JSONValue {
    .object([
      "address": .address(site.ip), "symbol": names.symbol(at: site.ip).map { .string($0) },
      "stack": .array(site.stack.map { .object(["address": .address($0), "symbol": names.symbol(at: $0).map { .string($0) }]) }),
    ])
  }

  private func json(process id: ProcessID?) -> JSONValue {
    guard let id, names.processes.indices.contains(id) else { return .null }
    let process = names.processes[id]
    return .object(["name": .string(process.name), "id": .number(Int(clamping: process.uniqueID))])
  }
}

extension Outcome {
  /// What the run came to, as an object whose member `kind` says which.
  public var json: JSONValue {
    switch self {
    case .returned(let value): .object(["kind": "returned", "value": .address(value)])
    case .raised(let code):
      .object(["kind": "exception", "code": .address(UInt64(code)), "name": NTSTATUS(rawValue: code).name.map { .string($0) }])
    case .bugCheck(let check):
      .object([
        "kind": "bugcheck", "code": .hexadecimal(UInt64(check.code.rawValue)), "name": .string("\(check.code)"),
        "parameters": .array(check.parameters.map { .address($0) }),
      ])
    case .limit(let limit): .object(["kind": "limit", "limit": .string(limit.rawValue)])
    case .missingRoutine(let name): .object(["kind": "missing-routine", "routine": .string(name)])
    case .waiting: .object(["kind": "waiting"])
    case .stopped: .object(["kind": "stopped"])
    }
  }
}
