import Emulation
import Events
import Guest
import NTKernel
import WindowsTypes

/// Makes text of guest values: by their types, with the names of what they stand for.
struct TraceValues {
  let names: Names

  /// `8220a020 notepad.exe (1232)`, `IoReadAccess`, `00003000`
  func text(_ bits: UInt64, as type: any GuestValue.Type) -> String {
    let plain = bits & Self.mask(type.size(in: names.target))
    switch type {
    case is NTSTATUS.Type: return status(UInt32(truncatingIfNeeded: plain))
    case is HRESULT.Type: return HRESULT(rawValue: UInt32(truncatingIfNeeded: plain)).description
    case is BugCheckCode.Type: return BugCheckCode(rawValue: UInt32(truncatingIfNeeded: plain)).description
    case let type as any NamedValue.Type: return Self.name(plain, type)
    case let type as any NamedFlags.Type: return Self.flags(plain, type)
    case is UInt8.Type, is UInt16.Type: return plain < 10 ? String(plain) : "0x" + hex(plain, digits: 1)
    case is Int8.Type, is Int16.Type, is Int32.Type, is Int64.Type:
      let unused = UInt64(64 - 8 * type.size(in: names.target))
      return String(Int64(bitPattern: plain << unused) >> Int64(unused))
    default:
      let digits = hex(plain, digits: 2 * type.size(in: names.target))
      return object(plain, type).map { "\(digits) \($0)" } ?? digits
    }
  }

  /// What a pointer to an object names.
  private func object(_ address: UInt64, _ type: any GuestValue.Type) -> String? {
    switch type {
    case is Pointer<EPROCESS>.Type, is Pointer<KPROCESS>.Type: names.process(at: address).map(process)
    case is Pointer<ETHREAD>.Type, is Pointer<KTHREAD>.Type: names.thread(at: address).map(thread)
    default: nil
    }
  }

  func process(_ id: ProcessID) -> String { names.processes.indices.contains(id) ? names.processes[id].title : "process \(id)" }

  /// `app of notepad.exe (1232)`
  func thread(_ id: ThreadID) -> String {
    guard names.threads.indices.contains(id) else { return "thread \(id)" }
    return "\(names.threads[id].name) of \(process(names.threads[id].owner))"
  }

  func address(_ address: UInt64) -> String { hex(address, names.target) }

  /// `nt!MmProbeAndLockPages (805061b6)`
  func place(_ address: UInt64) -> String { names.symbol(at: address).map { "\($0) (\(self.address(address)))" } ?? self.address(address) }

  func status(_ bits: UInt32) -> String { NTSTATUS(rawValue: bits).description }

  /// The result of a call of the run's own, whose type nobody declared: a status, where it looks like one.
  func result(_ bits: UInt64) -> String {
    let looksLikeStatus = bits == 0 || bits >> 30 & 3 != 0 && bits >> 32 == 0
    guard looksLikeStatus, let name = NTSTATUS(rawValue: UInt32(truncatingIfNeeded: bits)).name else { return address(bits) }
    return name
  }

  /// The names and types of the arguments that a call passed.
  func arguments(_ export: Export, _ values: [UInt64]) -> [(name: String, bits: UInt64, type: any GuestValue.Type)] {
    zip(export.parameters, zip(values, export.parameterTypes)).map { ($0, $1.0, $1.1) }
  }

  func routine(_ number: Int) -> String {
    let all = names.exports.exports
    return all.indices.contains(number) ? "\(all[number].module)!\(all[number].name)" : "routine \(number)"
  }

  private static func mask(_ size: Int) -> UInt64 { size >= 8 ? .max : (1 << UInt64(8 * size)) - 1 }

  private static func name<Value: NamedValue>(_ bits: UInt64, _: Value.Type) -> String {
    Value(rawValue: Value.RawValue(truncatingIfNeeded: bits)).description
  }
  private static func flags<Value: NamedFlags>(_ bits: UInt64, _: Value.Type) -> String {
    Value(rawValue: Value.RawValue(truncatingIfNeeded: bits)).description
  }
}
