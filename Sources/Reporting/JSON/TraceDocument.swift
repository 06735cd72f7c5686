import Disassembly
import Emulation
import Events
import Guest
import WindowsTypes

extension Run {
  /// Hands the trace as JSON Lines to `sink`, one object a line, without line ends: a versioned head, everything that happened, and
  /// what it came to.
  public func writeTraceJSON(instructions: Bool = true, to sink: (String) -> Void) {
    func put(_ value: JSONValue) { sink(String(value.text(depth: 0).dropLast())) }
    put(
      .document([
        "kind": "trace", "name": .string(fixture.name), "target": .string(names.target.name),
        "images": .array(names.images.map { .string($0.name) }),
      ]))
    forEachTraceElement(instructions: instructions, put)
    put(
      .object([
        "kind": "end", "outcome": outcome.json, "instructions": .number(Int(clamping: self.instructions)),
        "isComplete": .bool(!events.isFull), "verdict": .string(verdict.rawValue), "sentence": .string(sentence),
        "findings": .array(findings.map { .object(["rule": .string($0.rule), "sentence": .string($0.sentence)]) }),
      ]))
  }

  /// Everything that happened, one JSON object each, in order; `instructions` says whether executed instructions are among them.
  public func traceJSON(instructions: Bool = true) -> [JSONValue] {
    var result: [JSONValue] = []
    forEachTraceElement(instructions: instructions) { result.append($0) }
    return result
  }

  private func forEachTraceElement(instructions: Bool, _ body: (JSONValue) -> Void) {
    let disassembler = Disassembler(names.target)
    let values = TraceValues(names: names)
    var process = 0
    events.forEach { element in
      switch element {
      case .block(let id):
        guard instructions else { return }
        for instruction in disassembler.decodeAll(events.blocks.bytes(of: id), at: events.blocks[id].address) {
          let address = instruction.address
          body(
            .object([
              "kind": "instruction", "address": .address(address), "symbol": names.symbol(at: address).map { .string($0) },
              "bytes": .bytes(instruction.bytes), "text": .string(instruction.text(symbol: names.symbol(at:))),
              "origin": names.image(at: address)?.origin(of: instruction.bytes, at: address).map { .string($0.rawValue) },
              "process": .string(title(process)),
            ]))
        }
      case .call(let routine, let returnAddress, let arguments):
        let export = names.exports.exports[routine]
        let named = values.arguments(export, arguments)
        body(
          .object([
            "kind": "call", "routine": .string("\(export.module)!\(export.name)"), "returnAddress": .address(returnAddress),
            "arguments": .array(
              named.map {
                .object(["name": .string($0.name), "value": .address($0.bits), "text": .string(values.text($0.bits, as: $0.type))])
              }),
            "process": .string(title(process)),
          ]))
      case .result(let routine, let value):
        let export = names.exports.exports[routine]
        body(
          .object([
            "kind": "return", "routine": .string("\(export.module)!\(export.name)"), "value": value.map { .address($0) } ?? .null,
            "text": value.flatMap { bits in export.resultType.map { .string(values.text(bits, as: $0)) } },
          ]))
      case .event(let event):
        if case .addressSpace(_, let to, _, _) = event { process = to }
        body(json(event))
      }
    }
  }

  private func title(_ id: ProcessID) -> String { names.processes.indices.contains(id) ? names.processes[id].title : "?" }

  /// `demand zero`, `raised STATUS_ACCESS_VIOLATION`, `bugcheck PAGE_FAULT_IN_NONPAGED_AREA (50)`
  private func resolution(_ resolution: FaultEvent.Resolution) -> String {
    switch resolution {
    case .repaired(let how): how
    case .raised(let code): "raised \(NTSTATUS(rawValue: code))"
    case .bugCheck(let code): "bugcheck \(BugCheckCode(rawValue: code))"
    }
  }

  private func json(_ event: Event) -> JSONValue {
    func site(_ site: Site) -> JSONValue { .string(names.symbol(at: site.ip) ?? "0x" + hex(site.ip)) }
    return switch event {
    case .addressSpace(let from, let to, let thread, let reason):
      .object([
        "kind": "address-space", "from": .string(title(from)), "to": .string(title(to)),
        "thread": names.threads.indices.contains(thread) ? .string(names.threads[thread].name) : nil, "reason": .string("\(reason)"),
      ])
    case .thread(let thread):
      .object(["kind": "thread", "thread": names.threads.indices.contains(thread) ? .string(names.threads[thread].name) : nil])
    case .fault(let fault):
      .object([
        "kind": "fault", "address": .address(fault.address), "access": .string(fault.access), "process": .string(title(fault.process)),
        "routine": fault.routine.map { .string($0) }, "resolution": .string(resolution(fault.resolution)), "site": site(fault.site),
      ])
    case .foreignAccess(let access):
      .object([
        "kind": "foreign-access", "access": .string(access.kind.rawValue), "address": .address(access.address),
        "process": .string(title(access.process)), "requestor": .string(title(access.requestor)),
        "routine": access.routine.map { .string($0) }, "site": site(access.site),
      ])
    case .lock(let lock):
      .object([
        "kind": "lock", "mdl": .address(lock.mdl), "address": .address(lock.address), "length": .number(Int(clamping: lock.length)),
        "operation": .string("\(lock.intent)"), "frames": .array(lock.frames.map { .hexadecimal(UInt64($0)) }),
        "process": .string(title(lock.current)), "account": lock.account.map { .string(title($0)) } ?? .null,
        "requestor": lock.requestor.map { .string(title($0)) } ?? .null, "site": site(lock.site),
      ])
    case .unlock(let mdl, _, let pages, let routine, let place):
      .object(["kind": "unlock", "mdl": .address(mdl), "pages": .number(pages), "routine": .string(routine), "site": site(place)])
    case .mapping(let mapping):
      .object([
        "kind": "mapping", "mdl": .address(mapping.mdl), "address": .address(mapping.address),
        "length": .number(Int(clamping: mapping.length)), "routine": .string(mapping.routine), "site": site(mapping.site),
      ])
    case .unmapping(let mdl, let address, let routine, let place):
      .object([
        "kind": "unmapping", "mdl": .address(mdl), "address": .address(address), "routine": .string(routine), "site": site(place),
      ])
    case .irql(let from, let to): .object(["kind": "irql", "from": .number(Int(from)), "to": .number(Int(to))])
    case .apc(let apc):
      .object([
        "kind": "apc", "mode": .string(apc.kind.rawValue), "routine": .address(apc.routine), "normalRoutine": .address(apc.normal),
        "thread": names.threads.indices.contains(apc.thread) ? .string(names.threads[apc.thread].name) : nil,
        "process": .string(title(apc.process)),
      ])
    case .irqlTooHigh(let routine, let irql, let limit, let place):
      .object([
        "kind": "irql-too-high", "routine": .string(routine), "irql": .number(Int(irql)), "limit": .number(Int(limit)),
        "site": site(place),
      ])
    case .exception(let code, let address, let information, let place):
      .object([
        "kind": "exception", "code": .address(UInt64(code)), "address": .address(address),
        "information": .array(information.map { .address($0) }), "site": site(place),
      ])
    case .handled(let frame, let target): .object(["kind": "handled", "frame": .address(frame), "target": .address(target)])
    case .message(let text): .object(["kind": "message", "text": .string(text)])
    case .sensitive(let ip, let text): .object(["kind": "sensitive", "address": .address(ip), "text": .string(text)])
    case .uncertain(let text): .object(["kind": "uncertain", "text": .string(text)])
    case .note(let text): .object(["kind": "note", "text": .string(text)])
    case .bugCheck(let code, let parameters, let place):
      .object([
        "kind": "bugcheck", "code": .hexadecimal(UInt64(code)), "parameters": .array(parameters.map { .address($0) }), "site": site(place),
      ])
    case .violation(let text, let place): .object(["kind": "violation", "text": .string(text), "site": site(place)])
    case .leftBehind(let driver, let what, let place):
      .object(["kind": "left-behind", "driver": .string(driver), "what": .string(what), "site": site(place)])
    case .processExit(let process, let pages):
      .object(["kind": "process-exit", "process": .string(title(process)), "lockedPages": .number(pages)])
    case .port(let event): PortText(TraceValues(names: names)).json(event)
    case .waits(let thread, let what):
      .object([
        "kind": "waits", "thread": names.threads.indices.contains(thread) ? .string(names.threads[thread].name) : nil,
        "for": .string(what),
      ])
    case .deadlock(let text): .object(["kind": "deadlock", "text": .string(text)])
    case .step(let index, let text): .object(["kind": "step", "index": .number(index), "text": .string(text)])
    }
  }
}
