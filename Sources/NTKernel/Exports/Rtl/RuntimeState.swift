import Guest
import WindowsTypes

/// What run-time routines keep between calls and guest code cannot see.
struct RuntimeState {
  /// The C runtime's `rand`.
  var randomSeed: UInt32 = 1
  /// What `RtlRandom` shuffles through, once it was called.
  var randomTable: [UInt32] = []
  /// The heads of the lists of lookaside lists, nonpaged and paged, once there is one.
  var lookasideHeads: [Pointer<LIST_ENTRY>] = []
}
