/// What a trace shows.
public struct TraceOptions: Sendable, Hashable {
  /// Instructions, and where control goes.
  public var instructions = true
  /// Under each instruction the registers that it changed, if the run recorded them.
  public var registers = false
  /// Behind each instruction the addresses of its memory operands, if the run recorded the registers.
  public var memoryOperands = false
  /// With each fault, lock and bugcheck the calls that led there.
  public var callStacks = false
  /// How far what an instruction brought about is indented: as far as the instruction's bytes, unless set.
  public var effectsIndent = 9

  public init() {}
}
