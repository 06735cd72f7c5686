import Emulation
import Events
import Guest
import NTKernel
import WindowsTypes

/// Makes text of events: one line each, and a call stack behind some.
struct TraceEvents {
  let values: TraceValues

  /// The line for `event`, or `nil` where it has none of its own.
  func line(_ event: Event) -> String? {
    switch event {
    case .addressSpace(let from, let to, _, _): transition(from, to)
    case .thread(let id): "thread \(values.thread(id))"
    case .fault(let fault): line(fault)
    case .foreignAccess(let access):
      "wrong access: \(access.kind.rawValue) \(values.address(access.address)) in \(values.process(access.process)); the buffer is of "
        + values.process(access.requestor)
    case .lock(let lock): line(lock)
    case .unlock(let mdl, let account, let pages, _, _):
      "unlocked \(count(pages)) of MDL \(values.address(mdl)), charged to \(owner(account))"
    case .mapping(let mapping): line(mapping)
    case .unmapping(let mdl, let address, _, _): "unmapped \(values.address(address)), a view of MDL \(values.address(mdl))"
    case .irql(let from, let to): "\(IRQL(rawValue: from)) -> \(IRQL(rawValue: to))"
    case .apc(let apc):
      "\(apc.kind.rawValue) APC \(values.place(apc.normal == 0 ? apc.routine : apc.normal)) in \(values.thread(apc.thread)), "
        + "address space of \(values.process(apc.process))"
    case .irqlTooHigh(let routine, let irql, let limit, _):
      "\(routine) called at \(IRQL(rawValue: irql)); its highest level is \(IRQL(rawValue: limit))"
    case .exception(let code, let address, let information, _):
      "exception \(values.status(code)) at \(values.place(address))"
        + (information.isEmpty ? "" : ", parameters " + information.enumerated().map(parameter).joined(separator: " "))
    case .handled(let frame, let target): "handled by \(values.place(target)), frame \(values.address(frame))"
    case .message(let text): "DbgPrint: \(Self.oneLine(text))"
    case .sensitive(let ip, let text): "\(values.address(ip)) \(text)"
    case .uncertain(let text): "uncertain: \(text)"
    case .note(let text): "note: \(text)"
    case .bugCheck(let code, let parameters, _): line(BugCheckCode(rawValue: code), parameters)
    case .processExit(let process, let pages):
      "\(values.process(process)) ended" + (pages == 0 ? "" : " with \(count(pages)) still locked")
    case .violation(let sentence, _): "rule broken: \(sentence)"
    case .leftBehind(let driver, let what, let site):
      "\(driver) left \(what) behind" + (site.ip == 0 ? "" : ", made by \(values.place(site.ip))")
    case .port(let event): PortText(values).line(event)
    case .waits(let thread, let what): "\(values.thread(thread)) waits for \(what)"
    case .deadlock(let text): text
    case .step(let index, let text) where index < 0: "# \(text)"
    case .step(let index, let text): "# step \(index + 1): \(text)"
    }
  }

  /// What the four parameters of a bugcheck mean, a line each, as far as it is known.
  func meanings(_ event: Event) -> [String] {
    guard case .bugCheck(let code, let parameters, _) = event else { return [] }
    let meanings = BugCheckCode(rawValue: code).parameterMeanings(first: parameters.first ?? 0)
    return zip(parameters, meanings).map { "  \(values.address($0)) \($1)\(name(of: $0))" }
  }

  /// What a parameter is the address of.
  private func name(of value: UInt64) -> String {
    if let process = values.names.process(at: value) { return ": \(values.process(process))" }
    if let thread = values.names.thread(at: value) { return ": \(values.thread(thread))" }
    guard value != 0, let symbol = values.names.symbol(at: value) else { return "" }
    return ": \(symbol)"
  }

  /// The calls that led to `event`, innermost first.
  func stack(_ event: Event) -> [String] {
    let site: Site? =
      switch event {
      case .fault(let fault): fault.site
      case .foreignAccess(let access): access.site
      case .lock(let lock): lock.site
      case .bugCheck(_, _, let site): site
      default: nil
      }
    guard let site else { return [] }
    return (site.stack.first == site.ip ? site.stack : [site.ip] + site.stack).compactMap { address in
      // Where the run's own calls return to is no code of the guest's.
      guard let symbol = values.names.symbol(at: address) else { return "  \(values.address(address))" }
      return values.names.trapAddresses.contains(address) && address != site.ip ? nil : "  \(values.address(address)) \(symbol)"
    }
  }

  func transition(_ from: ProcessID, _ to: ProcessID) -> String { "\(values.process(from)) -> \(values.process(to))" }

  // MARK: Single events

  private func line(_ fault: FaultEvent) -> String {
    let start = "page fault: \(fault.access) \(values.address(fault.address))"
    return switch fault.resolution {
    case .repaired(let how): "\(start), \(how)"
    case .raised(let code): "\(start) in \(values.process(fault.process)) raised \(values.status(code))"
    case .bugCheck(let code): "\(start) in \(values.process(fault.process)) is bugcheck \(BugCheckCode(rawValue: code))"
    }
  }

  private func line(_ lock: LockEvent) -> String {
    let operation = LOCK_OPERATION(rawValue: UInt32(lock.intent.rawValue))
    return "locked \(count(lock.frames.count)) at \(values.address(lock.address)) for \(operation), \(frames(lock.frames)), "
      + "charged to \(owner(lock.account))" + (lock.wasLocked ? "; the MDL was locked already" : "")
  }

  private func line(_ mapping: MappingEvent) -> String {
    let place = mapping.process.map { "in \(values.process($0))" } ?? "in system space"
    return "mapped \(count(mapping.frames.count)) of the buffer at \(values.address(mapping.bufferAddress)) to "
      + "\(values.address(mapping.address)) \(place), \(frames(mapping.frames))"
      + (mapping.isLockedByKernel ? "" : "; nothing keeps them locked")
  }

  private func line(_ code: BugCheckCode, _ parameters: [UInt64]) -> String {
    "bugcheck \(code): \(parameters.map(values.address).joined(separator: " "))"
  }

  /// The first parameter of an exception is mostly a small number, the others are mostly addresses.
  private func parameter(_ index: Int, _ value: UInt64) -> String { index == 0 && value < 10 ? "\(value)" : values.address(value) }

  private func owner(_ process: ProcessID?) -> String { process.map(values.process) ?? "nobody" }
  private func count(_ pages: Int) -> String { pages == 1 ? "1 page" : "\(pages) pages" }

  /// `frames 54 55 56`, in hexadecimal, as the debugger prints frame numbers; a long list is cut.
  private func frames(_ frames: [UInt32]) -> String {
    let shown = frames.prefix(16).map { hex($0, digits: 1) }.joined(separator: " ")
    return (frames.count == 1 ? "frame " : "frames ") + shown + (frames.count > 16 ? " and \(frames.count - 16) more" : "")
  }

  /// A message on one line: what would break it is escaped, and one newline at the end is left out.
  static func oneLine(_ text: String) -> String {
    var rest = text[...]
    while rest.last?.isNewline == true { rest = rest.dropLast() }
    return rest.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\t"
      case "\0"..<" ", "\u{7f}": result += "\\x" + hex(scalar.value, digits: 2)
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
}
