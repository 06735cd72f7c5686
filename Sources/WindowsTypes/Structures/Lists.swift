import Guest

/// The head of a circular doubly linked list, or one of its entries (`ntdef.h`).
public struct LIST_ENTRY: GuestStructure {
  public static let name = "_LIST_ENTRY"
  public let Flink: Field<Pointer<LIST_ENTRY>>
  public let Blink: Field<Pointer<LIST_ENTRY>>

  public static let layouts = Layouts((.windowsXP_x86, 0x8, LIST_ENTRY(Flink: 0x00, Blink: 0x04)))
}

/// The head of a singly linked list, or one of its entries (`ntdef.h`).
public struct SINGLE_LIST_ENTRY: GuestStructure {
  public static let name = "_SINGLE_LIST_ENTRY"
  public let Next: Field<Pointer<SINGLE_LIST_ENTRY>>

  public static let layouts = Layouts((.windowsXP_x86, 0x4, SINGLE_LIST_ENTRY(Next: 0x00)))
}
