import Guest

/// Four pages of system memory at 0x80000000, the third of which is not present, and one user page at 0.
final class TestMemory {
  private let physical = UnsafeMutableRawPointer.allocate(byteCount: 0x5000, alignment: 0x1000)
  private let kernel = UnsafeMutablePointer<PageEntry>.allocate(capacity: 4)
  private let user = UnsafeMutablePointer<PageEntry>.allocate(capacity: 1)
  private let translation = UnsafeMutablePointer<Translation>.allocate(capacity: 1)

  init() {
    physical.initializeMemory(as: UInt8.self, repeating: 0, count: 0x5000)
    for frame in 0..<4 { (kernel + frame).initialize(to: PageEntry(bits: frame == 2 ? 0 : UInt64(frame) << 32 | 3)) }
    user.initialize(to: PageEntry(bits: 4 << 32 | 3))
    translation.initialize(
      to: Translation(
        user: PageTable(base: 0, count: 1, entries: user), kernel: PageTable(base: 0x8000_0000, count: 4, entries: kernel),
        physical: physical, target: .windowsXP_x86))
  }

  deinit {
    translation.deallocate()
    kernel.deallocate()
    user.deallocate()
    physical.deallocate()
  }

  /// Runs `body` with an accessor, and keeps the memory alive meanwhile.
  func callAsFunction<Result>(_ body: (GuestMemory) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(GuestMemory(translation)) }
  }
}
