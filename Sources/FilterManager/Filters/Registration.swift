import Guest
import WindowsTypes

/// `FLT_REGISTRATION`, as it was when the filter registered: the filter manager keeps copies of the driver's tables.
struct Registration {
  let flags: FilterRegistrationFlags
  let unload: UInt64
  let instanceSetup: UInt64
  let instanceQueryTeardown: UInt64
  let instanceTeardownStart: UInt64
  let instanceTeardownComplete: UInt64
  let generateFileName: UInt64
  let normalizeNameComponent: UInt64
  let normalizeContextCleanup: UInt64
  let normalizeNameComponentEx: UInt64
  /// By major function, as a signed byte has it: the callbacks of an operation.
  let operations: [UInt8: Operation]
  let contexts: [Context]

  struct Operation {
    let flags: OperationRegistrationFlags
    let pre: UInt64
    let post: UInt64
  }

  struct Context {
    let type: FLT_CONTEXT_TYPE
    /// `FLTFL_CONTEXT_REGISTRATION_NO_EXACT_SIZE_MATCH`
    let takesSmaller: Bool
    let cleanup: UInt64
    /// `nil` for `FLT_VARIABLE_SIZED_CONTEXTS`.
    let size: UInt64?
    let tag: UInt32
    let allocate: UInt64
    let free: UInt64
  }

  /// `IRP_MJ_OPERATION_END`
  static let endOfOperations: UInt8 = 0x80
  /// A table without an end is not read for ever: there are 256 major functions, and few kinds of context.
  private static let longestTable = 256

  /// What `record` says; `nil` where it is refused (nf-fltkernel-fltregisterfilter): another major version.
  ///
  /// The size is not looked at, as the public tests of that routine observe.
  ///
  /// - Parameter refusal: gets the reason, in words.
  init?(_ record: Pointer<FLT_REGISTRATION>, refusal: inout String) throws {
    let version = try record.Version.load()
    guard version >> 8 == FLT_REGISTRATION.version >> 8 else {
      refusal = "FLT_REGISTRATION.Version is 0x\(hex(UInt64(version), digits: 4)); it must be 0x02xx: FLT_REGISTRATION_VERSION"
      return nil
    }
    flags = FilterRegistrationFlags(rawValue: try record.Flags.load())
    unload = try record.FilterUnloadCallback.load().address
    instanceSetup = try record.InstanceSetupCallback.load().address
    instanceQueryTeardown = try record.InstanceQueryTeardownCallback.load().address
    instanceTeardownStart = try record.InstanceTeardownStartCallback.load().address
    instanceTeardownComplete = try record.InstanceTeardownCompleteCallback.load().address
    generateFileName = try record.GenerateFileNameCallback.load().address
    normalizeNameComponent = try record.NormalizeNameComponentCallback.load().address
    normalizeContextCleanup = try record.NormalizeContextCleanupCallback.load().address
    // Version 0x0202 adds TransactionNotificationCallback and NormalizeNameComponentExCallback behind it.
    let isLonger = try record.Version.load() & 0xff >= 2
    normalizeNameComponentEx = isLonger ? UInt64(try record.memory.load(UInt32.self, at: record.address + 0x34)) : 0
    // A name provider gives all of its names itself.
    if normalizeNameComponent != 0, generateFileName == 0 {
      refusal = "NormalizeNameComponentCallback comes without GenerateFileNameCallback"
      return nil
    }
    guard let operations = try Self.operations(record.OperationRegistration.load(), &refusal),
      let contexts = try Self.contexts(record.ContextRegistration.load(), &refusal)
    else { return nil }
    self.operations = operations
    self.contexts = contexts
  }

  /// `sizeof(FLT_REGISTRATION)`, as the header of a version has it.
  static func size(ofVersion version: UInt16) -> UInt16 {
    switch version & 0xff {
    case 0: 0x30
    case 1, 2: 0x38
    default: 0x3c
    }
  }

  private static func operations(
    _ table: Pointer<FLT_OPERATION_REGISTRATION>, _ refusal: inout String
  ) throws -> [UInt8: Operation]? {
    guard !table.isNull else { return [:] }
    var operations: [UInt8: Operation] = [:]
    for index in 0..<longestTable {
      let row = table.advanced(by: index)
      let major = try row.MajorFunction.load().rawValue
      if major == endOfOperations { return operations }
      guard isOperation(major) else {
        refusal = "row \(index) of OperationRegistration has the major function 0x\(hex(UInt64(major), digits: 2)), which is none"
        return nil
      }
      operations[major] = Operation(
        flags: OperationRegistrationFlags(rawValue: try row.Flags.load()), pre: try row.PreOperation.load().address,
        post: try row.PostOperation.load().address)
    }
    refusal = "OperationRegistration has no end: IRP_MJ_OPERATION_END"
    return nil
  }

  /// `IRP_MJ_CREATE` to `IRP_MJ_PNP`, and the emulated ones: -1 to -7, -13 to -20 (`fltKernel.h`).
  private static func isOperation(_ major: UInt8) -> Bool {
    switch Int8(bitPattern: major) {
    case 0...0x1b, -7 ... -1, -20 ... -13: true
    default: false
    }
  }

  private static func contexts(_ table: Pointer<FLT_CONTEXT_REGISTRATION>, _ refusal: inout String) throws -> [Context]? {
    guard !table.isNull else { return [] }
    var contexts: [Context] = []
    for index in 0..<longestTable {
      let row = table.advanced(by: index)
      let type = FLT_CONTEXT_TYPE(rawValue: try row.ContextType.load())
      if type == .end { return contexts }
      guard [.volume, .instance, .file, .stream, .streamHandle, .transaction].contains(type) else {
        refusal = "row \(index) of ContextRegistration has the type 0x\(hex(UInt64(type.rawValue), digits: 4)), which is none"
        return nil
      }
      let size = try row.Size.load().bits
      contexts.append(
        Context(
          type: type, takesSmaller: try row.Flags.load() & 1 != 0, cleanup: try row.CleanupCallback.load().address,
          size: size == FLT_CONTEXT_REGISTRATION.variableSize & 0xffff_ffff ? nil : size, tag: try row.PoolTag.load(),
          allocate: try row.AllocateCallback.load().address, free: try row.FreeCallback.load().address))
    }
    refusal = "ContextRegistration has no end: FLT_CONTEXT_END"
    return nil
  }
}
