import Guest

extension Pointer where Pointee: GuestStructure {
  /// The value of a bit field, shifted down: `try process.load(bits: \.ProcessExiting) != 0`.
  public func load<Member: GuestValue>(bits member: KeyPath<Pointee, Field<Member>>) throws -> UInt64 {
    let field = Pointee.layouts[memory.target][keyPath: member]
    let value = try self[dynamicMember: member].load().bits
    return field.bits.map { value >> UInt64($0.lowerBound) & mask($0) } ?? value
  }

  /// Writes a bit field and leaves its neighbours as they are; of `value` the low bits count.
  public func store<Member: GuestValue>(bits member: KeyPath<Pointee, Field<Member>>, _ value: UInt64) throws {
    let field = Pointee.layouts[memory.target][keyPath: member]
    let place = self[dynamicMember: member]
    guard let bits = field.bits else { return try place.store(Member(bits: value, in: memory)) }
    let shift = UInt64(bits.lowerBound)
    let rest = try place.load().bits & ~(mask(bits) << shift)
    try place.store(Member(bits: rest | (value & mask(bits)) << shift, in: memory))
  }

  private func mask(_ bits: ClosedRange<Int>) -> UInt64 { bits.count == 64 ? ~0 : 1 << UInt64(bits.count) - 1 }

  /// The structure that follows this one, as in an array: `location.advanced(by: -1)`.
  public func advanced(by count: Int) -> Self { advanced(byBytes: Int64(count * Pointee.layouts.size(in: memory.target))) }

  /// Writes zeros over the whole structure.
  public func zero() throws { try memory.fill(0, count: Pointee.layouts.size(in: memory.target), at: address) }
}

extension Pointer where Pointee == UNICODE_STRING {
  /// The text, of which `Length` is the size in bytes; an unpaired surrogate reads as U+FFFD.
  public func string() throws -> String {
    let count = Int(try self.Length.load()) / 2
    let buffer = try self.Buffer.load()
    guard count > 0 else { return "" }
    let bytes = try memory.bytes(count * 2, at: buffer.address)
    let units = stride(from: 0, to: bytes.count, by: 2).map { (at: Int) -> UInt16 in UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 }
    return String(decoding: units, as: UTF16.self)
  }

  /// Writes `text` and a terminating zero at `buffer`, which has room for them, and makes this the string that describes it.
  public func store(_ text: String, buffer: Pointer<UInt16>) throws {
    let units = Array(text.utf16)
    for (index, unit) in (units + [0]).enumerated() { try buffer[index].store(unit) }
    try self.Length.store(UInt16(units.count * 2))
    try self.MaximumLength.store(UInt16(units.count * 2 + 2))
    try self.Buffer.store(buffer)
  }
}

extension Pointer where Pointee == MDL {
  /// The frame numbers, which follow the header.
  public var frames: Pointer<GuestWord> {
    advanced(byBytes: Int64(MDL.layouts.size(in: memory.target))).cast()
  }

  /// `MmGetMdlVirtualAddress`: where the buffer starts in the address space it was described in.
  public func virtualAddress() throws -> UInt64 { try self.StartVa.load().address + UInt64(try self.ByteOffset.load()) }

  /// `ADDRESS_AND_SIZE_TO_SPAN_PAGES` of the buffer.
  public func pageCount() throws -> Int {
    let end = UInt64(try self.ByteOffset.load()) + UInt64(try self.ByteCount.load())
    return Int((end + GuestMemory.pageSize - 1) >> GuestMemory.pageShift)
  }
}

/// A member that later versions of Windows keep in another type, or as a bit field.
public struct VersionedMember<Value: GuestValue> {
  private let loading: () throws -> Value
  private let storing: (Value) throws -> Void

  public func load() throws -> Value { try loading() }
  public func store(_ value: Value) throws { try storing(value) }

  fileprivate init(_ loading: @escaping () throws -> Value, _ storing: @escaping (Value) throws -> Void) {
    (self.loading, self.storing) = (loading, storing)
  }
}

extension Pointer where Pointee: GuestStructure {
  /// The member that is `first` where the target has that one, else `later`.
  public func member<First: GuestValue, Later: GuestValue>(
    _ first: KeyPath<Pointee, Field<First>>, or later: KeyPath<Pointee, Field<Later>>
  ) -> VersionedMember<First> {
    guard Pointee.layouts[memory.target][keyPath: first].isAbsent else {
      let place = self[dynamicMember: first]
      return VersionedMember(place.load, place.store)
    }
    return VersionedMember(
      { First(bits: try self.load(bits: later), in: memory) }, { try self.store(bits: later, $0.bits) })
  }
}

extension Pointer where Pointee == KTHREAD {
  /// How often kernel APCs are held off, counted down from 0.
  public var kernelApcDisable: VersionedMember<UInt32> {
    guard KTHREAD.layouts[memory.target].KernelApcDisable.isAbsent else { return member(\.KernelApcDisable, or: \.KernelApcDisable) }
    let count = self.KernelApcDisable_7
    return VersionedMember(
      { UInt32(bitPattern: Int32(try count.load())) }, { try count.store(Int16(truncatingIfNeeded: $0)) })
  }
  public var apcQueueable: VersionedMember<UInt8> { member(\.ApcQueueable, or: \.ApcQueueable_7) }
  public var alertable: VersionedMember<UInt8> { member(\.Alertable, or: \.Alertable_7) }
  public var systemAffinityActive: VersionedMember<UInt8> { member(\.SystemAffinityActive, or: \.SystemAffinityActive_7) }
  public var idealProcessor: VersionedMember<UInt8> { member(\.IdealProcessor, or: \.IdealProcessor_7) }
  public var affinity: Pointer<GuestWord> {
    KTHREAD.layouts[memory.target].Affinity.isAbsent ? self.Affinity_7.Mask : self.Affinity
  }
  public var userAffinity: Pointer<GuestWord> {
    KTHREAD.layouts[memory.target].UserAffinity.isAbsent ? self.UserAffinity_7.Mask : self.UserAffinity
  }
}

extension Pointer where Pointee == KPROCESS {
  /// How many threads keep the process in memory.
  public func changeStackCount(by change: Int) throws {
    if KPROCESS.layouts[memory.target].StackCount.isAbsent {
      let count = self.StackCount_7
      try count.store(bits: \.StackCount, UInt64(bitPattern: Int64(bitPattern: count.load(bits: \.StackCount)) + Int64(change)))
    } else {
      try self.StackCount.store(UInt16(truncatingIfNeeded: Int(self.StackCount.load()) + change))
    }
  }
}

extension Pointer where Pointee == KPRCB {
  public var dpcRoutineActive: VersionedMember<UInt32> { member(\.DpcRoutineActive, or: \.DpcRoutineActive_7) }
}

extension Pointer where Pointee == ETHREAD {
  /// The process that the thread was created in.
  public var threadsProcess: Pointer<Pointer<EPROCESS>> {
    ETHREAD.layouts[memory.target].ThreadsProcess.isAbsent ? self.Tcb.Process.cast() : self.ThreadsProcess
  }
  /// Whether the thread has never been in user mode.
  public func isSystemThread() throws -> Bool {
    ETHREAD.layouts[memory.target].SystemThread.isAbsent
      ? try self.Tcb.load(bits: \.SystemThread) != 0 : try load(bits: \.SystemThread) != 0
  }
  public func setSystemThread() throws {
    if ETHREAD.layouts[memory.target].SystemThread.isAbsent {
      try self.Tcb.store(bits: \.SystemThread, 1)
    } else {
      try store(bits: \.SystemThread, 1)
    }
  }
}

extension Pointer where Pointee == ERESOURCE {
  /// The owners that the resource itself has room for: the exclusive one first.
  public var owners: [Pointer<OWNER_ENTRY>] {
    ERESOURCE.layouts[memory.target].OwnerThreads.isAbsent
      ? [self.OwnerEntry] : (0..<2).map { self.OwnerThreads.advanced(by: $0) }
  }
  public var sharedWaiters: VersionedMember<UInt16> { member(\.NumberOfSharedWaiters, or: \.NumberOfSharedWaiters_7) }
  public var exclusiveWaiters: VersionedMember<UInt16> { member(\.NumberOfExclusiveWaiters, or: \.NumberOfExclusiveWaiters_7) }
}

extension Pointer where Pointee == OWNER_ENTRY {
  public var ownerCount: VersionedMember<Int32> { member(\.OwnerCount, or: \.OwnerCount_7) }
}

extension Pointer where Pointee == EPROCESS {
  /// How many bytes of pool are on the process's account.
  public func quotaUsage(isPaged: Bool) -> Pointer<GuestWord> {
    (EPROCESS.layouts[memory.target].QuotaUsage.isAbsent ? self.ProcessQuotaUsage : self.QuotaUsage)[isPaged ? 1 : 0]
  }
  /// The most that it ever was.
  public func quotaPeak(isPaged: Bool) -> Pointer<GuestWord> {
    (EPROCESS.layouts[memory.target].QuotaPeak.isAbsent ? self.ProcessQuotaPeak : self.QuotaPeak)[isPaged ? 1 : 0]
  }
}
