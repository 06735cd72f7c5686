/// What an instruction or an export wanted of a page.
public enum Access: Sendable, Hashable { case read, write, execute }

/// An access that nothing can satisfy, where no kernel decides what follows: the emulated page fault itself.
///
/// With a kernel in place, ``PageFaultResolver`` throws what that kernel made of the fault instead.
public struct GuestFault: Error, Hashable, Sendable {
  public let access: Access
  public let address: UInt64

  public init(_ access: Access, at address: UInt64) {
    self.access = access
    self.address = address
  }
}

/// More accesses were made than ``Translation/accessesLeft`` allows.
public struct AccessLimit: Error, Hashable, Sendable {
  public init() {}
}

/// The operating system's page-fault handler, as guest memory sees it.
public protocol PageFaultResolver: AnyObject {
  /// Makes the page at `address` allow `access` and returns, so that the access is tried again;
  /// throws where the access must not succeed.
  func resolve(_ access: Access, at address: UInt64) throws
}
