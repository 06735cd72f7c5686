import Guest
import WindowsTypes

/// An exception as kernel code raises it: what becomes an `EXCEPTION_RECORD` on the guest's stack.
public struct GuestException: Error, Hashable, Sendable {
  public var code: NTSTATUS
  /// `ExceptionInformation`, at most 15 values.
  public var information: [UInt64]
  public var isContinuable: Bool
  /// `ExceptionAddress`, if it is not the instruction or routine that raised.
  public var address: UInt64?

  public init(_ code: NTSTATUS, information: [UInt64] = [], isContinuable: Bool = true, address: UInt64? = nil) {
    self.code = code
    self.information = information
    self.isContinuable = isContinuable
    self.address = address
  }

  /// An access to `address` that memory management refuses, with the two parameters that a page fault gives.
  static func access(_ code: NTSTATUS, _ access: Access, at address: UInt64) -> GuestException {
    GuestException(code, information: [access == .write ? 1 : 0, address])
  }
}

/// The end of the guest: `KeBugCheckEx`, from whatever side.
public struct BugCheck: Error, Hashable, Sendable {
  public var code: BugCheckCode
  /// Four.
  public var parameters: [UInt64]

  public init(_ code: BugCheckCode, _ p1: UInt64 = 0, _ p2: UInt64 = 0, _ p3: UInt64 = 0, _ p4: UInt64 = 0) {
    self.code = code
    parameters = [p1, p2, p3, p4]
  }
}

/// A kernel routine would walk what guest code has linked in a circle, for ever.
struct EndlessLoop: Error {
  let description: String
}

/// A kernel routine leaves for another place in guest code and does not return: an except block, a continued context.
struct ControlTransfer: Error {
  let registers: [Register: UInt64]
}

/// A direct call of the run ended in an exception that its guard caught.
struct GuardedRaise: Error {
  let code: NTSTATUS
}
