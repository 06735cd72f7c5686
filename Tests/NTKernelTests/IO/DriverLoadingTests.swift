import Guest
import NTKernel
import Testing
import WindowsTypes

/// A disk of one driver, whose code the test plays.
private final class Disk: DriverLoader {
  let guest: IOGuest
  var image: DriverImage
  var isMapped = true
  var discarded = 0

  init(_ guest: IOGuest, _ image: DriverImage) {
    self.guest = guest
    self.image = image
  }

  func driverImage(file: String) -> DriverImage? { file.lowercased() == "other.sys" ? image : nil }
  func driverImage(at base: UInt64) -> DriverImage? { base == image.range.lowerBound ? image : nil }
  func mapImage(at base: UInt64) throws -> Pointer<LDR_DATA_TABLE_ENTRY>? {
    isMapped = true
    return Pointer(try guest.space(0x50), in: guest.k.memory.memory)
  }
  func unmapImage(at base: UInt64) throws { isMapped = false }
  func discardInitialisation(ofImageAt base: UInt64) throws { discarded += 1 }
}

@Suite("Loading drivers by their services") struct ServiceLoadingTests {
  static let base: UInt64 = 0xf8c8_0000

  private func world(entry: NTSTATUS = .success, isExportDriver: Bool = false) throws -> (IOGuest, Disk) {
    let g = try IOGuest()
    let disk = Disk(
      g,
      DriverImage(
        name: "other", range: Self.base..<Self.base + 0x4000, entryPoint: Self.base + 0x100, isExportDriver: isExportDriver,
        dllInitialize: nil, dllUnload: nil, imports: []))
    g.k.kernel.loader = disk
    g.routine(at: Self.base + 0x100, 2) { arguments in
      // DRIVER_OBJECT.DriverUnload
      try g.k.store(UInt32(Self.base + 0x200), at: arguments[0] + 0x34)
      return UInt64(entry.rawValue)
    }
    g.routine(at: Self.base + 0x200, 1) { _ in 0 }
    let key = g.k.kernel.makeServiceKey("other", fileName: "other.sys")
    key?["Start"] = .dword(3)
    return (g, disk)
  }

  private static let service = #"\Registry\Machine\System\CurrentControlSet\Services\other"#

  @Test("a driver is loaded once, and unloaded once", arguments: ["Zw", "Nt"]) func life(prefix: String) throws {
    let (g, disk) = try world()
    var path = try g.string(Self.service)
    if prefix == "Nt" {
      try g.k.map(1, in: g.k.notepad)
      let units = Array(Self.service.utf16)
      for (index, unit) in units.enumerated() { try g.k.memory.memory.store(unit, at: g.k.buffer + 8 + 2 * UInt64(index)) }
      try g.k.store([UInt32(units.count * 2) | UInt32(units.count * 2) << 16, UInt32(g.k.buffer + 8)], at: g.k.buffer)
      path = g.k.buffer
    }
    func load() throws -> NTSTATUS { try g.status(prefix == "Nt" ? "NtLoadDriver" : "ZwLoadDriver", path) }
    func unload() throws -> NTSTATUS { try g.status(prefix == "Nt" ? "NtUnloadDriver" : "ZwUnloadDriver", path) }
    // By a system worker, in IopLoadUnloadDriver.
    #expect(try unload() == .objectNameNotFound)
    #expect(try load() == .success)
    #expect(disk.discarded == 1)
    let driver = try #require(g.k.kernel.drivers.last)
    #expect(driver.name == "other" && driver.isLoaded)
    // DRVO_INITIALIZED, DRVO_LEGACY_DRIVER
    #expect(try g.k.load(driver.object.address + 8) == 0x12)
    // STATUS_IMAGE_ALREADY_LOADED
    #expect(try load() == NTSTATUS(rawValue: 0xc000_010e))
    #expect(try unload() == .success)
    #expect(!disk.isMapped && !driver.isLoaded)
    #expect(try load() == .success)
    #expect(disk.isMapped)
  }

  @Test("what the key says has to be a driver's, and there has to be a file") func refusals() throws {
    let (g, disk) = try world()
    func load(_ path: String) throws -> NTSTATUS { try g.status("ZwLoadDriver", g.string(path)) }
    #expect(try load(Self.service + "2") == .objectNameNotFound)
    #expect(try load("other") == .objectNameNotFound)
    #expect(try load("") == .invalidParameter)
    let key = try #require(g.k.kernel.serviceKey("other"))
    key["Type"] = .dword(0x10)
    #expect(try load(Self.service) == .invalidParameter)
    key["Type"] = .dword(2)
    key["ImagePath"] = .expandableString(#"\SystemRoot\missing.sys"#)
    #expect(try load(Self.service) == .objectNameNotFound)
    key["ImagePath"] = nil
    #expect(try load(Self.service) == .success)
    // A file system's object has a directory of its own.
    #expect(try g.text(at: UInt64(g.k.load(#require(g.k.kernel.drivers.last).object.address + 0x20)), bytes: 34) == #"\FileSystem\other"#)
    _ = disk
  }

  @Test("a driver that fails is gone, and its status is its loader's") func failure() throws {
    let (g, disk) = try world(entry: .insufficientResources)
    #expect(try g.status("ZwLoadDriver", g.string(Self.service)) == .insufficientResources)
    // Its pages stay until it is loaded again.
    #expect(disk.isMapped)
    let (h, other) = try world(isExportDriver: true)
    #expect(try h.status("ZwLoadDriver", h.string(Self.service)) == .invalidImageFormat)
    _ = other.isMapped
  }

  @Test("while the system starts, routines to be called again wait for the end of the phase") func reinitialization() throws {
    let g = try IOGuest()
    var seen: [String] = []
    for (index, name) in ["boot", "later"].enumerated() {
      g.routine(at: 0xf8b0_7000 + 16 * UInt64(index), 3) { arguments in
        seen.append("\(name) \(arguments[1]) \(arguments[2])")
        return 0
      }
    }
    #expect(try g.call("IoRegisterDriverReinitialization", g.driver.object.address, 0xf8b0_7010, 2) != 1)
    _ = try g.call("IoRegisterBootDriverReinitialization", g.driver.object.address, 0xf8b0_7000, 1)
    #expect(g.driver.isToBeReinitialized(after: .boot) && g.driver.isToBeReinitialized(after: .system))
    g.k.kernel.startPhase = .boot
    #expect(try g.status("IopReinitializeDriver", g.driver.object.address) == .success)
    #expect(seen == ["boot 1 1"])
    g.k.kernel.startPhase = .system
    #expect(try g.status("IopReinitializeDriver", g.driver.object.address) == .success)
    #expect(seen == ["boot 1 1", "later 2 2"])
    #expect(try g.status("IopReinitializeDriver", g.space()) == .objectNameNotFound)
  }

  @Test("what would call into a driver that goes, and what it has open, is left behind") func leftovers() throws {
    let g = try IOGuest()
    let (timer, dpc, resource, list) = (try g.space(0x28), try g.space(0x20), try g.space(0x38), try g.space(0x80))
    _ = try g.call("KeInitializeTimer", timer)
    _ = try g.call("KeInitializeDpc", dpc, 0xf8b0_7000, 0)
    _ = try g.call("KeSetTimer", timer, 0xffff_ff00, 0xffff_ffff, dpc)
    _ = try g.call("ExInitializeResourceLite", resource)
    _ = try g.call("ExInitializeNPagedLookasideList", list, 0, 0, 0, 16, 0, 0)
    let key = try g.key(IOGuest.demo)
    let left = try g.k.kernel.leftovers(of: g.driver)
    #expect(
      left.map(\.what) == [
        "an ERESOURCE", "a lookaside list", "a timer that is set",
        #"a handle to \REGISTRY\MACHINE\SOFTWARE\Demo ("# + hex(key) + ")",
      ])
    #expect(left.allSatisfy { $0.site.ip == TestKernel.caller })
    _ = try g.call("KeCancelTimer", timer)
    _ = try g.call("ExDeleteResourceLite", resource)
    _ = try g.call("ExDeleteNPagedLookasideList", list)
    #expect(try g.status("ZwClose", key) == .success)
    #expect(try g.k.kernel.leftovers(of: g.driver).isEmpty)
  }

  /// Two images: `other` imports from `base`, which is an export driver where `initialize` says how its `DllInitialize` ends.
  private func pair(initialize: NTSTATUS?) throws -> (IOGuest, Disks) {
    let g = try IOGuest()
    let disks = Disks(g, initialize: initialize)
    g.k.kernel.loader = disks
    for (index, name) in ["other", "base"].enumerated() {
      let base = Disks.bases[index]
      g.routine(at: base + 0x100, 2) { arguments in
        try g.k.store(UInt32(base + 0x200), at: arguments[0] + 0x34)
        return 0
      }
      g.routine(at: base + 0x200, 1) { _ in 0 }
      g.k.kernel.makeServiceKey(name, fileName: name + ".sys")
    }
    g.routine(at: Disks.bases[1] + 0x300, 1) { arguments in
      disks.calls.append("DllInitialize " + (try g.text(at: UInt64(g.k.load(arguments[0] + 4)), bytes: UInt32(g.k.half(arguments[0])))))
      return UInt64((initialize ?? .success).rawValue)
    }
    g.routine(at: Disks.bases[1] + 0x400, 0) { _ in
      disks.calls.append("DllUnload")
      return 0
    }
    return (g, disks)
  }

  private func service(_ name: String) -> String { #"\Registry\Machine\System\CurrentControlSet\Services\"# + name }

  @Test("a driver that another imports from stays in memory until that goes, too") func importedDriver() throws {
    let (g, disks) = try pair(initialize: nil)
    func call(_ routine: String, _ name: String) throws -> NTSTATUS { try g.status(routine, g.string(service(name))) }
    #expect(try call("ZwLoadDriver", "base") == .success)
    #expect(try call("ZwLoadDriver", "other") == .success)
    #expect(try call("ZwUnloadDriver", "base") == .success)
    #expect(disks.mapped == [Disks.bases[0], Disks.bases[1]] && disks.calls.isEmpty)
    #expect(try call("ZwUnloadDriver", "other") == .success)
    #expect(disks.mapped.isEmpty)
  }

  @Test("an export driver whose DllInitialize fails keeps its importer from loading") func failingExportDriver() throws {
    let (g, disks) = try pair(initialize: .insufficientResources)
    #expect(try g.status("ZwLoadDriver", g.string(service("other"))) == .insufficientResources)
    #expect(disks.calls == ["DllInitialize " + service("base")])
    #expect(disks.mapped.isEmpty)
    let (h, well) = try pair(initialize: .success)
    #expect(try h.status("ZwLoadDriver", h.string(service("other"))) == .success)
    #expect(well.mapped == [Disks.bases[0], Disks.bases[1]])
    #expect(try h.status("ZwUnloadDriver", h.string(service("other"))) == .success)
    #expect(well.calls.last == "DllUnload" && well.mapped.isEmpty)
  }
}

/// A disk of two drivers.
private final class Disks: DriverLoader {
  static let bases: [UInt64] = [0xf8c8_0000, 0xf8c9_0000]
  let guest: IOGuest
  let images: [DriverImage]
  var mapped: Set<UInt64> = []
  var calls: [String] = []

  init(_ guest: IOGuest, initialize: NTSTATUS?) {
    self.guest = guest
    images = Self.bases.enumerated().map { index, base in
      let isExporter = index == 1 && initialize != nil
      return DriverImage(
        name: ["other", "base"][index], range: base..<base + 0x4000, entryPoint: base + 0x100, isExportDriver: isExporter,
        dllInitialize: isExporter ? base + 0x300 : nil, dllUnload: isExporter ? base + 0x400 : nil,
        imports: index == 0 ? [Self.bases[1]] : [])
    }
  }

  func driverImage(file: String) -> DriverImage? { images.first { $0.name + ".sys" == file.lowercased() } }
  func driverImage(at base: UInt64) -> DriverImage? { images.first { $0.range.lowerBound == base } }
  func mapImage(at base: UInt64) throws -> Pointer<LDR_DATA_TABLE_ENTRY>? {
    mapped.insert(base)
    return Pointer(try guest.space(0x50), in: guest.k.memory.memory)
  }
  func unmapImage(at base: UInt64) throws { mapped.remove(base) }
  func discardInitialisation(ofImageAt base: UInt64) throws {}
}
