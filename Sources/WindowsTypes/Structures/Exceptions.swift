import Guest

/// An exception: what happened, and where (`ntdef.h`).
public struct EXCEPTION_RECORD: GuestStructure {
  public static let name = "_EXCEPTION_RECORD"
  public let ExceptionCode: Field<NTSTATUS>
  public let ExceptionFlags: Field<ExceptionFlags>
  public let ExceptionRecord: Field<Pointer<EXCEPTION_RECORD>>
  public let ExceptionAddress: Field<Pointer<Void>>
  public let NumberParameters: Field<UInt32>
  public let ExceptionInformation: Field<GuestWord>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x50,
      EXCEPTION_RECORD(
        ExceptionCode: 0x00, ExceptionFlags: 0x04, ExceptionRecord: 0x08, ExceptionAddress: 0x0c, NumberParameters: 0x10,
        ExceptionInformation: Field(0x14, count: 15)
      )
    ))
}

/// An exception and the registers it happened with, as a filter sees them (`ntdef.h`).
public struct EXCEPTION_POINTERS: GuestStructure {
  public static let name = "_EXCEPTION_POINTERS"
  public let ExceptionRecord: Field<Pointer<EXCEPTION_RECORD>>
  public let ContextRecord: Field<Pointer<CONTEXT>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, EXCEPTION_POINTERS(ExceptionRecord: 0x00, ContextRecord: 0x04)))
}

/// One frame of the chain at `fs:[0]` (`ntddk.h`).
public struct EXCEPTION_REGISTRATION_RECORD: GuestStructure {
  public static let name = "_EXCEPTION_REGISTRATION_RECORD"
  public let Next: Field<Pointer<EXCEPTION_REGISTRATION_RECORD>>
  public let Handler: Field<Pointer<Procedure<EXCEPTION_DISPOSITION>>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, EXCEPTION_REGISTRATION_RECORD(Next: 0x00, Handler: 0x04)))
}

/// The frame that `__SEH_prolog` links into the chain, at `ebp-10h`.
public struct EH3_EXCEPTION_REGISTRATION: GuestStructure {
  public static let name = "_EH3_EXCEPTION_REGISTRATION"
  public let Next: Field<Pointer<EXCEPTION_REGISTRATION_RECORD>>
  public let ExceptionHandler: Field<Pointer<Procedure<EXCEPTION_DISPOSITION>>>
  public let ScopeTable: Field<Pointer<SCOPETABLE_ENTRY>>
  public let TryLevel: Field<Int32>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0x10, EH3_EXCEPTION_REGISTRATION(Next: 0x00, ExceptionHandler: 0x04, ScopeTable: 0x08, TryLevel: 0x0c)))
}

/// All that `__SEH_prolog` keeps below the saved `ebp`: this starts at `ebp-18h`.
public struct EH3_FRAME: GuestStructure {
  public static let name = "_EH3_FRAME"
  public let SavedEsp: Field<GuestWord>
  public let ExceptionPointers: Field<Pointer<EXCEPTION_POINTERS>>
  public let Registration: Field<EH3_EXCEPTION_REGISTRATION>

  public static let layouts = Layouts((.windowsXP_x86, 0x18, EH3_FRAME(SavedEsp: 0x00, ExceptionPointers: 0x04, Registration: 0x08)))
}

/// One `__try` of a routine: a filter and its handler, or a `__finally` where the filter is null.
public struct SCOPETABLE_ENTRY: GuestStructure {
  public static let name = "_SCOPETABLE_ENTRY"
  public let EnclosingLevel: Field<Int32>
  public let FilterFunc: Field<Pointer<Procedure<ExceptionFilterResult>>>
  public let HandlerFunc: Field<Pointer<Procedure<Void>>>

  public static let layouts = Layouts(
    (.windowsXP_x86, 0xc, SCOPETABLE_ENTRY(EnclosingLevel: 0x00, FilterFunc: 0x04, HandlerFunc: 0x08)))
}
