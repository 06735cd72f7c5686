import Guest

/// `EXCEPTION_RECORD.ExceptionFlags` (`ntdef.h`, `winnt.h`).
public struct ExceptionFlags: NamedFlags {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `EXCEPTION_NONCONTINUABLE`, 0x1
  public static let nonContinuable = Self(rawValue: 0x1)
  /// `EXCEPTION_UNWINDING`, 0x2
  public static let unwinding = Self(rawValue: 0x2)
  /// `EXCEPTION_EXIT_UNWIND`, 0x4
  public static let exitUnwind = Self(rawValue: 0x4)
  /// `EXCEPTION_STACK_INVALID`, 0x8
  public static let stackInvalid = Self(rawValue: 0x8)
  /// `EXCEPTION_NESTED_CALL`, 0x10
  public static let nestedCall = Self(rawValue: 0x10)

  public static let names: [(Self, String)] = [
    (.nonContinuable, "EXCEPTION_NONCONTINUABLE"), (.unwinding, "EXCEPTION_UNWINDING"), (.exitUnwind, "EXCEPTION_EXIT_UNWIND"),
    (.stackInvalid, "EXCEPTION_STACK_INVALID"), (.nestedCall, "EXCEPTION_NESTED_CALL"),
  ]
}

/// What an exception handler wants done (`excpt.h`).
public struct EXCEPTION_DISPOSITION: NamedValue {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// `ExceptionContinueExecution`, 0x0
  public static let continueExecution = Self(rawValue: 0)
  /// `ExceptionContinueSearch`, 0x1
  public static let continueSearch = Self(rawValue: 1)
  /// `ExceptionNestedException`, 0x2
  public static let nestedException = Self(rawValue: 2)
  /// `ExceptionCollidedUnwind`, 0x3
  public static let collidedUnwind = Self(rawValue: 3)

  public static let names: [(Self, String)] = [
    (.continueExecution, "ExceptionContinueExecution"), (.continueSearch, "ExceptionContinueSearch"),
    (.nestedException, "ExceptionNestedException"), (.collidedUnwind, "ExceptionCollidedUnwind"),
  ]
}

/// What the filter of a `__try` decides (`excpt.h`).
public struct ExceptionFilterResult: NamedValue {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// `EXCEPTION_EXECUTE_HANDLER`, 0x1
  public static let executeHandler = Self(rawValue: 1)
  /// `EXCEPTION_CONTINUE_SEARCH`, 0x0
  public static let continueSearch = Self(rawValue: 0)
  /// `EXCEPTION_CONTINUE_EXECUTION`, -1
  public static let continueExecution = Self(rawValue: -1)

  public static let names: [(Self, String)] = [
    (.executeHandler, "EXCEPTION_EXECUTE_HANDLER"), (.continueSearch, "EXCEPTION_CONTINUE_SEARCH"),
    (.continueExecution, "EXCEPTION_CONTINUE_EXECUTION"),
  ]
}
