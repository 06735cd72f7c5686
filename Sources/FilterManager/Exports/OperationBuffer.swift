import Guest
import WindowsTypes

/// Where an operation keeps its buffer: the addresses of fields in `FLT_PARAMETERS`, not their values.
///
/// The fields are those of the flt-parameters pages; the access is the driver's, so data that flows *to* the buffer needs
/// `IoWriteAccess` (nf-fltkernel-fltdecodeparameters). For control operations it is the output side.
struct OperationBuffer {
  var mdl: UInt64?
  var buffer: UInt64?
  var length: UInt64?
  var access: LOCK_OPERATION
  /// What the documentation leaves open about this row.
  var uncertainty: String?

  /// The buffer of the operation in `data`, or `nil` where it has none.
  init?(_ data: Pointer<FLT_CALLBACK_DATA>) throws {
    let block = try data.Iopb.load()
    let parameters = block.Parameters
    let minor = try block.MinorFunction.load()
    switch try block.MajorFunction.load() {
    case .create:
      self.init(nil, parameters.Create.EaBuffer, parameters.Create.EaLength, .read)
    case .read:
      self.init(parameters.Read.MdlAddress, parameters.Read.ReadBuffer, parameters.Read.Length, .write)
    case .write:
      self.init(parameters.Write.MdlAddress, parameters.Write.WriteBuffer, parameters.Write.Length, .read)
    case .queryInformation:
      self.init(nil, parameters.QueryFileInformation.InfoBuffer, parameters.QueryFileInformation.Length, .write)
    case .setInformation:
      self.init(nil, parameters.SetFileInformation.InfoBuffer, parameters.SetFileInformation.Length, .read)
    case .queryEa:
      self.init(parameters.QueryEa.MdlAddress, parameters.QueryEa.EaBuffer, parameters.QueryEa.Length, .write)
    case .setEa:
      self.init(parameters.SetEa.MdlAddress, parameters.SetEa.EaBuffer, parameters.SetEa.Length, .read)
    case .queryVolumeInformation:
      self.init(nil, parameters.QueryVolumeInformation.VolumeBuffer, parameters.QueryVolumeInformation.Length, .write)
    case .setVolumeInformation:
      self.init(nil, parameters.SetVolumeInformation.VolumeBuffer, parameters.SetVolumeInformation.Length, .read)
    case .directoryControl:
      let query = parameters.DirectoryControl.QueryDirectory
      let notify = parameters.DirectoryControl.NotifyDirectory
      switch minor {
      case 1: self.init(query.MdlAddress, query.DirectoryBuffer, query.Length, .write)
      case 2: self.init(notify.MdlAddress, notify.DirectoryBuffer, notify.Length, .write)
      default: return nil
      }
    case .querySecurity:
      self.init(
        parameters.QuerySecurity.MdlAddress, parameters.QuerySecurity.SecurityBuffer, parameters.QuerySecurity.Length, .write)
    case .setSecurity:
      self.init(nil, parameters.SetSecurity.SecurityDescriptor, nil, .read)
    case .queryQuota:
      self.init(parameters.QueryQuota.MdlAddress, parameters.QueryQuota.QuotaBuffer, parameters.QueryQuota.Length, .write)
    case .setQuota:
      self.init(parameters.SetQuota.MdlAddress, parameters.SetQuota.QuotaBuffer, parameters.SetQuota.Length, .read)
    case .fileSystemControl:
      // IRP_MN_USER_FS_REQUEST and IRP_MN_KERNEL_CALL carry buffers; mounting, verifying and loading do not.
      guard minor == 0 || minor == 4 else { return nil }
      try self.init(control: data, parameters)
    case .deviceControl, .internalDeviceControl:
      try self.init(control: data, parameters)
    default: return nil
    }
  }

  private init(_ mdl: Pointer<Pointer<MDL>>?, _ buffer: Pointer<Pointer<Void>>, _ length: Pointer<UInt32>?, _ access: LOCK_OPERATION) {
    self.mdl = mdl?.address
    self.buffer = buffer.address
    self.length = length?.address
    self.access = access
  }

  /// A control operation's output side, by the code's transfer method. Both kinds lay their parameters out alike.
  private init(control data: Pointer<FLT_CALLBACK_DATA>, _ parameters: Pointer<FLT_PARAMETERS>) throws {
    let control = parameters.DeviceIoControl
    let (neither, direct) = (control.Neither, control.Direct)
    if try data.Flags.load().contains(.fastIOOperation) {
      self.init(nil, control.FastIo.OutputBuffer, control.FastIo.OutputBufferLength, .write)
      uncertainty = "a control operation by fast I/O: its parameters have no MDL field, so there is nothing to lock with"
      return
    }
    switch try neither.IoControlCode.load().method {
    case .buffered:
      self.init(nil, control.Buffered.SystemBuffer, control.Buffered.OutputBufferLength, .write)
      uncertainty = "METHOD_BUFFERED: no MDL field; whether there is nothing to lock or the call is refused is not documented"
    case .inDirect: self.init(direct.OutputMdlAddress, direct.OutputBuffer, direct.OutputBufferLength, .read)
    case .outDirect: self.init(direct.OutputMdlAddress, direct.OutputBuffer, direct.OutputBufferLength, .write)
    case .neither:
      self.init(neither.OutputMdlAddress, neither.OutputBuffer, neither.OutputBufferLength, .write)
      uncertainty = "METHOD_NEITHER: the output is locked for IoWriteAccess; IoModifyAccess would be plausible too"
    }
  }
}
