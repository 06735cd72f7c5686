import Guest
import WindowsTypes

/// Minor functions of `IRP_MJ_SYSTEM_CONTROL` (`wdm.h`).
private enum WMIMinor {
  static let queryAllData: UInt8 = 0
  static let querySingleInstance: UInt8 = 1
  static let changeSingleInstance: UInt8 = 2
  static let changeSingleItem: UInt8 = 3
  static let enableEvents: UInt8 = 4
  static let disableEvents: UInt8 = 5
  static let enableCollection: UInt8 = 6
  static let disableCollection: UInt8 = 7
  static let registrationInformation: UInt8 = 8
  static let executeMethod: UInt8 = 9
  static let registrationInformationEx: UInt8 = 11
}

/// `SYSCTL_IRP_DISPOSITION` (`wmilib.h`).
private enum Disposition {
  static let processed: UInt32 = 0
  static let notCompleted: UInt32 = 1
  static let notWMI: UInt32 = 2
  static let forward: UInt32 = 3
}

extension Export {
  /// wmilib.sys: what providers of WMI data share.
  static let wmilib: [Export] = [
    // nf-wmilib-wmisystemcontrol: asks the driver's routine for what the request wants; most complete it by WmiCompleteRequest.
    export("WmiSystemControl(WmiLibInfo, DeviceObject, Irp, IrpDisposition)", module: "wmilib", irql: .passive) {
      (
        kernel, information: Pointer<UInt32>, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>, disposition: Pointer<UInt32>
      ) async throws -> NTSTATUS in
      let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
      let (minor, parameters) = (try stack.MinorFunction.load(), stack.Parameters.WMI)
      guard try stack.MajorFunction.load() == .systemControl, minor != 10, minor <= WMIMinor.registrationInformationEx else {
        try disposition.store(Disposition.notWMI)
        return .success
      }
      guard try parameters.ProviderId.load().bits == device.address else {
        try disposition.store(Disposition.forward)
        return .success
      }
      try disposition.store(Disposition.notCompleted)
      return try await kernel.serveWMI(information, device, irp, minor, disposition)
    }
    .partially("a registration tells WMI the GUIDs alone, without names of instances"),
    // nf-wmilib-wmicompleterequest: the block's head says what the driver has put behind it, or how much room it takes.
    export("WmiCompleteRequest(DeviceObject, Irp, Status, BufferUsed, PriorityBoost)", module: "wmilib", irql: .dispatch) {
      (
        kernel, device: Pointer<DEVICE_OBJECT>, irp: Pointer<IRP>, status: NTSTATUS, used: UInt32, boost: UInt8
      ) async throws -> NTSTATUS in
      try await kernel.completeWMI(irp, status, used)
    },
    // nf-wmilib-wmifireevent: the event's data, which is in pool, is freed.
    export("WmiFireEvent(DeviceObject, Guid, InstanceIndex, EventDataSize, EventData)", module: "wmilib", irql: .dispatch) {
      (
        kernel, device: Pointer<DEVICE_OBJECT>, identifier: GuestWord, index: UInt32, size: UInt32, data: GuestWord
      ) async throws -> NTSTATUS in
      let here = kernel.memory.memory
      guard size <= 0x1_0000 else { return .insufficientResources }
      let total = 0x40 + UInt64(size)
      // "Wmie"
      guard let block = try kernel.nonPagedPool.allocate(total, tag: 0x6569_6d57, in: kernel.memory) else {
        if data.bits != 0 { try kernel.freePool(data.bits) }
        return .insufficientResources
      }
      // WNODE_SINGLE_INSTANCE with WNODE_FLAG_SINGLE_INSTANCE, _EVENT_ITEM and _STATIC_INSTANCE_NAMES.
      try here.store(UInt32(total), at: block)
      try here.store(UInt32(truncatingIfNeeded: device.address), at: block + 4)
      try here.store(kernel.systemTime, at: block + 0x10)
      try here.write(here.bytes(16, at: identifier.bits), at: block + 0x18)
      try here.store(UInt32(0x2 | 0x8 | 0x200), at: block + 0x2c)
      try here.store(index, at: block + 0x34)
      try here.store(UInt32(0x40), at: block + 0x38)
      try here.store(size, at: block + 0x3c)
      try kernel.move(UInt64(size), from: data.bits, to: block + 0x40)
      if data.bits != 0 { try kernel.freePool(data.bits) }
      let status = try await kernel.call(kernel.trapAddress(of: "IoWMIWriteEvent"), [block])
      let result = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: status))
      if result.isFailure { try kernel.freePool(block) }
      return result
    },
  ]
}

extension Kernel {
  /// `STATUS_WMI_INSTANCE_NOT_FOUND` and its like are the driver's to say; these are the library's.
  fileprivate func serveWMI(
    _ information: Pointer<UInt32>, _ device: Pointer<DEVICE_OBJECT>, _ irp: Pointer<IRP>, _ minor: UInt8, _ disposition: Pointer<UInt32>
  ) async throws -> NTSTATUS {
    let here = memory.memory
    let parameters = try irp.Tail.Overlay.CurrentStackLocation.load().Parameters.WMI
    let (buffer, length) = (try parameters.Buffer.load().address, UInt64(try parameters.BufferSize.load()))
    // WMILIB_CONTEXT: the count of GUIDs and their list, then six routines.
    func routine(_ index: Int) throws -> UInt64 { UInt64(try information[index].load()) }
    func end(_ status: NTSTATUS, _ count: UInt64 = 0) async throws -> NTSTATUS {
      try disposition.store(Disposition.processed)
      try irp.IoStatus.Status.store(status)
      try irp.IoStatus.Information.store(GuestWord(count))
      try await completeRequest(irp)
      return status
    }
    func ask(_ routine: UInt64, _ arguments: [UInt64]) async throws -> NTSTATUS {
      guard routine != 0 else { return try await end(.invalidDeviceRequest) }
      // From here on the request is the driver's.
      try disposition.store(Disposition.processed)
      return NTSTATUS(
        rawValue: UInt32(truncatingIfNeeded: try await call(routine, [device.address, irp.address] + arguments)))
    }
    let list = UInt64(try information[1].load())
    let count = min(try information.load(), 256)
    if minor == WMIMinor.registrationInformation || minor == WMIMinor.registrationInformationEx {
      // WMIREGINFO: the GUIDs behind a head of 20 bytes, each with flags and a count of instances in 28.
      let needed = 0x18 + 0x20 * UInt64(count)
      guard length >= needed else {
        if length >= 4 { try here.store(UInt32(needed), at: buffer) }
        return try await end(.bufferTooSmall, min(length, 4))
      }
      try here.fill(0, count: Int(needed), at: buffer)
      try here.store(UInt32(needed), at: buffer)
      try here.store(UInt32(count), at: buffer + 0x10)
      for index in 0..<UInt64(count) {
        let place = buffer + 0x14 + 0x1c * index
        let identifier = UInt64(try here.load(UInt32.self, at: list + 12 * index))
        try here.write(here.bytes(16, at: identifier), at: place)
        try here.store(here.load(UInt32.self, at: list + 12 * index + 8), at: place + 16)
        try here.store(here.load(UInt32.self, at: list + 12 * index + 4), at: place + 20)
      }
      return try await end(.success, needed)
    }
    guard length >= 0x30 else { return try await end(.invalidParameter) }
    let wanted = try here.bytes(16, at: parameters.DataPath.load().address)
    var found: (index: UInt64, instances: UInt64)?
    for index in 0..<UInt64(count) where found == nil {
      let identifier = UInt64(try here.load(UInt32.self, at: list + 12 * index))
      if try here.bytes(16, at: identifier) == wanted { found = (index, UInt64(try here.load(UInt32.self, at: list + 12 * index + 4))) }
    }
    guard let (guid, instances) = found else { return try await end(.wmiGuidNotFound) }
    func word(_ offset: UInt64) throws -> UInt64 { UInt64(try here.load(UInt32.self, at: buffer + offset)) }
    switch minor {
    case WMIMinor.queryAllData:
      // WNODE_ALL_DATA: the lengths of the instances, then their data at a multiple of eight.
      let data = (0x3c + 8 * instances + 7) & ~7
      guard instances < 0x1000 else { return try await end(.insufficientResources) }
      guard length >= data else { return try await ask(try routine(3), [guid, 0, instances, 0, 0, 0]) }
      try here.store(UInt32(data), at: buffer + 0x30)
      try here.store(UInt32(instances), at: buffer + 0x34)
      try here.store(UInt32(0), at: buffer + 0x38)
      let lengths = try allocate(max(8, 4 * instances))
      defer { free(lengths) }
      let status = try await ask(try routine(3), [guid, 0, instances, lengths, length - data, buffer + data])
      // OFFSETINSTANCEDATAANDLENGTH of each, one behind the other at multiples of eight.
      var offset = data
      for index in 0..<instances where !status.isFailure && offset < length {
        let size = UInt64(try here.load(UInt32.self, at: lengths + 4 * index))
        try here.store(UInt32(truncatingIfNeeded: offset), at: buffer + 0x3c + 8 * index)
        try here.store(UInt32(truncatingIfNeeded: size), at: buffer + 0x40 + 8 * index)
        offset += (size + 7) & ~7
      }
      return status
    case WMIMinor.querySingleInstance:
      guard length >= 0x40, try word(0x38) <= length else { return try await end(.invalidParameter) }
      let data = try word(0x38)
      let lengths = try allocate(8)
      defer { free(lengths) }
      return try await ask(try routine(3), [guid, try word(0x34), 1, lengths, length - data, buffer + data])
    case WMIMinor.changeSingleInstance:
      guard length >= 0x40, try word(0x38) <= length else { return try await end(.invalidParameter) }
      return try await ask(try routine(4), [guid, try word(0x34), try word(0x3c), buffer + word(0x38)])
    case WMIMinor.changeSingleItem:
      guard length >= 0x44, try word(0x3c) <= length else { return try await end(.invalidParameter) }
      return try await ask(try routine(5), [guid, try word(0x34), try word(0x38), try word(0x40), buffer + word(0x3c)])
    case WMIMinor.executeMethod:
      guard length >= 0x44, try word(0x3c) <= length else { return try await end(.invalidParameter) }
      return try await ask(
        try routine(6), [guid, try word(0x34), try word(0x38), try word(0x40), length - word(0x3c), buffer + word(0x3c)])
    default:
      guard try routine(7) != 0 else { return try await end(.success) }
      // WmiEventControl 0, WmiDataBlockControl 1.
      let function: UInt64 = minor >= WMIMinor.enableCollection ? 1 : 0
      return try await ask(try routine(7), [guid, function, minor == WMIMinor.enableEvents || minor == WMIMinor.enableCollection ? 1 : 0])
    }
  }

  fileprivate func completeWMI(_ irp: Pointer<IRP>, _ status: NTSTATUS, _ used: UInt32) async throws -> NTSTATUS {
    let here = memory.memory
    let stack = try irp.Tail.Overlay.CurrentStackLocation.load()
    let (minor, parameters) = (try stack.MinorFunction.load(), stack.Parameters.WMI)
    let (buffer, length) = (try parameters.Buffer.load().address, UInt64(try parameters.BufferSize.load()))
    var (result, count) = (status, UInt64(used))
    let head: UInt64? =
      switch minor {
      case WMIMinor.queryAllData: length >= 0x34 ? UInt64(try here.load(UInt32.self, at: buffer + 0x30)) : 0x40
      case WMIMinor.querySingleInstance: length >= 0x40 ? UInt64(try here.load(UInt32.self, at: buffer + 0x38)) : 0x40
      case WMIMinor.executeMethod: length >= 0x44 ? UInt64(try here.load(UInt32.self, at: buffer + 0x3c)) : 0x44
      default: nil
      }
    if let head {
      if status == .bufferTooSmall, length >= 0x38 {
        // WNODE_TOO_SMALL: it is no error, and says how much it takes.
        let flags = try here.load(UInt32.self, at: buffer + 0x2c)
        try here.store(UInt32(0x38), at: buffer)
        try here.store(flags | 0x20, at: buffer + 0x2c)
        try here.store(UInt32(truncatingIfNeeded: head + UInt64(used)), at: buffer + 0x30)
        (result, count) = (.success, 0x38)
      } else if !status.isFailure {
        count = head + UInt64(used)
        try here.store(UInt32(truncatingIfNeeded: count), at: buffer)
        try here.store(systemTime, at: buffer + 0x10)
        if minor != WMIMinor.queryAllData { try here.store(used, at: buffer + (minor == WMIMinor.executeMethod ? 0x40 : 0x3c)) }
      }
    }
    try irp.IoStatus.Status.store(result)
    try irp.IoStatus.Information.store(GuestWord(count))
    try await completeRequest(irp)
    return result
  }
}
