import Guest
import WindowsTypes

/// Device queues, and the queues that threads wait at.
extension Export {
  static let deviceQueues: [Export] = [
    // nf-wdm-keinitializedevicequeue
    export("KeInitializeDeviceQueue(DeviceQueue)") { (_, queue: Pointer<KDEVICE_QUEUE>) in
      try queue.Type.store(Int16(DispatcherObjectType.deviceQueue.rawValue))
      try queue.Size.store(Int16(Pointer<KDEVICE_QUEUE>.size(in: queue.memory)))
      try queue.DeviceListHead.initialize()
      try queue.Lock.store(0)
      try queue.Busy.store(0)
    },
    // nf-wdm-keinsertdevicequeue: whether the entry waits; if not, the device is its own now.
    export("KeInsertDeviceQueue(DeviceQueue, DeviceQueueEntry)", irql: .dispatch) {
      (_, queue: Pointer<KDEVICE_QUEUE>, entry: Pointer<KDEVICE_QUEUE_ENTRY>) -> UInt8 in try queue.insert(entry, key: nil)
    },
    // nf-wdm-keinsertbykeydevicequeue
    export("KeInsertByKeyDeviceQueue(DeviceQueue, DeviceQueueEntry, SortKey)", irql: .dispatch) {
      (_, queue: Pointer<KDEVICE_QUEUE>, entry: Pointer<KDEVICE_QUEUE_ENTRY>, key: UInt32) -> UInt8 in try queue.insert(entry, key: key)
    },
    // nf-wdm-keremovedevicequeue
    export("KeRemoveDeviceQueue(DeviceQueue)", irql: .dispatch) {
      (_, queue: Pointer<KDEVICE_QUEUE>) -> Pointer<KDEVICE_QUEUE_ENTRY> in try queue.next(key: nil)
    },
    // nf-wdm-keremovebykeydevicequeue: the first of at least that key, else the first of all.
    export("KeRemoveByKeyDeviceQueue(DeviceQueue, SortKey)", irql: .dispatch) {
      (_, queue: Pointer<KDEVICE_QUEUE>, key: UInt32) -> Pointer<KDEVICE_QUEUE_ENTRY> in try queue.next(key: key)
    },
    // nf-ntddk-keremovebykeydevicequeueifbusy
    export("KeRemoveByKeyDeviceQueueIfBusy(DeviceQueue, SortKey)", irql: .dispatch) {
      (_, queue: Pointer<KDEVICE_QUEUE>, key: UInt32) -> Pointer<KDEVICE_QUEUE_ENTRY> in
      try queue.Busy.load() == 0 ? Pointer(0, in: queue.memory) : queue.next(key: key)
    },
    // nf-wdm-keremoveentrydevicequeue: whether it was in the queue.
    export("KeRemoveEntryDeviceQueue(DeviceQueue, DeviceQueueEntry)", irql: .dispatch) {
      (_, queue: Pointer<KDEVICE_QUEUE>, entry: Pointer<KDEVICE_QUEUE_ENTRY>) -> UInt8 in
      guard try entry.Inserted.load() != 0 else { return 0 }
      try entry.Inserted.store(0)
      try entry.DeviceListEntry.remove()
      return 1
    },
  ]

  static let startIo: [Export] = [
    // nf-ntifs-iostartnextpacketbykey
    export("IoStartNextPacketByKey(DeviceObject, Cancelable, Key)", irql: .dispatch) {
      (kernel, device: Pointer<DEVICE_OBJECT>, isCancelable: UInt8, key: UInt32) async throws in
      try await kernel.startNextPacket(device, key: key)
    }
  ]

  /// `KQUEUE`s (nf-ntifs-keinitializequeue and its like).
  static let threadQueues: [Export] = [
    export("KeInitializeQueue(Queue, Count)") { (_, queue: Pointer<KQUEUE>, count: UInt32) in
      try queue.Header.initialize(.queue, state: 0, size: UInt8(Pointer<KQUEUE>.size(in: queue.memory) / 4))
      try queue.EntryListHead.initialize()
      try queue.ThreadListHead.initialize()
      try queue.CurrentCount.store(0)
      // 0 is as many as there are processors.
      try queue.MaximumCount.store(count == 0 ? 1 : count)
    },
    export("KeReadStateQueue(Queue)") { (_, queue: Pointer<KQUEUE>) -> Int32 in try queue.Header.SignalState.load() },
    // The state before.
    export("KeInsertQueue(Queue, Entry)", irql: .dispatch) { (kernel, queue: Pointer<KQUEUE>, entry: Pointer<LIST_ENTRY>) -> Int32 in
      try kernel.insert(entry, into: queue, atHead: false)
    },
    export("KeInsertHeadQueue(Queue, Entry)", irql: .dispatch) { (kernel, queue: Pointer<KQUEUE>, entry: Pointer<LIST_ENTRY>) -> Int32 in
      try kernel.insert(entry, into: queue, atHead: true)
    },
    // An entry's address, or STATUS_TIMEOUT in its place.
    export("KeRemoveQueue(Queue, WaitMode, Timeout)", irql: .dispatch) {
      (kernel, queue: Pointer<KQUEUE>, mode: KPROCESSOR_MODE, timeout: Pointer<Int64>) async throws -> GuestWord in
      let status = try await kernel.waiting([queue.Header], timeout: timeout.isNull ? nil : timeout.load(), mode: mode)
      guard status == .success, let entry = try queue.EntryListHead.removeHead() else { return GuestWord(UInt64(status.rawValue)) }
      return GuestWord(entry.address)
    }
    .partially("the number of threads that run at once is not limited"),
    // What is left in it, as a list that begins with its first entry.
    export("KeRundownQueue(Queue)", irql: .dispatch) { (_, queue: Pointer<KQUEUE>) -> Pointer<LIST_ENTRY> in
      guard try !queue.EntryListHead.isEmpty else { return Pointer(0, in: queue.memory) }
      let first = try queue.EntryListHead.Flink.load()
      try queue.EntryListHead.remove()
      try queue.EntryListHead.initialize()
      try queue.Header.SignalState.store(0)
      return first
    },
  ]
}

extension Pointer where Pointee == KDEVICE_QUEUE {
  /// Whether the entry waits: 0 where the device was idle, which is busy now.
  func insert(_ entry: Pointer<KDEVICE_QUEUE_ENTRY>, key: UInt32?) throws -> UInt8 {
    if let key { try entry.SortKey.store(key) }
    guard try self.Busy.load() != 0 else {
      try self.Busy.store(1)
      try entry.Inserted.store(0)
      return 0
    }
    var place = self.DeviceListHead
    if let key {
      for other in try self.DeviceListHead.entries() where try other.container(\KDEVICE_QUEUE_ENTRY.DeviceListEntry).SortKey.load() > key {
        place = other
        break
      }
    }
    try place.insertTail(entry.DeviceListEntry)
    try entry.Inserted.store(1)
    return 1
  }

  /// Takes out who is next; null, and the device is idle, where nobody waits.
  func next(key: UInt32?) throws -> Pointer<KDEVICE_QUEUE_ENTRY> {
    let entries = try self.DeviceListHead.entries()
    guard var found = entries.first else {
      try self.Busy.store(0)
      return Pointer<KDEVICE_QUEUE_ENTRY>(0, in: memory)
    }
    if let key {
      found = try entries.first { try $0.container(\KDEVICE_QUEUE_ENTRY.DeviceListEntry).SortKey.load() >= key } ?? found
    }
    try found.remove()
    let entry: Pointer<KDEVICE_QUEUE_ENTRY> = found.container(\.DeviceListEntry)
    try entry.Inserted.store(0)
    return entry
  }
}

extension Kernel {
  fileprivate func insert(_ entry: Pointer<LIST_ENTRY>, into queue: Pointer<KQUEUE>, atHead: Bool) throws -> Int32 {
    let old = try queue.Header.SignalState.load()
    if atHead { try queue.EntryListHead.insertHead(entry) } else { try queue.EntryListHead.insertTail(entry) }
    try queue.Header.SignalState.store(old &+ 1)
    try signal(queue.Header)
    return old
  }
}
