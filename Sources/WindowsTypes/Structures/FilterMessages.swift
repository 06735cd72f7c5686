import Guest

/// What a message to user mode starts with (`fltUserStructures.h`).
public struct FILTER_MESSAGE_HEADER: GuestStructure {
  public static let name = "_FILTER_MESSAGE_HEADER"
  public let ReplyLength: Field<UInt32>
  public let MessageId: Field<UInt64>

  public static let layouts = Layouts((.windowsXP_x86, 0x10, FILTER_MESSAGE_HEADER(ReplyLength: 0x00, MessageId: 0x08)))
}

/// What a reply from user mode starts with (`fltUserStructures.h`).
public struct FILTER_REPLY_HEADER: GuestStructure {
  public static let name = "_FILTER_REPLY_HEADER"
  public let Status: Field<NTSTATUS>
  public let MessageId: Field<UInt64>

  public static let layouts = Layouts((.windowsXP_x86, 0x10, FILTER_REPLY_HEADER(Status: 0x00, MessageId: 0x08)))
}
