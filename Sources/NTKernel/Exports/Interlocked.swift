import Guest
import WindowsTypes

/// Operations that are atomic on a machine; here one processor runs, and no export is interrupted.
extension Export {
  static let interlocked: [Export] = [
    // nf-wdm-interlockedincrement
    export("InterlockedIncrement(Addend)", .fastcall) { (_, value: Pointer<UInt32>) -> UInt32 in
      try value.update { $0 &+ 1 }.new
    },
    // nf-wdm-interlockeddecrement
    export("InterlockedDecrement(Addend)", .fastcall) { (_, value: Pointer<UInt32>) -> UInt32 in
      try value.update { $0 &- 1 }.new
    },
    // nf-wdm-interlockedexchange
    export("InterlockedExchange(Target, Value)", .fastcall) { (_, target: Pointer<UInt32>, value: UInt32) -> UInt32 in
      try target.update { _ in value }.old
    },
    // nf-wdm-interlockedexchangeadd
    export("InterlockedExchangeAdd(Addend, Value)", .fastcall) { (_, target: Pointer<UInt32>, value: UInt32) -> UInt32 in
      try target.update { $0 &+ value }.old
    },
    // nf-wdm-interlockedcompareexchange: memory is written either way, as `cmpxchg` does.
    export("InterlockedCompareExchange(Destination, Exchange, Comparand)", .fastcall) {
      (_, target: Pointer<UInt32>, value: UInt32, expected: UInt32) -> UInt32 in
      try target.update { $0 == expected ? value : $0 }.old
    },
    // nf-wdm-exinterlockedcompareexchange64
    export("ExInterlockedCompareExchange64(Destination, Exchange, Comparand, Lock)", .fastcall) {
      (_, target: Pointer<UInt64>, value: Pointer<UInt64>, expected: Pointer<UInt64>, lock: GuestWord) -> UInt64 in
      let (value, expected) = (try value.load(), try expected.load())
      return try target.update { $0 == expected ? value : $0 }.old
    },
    export("ExfInterlockedCompareExchange64(Destination, Exchange, Comparand)", .fastcall) {
      (_, target: Pointer<UInt64>, value: Pointer<UInt64>, expected: Pointer<UInt64>) -> UInt64 in
      let (value, expected) = (try value.load(), try expected.load())
      return try target.update { $0 == expected ? value : $0 }.old
    },
    // nf-wdm-exinterlockedaddlargeinteger
    export("ExInterlockedAddLargeInteger(Addend, Increment, Lock)") {
      (_, value: Pointer<UInt64>, increment: UInt64, lock: GuestWord) -> UInt64 in
      try value.update { $0 &+ increment }.old
    },
    // nf-wdm-exinterlockedaddlargestatistic
    export("ExInterlockedAddLargeStatistic(Addend, Increment)", .fastcall) {
      (_, value: Pointer<UInt64>, increment: UInt32) in
      _ = try value.update { $0 &+ UInt64(increment) }
    },
    // nf-wdm-exinterlockedaddulong
    export("ExInterlockedAddUlong(Addend, Increment, Lock)") {
      (_, value: Pointer<UInt32>, increment: UInt32, lock: GuestWord) -> UInt32 in
      try value.update { $0 &+ increment }.old
    },
    export("ExfInterlockedAddUlong(Addend, Increment, Lock)", .fastcall) {
      (_, value: Pointer<UInt32>, increment: UInt32, lock: GuestWord) -> UInt32 in
      try value.update { $0 &+ increment }.old
    },
    // The order of the sign is that of the flags byte: negative 0x8000, zero 0x4000, positive 0 (i386 headers).
    export("ExInterlockedIncrementLong(Addend, Lock)") { (_, value: Pointer<UInt32>, lock: GuestWord) -> UInt32 in
      signFlags(try value.update { $0 &+ 1 }.new)
    },
    export("ExInterlockedDecrementLong(Addend, Lock)") { (_, value: Pointer<UInt32>, lock: GuestWord) -> UInt32 in
      signFlags(try value.update { $0 &- 1 }.new)
    },
    export("ExInterlockedExchangeUlong(Target, Value, Lock)") {
      (_, target: Pointer<UInt32>, value: UInt32, lock: GuestWord) -> UInt32 in
      try target.update { _ in value }.old
    },
  ]

  private static func signFlags(_ value: UInt32) -> UInt32 {
    value == 0 ? 0x4000 : value & 0x8000_0000 != 0 ? 0x8000 : 0
  }
}

extension Pointer where Pointee: GuestValue {
  /// Replaces the value, and returns what it was and is.
  func update(_ body: (Pointee) -> Pointee) throws -> (old: Pointee, new: Pointee) {
    let old = try load()
    let new = body(old)
    try store(new)
    return (old, new)
  }
}
