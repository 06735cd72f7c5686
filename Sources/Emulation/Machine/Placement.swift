import Guest
import Images
import Memory
import NTKernel
import WindowsTypes

/// Where images lie, and what the kernel knows of them.
extension Machine {
  /// Reads the fixture's images, moves those that need it, and maps all of them.
  ///
  /// An image that its user brings stands before ours of the same name, and ours stays for what it does not export. Images with
  /// addresses of their own come first; a driver is moved to the next free address above f8b00000.
  func placeImages() throws {
    let overriding = try options.images.overridingImages(for: fixture.target)
    let ours = withImports(try fixture.load.map { try options.images.image($0, line: fixture.name, for: fixture.target) })
    for (index, source) in ours.enumerated() {
      if let other = ours[..<index].first(where: { $0.image.name.lowercased() == source.image.name.lowercased() }) {
        throw EmulationError(
          "\(fixture.name): \(source.fileName) cannot be loaded: \(other.fileName) is there already, as \(other.image.name)")
      }
    }
    // A slot is handed out in the order of loading, once every image that cannot move has its place.
    let sources = overriding + ours
    var placed = [Image?](repeating: nil, count: sources.count)
    for (index, source) in sources.enumerated() where !source.image.isFile {
      let image = source.image
      guard image.base >= memory.target.systemRangeStart, image.base + image.size <= 0xffff_e000 else {
        throw EmulationError("\(fixture.name): \(source.fileName) cannot be loaded: \(hex(image.base)) is not system space")
      }
      if let other = placed.lazy.compactMap({ $0 }).first(where: { $0.overlaps(image) }) {
        throw EmulationError("\(fixture.name): \(source.fileName) cannot be loaded: \(other.name) is there already")
      }
      placed[index] = image
    }
    for (index, source) in sources.enumerated() where placed[index] == nil {
      placed[index] = try move(source.image, from: source.fileName, besides: placed.compactMap { $0 })
    }
    names.images = placed.compactMap { $0 }
    for image in names.images { try map(image) }
    for (source, image) in zip(sources, names.images) where image.isFile {
      try freshenCookie(of: image)
      try list(image, file: source.fileName)
    }
  }

  /// Adds the files beside the fixture that its drivers import from and that nobody else provides, and theirs.
  private func withImports(_ sources: [ImageSource.Source]) -> [ImageSource.Source] {
    var sources = sources
    var known = Set(sources.map { $0.image.name.lowercased() } + Self.exports.exports.map { $0.module.lowercased() })
    var index = 0
    while index < sources.count {
      let source = sources[index]
      index += 1
      guard source.image.isFile else { continue }
      for module in source.image.imports.map(\.module) where known.insert(module.lowercased()).inserted {
        guard let file = options.images.file(of: module, importedBy: source) else { continue }
        impliedImages.insert(file.image.name.lowercased())
        sources.append(file)
      }
    }
    return sources + impliedListings(of: sources)
  }

  /// Our listings of modules that a driver imports a routine from which nobody else provides: fltMgr's, for `FltLockUserBuffer`; and
  /// those that these listings import from in their turn: nt's.
  private func impliedListings(of sources: [ImageSource.Source]) -> [ImageSource.Source] {
    var listings: [ImageSource.Source] = []
    var slots = sources.filter(\.image.isFile).flatMap(\.image.imports)[...]
    while let slot = slots.popFirst() {
      guard Self.exportNumber(of: slot.name, in: slot.module, for: fixture.target) == nil else { continue }
      let module = slot.module.lowercased()
      let isLoaded = (sources + listings).contains { $0.image.name.lowercased() == module }
      guard !isLoaded, let listing = options.images.listing(of: module, for: fixture.target),
        listing.image.export(Image.ExportedName(slot.name)) != nil
      else { continue }
      listings.append(listing)
      slots += listing.image.imports[...]
    }
    return listings
  }

  /// `image` at its own base where that is free system space, else at an address of the kernel's choice.
  private func move(_ image: Image, from file: String, besides others: [Image]) throws -> Image {
    let range = image.base..<image.base + image.size
    if kernel.isFreeForImage(range), !others.contains(where: { $0.overlaps(image) }) { return image }
    guard image.file.relocations != nil else {
      throw EmulationError("\(file): it must lie at \(hex(image.base)), which is not free system space, and has no relocations")
    }
    while let base = kernel.allocateImageAddresses(image.size) {
      guard let moved = image.rebased(to: base) else { break }
      if !others.contains(where: { $0.overlaps(moved) }) { return moved }
    }
    throw EmulationError("\(file): no address is left for an image of 0x\(hex(image.size, digits: 1)) bytes")
  }

  /// Gives the word that the load configuration names a value that is neither the linker's nor zero.
  ///
  /// Newer drivers execute `int 29h` where they find the linker's (0BB40E64Eh).
  func freshenCookie(of image: Image) throws {
    guard let place = image.file.securityCookie else { return }
    var state = fixture.seed &+ image.base &* 0x9e37_79b9_7f4a_7c15
    var value: UInt32 = 0
    repeat {
      // https://prng.di.unimi.it/splitmix64.c
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      value = UInt32(truncatingIfNeeded: mixed ^ mixed >> 31)
    } while value == 0xbb40_e64e || value == 0
    overwrite(withUnsafeBytes(of: value) { Array($0) }, at: place)
  }

  /// Gives back the pages of `image` that only its initialisation needed: after `DriverEntry` they are gone.
  func discardInitialisation(of image: Image) throws {
    for section in image.sections where section.isDiscardable {
      let pages = (UInt64(section.bytes.count) + 0xfff) >> GuestMemory.pageShift
      try memory.kernel.set(repeatElement(Page.free, count: Int(pages)), at: section.address)
    }
  }
}

extension Image {
  /// Whether it was read from a file that Windows would load.
  var isFile: Bool { file.isPortableExecutable }

  func overlaps(_ other: Image) -> Bool { base < other.base + other.size && other.base < base + size }
}
