import Events

/// A mapping of frames that were the requestor's when they were locked, and are no more.
struct StaleMDL: Rule {
  let name = "stale-mdl"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .mapping(let mapping, let lock?) = occasion, lock.judgement == .right || lock.judgement == .wrongAccount,
      let requestor = mapping.requestor
    else { return nil }
    let frames = FrameComparison(mapping)
    guard !frames.areRequestors else { return nil }
    let gone = mapping.requestorFrames.contains(nil)
    let how = gone ? "the buffer was freed since they were locked" : "the buffer has other pages since, remapped or copied on write"
    return Opinion(
      "\(mapping.routine) mapped \(frames.wrongPages == 1 ? "a page" : pages(frames.wrongPages)) that "
        + "\(frames.wrongPages == 1 ? "is" : "are") no longer \(names.possessive(requestor, besides: [])): \(how)",
      isWrongProcess: true)
  }
}

/// A mapping of frames that no lock of the kernel's holds for this buffer: judged by its frames, as a lock is.
struct HandBuiltMDL: Rule {
  let name = "hand-built-mdl"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .mapping(let mapping, nil) = occasion else { return nil }
    let frames = FrameComparison(mapping)
    let count = pages(mapping.frames.count)
    switch mapping.judgement(systemRangeStart: names.systemRangeStart) {
    case .wrongFrames:
      guard let requestor = mapping.requestor else { return nil }
      let holders = frames.holders
      let whose = holders.isEmpty ? "\(count) that no process has there" : "\(count) of \(names.list(holders))"
      return Opinion(
        "\(mapping.routine) mapped \(whose) from an MDL filled by hand; the buffer is "
          + names.possessive(requestor, besides: holders),
        isWrongProcess: true)
    case .right where !mapping.isLockedByKernel:
      return Opinion("\(mapping.routine) mapped \(count) of \(names.list(mapping.requestor.map { [$0] } ?? [])) that nothing keeps locked")
    case .unjudged where !mapping.isLockedByKernel:
      return Opinion("\(mapping.routine) mapped \(count) that nothing keeps locked")
    default: return nil
    }
  }
}

/// A view of the requestor's buffer in another process's half.
struct WrongMapping: Rule {
  let name = "wrong-mapping"

  func judge(_ occasion: Occasion, _ names: LedgerNames) -> Opinion? {
    guard case .mapping(let mapping, _) = occasion, let process = mapping.process, let requestor = mapping.requestor,
      process != requestor
    else { return nil }
    return Opinion(
      "\(mapping.routine) mapped \(pages(mapping.frames.count)) into \(names.process(process)); the buffer is "
        + names.possessive(requestor, besides: [process]),
      isWrongProcess: true)
  }
}

extension MappingEvent {
  /// What memory says of the mapping by itself, whatever lock stands behind it.
  func judgement(systemRangeStart: UInt64) -> LockRecord.Judgement {
    if bufferAddress >= systemRangeStart { return .systemSpace }
    if requestor == nil { return .unjudged }
    return FrameComparison(self).areRequestors ? .right : .wrongFrames
  }
}
