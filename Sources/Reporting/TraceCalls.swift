import Events
import Guest
import NTKernel
import WindowsTypes

/// The kernel routines that are open on each thread while a trace is read: what decides how far a line is indented.
struct TraceCalls {
  private enum Frame {
    /// A routine that was called, and the exception frame it was called for, if it is a handler.
    case call(Int, handles: UInt64?)
    /// Exception dispatch: what follows is its doing, until a handler takes the exception.
    case dispatch
  }

  private var stacks: [ThreadID: [Frame]] = [:]
  private var thread: ThreadID = 0
  /// Whether guest code ran since the last routine was called: an exception is then the guest's, not the routine's.
  private(set) var ranGuest = true
  private var beginsStep = false

  private var stack: [Frame] {
    get { stacks[thread] ?? [] }
    set { stacks[thread] = newValue }
  }

  var depth: Int { stacks[thread]?.count ?? 0 }

  mutating func noteGuestCode() { ranGuest = true }

  mutating func open(_ routine: Int, _ arguments: [UInt64], isHandler: Bool) {
    stack.append(.call(routine, handles: isHandler && arguments.count > 1 ? arguments[1] : nil))
    ranGuest = false
  }

  /// Closes the innermost open call of `routine` and all within it; false where none is open.
  mutating func close(_ routine: Int) -> Bool {
    guard
      let index = stack.lastIndex(where: {
        if case .call(routine, _) = $0 { true } else { false }
      })
    else { return false }
    stack.removeSubrange(index...)
    ranGuest = true
    return true
  }

  /// A handler has said that the exception's context goes on: its dispatch is over.
  mutating func endDispatch() {
    if case .dispatch? = stack.last { stack.removeLast() }
  }

  /// An exception is dispatched. A routine that raised is over: the dispatch takes its place.
  mutating func beginDispatch() {
    if !ranGuest, case .call? = stack.last { stack.removeLast() }
    stack.append(.dispatch)
    ranGuest = true
  }

  /// The frame at address `frame` took the exception: what lies below it on the guest's stack is gone.
  mutating func unwind(to frame: UInt64) {
    var end = stack.count
    for index in stack.indices.reversed() {
      guard case .dispatch = stack[index] else { continue }
      if end == stack.count {
        end = index
      } else if case .call(_, let handles?) = stack[index + 1], handles <= frame {
        end = index
      } else {
        break
      }
    }
    stack.removeSubrange(end...)
    ranGuest = true
  }

  mutating func beginStep() { beginsStep = true }

  mutating func run(_ thread: ThreadID) {
    self.thread = thread
    if beginsStep { stack = [] }
    beginsStep = false
    ranGuest = true
  }
}
