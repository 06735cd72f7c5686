import Guest
import NTKernel

extension Fixture {
  /// A process, and what its half of the address space holds at the start.
  public struct Process: Hashable, Sendable {
    /// As traces print it: `notepad.exe`.
    public var name: String
    /// Its process identifier; nil lets the kernel choose.
    public var id: UInt32?
    /// Whose it is; nil for an administrator, or the maker's of a process that a step makes. System is the local system's.
    public var user: ProcessUser?
    /// In order of address, without overlaps.
    public var memory: [Region]
    public var origin: Origin

    public init(_ name: String, id: UInt32? = nil, memory: [Region] = [], user: ProcessUser? = nil, origin: Origin = nil) {
      self.name = name
      self.id = id
      self.user = user
      self.memory = memory
      self.origin = origin
    }
  }

  /// Whole pages at an address, with their state and content.
  public struct Region: Hashable, Sendable {
    public var address: UInt64
    /// In bytes, a multiple of the page size.
    public var size: UInt64
    /// What the pages hold from their first byte; zeros follow.
    public var content: Content
    public var kind: Kind
    public var protection: Protection
    /// The first access to each page raises `STATUS_GUARD_PAGE_VIOLATION` and takes the guard away.
    public var `guard`: Bool
    /// The status that paging in fails with, where it fails; only for ``Kind/pagedOut``.
    public var pager: Code?
    /// The section whose frames these pages are.
    public var section: String?
    /// Where in the section the region starts, in bytes, a multiple of the page size.
    public var sectionOffset: UInt64
    /// What calls and traces call it; only in the kernel's half.
    public var name: String?
    public var origin: Origin

    public init(
      at address: UInt64, size: UInt64, _ content: Content = .zeros, kind: Kind = .valid, protection: Protection = .readWrite,
      guard: Bool = false, pager: Code? = nil, section: String? = nil, sectionOffset: UInt64 = 0, name: String? = nil,
      origin: Origin = nil
    ) {
      self.address = address
      self.size = size
      self.content = content
      self.kind = kind
      self.protection = protection
      self.guard = `guard`
      self.pager = pager
      self.section = section
      self.sectionOffset = sectionOffset
      self.name = name
      self.origin = origin
    }

    /// The state of a region's pages before anything touches them.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
      case valid
      /// Committed, without a frame until the first access.
      case demandZero = "demand-zero"
      /// Readable from a shared frame; the first write takes a private copy.
      case copyOnWrite = "copy-on-write"
      /// Committed, and no access is allowed.
      case noAccess = "no-access"
      /// An address range that is taken, without memory.
      case reserved
      /// Once committed, given back.
      case decommitted
      /// In the page file or an image: the first access reads it in.
      case pagedOut = "paged-out"

      /// Whether pages of this kind can hold content.
      public var holdsContent: Bool {
        switch self {
        case .valid, .copyOnWrite, .pagedOut, .noAccess: true
        case .demandZero, .reserved, .decommitted: false
        }
      }
    }
  }

  /// What a page allows.
  public enum Protection: String, CaseIterable, Hashable, Sendable {
    case readOnly = "read-only"
    case readWrite = "read-write"
    case execute
    case executeRead = "execute-read"
    case executeReadWrite = "execute-read-write"

    public var allowsWriting: Bool { self == .readWrite || self == .executeReadWrite }
    public var allowsExecution: Bool { self != .readOnly && self != .readWrite }
  }

  /// Bytes, as a fixture spells them.
  public enum Content: Hashable, Sendable {
    /// Nothing given: zeros.
    case zeros
    /// UTF-8, without a terminator.
    case text(String)
    /// UTF-16, little-endian, without a terminator.
    case utf16(String)
    case bytes([UInt8])
    /// This byte, throughout.
    case fill(UInt8)
    /// Little-endian words of 16 bits.
    case u16([UInt16])
    /// Little-endian words of 32 bits.
    case u32([UInt32])
    /// Little-endian words of 64 bits.
    case u64([UInt64])

    /// The number of bytes that are spelled out; nil where the place decides.
    public var count: Int? {
      switch self {
      case .zeros, .fill: nil
      case .text(let text): text.utf8.count
      case .utf16(let text): text.utf16.count * 2
      case .bytes(let bytes): bytes.count
      case .u16(let words): words.count * 2
      case .u32(let words): words.count * 4
      case .u64(let words): words.count * 8
      }
    }

    /// The bytes that are spelled out: none for ``zeros`` and ``fill(_:)``.
    public var spelledOut: [UInt8] {
      func littleEndian<Word: FixedWidthInteger>(_ words: [Word]) -> [UInt8] {
        words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
      }
      return switch self {
      case .zeros, .fill: []
      case .text(let text): Array(text.utf8)
      case .utf16(let text): littleEndian(Array(text.utf16))
      case .bytes(let bytes): bytes
      case .u16(let words): littleEndian(words)
      case .u32(let words): littleEndian(words)
      case .u64(let words): littleEndian(words)
      }
    }

    /// Exactly `count` bytes: what is spelled out, cut or followed by zeros, or the fill.
    public func bytes(count: Int) -> [UInt8] {
      if case .fill(let byte) = self { return Array(repeating: byte, count: count) }
      let bytes = spelledOut.prefix(count)
      return bytes + Array(repeating: 0, count: count - bytes.count)
    }
  }

  /// Memory that processes share: regions that name it map its frames.
  public struct Section: Hashable, Sendable {
    public var name: String
    /// In bytes, a multiple of the page size.
    public var size: UInt64
    public var content: Content
    public var origin: Origin

    public init(_ name: String, size: UInt64, _ content: Content = .zeros, origin: Origin = nil) {
      self.name = name
      self.size = size
      self.content = content
      self.origin = origin
    }
  }

  /// A thread, owned by the process it is created in.
  public struct Thread: Hashable, Sendable {
    public var name: String
    /// The name of the process that owns it.
    public var process: String
    /// The process it is attached to at the start, where it is.
    public var attached: String?
    /// Its thread identifier; nil lets the kernel choose.
    public var id: UInt32?
    public var origin: Origin

    public init(_ name: String, in process: String, attached: String? = nil, id: UInt32? = nil, origin: Origin = nil) {
      self.name = name
      self.process = process
      self.attached = attached
      self.id = id
      self.origin = origin
    }
  }

  /// A kernel allocation with a name, which as an argument stands for its address.
  public struct Value: Hashable, Sendable {
    public var name: String
    /// In bytes.
    public var size: UInt64
    public var content: Content
    public var origin: Origin

    public init(_ name: String, size: UInt64, _ content: Content = .zeros, origin: Origin = nil) {
      self.name = name
      self.size = size
      self.content = content
      self.origin = origin
    }
  }

  /// Bytes that replace those of a loaded image before the first step.
  public struct Patch: Hashable, Sendable {
    public var place: Place
    public var bytes: [UInt8]
    /// What must have stood there, where that is to be checked: as long as ``bytes``.
    public var was: [UInt8]?
    public var origin: Origin

    public init(at place: Place, _ bytes: [UInt8], was: [UInt8]? = nil, origin: Origin = nil) {
      self.place = place
      self.bytes = bytes
      self.was = was
      self.origin = origin
    }
  }
}
