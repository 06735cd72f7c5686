import Guest
import WindowsTypes

extension Kernel {
  /// Writes what the page that everyone reads says of the machine and of Windows (`KUSER_SHARED_DATA`), beside the time.
  ///
  /// The features are those of the processor that `cpuid` describes, by the numbers of ntddk.h.
  func fillSharedData() throws {
    let shared = Pointer<KUSER_SHARED_DATA>(memory.target.sharedUserDataAddress, in: memory.memory)
    for (index, unit) in "C:\\WINDOWS".utf16.enumerated() { try shared.NtSystemRoot[index].store(unit) }
    // IMAGE_FILE_MACHINE_I386, twice: the range of images that run.
    try shared.ImageNumberLow.store(0x14c)
    try shared.ImageNumberHigh.store(0x14c)
    // NtProductWinNt.
    try shared.NtProductType.store(1)
    try shared.ProductTypeIsValid.store(1)
    try shared.NtMajorVersion.store(memory.target.system.major)
    try shared.NtMinorVersion.store(memory.target.system.minor)
    // PF_COMPARE_EXCHANGE_DOUBLE, PF_MMX_INSTRUCTIONS_AVAILABLE, PF_XMMI_INSTRUCTIONS_AVAILABLE, PF_RDTSC_INSTRUCTION_AVAILABLE.
    for feature in [2, 3, 6, 8] { try shared.ProcessorFeatures[feature].store(1) }
    try shared.SuiteMask.store(memory.target.system.suites)
    try shared.NumberOfPhysicalPages.store(0x1_ff7d)
    if memory.target.system.release >= .windows7 {
      try shared.ActiveProcessorCount.store(1)
      try shared.ActiveGroupCount.store(1)
    }
  }
}
