import Foundation
import Guest
import KMDF
import NTKernel
import Testing
import WindowsTypes

/// Framework functions that are given objects of the right kind, and lengths, counts and addresses that fit nothing.
@Suite("Hostile calls of the framework") struct FrameworkHostileTests {
  static let functions = KMDF.exports.filter { $0.name.hasPrefix("Wdf") && !$0.name.hasPrefix("WdfVersion") }.map(\.name)

  /// A driver with one object of each kind.
  private final class World {
    let bus: FrameworkBus
    var g: FrameworkGuest { bus.g }
    var handles: [String: UInt64] = [:]
    /// A page of words that point at the page, and small ones.
    let data: UInt64

    init() throws {
      bus = try FrameworkBus()
      let g = bus.g
      data = try g.g.space(0x1000)
      g.g.allowsStrayCode = true
      let config = try g.g.space(0x60)
      func configured(_ words: [UInt32]) throws -> UInt64 {
        try g.k.store(words, at: config)
        return config
      }
      let device = bus.device
      handles["WdfDevice"] = device
      handles["WdfFdo"] = device
      handles["WdfWdm"] = device
      handles["WdfDriver"] = g.driver
      handles["WdfIoQueue"] = try g.queue(device, 3, [:])
      handles["WdfMemory"] = try g.make("WdfMemoryCreatePreallocated", 0, data, 0x40)
      let target = try g.make("WdfIoTargetCreate", device, 0)
      handles["WdfIoTarget"] = target
      handles["WdfRequest"] = try g.make("WdfRequestCreate", 0, target)
      handles["WdfString"] = try g.make("WdfStringCreate", 0, 0)
      handles["WdfCollection"] = try g.make("WdfCollectionCreate", 0)
      handles["WdfObject"] = try g.make("WdfObjectCreate", 0)
      handles["WdfSpinLock"] = try g.make("WdfSpinLockCreate", 0)
      handles["WdfWaitLock"] = try g.make("WdfWaitLockCreate", 0)
      handles["WdfRegistry"] = try g.make("WdfDriverOpenParametersRegistryKey", g.driver, 0xf003f, 0)
      let owner = try g.attributes(parent: device)
      handles["WdfTimer"] = try g.make("WdfTimerCreate", configured([0x14, 0xf8b0_7000, 0, 0, 0]), owner)
      handles["WdfDpc"] = try g.make("WdfDpcCreate", configured([0xc, 0xf8b0_7000, 0]), owner)
      handles["WdfWorkItem"] = try g.make("WdfWorkItemCreate", configured([0xc, 0xf8b0_7000, 0]), owner)
      handles["WdfChildList"] = try g.make("WdfChildListCreate", device, configured([0x34, 8, 0, 0xf8b0_7000]), 0)
      handles["WdfWmiProvider"] = try g.make("WdfWmiProviderCreate", device, configured([0x20, 1, 2, 3, 4, 0, 0, 0]), 0)
      let enabler = try g.make("WdfDmaEnablerCreate", device, configured([0x28, 2, 0x1000]), 0)
      handles["WdfDmaEnabler"] = enabler
      handles["WdfCommonBuffer"] = try g.make("WdfCommonBufferCreate", enabler, 0x2000, 0)
      handles["WdfDmaTransaction"] = try g.make("WdfDmaTransactionCreate", enabler, 0)
      let child = try g.call("WdfPdoInitAllocate", device)
      handles["WdfPdoInit"] = child
      handles["WdfDeviceInit"] = child
      handles["WdfControlDeviceInit"] = try g.call("WdfControlDeviceInitAllocate", g.driver, g.g.string("D:P"))
      for index in 0..<0x400 as Range<UInt64> { try g.k.store(UInt32(index % 3 == 0 ? 0x40 : data + 8), at: data + 4 * index) }
    }

    /// The object that a function is for, by the longest beginning of its name.
    func handle(for name: String) -> UInt64 {
      handles.filter { name.hasPrefix($0.key) }.max { $0.key.count < $1.key.count }?.value ?? data
    }
  }

  /// `nil` is the page. All of them take minutes, so they are tried where `PROBELOCK_SWEEP` is set.
  private static var pairs: [(UInt64?, UInt64?)] {
    let all: [(UInt64?, UInt64?)] = [(nil, 0x7fff_fff0), (0xffff_ffff, 0), (0, 0xffff_ffff), (0x10, nil), (nil, nil), (nil, 1)]
    return ProcessInfo.processInfo.environment["PROBELOCK_SWEEP"] == nil ? Array(all.prefix(2)) : all
  }

  @Test("a function with an object of its kind and what contradicts itself ends in an answer or a bugcheck", arguments: functions)
  func contradictions(name: String) throws {
    for (one, other) in Self.pairs {
      let world = try World()
      let (first, second) = (one ?? world.data, other ?? world.data)
      world.g.k.memory.accessesLeft = 1_000_000
      do {
        _ = try world.g.g.call(
          name, [world.g.globals, world.handle(for: name), first, second, first, second, first, second, first, second])
      } catch is IOGuest.Stopped {}
    }
  }
}
