import Events
import Guest
import Images
import NTKernel
import Processor

/// The names of everything in a run: what is needed to print it, without the machine.
public struct Names: Sendable {
  public struct Process: Sendable, Hashable {
    public let name: String
    /// `UniqueProcessId`.
    public let uniqueID: UInt64
    /// Where its `EPROCESS` lies.
    public let object: UInt64

    /// `notepad.exe (1232)`
    public var title: String { "\(name) (\(uniqueID))" }
  }
  public struct Thread: Sendable, Hashable {
    public let name: String
    /// The process it was created in.
    public let owner: ProcessID
    /// Where its `ETHREAD` lies.
    public let object: UInt64
  }

  public let target: Target
  /// By ``ProcessID``.
  public internal(set) var processes: [Process] = []
  /// By ``ThreadID``.
  public internal(set) var threads: [Thread] = []
  public internal(set) var images: [Image] = []
  public internal(set) var exports: ExportTable
  /// Where each export's code lies, by number.
  public internal(set) var trapAddresses: [UInt64] = []
  /// Where callbacks of the kernel's return to.
  var callbacks: Range<UInt64> = 0..<0
  private var trapNumbers: [UInt64: Int] = [:]
  /// What the kernel's exported variables are called, by address.
  var variables: [UInt64: String] = [:]

  init(target: Target, exports: ExportTable) {
    self.target = target
    self.exports = exports
  }

  mutating func place(traps: [UInt64]) {
    trapAddresses = traps
    trapNumbers = Dictionary(traps.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  /// `nt!KeStackAttachProcess`, `fltMgr!FltLockUserBuffer+0x86`; `nil` where nothing is known.
  public func symbol(at address: UInt64) -> String? {
    if let number = trapNumbers[address] { return name(ofExport: number) }
    if callbacks.contains(address) { return "nt!KiCallbackReturn" }
    if let name = variables[address] ?? images.first(where: { $0.contains(address) })?.symbol(at: address) { return name }
    // The rest of a routine's code, behind a jump that somebody has put over its beginning.
    let start = address & ~(TrapRange.stride - 1)
    return start == address ? nil : trapNumbers[start].map { "\(name(ofExport: $0))+0x\(String(address - start, radix: 16))" }
  }

  private func name(ofExport number: Int) -> String { "\(exports.exports[number].module)!\(exports.exports[number].name)" }

  /// The image that holds `address`.
  public func image(at address: UInt64) -> Image? { images.first { $0.contains(address) } }

  public func process(at object: UInt64) -> ProcessID? { processes.firstIndex { $0.object == object } }
  public func thread(at object: UInt64) -> ThreadID? { threads.firstIndex { $0.object == object } }
}
