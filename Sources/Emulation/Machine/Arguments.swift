import Guest
import NTKernel
import WindowsTypes

extension Machine {
  /// The words that a call passes, in the order of its parameters.
  func words(of call: Fixture.Call, line: Int?) throws -> [UInt64] {
    let elements = call.arguments.elements
    guard elements.contains(where: { $0.name != nil }) else { return try elements.map { try word($0.value, line: line) } }
    guard case .symbol(let module, let name, 0) = call.routine, let number = Self.exports[module, name] else {
      // A routine of an image: nobody knows its parameters' names, so they are notes to the reader, in order.
      return try elements.map { try word($0.value, line: line) }
    }
    let parameters = Self.exports.exports[number].parameters
    for element in elements {
      guard let name = element.name, parameters.contains(name) else {
        let known = element.name.flatMap { nearest($0, among: parameters) }.map { "; did you mean “\($0)”?" } ?? ""
        throw error(
          element.origin.line ?? line,
          "\(module)!\(name) takes (\(parameters.joined(separator: ", "))), not \(quoted(element.name ?? "an unnamed value"))\(known)")
      }
    }
    return try parameters.map { parameter in
      guard let element = elements.first(where: { $0.name == parameter }) else { return 0 }
      return try word(element.value, line: element.origin.line ?? line)
    }
  }

  /// One argument's value.
  func word(_ argument: Fixture.Argument, line: Int?) throws -> UInt64 {
    switch argument {
    case .integer(let value): return value
    case .boolean(let value): return value ? 1 : 0
    case .status(let name): return UInt64(try status(.name(name), line: line).rawValue)
    case .process(let name): return try process(name, line: line).object.address
    case .thread(let name): return try thread(name, line: line).object.address
    case .result(let name): return try address(of: .named(name, offset: 0), line: line)
    case .place(let place): return try address(of: place, line: line)
    case .constant(let name): return Fixture.constants[name] ?? 0
    case .text(let text):
      let bytes = Array(text.utf8) + [0]
      let address = try kernel.allocate(UInt64(bytes.count))
      try memory.memory.write(bytes, at: address)
      return address
    case .operation(let operation): return try callbackData(for: operation, line: line)
    }
  }

  /// Builds `FLT_CALLBACK_DATA` for an operation, as the filter manager hands it to a minifilter, and records whose buffer it is.
  func callbackData(for operation: Fixture.Operation, line: Int?) throws -> UInt64 {
    let here = memory.memory
    let data = Pointer<FLT_CALLBACK_DATA>(
      try kernel.allocate(UInt64(Pointer<FLT_CALLBACK_DATA>.size(in: here))), in: here)
    let block = Pointer<FLT_IO_PARAMETER_BLOCK>(
      try kernel.allocate(UInt64(Pointer<FLT_IO_PARAMETER_BLOCK>.size(in: here))), in: here)
    let requestor = try operation.requestor.map { try thread($0, line: line) }
    var flags: CallbackDataFlags = operation.isFastIO ? .fastIOOperation : .irpOperation
    if operation.isPostOperation { flags.insert(.postOperation) }
    if operation.hasSystemBuffer { flags.insert(.systemBuffer) }
    for flag in operation.flags { flags.formUnion(CallbackDataFlags(rawValue: Fixture.Operation.callbackFlags[flag] ?? 0)) }
    try data.Flags.store(flags)
    try data.Thread.store(requestor?.object ?? Pointer(0, in: here))
    try data.Iopb.store(block)
    try data.RequestorMode.store(operation.mode == .user ? .userMode : .kernelMode)
    let irpFlags = operation.flags.reduce(into: UInt32(0)) { $0 |= Fixture.Operation.irpFlags[$1] ?? 0 }
    try block.IrpFlags.store(IRPFlags(rawValue: irpFlags))
    try block.MajorFunction.store(IRP_MJ(rawValue: operation.kind.majorFunction))
    try block.MinorFunction.store(operation.minorFunction)
    var buffer = operation.buffer ?? 0
    if operation.hasSystemBuffer && buffer == 0 { buffer = try kernel.allocate(UInt64(max(1, operation.length ?? 1))) }
    let mdl = try operation.mdl.map { try address(of: .named($0, offset: 0), line: line) } ?? 0
    let mdlField = try fill(block.Parameters, operation, Pointer(buffer, in: here), Pointer(mdl, in: here))
    if let requestor, buffer < fixture.target.systemRangeStart, buffer != 0 {
      let current = try requestor.object.Tcb.ApcState.Process.load()
      let owner = try operation.process.map { try process($0, line: line) } ?? kernel.process(at: current.address)
      if let owner {
        try kernel.record(
          BufferRequest(
            requestor: owner.id, address: buffer, length: UInt64(operation.length ?? 0), mdlField: mdlField))
      }
    }
    return data.address
  }

  /// Fills in the operation's own parameters, and returns where its MDL's address goes, if it has such a field.
  private func fill(
    _ parameters: Pointer<FLT_PARAMETERS>, _ operation: Fixture.Operation, _ buffer: Pointer<Void>, _ mdl: Pointer<MDL>
  ) throws -> UInt64? {
    let length = operation.length ?? 0
    var field: UInt64?
    func put(_ place: Pointer<Pointer<Void>>, _ lengthField: Pointer<UInt32>?, _ mdlField: Pointer<Pointer<MDL>>?) throws {
      try place.store(buffer)
      try lengthField?.store(length)
      try mdlField?.store(mdl)
      field = mdlField?.address
    }
    switch operation.kind {
    case .create: try put(parameters.Create.EaBuffer, parameters.Create.EaLength, nil)
    case .read: try put(parameters.Read.ReadBuffer, parameters.Read.Length, parameters.Read.MdlAddress)
    case .write: try put(parameters.Write.WriteBuffer, parameters.Write.Length, parameters.Write.MdlAddress)
    case .queryInformation:
      try put(parameters.QueryFileInformation.InfoBuffer, parameters.QueryFileInformation.Length, nil)
    case .setInformation: try put(parameters.SetFileInformation.InfoBuffer, parameters.SetFileInformation.Length, nil)
    case .queryEA: try put(parameters.QueryEa.EaBuffer, parameters.QueryEa.Length, parameters.QueryEa.MdlAddress)
    case .setEA: try put(parameters.SetEa.EaBuffer, parameters.SetEa.Length, parameters.SetEa.MdlAddress)
    case .queryVolumeInformation:
      try put(parameters.QueryVolumeInformation.VolumeBuffer, parameters.QueryVolumeInformation.Length, nil)
    case .setVolumeInformation:
      try put(parameters.SetVolumeInformation.VolumeBuffer, parameters.SetVolumeInformation.Length, nil)
    case .queryDirectory:
      let query = parameters.DirectoryControl.QueryDirectory
      try put(query.DirectoryBuffer, query.Length, query.MdlAddress)
    case .notifyDirectory:
      let notify = parameters.DirectoryControl.NotifyDirectory
      try put(notify.DirectoryBuffer, notify.Length, notify.MdlAddress)
    case .querySecurity:
      try put(
        parameters.QuerySecurity.SecurityBuffer, parameters.QuerySecurity.Length, parameters.QuerySecurity.MdlAddress)
    case .setSecurity: try put(parameters.SetSecurity.SecurityDescriptor, nil, nil)
    case .queryQuota:
      try put(parameters.QueryQuota.QuotaBuffer, parameters.QueryQuota.Length, parameters.QueryQuota.MdlAddress)
    case .setQuota: try put(parameters.SetQuota.QuotaBuffer, parameters.SetQuota.Length, parameters.SetQuota.MdlAddress)
    case .deviceControl, .internalDeviceControl, .fileSystemControl:
      let control = parameters.DeviceIoControl
      try control.Common.InputBufferLength.store(operation.inputLength ?? 0)
      try control.Common.IoControlCode.store(IOControlCode(rawValue: operation.code ?? 0))
      let input = Pointer<Void>(operation.input ?? 0, in: memory.memory)
      if operation.isFastIO {
        try control.FastIo.InputBuffer.store(input)
        try put(control.FastIo.OutputBuffer, control.FastIo.OutputBufferLength, nil)
      } else if operation.method == .buffered {
        try put(control.Buffered.SystemBuffer, control.Buffered.OutputBufferLength, nil)
      } else {
        try control.Neither.InputBuffer.store(input)
        try put(control.Neither.OutputBuffer, control.Neither.OutputBufferLength, control.Neither.OutputMdlAddress)
      }
    default: break
    }
    return field
  }
}
