import Guest
import KMDF
import NTKernel
import Testing
import WindowsTypes

@Suite("KMDF: the loader and the driver") struct FrameworkLoaderTests {
  @Test("a 1.9 driver's own table is filled in, a 1.15 driver's pointer comes to point at the framework's")
  func tables() throws {
    let old = try FrameworkGuest(creates: false)
    let create = UInt64(try old.k.load(old.table + 4 * 116))
    #expect(create == (try old.k.trap("WdfDriverCreate")))
    #expect(try old.k.load(old.table + 4 * 395) == UInt32(old.k.trap("WdfRequestForwardToParentDeviceIoQueue")))
    #expect(try old.k.load(old.table + 4 * 396) == 0)
    let new = try FrameworkGuest(minor: 15, count: 444, creates: false)
    let table = UInt64(try new.k.load(new.table))
    #expect(try new.k.load(table + 4 * 443) == UInt32(new.k.trap("WdfDeviceOpenDevicemapKey")))
    #expect(try new.k.load(new.table + 4) == 0)
  }

  @Test("a count that no version has, a newer version and another library are refused")
  func refused() throws {
    let f = try FrameworkGuest(creates: false)
    // Each is a call of WdfVersionBind.
    #expect(try f.bind(minor: 9, count: 395) == .invalidParameter)
    #expect(try f.bind(minor: 33, count: 444) == .invalidParameter)
    #expect(try f.bind(minor: 9, count: 396, component: "UmdfLibrary") == .objectNameNotFound)
    #expect(try f.bind(minor: 9, count: 396, size: 0x1c) == .infoLengthMismatch)
    #expect(f.globals == 0)
    #expect(try f.g.status("WdfVersionUnbind", 0, 0, 0) == .unsuccessful)
    #expect(try f.g.status("WdfVersionBindClass", 0, 0, 0) == .objectNameNotFound)
    try f.g.call("WdfVersionUnbindClass", 0, 0, 0)
  }

  @Test("a driver is made once; its dispatch routines are the framework's, and it goes with its children")
  func driver() throws {
    let f = try FrameworkGuest()
    #expect(try f.createDriver() == .init(rawValue: 0xc000_0183))
    let g = try FrameworkGuest(creates: false)
    // A driver of no device's has no EvtDriverDeviceAdd.
    #expect(try g.createDriver(deviceAdd: 0x1000) == .invalidParameter)
    let unloaded = g.routine(1) { _ in 0 }
    #expect(try g.createDriver(unload: unloaded) == .success)
    let object = g.g.driver.object.address
    #expect(try g.k.load(object + 0x38) == UInt32(g.k.trap("FxDispatch")))
    #expect(try g.k.load(object + 0x34) == UInt32(g.k.trap("FxDriverUnload")))
    #expect(try g.k.load(g.globals + 0x2c) & 0xff == 1)
    #expect(try g.call("WdfDriverWdmGetDriverObject", g.driver) == object)
    #expect(try g.call("WdfWdmDriverGetWdfDriverHandle", object) == g.driver)
    let version = try g.g.space()
    try g.k.store([12, 1, 9], at: version)
    #expect(try g.call("WdfDriverIsVersionAvailable", g.driver, version) == 1)
    let text = try g.call("WdfDriverGetRegistryPath", g.driver)
    #expect(try g.k.memory.memory.load(UInt16.self, at: text) == 0x5c)
    #expect(try g.g.status("WdfVersionUnbind", g.path(), 0, g.globals) == .success)
    #expect(g.k.kernel.framework.objectCount == 0)
  }

  @Test("a null pointer and a handle of another kind are WDF_VIOLATION with 4 and 5")
  func violations() throws {
    let f = try FrameworkGuest()
    #expect(try f.violation("WdfDriverCreate", f.g.driver.object.address, f.path(), 0, 0, 0) == [4, 0, TestKernel.caller, 0])
    for (name, arguments) in [
      ("WdfDeviceWdmGetDeviceObject", 1), ("WdfIoQueueGetDevice", 1), ("WdfRequestWdmGetIrp", 1), ("WdfSpinLockRelease", 1),
      ("WdfTimerGetParentObject", 1),
    ] as [(String, Int)] {
      let f = try FrameworkGuest()
      #expect(try f.violation(name, f.driver) == [5, f.driver, 0, 0], "\(name) \(arguments)")
    }
    let g = try FrameworkGuest()
    #expect(try g.violation("WdfObjectDelete", 0x1234) == [5, 0x1234, 0, 0])
    let h = try FrameworkGuest()
    #expect(try h.violation("WdfObjectDelete", h.driver) == [7, h.driver, 0, 0])
  }

  @Test("a function that nobody provides ends the run, and is named")
  func missing() throws {
    let f = try FrameworkGuest()
    #expect(throws: IOGuest.Stopped.self) { try f.g.call("WdfUsbTargetPipeReadSynchronously") }
    #expect(f.k.kernel.ending == .missingRoutine("Wdf01000!WdfUsbTargetPipeReadSynchronously"))
  }
}

@Suite("KMDF: objects") struct FrameworkObjectTests {
  @Test("children are told before their parent, cleaned up before destroyed; references keep the memory")
  func lifetime() throws {
    let f = try FrameworkGuest()
    var told: [String] = []
    func note(_ what: String) -> UInt64 {
      f.routine(1) { _ in
        told.append(what); return 0
      }
    }
    let parent = try f.make("WdfObjectCreate", f.attributes(cleanup: note("parent cleanup"), destroy: note("parent destroy")))
    let child = try f.make("WdfObjectCreate", f.attributes(cleanup: note("child cleanup"), destroy: note("child destroy"), parent: parent))
    try f.call("WdfObjectReferenceActual", child, 0, 0, 0)
    try f.call("WdfObjectDelete", parent)
    #expect(told == ["child cleanup", "parent cleanup", "parent destroy"])
    try f.call("WdfObjectDereferenceActual", child, 0, 0, 0)
    #expect(told.last == "child destroy")
    let other = try f.make("WdfObjectCreate", 0)
    #expect(try f.violation("WdfObjectDereferenceActual", other, 0, 0, 0) == [7, other, 0, 0])
  }

  @Test("an object has a context of each type, found by it")
  func contexts() throws {
    let f = try FrameworkGuest()
    let (first, second) = (try f.contextType(8), try f.contextType(16))
    let object = try f.make("WdfObjectCreate", f.attributes(type: first))
    let context = try f.call("WdfObjectGetTypedContextWorker", object, first)
    #expect(context != 0)
    #expect(try f.call("WdfObjectContextGetObject", context) == object)
    #expect(try f.call("WdfObjectGetTypedContextWorker", object, second) == 0)
    let more = try f.make("WdfObjectAllocateContext", object, f.attributes(type: second))
    #expect(try f.call("WdfObjectGetTypedContextWorker", object, second) == more)
    _ = try f.make("WdfObjectAllocateContext", object, f.attributes(type: second), expect: .init(rawValue: 0x4000_0000))
    // Attributes that are none.
    let bad = try f.attributes()
    try f.k.store([0x10], at: bad)
    _ = try f.make("WdfObjectCreate", bad, expect: .infoLengthMismatch)
    _ = try f.make("WdfObjectCreate", f.attributes(level: 9), expect: .init(rawValue: 0xc020_0211))
    _ = try f.make("WdfObjectCreate", f.attributes(scope: 9), expect: .init(rawValue: 0xc020_0210))
  }

  @Test("memory is made, copied and bounded")
  func memory() throws {
    let f = try FrameworkGuest()
    let (result, buffer) = (try f.g.space(), try f.g.space())
    #expect(try f.status("WdfMemoryCreate", 0, 0, 0x6b6c_6250, 16, result, buffer) == .success)
    let memory = UInt64(try f.k.load(result))
    let size = try f.g.space()
    #expect(try f.call("WdfMemoryGetBuffer", memory, size) == UInt64(f.k.load(buffer)))
    #expect(try f.k.load(size) == 16)
    let own = try f.g.space()
    try f.k.store([0x1234_5678], at: own)
    #expect(try f.status("WdfMemoryCopyFromBuffer", memory, 12, own, 4) == .success)
    #expect(try f.status("WdfMemoryCopyToBuffer", memory, 12, own + 8, 4) == .success)
    #expect(try f.k.load(own + 8) == 0x1234_5678)
    #expect(try f.status("WdfMemoryCopyToBuffer", memory, 13, own, 4) == .bufferTooSmall)
    #expect(try f.status("WdfMemoryCopyFromBuffer", memory, 13, own, 4) == .bufferTooSmall)
    #expect(try f.status("WdfMemoryCopyToBuffer", memory, 0, own, 0) == .invalidParameter)
    #expect(try f.status("WdfMemoryAssignBuffer", memory, own, 4) == .invalidDeviceRequest)
    _ = try f.make("WdfMemoryCreatePreallocated", 0, own, 0, expect: .invalidParameter)
    let borrowed = try f.make("WdfMemoryCreatePreallocated", 0, own, 4)
    #expect(try f.status("WdfMemoryAssignBuffer", borrowed, own + 4, 4) == .success)
    #expect(try f.call("WdfMemoryGetBuffer", borrowed, 0) == own + 4)
    #expect(try f.status("WdfMemoryCreate", 0, 0, 0, 0, result, buffer) == .invalidParameter)
  }

  @Test("locks: taken twice, given back untaken")
  func locks() throws {
    let f = try FrameworkGuest()
    let lock = try f.make("WdfSpinLockCreate", 0)
    try f.call("WdfSpinLockAcquire", lock)
    #expect(try f.k.kernel.kpcr.Irql.load() == .dispatch)
    try f.call("WdfSpinLockRelease", lock)
    #expect(try f.k.kernel.kpcr.Irql.load() == .passive)
    let wait = try f.make("WdfWaitLockCreate", 0)
    #expect(try f.status("WdfWaitLockAcquire", wait, 0) == .success)
    try f.call("WdfWaitLockRelease", wait)
    #expect(try f.status("WdfWaitLockAcquire", wait, 0) == .success)
    #expect(try f.violation("WdfWaitLockAcquire", wait, 0) == [2, wait, 0, 0])
    let g = try FrameworkGuest()
    let other = try g.make("WdfSpinLockCreate", 0)
    #expect(try g.violation("WdfSpinLockRelease", other) == [0xb, 1, other, 0])
    let h = try FrameworkGuest()
    let device = try h.device()
    #expect(try h.violation("WdfObjectAcquireLock", device) == [0xb, 0, device, 0])
    let i = try FrameworkGuest()
    #expect(try i.violation("WdfObjectReleaseLock", i.driver) == [0xb, 0, i.driver, 0])
  }

  @Test("strings, keys and collections")
  func others() throws {
    let f = try FrameworkGuest()
    let string = try f.make("WdfStringCreate", f.g.string("demo"), 0)
    let place = try f.g.space()
    try f.call("WdfStringGetUnicodeString", string, place)
    #expect(try f.k.load(place) & 0xffff == 8)

    let key = try f.make("WdfDriverOpenParametersRegistryKey", f.driver, 0xf003f, 0)
    let (name, value) = (try f.g.string("Answer"), try f.g.space())
    #expect(try f.status("WdfRegistryQueryULong", key, name, value) == .objectNameNotFound)
    #expect(try f.status("WdfRegistryAssignULong", key, name, 42) == .success)
    #expect(try f.status("WdfRegistryQueryULong", key, name, value) == .success)
    #expect(try f.k.load(value) == 42)
    #expect(try f.status("WdfRegistryQueryUnicodeString", key, name, 0, place) == .objectTypeMismatch)
    let again = try f.make(
      "WdfRegistryOpenKey", 0, f.g.string(#"\Registry\Machine\System\CurrentControlSet\Services\demo\Parameters"#), 1, 0)
    #expect(try f.status("WdfRegistryQueryULong", again, name, value) == .success)
    _ = try f.make("WdfRegistryOpenKey", key, f.g.string("Nothing"), 1, 0, expect: .objectNameNotFound)
    try f.call("WdfRegistryClose", again)

    let collection = try f.make("WdfCollectionCreate", 0)
    #expect(try f.call("WdfCollectionGetFirstItem", collection) == 0)
    for object in [string, key] { #expect(try f.status("WdfCollectionAdd", collection, object) == .success) }
    #expect(try f.call("WdfCollectionGetCount", collection) == 2)
    #expect(try f.call("WdfCollectionGetItem", collection, 1) == key)
    #expect(try f.call("WdfCollectionGetItem", collection, 2) == 0)
    #expect(try f.call("WdfCollectionGetFirstItem", collection) == string)
    #expect(try f.call("WdfCollectionGetLastItem", collection) == key)
    try f.call("WdfCollectionRemove", collection, string)
    try f.call("WdfCollectionRemoveItem", collection, 0)
    #expect(try f.call("WdfCollectionGetCount", collection) == 0)
  }
}
