import Guest
import Memory
import WindowsTypes

/// What a section object stands for. Its body in guest memory is nobody's to read.
final class Section {
  enum Backing {
    /// Pages of a file or of the section's own.
    case pages(PageStore)
    case image(ImageLayout)
    /// The machine's memory itself: a page's number is its frame's.
    case physicalMemory
  }

  let backing: Backing
  /// In bytes.
  var size: UInt64
  /// `PAGE_…`, as the section was made with.
  let protection: PageProtection
  /// `SEC_…`
  let attributes: UInt32
  /// The file that it shows, which it keeps a reference to; null for none.
  let file: Pointer<FILE_OBJECT>

  init(_ backing: Backing, size: UInt64, protection: PageProtection, attributes: UInt32, file: Pointer<FILE_OBJECT>) {
    self.backing = backing
    self.size = size
    self.protection = protection
    self.attributes = attributes
    self.file = file
  }
}

/// `SEC_…` (`winnt.h`).
enum SectionAttributes {
  static let file: UInt32 = 0x80_0000
  static let image: UInt32 = 0x100_0000
  static let reserve: UInt32 = 0x400_0000
  static let commit: UInt32 = 0x800_0000
  static let known: UInt32 = 0x1fe0_0000 | 0x0080_0000
}

/// A run of user addresses that a process has taken: by ZwAllocateVirtualMemory, or as a view of a section.
struct UserArea {
  let base: UInt64
  var size: UInt64
  /// As it was asked for.
  let protection: PageProtection
  let kind: Kind
  enum Kind {
    case memory
    case view(Section, offset: UInt64, store: PageStore?)
  }

  /// `MEM_PRIVATE`, `MEM_MAPPED`, `MEM_IMAGE`
  var type: UInt32 {
    switch kind {
    case .memory: 0x2_0000
    case .view(let section, _, _): section.attributes & SectionAttributes.image != 0 ? 0x100_0000 : 0x4_0000
    }
  }
}

extension PageProtection {
  /// Without the modifiers, exactly one of the eight kinds.
  var isValid: Bool {
    let kind = rawValue & 0xff
    let modifiers = rawValue & ~0xff
    return kind.nonzeroBitCount == 1 && modifiers & ~0x700 == 0 && (modifiers == 0 || kind != 1)
  }

  var isExecutable: Bool { rawValue & 0xf0 != 0 }
  private var allowsWriting: Bool { rawValue & 0x44 != 0 }
  private var isWriteCopy: Bool { rawValue & 0x88 != 0 }

  /// The state of a page with this protection.
  func page(_ kind: Page.Kind, isShared: Bool = false) -> Page {
    let protection: Page.Protection =
      rawValue & 1 != 0 ? .noAccess : allowsWriting ? .readWrite : isWriteCopy ? (isShared ? .writeCopy : .readWrite) : .readOnly
    return Page(kind, protection, isGuard: rawValue & 0x100 != 0, isShared: isShared, isExecutable: isExecutable)
  }

  /// Whether a view of a section with protection `self` may have `view`'s (nf-wdm-zwmapviewofsection, STATUS_SECTION_PROTECTION).
  func allows(view: PageProtection) -> Bool {
    if view.rawValue & 0x44 != 0 { return allowsWriting }
    // Copies on write need no more than reading; so does everything else.
    return true
  }
}

extension Page {
  /// `PAGE_…` of a page.
  var windowsProtection: UInt32 {
    let plain: UInt32 =
      switch protection {
      case .noAccess: 1
      case .readOnly: isExecutable ? 0x20 : 2
      case .readWrite: isExecutable ? 0x40 : 4
      case .writeCopy: isExecutable ? 0x80 : 8
      }
    return plain | (isGuard ? 0x100 : 0)
  }
}
