import Guest

/// Thrown into a kernel routine that will not go on, so that its `defer`s run.
enum Abandoned: Error { case unwound, threadEnded }

/// A call of guest code that a kernel routine makes and waits for.
struct GuestCall {
  let routine: UInt64
  let arguments: [UInt64]
  /// Below which its frame begins.
  let stackPointer: UInt64
  /// What the routine is to find in registers beside that: `ebp`, for a filter.
  let registers: [Register: UInt64]
}

/// What a kernel routine wants after it started or went on.
enum Exit {
  case returned(UInt64)
  case raised(any Error)
  case call(GuestCall)
  case blocked
}

/// The kernel's side of one guest thread: its routines that wait for guest code or for an object, innermost last.
///
/// A waiting routine is an `async` function, written as straight-line code. It starts at once, where it is called; one that
/// suspends has said what it wants. They lie on top of each other as their frames would lie on the guest's stack, so an unwind
/// past one abandons it.
///
/// Safety: no access to a property of it spans a call, so the checks of exclusive access, which every one would pay, are left out.
final class RoutineStack {
  typealias Body = () async throws -> UInt64

  private struct Suspended {
    let continuation: UnsafeContinuation<UInt64, any Error>
    /// The guest's stack pointer when it suspended.
    let stackPointer: UInt64
  }

  private let loop: RunLoop
  @exclusivity(unchecked) private var exit: Exit?
  @exclusivity(unchecked) private var suspended: [Suspended] = []
  @exclusivity(unchecked) private var next: Body?
  @exclusivity(unchecked) private var idle: [UnsafeContinuation<Void, Never>] = []

  init(on loop: RunLoop) { self.loop = loop }

  /// How many routines wait.
  var depth: Int { suspended.count }
  /// The innermost waiting routine's stack pointer.
  var stackPointer: UInt64? { suspended.last?.stackPointer }

  /// Starts `body` here and now, on a task that an earlier routine left idle if there is one.
  func start(_ body: @escaping Body) throws -> Exit {
    next = body
    if let runner = idle.popLast() { runner.resume() } else { spawn() }
    return try advance()
  }

  /// The innermost waiting routine goes on: its callback returned, or its wait is over.
  func resume(returning value: UInt64) throws -> Exit {
    guard let top = suspended.popLast() else { throw KernelError("a callback returned to a routine that does not wait") }
    top.continuation.resume(returning: value)
    return try advance()
  }

  /// Abandons the routines whose frames lie below `stackPointer`, innermost first. Returns how many.
  @discardableResult
  func unwind(to stackPointer: UInt64) throws -> Int {
    var count = 0
    while let top = suspended.last, top.stackPointer < stackPointer {
      suspended.removeLast()
      top.continuation.resume(throwing: Abandoned.unwound)
      _ = try advance()
      count += 1
    }
    return count
  }

  /// Abandons the routines above `depth`, innermost first. Returns how many.
  func unwind(toDepth depth: Int) throws -> Int {
    let count = suspended.count - depth
    while suspended.count > depth, let top = suspended.popLast() {
      top.continuation.resume(throwing: Abandoned.unwound)
      _ = try advance()
    }
    return count
  }

  /// Abandons every waiting routine: the thread has ended.
  func abandonAll() {
    while let top = suspended.popLast() {
      top.continuation.resume(throwing: Abandoned.threadEnded)
      loop.drain()
      exit = nil
    }
  }

  /// Ends every routine and task of the thread.
  func end() {
    abandonAll()
    while let runner = idle.popLast() { runner.resume() }
    loop.drain()
  }

  /// For routines: says what is wanted, and waits until the thread is resumed.
  func suspend(_ wanted: Exit, at stackPointer: UInt64) async throws -> UInt64 {
    try await withUnsafeThrowingContinuation { note(Suspended(continuation: $0, stackPointer: stackPointer), wanted) }
  }

  /// Never inlined: the optimizer of Swift 6.3 would retain `wanted` only after the suspension, when it is gone.
  @inline(never) private func note(_ routine: Suspended, _ wanted: Exit) {
    suspended.append(routine)
    exit = wanted
  }

  private func advance() throws -> Exit {
    loop.drain()
    guard let exit = exit.take() else {
      throw KernelError("a kernel routine awaited something outside the run")
    }
    return exit
  }

  private func spawn() {
    nonisolated(unsafe) let stack = self  // One host thread drains the loop: nothing is shared.
    Task(executorPreference: loop) {
      while let body = stack.next.take() {
        do { stack.exit = .returned(try await body()) } catch { stack.exit = .raised(error) }
        await withUnsafeContinuation { stack.idle.append($0) }
      }
    }
  }
}

/// Something that must not happen: a defect in this program, not in the guest.
public struct KernelError: Error, Sendable, CustomStringConvertible {
  public let description: String
  init(_ description: String) { self.description = description }
}
