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
    case .created, .closed, .sent, .returned, .refused, .answered: true
    case .disconnected(let byDriver): byDriver
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
    case .refused(let status): return "refuses: \(values.status(status))"
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
  /// What went over communication ports: when, which side, in whose process, and what; empty where there was nothing.
  public var conversation: [String] {
    let text = PortText(TraceValues(names: names))
    let port = events.events.compactMap { if case .port(let event) = $0 { event } else { nil } }
    let processes = port.map { text.values.process($0.process) }
    let width = processes.map(\.count).max() ?? 0
    return zip(port, processes).map { event, process in
      let time = PortText.duration(event.time)
      let place = process + String(repeating: " ", count: width - process.count)
      return String(repeating: " ", count: max(0, 12 - time.count)) + time + "  \(place)  "
        + "\(text.isDriver(event) ? "driver " : "service") \(text.sentence(event))"
    }
  }
}
