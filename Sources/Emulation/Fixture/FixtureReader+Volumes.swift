import NTKernel

extension FixtureReader {
  mutating func readVolumes(_ node: FixtureNode) throws(FixtureError) -> [Fixture.Volume] {
    var volumes: [Fixture.Volume] = []
    for (key, value) in try node.entries() {
      let device = try key.text()
      guard isPath(device), device.split(separator: "\\").count >= 2 else {
        throw key.error("\(quoted(device)) is no device's path: write \\Device\\HarddiskVolume1")
      }
      let fields = try value.fields(.volume)
      var volume = VolumeDescription(device: device)
      if let node = fields["file-system"] { volume.fileSystem = try node.word(FileSystemKind.self) }
      if let node = fields["drive"] { volume.drive = try readDrive(node, known: volumes) }
      if let node = fields["label"] {
        volume.label = try node.text()
        if volume.label.utf16.count > 32 { throw node.error("a label has at most 32 characters") }
      }
      if let node = fields["serial"] { volume.serialNumber = UInt32(truncatingIfNeeded: try node.count(upTo: 0xffff_ffff)) }
      if let node = fields["size"] {
        volume.size = try node.size()
        guard (1 << 16...1 << 44).contains(volume.size) else { throw node.error("a volume has from 64KiB to 16384GiB") }
      }
      volume.isReadOnly = try fields["read-only"]?.boolean() ?? false
      if let node = fields["completes"] { volume.completion = try node.word(VolumeCompletion.self) }
      if let node = fields["buffers"] { volume.buffers = try node.word(VolumeBuffers.self) }
      volume.hasFastIO = try fields["fast-io"]?.boolean() ?? false
      volume.hasPagingIO = try fields["paging-io"]?.boolean() ?? false
      if volume.hasPagingIO, volume.hasFastIO, let node = fields["paging-io"] {
        throw node.error("“paging-io” and “fast-io” exclude each other: a volume has one of them")
      }
      if let node = fields["files"] {
        for (path, file) in try node.entries() { volume.files.append(try readFile(path, file)) }
      }
      volumes.append(
        Fixture.Volume(volume, isMounted: try fields["mounted"]?.boolean() ?? true, origin: key.origin))
    }
    return volumes
  }

  /// The step that `node` is, if it is about a volume.
  func readVolumeStep(_ node: FixtureNode) throws(FixtureError) -> Fixture.Step.Action? {
    let roles = try node.entries().map(\.value.role)
    for (role, table) in [("mount", KeyTable.mount), ("dismount", .dismount)] where roles.contains(role) {
      let fields = try node.fields(table)
      let change = Fixture.VolumeChange(
        try fields.required(role).text(), isMount: role == "mount",
        expect: try fields["expect"].map { node throws(FixtureError) in try readCallExpectation(node) })
      return .volume(change)
    }
    return nil
  }

  private func isPath(_ text: String) -> Bool {
    text.hasPrefix("\\") && !text.hasSuffix("\\") && !text.contains("\\\\") && text.utf8.count <= 1024
      && text.unicodeScalars.allSatisfy { $0 >= " " && !"\"*/:<>?|".unicodeScalars.contains($0) }
  }

  private func readDrive(_ node: FixtureNode, known: [Fixture.Volume]) throws(FixtureError) -> String {
    let text = try node.text().uppercased()
    guard text.utf8.count == 2, text.hasSuffix(":"), let letter = text.first, ("A"..."Z").contains(letter) else {
      throw node.error("a drive is a letter and a colon: \"C:\", not \(node.described)")
    }
    if known.contains(where: { $0.description.drive == text }) { throw node.error("the drive \(text) is another volume's") }
    return text
  }

  private func readFile(_ key: FixtureNode, _ node: FixtureNode) throws(FixtureError) -> FileDescription {
    let path = try key.text()
    guard isPath(path), path.split(separator: "\\").allSatisfy({ $0.utf16.count <= 255 }) else {
      throw key.error("\(quoted(path)) is no file's path: write \\Windows\\notepad.exe")
    }
    var file = FileDescription(path)
    if node.isScalar {
      guard try node.text() == "directory" else {
        throw node.error("a file takes a mapping {text: …}, or “directory”, not \(node.described)")
      }
      file.isDirectory = true
      return file
    }
    let fields = try node.fields(.file)
    if try fields["directory"]?.boolean() ?? false {
      try fields.refuse(KeyTable.contents + ["size"], because: "a directory has no content")
      file.isDirectory = true
    }
    let content = try readContent(fields)
    let size = try fields["size"]?.size() ?? UInt64(content.count ?? 0)
    guard size <= 1 << 32 else { throw node.error("a file has at most 4GiB") }
    try checkFit(fields, content, size)
    if case .fill = content {
      guard size <= 1 << 24 else { throw node.error("a filled file has at most 16MiB") }
      file.content = content.bytes(count: Int(size))
    } else {
      file.content = content.spelledOut
    }
    file.size = size
    if let node = fields["attributes"] {
      for element in try node.list() { file.attributes |= try element.word(Fixture.FileAttribute.self).bit }
    }
    file.created = try fields["created"]?.fileTime()
    file.modified = try fields["modified"]?.fileTime()
    return file
  }
}

extension FixtureNode {
  /// A date, with a time of day or without: `2009-04-02 14:30:00`, in 100 ns since 1601.
  func fileTime() throws(FixtureError) -> UInt64 {
    let text = try text()
    let numbers = text.split(whereSeparator: { !$0.isNumber }).compactMap { UInt64($0) }
    let shape = String(text.map { $0.isNumber && $0.isASCII ? "0" : $0 })
    guard ["0000-00-00", "0000-00-00 00:00:00"].contains(shape), (1601...9999).contains(numbers[0]), (1...12).contains(numbers[1]),
      (1...31).contains(numbers[2]), numbers.count == 3 || numbers[3] < 24 && numbers[4] < 60 && numbers[5] < 60
    else { throw error("\(described) is not a date: write 2009-04-02 or \"2009-04-02 14:30:00\"") }
    // Days since 1 March of the year 0, less those up to 1 January 1601.
    let (year, month) = numbers[1] > 2 ? (numbers[0], numbers[1] - 3) : (numbers[0] - 1, numbers[1] + 9)
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + numbers[2] - 1 - 584_694
    let seconds = numbers.count == 3 ? 0 : (numbers[3] * 60 + numbers[4]) * 60 + numbers[5]
    return (days * 86400 + seconds) * 10_000_000
  }
}
