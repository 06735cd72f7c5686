import ArgumentParser
import Emulation
import Glibc

struct NewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Write a commented fixture to start from; it runs as it stands.",
    discussion: "A file that exists is never overwritten. “-” writes to standard output.")

  @Argument(help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file(extensions: ["yaml"]))
  var file = "fixture.yaml"

  func run() throws {
    if file == "-" { return Console.put(Fixture.template) }
    // O_EXCL: whatever is there stays, even what appears between a look and the write.
    let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL, 0o666)
    guard descriptor >= 0 else {
      let reason = errno
      if reason == EEXIST { throw Failure(.badInput, "\(file): exists already, and is left as it is; expected a new name") }
      throw Failure(reason == ENOENT ? .missingFile : .badInput, "\(file): cannot be written: \(String(cString: strerror(reason)))")
    }
    defer { close(descriptor) }
    let text = Array(Fixture.template.utf8)
    guard write(descriptor, text, text.count) == text.count else {
      throw Failure(.software, "\(file): cannot be written: \(String(cString: strerror(errno)))")
    }
    Console.put("wrote \(file); run it: probelock run \(file)\n")
  }
}
