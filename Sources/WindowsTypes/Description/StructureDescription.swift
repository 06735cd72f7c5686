import Guest

/// The type of a member, as far as printing needs it.
public indirect enum MemberType: Sendable {
  case void
  /// `Uint4B`, `Char`: the debugger's name, and the size in bytes.
  case scalar(name: String, size: Int, isSigned: Bool)
  case pointer(to: MemberType)
  case structure(any GuestStructure.Type)
  /// A structure without known members.
  case opaque(name: String)
  /// Code, by what it returns.
  case procedure(returns: String)
}

extension MemberType {
  /// As `dt` prints it: `Ptr32 _KPROCESS`, `Uint4B`.
  public func text(in target: Target) -> String {
    switch self {
    case .void: "Void"
    case .scalar(let name, _, _), .opaque(let name): name
    case .pointer(let pointee): "Ptr\(target.width.rawValue * 8) \(pointee.text(in: target))"
    case .structure(let type): type.name
    case .procedure(let result): "    \(result)"
    }
  }

  /// In bytes.
  public func size(in target: Target) -> Int {
    switch self {
    case .void, .opaque, .procedure: 0
    case .scalar(_, let size, _): size
    case .pointer: target.width.rawValue
    case .structure(let type): type.size(in: target)
    }
  }
}

/// One member of a structure.
public struct MemberDescription: Sendable {
  public let name: String
  /// In bytes from the start of the structure.
  public let offset: Int
  /// For an array; else 1.
  public let count: Int
  public let bits: ClosedRange<Int>?
  public let type: MemberType

  /// As `dt` prints it: `[16] UChar`, `Pos 0, 1 Bit`.
  public func typeText(in target: Target) -> String {
    if let bits { return "Pos \(bits.lowerBound), \(bits.count) Bit\(bits.count == 1 ? "" : "s")" }
    return (count > 1 ? "[\(count)] " : "") + type.text(in: target)
  }

  /// In bytes, all elements of an array together.
  public func size(in target: Target) -> Int { count * type.size(in: target) }
}

/// A structure as `dt` shows it: its members in order.
public struct StructureDescription: Sendable {
  /// As the debugger's symbols name it; `<unnamed-tag>` for a member's own type.
  public let name: String
  public let target: Target
  /// In bytes.
  public let size: Int
  public let members: [MemberDescription]

  public init(_ type: any GuestStructure.Type, in target: Target) {
    name = type.name
    self.target = target
    size = type.size(in: target)
    members = type.members(in: target)
  }

  public subscript(member: String) -> MemberDescription? { members.first { $0.name == member } }
}

extension GuestStructure {
  static func size(in target: Target) -> Int { layouts.size(in: target) }
  public static func isKnown(in target: Target) -> Bool { layouts.isKnown(in: target) }

  static func members(in target: Target) -> [MemberDescription] {
    let members = Mirror(reflecting: layouts[target]).children.compactMap { label, value -> MemberDescription? in
      guard let label, let field = value as? any AnyField else { preconditionFailure("\(name) has a member that is no field") }
      guard field.offset >= 0 else { return nil }
      return MemberDescription(
        name: label.hasSuffix("_7") ? String(label.dropLast(2)) : label, offset: field.offset, count: field.count, bits: field.bits,
        type: memberType(field.memberType))
    }
    // Members that a later version added stand last among the properties.
    guard target.ordinal > 0 else { return members }
    return members.enumerated().sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }.map(\.element)
  }
}

private func memberType(_ type: any Any.Type) -> MemberType {
  switch type {
  case is Void.Type: .void
  case let pointer as any AnyPointer.Type: .pointer(to: memberType(pointer.pointeeType))
  case let structure as any GuestStructure.Type: .structure(structure)
  case let opaque as any OpaqueStructure.Type: .opaque(name: opaque.name)
  case let procedure as any AnyProcedure.Type: .procedure(returns: resultName(procedure.resultType))
  case let scalar as any DumpedScalar.Type: memberType(scalar.dumpedType)
  case let scalar as any GuestScalar.Type: memberType(rawType(scalar))
  default: scalars[ObjectIdentifier(type)] ?? .opaque(name: "\(type)")
  }
}

private let scalars: [ObjectIdentifier: MemberType] = [
  ObjectIdentifier(UInt8.self): .scalar(name: "UChar", size: 1, isSigned: false),
  ObjectIdentifier(Int8.self): .scalar(name: "Char", size: 1, isSigned: true),
  ObjectIdentifier(UInt16.self): .scalar(name: "Uint2B", size: 2, isSigned: false),
  ObjectIdentifier(Int16.self): .scalar(name: "Int2B", size: 2, isSigned: true),
  ObjectIdentifier(UInt32.self): .scalar(name: "Uint4B", size: 4, isSigned: false),
  ObjectIdentifier(Int32.self): .scalar(name: "Int4B", size: 4, isSigned: true),
  ObjectIdentifier(UInt64.self): .scalar(name: "Uint8B", size: 8, isSigned: false),
  ObjectIdentifier(Int64.self): .scalar(name: "Int8B", size: 8, isSigned: true),
]

private func resultName(_ type: any Any.Type) -> String {
  switch type {
  case is Void.Type: "void"
  case is NTSTATUS.Type, is ExceptionFilterResult.Type: "long"
  case is UInt8.Type: "unsigned char"
  case is any AnyPointer.Type: "void*"
  default: "_\(type)"
  }
}

private func rawType<Scalar: GuestScalar>(_: Scalar.Type) -> any Any.Type { Scalar.RawValue.self }

private protocol AnyField {
  var offset: Int { get }
  var count: Int { get }
  var bits: ClosedRange<Int>? { get }
  var memberType: any Any.Type { get }
}
extension Field: AnyField {
  fileprivate var memberType: any Any.Type { Member.self }
}

private protocol AnyPointer {
  static var pointeeType: any Any.Type { get }
}
extension Pointer: AnyPointer {
  fileprivate static var pointeeType: any Any.Type { Pointee.self }
}

private protocol AnyProcedure {
  static var resultType: any Any.Type { get }
}
extension Procedure: AnyProcedure {
  fileprivate static var resultType: any Any.Type { Result.self }
}

/// A scalar that the public symbols show with another type than its raw value's.
private protocol DumpedScalar {
  static var dumpedType: any Any.Type { get }
}
extension GuestWord: DumpedScalar {
  fileprivate static var dumpedType: any Any.Type { UInt32.self }
}
extension NTSTATUS: DumpedScalar {
  fileprivate static var dumpedType: any Any.Type { Int32.self }
}
extension MdlFlags: DumpedScalar {
  fileprivate static var dumpedType: any Any.Type { Int16.self }
}
