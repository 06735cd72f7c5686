import Guest
import WindowsTypes

/// The handles of the run: a table for each process, and the kernel's own, whose handles have the high bit set.
struct HandleTable {
  struct Entry {
    /// The object's body.
    let object: UInt64
    let grantedAccess: UInt32
    /// Where the call that made it returns to; 0 if nobody's did.
    var site: UInt64 = 0
  }
  private var entries: [Key: Entry] = [:]
  private var next: [Int: UInt64] = [:]

  private struct Key: Hashable {
    let process: Int
    let handle: UInt64
  }
  /// The table of kernel handles, which every process sees.
  static let kernel = -1
  private static let kernelBit: UInt64 = 0x8000_0000

  /// A new handle of `process` (``kernel`` for the kernel's) to the object whose body is at `object`.
  mutating func insert(_ object: UInt64, access: UInt32, process: Int, site: UInt64 = 0) -> UInt64 {
    let value = next[process, default: 4]
    next[process] = value + 4
    let handle = process == Self.kernel ? value | Self.kernelBit : value
    entries[Key(process: process, handle: handle)] = Entry(object: object, grantedAccess: access, site: site)
    return handle
  }

  /// The handles that calls from `range` made, in order of their values, the processes' before the kernel's.
  func made(in range: Range<UInt64>) -> [(handle: UInt64, entry: Entry)] {
    entries.filter { range.contains($0.value.site) }
      .sorted { $0.key.handle < $1.key.handle }.map {
        ($0.key.process == Self.kernel ? $0.key.handle | Self.kernelBit : $0.key.handle, $0.value)
      }
  }

  subscript(handle: UInt64, process: Int) -> Entry? { entries[Self.key(handle, process)] }

  mutating func remove(_ handle: UInt64, process: Int) -> Entry? { entries.removeValue(forKey: Self.key(handle, process)) }

  /// The handles of a process, in the order in which they were made.
  func handles(of process: Int) -> [UInt64] { entries.keys.filter { $0.process == process }.map(\.handle).sorted() }

  /// The low two bits of a handle are the caller's own.
  private static func key(_ handle: UInt64, _ process: Int) -> Key {
    Key(process: handle & kernelBit != 0 ? kernel : process, handle: handle & ~3)
  }
}
