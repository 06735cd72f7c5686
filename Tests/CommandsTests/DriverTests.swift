import Foundation
import Testing

@Test("a driver is started and unloaded, and what it leaves behind is said with the place that made it")
func driver() throws {
  let images = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../images").standardized.path
  let hello = try ToolRun.tool("run", "hello.sys", in: images)
  #expect(hello.status == 0)
  #expect(hello.output.contains("DriverEntry -> STATUS_SUCCESS   1 device, 1 symbolic link, "))
  #expect(hello.output.contains("DriverUnload   nothing left behind"))
  let leaky = try ToolRun.tool("run", "leaky.sys", in: images)
  #expect(leaky.output.contains("left behind: the device \\Device\\Leaky (leaky!DriverEntry+0x"))
}

@Test("a minifilter's file is run with what its INF would say, and files to filter")
func minifilter() throws {
  let images = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../images").standardized.path
  // Its work item locks a buffer with the traced routine, whose own imports are there, too.
  let deferring = try ToolRun.tool("run", "deferring.sys", in: images)
  #expect(deferring.status == 0)
  #expect(deferring.output.contains("DriverEntry -> STATUS_SUCCESS"))
  #expect(deferring.output.contains("its INF is not read: it has altitude 370030"))
}
