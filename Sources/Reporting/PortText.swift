import Emulation
import Events
import Guest
import NTKernel
import WindowsTypes

/// What went over communication ports, in words.
struct PortText {
  let values: TraceValues

  init(_ values: TraceValues) { self.values = values }

  /// A trace's line: the process stands above it.
  func line(_ event: PortEvent) -> String { "\(event.port): \(isDriver(event) ? "driver" : "service") \(sentence(event))" }

  /// Whether the driver's side acts.
  func isDriver(_ event: PortEvent) -> Bool {
    switch event.kind {
    case .created, .closed, .sent, .returned, .answered: true
    case .disconnected(let byDriver), .refused(_, let byDriver): byDriver
    case .connecting, .connected, .delivered, .replied, .lateReply, .requested: false
    }
  }

  func sentence(_ event: PortEvent) -> String {
    let message = "message \(event.message)"
    switch event.kind {
    case .created(let count): return "makes the port, for \(count) \(count == 1 ? "connection" : "connections") at most"
    case .closed: return "closes the port to new connections"
    case .connecting: return "asks for a connection" + (event.length == 0 ? "" : ", with \(data(event))")
    case .connected: return "has connection \(event.connection)"
    case .refused(let status, let byDriver): return "\(byDriver ? "refuses" : "is refused"): \(values.status(status))"
    case .sent(let capacity):
      let reply = capacity.map { ", and waits for a reply of up to \($0) bytes" } ?? ", and waits for no reply"
      return "sends \(message), \(data(event))\(reply)"
    case .delivered(let address): return "takes \(message) to \(values.address(address)), behind 16 bytes of header"
    case .replied(let status): return "replies to \(message) with \(values.status(status)), \(data(event))"
    case .lateReply: return "replies to \(message), for which nobody waits"
    case .returned(let status, let waited):
      let warning = status == NTSTATUS.timeout.rawValue ? ", which NT_SUCCESS takes for a success" : ""
      return "goes on after \(message): \(values.status(status))\(warning); it waited \(Self.duration(waited))"
    case .requested(let address): return "sends \(data(event)) at \(values.address(address)) to the driver's routine"
    case .answered(let status): return "answers \(values.status(status))" + (event.length == 0 ? "" : ", \(data(event))")
    case .disconnected(let byDriver): return "\(byDriver ? "closes its end" : "closes its handle"): connection \(event.connection) is over"
    }
  }

  /// `12 bytes: 01 00 00 00 d0 04 00 00 …`
  private func data(_ event: PortEvent) -> String {
    guard event.length > 0 else { return "0 bytes" }
    let shown = event.bytes.map { hex($0, digits: 2) }.joined(separator: " ")
    return "\(event.length) \(event.length == 1 ? "byte" : "bytes"): \(shown)" + (event.length > event.bytes.count ? " …" : "")
  }

  /// 100 ns units as milliseconds: `0.0123 ms`.
  static func duration(_ units: UInt64) -> String {
    let digits = String(units % 10_000)
    return "\(units / 10_000).\(String(repeating: "0", count: 4 - digits.count))\(digits) ms"
  }

  func json(_ event: PortEvent) -> JSONValue {
    .object([
      "kind": "port", "port": .string(event.port), "connection": event.connection == 0 ? nil : .number(event.connection),
      "message": event.message == 0 ? nil : .hexadecimal(event.message), "side": isDriver(event) ? "driver" : "service",
      "process": .string(values.process(event.process)), "time": .hexadecimal(event.time), "length": .number(event.length),
      "bytes": .bytes(event.bytes), "text": .string(sentence(event)),
    ])
  }
}

extension Run {
  /// What went over communication ports: when, in whose process, which side, and what; with what the guest said meanwhile, what is
  /// uncertain, and who waits for what in the end. Empty where no port was made.
  public var conversation: [String] {
    let text = PortText(TraceValues(names: names))
    var lines: [(time: String, process: String, text: String)] = []
    var hasPort = false
    for event in events.events {
      switch event {
      case .port(let port):
        hasPort = true
        lines.append(
          (
            PortText.duration(port.time), text.values.process(port.process),
            (text.isDriver(port) ? "driver   " : "service  ") + text.sentence(port)
          ))
      case .message(let message): lines.append(("", "", "DbgPrint " + TraceEvents.oneLine(message)))
      case .uncertain(let choice): lines.append(("", "", "uncertain: " + choice))
      case .note(let note): lines.append(("", "", "note: " + note))
      case .waits(let thread, let what): lines.append(("", "", "\(text.values.thread(thread)) waits for \(what)"))
      case .deadlock(let sentence): lines.append(("", "", sentence))
      default: break
      }
    }
    guard hasPort else { return [] }
    let width = lines.map(\.process.count).max() ?? 0
    return lines.map { line in
      String(repeating: " ", count: max(0, 14 - line.time.count)) + line.time + "  "
        + line.process + String(repeating: " ", count: width - line.process.count) + "  " + line.text
    }
  }
}
