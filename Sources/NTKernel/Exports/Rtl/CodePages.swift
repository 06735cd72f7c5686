import Guest
import WindowsTypes

/// Between UTF-16 and the two code pages. Every routine is written once, for the ANSI and the OEM page.
extension Export {
  static let ansiConversions =
    conversions("Ansi", "MultiByte", .ansi, truncates: true) + [
      // nf-wdm-rtlansichartounicodechar has no page of its own: it moves the pointer on.
      export("RtlAnsiCharToUnicodeChar(SourceCharacter)", irql: .passive) { (_, source: Pointer<Pointer<UInt8>>) -> UInt16 in
        let place = try source.load()
        try source.store(place[1])
        return CodePage.ansi.unit(for: try place.load())
      }
    ]
  static let oemConversions =
    conversions("Oem", "Oem", .oem, truncates: false) + [
      // nf-ntifs-rtloemstringtocountedunicodestring
      export(
        "RtlOemStringToCountedUnicodeString(DestinationString, SourceString, AllocateDestinationString)", irql: .passive
      ) { (kernel, target: Pointer<UNICODE_STRING>, source: Pointer<STRING>, allocate: UInt8) -> NTSTATUS in
        try kernel.convert(
          source.units().map(CodePage.oem.unit(for:)), to: target, allocates: allocate != 0, isTerminated: false, truncates: false)
      },
      // nf-ntifs-rtlunicodestringtocountedoemstring
      export(
        "RtlUnicodeStringToCountedOemString(DestinationString, SourceString, AllocateDestinationString)", irql: .passive
      ) { (kernel, target: Pointer<STRING>, source: Pointer<UNICODE_STRING>, allocate: UInt8) -> NTSTATUS in
        try kernel.convert(
          source.units().map(CodePage.oem.byte(for:)), to: target, allocates: allocate != 0, isTerminated: false, truncates: false)
      },
      // nf-ntifs-rtlupcaseunicodestringtocountedoemstring
      export(
        "RtlUpcaseUnicodeStringToCountedOemString(DestinationString, SourceString, AllocateDestinationString)", irql: .passive
      ) { (kernel, target: Pointer<STRING>, source: Pointer<UNICODE_STRING>, allocate: UInt8) -> NTSTATUS in
        try kernel.convert(
          source.units().map { CodePage.oem.byte(for: CaseMapping.upper($0)) }, to: target, allocates: allocate != 0,
          isTerminated: false, truncates: false)
      },
    ]

  private static func conversions(_ name: String, _ bytesName: String, _ page: CodePage, truncates: Bool) -> [Export] {
    let lossless = { @Sendable (unit: UInt16) -> UInt8 in page.byte(for: unit) }
    let capital = { @Sendable (unit: UInt16) -> UInt8 in page.byte(for: CaseMapping.upper(unit)) }
    return [
      // nf-wdm-rtlansistringtounicodestring, nf-ntifs-rtloemstringtounicodestring
      export("Rtl\(name)StringToUnicodeString(DestinationString, SourceString, AllocateDestinationString)", irql: .passive) {
        (kernel, target: Pointer<UNICODE_STRING>, source: Pointer<STRING>, allocate: UInt8) -> NTSTATUS in
        try kernel.convert(
          source.units().map(page.unit(for:)), to: target, allocates: allocate != 0, isTerminated: true, truncates: false)
      },
      // nf-wdm-rtlunicodestringtoansistring, nf-ntifs-rtlunicodestringtooemstring
      export("RtlUnicodeStringTo\(name)String(DestinationString, SourceString, AllocateDestinationString)", irql: .passive) {
        (kernel, target: Pointer<STRING>, source: Pointer<UNICODE_STRING>, allocate: UInt8) -> NTSTATUS in
        try kernel.convert(
          source.units().map(lossless), to: target, allocates: allocate != 0, isTerminated: true, truncates: truncates)
      },
      // nf-ntifs-rtlupcaseunicodestringtooemstring
      export("RtlUpcaseUnicodeStringTo\(name)String(DestinationString, SourceString, AllocateDestinationString)", irql: .passive) {
        (kernel, target: Pointer<STRING>, source: Pointer<UNICODE_STRING>, allocate: UInt8) -> NTSTATUS in
        try kernel.convert(
          source.units().map(capital), to: target, allocates: allocate != 0, isTerminated: true, truncates: false)
      },
      // nf-wdm-rtlxansistringtounicodesize: with the terminator.
      export("Rtlx\(name)StringToUnicodeSize(\(name)String)", irql: .passive) { (_, text: Pointer<STRING>) -> UInt32 in
        UInt32(try text.count * 2 + 2)
      },
      // nf-wdm-rtlxunicodestringtoansisize
      export("RtlxUnicodeStringTo\(name)Size(UnicodeString)", irql: .passive) {
        (_, text: Pointer<UNICODE_STRING>) -> UInt32 in UInt32(try text.count + 1)
      },
      // nf-wdm-rtlmultibytetounicoden, nf-ntifs-rtloemtounicoden
      export("Rtl\(bytesName)ToUnicodeN(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString, Source, BytesInSource)") {
        (_, target: Pointer<UInt16>, size: UInt32, written: Pointer<UInt32>, source: Pointer<UInt8>, count: UInt32) -> NTSTATUS in
        let count = min(Int(count), Int(size / 2))
        try target.write(source.array(count: count).map(page.unit(for:)))
        if !written.isNull { try written.store(UInt32(count * 2)) }
        return .success
      },
      // nf-wdm-rtlunicodetomultibyten, nf-ntifs-rtlunicodetooemn
      export("RtlUnicodeTo\(bytesName)N(Target, MaxBytesInTarget, BytesInTarget, UnicodeString, BytesInUnicodeString)") {
        (_, target: Pointer<UInt8>, size: UInt32, written: Pointer<UInt32>, source: Pointer<UInt16>, bytes: UInt32) -> NTSTATUS in
        try narrow(source, bytes, to: target, size, written, lossless)
      },
      // nf-ntifs-rtlupcaseunicodetomultibyten, nf-ntifs-rtlupcaseunicodetooemn
      export("RtlUpcaseUnicodeTo\(bytesName)N(Target, MaxBytesInTarget, BytesInTarget, UnicodeString, BytesInUnicodeString)") {
        (_, target: Pointer<UInt8>, size: UInt32, written: Pointer<UInt32>, source: Pointer<UInt16>, bytes: UInt32) -> NTSTATUS in
        try narrow(source, bytes, to: target, size, written, capital)
      },
    ]
  }

  static let multiByteSizes: [Export] = [
    // nf-ntifs-rtlmultibytetounicodesize
    export("RtlMultiByteToUnicodeSize(BytesInUnicodeString, MultiByteString, BytesInMultiByteString)") {
      (_, size: Pointer<UInt32>, source: Pointer<UInt8>, count: UInt32) -> NTSTATUS in
      try size.store(count &* 2)
      return .success
    },
    // nf-ntifs-rtlunicodetomultibytesize
    export("RtlUnicodeToMultiByteSize(BytesInMultiByteString, UnicodeString, BytesInUnicodeString)") {
      (_, size: Pointer<UInt32>, source: Pointer<UInt16>, bytes: UInt32) -> NTSTATUS in
      try size.store(bytes / 2)
      return .success
    },
  ]

  /// Converts as much as fits; text that is cut off is no failure (nf-wdm-rtlunicodetomultibyten, remarks).
  private static func narrow(
    _ source: Pointer<UInt16>, _ bytes: UInt32, to target: Pointer<UInt8>, _ size: UInt32, _ written: Pointer<UInt32>,
    _ change: (UInt16) -> UInt8
  ) throws -> NTSTATUS {
    let count = Int(min(bytes / 2, size))
    try target.write(source.array(count: count).map(change))
    if !written.isNull { try written.store(UInt32(count)) }
    return .success
  }
}

extension Kernel {
  /// Writes `units` to `target`, which is given a buffer if `allocates`.
  ///
  /// - Parameter truncates: what does not fit is cut off, which is still a failure.
  fileprivate func convert<Text: CountedText>(
    _ units: [Text.Unit], to target: Pointer<Text>, allocates: Bool, isTerminated: Bool, truncates: Bool
  ) throws -> NTSTATUS {
    let size = MemoryLayout<Text.Unit>.size
    let room = units.count + (isTerminated ? 1 : 0)
    guard room * size <= 0xffff else { return .invalidParameter2 }
    var kept = units
    if allocates {
      guard try allocate(target, count: room) else { return .noMemory }
    } else if case let capacity = try target.capacity, room > capacity {
      guard truncates, capacity > 0 else { return .bufferOverflow }
      kept = Array(units.prefix(capacity - 1))
    }
    try target.text.write(isTerminated ? kept + [0] : kept)
    try target.set(count: kept.count)
    return kept.count == units.count ? .success : .bufferOverflow
  }
}
