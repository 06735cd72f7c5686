import Guest

/// A structure that is only pointed at: it has a name and no known members.
public protocol OpaqueStructure: SendableMetatype {
  /// As the debugger's symbols name it.
  static var name: String { get }
}
extension OpaqueStructure {
  public static var name: String { "_\(self)" }
}

/// Code that returns `Result`: what a pointer to a callback points at.
public enum Procedure<Result> {}

public enum CONTROL_AREA: OpaqueStructure {}
public enum DEVICE_OBJECT_POWER_EXTENSION: OpaqueStructure {}
public enum EJOB: OpaqueStructure {}
public enum EPROCESS_QUOTA_BLOCK: OpaqueStructure {}
public enum FAST_IO_DISPATCH: OpaqueStructure {}
public enum FLT_FILTER: OpaqueStructure {}
public enum FLT_INSTANCE: OpaqueStructure {}
public enum FLT_TAG_DATA_BUFFER: OpaqueStructure {}
public enum FLT_VOLUME: OpaqueStructure {}
public enum HANDLE_TABLE: OpaqueStructure {}
public enum IO_CLIENT_EXTENSION: OpaqueStructure {}
public enum IO_SECURITY_CONTEXT: OpaqueStructure {}
public enum KTRANSACTION: OpaqueStructure {}
public enum KTSS: OpaqueStructure {}
public enum MMWSL: OpaqueStructure {}
public enum OBJECT_CREATE_INFORMATION: OpaqueStructure {}
public enum OBJECT_DIRECTORY: OpaqueStructure {}
public enum PAGEFAULT_HISTORY: OpaqueStructure {}
public enum PEB: OpaqueStructure {}
public enum SCSI_REQUEST_BLOCK: OpaqueStructure {}
