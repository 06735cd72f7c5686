import Guest
import WindowsTypes

extension Export {
  /// Names as file systems compare and take them apart, and statuses as they pass them on.
  static let fileNameCalls: [Export] = [
    // nf-ntifs-_fsrtl_advanced_fcb_header's neighbour: nf-ntifs-fsrtlisnameinexpression. Raises where there is no memory.
    export("FsRtlIsNameInExpression(Expression, Name, IgnoreCase, UpcaseTable)", irql: .apc) {
      (
        _, expression: Pointer<UNICODE_STRING>, name: Pointer<UNICODE_STRING>, ignoresCase: UInt8, table: Pointer<UInt16>
      ) -> UInt8 in
      let wanted = try expression.units()
      let units = try name.units()
      // The expression is in capitals already where case is ignored.
      let capitals = try ignoresCase == 0 ? units : units.map { table.isNull ? $0.uppercased : try table[Int($0)].load() }
      return NameExpression.matches(capitals, wanted) ? 1 : 0
    },
    // nf-ntifs-fsrtlisdbcsinexpression
    export("FsRtlIsDbcsInExpression(Expression, Name)", irql: .apc) {
      (_, expression: Pointer<STRING>, name: Pointer<STRING>) -> UInt8 in
      NameExpression.matches(try name.units().map { UInt16($0.uppercased) }, try expression.units().map(UInt16.init)) ? 1 : 0
    }
    .partially("names are of single bytes, as with code page 1252"),
    // nf-ntifs-fsrtldoesnamecontainwildcards
    export("FsRtlDoesNameContainWildCards(Name)", irql: .apc) { (_, name: Pointer<UNICODE_STRING>) -> UInt8 in
      try name.units().contains(where: NameExpression.isWildCard) ? 1 : 0
    },
    // nf-ntifs-fsrtlarenamesequal
    export("FsRtlAreNamesEqual(ConstantNameA, ConstantNameB, IgnoreCase, UpcaseTable)", irql: .apc) {
      (
        _, first: Pointer<UNICODE_STRING>, second: Pointer<UNICODE_STRING>, ignoresCase: UInt8, table: Pointer<UInt16>
      ) -> UInt8 in
      let (a, b) = (try first.units(), try second.units())
      guard ignoresCase != 0 else { return a == b ? 1 : 0 }
      func capitals(_ units: [UInt16]) throws -> [UInt16] {
        try units.map { table.isNull ? $0.uppercased : try table[Int($0)].load() }
      }
      return try capitals(a) == capitals(b) ? 1 : 0
    },
    // nf-ntifs-fsrtldissectname: the path is passed by value, the two parts point into it.
    export("FsRtlDissectName(PathLengths, PathBuffer, FirstName, RemainingName)", irql: .apc) {
      (
        kernel, lengths: UInt32, buffer: Pointer<UInt16>, first: Pointer<UNICODE_STRING>, rest: Pointer<UNICODE_STRING>
      ) in
      let units = try buffer.array(count: Int(lengths & 0xffff) / 2)
      let slash: UInt16 = 0x5c
      let start = units.first == slash ? 1 : 0
      let end = units[start...].firstIndex(of: slash) ?? units.count
      func describe(_ string: Pointer<UNICODE_STRING>, _ from: Int, _ to: Int) throws {
        try string.set(count: to - from)
        try string.set(capacity: to - from)
        try string.set(text: to > from ? buffer[from] : Pointer(0, in: kernel.memory.memory))
      }
      try describe(first, start, end)
      try describe(rest, min(end + 1, units.count), units.count)
    },
    // nf-ntifs-fsrtlisfatdbcslegal: an 8.3 name by value.
    export(
      "FsRtlIsFatDbcsLegal(DbcsNameLengths, DbcsNameBuffer, WildCardsPermissible, PathNamePermissible, LeadingBackslashPermissible)",
      irql: .apc
    ) {
      (kernel, lengths: UInt32, buffer: Pointer<UInt8>, wild: UInt8, path: UInt8, leading: UInt8) -> UInt8 in
      var bytes = try buffer.array(count: Int(lengths & 0xffff))
      if bytes.first == 0x5c {
        guard leading != 0 else { return 0 }
        bytes.removeFirst()
        if bytes.isEmpty { return 1 }
      }
      let parts = path != 0 ? bytes.split(separator: 0x5c, omittingEmptySubsequences: false) : [bytes[...]]
      return parts.allSatisfy { ShortName.isLegal(Array($0), wildCards: wild != 0) } ? 1 : 0
    },
    // nf-ntifs-rtlisnamelegaldos8dot3
    export("RtlIsNameLegalDOS8Dot3(Name, OemName, NameContainsSpaces)", irql: .passive) {
      (_, name: Pointer<UNICODE_STRING>, oem: Pointer<STRING>, spaces: Pointer<UInt8>) -> UInt8 in
      let units = try name.units()
      guard units.count <= 12, units.allSatisfy({ $0 < 0x80 }) else { return 0 }
      let bytes = units.map { UInt8(truncatingIfNeeded: $0.uppercased) }
      guard bytes == [0x2e] || bytes == [0x2e, 0x2e] || ShortName.isLegal(bytes, wildCards: false) else { return 0 }
      if !oem.isNull {
        guard try oem.capacity >= bytes.count else { return 0 }
        try oem.text.write(bytes)
        try oem.set(count: bytes.count)
      }
      if !spaces.isNull { try spaces.store(bytes.contains(0x20) ? 1 : 0) }
      return 1
    }
    .partially("names with characters beyond ASCII are not legal"),
    // nf-ntifs-fsrtlisntstatusexpected
    export("FsRtlIsNtstatusExpected(Ntstatus)") { (_, status: NTSTATUS) -> UInt8 in status.isExpectedOfFileSystems ? 1 : 0 },
    // nf-ntifs-fsrtlnormalizentstatus
    export("FsRtlNormalizeNtstatus(Exception, GenericException)") { (_, status: NTSTATUS, generic: NTSTATUS) -> NTSTATUS in
      status.isExpectedOfFileSystems ? status : generic
    },
    // nf-ntifs-fsrtlistotaldevicefailure: not an error of some sectors alone.
    export("FsRtlIsTotalDeviceFailure(Status)") { (_, status: NTSTATUS) -> UInt8 in
      if status.isSuccess { return 0 }
      // STATUS_CRC_ERROR, DEVICE_DATA_ERROR, and what of sectors is missing.
      return [0xc000_003f, 0xc000_009c, 0xc000_0015].contains(status.rawValue) ? 0 : 1
    }
    .uncertain("the page names no status; these are the errors of single sectors"),
    // nf-ntifs-fsrtlallocatepoolwithtag and its like: raise STATUS_INSUFFICIENT_RESOURCES.
    export("FsRtlAllocatePoolWithTag(PoolType, NumberOfBytes, Tag)", irql: .dispatch) {
      (kernel, type: POOL_TYPE, size: UInt32, tag: UInt32) -> GuestWord in try kernel.allocateOrRaise(type, size, tag)
    },
    export("FsRtlAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, Tag)", irql: .dispatch) {
      (kernel, type: POOL_TYPE, size: UInt32, tag: UInt32) -> GuestWord in try kernel.allocateOrRaise(type, size, tag)
    }
    .partially("no quota is charged"),
    // nf-ntifs-fsrtlgetfilesize
    export("FsRtlGetFileSize(FileObject, FileSize)", irql: .passive) {
      (kernel, file: Pointer<FILE_OBJECT>, result: Pointer<Int64>) async throws -> NTSTATUS in
      let (status, bytes) = try await kernel.query(file, FileInformationClass.standard, 24)
      guard status == .success, bytes.count >= 22 else { return status == .success ? .invalidParameter : status }
      if bytes[21] != 0 { return .fileIsADirectory }
      try result.store(bytes[8..<16].reversed().reduce(0) { $0 << 8 | Int64($1) })
      return .success
    },
  ]
}

/// 8.3 names.
enum ShortName {
  /// One to eight characters, and after a period up to three (nf-ntifs-fsrtlisfatdbcslegal).
  static func isLegal(_ name: [UInt8], wildCards: Bool) -> Bool {
    let parts = name.split(separator: 0x2e, omittingEmptySubsequences: false)
    guard parts.count <= 2, let base = parts.first, (1...8).contains(base.count), parts.count == 1 || (1...3).contains(parts[1].count),
      base.last != 0x20
    else { return false }
    return name.allSatisfy { byte in
      if NameExpression.isWildCard(UInt16(byte)) { return wildCards }
      return byte >= 0x20 && !Array("+,/:;=[\\]|".utf8).contains(byte)
    }
  }
}

extension Kernel {
  fileprivate func allocateOrRaise(_ type: POOL_TYPE, _ size: UInt32, _ tag: UInt32) throws -> GuestWord {
    let block =
      type.isPaged
      ? try pagedPool.allocate(UInt64(size), tag: tag, in: memory) : try nonPagedPool.allocate(UInt64(size), tag: tag, in: memory)
    guard let block else { throw GuestException(.insufficientResources) }
    return GuestWord(block)
  }
}
