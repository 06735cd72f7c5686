import Guest
import WindowsTypes

/// How far an export does what its documentation says.
public enum Support: Hashable, Sendable {
  /// All of it, and a test calls it.
  case tested
  /// What is missing.
  case partial(String)
}

/// A kernel routine that guest code imports.
///
/// The name of the declaration is its prototype in words, from which traces print the arguments; the body's parameter types are
/// its ABI.
public struct Export: Sendable {
  /// The module that exports it: `nt`, `hal`, `fltMgr`.
  public let module: String
  public private(set) var name: String
  /// One name for each argument.
  public let parameters: [String]
  /// The arguments' types, which say how to print them.
  public let parameterTypes: [any GuestValue.Type]
  /// `nil` for a routine that returns nothing.
  public let resultType: (any GuestValue.Type)?
  public let convention: CallingConvention
  /// The highest IRQL at which it may be called, or `nil` for any.
  public let highestIRQL: IRQL?
  public private(set) var support = Support.tested
  /// What the documentation leaves open, and what was chosen.
  public private(set) var uncertainty: String?
  /// Whether guest code can import it by name, or only the kernel itself leads there.
  public private(set) var isImportable: Bool

  /// Bytes of stack that the arguments take: what a stdcall callee pops.
  public let stackBytes: @Sendable (Target) -> Int
  let body: Body

  @usableFromInline enum Body: Sendable {
    case immediate(ImmediateRoutine)
    /// It may wait for guest code: decodes its arguments first, and hands back what to run.
    case waiting(WaitingRoutine)
  }

  @usableFromInline init(
    _ prototype: String, module: String, _ convention: CallingConvention, _ highestIRQL: IRQL?,
    types: [any GuestValue.Type], result: (any GuestValue.Type)?, isImportable: Bool,
    stackBytes: @escaping @Sendable (Target) -> Int, body: Body
  ) {
    let parts = prototype.split(separator: "(", maxSplits: 1)
    name = String(parts[0])
    parameters =
      parts.count < 2 ? [] : parts[1].dropLast().split(separator: ",").map { $0.drop(while: \.isWhitespace) }.map(String.init)
    let named = parameters.filter { $0 != "..." }.count
    precondition(named == types.count, "\(name) is declared with \(named) arguments, and its body takes \(types.count)")
    self.module = module
    self.convention = convention
    self.highestIRQL = highestIRQL
    parameterTypes = types
    resultType = result
    self.isImportable = isImportable
    self.stackBytes = stackBytes
    self.body = body
  }

  /// Whether arguments follow the named ones.
  public var isVariadic: Bool { parameters.last == "..." }

  /// Says what the export does not do.
  public func partially(_ missing: String) -> Export {
    var copy = self
    copy.support = .partial(missing)
    return copy
  }

  /// A call that may be given an APC routine: where its callers are in user mode, partly, for no code runs there.
  func callingAPCs(inUserMode isUser: Bool) -> Export {
    isUser ? partially("the APC routine does not run, as no code in user mode does; waits end for it") : self
  }

  /// The same routine by another name, which no import finds.
  func internally(named name: String) -> Export {
    var copy = self
    copy.name = name
    copy.isImportable = false
    return copy
  }

  /// Says what the documentation leaves open, and what was chosen.
  public func uncertain(_ choice: String) -> Export {
    var copy = self
    copy.uncertainty = choice
    return copy
  }
}

/// The body of an export that does its work at once: an object, so that serving it counts no references.
@usableFromInline final class ImmediateRoutine: Sendable {
  @usableFromInline typealias Body = @Sendable (Kernel, inout ArgumentReader) throws -> UInt64
  let body: Body
  @usableFromInline init(_ body: @escaping Body) { self.body = body }
}

/// The body of an export that may wait: decodes its arguments, and hands back what to run.
@usableFromInline final class WaitingRoutine: Sendable {
  @usableFromInline enum Work {
    /// There was nothing to wait for.
    case done(UInt64)
    case waits(() async throws -> UInt64)
  }
  @usableFromInline typealias Decode = @Sendable (Kernel, inout ArgumentReader) throws -> Work
  let decode: Decode
  @usableFromInline init(_ decode: @escaping Decode) { self.decode = decode }
}

/// What serving an export takes, beside its declaration. The export table outlives it.
struct Service {
  /// Where the result goes.
  enum Result { case none, oneRegister, twoRegisters }

  /// Of an export that does its work at once.
  let immediate: Unmanaged<ImmediateRoutine>?
  /// Of an export that may wait.
  let waiting: Unmanaged<WaitingRoutine>?
  let convention: CallingConvention
  let result: Result
  /// Whether only the kernel itself leads there.
  let isInternal: Bool
  /// What its return takes off the stack, the return address included.
  let poppedBytes: UInt64

  init(_ export: Export, _ target: Target) {
    switch export.body {
    case .immediate(let routine): (immediate, waiting) = (.passUnretained(routine), nil)
    case .waiting(let routine): (immediate, waiting) = (nil, .passUnretained(routine))
    }
    convention = export.convention
    isInternal = !export.isImportable
    result = export.resultType.map { $0.size(in: target) > target.width.rawValue ? .twoRegisters : .oneRegister } ?? .none
    poppedBytes = UInt64(target.width.rawValue + export.stackBytes(target))
  }
}

/// What stdcall and fastcall leave on the stack for these types, in bytes.
@usableFromInline func stackBytes(_ convention: CallingConvention, _ sizes: [Int], _ width: Int) -> Int {
  var registers = convention == .fastcall ? 2 : 0
  var total = 0
  for size in sizes {
    if registers > 0 && size <= width {
      registers -= 1
    } else {
      total += (size + width - 1) / width * width
    }
  }
  return convention == .cdecl || convention == .wideShift ? 0 : total
}

/// Declares an export that does its work at once.
public func export<each Parameter: GuestValue, Result: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, repeat each Parameter) throws -> Result
) -> Export {
  var types: [any GuestValue.Type] = []
  repeat types.append((each Parameter).self)
  return Export(
    prototype, module: module, convention, irql, types: types, result: Result.self, isImportable: isImportable,
    stackBytes: { target in
      var sizes: [Int] = []
      repeat sizes.append((each Parameter).size(in: target))
      return stackBytes(convention, sizes, target.width.rawValue)
    },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let arguments = (repeat try reader.next((each Parameter).self))
        kernel.beginCall(&reader)
        return try body(kernel, repeat each arguments).bits
      }))
}

/// Declares an export that does its work at once and returns nothing.
public func export<each Parameter: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, repeat each Parameter) throws -> Void
) -> Export {
  var types: [any GuestValue.Type] = []
  repeat types.append((each Parameter).self)
  return Export(
    prototype, module: module, convention, irql, types: types, result: nil, isImportable: isImportable,
    stackBytes: { target in
      var sizes: [Int] = []
      repeat sizes.append((each Parameter).size(in: target))
      return stackBytes(convention, sizes, target.width.rawValue)
    },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let arguments = (repeat try reader.next((each Parameter).self))
        kernel.beginCall(&reader)
        try body(kernel, repeat each arguments)
        return kernel.keptResult
      }))
}

/// Declares an export that may wait for guest code before it returns.
public func export<each Parameter: GuestValue, Result: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, repeat each Parameter) async throws -> Result
) -> Export {
  var types: [any GuestValue.Type] = []
  repeat types.append((each Parameter).self)
  return Export(
    prototype, module: module, convention, irql, types: types, result: Result.self, isImportable: isImportable,
    stackBytes: { target in
      var sizes: [Int] = []
      repeat sizes.append((each Parameter).size(in: target))
      return stackBytes(convention, sizes, target.width.rawValue)
    },
    body: .waiting(
      WaitingRoutine { kernel, reader in
        let arguments = (repeat try reader.next((each Parameter).self))
        kernel.beginCall(&reader)
        return .waits { try await body(kernel, repeat each arguments).bits }
      }))
}

/// Declares an export that may wait for guest code before it returns, and returns nothing.
public func export<each Parameter: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, repeat each Parameter) async throws -> Void
) -> Export {
  var types: [any GuestValue.Type] = []
  repeat types.append((each Parameter).self)
  return Export(
    prototype, module: module, convention, irql, types: types, result: nil, isImportable: isImportable,
    stackBytes: { target in
      var sizes: [Int] = []
      repeat sizes.append((each Parameter).size(in: target))
      return stackBytes(convention, sizes, target.width.rawValue)
    },
    body: .waiting(
      WaitingRoutine { kernel, reader in
        let arguments = (repeat try reader.next((each Parameter).self))
        kernel.beginCall(&reader)
        return .waits {
          try await body(kernel, repeat each arguments)
          return kernel.keptResult
        }
      }))
}

/// Declares an export that may wait for guest code and returns nothing, and that often need not.
///
/// - Parameter tryAtOnce: does the whole work and returns `true`, or does nothing and returns `false`.
@inlinable
public func export<A: GuestValue, B: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  tryAtOnce: @escaping @Sendable (Kernel, A, B) throws -> Bool, _ body: @escaping @Sendable (Kernel, A, B) async throws -> Void
) -> Export {
  Export(
    prototype, module: module, convention, irql, types: [A.self, B.self], result: nil, isImportable: true,
    stackBytes: { stackBytes(convention, [A.size(in: $0), B.size(in: $0)], $0.width.rawValue) },
    body: .waiting(
      WaitingRoutine { kernel, reader in
        let (a, b) = try (reader.next(A.self), reader.next(B.self))
        kernel.beginCall(&reader)
        if try tryAtOnce(kernel, a, b) { return .done(kernel.keptResult) }
        return .waits {
          try await body(kernel, a, b)
          return kernel.keptResult
        }
      }))
}

/// Declares a variadic export, whose caller pops.
public func variadicExport<each Parameter: GuestValue, Result: GuestValue>(
  _ prototype: String, module: String = "nt", irql: IRQL? = nil,
  _ body: @escaping @Sendable (Kernel, VariadicArguments, repeat each Parameter) throws -> Result
) -> Export {
  var types: [any GuestValue.Type] = []
  repeat types.append((each Parameter).self)
  return Export(
    prototype, module: module, .cdecl, irql, types: types, result: Result.self, isImportable: true, stackBytes: { _ in 0 },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let arguments = (repeat try reader.next((each Parameter).self))
        kernel.beginCall(&reader)
        return try body(kernel, reader.rest, repeat each arguments).bits
      }))
}
