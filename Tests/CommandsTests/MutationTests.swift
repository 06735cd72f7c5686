import Foundation
import Testing

@Test("10,000 broken inputs are read or refused, each in a process that may crash", arguments: ["listing", "fixture"], 0..<4)
func mutations(reader: String, batch: Int) throws {
  let run = try ToolRun.tool("__mutate", "--reader", reader, "--seed", String(batch * 2500), "--count", "2500")
  let last = run.output.split(separator: "\n").last ?? "none"
  #expect(run.status == 0 && last == "\(batch * 2500 + 2499)", "\(reader) seed \(last) ended with \(run.status): \(run.errors)")
}

@Test("a seed always means the same input")
func seeds() throws {
  let (one, two) = (
    try ToolRun.tool("__mutate", "--reader", "fixture", "--seed", "7", "--show"),
    try ToolRun.tool("__mutate", "--reader", "fixture", "--seed", "7", "--show")
  )
  #expect(one.output == two.output && !one.output.isEmpty)
}
