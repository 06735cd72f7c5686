import Guest
import WindowsTypes

extension Export {
  /// Exceptions that guest code raises with a record or looks at with a context of its own.
  static let raisedExceptions: [Export] = [
    // RtlRaiseException (winnt.h): goes back to its caller if a filter says so and the record allows it.
    export("RtlRaiseException(ExceptionRecord)") { (kernel, record: Pointer<EXCEPTION_RECORD>) in
      let count = Int(min(15, try record.NumberParameters.load()))
      let information = try (0..<count).map { try record.ExceptionInformation[$0].load().bits }
      throw CallersException(
        exception: GuestException(
          try record.ExceptionCode.load(), information: information,
          isContinuable: !(try record.ExceptionFlags.load().contains(.nonContinuable)), address: kernel.servedReturnAddress))
    }
    .partially("handlers see a copy of the record, without the record that it is chained to")
  ]
}

/// An exception that is its caller's: if a filter continues it, the routine that raised it has returned.
struct CallersException: Error {
  let exception: GuestException
}
