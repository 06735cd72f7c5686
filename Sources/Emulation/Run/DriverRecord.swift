import Events
import NTKernel
import WindowsTypes

/// How a driver started or went.
public struct DriverRecord: Sendable, Hashable {
  public enum Phase: Sendable, Hashable {
    case start, unload
    /// What it had begun ran on by itself.
    case settle
    /// A request for a device of its: `AddDevice`, `START_DEVICE`.
    case device(String)
  }
  public let driver: String
  public let phase: Phase
  /// What `DriverEntry`, or the request to unload, returned; `nil` where the run ended before.
  public let status: NTSTATUS?
  /// What it has when it has started.
  public let devices: Int
  public let symbolicLinks: Int
  /// The paths of its symbolic links: `\\??\\Hello`.
  public let linkPaths: [String]
  /// The routines of the kernel's that were called meanwhile.
  public let kernelCalls: Int
  public let instructions: UInt64
  /// How much of the machine's time passed, in 100 ns, and whether somebody was still ready to run: for ``Phase/settle`` alone.
  public let duration: UInt64
  public let isBusy: Bool
  /// What it left behind when it went.
  public let leftBehind: [String]

  /// `DriverEntry -> STATUS_SUCCESS   2 devices, 1 symbolic link, 31 kernel calls, 2,140 instructions`
  public var summary: String {
    let ending = status.map { " -> \($0)" } ?? " did not return"
    switch phase {
    case .start:
      let counts = [
        count(devices, "device"), count(symbolicLinks, "symbolic link"), count(kernelCalls, "kernel call"),
        count(Int(clamping: instructions), "instruction"),
      ]
      return "DriverEntry\(ending)   \(counts.joined(separator: ", "))"
    case .device(let request):
      return "\(request)\(ending)   \(count(kernelCalls, "kernel call")), \(count(Int(clamping: instructions), "instruction"))"
    case .settle:
      let time = String(duration / 10_000) + "." + String(duration / 1000 % 10)
      return "running on for \(time) ms   \(count(kernelCalls, "kernel call")), \(count(Int(clamping: instructions), "instruction"))"
        + (isBusy ? ", and not done" : "")
    case .unload where status == .success:
      return "DriverUnload   " + (leftBehind.isEmpty ? "nothing left behind" : "left behind: " + leftBehind.joined(separator: ", "))
    case .unload where status == .invalidDeviceRequest: return "DriverUnload   there is none, so it cannot be unloaded"
    case .unload: return "DriverUnload\(ending)"
    }
  }

  private func count(_ number: Int, _ noun: String) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return "\(text) \(noun)\(number == 1 ? "" : "s")"
  }
}

/// A driver's place in the order of starting.
public struct DriverStart: Sendable, Hashable {
  public let driver: String
  /// What its service's key says: `system start, group “Base”, tag 3`.
  public let reason: String
  /// Why it is not started, if it is not.
  public let obstacle: String?
}

extension Machine {
  /// What is counted over a driver's start.
  struct Counters {
    var calls: Int
    var instructions: UInt64
    var events: Int
  }

  var counters: Counters {
    Counters(calls: kernel.callCount, instructions: processor.instructions, events: stream.events.count)
  }

  func note(
    _ phase: DriverRecord.Phase, of driver: Driver, since before: Counters, lasting duration: UInt64 = 0, isBusy: Bool = false
  ) {
    var status: NTSTATUS?
    if !isOver, phase != .settle, case .returned(let value) = outcome { status = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: value)) }
    let left = stream.events.dropFirst(before.events).compactMap { event -> String? in
      guard case .leftBehind(driver.name, let what, let site) = event else { return nil }
      return what + (site.ip == 0 ? "" : " (\(names.symbol(at: site.ip) ?? "0x" + String(site.ip, radix: 16)))")
    }
    let devices = driver.isLoaded ? (try? kernel.devices(of: driver).count) ?? 0 : 0
    drivers.append(
      DriverRecord(
        driver: driver.name, phase: phase, status: status, devices: devices,
        symbolicLinks: driver.isLoaded ? kernel.symbolicLinks(of: driver).count : 0,
        linkPaths: driver.isLoaded ? kernel.symbolicLinks(of: driver) : [],
        // The load request itself is the run's own call.
        kernelCalls: max(0, kernel.callCount - before.calls - (phase == .settle ? 0 : 1)),
        instructions: processor.instructions - before.instructions, duration: duration, isBusy: isBusy, leftBehind: left))
  }
}
