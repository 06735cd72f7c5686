import Events

/// A use of a request's buffer address where it means another process's memory, or none.
struct WrongAccess: Rule {
  let name = "wrong-access"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .foreignAccess(let access) = occasion else { return nil }
    let subject =
      access.routine.map { names.subject(of: $0, at: access.site) } ?? names.symbol(access.site.ip)
      ?? "the code at 0x" + String(access.site.ip, radix: 16)
    let verb =
      switch access.kind {
      case .read: "read"
      case .write: "wrote"
      case .probe: "probed"
      }
    return Opinion(
      "\(subject) \(verb) 0x\(String(access.address, radix: 16)) in \(names.process(access.process)); the buffer is "
        + names.possessive(access.requestor, besides: [access.process]),
      isWrongProcess: true)
  }
}
