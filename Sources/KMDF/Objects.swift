import Guest
import NTKernel
import WindowsTypes

/// What a handle stands for.
class FrameworkObject {
  /// Nonpaged memory of the object's own, which its handle is made from and which holds what the kernel is given the address of.
  let block: UInt64
  let binding: Binding
  private(set) weak var parent: FrameworkObject?
  /// How many objects are above it.
  private(set) var depth = 0
  private(set) var children: [FrameworkObject] = []
  var references = 1
  var contexts: [Context] = []
  var executionLevel = ExecutionLevel.inherited
  var synchronizationScope = SynchronizationScope.inherited
  var isDeleting = false

  /// Memory of the driver's that belongs to the object, and whom to tell when the object goes.
  struct Context {
    /// The address of the type's description; 0 for an object without a context.
    let type: UInt64
    let address: UInt64
    let cleanup: GuestWord
    let destroy: GuestWord
  }

  init(_ block: UInt64, _ binding: Binding) {
    self.block = block
    self.binding = binding
  }

  /// Not the address: a driver that takes its handle for a pointer is to find nothing there.
  var handle: GuestWord { GuestWord(~block & 0xffff_fff8) }

  func move(to parent: FrameworkObject?) {
    self.parent?.children.removeAll { $0 === self }
    self.parent = parent
    depth = parent.map { $0.depth + 1 } ?? 0
    parent?.children.append(self)
  }

  /// The device that the object belongs to, if any.
  var device: Device? { (self as? Device) ?? parent?.device }

  /// Whether callbacks about the object are made at PASSIVE_LEVEL alone.
  var isPassive: Bool {
    switch executionLevel {
    case .passive: true
    case .inherited: parent?.isPassive ?? false
    default: false
    }
  }

  var scope: SynchronizationScope {
    synchronizationScope == .inherited ? parent?.scope ?? .none : synchronizationScope
  }

  /// What goes before the object does, beside its callbacks.
  func dispose(_ kernel: Kernel) async throws {}
}

/// `WDF_EXECUTION_LEVEL`
enum ExecutionLevel: UInt32 { case inherited = 1, passive, dispatch }
/// `WDF_SYNCHRONIZATION_SCOPE`
enum SynchronizationScope: UInt32 { case inherited = 1, device, queue, none }

final class FrameworkDriver: FrameworkObject {
  var evtDeviceAdd: GuestWord = 0
  var evtUnload: GuestWord = 0

  override func dispose(_ kernel: Kernel) async throws {
    binding.driver = nil
    try binding.globals.Driver.store(0)
  }
}

/// `WDFDEVICE_INIT`, by the address of memory that means nothing to the driver.
final class DeviceInit {
  let driver: FrameworkDriver
  /// The device that the new one is to lie over; `nil` for a control device.
  let physicalDevice: Pointer<DEVICE_OBJECT>?
  var name: String?
  var type: UInt32 = 0x22
  var characteristics: UInt32 = 0
  var isExclusive = false
  /// `WDF_DEVICE_IO_TYPE`: 1 neither, 2 buffered, 3 direct.
  var ioType: UInt32 = 2
  var file = FileCallbacks()
  var fileAttributes = Attributes()
  var requestAttributes = Attributes()
  var inCallerContext: GuestWord = 0
  var plugAndPlay = PlugAndPlayCallbacks()
  /// Whether the driver is a filter, whose unhandled requests go on.
  var isFilter = false
  /// Of a device that the driver itself enumerates.
  var child: ChildInit?
  /// The list of children that the device has from the beginning.
  var childList: (configuration: ChildList.Configuration, attributes: Attributes)?
  /// Who sees IRPs before the framework does, by major function; no minor functions are all.
  var preprocessing: [UInt8: (routine: GuestWord, minors: [UInt8])] = [:]

  init(_ driver: FrameworkDriver, over physicalDevice: Pointer<DEVICE_OBJECT>?) {
    self.driver = driver
    self.physicalDevice = physicalDevice
  }
}

struct FileCallbacks {
  var isWanted = false
  var create: GuestWord = 0
  var close: GuestWord = 0
  var cleanup: GuestWord = 0
}

final class Device: FrameworkObject {
  let object: Pointer<DEVICE_OBJECT>
  let setup: DeviceInit
  /// Whether the device object is another framework's, which takes it away itself.
  var isMiniport = false
  /// What it lies on.
  var below: Pointer<DEVICE_OBJECT>?
  var links: [String] = []
  var progress = PlugAndPlayProgress()
  var defaultQueue: Queue?
  /// The queues that take requests of one kind, by major function.
  var dispatching: [UInt8: Queue] = [:]
  var files: [UInt64: FileObject] = [:]
  /// Children that the driver reports itself, and its lists of others.
  var staticChildren: [Device] = []
  /// Whether it has ever had such a child, so that it answers for its children.
  var isBus: Bool { hasStaticChildren || !childLists.isEmpty }
  var hasStaticChildren = false
  var childLists: [ChildList] { children.compactMap { $0 as? ChildList } }
  var defaultChildList: ChildList?
  /// `PNP_BUS_INFORMATION` for the children.
  var busInformation: [UInt8]?
  /// Whether the bus no longer has it, of a child.
  var isGone = false
  var interfaces: [Interface] = []
  /// What it answers IRP_MN_QUERY_INTERFACE with.
  var queryInterfaces: [QueryInterface] = []
  /// `WDF_DEVICE_STATE`, behind its size: WdfUseDefault 2.
  var state = [UInt32](repeating: 2, count: 6)

  /// What the Plug and Play manager knows the device by: the one below, or of a child its own.
  var physical: Pointer<DEVICE_OBJECT>? { setup.physicalDevice ?? (setup.child == nil ? nil : object) }

  /// A device interface, which is registered when the device is there for the Plug and Play manager.
  struct Interface {
    let identifier: [UInt8]
    let reference: String
    var isWanted = true
    var link: String?
  }

  struct QueryInterface {
    let identifier: [UInt8]
    /// `INTERFACE` and what follows it.
    let bytes: [UInt8]
    let routine: GuestWord
  }

  init(_ block: UInt64, _ binding: Binding, _ object: Pointer<DEVICE_OBJECT>, _ setup: DeviceInit) {
    self.object = object
    self.setup = setup
    super.init(block, binding)
  }

  override func dispose(_ kernel: Kernel) async throws {
    for link in links { try await kernel.removeLink(link) }
    setup.child?.parent.staticChildren.removeAll { $0 === self }
    try await kernel.setInterfaces(of: self, areEnabled: false)
    kernel.framework.devices[object.address] = nil
    guard !isMiniport else { return }
    if let below { try await kernel.takeOff(below) }
    try await kernel.removeDevice(object)
  }
}

final class FileObject: FrameworkObject {
  let object: Pointer<FILE_OBJECT>

  init(_ block: UInt64, _ binding: Binding, _ object: Pointer<FILE_OBJECT>) {
    self.object = object
    super.init(block, binding)
  }
}

/// A buffer that somebody else owns, or the framework: ``ownedBlock``.
final class MemoryObject: FrameworkObject {
  var buffer: UInt64
  var size: UInt64
  var ownedBlock: UInt64?
  /// The pages of a user's that are locked as long as the object is there.
  var mdl: Pointer<MDL>?

  init(_ block: UInt64, _ binding: Binding, buffer: UInt64, size: UInt64) {
    self.buffer = buffer
    self.size = size
    super.init(block, binding)
  }

  override func dispose(_ kernel: Kernel) async throws {
    if let mdl { try kernel.release(mdl) }
    mdl = nil
    if let ownedBlock { try kernel.freePool(ownedBlock) }
    ownedBlock = nil
  }
}

final class StringObject: FrameworkObject {
  private(set) var string: Pointer<UNICODE_STRING>

  init(_ block: UInt64, _ binding: Binding, _ string: Pointer<UNICODE_STRING>) {
    self.string = string
    super.init(block, binding)
  }

  /// Another text in its place.
  func replace(with text: String, _ kernel: Kernel) throws {
    let old = string
    string = try kernel.textBlock(text)
    kernel.free(old.address)
  }

  override func dispose(_ kernel: Kernel) async throws { kernel.free(string.address) }
}

final class Collection: FrameworkObject {
  var items: [FrameworkObject] = []

  override func dispose(_ kernel: Kernel) async throws {
    for item in items { try await kernel.dereference(item) }
    items = []
  }
}

final class Key: FrameworkObject {
  let key: RegistryKey
  /// A handle that the driver asked for; 0 for none.
  var wdmHandle: UInt64 = 0

  init(_ block: UInt64, _ binding: Binding, _ key: RegistryKey) {
    self.key = key
    super.init(block, binding)
  }

  override func dispose(_ kernel: Kernel) async throws {
    if wdmHandle != 0 { _ = try await kernel.close(wdmHandle) }
  }
}

final class SpinLock: FrameworkObject {
  /// The IRQL to go back to, while somebody holds the lock.
  var oldIRQL: IRQL?
}

final class WaitLock: FrameworkObject {
  /// The thread that holds it.
  var owner: UInt64?
  func event(_ kernel: Kernel) -> Pointer<KEVENT> { Pointer(block, in: kernel.memory.memory) }
}

/// A timer, a deferred procedure call or a work item: what calls the driver back later.
final class LaterCall: FrameworkObject {
  enum Kind { case timer, dpc, workItem }
  let kind: Kind
  let routine: GuestWord
  /// Of a timer, in milliseconds.
  let period: UInt32
  var isQueued = false

  init(_ block: UInt64, _ binding: Binding, _ kind: Kind, _ routine: GuestWord, period: UInt32) {
    self.kind = kind
    self.routine = routine
    self.period = period
    super.init(block, binding)
  }

  /// The block holds a timer, then a deferred call; or the event that is set while a work item is not queued.
  static let size: UInt64 = 0x50
  func timer(_ kernel: Kernel) -> Pointer<KTIMER> { Pointer(block, in: kernel.memory.memory) }
  func dpc(_ kernel: Kernel) -> Pointer<KDPC> { Pointer(block + 0x28, in: kernel.memory.memory) }
  func event(_ kernel: Kernel) -> Pointer<KEVENT> { Pointer(block, in: kernel.memory.memory) }

  override func dispose(_ kernel: Kernel) async throws {
    switch kind {
    case .timer:
      _ = try kernel.cancel(timer(kernel))
      _ = try kernel.withdraw(dpc(kernel))
    case .dpc: _ = try kernel.withdraw(dpc(kernel))
    case .workItem: if isQueued { try await kernel.wait(for: event(kernel), "a work item that is being deleted") }
    }
  }
}
