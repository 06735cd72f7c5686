import Events
import Guest
import Memory
import WindowsTypes

/// The devices that a bus driver reports: the manager asks each what it is, and tells it when it goes. No function driver is there for
/// any of them, so none is started.
extension Kernel {
  /// Takes a bus's answer to IRP_MN_QUERY_DEVICE_RELATIONS for BusRelations, and gives the list back.
  func takeChildren(_ list: UInt64, of parent: Pointer<DEVICE_OBJECT>) async throws {
    guard list != 0, pagedPool.blocks[list] != nil || nonPagedPool.blocks[list] != nil else { return }
    var present: [UInt64] = []
    for index in 0..<UInt64(min(256, try memory.memory.load(UInt32.self, at: list))) {
      let object = UInt64(try memory.memory.load(UInt32.self, at: list + 4 + 4 * index))
      if io.objects[object] != nil { present.append(object) }
    }
    try freePool(list)
    for child in children(of: parent) where !present.contains(child.address) { try await remove(child, isGone: true) }
    for object in present {
      let child = Pointer<DEVICE_OBJECT>(object, in: memory.memory)
      // One that is known has the manager's reference already.
      if hardware.plugAndPlay.nodes[object] != nil {
        try await dereference(object)
      } else {
        try await introduce(child, to: parent)
      }
    }
  }

  /// Tells what `parent` carries that it goes.
  func removeChildren(of parent: Pointer<DEVICE_OBJECT>) async throws {
    for child in children(of: parent) { try await remove(child, isGone: false) }
  }

  private func children(of parent: Pointer<DEVICE_OBJECT>) -> [Pointer<DEVICE_OBJECT>] {
    hardware.plugAndPlay.nodes.filter { $0.value.parent == parent.address }.sorted { $0.value.instancePath < $1.value.instancePath }
      .map { Pointer($0.key, in: memory.memory) }
  }

  /// Asks a new device what it is (“Adding a PnP Device to a Running System”): its identifiers, capabilities, texts, bus, state and
  /// resources.
  private func introduce(_ child: Pointer<DEVICE_OBJECT>, to parent: Pointer<DEVICE_OBJECT>) async throws {
    try child.Flags.store(child.Flags.load().union(.busEnumeratedDevice))
    try child.DeviceObjectExtension.load().DeviceNode.store(Pointer(try allocate(0x20), in: memory.memory))
    func ask(_ minor: UInt8, _ argument: UInt32 = 0) async throws -> String? {
      let here = memory.memory
      let (status, information) = try await send(to: child, .pnp, minor) { location in
        try here.store(argument, at: location.Parameters.address)
        // The language of a text.
        if minor == 0xc { try here.store(UInt32(0x409), at: location.Parameters.address + 4) }
      }
      guard status.isSuccess, information != 0, pagedPool.blocks[information] != nil || nonPagedPool.blocks[information] != nil else {
        return nil
      }
      var units: [UInt16] = []
      if minor == 0x13 || minor == 0xc {
        while units.count < 200, case let unit = try here.load(UInt16.self, at: information + 2 * UInt64(units.count)), unit != 0 {
          units.append(unit)
        }
      }
      try freePool(information)
      return String(decoding: units, as: UTF16.self)
    }
    let identifier = try await ask(0x13) ?? "UNKNOWN\\UNKNOWN"
    try await askCapabilities(of: child)
    let instance = try await ask(0x13, 3) ?? "0"
    hardware.plugAndPlay.nodes[child.address] = PlugAndPlayState.DeviceNode(
      instancePath: "\(identifier)\\\(instance)", service: "", driver: 0, parent: parent.address)
    for (minor, argument) in [(0x13, 1), (0x13, 2), (0xc, 0), (0xc, 1), (0x15, 0), (0x14, 0), (0xa, 0), (0xb, 0)] as [(UInt8, UInt32)] {
      // IRP_MN_QUERY_PNP_DEVICE_STATE answers with a number.
      if minor == 0x14 { _ = try await send(to: child, .pnp, minor) } else { _ = try await ask(minor, argument) }
    }
  }

  /// IRP_MN_QUERY_CAPABILITIES, with a `DEVICE_CAPABILITIES` of version 1 that says nothing.
  private func askCapabilities(of child: Pointer<DEVICE_OBJECT>) async throws {
    let here = memory.memory
    let capabilities = try allocate(0x40)
    defer { _ = nonPagedPool.free(capabilities) }
    try here.store(UInt16(0x40), at: capabilities)
    try here.store(UInt16(1), at: capabilities + 2)
    try here.store(UInt64.max, at: capabilities + 8)
    _ = try await send(to: child, .pnp, 9) { location in try GuestWord(capabilities).store(here, at: location.Parameters.address) }
  }

  /// IRP_MN_SURPRISE_REMOVAL to a device that its bus no longer has, and IRP_MN_REMOVE_DEVICE to any.
  private func remove(_ child: Pointer<DEVICE_OBJECT>, isGone: Bool) async throws {
    try await removeChildren(of: child)
    if isGone { _ = try await send(to: child, .pnp, 0x17) }
    let node = try child.DeviceObjectExtension.load().DeviceNode
    _ = try await send(to: child, .pnp, 2)
    hardware.plugAndPlay.nodes[child.address] = nil
    _ = nonPagedPool.free(try node.load().address)
    try node.store(Pointer(0, in: memory.memory))
    try await dereference(child.address)
  }
}
