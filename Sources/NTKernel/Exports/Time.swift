import Guest
import WindowsTypes

extension Export {
  /// Virtual time (``Kernel/systemTime`` says where it comes from).
  static let time: [Export] = [
    // nf-wdm-kequerysystemtime-r1
    export("KeQuerySystemTime(CurrentTime)") { (kernel, time: Pointer<UInt64>) in
      try kernel.publishTime()
      try time.store(kernel.systemTimeAtTick)
    },
    // nf-wdm-kequerytickcount: a macro on x86, and exported too.
    export("KeQueryTickCount(CurrentCount)") { (kernel, count: Pointer<UInt64>) in
      try kernel.publishTime()
      try count.store(kernel.tickCount)
    },
    // nf-wdm-kequerytimeincrement
    export("KeQueryTimeIncrement()") { _ -> UInt32 in UInt32(VirtualTime.tick) },
    // nf-wdm-kequeryinterrupttime
    export("KeQueryInterruptTime()") { kernel -> UInt64 in
      try kernel.publishTime()
      return kernel.interruptTimeAtTick
    },
    // nf-ntifs-kequeryperformancecounter: the frequency is optional.
    export("KeQueryPerformanceCounter(PerformanceFrequency)", module: "hal") {
      (kernel, frequency: Pointer<UInt64>) -> UInt64 in
      if !frequency.isNull { try frequency.store(VirtualTime.performanceFrequency) }
      let (high, low) = kernel.interruptTime.multipliedFullWidth(by: VirtualTime.performanceFrequency)
      return UInt64(10_000_000).dividingFullWidth((high % 10_000_000, low)).quotient
    },
    // nf-wdm-kestallexecutionprocessor: nothing runs meanwhile, and time goes on.
    export("KeStallExecutionProcessor(MicroSeconds)", module: "hal") { (kernel, microseconds: UInt32) in
      kernel.skipTime(by: UInt64(microseconds) * 10)
    },
    // nf-wdm-exsystemtimetolocaltime: the machine keeps universal time, so the bias is 0 unless someone writes it.
    export("ExSystemTimeToLocalTime(SystemTime, LocalTime)") { (kernel, system: Pointer<UInt64>, local: Pointer<UInt64>) in
      try local.store(system.load() &- kernel.timeZoneBias())
    },
    // nf-wdm-exlocaltimetosystemtime
    export("ExLocalTimeToSystemTime(LocalTime, SystemTime)") { (kernel, local: Pointer<UInt64>, system: Pointer<UInt64>) in
      try system.store(local.load() &+ kernel.timeZoneBias())
    },
    // nf-wdm-exsettimerresolution: the clock's rate is fixed, so it stays what it is.
    export("ExSetTimerResolution(DesiredTime, SetResolution)", irql: .apc) { (_, desired: UInt32, set: UInt8) -> UInt32 in
      UInt32(VirtualTime.tick)
    }
    .partially("the clock's rate does not change"),
  ]
}

extension Kernel {
  /// What universal time is ahead of local time by, in units of 100 ns.
  func timeZoneBias() throws -> UInt64 {
    let bias = Pointer<KUSER_SHARED_DATA>(memory.target.sharedUserDataAddress, in: memory.memory).TimeZoneBias
    return UInt64(try bias.LowPart.load()) | UInt64(UInt32(bitPattern: try bias.High1Time.load())) << 32
  }
}
