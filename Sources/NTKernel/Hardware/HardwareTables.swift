extension Export {
  /// Hardware, Plug and Play, power, physical memory, and the rest of the I/O manager.
  static let hardware: [[Export]] = [
    tableRoutines,
  ]
}
