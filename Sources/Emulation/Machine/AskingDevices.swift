import NTKernel
import WindowsTypes

extension Machine {
  /// Control codes of `FILE_DEVICE_UNKNOWN`, function 800h, that any access will do for: each way of handing over buffers but
  /// METHOD_IN_DIRECT.
  private static let askedCodes: [UInt32] = [0x22_2000, 0x22_2002, 0x22_2003]
  /// How many devices of a driver are opened at most.
  private static let askedDevices = 16

  /// Has a user's thread open each device that a driver has named, by its link where it has one, send it ``askedCodes`` with a
  /// buffer of 64 zeros, and close it. Whatever a driver answers is recorded, and nothing is expected.
  func askDevices(_ index: Int, _ line: Int?) throws {
    guard let thread = kernel.threads.last(where: { $0.owner.id != 0 && !$0.hasEnded && !$0.owner.hasExited }) else { return }
    let place = try kernel.userBlock(64, in: thread.owner)
    try kernel.store([UInt8](repeating: 0, count: 64), at: place, in: thread.owner)
    let buffer = Fixture.Buffer(at: place, 64)
    for driver in kernel.drivers where driver.isLoaded {
      let links = kernel.symbolicLinks(of: driver)
      let named = links.isEmpty ? try kernel.devices(of: driver).compactMap { kernel.path(ofDevice: $0) } : links
      for path in named.prefix(Self.askedDevices) {
        func ask(_ what: String, _ kind: Fixture.IORequest.Kind) throws -> Bool {
          let before = counters
          try perform(Fixture.IORequest(on: thread.name, kind, expect: .any), index, line)
          note(.device(what), of: driver, since: before)
          return !isOver
        }
        guard try ask("open \(path)", .open(path: path, handle: Self.asked, isOverlapped: false)) else { return }
        guard values[Self.asked] != 0xffff_ffff else { continue }
        for code in Self.askedCodes {
          let isDone = try ask(
            "control 0x\(String(code, radix: 16))", .control(code: code, handle: Self.asked, input: buffer, output: buffer))
          guard isDone else { return }
        }
        guard try ask("close", .close(handle: Self.asked)) else { return }
      }
    }
  }

  private static let asked = "asked"
}
