import Guest
import WindowsTypes

/// Performance counter sets that drivers registered, and their instances.
final class CounterSets {
  var sets: Set<UInt64> = []
  /// The set of each instance.
  var instances: [UInt64: UInt64] = [:]
}

extension Export {
  /// Performance counters, and known faults of the machine: nobody reads the ones, and the others are none.
  static let counters: [Export] = [
    // nf-wdm-pcwregister: PCW_REGISTRATION_INFORMATION's version is 0x100.
    export("PcwRegister(Registration, Info)", irql: .apc) {
      (kernel, result: Pointer<GuestWord>, information: Pointer<UInt32>) -> NTSTATUS in
      guard try information.load() == 0x100 else { return .invalidParameter }
      let block = try kernel.allocate(0x10)
      kernel.counterSets.sets.insert(block)
      kernel.register(Kernel.counterSet, block)
      try result.store(GuestWord(block))
      return .success
    }
    .partially("nobody asks for counters, so the callback is never called"),
    // nf-wdm-pcwunregister
    export("PcwUnregister(Registration)", irql: .apc) { (kernel, set: GuestWord) in
      guard kernel.counterSets.sets.remove(set.bits) != nil else { return }
      kernel.unregister(Kernel.counterSet, set.bits)
      kernel.free(set.bits)
    },
    // nf-wdm-pcwcreateinstance
    export("PcwCreateInstance(Instance, Registration, Name, Count, Data)", irql: .apc) {
      (
        kernel, result: Pointer<GuestWord>, set: GuestWord, name: Pointer<UNICODE_STRING>, count: UInt32, data: GuestWord
      ) -> NTSTATUS in
      guard kernel.counterSets.sets.contains(set.bits) else { return .invalidParameter }
      let block = try kernel.allocate(0x10)
      kernel.counterSets.instances[block] = set.bits
      try result.store(GuestWord(block))
      return .success
    },
    // nf-wdm-pcwcloseinstance
    export("PcwCloseInstance(Instance)", irql: .apc) { (kernel, instance: GuestWord) in
      if kernel.counterSets.instances.removeValue(forKey: instance.bits) != nil { kernel.free(instance.bits) }
    },
    // nf-wdm-pcwaddinstance: for use in the callback, with its buffer.
    export("PcwAddInstance(Buffer, Name, Id, Count, Data)", irql: .apc) {
      (_, buffer: GuestWord, name: GuestWord, identifier: UInt32, count: UInt32, data: GuestWord) -> NTSTATUS in .invalidParameter
    }
    .partially("the callback is never called, so no buffer is one"),
    // nf-wdm-emclientqueryrulestate and its kin: no rule is loaded.
    export("EmClientQueryRuleState(RuleId, State)", irql: .apc) { (kernel, rule: GuestWord, state: Pointer<UInt32>) -> NTSTATUS in
      _ = try kernel.memory.memory.bytes(16, at: rule.bits)
      return .notFound
    },
    export("EmClientRuleEvaluate(RuleId, Arguments, ArgumentCount, State)", irql: .apc) {
      (kernel, rule: GuestWord, arguments: GuestWord, count: UInt32, state: GuestWord) -> NTSTATUS in
      _ = try kernel.memory.memory.bytes(16, at: rule.bits)
      return .notFound
    },
    export("EmClientRuleRegisterNotification(RuleId, Callback, Context, NotificationHandle)", irql: .apc) {
      (kernel, rule: GuestWord, routine: GuestWord, context: GuestWord, handle: GuestWord) -> NTSTATUS in
      _ = try kernel.memory.memory.bytes(16, at: rule.bits)
      return .notFound
    },
    export("EmClientRuleDeregisterNotification(NotificationHandle)", irql: .apc) { (_, handle: GuestWord) in },
    // nf-wdm-iowmiqueryalldatamultiple and its kin: whatever they are given, it is no block that was opened.
    export("IoWMIQueryAllDataMultiple(DataBlockObjectList, ObjectCount, InOutBufferSize, OutBuffer)", irql: .passive) {
      (_, objects: GuestWord, count: UInt32, size: GuestWord, buffer: GuestWord) -> NTSTATUS in .objectTypeMismatch
    },
    export(
      "IoWMIQuerySingleInstanceMultiple(DataBlockObjectList, InstanceNames, ObjectCount, InOutBufferSize, OutBuffer)", irql: .passive
    ) {
      (_, objects: GuestWord, names: GuestWord, count: UInt32, size: GuestWord, buffer: GuestWord) -> NTSTATUS in .objectTypeMismatch
    },
    export("IoWMISetSingleInstance(DataBlockObject, InstanceName, Version, ValueBufferSize, ValueBuffer)", irql: .passive) {
      (_, object: GuestWord, name: GuestWord, version: UInt32, size: UInt32, buffer: GuestWord) -> NTSTATUS in .objectTypeMismatch
    },
    export("IoWMISetSingleItem(DataBlockObject, InstanceName, DataItemId, Version, ValueBufferSize, ValueBuffer)", irql: .passive) {
      (_, object: GuestWord, name: GuestWord, item: UInt32, version: UInt32, size: UInt32, buffer: GuestWord) -> NTSTATUS in
      .objectTypeMismatch
    },
    export("IoWMIExecuteMethod(DataBlockObject, InstanceName, MethodId, InBufferSize, OutBufferSize, InOutBuffer)", irql: .passive) {
      (_, object: GuestWord, name: GuestWord, method: UInt32, size: UInt32, outSize: GuestWord, buffer: GuestWord) -> NTSTATUS in
      .objectTypeMismatch
    },
    export("IoWMIHandleToInstanceName(DataBlockObject, FileHandle, InstanceName)", irql: .passive) {
      (_, object: GuestWord, file: GuestWord, name: GuestWord) -> NTSTATUS in .objectTypeMismatch
    },
    export("IoWMIDeviceObjectToInstanceName(DataBlockObject, DeviceObject, InstanceName)", irql: .passive) {
      (_, object: GuestWord, device: GuestWord, name: GuestWord) -> NTSTATUS in .objectTypeMismatch
    },
    // nf-wdm-iowmiallocateinstanceids: numbers that nobody else of the GUID has.
    export("IoWMIAllocateInstanceIds(Guid, InstanceCount, FirstInstanceId)", irql: .passive) {
      (kernel, guid: Pointer<UInt8>, count: UInt32, first: Pointer<UInt32>) -> NTSTATUS in
      let key = try guid.array(count: 16)
      let next = kernel.instanceNumbers.next[key, default: 0]
      let (end, overflows) = next.addingReportingOverflow(count)
      guard !overflows else { return .unsuccessful }
      kernel.instanceNumbers.next[key] = end
      try first.store(next)
      return .success
    },
    // WmiQueryTraceInformation (nf-wdm-wmiquerytraceinformation): of a logger, of which there is none.
    export("WmiQueryTraceInformation(TraceInformationClass, TraceInformation, TraceInformationLength, RequiredLength, Buffer)", irql: .apc)
    {
      (_, kind: UInt32, information: GuestWord, length: UInt32, required: GuestWord, buffer: GuestWord) -> NTSTATUS in .notFound
    }
    .uncertain("that there is no logger is STATUS_NOT_FOUND"),
    // WmiTraceMessageVa (nf-wdm-wmitracemessageva): the handle is no logger's.
    export("WmiTraceMessageVa(LoggerHandle, MessageFlags, MessageGuid, MessageNumber, MessageArgList)") {
      (_, logger: UInt64, flags: UInt32, guid: GuestWord, number: UInt16, arguments: GuestWord) -> NTSTATUS in .invalidHandle
    },
  ]
}

/// The next free instance number of each GUID.
final class InstanceNumbers { var next: [[UInt8]: UInt32] = [:] }

extension Kernel {
  fileprivate static let counterSet = "a performance counter set"
  fileprivate var counterSets: CounterSets { part { CounterSets() } }
  fileprivate var instanceNumbers: InstanceNumbers { part { InstanceNumbers() } }
}
