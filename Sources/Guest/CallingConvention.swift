/// How a caller passes arguments, and who pops them.
public enum CallingConvention: String, Sendable {
  /// Arguments on the stack; the callee pops (`ret n`).
  case stdcall
  /// The first two arguments of pointer size or less in `ecx` and `edx`; the callee pops the rest.
  case fastcall
  /// Arguments on the stack; the caller pops.
  case cdecl
  /// A 64-bit value in `edx:eax` and then one in `ecx`, nothing on the stack: how Visual C++ calls its shift helpers.
  case wideShift
}

/// Hands out the arguments of one call, left to right.
public struct ArgumentReader {
  public let memory: GuestMemory
  @usableFromInline unowned(unsafe) let registers: any Registers
  /// The address of the next stack argument.
  @usableFromInline var cursor: UInt64
  @usableFromInline var registersLeft: Int
  /// Whether the next argument is the pair `edx:eax`.
  @usableFromInline var startsWithPair: Bool
  /// Where each argument's bits go as it is read, zero-extended; room for ``maximumCount``.
  @usableFromInline let log: UnsafeMutablePointer<UInt64>
  /// How many arguments have been read.
  @usableFromInline var count = 0

  /// No routine has more named arguments.
  public static let maximumCount = 24

  /// - Parameters:
  ///   - stackPointer: as it is on entry, where it points at the return address.
  ///   - log: room for ``maximumCount`` values, which outlives the reader.
  @inlinable public init(
    _ convention: CallingConvention, memory: GuestMemory, registers: any Registers, stackPointer: UInt64,
    log: UnsafeMutablePointer<UInt64>
  ) {
    self.log = log
    self.memory = memory
    self.registers = registers
    cursor = stackPointer &+ UInt64(memory.target.width.rawValue)
    registersLeft = convention == .fastcall ? 2 : convention == .wideShift ? 1 : 0
    startsWithPair = convention == .wideShift
  }

  @inlinable @inline(__always)
  public mutating func next<Value: GuestValue>(_: Value.Type = Value.self) throws -> Value {
    let value = try take(Value.self)
    if count < Self.maximumCount {
      log[count] = value.bits
      count += 1
    }
    return value
  }

  /// The arguments read so far, zero-extended.
  @inlinable public var raw: UnsafeBufferPointer<UInt64> { UnsafeBufferPointer(start: log, count: count) }

  @inlinable @inline(__always)
  mutating func take<Value: GuestValue>(_: Value.Type) throws -> Value {
    let width = memory.target.width.rawValue
    let size = Value.size(in: memory.target)
    if registersLeft > 0 && (size <= width || startsWithPair) { return takeRegister() }
    defer { cursor &+= UInt64((size + width - 1) / width * width) }
    return size <= 4
      ? Value(bits: UInt64(try memory.load(UInt32.self, at: cursor)), in: memory)
      : Value(bits: try memory.load(UInt64.self, at: cursor), in: memory)
  }

  @inlinable @inline(__always)
  mutating func takeRegister<Value: GuestValue>() -> Value {
    if startsWithPair {
      startsWithPair = false
      // What is left is the count, in the first register.
      registersLeft = 2
      return Value(bits: registers[.ax] & 0xffff_ffff | registers[.dx] << 32, in: memory)
    }
    defer { registersLeft -= 1 }
    return Value(bits: registers[registersLeft == 2 ? .cx : .dx], in: memory)
  }

  /// The arguments after a variadic routine's named ones.
  public var rest: VariadicArguments { VariadicArguments(reader: self) }
}

/// The arguments after a variadic routine's named ones, or those of a `va_list`.
public struct VariadicArguments {
  @usableFromInline var reader: ArgumentReader
  @inlinable public mutating func next<Value: GuestValue>(_ type: Value.Type = Value.self) throws -> Value { try reader.take(type) }

  /// The arguments of a `va_list`, which begin at `address`.
  public init(at address: UInt64, memory: GuestMemory, registers: any Registers) {
    // A reader starts behind a return address, and a variadic one never logs.
    reader = ArgumentReader(
      .cdecl, memory: memory, registers: registers, stackPointer: address &- UInt64(memory.target.width.rawValue),
      log: Self.noLog)
  }
  /// Safety: never written; `take` does not log.
  nonisolated(unsafe) private static let noLog = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)

  @usableFromInline init(reader: ArgumentReader) { self.reader = reader }
}
