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
