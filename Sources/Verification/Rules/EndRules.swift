import Events

/// A lock that nobody has taken back when the process ends that pays for it.
struct NeverUnlocked: Rule {
  let name = "never-unlocked"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .leftLocked(let lock, _) = occasion, !lock.event.frames.isEmpty else { return nil }
    let routine = names.subject(of: lock.event.routine, at: lock.event.site)
    let whose = lock.holder.map { " of \(names.process($0))" } ?? " of system space"
    let count = lock.event.frames.count
    return Opinion("\(pages(count))\(whose) that \(routine) locked \(count == 1 ? "was" : "were") never unlocked before the process ended")
  }
}

/// A process that ends while pages are locked in its name: bugcheck PROCESS_HAS_LOCKED_PAGES.
struct ExitWithLockedPages: Rule {
  let name = "exit-with-locked-pages"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .exit(let process, let count) = occasion, count > 0 else { return nil }
    return Opinion("\(names.process(process)) ended with \(pages(count)) still locked")
  }
}
