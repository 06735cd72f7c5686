import Guest
import WindowsTypes

// The declarations for one, two and three arguments of routines that do their work at once, and for two of those that may wait. The general ones would do as well,
// at ten times the price of a call: their arguments have types that are known only when they run.

/// Declares an export of one argument that does its work at once.
@inlinable
public func export<A: GuestValue, Result: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, A) throws -> Result
) -> Export {
  Export(
    prototype, module: module, convention, irql, types: [A.self], result: Result.self, isImportable: isImportable,
    stackBytes: { stackBytes(convention, [A.size(in: $0)], $0.width.rawValue) },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let a = try reader.next(A.self)
        kernel.beginCall(&reader)
        return try body(kernel, a).bits
      }))
}

/// Declares an export of one argument that does its work at once and returns nothing.
@inlinable
public func export<A: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, A) throws -> Void
) -> Export {
  Export(
    prototype, module: module, convention, irql, types: [A.self], result: nil, isImportable: isImportable,
    stackBytes: { stackBytes(convention, [A.size(in: $0)], $0.width.rawValue) },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let a = try reader.next(A.self)
        kernel.beginCall(&reader)
        try body(kernel, a)
        return kernel.keptResult
      }))
}

/// Declares an export of two arguments that does its work at once.
@inlinable
public func export<A: GuestValue, B: GuestValue, Result: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, A, B) throws -> Result
) -> Export {
  Export(
    prototype, module: module, convention, irql, types: [A.self, B.self], result: Result.self, isImportable: isImportable,
    stackBytes: { stackBytes(convention, [A.size(in: $0), B.size(in: $0)], $0.width.rawValue) },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let (a, b) = try (reader.next(A.self), reader.next(B.self))
        kernel.beginCall(&reader)
        return try body(kernel, a, b).bits
      }))
}

/// Declares an export of two arguments that does its work at once and returns nothing.
@inlinable
public func export<A: GuestValue, B: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, A, B) throws -> Void
) -> Export {
  Export(
    prototype, module: module, convention, irql, types: [A.self, B.self], result: nil, isImportable: isImportable,
    stackBytes: { stackBytes(convention, [A.size(in: $0), B.size(in: $0)], $0.width.rawValue) },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let (a, b) = try (reader.next(A.self), reader.next(B.self))
        kernel.beginCall(&reader)
        try body(kernel, a, b)
        return kernel.keptResult
      }))
}

/// Declares an export of three arguments that does its work at once.
@inlinable
public func export<A: GuestValue, B: GuestValue, C: GuestValue, Result: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, A, B, C) throws -> Result
) -> Export {
  Export(
    prototype, module: module, convention, irql, types: [A.self, B.self, C.self], result: Result.self, isImportable: isImportable,
    stackBytes: { stackBytes(convention, [A.size(in: $0), B.size(in: $0), C.size(in: $0)], $0.width.rawValue) },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let (a, b, c) = try (reader.next(A.self), reader.next(B.self), reader.next(C.self))
        kernel.beginCall(&reader)
        return try body(kernel, a, b, c).bits
      }))
}

/// Declares an export of three arguments that does its work at once and returns nothing.
@inlinable
public func export<A: GuestValue, B: GuestValue, C: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, A, B, C) throws -> Void
) -> Export {
  Export(
    prototype, module: module, convention, irql, types: [A.self, B.self, C.self], result: nil, isImportable: isImportable,
    stackBytes: { stackBytes(convention, [A.size(in: $0), B.size(in: $0), C.size(in: $0)], $0.width.rawValue) },
    body: .immediate(
      ImmediateRoutine { kernel, reader in
        let (a, b, c) = try (reader.next(A.self), reader.next(B.self), reader.next(C.self))
        kernel.beginCall(&reader)
        try body(kernel, a, b, c)
        return kernel.keptResult
      }))
}

/// Declares an export of two arguments that may wait for guest code before it returns: a dispatch routine, above all.
@inlinable
public func export<A: GuestValue, B: GuestValue, Result: GuestValue>(
  _ prototype: String, module: String = "nt", _ convention: CallingConvention = .stdcall, irql: IRQL? = nil,
  isImportable: Bool = true, _ body: @escaping @Sendable (Kernel, A, B) async throws -> Result
) -> Export {
  Export(
    prototype, module: module, convention, irql, types: [A.self, B.self], result: Result.self, isImportable: isImportable,
    stackBytes: { stackBytes(convention, [A.size(in: $0), B.size(in: $0)], $0.width.rawValue) },
    body: .waiting(
      WaitingRoutine { kernel, reader in
        let (a, b) = try (reader.next(A.self), reader.next(B.self))
        kernel.beginCall(&reader)
        return .waits { try await body(kernel, a, b).bits }
      }))
}
