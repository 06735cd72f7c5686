import Guest
import Images
import NTKernel

extension Fixture {
  /// Whether an image registers with the filter manager: a minifilter, or a driver that has no more of one than a port.
  public static func isMinifilter(_ image: Image) -> Bool {
    image.imports.contains { $0.module.lowercased() == "fltmgr" && $0.name == "FltRegisterFilter" }
  }

  /// What stands in for a minifilter's INF file, which does not come with its `.sys`: an instance at an altitude of the activity
  /// monitors' range (`Services\NAME\Instances`).
  public static let impliedAltitude = "370030"

  /// Gives the service of ``init(driver:target:)`` instance keys, and its run a volume, whose files Explorer opens, reads, lists,
  /// writes, renames and deletes while the driver is there. What a filter makes of that is its own affair: any status will do.
  public mutating func becomeMinifilter() {
    guard let index = steps.firstIndex(where: { if case .load = $0.action { true } else { false } }),
      case .load(let load) = steps[index].action
    else { return }
    let (instances, name) = ("Services\\\(load.driver)\\Instances", "\(load.driver) Instance")
    registry += [
      RegistryKey(instances, [RegistryValue("DefaultInstance", .string(name))]),
      RegistryKey(
        "\(instances)\\\(name)",
        [RegistryValue("Altitude", .string(Self.impliedAltitude)), RegistryValue("Flags", .dword(0))]),
    ]
    volumes.append(
      Volume(
        VolumeDescription(
          device: "\\Device\\HarddiskVolume1", drive: "C:", serialNumber: 0x1c2d_3e4f,
          files: [
            FileDescription("\\WINDOWS\\system.ini", content: Array("; for 16-bit app support\r\n[drivers]\r\n".utf8)),
            FileDescription("\\Documents and Settings\\All Users\\Documents\\report.doc", content: Array("a report".utf8)),
          ])))
    guard let reader = processes.firstIndex(where: { $0.name == "explorer.exe" }) else { return }
    let place: UInt64 = 0x0014_0000
    processes[reader].memory.append(Region(at: place, size: 0x1000))
    let documents = "\\??\\C:\\Documents and Settings\\All Users\\Documents"
    func open(_ path: String, _ handle: String, _ opening: Opening = Opening()) -> Step {
      ask(.open(path: path, handle: handle, isOverlapped: false, opening))
    }
    func ask(_ kind: IORequest.Kind) -> Step { Step(.request(IORequest(on: "explorer", kind, expect: .any))) }
    let buffer = Buffer(at: place, 64)
    steps.insert(
      contentsOf: [
        open("\\??\\C:\\WINDOWS\\system.ini", "ini", Opening(access: 0x8000_0000)),
        ask(.read(handle: "ini", buffer, offset: 0)), ask(.close(handle: "ini")),
        open("\(documents)\\report.doc", "report"), ask(.read(handle: "report", buffer, offset: 0)),
        ask(.write(handle: "report", buffer, offset: 8)), ask(.close(handle: "report")),
        open("\(documents)\\new.tmp", "new", Opening(access: 0xc001_0000, .create, options: ["FILE_DELETE_ON_CLOSE"])),
        ask(.write(handle: "new", buffer, offset: 0)), ask(.close(handle: "new")),
        open("\(documents)", "folder", Opening(access: 0x0010_0001, options: ["FILE_DIRECTORY_FILE"])),
        Step(
          .call(
            Call(
              on: "explorer", .symbol(module: "nt", name: "NtQueryDirectoryFile", offset: 0),
              with: Arguments(
                [
                  .result("folder"), .integer(0), .integer(0), .integer(0), .integer(place + 0xf00), .integer(place), .integer(0xe00),
                  .integer(3), .integer(0), .integer(0), .integer(1),
                ].map { .init(nil, $0) }), kind: .systemCall, expect: .any))),
        ask(.close(handle: "folder")),
      ], at: index + 1)
  }
}
