import Guest
import NTKernel
import WindowsTypes

/// `WDFINTERRUPT`. A device has no interrupt resource, so none is ever connected; its deferred call and its lock work.
final class Interrupt: FrameworkObject {
  let dpcRoutine: GuestWord
  /// The IRQL to go back to, while the lock is held.
  var oldIRQL: IRQL?

  init(_ block: UInt64, _ binding: Binding, _ dpcRoutine: GuestWord) {
    self.dpcRoutine = dpcRoutine
    super.init(block, binding)
  }

  func dpc(_ kernel: Kernel) -> Pointer<KDPC> { Pointer(block, in: kernel.memory.memory) }

  override func dispose(_ kernel: Kernel) async throws { _ = try kernel.withdraw(dpc(kernel)) }
}

extension KMDF {
  /// Interrupts (wdfinterrupt.h), as a device without interrupt resources has them.
  static let interruptFunctions: [Export] = [
    // nf-wdfinterrupt-wdfinterruptcreate: WDF_INTERRUPT_CONFIG has EvtInterruptIsr at 10h and EvtInterruptDpc behind it.
    asyncFunction("WdfInterruptCreate(DriverGlobals, Device, Configuration, Attributes, Interrupt)") {
      (
        kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, device: GuestWord, config: Pointer<GuestWord>,
        attributes: Pointer<WDF_OBJECT_ATTRIBUTES>, result: Pointer<GuestWord>
      ) async throws -> NTSTATUS in
      try await kernel.refusing {
        try kernel.required(result).store(0)
        let device = try kernel.object(device, Device.self)
        guard try kernel.required(config).load().bits >= 0x20 else { return .infoLengthMismatch }
        guard try config[4].load().bits != 0 else { return .invalidParameter }
        let interrupt = Interrupt(try kernel.objectBlock(0x20), device.binding, try config[5].load())
        try kernel.prepare(interrupt.dpc(kernel), routine: kernel.frameworkTrap("FxDpc"), context: interrupt.handle.bits)
        try kernel.adopt(interrupt, kernel.attributes(attributes, allowsParent: false), parent: device)
        try result.store(interrupt.handle)
        return .success
      }
    }
    .partially("a device has no interrupt resource, so it is never connected"),
    // nf-wdfinterrupt-wdfinterruptqueuedpcforisr: whether it was not queued already.
    function("WdfInterruptQueueDpcForIsr(DriverGlobals, Interrupt)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord) -> UInt8 in
      let interrupt = try kernel.object(interrupt, Interrupt.self)
      return try interrupt.dpcRoutine.bits != 0 && kernel.enqueue(interrupt.dpc(kernel)) ? 1 : 0
    },
    // nf-wdfinterrupt-wdfinterruptsynchronize
    asyncFunction("WdfInterruptSynchronize(DriverGlobals, Interrupt, Callback, Context)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, handle: GuestWord, routine: GuestWord, context: GuestWord) async throws -> UInt8 in
      let interrupt = try kernel.object(handle, Interrupt.self)
      try kernel.acquire(interrupt)
      let value = try await kernel.notify(routine, [handle.bits, context.bits])
      try kernel.release(interrupt)
      return UInt8(truncatingIfNeeded: value)
    }
    .uncertain("the callback is called at DISPATCH_LEVEL: an interrupt that is not connected has no device IRQL"),
    procedure("WdfInterruptAcquireLock(DriverGlobals, Interrupt)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord) in try kernel.acquire(kernel.object(interrupt, Interrupt.self))
    },
    procedure("WdfInterruptReleaseLock(DriverGlobals, Interrupt)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord) in try kernel.release(kernel.object(interrupt, Interrupt.self))
    },
    // nf-wdfinterrupt-wdfinterrupttrytoacquirelock: of an interrupt that is handled at PASSIVE_LEVEL.
    function("WdfInterruptTryToAcquireLock(DriverGlobals, Interrupt)", irql: .passive) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord) -> UInt8 in
      let interrupt = try kernel.object(interrupt, Interrupt.self)
      guard interrupt.oldIRQL == nil else { return 0 }
      try kernel.acquire(interrupt)
      return 1
    },
    notConnected("WdfInterruptEnable(DriverGlobals, Interrupt)", .passive),
    notConnected("WdfInterruptDisable(DriverGlobals, Interrupt)", .passive),
    notConnected("WdfInterruptReportActive(DriverGlobals, Interrupt)", nil),
    notConnected("WdfInterruptReportInactive(DriverGlobals, Interrupt)", nil),
    // nf-wdfinterrupt-wdfinterruptwdmgetinterrupt: null while it is not connected.
    function("WdfInterruptWdmGetInterrupt(DriverGlobals, Interrupt)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord) -> GuestWord in
      _ = try kernel.object(interrupt, Interrupt.self)
      return 0
    },
    // nf-wdfinterrupt-wdfinterruptgetinfo: zeros while it is not connected.
    procedure("WdfInterruptGetInfo(DriverGlobals, Interrupt, Info)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord, info: Pointer<UInt32>) in
      _ = try kernel.object(interrupt, Interrupt.self)
      let size = try kernel.required(info).load()
      guard size > 4 else { return }
      try kernel.memory.memory.fill(0, count: Int(min(size, 0x40)) - 4, at: info.address + 4)
    },
    procedure("WdfInterruptSetPolicy(DriverGlobals, Interrupt, Policy, Priority, TargetProcessorSet)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord, policy: UInt32, priority: UInt32, processors: GuestWord) in
      _ = try kernel.object(interrupt, Interrupt.self)
    },
    procedure("WdfInterruptSetExtendedPolicy(DriverGlobals, Interrupt, PolicyAndGroup)") {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord, policy: GuestWord) in
      _ = try kernel.object(interrupt, Interrupt.self)
    },
    function("WdfInterruptGetDevice(DriverGlobals, Interrupt)", irql: nil) {
      (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord) -> GuestWord in
      try kernel.object(interrupt, Interrupt.self).device?.handle ?? 0
    },
  ]

  private static func notConnected(_ prototype: String, _ irql: IRQL?) -> Export {
    procedure(prototype, irql: irql) { (kernel, globals: Pointer<WDF_DRIVER_GLOBALS>, interrupt: GuestWord) in
      _ = try kernel.object(interrupt, Interrupt.self)
    }
    .partially("an interrupt is never connected")
  }
}

extension Kernel {
  fileprivate func acquire(_ interrupt: Interrupt) throws {
    guard interrupt.oldIRQL == nil else { throw Violation.recursiveLock.bugCheck(interrupt.handle.bits) }
    let old = try kpcr.Irql.load()
    if old < .dispatch { _ = try raiseIRQL(to: .dispatch) }
    interrupt.oldIRQL = old
  }

  fileprivate func release(_ interrupt: Interrupt) throws {
    guard let old = interrupt.oldIRQL else { throw Violation.invalidLockOperation.bugCheck(interrupt.handle.bits) }
    interrupt.oldIRQL = nil
    if old < .dispatch { try lowerIRQL(to: old) }
  }
}
