import Guest
import Memory
import WindowsTypes

/// The images of the drivers that a plain installation has: what `DriverStart`, `DriverSize`, `DriverInit` and `DriverSection` of
/// their objects say ("Introduction to Driver Objects"), and where their dispatch routines lie, as whoever compares the two expects.
///
/// A driver has its place from the moment its object is made; the pages are there when someone first looks.
final class StandingImages {
  /// By base.
  var images: [UInt64: (image: Kernel.KernelImage, routine: UInt64)] = [:]

  /// Room for an image, and what there is of it: the headers, code and data, a page each.
  static let (distance, size) = (UInt64(0x4000), UInt64(0x3000))
  /// Where the dispatch routine lies behind the entry point.
  static let dispatch: UInt64 = 0x10

  /// The file of the driver at `path`; `nil` for one that the kernel makes of its own routines, as `IoCreateDriver` does.
  static func fileName(ofDriver path: String) -> String? {
    let name = path.split(separator: "\\").last.map(String.init) ?? ""
    switch name.lowercased() {
    case "raw", "wmixwdm", "pnpmanager": return nil
    case "vgasave": return "vga.sys"
    default: return name + ".sys"
    }
  }
}

extension Kernel {
  private var standingImages: StandingImages { part { StandingImages() } }

  /// Gives the driver at `path` its place among the images, and an entry in the list of modules.
  func giveImage(to driver: Pointer<DRIVER_OBJECT>, _ path: String) throws {
    let known = standingImages
    let base = layout.standingDrivers.lowerBound + UInt64(known.images.count) * StandingImages.distance
    guard let fileName = StandingImages.fileName(ofDriver: path), base + StandingImages.distance <= layout.standingDrivers.upperBound
    else { return }
    let code = base + GuestMemory.pageSize
    let data = code + GuestMemory.pageSize
    let image = KernelImage(
      module: fileName.lowercased(), fileName: fileName, base: base, size: StandingImages.size, directory: base..<base,
      sections: [(".text", code..<data, 0x6800_0020), (".data", data..<base + StandingImages.size, 0xc800_0040)], entryPoint: code)
    known.images[base] = (image, try driver.MajorFunction[0].load().address)
    let section = try addLoadedModule(
      LoadedModule(fileName: fileName, base: base, size: image.size, entryPoint: code, timestamp: buildTimestamp))
    let here = memory.memory
    try driver.DriverStart.store(Pointer(base, in: here))
    try driver.DriverSize.store(UInt32(image.size))
    try driver.DriverSection.store(section.cast())
    try driver.DriverInit.store(Pointer(code, in: here))
  }

  /// Makes the image that `address` lies in, if it lies in one and it is not there yet. Returns whether it made it.
  func makeStandingImage(at address: UInt64) throws -> Bool {
    guard layout.standingDrivers.contains(address) else { return false }
    let base = address & ~(StandingImages.distance - 1)
    guard let (image, routine) = standingImages.images[base], address < base + image.size, memory.kernel[base].kind == .free else {
      return false
    }
    try mapKernelPages(at: base, size: image.size)
    try memory.memory.write(headers(of: image, directorySize: 0), at: base)
    let entry = base + GuestMemory.pageSize
    // xor eax,eax; ret 8
    try memory.memory.write([0x33, 0xc0, 0xc2, 8, 0], at: entry)
    // mov edi,edi; push ebp; mov ebp,esp; pop ebp; jmp routine
    let dispatch = entry + StandingImages.dispatch
    let distance = UInt32(truncatingIfNeeded: routine &- (dispatch + 11))
    try memory.memory.write(
      [0x8b, 0xff, 0x55, 0x8b, 0xec, 0x5d, 0xe9] + (0..<4).map { UInt8(truncatingIfNeeded: distance >> ($0 * 8)) }, at: dispatch)
    return true
  }

  /// Lets a driver's dispatch routines lie in its image, as far as they are still the kernel's own.
  func moveDispatchRoutines(of driver: Pointer<DRIVER_OBJECT>) throws {
    let base = try driver.DriverStart.load().address
    guard let (image, routine) = standingImages.images[base], let entry = image.entryPoint else { return }
    let own = Pointer<Procedure<NTSTATUS>>(entry + StandingImages.dispatch, in: memory.memory)
    for index in 0..<IRP_MJ.count where try driver.MajorFunction[index].load().address == routine {
      try driver.MajorFunction[index].store(own)
    }
  }
}
