import CUnicorn
import Guest

/// The floating-point unit and the SSE registers, in one call of the library's.
extension Processor {
  private static let floatingPointNumbers: [Int32] =
    [UC_X86_REG_FPCW, UC_X86_REG_FPSW, UC_X86_REG_FPTAG, UC_X86_REG_MXCSR].map { Int32($0.rawValue) }
    + (0..<8).map { Int32(UC_X86_REG_FP0.rawValue) + $0 } + (0..<8).map { Int32(UC_X86_REG_XMM0.rawValue) + $0 }

  /// What the running thread has there.
  public var floatingPoint: FloatingPointState {
    get {
      var words = [UInt32](repeating: 0, count: 4)
      var state = FloatingPointState.initial
      Self.withPlaces(&words, &state) { numbers, places, count in
        uc_reg_read_batch(engine.handle, numbers, places, count)
      }
      state.control = UInt16(truncatingIfNeeded: words[0])
      state.status = UInt16(truncatingIfNeeded: words[1])
      state.tag = UInt16(truncatingIfNeeded: words[2])
      state.mxcsr = words[3]
      return state
    }
    set {
      var state = newValue
      var words = [UInt32(state.control), UInt32(state.status), UInt32(state.tag), state.mxcsr]
      Self.withPlaces(&words, &state) { numbers, places, count in
        uc_reg_write_batch(engine.handle, numbers, places, count)
      }
    }
  }

  /// Calls `body` with the registers' numbers and where the value of each is.
  private static func withPlaces(
    _ words: inout [UInt32], _ state: inout FloatingPointState,
    _ body: (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<UnsafeMutableRawPointer?>, Int32) -> uc_err
  ) {
    var numbers = floatingPointNumbers
    words.withUnsafeMutableBytes { words in
      state.registers.withUnsafeMutableBytes { registers in
        state.vectors.withUnsafeMutableBytes { vectors in
          var places =
            places(4, 4, from: words.baseAddress) + places(8, 10, from: registers.baseAddress)
            + places(8, 16, from: vectors.baseAddress)
          // Every number is one that the library knows: there is nothing that it could refuse.
          _ = body(&numbers, &places, Int32(numbers.count))
        }
      }
    }
  }

  private static func places(_ count: Int, _ size: Int, from base: UnsafeMutableRawPointer?) -> [UnsafeMutableRawPointer?] {
    (0..<count).map { index in base.map { $0 + size * index } }
  }
}
