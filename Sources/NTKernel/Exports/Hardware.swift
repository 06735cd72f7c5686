import Guest
import WindowsTypes

/// Ports and device registers, as the HAL's and the kernel's routines reach them.
///
/// What answers at a port is in ``PortState``. Registers are memory, and what is mapped there answers.
extension Export {
  static let ports: [Export] =
    portAccess("UCHAR", UInt8.self) + portAccess("USHORT", UInt16.self) + portAccess("ULONG", UInt32.self)

  static let deviceRegisters: [Export] =
    registerAccess("UCHAR", UInt8.self) + registerAccess("USHORT", UInt16.self) + registerAccess("ULONG", UInt32.self)

  private static func portAccess<Unit: CodeUnit>(_ type: String, _: Unit.Type) -> [Export] {
    [
      // nf-wdm-read_port_uchar and its like
      export("READ_PORT_\(type)(Port)", module: "hal") { (kernel, port: GuestWord) -> Unit in
        Unit(truncatingIfNeeded: kernel.readPort(port.bits, size: MemoryLayout<Unit>.size))
      },
      // nf-wdm-write_port_uchar and its like
      export("WRITE_PORT_\(type)(Port, Value)", module: "hal") { (kernel, port: GuestWord, value: Unit) in
        kernel.writePort(port.bits, UInt64(value), size: MemoryLayout<Unit>.size)
      },
      // nf-wdm-read_port_buffer_uchar and its like
      export("READ_PORT_BUFFER_\(type)(Port, Buffer, Count)", module: "hal") {
        (kernel, port: GuestWord, buffer: Pointer<Unit>, count: UInt32) in
        for index in 0..<Int(count) {
          try buffer[index].store(Unit(truncatingIfNeeded: kernel.readPort(port.bits, size: MemoryLayout<Unit>.size)))
        }
      },
      // nf-wdm-write_port_buffer_uchar and its like
      export("WRITE_PORT_BUFFER_\(type)(Port, Buffer, Count)", module: "hal") {
        (kernel, port: GuestWord, buffer: Pointer<Unit>, count: UInt32) in
        for index in 0..<Int(count) { kernel.writePort(port.bits, UInt64(try buffer[index].load()), size: MemoryLayout<Unit>.size) }
      },
    ]
  }

  private static func registerAccess<Unit: CodeUnit>(_ type: String, _: Unit.Type) -> [Export] {
    [
      // nf-wdm-read_register_uchar and its like
      export("READ_REGISTER_\(type)(Register)") { (_, register: Pointer<Unit>) -> Unit in try register.load() },
      // nf-wdm-write_register_uchar and its like
      export("WRITE_REGISTER_\(type)(Register, Value)") { (kernel, register: Pointer<Unit>, value: Unit) in
        if !kernel.isAbsentDevice(register.address) { try register.store(value) }
      },
      // nf-wdm-read_register_buffer_uchar and its like
      export("READ_REGISTER_BUFFER_\(type)(Register, Buffer, Count)") {
        (_, register: Pointer<Unit>, buffer: Pointer<Unit>, count: UInt32) in
        for index in 0..<Int(count) { try buffer[index].store(register[index].load()) }
      }
      .uncertain("successive values come from successive addresses, as with a buffer in device memory"),
      // nf-wdm-write_register_buffer_uchar and its like
      export("WRITE_REGISTER_BUFFER_\(type)(Register, Buffer, Count)") {
        (kernel, register: Pointer<Unit>, buffer: Pointer<Unit>, count: UInt32) in
        for index in 0..<Int(count) {
          let value = try buffer[index].load()
          if !kernel.isAbsentDevice(register[index].address) { try register[index].store(value) }
        }
      }
      .uncertain("successive values go to successive addresses, as with a buffer in device memory"),
    ]
  }
}
