import Guest
import WindowsTypes

/// The atoms of a table that a driver made: counted names, with numbers from 0xC000 on.
final class AtomTable {
  struct Atom {
    var name: [UInt16]
    var references: UInt32
    var isPinned: Bool
  }
  var atoms: [UInt16: Atom] = [:]
  static let first: UInt16 = 0xc000
  static let longestName = 255

  func find(_ name: [UInt16]) -> UInt16? {
    let folded = name.map(\.uppercased)
    return atoms.first { $0.value.name.map(\.uppercased) == folded }?.key
  }

  /// The lowest number that is free.
  func freeNumber() -> UInt16? { (Self.first...UInt16.max).first { atoms[$0] == nil } }
}

/// The run's atom tables, by handle.
final class AtomTables { var all: [UInt64: AtomTable] = [:] }

extension Export {
  /// Atom tables. None of these routines has a page: `ntrtl.h` declares them, and they do what the documented user-mode calls say
  /// (nf-winbase-addatomw and its kin).
  static let atomTables: [Export] = [
    export("RtlCreateAtomTable(NumberOfBuckets, AtomTableHandle)", irql: .apc) {
      (kernel, buckets: UInt32, handle: Pointer<GuestWord>) -> NTSTATUS in
      // A table that is there already stays.
      if try handle.load().bits != 0 { return .success }
      guard let block = try kernel.pagedPool.allocate(0x20, tag: Kernel.atomTag, in: kernel.memory) else { return .noMemory }
      kernel.atomTables.all[block] = AtomTable()
      try handle.store(GuestWord(block))
      return .success
    },
    export("RtlDestroyAtomTable(AtomTableHandle)", irql: .apc) { (kernel, handle: GuestWord) -> NTSTATUS in
      guard kernel.atomTables.all.removeValue(forKey: handle.bits) != nil else { return .invalidParameter }
      try kernel.freePool(handle.bits)
      return .success
    },
    export("RtlEmptyAtomTable(AtomTableHandle, DeletePinned)", irql: .apc) { (kernel, handle: GuestWord, pinned: UInt8) -> NTSTATUS in
      guard let table = kernel.atomTables.all[handle.bits] else { return .invalidParameter }
      table.atoms = table.atoms.filter { $0.value.isPinned && pinned == 0 }
      return .success
    },
    export("RtlAddAtomToAtomTable(AtomTableHandle, AtomName, Atom)", irql: .apc) {
      (kernel, handle: GuestWord, name: Pointer<UInt16>, result: Pointer<UInt16>) -> NTSTATUS in
      try kernel.storeAtom(handle, name, result) { table, text in
        if let found = table.find(text) {
          if table.atoms[found]?.isPinned == false { table.atoms[found]?.references += 1 }
          return .success(found)
        }
        guard let free = table.freeNumber() else { return .failure(Kernel.Refusal(.noMemory)) }
        table.atoms[free] = AtomTable.Atom(name: text, references: 1, isPinned: false)
        return .success(free)
      }
    },
    export("RtlLookupAtomInAtomTable(AtomTableHandle, AtomName, Atom)", irql: .apc) {
      (kernel, handle: GuestWord, name: Pointer<UInt16>, result: Pointer<UInt16>) -> NTSTATUS in
      try kernel.storeAtom(handle, name, result) { table, text in
        table.find(text).map(Result.success) ?? .failure(Kernel.Refusal(.objectNameNotFound))
      }
    },
    export("RtlDeleteAtomFromAtomTable(AtomTableHandle, Atom)", irql: .apc) { (kernel, handle: GuestWord, atom: UInt16) -> NTSTATUS in
      guard let table = kernel.atomTables.all[handle.bits] else { return .invalidParameter }
      if atom < AtomTable.first { return atom == 0 ? .invalidHandle : .success }
      guard let entry = table.atoms[atom] else { return .invalidHandle }
      // STATUS_WAS_LOCKED
      if entry.isPinned { return NTSTATUS(rawValue: 0x4000_0019) }
      table.atoms[atom]?.references -= 1
      if entry.references == 1 { table.atoms[atom] = nil }
      return .success
    },
    export("RtlPinAtomInAtomTable(AtomTableHandle, Atom)", irql: .apc) { (kernel, handle: GuestWord, atom: UInt16) -> NTSTATUS in
      guard let table = kernel.atomTables.all[handle.bits] else { return .invalidParameter }
      if atom < AtomTable.first { return atom == 0 ? .invalidHandle : .success }
      guard table.atoms[atom] != nil else { return .invalidHandle }
      table.atoms[atom]?.isPinned = true
      return .success
    },
    export("RtlQueryAtomInAtomTable(AtomTableHandle, Atom, RefCount, PinCount, AtomName, NameLength)", irql: .apc) {
      (
        kernel, handle: GuestWord, atom: UInt16, references: Pointer<UInt32>, pins: Pointer<UInt32>, name: Pointer<UInt16>,
        length: Pointer<UInt32>
      ) -> NTSTATUS in
      guard let table = kernel.atomTables.all[handle.bits] else { return .invalidParameter }
      let entry: AtomTable.Atom
      if atom < AtomTable.first {
        guard atom != 0 else { return .invalidParameter }
        entry = AtomTable.Atom(name: Array("#\(atom)".utf16), references: 1, isPinned: true)
      } else {
        guard let found = table.atoms[atom] else { return .invalidHandle }
        entry = found
      }
      if !references.isNull { try references.store(entry.references) }
      if !pins.isNull { try pins.store(entry.isPinned ? 1 : 0) }
      guard !length.isNull else { return .success }
      // In bytes; the terminator needs room, and is not counted.
      let room = try length.load()
      let needed = UInt32(2 * entry.name.count)
      guard !name.isNull, room >= needed + 2 else {
        if name.isNull { try length.store(needed) }
        return .bufferTooSmall
      }
      try name.write(entry.name + [0])
      try length.store(needed)
      return .success
    }
    .uncertain("a buffer that is too small is STATUS_BUFFER_TOO_SMALL; a name that is cut off is not given"),
    // RtlGetIntegerAtom: whether a name stands for a number of its own.
    export("RtlGetIntegerAtom(AtomName, IntegerAtom)", irql: .apc) { (kernel, name: Pointer<UInt16>, result: Pointer<UInt16>) -> UInt8 in
      guard case .success(.number(let number)) = try kernel.atomName(name) else { return 0 }
      if !result.isNull { try result.store(number) }
      return 1
    },
  ]
}

extension Kernel {
  /// "Atom"
  fileprivate static let atomTag: UInt32 = 0x6d6f_7441
  fileprivate var atomTables: AtomTables { part { AtomTables() } }

  fileprivate enum AtomName { case number(UInt16), text([UInt16]) }

  /// Stores the atom that `name` is: the number that it says, or what `find` makes of its text.
  fileprivate func storeAtom(
    _ handle: GuestWord, _ name: Pointer<UInt16>, _ result: Pointer<UInt16>,
    _ find: (AtomTable, [UInt16]) -> Result<UInt16, Refusal>
  ) throws -> NTSTATUS {
    guard let table = atomTables.all[handle.bits] else { return .invalidParameter }
    let atom: Result<UInt16, Refusal> =
      switch try atomName(name) {
      case .failure(let refusal): .failure(refusal)
      case .success(.number(let given)): .success(given)
      case .success(.text(let text)): find(table, text)
      }
    switch atom {
    case .failure(let refusal): return refusal.status
    case .success(let number):
      if !result.isNull { try result.store(number) }
      return .success
    }
  }

  /// A small number in place of an address, or `#1234`, is an atom of its own; else a name of up to 255 characters.
  fileprivate func atomName(_ name: Pointer<UInt16>) throws -> Result<AtomName, Refusal> {
    if name.address < 0x1_0000 {
      let number = UInt16(name.address)
      return number == 0 || number >= AtomTable.first ? .failure(Refusal(.invalidParameter)) : .success(.number(number))
    }
    let text = try name.units(limit: AtomTable.longestName + 1)
    guard !text.isEmpty else { return .failure(Refusal(.objectNameInvalid)) }
    guard text.count <= AtomTable.longestName else { return .failure(Refusal(.invalidParameter)) }
    if text[0] == 0x23, text.count > 1, text.dropFirst().allSatisfy(\.isASCIIDigit) {
      let number = text.dropFirst().reduce(UInt64(0)) { min($0 * 10 + UInt64($1 - 0x30), 0x1_0000) }
      return (1..<UInt64(AtomTable.first)).contains(number) ? .success(.number(UInt16(number))) : .failure(Refusal(.invalidParameter))
    }
    return .success(.text(text))
  }
}
