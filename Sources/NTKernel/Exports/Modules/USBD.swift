import Guest
import WindowsTypes

extension Export {
  /// usbd.sys: descriptors and requests of USB clients. No device is on a bus here; what these routines do needs none.
  static let usbd: [Export] =
    usbd("USBD_ParseDescriptors", decorated: "_USBD_ParseDescriptors@16") { name in
      // nf-usbdlib-usbd_parsedescriptors: the first of a type, from a place within the buffer on.
      export("\(name)(DescriptorBuffer, TotalLength, StartPosition, DescriptorType)", module: "usbd", irql: .dispatch) {
        (kernel, buffer: GuestWord, length: UInt32, start: GuestWord, type: UInt32) -> GuestWord in
        let reader = USBDescriptors(kernel.memory.memory, buffer.bits, UInt64(length))
        return GuestWord(try reader.all(from: start.bits).first { UInt32($0.type) == type }?.place ?? 0)
      }
    }
    + usbd("USBD_ParseConfigurationDescriptorEx", decorated: "_USBD_ParseConfigurationDescriptorEx@28") { name in
      // nf-usbdlib-usbd_parseconfigurationdescriptorex: -1 stands for any.
      export(
        "\(name)(ConfigurationDescriptor, StartPosition, InterfaceNumber, AlternateSetting, InterfaceClass, InterfaceSubClass, InterfaceProtocol)",
        module: "usbd", irql: .dispatch
      ) {
        (
          kernel, configuration: GuestWord, start: GuestWord, number: Int32, alternate: Int32, type: Int32, subtype: Int32,
          protocolCode: Int32
        ) -> GuestWord in
        try kernel.usbInterface(configuration.bits, from: start.bits, [number, alternate, type, subtype, protocolCode])
      }
    }
    + usbd("USBD_ParseConfigurationDescriptor") { name in
      // nf-usbdlib-usbd_parseconfigurationdescriptor: obsolete.
      export("\(name)(ConfigurationDescriptor, InterfaceNumber, AlternateSetting)", module: "usbd", irql: .dispatch) {
        (kernel, configuration: GuestWord, number: UInt8, alternate: UInt8) -> GuestWord in
        try kernel.usbInterface(configuration.bits, from: configuration.bits, [Int32(number), Int32(alternate), -1, -1, -1])
      }
    }
    + usbd("USBD_CreateConfigurationRequestEx", decorated: "_USBD_CreateConfigurationRequestEx@8") { name in
      // nf-usbdlib-usbd_createconfigurationrequestex: an URB in pool, which the caller frees; each entry's Interface lies in it.
      export("\(name)(ConfigurationDescriptor, InterfaceList)", module: "usbd", irql: .apc) {
        (kernel, configuration: GuestWord, list: Pointer<UInt32>) -> GuestWord in
        var interfaces: [UInt64] = []
        while interfaces.count < 256, case let next = try list[2 * interfaces.count].load(), next != 0 { interfaces.append(UInt64(next)) }
        let places = try kernel.makeConfigurationRequest(configuration.bits, interfaces)
        for (index, place) in places.dropFirst().enumerated() { try list[2 * index + 1].store(UInt32(truncatingIfNeeded: place)) }
        return GuestWord(places.first ?? 0)
      }
    }
    + usbd("USBD_CreateConfigurationRequest") { name in
      // nf-usbdlib-usbd_createconfigurationrequest: obsolete; the first setting of each interface.
      export("\(name)(ConfigurationDescriptor, Siz)", module: "usbd", irql: .apc) {
        (kernel, configuration: GuestWord, size: Pointer<UInt16>) -> GuestWord in
        let here = kernel.memory.memory
        let length = UInt64(try here.load(UInt16.self, at: configuration.bits + 2))
        var interfaces: [UInt64] = []
        for descriptor in try USBDescriptors(here, configuration.bits, length).all(from: configuration.bits)
        where descriptor.type == 4 && descriptor.length >= 9 {
          if try here.load(UInt8.self, at: descriptor.place + 3) == 0 { interfaces.append(descriptor.place) }
        }
        let places = try kernel.makeConfigurationRequest(configuration.bits, interfaces)
        if let urb = places.first { try size.store(here.load(UInt16.self, at: urb)) }
        return GuestWord(places.first ?? 0)
      }
    }
    + usbd("USBD_GetInterfaceLength") { name in
      // nf-usbdlib-usbd_getinterfacelength: up to the next interface, or the end.
      export("\(name)(InterfaceDescriptor, BufferEnd)", module: "usbd", irql: .dispatch) {
        (kernel, descriptor: GuestWord, end: GuestWord) -> UInt32 in
        let length = end.bits > descriptor.bits ? end.bits - descriptor.bits : 0
        let all = try USBDescriptors(kernel.memory.memory, descriptor.bits, length).all(from: descriptor.bits)
        guard let first = all.first else { return 0 }
        let own = [first] + all.dropFirst().prefix { $0.type != 4 }
        return UInt32(own.reduce(0) { $0 + $1.length })
      }
    }
    + usbd("USBD_GetUSBDIVersion") { name in
      // nf-usbdlib-usbd_getusbdiversion: USBDI 5.0 and USB 2.0, as XP's.
      export("\(name)(VersionInformation)", module: "usbd", irql: .dispatch) { (_, version: Pointer<UInt32>) in
        try version.store(0x500)
        try version[1].store(0x200)
      }
    }

  /// usbd.sys exports some of its routines by the name that compilers decorate theirs to, too.
  private static func usbd(_ name: String, decorated: String? = nil, _ declare: (String) -> Export) -> [Export] {
    [declare(name)] + (decorated.map { [declare($0)] } ?? [])
  }
}

/// Descriptors that lie one behind the other, each with its length and type in front.
private struct USBDescriptors {
  let memory: GuestMemory
  let end: UInt64
  let start: UInt64

  init(_ memory: GuestMemory, _ start: UInt64, _ length: UInt64) {
    self.memory = memory
    self.start = start
    end = start &+ min(length, 0x1_0000)
  }

  /// Those from a place on; a length of 0, or one beyond the end, is the last.
  func all(from place: UInt64) throws -> [(place: UInt64, length: UInt64, type: UInt8)] {
    var result: [(UInt64, UInt64, UInt8)] = []
    var place = place
    while place >= start, place + 2 <= end {
      let length = UInt64(try memory.load(UInt8.self, at: place))
      guard length >= 2, place + length <= end else { break }
      result.append((place, length, try memory.load(UInt8.self, at: place + 1)))
      place += length
    }
    return result
  }
}

extension Kernel {
  /// The first interface descriptor whose five numbers are as wanted: number, setting, class, subclass, protocol.
  fileprivate func usbInterface(_ configuration: UInt64, from start: UInt64, _ wanted: [Int32]) throws -> GuestWord {
    let here = memory.memory
    let length = UInt64(try here.load(UInt16.self, at: configuration + 2))
    for descriptor in try USBDescriptors(here, configuration, length).all(from: start) where descriptor.type == 4 && descriptor.length >= 9
    {
      let bytes = try here.bytes(9, at: descriptor.place)
      let own = [bytes[2], bytes[3], bytes[5], bytes[6], bytes[7]]
      if zip(wanted, own).allSatisfy({ $0 == -1 || $0 == Int32($1) }) { return GuestWord(descriptor.place) }
    }
    return 0
  }

  /// `URB_FUNCTION_SELECT_CONFIGURATION` for these interfaces.
  ///
  /// - Returns: where the request lies, then where each `USBD_INTERFACE_INFORMATION` does; nothing where the pool is used up.
  fileprivate func makeConfigurationRequest(_ configuration: UInt64, _ interfaces: [UInt64]) throws -> [UInt64] {
    let here = memory.memory
    let pipes = try interfaces.map { UInt64(try here.load(UInt8.self, at: $0 + 4)) }
    let size = 0x18 + pipes.reduce(0) { $0 + 0x10 + 0x14 * $1 }
    // "USBD"
    guard size <= 0xffff, let urb = try nonPagedPool.allocate(size, tag: 0x4442_5355, in: memory) else { return [] }
    try here.store(UInt16(size), at: urb)
    try here.store(UInt32(truncatingIfNeeded: configuration), at: urb + 0x10)
    var places = [urb]
    var place = urb + 0x18
    for (interface, count) in zip(interfaces, pipes) {
      let length = 0x10 + 0x14 * count
      try here.store(UInt16(length), at: place)
      try here.write(here.bytes(2, at: interface + 2), at: place + 2)
      try here.write(here.bytes(3, at: interface + 5), at: place + 4)
      try here.store(UInt32(count), at: place + 0xc)
      // USBD_DEFAULT_MAXIMUM_TRANSFER_SIZE, as XP's headers have it: a page.
      for pipe in 0..<count { try here.store(UInt32(0x1000), at: place + 0x10 + 0x14 * pipe + 0xc) }
      places.append(place)
      place += length
    }
    return places
  }
}
