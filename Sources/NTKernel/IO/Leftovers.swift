import Events
import Guest
import WindowsTypes

/// Something that a driver made and did not take back.
public struct Leftover: Sendable, Hashable {
  /// `the device \Device\Demo`, `64 bytes of pool (tag Demo)`.
  public let what: String
  /// The call that made it.
  public let site: Site
}

/// Where the calls return to that made what is pending.
struct Makers {
  /// By the `KDPC`'s address.
  var deferredCalls: [UInt64: UInt64] = [:]
  /// By the thread's number.
  var threads: [Int: UInt64] = [:]
}

extension Kernel {
  /// What `driver` has made and not taken back so far: devices, links, references, registrations, locked pages, pool.
  public func leftovers(of driver: Driver) throws -> [Leftover] {
    var leftovers: [Leftover] = []
    func isOwn(_ site: Site) -> Bool { driver.range.contains(site.ip) }
    for device in try devices(of: driver) {
      let record = io.objects[device.address]
      leftovers.append(
        Leftover(what: record?.path.map { "the device \($0)" } ?? "a device without a name", site: record?.site ?? Site(ip: 0)))
    }
    for record in io.objects.values.sorted(by: { $0.block < $1.block })
    where record.kind == .symbolicLink && isOwn(record.site) {
      leftovers.append(Leftover(what: "the symbolic link \(record.path ?? "")", site: record.site))
    }
    for (object, sites) in io.references.sorted(by: { $0.key < $1.key }) {
      for site in sites where isOwn(site) {
        leftovers.append(Leftover(what: "a reference to \(describe(object: object))", site: site))
      }
    }
    for registration in io.registrations where isOwn(registration.site) {
      leftovers.append(Leftover(what: registration.what, site: registration.site))
    }
    leftovers += try pending(of: driver)
    leftovers += locks(of: driver)
    leftovers += blocks(of: driver)
    return leftovers
  }

  /// The locks that code of the driver's made, or had made, and that still hold.
  private func locks(of driver: Driver) -> [Leftover] {
    var held: [UInt64: LockEvent] = [:]
    for event in stream.events {
      switch event {
      case .lock(let lock): held[lock.mdl] = lock
      case .unlock(let mdl, _, _, _, _): held[mdl] = nil
      default: break
      }
    }
    return held.values.sorted { $0.mdl < $1.mdl }.filter { lock in
      ([lock.site.ip] + lock.site.stack.prefix(4)).contains { driver.range.contains($0) }
    }.map { Leftover(what: "\($0.frames.count) locked \($0.frames.count == 1 ? "page" : "pages") at \(hex($0.address))", site: $0.site) }
  }

  /// What would call the driver's code once it is gone, and the handles it has open.
  private func pending(of driver: Driver) throws -> [Leftover] {
    let here = memory.memory
    var leftovers: [Leftover] = []
    func note(_ what: String, _ site: UInt64?) { leftovers.append(Leftover(what: what, site: Site(ip: site ?? 0))) }
    /// Made by a call of the driver's, or leading to a routine of its.
    func isOwn(_ site: UInt64?, _ routine: UInt64) -> Bool { driver.range.contains(site ?? 0) || driver.range.contains(routine) }
    for case .timer(let address) in timers.subjects {
      let dpc = here.allows(.read, at: address) ? try Pointer<KTIMER>(address, in: here).Dpc.load().address : 0
      let routine = dpc != 0 && here.allows(.read, at: dpc) ? try Pointer<KDPC>(dpc, in: here).DeferredRoutine.load().address : 0
      let site = io.timerSites[address]
      if isOwn(site?.ip, routine) { leftovers.append(Leftover(what: "a timer that is set", site: site ?? Site(ip: 0))) }
    }
    for address in deferredCalls {
      let routine = here.allows(.read, at: address) ? try Pointer<KDPC>(address, in: here).DeferredRoutine.load().address : 0
      if isOwn(makers.deferredCalls[address], routine) { note("a deferred call that is queued", makers.deferredCalls[address]) }
    }
    for thread in threads where try thread.object.Tcb.State.load() != .terminated {
      guard let site = makers.threads[thread.id], isOwn(site, try thread.object.StartAddress.load().address) else { continue }
      note("the thread \(thread.name), which runs", site)
    }
    for queue in workQueues.keys.sorted() {
      for item in workQueues[queue, default: []] where isOwn(item.site, item.routine) { note("a work item that is queued", item.site) }
    }
    for (handle, entry) in handles.made(in: driver.range) {
      note("a handle to \(describe(object: entry.object)) (\(hex(handle)))", entry.site)
    }
    return leftovers
  }

  /// Registrations of what has to be deleted before its memory goes.
  static let resource = "an ERESOURCE"
  static let lookasideList = "a lookaside list"

  private func blocks(of driver: Driver) -> [Leftover] {
    (nonPagedPool.blocks.map { ($0.key, $0.value, "nonpaged") } + pagedPool.blocks.map { ($0.key, $0.value, "paged") })
      .filter { driver.range.contains($0.1.site) && $0.1.tag != Self.ownTag && $0.1.tag != Self.objectTag }
      .sorted { $0.0 < $1.0 }
      .map { _, block, kind in
        let what =
          switch block.tag {
          case Self.irpTag: "an IRP"
          case Self.mdlTag: "an MDL"
          default: "\(block.size) bytes of \(kind) pool (tag \(text(of: block.tag)))"
          }
        return Leftover(what: what, site: Site(ip: block.site))
      }
  }

  private func text(of tag: UInt32) -> String {
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: tag >> (8 * UInt32($0))) }
    return bytes.allSatisfy { (0x20..<0x7f).contains($0) } ? String(decoding: bytes, as: UTF8.self) : "0x" + hex(tag)
  }

  func reportLeftovers(of driver: Driver) throws {
    for leftover in try leftovers(of: driver) {
      stream.append(.leftBehind(driver: driver.name, leftover.what, site: leftover.site))
    }
  }

  /// The tags of what the kernel allocates itself: this run's own, object types, IRPs and MDLs (the debugger's tag list).
  static let ownTag: UInt32 = 0x6b6c_6250
  static let objectTag: UInt32 = 0x546a_624f
  static let irpTag: UInt32 = 0x2070_7249
  static let mdlTag: UInt32 = 0x206c_644d
}
