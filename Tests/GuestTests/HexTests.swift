import Guest
import Testing

@Test("addresses print as the debugger prints them")
func hexadecimal() {
  #expect(hex(0x8220_a020, .windowsXP_x86) == "8220a020")
  #expect(hex(0x10000, .windowsXP_x86) == "00010000")
}
