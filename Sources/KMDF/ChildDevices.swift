import Guest
import NTKernel
import WindowsTypes

/// What a bus driver says of a child before its device is made: the child's part of `WDFDEVICE_INIT`.
final class ChildInit {
  let parent: Device
  var deviceID = ""
  var instanceID = ""
  var containerID = ""
  var hardwareIDs: [String] = []
  var compatibleIDs: [String] = []
  var texts: [(locale: UInt32, description: String, location: String)] = []
  var defaultLocale: UInt32 = 0x409
  /// What a dynamic list knows of it; `nil` for a child that the driver reports itself.
  var entry: ChildList.Entry?

  init(_ parent: Device) { self.parent = parent }
}

/// `WDFCHILDLIST`: the children of a bus, each described by the driver's own structures.
final class ChildList: FrameworkObject {
  /// `WDF_CHILD_LIST_CONFIG` (ns-wdfchildlist-_wdf_child_list_config), read.
  struct Configuration {
    var (identificationSize, addressSize) = (UInt32(0), UInt32(0))
    var (createDevice, scan) = (GuestWord(0), GuestWord(0))
    var (duplicate, cleanUp, compare) = (GuestWord(0), GuestWord(0), GuestWord(0))

    init(_ place: Pointer<GuestWord>) throws {
      // Its size, those of both descriptions, then the callbacks.
      guard try place.load().bits >= 0x34 else { throw Refused(.infoLengthMismatch) }
      identificationSize = UInt32(try place[1].load().bits)
      addressSize = UInt32(try place[2].load().bits)
      // Each begins with its size.
      guard 4...0x1_0000 ~= identificationSize, addressSize <= 0x1_0000 else { throw Refused(.invalidParameter) }
      (createDevice, scan) = (try place[3].load(), try place[4].load())
      guard createDevice.bits != 0 else { throw Refused(.invalidParameter) }
      (duplicate, cleanUp, compare) = (try place[6].load(), try place[7].load(), try place[8].load())
    }
  }

  final class Entry {
    let identification: UInt64
    /// 0 where the list has no addresses.
    let address: UInt64
    var isPresent = true
    /// Whether the scan that is under way has seen it.
    var isSeen = true
    weak var device: Device?

    init(_ identification: UInt64, _ address: UInt64) {
      self.identification = identification
      self.address = address
    }
  }

  let configuration: Configuration
  var entries: [Entry] = []
  var isScanning = false
  /// Places in the list, by the iterator's address.
  var iterations: [UInt64: Int] = [:]

  init(_ block: UInt64, _ binding: Binding, _ configuration: Configuration) {
    self.configuration = configuration
    super.init(block, binding)
  }

  override func dispose(_ kernel: Kernel) async throws { for entry in entries { try await kernel.forget(entry, of: self) } }
}

/// Lists of children at work.
extension Kernel {
  func makeChildList(_ device: Device, _ configuration: ChildList.Configuration, _ attributes: Attributes) throws -> ChildList {
    let list = ChildList(try objectBlock(), device.binding, configuration)
    try adopt(list, attributes, parent: device)
    return list
  }

  /// The child that a description identifies.
  func entry(_ identification: UInt64, in list: ChildList) async throws -> ChildList.Entry? {
    let (size, compare) = (list.configuration.identificationSize, list.configuration.compare)
    guard try memory.memory.load(UInt32.self, at: identification) == size else { throw Refused(.invalidParameter) }
    for entry in list.entries where entry.isPresent {
      let isSame =
        compare.bits == 0
        ? try memory.memory.bytes(Int(size), at: entry.identification) == memory.memory.bytes(Int(size), at: identification)
        : try await notify(compare, [list.handle.bits, identification, entry.identification]) & 0xff != 0
      if isSame { return entry }
    }
    return nil
  }

  /// Reports a child (nf-wdfchildlist-wdfchildlistaddorupdatechilddescriptionaspresent).
  func report(_ identification: UInt64, _ address: UInt64, in list: ChildList) async throws -> NTSTATUS {
    let configuration = list.configuration
    if let known = try await entry(identification, in: list) {
      known.isSeen = true
      if address != 0, known.address != 0 { try copy(UInt64(configuration.addressSize), from: address, to: known.address) }
      return .objectNameExists
    }
    guard list.entries.count < 4096 else { return .insufficientResources }
    let own = try allocate(UInt64(configuration.identificationSize))
    try memory.memory.store(configuration.identificationSize, at: own)
    if configuration.duplicate.bits == 0 {
      try copy(UInt64(configuration.identificationSize), from: identification, to: own)
    } else {
      let status = NTSTATUS(
        rawValue: UInt32(truncatingIfNeeded: try await notify(configuration.duplicate, [list.handle.bits, identification, own])))
      guard status.isSuccess else {
        free(own)
        return status
      }
    }
    var place: UInt64 = 0
    if address != 0, configuration.addressSize >= 4 {
      place = try allocate(UInt64(configuration.addressSize))
      try copy(UInt64(configuration.addressSize), from: address, to: place)
    }
    list.entries.append(ChildList.Entry(own, place))
    if !list.isScanning { try await changeRelations(of: list.device) }
    return .success
  }

  /// A child is gone (nf-wdfchildlist-wdfchildlistupdatechilddescriptionasmissing).
  func lose(_ entry: ChildList.Entry, of list: ChildList) async throws {
    entry.isPresent = false
    guard entry.device == nil else { return }
    list.entries.removeAll { $0 === entry }
    try await forget(entry, of: list)
  }

  fileprivate func forget(_ entry: ChildList.Entry, of list: ChildList) async throws {
    try await notify(list.configuration.cleanUp, [list.handle.bits, entry.identification])
    free(entry.identification)
    if entry.address != 0 { free(entry.address) }
  }

  /// A device is gone for good: its list no longer knows it.
  func forgetChild(_ device: Device) async throws {
    guard let entry = device.setup.child?.entry, let parent = device.setup.child?.parent else { return }
    for list in parent.childLists where list.entries.contains(where: { $0 === entry }) && !list.isDeleting {
      list.entries.removeAll { $0 === entry }
      try await forget(entry, of: list)
    }
  }

  /// `IoInvalidateDeviceRelations`, once somebody has started the bus.
  func changeRelations(of device: Device?) async throws {
    guard let device, device.progress.isInD0, let physical = device.physical else { return }
    _ = try await call(trapAddress(of: "IoInvalidateDeviceRelations"), [physical.address, 0])
  }

  // MARK: Relations

  /// The children that a bus has now; the devices of new ones are made first (nc-wdfchildlist-evt_wdf_child_list_create_device).
  func presentChildren(of device: Device) async throws -> [Device] {
    var children = device.staticChildren
    for list in device.childLists {
      for entry in list.entries where entry.isPresent {
        if entry.device == nil { try await makeChild(entry, of: list, device) }
        if let child = entry.device { children.append(child) }
      }
    }
    return children
  }

  private func makeChild(_ entry: ChildList.Entry, of list: ChildList, _ parent: Device) async throws {
    let block = try allocate(16)
    let setup = DeviceInit(parent.setup.driver, over: nil)
    setup.child = ChildInit(parent)
    setup.child?.entry = entry
    framework.deviceInits[block] = setup
    let status = NTSTATUS(
      rawValue: UInt32(
        truncatingIfNeeded: try await notify(list.configuration.createDevice, [list.handle.bits, entry.identification, block])))
    if framework.deviceInits.removeValue(forKey: block) != nil { free(block) }
    // STATUS_RETRY asks to be called again; whatever else fails takes the child out of the list.
    if !status.isSuccess, status.rawValue != 0xc000_022d {
      if let made = entry.device {
        try await delete(made)
        entry.device = nil
      }
      try await lose(entry, of: list)
    }
  }

  /// The answer to IRP_MN_QUERY_DEVICE_RELATIONS for BusRelations: DEVICE_RELATIONS in paged pool, with a reference to each device.
  func relate(_ objects: [UInt64], in irp: Pointer<IRP>) async throws {
    let known = UInt64(try irp.IoStatus.Information.load().bits)
    var all: [UInt64] = []
    if known != 0, isPoolBlock(known) {
      for index in 0..<UInt64(min(256, try memory.memory.load(UInt32.self, at: known))) {
        all.append(UInt64(try memory.memory.load(UInt32.self, at: known + 4 + 4 * index)))
      }
    }
    let own = Array(objects.filter { !all.contains($0) }.prefix(256 - min(256, all.count)))
    // "Wdfd"
    guard let list = try allocatePool(UInt64(4 + 4 * max(1, all.count + own.count)), tag: 0x6466_6457, paged: true) else { return }
    for object in own { _ = try reference(object, for: nil) }
    all += own
    try memory.memory.store(UInt32(all.count), at: list)
    for (index, object) in all.enumerated() {
      try memory.memory.store(UInt32(truncatingIfNeeded: object), at: list + 4 + 4 * UInt64(index))
    }
    if known != 0, isPoolBlock(known) { try freePool(known) }
    try irp.IoStatus.Information.store(GuestWord(list))
    try irp.IoStatus.Status.store(.success)
  }

  // MARK: A child's own requests

  /// Plug and Play for a device that this framework's driver enumerates: nothing is below it.
  func childPlugAndPlay(_ device: Device, _ child: ChildInit, _ irp: Pointer<IRP>) async throws -> NTSTATUS {
    let location = try irp.Tail.Overlay.CurrentStackLocation.load()
    let (minor, here) = (try location.MinorFunction.load(), memory.memory)
    let callbacks = device.setup.plugAndPlay
    var (status, information) = (try irp.IoStatus.Status.load(), UInt64(try irp.IoStatus.Information.load().bits))
    func answer(_ text: String) throws {
      let block = try allocateText(text)
      (status, information) = block == 0 ? (.insufficientResources, 0) : (.success, block)
    }
    switch minor {
    case 0: status = try await start(device)
    case 1, 5: status = try await asked(minor == 1 ? callbacks.queryRemove : callbacks.queryStop, device)
    case 2:
      try await end(device)
      try irp.IoStatus.Status.store(.success)
      try await complete(irp, .success, 0)
      // One that its bus still has stays, and can be started again.
      if device.isGone || child.entry?.isPresent == false {
        try await forgetChild(device)
        try await delete(device)
      }
      return .success
    case 3, 6: status = .success
    case 4:
      try await stop(device, PowerState.d3)
      status = .success
    case 0x17:
      try await notify(callbacks.surpriseRemoval, [device.handle.bits])
      try await stop(device, PowerState.d3Final)
      status = .success
    case 7:
      // BusRelations, TargetDeviceRelation
      switch try location.Parameters.QueryDeviceRelations.Type.load() {
      case 0 where device.isBus:
        try await relate(presentChildren(of: device).map(\.object.address), in: irp)
        (status, information) = (.success, UInt64(try irp.IoStatus.Information.load().bits))
      case 4:
        try await relate([device.object.address], in: irp)
        (status, information) = (.success, UInt64(try irp.IoStatus.Information.load().bits))
      default: break
      }
    case 8:
      if try await answerInterface(device, location) { status = .success }
    case 9:
      // DEVICE_CAPABILITIES.DeviceState: D0 while the system works, D3 otherwise.
      let capabilities = UInt64(try here.load(UInt32.self, at: location.Parameters.address))
      for (state, power) in ([0, 1, 4, 4, 4, 4, 4] as [UInt32]).enumerated() {
        try here.store(power, at: capabilities + 0x10 + 4 * UInt64(state))
      }
      status = .success
    case 0xc:
      // DeviceTextDescription, DeviceTextLocationInformation
      let (type, locale) = (
        try here.load(UInt32.self, at: location.Parameters.address), try here.load(UInt32.self, at: location.Parameters.address + 4)
      )
      if let text = child.texts.first(where: { $0.locale == locale }) ?? child.texts.first(where: { $0.locale == child.defaultLocale }),
        type < 2
      {
        try answer((type == 0 ? text.description : text.location) + "\0")
      }
    case 0x13:
      // BusQueryDeviceID, HardwareIDs, CompatibleIDs, InstanceID, ContainerID.
      let list = { (texts: [String]) in texts.isEmpty ? "" : texts.map { $0 + "\0" }.joined() + "\0" }
      let texts: [UInt32: String] = [
        0: child.deviceID + "\0", 1: list(child.hardwareIDs), 2: list(child.compatibleIDs), 3: child.instanceID + "\0",
        5: child.containerID.isEmpty ? "" : child.containerID + "\0",
      ]
      if let text = try texts[location.Parameters.QueryId.IdType.load()], !text.isEmpty { try answer(text) }
    case 0x15:
      // PNP_BUS_INFORMATION: the bus's class, PNPBus, and a number.
      if let bus = child.parent.busInformation, let block = try allocatePool(0x18, tag: 0x6466_6457, paged: true) {
        try here.write(bus, at: block)
        (status, information) = (.success, block)
      }
    default: break
    }
    try await complete(irp, status, information)
    return status
  }
}
