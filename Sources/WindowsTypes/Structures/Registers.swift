import Guest

/// The registers of a thread (`winnt.h`).
public struct CONTEXT: GuestStructure {
  public static let name = "_CONTEXT"
  public let ContextFlags: Field<UInt32>
  public let Dr0: Field<UInt32>
  public let Dr1: Field<UInt32>
  public let Dr2: Field<UInt32>
  public let Dr3: Field<UInt32>
  public let Dr6: Field<UInt32>
  public let Dr7: Field<UInt32>
  public let FloatSave: Field<FLOATING_SAVE_AREA>
  public let SegGs: Field<UInt32>
  public let SegFs: Field<UInt32>
  public let SegEs: Field<UInt32>
  public let SegDs: Field<UInt32>
  public let Edi: Field<UInt32>
  public let Esi: Field<UInt32>
  public let Ebx: Field<UInt32>
  public let Edx: Field<UInt32>
  public let Ecx: Field<UInt32>
  public let Eax: Field<UInt32>
  public let Ebp: Field<UInt32>
  public let Eip: Field<UInt32>
  public let SegCs: Field<UInt32>
  public let EFlags: Field<UInt32>
  public let Esp: Field<UInt32>
  public let SegSs: Field<UInt32>
  public let ExtendedRegisters: Field<UInt8>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x2cc,
      CONTEXT(
        ContextFlags: 0x00, Dr0: 0x04, Dr1: 0x08, Dr2: 0x0c, Dr3: 0x10, Dr6: 0x14, Dr7: 0x18, FloatSave: 0x1c, SegGs: 0x8c,
        SegFs: 0x90, SegEs: 0x94, SegDs: 0x98, Edi: 0x9c, Esi: 0xa0, Ebx: 0xa4, Edx: 0xa8, Ecx: 0xac, Eax: 0xb0, Ebp: 0xb4,
        Eip: 0xb8, SegCs: 0xbc, EFlags: 0xc0, Esp: 0xc4, SegSs: 0xc8, ExtendedRegisters: Field(0xcc, count: 512)
      )
    ))
}

/// The registers of the x87 unit, as `fnsave` writes them (`winnt.h`).
public struct FLOATING_SAVE_AREA: GuestStructure {
  public static let name = "_FLOATING_SAVE_AREA"
  public let ControlWord: Field<UInt32>
  public let StatusWord: Field<UInt32>
  public let TagWord: Field<UInt32>
  public let ErrorOffset: Field<UInt32>
  public let ErrorSelector: Field<UInt32>
  public let DataOffset: Field<UInt32>
  public let DataSelector: Field<UInt32>
  public let RegisterArea: Field<UInt8>
  public let Cr0NpxState: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x70,
      FLOATING_SAVE_AREA(
        ControlWord: 0x00, StatusWord: 0x04, TagWord: 0x08, ErrorOffset: 0x0c, ErrorSelector: 0x10, DataOffset: 0x14,
        DataSelector: 0x18, RegisterArea: Field(0x1c, count: 80), Cr0NpxState: 0x6c
      )
    ))
}

/// The registers that an interrupt or a system call saved (public symbols of XP SP3).
public struct KTRAP_FRAME: GuestStructure {
  public static let name = "_KTRAP_FRAME"
  public let DbgEbp: Field<UInt32>
  public let DbgEip: Field<UInt32>
  public let DbgArgMark: Field<UInt32>
  public let DbgArgPointer: Field<UInt32>
  public let TempSegCs: Field<UInt32>
  public let TempEsp: Field<UInt32>
  public let Dr0: Field<UInt32>
  public let Dr1: Field<UInt32>
  public let Dr2: Field<UInt32>
  public let Dr3: Field<UInt32>
  public let Dr6: Field<UInt32>
  public let Dr7: Field<UInt32>
  public let SegGs: Field<UInt32>
  public let SegEs: Field<UInt32>
  public let SegDs: Field<UInt32>
  public let Edx: Field<UInt32>
  public let Ecx: Field<UInt32>
  public let Eax: Field<UInt32>
  public let PreviousPreviousMode: Field<UInt32>
  public let ExceptionList: Field<Pointer<EXCEPTION_REGISTRATION_RECORD>>
  public let SegFs: Field<UInt32>
  public let Edi: Field<UInt32>
  public let Esi: Field<UInt32>
  public let Ebx: Field<UInt32>
  public let Ebp: Field<UInt32>
  public let ErrCode: Field<UInt32>
  public let Eip: Field<UInt32>
  public let SegCs: Field<UInt32>
  public let EFlags: Field<UInt32>
  public let HardwareEsp: Field<UInt32>
  public let HardwareSegSs: Field<UInt32>
  public let V86Es: Field<UInt32>
  public let V86Ds: Field<UInt32>
  public let V86Fs: Field<UInt32>
  public let V86Gs: Field<UInt32>

  public static let layouts = Layouts(
    (
      .windowsXP_x86, 0x8c,
      KTRAP_FRAME(
        DbgEbp: 0x00, DbgEip: 0x04, DbgArgMark: 0x08, DbgArgPointer: 0x0c, TempSegCs: 0x10, TempEsp: 0x14, Dr0: 0x18, Dr1: 0x1c,
        Dr2: 0x20, Dr3: 0x24, Dr6: 0x28, Dr7: 0x2c, SegGs: 0x30, SegEs: 0x34, SegDs: 0x38, Edx: 0x3c, Ecx: 0x40, Eax: 0x44,
        PreviousPreviousMode: 0x48, ExceptionList: 0x4c, SegFs: 0x50, Edi: 0x54, Esi: 0x58, Ebx: 0x5c, Ebp: 0x60, ErrCode: 0x64,
        Eip: 0x68, SegCs: 0x6c, EFlags: 0x70, HardwareEsp: 0x74, HardwareSegSs: 0x78, V86Es: 0x7c, V86Ds: 0x80, V86Fs: 0x84,
        V86Gs: 0x88
      )
    ))
}
