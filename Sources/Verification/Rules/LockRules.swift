import Events

/// A lock that holds frames which the requestor's page tables do not hold for the buffer.
struct WrongProcess: Rule {
  let name = "wrong-process"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .lock(let lock, _) = occasion, lock.judgement == .wrongFrames, let requestor = lock.event.requestor
    else { return nil }
    let frames = FrameComparison(lock.event)
    let holders = frames.holders.isEmpty ? lock.holder.map { [$0] } ?? [] : frames.holders
    let routine = names.subject(of: lock.event.routine, at: lock.event.site)
    let total = lock.event.frames.count
    let what =
      frames.wrongPages == total
      ? "\(pages(total)) of \(names.list(holders))"
      : "\(pages(total)), \(frames.wrongPages) of them of \(names.list(holders))"
    return Opinion(
      "\(routine) locked \(what); the buffer is \(names.possessive(requestor, besides: holders))", isWrongProcess: true)
  }
}

/// A lock of the right frames that another process pays for: a shared page, locked from the wrong one.
struct WrongAccount: Rule {
  let name = "wrong-account"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .lock(let lock, _) = occasion, lock.judgement == .wrongAccount, let requestor = lock.event.requestor
    else { return nil }
    let routine = names.subject(of: lock.event.routine, at: lock.event.site)
    let payer = lock.event.account.map { "charged to \(names.process($0))" } ?? "charged to nobody"
    let shared = lock.event.frames.count == 1 ? "the page is shared" : "the pages are shared"
    return Opinion(
      "\(routine) locked \(pages(lock.event.frames.count)) of \(names.process(requestor)), but \(payer): "
        + "\(shared), and locked from the wrong process",
      isWrongProcess: true)
  }
}

/// An MDL that is locked while it is locked: the first lock's pages stay pinned for ever.
struct LockedTwice: Rule {
  let name = "locked-twice"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .lock(let lock, let earlier) = occasion, lock.event.wasLocked else { return nil }
    let routine = names.subject(of: lock.event.routine, at: lock.event.site)
    let lost = earlier.map { "the earlier lock of \(pages($0.event.frames.count)) is lost" }
    return Opinion("\(routine) locked an MDL that was locked already\(lost.map { "; " + $0 } ?? "")")
  }
}
