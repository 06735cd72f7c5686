import Events
import Guest
import WindowsTypes

extension Export {
  static let debug: [Export] = [
    // nf-wdm-dbgprint
    variadicExport("DbgPrint(Format, ...)") { (kernel, arguments: VariadicArguments, format: Pointer<UInt8>) -> NTSTATUS in
      var arguments = arguments
      return try kernel.debugPrint(format, &arguments)
    },
    // nf-wdm-dbgprintex: no component filter is set, so every level shows.
    variadicExport("DbgPrintEx(ComponentId, Level, Format, ...)") {
      (kernel, arguments: VariadicArguments, component: UInt32, level: UInt32, format: Pointer<UInt8>) -> NTSTATUS in
      var arguments = arguments
      return try kernel.debugPrint(format, &arguments)
    }
    .partially("component filters are not modelled: every level shows"),
    // nf-ntddk-vdbgprintex: the arguments are a va_list.
    export("vDbgPrintEx(ComponentId, Level, Format, arglist)") {
      (kernel, component: UInt32, level: UInt32, format: Pointer<UInt8>, list: GuestWord) -> NTSTATUS in
      var arguments = VariadicArguments(at: list.bits, memory: kernel.memory.memory, registers: kernel.registers)
      return try kernel.debugPrint(format, &arguments)
    },
    // nf-wdm-vdbgprintexwithprefix
    export("vDbgPrintExWithPrefix(Prefix, ComponentId, Level, Format, arglist)") {
      (
        kernel, prefix: Pointer<UInt8>, component: UInt32, level: UInt32, format: Pointer<UInt8>, list: GuestWord
      ) -> NTSTATUS in
      var arguments = VariadicArguments(at: list.bits, memory: kernel.memory.memory, registers: kernel.registers)
      return try kernel.debugPrint(format, &arguments, prefix: String(decoding: prefix.units(limit: 512), as: UTF8.self))
    }
    .partially("component filters are not modelled: every level shows"),
  ]
}

extension Kernel {
  func debugPrint(_ format: Pointer<UInt8>, _ arguments: inout VariadicArguments, prefix: String = "") throws -> NTSTATUS {
    stream.append(.message(prefix + (try formatted(format, &arguments))))
    return .success
  }
}
