import Events
import Guest
import WindowsTypes

/// What a module above this one keeps with the kernel.
extension Kernel {
  /// The one `Part` of this kernel; made when it is first asked for, and gone with ``shutDown()``.
  package func part<Part: AnyObject>(_ type: Part.Type = Part.self, make: () -> Part) -> Part {
    if let part = parts[ObjectIdentifier(type)] { return unsafeDowncast(part, to: type) }
    let part = make()
    parts[ObjectIdentifier(type)] = part
    return part
  }

  /// Where an export of `module` is reached; 0 if there is none of that name.
  package func trapAddress(of name: String, in module: String) -> UInt64 { exports[module, name].map { trapAddresses[$0] } ?? 0 }

  /// Zeroed memory of a pool for whoever called the export that is being served; `nil` where the pool is used up.
  package func allocatePool(_ size: UInt64, tag: UInt32, paged: Bool = false) throws -> UInt64? {
    paged ? try pagedPool.allocate(size, tag: tag, in: memory) : try nonPagedPool.allocate(size, tag: tag, in: memory)
  }

  /// Memory of the run's own goes back.
  package func free(_ block: UInt64) { _ = nonPagedPool.free(block) }

  /// Waits until `event` is set; `purpose` says for what, if the run ends before that: `FltUnregisterFilter of demo: 1 reference`.
  package func wait(for event: Pointer<KEVENT>, _ purpose: String) async throws {
    let thread = running
    thread?.waitPurpose = purpose
    defer { thread?.waitPurpose = nil }
    _ = try await waiting([event.Header])
  }

  /// Says what a thread's wait is for, if it comes to one; `nil` takes that back.
  package func setPurpose(_ purpose: String?, of thread: ThreadID) { threads[thread].waitPurpose = purpose }

  /// Says, of each thread that waits for something that has a name, what that is: the run ends with them.
  public func notePurposes() {
    for thread in threads {
      if let purpose = thread.waitPurpose { stream.append(.note("\(thread.name) waits for \(purpose)")) }
    }
  }
}
