import Guest

/// `dt` without an address: the layout of a structure, as WinDbg prints it.
///
///     nt!_LIST_ENTRY
///        +0x000 Flink            : Ptr32 _LIST_ENTRY
///        +0x004 Blink            : Ptr32 _LIST_ENTRY
public func dt(_ name: String, in target: Target) throws(UnknownStructure) -> String {
  let type = try StructureCatalogue.structure(named: name, in: target)
  return display(type, in: target) { $0.typeText(in: target) }
}

/// `dt` with an address: a structure in guest memory, as WinDbg prints it. What cannot be read without a fault prints as `??`.
///
///     nt!_MDL
///        +0x000 Next             : (null)
///        +0x004 Size             : 0n32
///        +0x006 MdlFlags         : 0n13
///        +0x008 Process          : 0x82210020 _EPROCESS
///
/// - Parameter symbol: the name of the code at an address, `nt!MmUnlockPages+0`, where it has one.
public func dt(
  _ name: String, at address: UInt64, in memory: GuestMemory, symbol: @escaping (UInt64) -> String? = { _ in nil }
) throws(UnknownStructure) -> String {
  let type = try StructureCatalogue.structure(named: name, in: memory.target)
  let printer = ValuePrinter(memory: memory, symbol: symbol)
  return display(type, in: memory.target, detail: printer.detail(of: type, at: address)) { member in
    printer.text(of: member, at: address &+ UInt64(member.offset))
  }
}

private func display(
  _ type: any GuestStructure.Type, in target: Target, detail: String = "", _ text: (MemberDescription) -> String
) -> String {
  let description = StructureDescription(type, in: target)
  let name = description.name.hasPrefix("_") ? description.name : StructureCatalogue.name(of: type)
  var lines = ["\(StructureCatalogue.module(of: type))!\(name)"]
  if !detail.isEmpty { lines.append(" " + detail) }
  for member in description.members {
    let padding = String(repeating: " ", count: max(0, 16 - member.name.count))
    lines.append("   +0x\(hex(member.offset, digits: 3)) \(member.name)\(padding) : \(text(member))")
  }
  return lines.joined(separator: "\n") + "\n"
}

/// Prints the values of members.
private struct ValuePrinter {
  let memory: GuestMemory
  let symbol: (UInt64) -> String?
  private var target: Target { memory.target }

  func text(of member: MemberDescription, at address: UInt64) -> String {
    if let bits = member.bits { return bitText(bits, of: member.type.size(in: target), at: address) }
    guard member.count > 1 else { return text(of: member.type, at: address) }
    if case .scalar(_, size: 1, _) = member.type { return "[\(member.count)]  \(characters(member.count, at: address))" }
    return "[\(member.count)] \(text(of: member.type, at: address))"
  }

  private func text(of type: MemberType, at address: UInt64) -> String {
    switch type {
    case .void, .opaque, .procedure: type.text(in: target)
    case .scalar(_, let size, let isSigned): read(size, at: address).map { number($0, size, isSigned) } ?? "??"
    case .pointer(let pointee): read(target.width.rawValue, at: address).map { pointerText($0, to: pointee) } ?? "????"
    case .structure(let structure):
      [structure.name, detail(of: structure, at: address)].filter { !$0.isEmpty }.joined(separator: " ")
    }
  }

  /// What `dt` says of a structure on one line, beside its name.
  func detail(of type: any GuestStructure.Type, at address: UInt64) -> String {
    switch type {
    case is LIST_ENTRY.Type:
      let width = target.width.rawValue
      guard let next = read(width, at: address), let previous = read(width, at: address &+ UInt64(width)) else { return "" }
      return "[ \(place(next)) - \(place(previous)) ]"
    case is LARGE_INTEGER.Type, is ULARGE_INTEGER.Type: return read(8, at: address).map(wide) ?? ""
    case is UNICODE_STRING.Type: return string(at: Pointer(address, in: memory)).map { "\"\($0)\"" } ?? ""
    default: return ""
    }
  }

  private func pointerText(_ value: UInt64, to pointee: MemberType) -> String {
    guard value != 0 else { return "(null) " }
    let address = "0x" + hex(value, target)
    switch pointee {
    case .procedure: return "\(address) \(pointee.text(in: target))  \(symbol(value) ?? "")"
    case .scalar(_, let size, let isSigned):
      return "\(address)  -> " + (read(size, at: value).map { number($0, size, isSigned) } ?? "??")
    case .pointer(let inner):
      return "\(address)  -> " + (read(target.width.rawValue, at: value).map { pointerText($0, to: inner) } ?? "????")
    default: return "\(address) \(text(of: pointee, at: value))"
    }
  }

  /// Small numbers are decimal, as WinDbg has them.
  private func number(_ value: UInt64, _ size: Int, _ isSigned: Bool) -> String {
    let shift = UInt64(64 - 8 * size)
    let signed = Int64(bitPattern: value << shift) >> Int64(shift)
    if size == 1 {
      let letter = (0x20..<0x7f).contains(value) ? String(UnicodeScalar(UInt8(value))) : ""
      return (isSigned ? "\(signed)" : value == 0 ? "0" : "0x" + hex(value, digits: 1)) + " '\(letter)'"
    }
    if isSigned { return "0n\(signed)" }
    return size == 8 && value > 0xffff_ffff ? wide(value) : value < 10 ? "\(value)" : "0x" + hex(value, digits: 1)
  }

  private func wide(_ value: UInt64) -> String {
    value > 0xffff_ffff
      ? "0x\(hex(value >> 32))`\(hex(value & 0xffff_ffff))" : "0x" + hex(value, digits: 1)
  }

  private func place(_ address: UInt64) -> String { "0x" + (address == 0 ? "0" : hex(address, target)) }

  private func bitText(_ bits: ClosedRange<Int>, of size: Int, at address: UInt64) -> String {
    guard let value = read(size, at: address) else { return "??" }
    let field = value >> UInt64(bits.lowerBound) & (1 << UInt64(bits.count) - 1)
    let digits = String(field, radix: 2)
    let number = field == 0 ? "0" : "0x" + hex(field, digits: 1)
    return "0y" + String(repeating: "0", count: bits.count - digits.count) + digits + (bits.count > 4 ? " (\(number))" : "")
  }

  /// Up to the first zero, quoted.
  private func characters(_ count: Int, at address: UInt64) -> String {
    guard isReadable(count, at: address), let bytes = try? memory.bytes(count, at: address) else { return "??" }
    let letters = bytes.prefix { $0 != 0 }.map { (0x20..<0x7f).contains($0) ? String(UnicodeScalar($0)) : "." }
    return "\"\(letters.joined())\""
  }

  private func string(at string: Pointer<UNICODE_STRING>) -> String? {
    guard let length = read(2, at: string.Length.address),
      let buffer = read(target.width.rawValue, at: string.Buffer.address), isReadable(Int(length), at: buffer)
    else { return nil }
    return try? string.string()
  }

  /// `nil` where a read would fault: printing must not make the guest's page-fault handler run.
  private func read(_ size: Int, at address: UInt64) -> UInt64? {
    guard isReadable(size, at: address) else { return nil }
    return switch size {
    case 1: (try? memory.load(UInt8.self, at: address)).map(UInt64.init)
    case 2: (try? memory.load(UInt16.self, at: address)).map(UInt64.init)
    case 4: (try? memory.load(UInt32.self, at: address)).map(UInt64.init)
    default: try? memory.load(UInt64.self, at: address)
    }
  }

  private func isReadable(_ count: Int, at address: UInt64) -> Bool {
    guard count > 0 else { return true }
    let (last, wraps) = address.addingReportingOverflow(UInt64(count - 1))
    guard !wraps else { return false }
    let pages = address >> GuestMemory.pageShift...last >> GuestMemory.pageShift
    return pages.allSatisfy { memory.allows(.read, at: $0 << GuestMemory.pageShift) }
  }
}
