import Events

extension LockRecord {
  /// The lock in one line: `FltLockUserBuffer locked 3 pages of notepad.exe (1232) while running in System (4)`.
  ///
  /// The subject is the routine of Windows that a driver, or the fixture, called; the process it ran in is left out where it is
  /// the one whose pages were locked.
  public func headline(_ names: LedgerNames) -> String {
    if judgement == .wrongFrames, let opinion = WrongProcess().judge(.lock(self, earlier: nil), names) { return opinion.sentence }
    let routine = names.subject(of: event.routine, at: event.site)
    let what = "\(routine) locked \(pages(event.frames.count)) of "
    guard let holder else { return what + "system space" }
    let place = runningIn == holder ? "" : " while running in \(names.process(runningIn))"
    let account = event.account.map(names.process) ?? "nobody"
    return what + names.process(holder) + place + (judgement == .wrongAccount ? ", charged to \(account)" : "")
  }
}

extension Sequence<LockRecord> {
  /// The line that says most about a run: its first wrong lock, else its first judged one, else its first.
  public func headline(_ names: LedgerNames) -> String? {
    let locks = Array(self)
    let best = locks.first { $0.isRight == false } ?? locks.first { $0.isRight == true } ?? locks.first
    return best?.headline(names)
  }
}
