import Guest

/// What the user side of the filter manager returns (`winerror.h`, `fltwinerror.h`): bit 31 says failure.
///
/// Every bit pattern is a result; ``name`` knows those that `fltlib.dll` hands out.
public struct HRESULT: GuestScalar, RawRepresentable, Hashable, Sendable, Error {
  public let rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// `SUCCEEDED`
  @inlinable public var isSuccess: Bool { Int32(bitPattern: rawValue) >= 0 }

  /// `HRESULT_FROM_WIN32`: 0 stays 0.
  public init(win32 code: UInt32) { self.init(rawValue: code == 0 ? 0 : 0x8007_0000 | code & 0xffff) }

  /// `S_OK`, 0x00000000
  public static let ok = Self(rawValue: 0)
  /// `E_INVALIDARG`, 0x80070057
  public static let invalidArgument = Self(rawValue: 0x8007_0057)
  /// `HRESULT_FROM_WIN32(ERROR_INVALID_HANDLE)`, 0x80070006
  public static let invalidHandle = Self(rawValue: 0x8007_0006)
  /// `HRESULT_FROM_WIN32(ERROR_IO_PENDING)`, 0x800703E5
  public static let pending = Self(rawValue: 0x8007_03e5)
  /// `HRESULT_FROM_WIN32(ERROR_INSUFFICIENT_BUFFER)`, 0x8007007A
  public static let insufficientBuffer = Self(rawValue: 0x8007_007a)
  /// `HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED)`, 0x80070005
  public static let accessDenied = Self(rawValue: 0x8007_0005)
  /// `HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)`, 0x80070002
  public static let fileNotFound = Self(rawValue: 0x8007_0002)
  /// `HRESULT_FROM_WIN32(ERROR_CONNECTION_COUNT_LIMIT)`, 0x800704D6
  public static let connectionCountLimit = Self(rawValue: 0x8007_04d6)
  /// `ERROR_FLT_NO_WAITER_FOR_REPLY`, 0x801F0020
  public static let noWaiterForReply = Self(rawValue: 0x801f_0020)

  /// What the user side makes of a kernel routine's status.
  ///
  /// The filter manager's own statuses have results of their own, by the same number (`fltwinerror.h`); a success is `S_OK`;
  /// any other goes by its Win32 code, as `RtlNtStatusToDosError` has it.
  public init(_ status: NTSTATUS) {
    if status == .pending {
      self = .pending
    } else if status.isSuccess {
      self = .ok
    } else if status.rawValue >> 16 == 0xc01c {
      self.init(rawValue: 0x801f_0000 | status.rawValue & 0xffff)
    } else {
      self.init(win32: status.win32Code)
    }
  }
}

extension NTSTATUS {
  /// `RtlNtStatusToDosError`, of the statuses that the routines here return; any other is ERROR_MR_MID_NOT_FOUND, as Windows has
  /// it for a status that its table lacks.
  public var win32Code: UInt32 { Self.win32Codes[rawValue] ?? (rawValue >> 16 == 0xc007 ? rawValue & 0xffff : 317) }

  private static let win32Codes: [UInt32: UInt32] = [
    0x0000_0000: 0, 0x0000_0102: 1460, 0x0000_0103: 997, 0x8000_0002: 998, 0x8000_0005: 234, 0x8000_0006: 18, 0x8000_001a: 259,
    0xc000_0001: 31, 0xc000_0002: 1,
    0xc000_0005: 998, 0xc000_0008: 6, 0xc000_000b: 87, 0xc000_000d: 87, 0xc000_000e: 2, 0xc000_000f: 2, 0xc000_0010: 1,
    0xc000_0011: 38, 0xc000_0017: 8, 0xc000_0022: 5, 0xc000_0023: 122, 0xc000_0024: 6, 0xc000_0033: 123, 0xc000_0034: 2,
    0xc000_0035: 183, 0xc000_0037: 6, 0xc000_0039: 161, 0xc000_003a: 3, 0xc000_003b: 161, 0xc000_0041: 5, 0xc000_0042: 87,
    0xc000_0043: 32, 0xc000_0044: 1816, 0xc000_004b: 5, 0xc000_0056: 303, 0xc000_0061: 1314, 0xc000_007b: 193, 0xc000_009a: 1450,
    0xc000_00ba: 5, 0xc000_00bb: 50, 0xc000_010a: 5, 0xc000_010e: 1056, 0xc000_0120: 995, 0xc000_0206: 1784, 0xc000_0225: 1168,
    0xc000_0246: 1238, 0xc000_0263: 182,
  ]
}

extension HRESULT: CustomStringConvertible {
  /// The C name without its macro, `S_OK`, `ERROR_INVALID_HANDLE`, if the result has one.
  public var name: String? { Self.names.name(of: rawValue) }

  /// The result with this C name, spelled in any case.
  public init?(name: String) {
    guard let value = Self.names.value(named: name) else { return nil }
    self.init(rawValue: value)
  }

  /// `S_OK`, or the value and the name: `80070006 ERROR_INVALID_HANDLE`.
  public var description: String {
    guard let name else { return hex(rawValue) }
    return rawValue == 0 ? name : "\(hex(rawValue)) \(name)"
  }

  /// The C name that `name` was probably meant to be.
  public static func nearestName(to name: String) -> String? { names.nearest(to: name) }

  private static let names = NameTable(
    """
    S_OK 0  E_INVALIDARG 80070057  ERROR_INVALID_FUNCTION 80070001  ERROR_FILE_NOT_FOUND 80070002  ERROR_PATH_NOT_FOUND 80070003
    ERROR_ACCESS_DENIED 80070005  E_ACCESSDENIED 80070005  ERROR_INVALID_HANDLE 80070006  ERROR_NOT_ENOUGH_MEMORY 80070008  ERROR_GEN_FAILURE 8007001f
    ERROR_NO_MORE_FILES 80070012  ERROR_NOT_SUPPORTED 80070032  ERROR_NO_MORE_ITEMS 80070103  ERROR_INSUFFICIENT_BUFFER 8007007a  ERROR_INVALID_NAME 8007007b  ERROR_BAD_PATHNAME 800700a1
    ERROR_ALREADY_EXISTS 800700b7  ERROR_BAD_EXE_FORMAT 800700c1  ERROR_MORE_DATA 800700ea  ERROR_MR_MID_NOT_FOUND 8007013d
    ERROR_OPERATION_ABORTED 800703e3  ERROR_IO_PENDING 800703e5  ERROR_NOACCESS 800703e6  ERROR_SERVICE_ALREADY_RUNNING 80070420
    ERROR_NOT_FOUND 80070490  ERROR_CONNECTION_COUNT_LIMIT 800704d6  ERROR_PRIVILEGE_NOT_HELD 80070522
    ERROR_NO_SYSTEM_RESOURCES 800705aa  ERROR_TIMEOUT 800705b4  ERROR_NOT_ENOUGH_QUOTA 80070718
    ERROR_FLT_NO_HANDLER_DEFINED 801f0001  ERROR_FLT_CONTEXT_ALREADY_DEFINED 801f0002
    ERROR_FLT_INVALID_ASYNCHRONOUS_REQUEST 801f0003  ERROR_FLT_DISALLOW_FAST_IO 801f0004  ERROR_FLT_INVALID_NAME_REQUEST 801f0005
    ERROR_FLT_NOT_SAFE_TO_POST_OPERATION 801f0006  ERROR_FLT_NOT_INITIALIZED 801f0007  ERROR_FLT_FILTER_NOT_READY 801f0008
    ERROR_FLT_POST_OPERATION_CLEANUP 801f0009  ERROR_FLT_INTERNAL_ERROR 801f000a  ERROR_FLT_DELETING_OBJECT 801f000b
    ERROR_FLT_MUST_BE_NONPAGED_POOL 801f000c  ERROR_FLT_DUPLICATE_ENTRY 801f000d  ERROR_FLT_CBDQ_DISABLED 801f000e
    ERROR_FLT_DO_NOT_ATTACH 801f000f  ERROR_FLT_DO_NOT_DETACH 801f0010  ERROR_FLT_INSTANCE_ALTITUDE_COLLISION 801f0011
    ERROR_FLT_INSTANCE_NAME_COLLISION 801f0012  ERROR_FLT_FILTER_NOT_FOUND 801f0013  ERROR_FLT_VOLUME_NOT_FOUND 801f0014
    ERROR_FLT_INSTANCE_NOT_FOUND 801f0015  ERROR_FLT_CONTEXT_ALLOCATION_NOT_FOUND 801f0016
    ERROR_FLT_INVALID_CONTEXT_REGISTRATION 801f0017  ERROR_FLT_NAME_CACHE_MISS 801f0018  ERROR_FLT_NO_DEVICE_OBJECT 801f0019
    ERROR_FLT_VOLUME_ALREADY_MOUNTED 801f001a  ERROR_FLT_NO_WAITER_FOR_REPLY 801f0020
    """)
}
