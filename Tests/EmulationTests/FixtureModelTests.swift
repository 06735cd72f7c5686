import Emulation
import Testing

@Test("places are read and printed alike")
func places() {
  for text in [
    "0x8042d0a0", "nt!KeStackAttachProcess", "fltMgr!FltLockUserBuffer+0x1c", "hook", "hook+0x4", "poi(hook)",
    "poi(poi(hook+0x8)+0x24)+0x4",
  ] {
    #expect(Fixture.Place(text: text)?.description == text)
  }
  for text in [
    "", "!", "nt!", "a!b!c", "nt!Foo+1c", "0x", "8042d0a0", "0x11112222333344445", "a b", "+0x1", "poi(", "poi()", "poi(hook",
    "poi(hook)4", "poi(hook)+4",
  ] {
    #expect(Fixture.Place(text: text) == nil, "\(text)")
  }
}

@Test("content is bytes of the length that is asked for")
func contents() {
  #expect(Fixture.Content.utf16("hé").spelledOut == [0x68, 0, 0xe9, 0])
  #expect(Fixture.Content.u32([0x0102_0304]).bytes(count: 6) == [4, 3, 2, 1, 0, 0])
  #expect(Fixture.Content.fill(0xcc).bytes(count: 2) == [0xcc, 0xcc])
  #expect(Fixture.Content.text("text").bytes(count: 2) == Array("te".utf8))
}
