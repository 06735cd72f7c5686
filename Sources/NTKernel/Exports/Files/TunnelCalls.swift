import Guest
import WindowsTypes

/// A name that a directory has lost a short while ago, with what its file system wants to give to the next file of that name.
struct TunneledName {
  let directory: UInt64
  let shortName: [UInt16]
  let longName: [UInt16]
  let isKeyedByShortName: Bool
  let data: [UInt8]
  let time: UInt64

  var key: [UInt16] { (isKeyedByShortName ? shortName : longName).map(\.uppercased) }
}

/// The names of every tunnel cache, oldest first, by the address of its `TUNNEL`.
final class TunnelCaches {
  var names: [UInt64: [TunneledName]] = [:]
}

extension Export {
  /// The tunnel cache: a file that is deleted, or renamed, and made again soon keeps its other name and its times.
  static let tunnelCalls: [Export] = [
    // nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlinitializetunnelcache
    export("FsRtlInitializeTunnelCache(Cache)", irql: .apc) { (kernel, cache: Pointer<TUNNEL>) in
      try cache.zero()
      try cache.Mutex.Count.store(1)
      try kernel.initializeEvent(cache.Mutex.Event, .eventSynchronization, isSet: false)
      try cache.TimerQueue.initialize()
      kernel.tunnels.names[cache.address] = []
    },
    // fsrtladdtotunnelcache: an entry for the same name takes the older one's place.
    export("FsRtlAddToTunnelCache(Cache, DirectoryKey, ShortName, LongName, KeyByShortName, DataLength, Data)", irql: .apc) {
      (
        kernel, cache: Pointer<TUNNEL>, directory: UInt64, short: Pointer<UNICODE_STRING>, long: Pointer<UNICODE_STRING>,
        isShort: UInt8, length: UInt32, data: GuestWord
      ) in
      guard length <= 0x1_0000, kernel.tunnels.names[cache.address] != nil else { return }
      let new = TunneledName(
        directory: directory, shortName: short.isNull ? [] : try short.units(), longName: long.isNull ? [] : try long.units(),
        isKeyedByShortName: isShort != 0, data: try kernel.memory.memory.bytes(Int(length), at: data.bits), time: kernel.systemTime)
      try kernel.keepTunnels(of: cache) { $0.directory != directory || $0.key != new.key }
      kernel.tunnels.names[cache.address]?.append(new)
      try kernel.keepTunnels(of: cache) { _ in true }
    },
    // fsrtlfindintunnelcache
    export("FsRtlFindInTunnelCache(Cache, DirectoryKey, Name, ShortName, LongName, DataLength, Data)", irql: .apc) {
      (
        kernel, cache: Pointer<TUNNEL>, directory: UInt64, name: Pointer<UNICODE_STRING>, short: Pointer<UNICODE_STRING>,
        long: Pointer<UNICODE_STRING>, length: Pointer<UInt32>, data: GuestWord
      ) -> UInt8 in
      try kernel.keepTunnels(of: cache) { _ in true }
      let key = try name.units().map(\.uppercased)
      guard let found = kernel.tunnels.names[cache.address]?.first(where: { $0.directory == directory && $0.key == key }) else {
        return 0
      }
      let fitting = try found.shortName.prefix(short.capacity)
      try short.text.write(fitting)
      try short.set(count: fitting.count)
      if try found.longName.count > long.capacity {
        // The caller sees that the buffer is another one, and frees both.
        guard try kernel.allocate(long, count: found.longName.count) else { return 0 }
      }
      try long.text.write(found.longName)
      try long.set(count: found.longName.count)
      let count = min(try length.load(), UInt32(found.data.count))
      try kernel.memory.memory.write(found.data.prefix(Int(count)), at: data.bits)
      try length.store(count)
      return 1
    }
    .uncertain("data that is longer than the caller's buffer, which the documentation forbids, is cut"),
    // fsrtldeletekeyfromtunnelcache: a directory is gone.
    export("FsRtlDeleteKeyFromTunnelCache(Cache, DirectoryKey)", irql: .apc) {
      (kernel, cache: Pointer<TUNNEL>, directory: UInt64) in
      try kernel.keepTunnels(of: cache) { $0.directory != directory }
    },
    // fsrtldeletetunnelcache
    export("FsRtlDeleteTunnelCache(Cache)", irql: .apc) { (kernel, cache: Pointer<TUNNEL>) in
      try kernel.keepTunnels(of: cache) { _ in false }
      kernel.tunnels.names[cache.address] = nil
    },
  ]
}

extension Kernel {
  fileprivate var tunnels: TunnelCaches { part { TunnelCaches() } }

  /// Takes names out, those that have become too old with them: `MaximumTunnelEntryAgeInSeconds` is 15, `MaximumTunnelEntries` 256.
  fileprivate func keepTunnels(of cache: Pointer<TUNNEL>, where isKept: (TunneledName) -> Bool) throws {
    guard var names = tunnels.names[cache.address] else { return }
    names.removeAll { !isKept($0) || systemTime > $0.time + 150_000_000 }
    names = names.suffix(256)
    tunnels.names[cache.address] = names
    try cache.NumEntries.store(UInt16(names.count))
  }
}
