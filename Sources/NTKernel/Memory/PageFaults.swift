import Events
import Guest
import Memory
import WindowsTypes

/// What a page that is paged out comes back as.
enum PagedOutPage {
  case content([UInt8])
  /// The pager fails with this status.
  case failing(NTSTATUS)
}

/// The page-fault handler: what every access that a page does not allow comes to, made by guest code or by an export.
///
/// The cases and their statuses are those of the memory manager's documentation (page protection constants; guard pages: W32
/// "Creating Guard Pages"); that an access violation carries two parameters and an in-page error three is documented with
/// `EXCEPTION_RECORD`.
extension Kernel: PageFaultResolver {
  public func resolve(_ access: Access, at address: UInt64) throws {
    try resolve(access, at: address, routine: exports.exports[servedExport].name)
  }

  /// - Parameter routine: in whose name the kernel touches the page; `nil` for an instruction.
  func resolve(_ access: Access, at address: UInt64, routine: String?) throws {
    if try provide(address) || releasePageTableViews() { return }
    let owner = currentSpaceOwner
    if memory.current[address].isWatched, try liftWatch(access, at: address, in: owner, routine: routine) { return }
    var outcome = FaultEvent.Resolution.repaired("")
    defer {
      stream.append(
        .fault(
          FaultEvent(
            address: address, access: "\(access)", process: owner.id, routine: routine, resolution: outcome, site: site())))
    }
    do {
      outcome = .repaired(try repair(access, at: address))
    } catch {
      switch error {
      case let exception as GuestException: outcome = .raised(exception.code.rawValue)
      case let bugCheck as BugCheck: outcome = .bugCheck(bugCheck.code.rawValue)
      default: outcome = .repaired("out of memory")
      }
      noteForeignAccess(access, at: address, in: owner, routine: routine)
      throw error
    }
  }

  /// Makes the page allow the access, and says how; or throws what the access comes to.
  private func repair(_ access: Access, at address: UInt64) throws -> String {
    let irql = try kpcr.Irql.load()
    let page = memory.current[address]
    if let fault = specialPoolFault(access, at: address) { throw fault }
    if irql >= .dispatch && needsPager(page, access, at: address) {
      throw try faultAtRaisedIRQL(irql, access, at: address)
    }
    return address < memory.target.systemRangeStart
      ? try repairUser(page, access, at: address) : try repairKernel(page, access, at: address)
  }

  /// Whether only the fault handler can say what becomes of the access: hardware has no entry for the page, or a user page's
  /// entry forbids the store. A store to read-only system memory has a bugcheck of its own.
  private func needsPager(_ page: Page, _ access: Access, at address: UInt64) -> Bool {
    guard page.kind == .valid, page.protection != .noAccess, !page.isGuard else { return true }
    return access == .write && page.protection != .readWrite && address < memory.target.systemRangeStart
  }

  /// IRQL_NOT_LESS_OR_EQUAL (0x0A), or DRIVER_IRQL_NOT_LESS_OR_EQUAL (0xD1) where the instruction is a driver's: address, IRQL,
  /// 0 read or 1 write, instruction.
  private func faultAtRaisedIRQL(_ irql: IRQL, _ access: Access, at address: UInt64) throws -> BugCheck {
    if let fault = unloadedDriverFault(access, at: address) { return fault }
    let ip = registers[.ip]
    let isDriver = !trapPlaces.contains(ip) && !isKernelCode(ip)
    let kind: UInt64 = access == .write ? 1 : access == .execute ? 8 : 0
    return BugCheck(
      isDriver ? .driverIRQLNotLessOrEqual : .irqlNotLessOrEqual, address, UInt64(irql.rawValue), kind, ip)
  }

  private func repairUser(_ page: Page, _ access: Access, at address: UInt64) throws -> String {
    let start = address & ~(GuestMemory.pageSize - 1)
    let range = memory.current.user
    func violation() -> GuestException { .access(.accessViolation, access, at: address) }
    switch page.kind {
    case .free, .reserved, .decommitted: throw violation()
    case _ where page.isGuard:
      // The guard goes whatever becomes of the access: a second try meets the page as it is.
      var open = page
      open.isGuard = false
      try range.set(open, at: start)
      throw GuestException.access(.guardPageViolation, access, at: address)
    case _ where page.protection == .noAccess: throw violation()
    case _ where access == .write && page.protection == .readOnly: throw violation()
    case .demandZero:
      var present = page
      present.kind = .valid
      if page.isShared, let frame = try sectionFrame(at: start) {
        present.frame = frame
        try range.set(present, at: start)
        return "a section's page"
      }
      present.frame = try memory.physical.allocate()
      try range.set(present, at: start)
      return "demand zero"
    case .pagedOut:
      try pageIn(page, access, at: address, in: range)
      return "paged in"
    case .valid where access == .write && page.protection == .writeCopy:
      let copy = try memory.physical.allocate()
      memory.physical.fill(copy, with: memory.physical.bytes(of: page.frame))
      var own = page
      own.frame = copy
      own.protection = .readWrite
      own.isShared = false
      try range.set(own, at: start)
      return "copy on write"
    case .valid:
      // The page allows the access after all: the fault came from what an engine had not seen yet.
      return "valid"
    }
  }

  private func pageIn(_ page: Page, _ access: Access, at address: UInt64, in range: AddressRange) throws {
    switch pagingFile[Int(page.frame)] {
    case .failing(let status):
      throw GuestException(.inPageError, information: [access == .write ? 1 : 0, address, UInt64(status.rawValue)])
    case .content(let bytes):
      let frame = try memory.physical.allocate()
      memory.physical.fill(frame, with: bytes)
      var present = page
      present.kind = .valid
      present.frame = frame
      try range.set(present, at: address & ~(GuestMemory.pageSize - 1))
    }
  }

  private func repairKernel(_ page: Page, _ access: Access, at address: UInt64) throws -> String {
    let start = address & ~(GuestMemory.pageSize - 1)
    switch page.kind {
    case .demandZero:
      var present = page
      present.kind = .valid
      present.frame = try memory.physical.allocate()
      try memory.kernel.set(present, at: start)
      return "demand zero"
    case .pagedOut:
      try pageIn(page, access, at: address, in: memory.kernel)
      return "paged in"
    case .valid where access == .write && page.protection != .readWrite:
      guard control.isWriteProtectionOff else {
        // ATTEMPTED_WRITE_TO_READONLY_MEMORY: address, the page table entry (frame, global, accessed, present), reserved, reserved.
        throw BugCheck(.attemptedWriteToReadonlyMemory, address, (UInt64(page.frame) << 12 | 0x121) & 0xffff_ffff)
      }
      control.unprotected.append((start, page))
      var open = page
      open.protection = .readWrite
      try memory.kernel.set(open, at: start)
      return "write protection is off"
    case .valid where page.protection != .noAccess && !page.isGuard: return "valid"
    default:
      if let thread = running, address < thread.stackLimit, address >= thread.stackLimit - GuestMemory.pageSize {
        // The stack is used up: the processor cannot push a trap frame either. UNEXPECTED_KERNEL_MODE_TRAP, double fault.
        throw BugCheck(.unexpectedKernelModeTrap, 8, 0x8004_2000, 0, 0)
      }
      if let fault = unloadedDriverFault(access, at: address) { throw fault }
      throw BugCheck(.pageFaultInNonpagedArea, address, access == .write ? 1 : 0, registers[.ip], 0)
    }
  }
}
