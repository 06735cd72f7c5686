import Guest
import Memory
import WindowsTypes

/// What the kernel knows of the machine's devices and of its physical memory that guest code cannot read.
struct HardwareState {
  /// Views of addresses that no memory answers at, by their first page.
  var deviceViews: [UInt64: DeviceView] = [:]
  /// Memory that a driver got at addresses and frames of its own, by its first page: how many pages.
  var blocks: [UInt64: Int] = [:]
  /// Reserved addresses without memory, by their first page.
  var reservedMappings: [UInt64: (pages: Int, tag: UInt32)] = [:]
  /// Ranges of processes' memory whose protection a driver wants kept, by handle.
  var secured: [UInt64: ClosedRange<UInt64>] = [:]
  var nextSecureHandle: UInt64 = 0x1000
  /// The configuration space that drivers have written to, by bus, slot and offset.
  var configuration: [UInt64: UInt8] = [:]
  var adapters: [UInt64: AdapterState] = [:]
  /// The `DMA_OPERATIONS` that every adapter shares.
  var adapterOperations: UInt64?
  /// The connected `KINTERRUPT`s, in the order in which they were connected.
  var interrupts: [Pointer<KINTERRUPT>] = []
  /// The records of `KeRegisterBugCheckCallback`, and those with a reason: most recent first, as their list is.
  var bugCheckCallbacks: [UInt64] = []
  var bugCheckReasonCallbacks: [UInt64] = []
  /// The bugcheck whose callbacks are being made.
  var stopping: BugCheck?
  /// Callbacks for interrupts that cannot be masked, which no hardware here raises.
  var nmiCallbacks: Set<UInt64> = []
  /// `CALLBACK_OBJECT`s, by name in lower case.
  var callbackObjects: [String: UInt64] = [:]
  var errorLogSequence: UInt32 = 0
  /// Whether somebody has given win32k's slot a table.
  var hasSecondServiceTable = false
  /// `CONFIGURATION_INFORMATION`, once someone asked.
  var configurationInformation: UInt64?
  var plugAndPlay = PlugAndPlayState()
  var ports = PortState()

  /// A view of physical addresses where no device is.
  struct DeviceView {
    let pages: Int
    /// The first page's physical address.
    let physical: UInt64
  }

  /// An adapter between its allocation and its release.
  struct AdapterState {
    let mapRegisters: UInt32
    var isBusy = false
    /// Who waits for it: the routine to call, and with what.
    var waiters: [(device: UInt64, routine: UInt64, context: UInt64)] = []
  }
}

extension Kernel {
  /// Makes a page exist that the kernel gives memory only when someone looks: headers of its own images, absent devices' registers.
  func provide(_ address: UInt64) throws -> Bool {
    if try makeKernelImage(at: address) || makeStandingImage(at: address) || makeClientIdentifiers(at: address) { return true }
    if try makePageTableView(at: address) || makePrimaryToken(at: address) { return true }
    guard isAbsentDevice(address), memory.kernel[address].kind == .free else { return false }
    let frame = try memory.physical.allocate()
    let physical = hardware.deviceViews.first { $0.key <= address && address - $0.key < UInt64($0.value.pages) << GuestMemory.pageShift }
      .map { $0.value.physical + (address & ~(GuestMemory.pageSize - 1)) - $0.key }
    memory.physical.fill(frame, with: absentMemory(at: physical ?? .max))
    try memory.kernel.set(Page(.valid, frame: frame), at: address & ~(GuestMemory.pageSize - 1))
    return true
  }

  /// The page at a physical address where there is no memory: page tables, the BIOS's, or all ones.
  func absentMemory(at physical: UInt64) -> ArraySlice<UInt8> {
    if let table = pageTable(atPhysical: physical) { return table[...] }
    return Firmware.page(at: physical) ?? [UInt8](repeating: 0xff, count: Int(GuestMemory.pageSize))[...]
  }

  /// Whether `address` is one of a device's that is not there: reads are all ones, and what is written is lost.
  func isAbsentDevice(_ address: UInt64) -> Bool {
    guard !hardware.deviceViews.isEmpty else { return false }
    return hardware.deviceViews.contains { $0.key <= address && address - $0.key < UInt64($0.value.pages) << GuestMemory.pageShift }
  }
}
