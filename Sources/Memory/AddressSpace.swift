import Guest

/// One process's view of memory: its own half, and the half that all share.
public final class AddressSpace {
  /// In the order of creation, from 0.
  public let id: Int
  public let user: AddressRange
  public let kernel: AddressRange
  /// Reads and writes this address space, whichever is current.
  public let memory: GuestMemory
  let translation: UnsafeMutablePointer<Translation>

  init(id: Int, user: AddressRange, kernel: AddressRange, target: Target) {
    self.id = id
    self.user = user
    self.kernel = kernel
    translation = .allocate(capacity: 1)
    translation.initialize(
      to: Translation(
        user: user.table, kernel: kernel.table, physical: user.physical.base, target: target,
        permissionShift: PageEntry.outsideShift))
    memory = GuestMemory(translation)
  }

  deinit { translation.deallocate() }

  /// The range that holds `address`, or `nil` between the two.
  public func range(of address: UInt64) -> AddressRange? {
    user.contains(address) ? user : kernel.contains(address) ? kernel : nil
  }

  public subscript(address: UInt64) -> Page { range(of: address)?[address] ?? .free }

  /// The frame that this address space holds at `address` right now, or `nil` where none is resident.
  public func frame(at address: UInt64) -> FrameNumber? {
    guard let entry = memory.entry(address), Page.isResident(entry) else { return nil }
    return entry.frame
  }
}

/// All of the guest's memory: the frames, the shared half, one address space a process, and which of them is current.
public final class VirtualMemory {
  public let target: Target
  public let physical: PhysicalMemory
  public let kernel: AddressRange
  public private(set) var spaces: [AddressSpace] = []
  @exclusivity(unchecked) public private(set) var current: AddressSpace
  /// Reads and writes the current address space, as the processor does.
  public let memory: GuestMemory
  private let translation: UnsafeMutablePointer<Translation>

  /// - Parameter limit: the budget for frames, in bytes.
  public init(target: Target, limit: Int) throws(MemoryExhausted) {
    self.target = target
    physical = try PhysicalMemory(limit: limit)
    let split = target.systemRangeStart
    // The last page of the address space is the engines': it holds what their page tables hang from.
    kernel = try AddressRange(
      base: split, size: 0x1_0000_0000 - split - GuestMemory.pageSize, isUser: false, physical: physical)
    let idle = AddressSpace(
      id: 0, user: try AddressRange(base: 0, size: split, isUser: true, physical: physical), kernel: kernel, target: target)
    current = idle
    spaces = [idle]
    translation = .allocate(capacity: 1)
    translation.initialize(
      to: Translation(user: idle.user.table, kernel: kernel.table, physical: physical.base, target: target))
    memory = GuestMemory(translation)
  }

  deinit { translation.deallocate() }

  /// A new, empty address space.
  public func makeAddressSpace() throws(MemoryExhausted) -> AddressSpace {
    let range = try AddressRange(base: 0, size: target.systemRangeStart, isUser: true, physical: physical)
    let space = AddressSpace(id: spaces.count, user: range, kernel: kernel, target: target)
    spaces.append(space)
    return space
  }

  /// Makes `space` the one that ``memory`` and the processor see.
  public func activate(_ space: AddressSpace) {
    current = space
    translation.pointee.user = space.user.table
  }

  /// How many more accesses ``memory`` allows; see ``Translation/accessesLeft``.
  public var accessesLeft: Int {
    get { translation.pointee.accessesLeft }
    set { translation.pointee.accessesLeft = newValue }
  }

  /// Who decides about accesses that a page does not allow, made through ``memory``.
  public var resolver: (any PageFaultResolver)? {
    get { translation.pointee.resolver }
    set { translation.pointee.resolver = newValue }
  }
}
