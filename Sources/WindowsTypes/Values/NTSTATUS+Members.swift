extension NTSTATUS {
  /// `STATUS_SUCCESS`, 0x00000000
  public static let success = Self(rawValue: 0x0000_0000)
  /// `STATUS_WAIT_1`, 0x00000001
  public static let wait1 = Self(rawValue: 0x0000_0001)
  /// `STATUS_WAIT_2`, 0x00000002
  public static let wait2 = Self(rawValue: 0x0000_0002)
  /// `STATUS_WAIT_3`, 0x00000003
  public static let wait3 = Self(rawValue: 0x0000_0003)
  /// `STATUS_ABANDONED`, 0x00000080
  public static let abandoned = Self(rawValue: 0x0000_0080)
  /// `STATUS_USER_APC`, 0x000000C0
  public static let userAPC = Self(rawValue: 0x0000_00c0)
  /// `STATUS_KERNEL_APC`, 0x00000100
  public static let kernelAPC = Self(rawValue: 0x0000_0100)
  /// `STATUS_ALERTED`, 0x00000101
  public static let alerted = Self(rawValue: 0x0000_0101)
  /// `STATUS_TIMEOUT`, 0x00000102
  public static let timeout = Self(rawValue: 0x0000_0102)
  /// `STATUS_PENDING`, 0x00000103
  public static let pending = Self(rawValue: 0x0000_0103)
  /// `STATUS_REPARSE`, 0x00000104
  public static let reparse = Self(rawValue: 0x0000_0104)
  /// `STATUS_BUFFER_ALL_ZEROS`, 0x00000117
  public static let bufferAllZeros = Self(rawValue: 0x0000_0117)
  /// `STATUS_FLT_IO_COMPLETE`, 0x001C0001
  public static let fltIOComplete = Self(rawValue: 0x001c_0001)
  /// `STATUS_OBJECT_NAME_EXISTS`, 0x40000000
  public static let objectNameExists = Self(rawValue: 0x4000_0000)
  /// `STATUS_GUARD_PAGE_VIOLATION`, 0x80000001
  public static let guardPageViolation = Self(rawValue: 0x8000_0001)
  /// `STATUS_DATATYPE_MISALIGNMENT`, 0x80000002
  public static let datatypeMisalignment = Self(rawValue: 0x8000_0002)
  /// `STATUS_BREAKPOINT`, 0x80000003
  public static let breakpoint = Self(rawValue: 0x8000_0003)
  /// `STATUS_SINGLE_STEP`, 0x80000004
  public static let singleStep = Self(rawValue: 0x8000_0004)
  /// `STATUS_BUFFER_OVERFLOW`, 0x80000005
  public static let bufferOverflow = Self(rawValue: 0x8000_0005)
  /// `STATUS_NO_MORE_FILES`, 0x80000006
  public static let noMoreFiles = Self(rawValue: 0x8000_0006)
  /// `STATUS_PARTIAL_COPY`, 0x8000000D
  public static let partialCopy = Self(rawValue: 0x8000_000d)
  /// `STATUS_DEVICE_BUSY`, 0x80000011
  public static let deviceBusy = Self(rawValue: 0x8000_0011)
  /// `STATUS_NO_MORE_ENTRIES`, 0x8000001A
  public static let noMoreEntries = Self(rawValue: 0x8000_001a)
  /// `STATUS_FLT_BUFFER_TOO_SMALL`, 0x801C0001
  public static let fltBufferTooSmall = Self(rawValue: 0x801c_0001)
  /// `STATUS_UNSUCCESSFUL`, 0xC0000001
  public static let unsuccessful = Self(rawValue: 0xc000_0001)
  /// `STATUS_NOT_IMPLEMENTED`, 0xC0000002
  public static let notImplemented = Self(rawValue: 0xc000_0002)
  /// `STATUS_INVALID_INFO_CLASS`, 0xC0000003
  public static let invalidInfoClass = Self(rawValue: 0xc000_0003)
  /// `STATUS_INFO_LENGTH_MISMATCH`, 0xC0000004
  public static let infoLengthMismatch = Self(rawValue: 0xc000_0004)
  /// `STATUS_ACCESS_VIOLATION`, 0xC0000005
  public static let accessViolation = Self(rawValue: 0xc000_0005)
  /// `STATUS_IN_PAGE_ERROR`, 0xC0000006
  public static let inPageError = Self(rawValue: 0xc000_0006)
  /// `STATUS_INVALID_HANDLE`, 0xC0000008
  public static let invalidHandle = Self(rawValue: 0xc000_0008)
  /// `STATUS_BAD_INITIAL_STACK`, 0xC0000009
  public static let badInitialStack = Self(rawValue: 0xc000_0009)
  /// `STATUS_INVALID_CID`, 0xC000000B
  public static let invalidCID = Self(rawValue: 0xc000_000b)
  /// `STATUS_INVALID_PARAMETER`, 0xC000000D
  public static let invalidParameter = Self(rawValue: 0xc000_000d)
  /// `STATUS_NO_SUCH_DEVICE`, 0xC000000E
  public static let noSuchDevice = Self(rawValue: 0xc000_000e)
  /// `STATUS_NO_SUCH_FILE`, 0xC000000F
  public static let noSuchFile = Self(rawValue: 0xc000_000f)
  /// `STATUS_INVALID_DEVICE_REQUEST`, 0xC0000010
  public static let invalidDeviceRequest = Self(rawValue: 0xc000_0010)
  /// `STATUS_END_OF_FILE`, 0xC0000011
  public static let endOfFile = Self(rawValue: 0xc000_0011)
  /// `STATUS_WRONG_VOLUME`, 0xC0000012
  public static let wrongVolume = Self(rawValue: 0xc000_0012)
  /// `STATUS_MORE_PROCESSING_REQUIRED`, 0xC0000016
  public static let moreProcessingRequired = Self(rawValue: 0xc000_0016)
  /// `STATUS_NO_MEMORY`, 0xC0000017
  public static let noMemory = Self(rawValue: 0xc000_0017)
  /// `STATUS_CONFLICTING_ADDRESSES`, 0xC0000018
  public static let conflictingAddresses = Self(rawValue: 0xc000_0018)
  /// `STATUS_UNABLE_TO_FREE_VM`, 0xC000001A
  public static let unableToFreeVM = Self(rawValue: 0xc000_001a)
  /// `STATUS_UNABLE_TO_DELETE_SECTION`, 0xC000001B
  public static let unableToDeleteSection = Self(rawValue: 0xc000_001b)
  /// `STATUS_INVALID_SYSTEM_SERVICE`, 0xC000001C
  public static let invalidSystemService = Self(rawValue: 0xc000_001c)
  /// `STATUS_ILLEGAL_INSTRUCTION`, 0xC000001D
  public static let illegalInstruction = Self(rawValue: 0xc000_001d)
  /// `STATUS_INVALID_LOCK_SEQUENCE`, 0xC000001E
  public static let invalidLockSequence = Self(rawValue: 0xc000_001e)
  /// `STATUS_ALREADY_COMMITTED`, 0xC0000021
  public static let alreadyCommitted = Self(rawValue: 0xc000_0021)
  /// `STATUS_ACCESS_DENIED`, 0xC0000022
  public static let accessDenied = Self(rawValue: 0xc000_0022)
  /// `STATUS_BUFFER_TOO_SMALL`, 0xC0000023
  public static let bufferTooSmall = Self(rawValue: 0xc000_0023)
  /// `STATUS_OBJECT_TYPE_MISMATCH`, 0xC0000024
  public static let objectTypeMismatch = Self(rawValue: 0xc000_0024)
  /// `STATUS_NONCONTINUABLE_EXCEPTION`, 0xC0000025
  public static let noncontinuableException = Self(rawValue: 0xc000_0025)
  /// `STATUS_INVALID_DISPOSITION`, 0xC0000026
  public static let invalidDisposition = Self(rawValue: 0xc000_0026)
  /// `STATUS_UNWIND`, 0xC0000027
  public static let unwind = Self(rawValue: 0xc000_0027)
  /// `STATUS_BAD_STACK`, 0xC0000028
  public static let badStack = Self(rawValue: 0xc000_0028)
  /// `STATUS_INVALID_UNWIND_TARGET`, 0xC0000029.
  public static let invalidUnwindTarget = Self(rawValue: 0xc000_0029)
  /// `STATUS_NOT_LOCKED`, 0xC000002A
  public static let notLocked = Self(rawValue: 0xc000_002a)
  /// `STATUS_NOT_COMMITTED`, 0xC000002D
  public static let notCommitted = Self(rawValue: 0xc000_002d)
  /// `STATUS_INVALID_PORT_ATTRIBUTES`, 0xC000002E
  public static let invalidPortAttributes = Self(rawValue: 0xc000_002e)
  /// `STATUS_PORT_MESSAGE_TOO_LONG`, 0xC000002F
  public static let portMessageTooLong = Self(rawValue: 0xc000_002f)
  /// `STATUS_OBJECT_NAME_INVALID`, 0xC0000033
  public static let objectNameInvalid = Self(rawValue: 0xc000_0033)
  /// `STATUS_OBJECT_NAME_NOT_FOUND`, 0xC0000034
  public static let objectNameNotFound = Self(rawValue: 0xc000_0034)
  /// `STATUS_OBJECT_NAME_COLLISION`, 0xC0000035
  public static let objectNameCollision = Self(rawValue: 0xc000_0035)
  /// `STATUS_PORT_DISCONNECTED`, 0xC0000037
  public static let portDisconnected = Self(rawValue: 0xc000_0037)
  /// `STATUS_DEVICE_ALREADY_ATTACHED`, 0xC0000038
  public static let deviceAlreadyAttached = Self(rawValue: 0xc000_0038)
  /// `STATUS_OBJECT_PATH_NOT_FOUND`, 0xC000003A
  public static let objectPathNotFound = Self(rawValue: 0xc000_003a)
  /// `STATUS_OBJECT_PATH_SYNTAX_BAD`, 0xC000003B
  public static let objectPathSyntaxBad = Self(rawValue: 0xc000_003b)
  /// `STATUS_SECTION_TOO_BIG`, 0xC0000040
  public static let sectionTooBig = Self(rawValue: 0xc000_0040)
  /// `STATUS_PORT_CONNECTION_REFUSED`, 0xC0000041
  public static let portConnectionRefused = Self(rawValue: 0xc000_0041)
  /// `STATUS_INVALID_PORT_HANDLE`, 0xC0000042
  public static let invalidPortHandle = Self(rawValue: 0xc000_0042)
  /// `STATUS_SHARING_VIOLATION`, 0xC0000043
  public static let sharingViolation = Self(rawValue: 0xc000_0043)
  /// `STATUS_QUOTA_EXCEEDED`, 0xC0000044
  public static let quotaExceeded = Self(rawValue: 0xc000_0044)
  /// `STATUS_INVALID_PAGE_PROTECTION`, 0xC0000045
  public static let invalidPageProtection = Self(rawValue: 0xc000_0045)
  /// `STATUS_MUTANT_NOT_OWNED`, 0xC0000046
  public static let mutantNotOwned = Self(rawValue: 0xc000_0046)
  /// `STATUS_SEMAPHORE_LIMIT_EXCEEDED`, 0xC0000047
  public static let semaphoreLimitExceeded = Self(rawValue: 0xc000_0047)
  /// `STATUS_THREAD_IS_TERMINATING`, 0xC000004B
  public static let threadIsTerminating = Self(rawValue: 0xc000_004b)
  /// `STATUS_SECTION_PROTECTION`, 0xC000004E
  public static let sectionProtection = Self(rawValue: 0xc000_004e)
  /// `STATUS_FILE_LOCK_CONFLICT`, 0xC0000054
  public static let fileLockConflict = Self(rawValue: 0xc000_0054)
  /// `STATUS_LOCK_NOT_GRANTED`, 0xC0000055
  public static let lockNotGranted = Self(rawValue: 0xc000_0055)
  /// `STATUS_DELETE_PENDING`, 0xC0000056
  public static let deletePending = Self(rawValue: 0xc000_0056)
  /// `STATUS_UNKNOWN_REVISION`, 0xC0000058
  public static let unknownRevision = Self(rawValue: 0xc000_0058)
  /// `STATUS_REVISION_MISMATCH`, 0xC0000059
  public static let revisionMismatch = Self(rawValue: 0xc000_0059)
  /// `STATUS_PRIVILEGE_NOT_HELD`, 0xC0000061
  public static let privilegeNotHeld = Self(rawValue: 0xc000_0061)
  /// `STATUS_LOGON_FAILURE`, 0xC000006D
  public static let logonFailure = Self(rawValue: 0xc000_006d)
  /// `STATUS_INVALID_ACL`, 0xC0000077
  public static let invalidACL = Self(rawValue: 0xc000_0077)
  /// `STATUS_INVALID_SID`, 0xC0000078
  public static let invalidSID = Self(rawValue: 0xc000_0078)
  /// `STATUS_INVALID_SECURITY_DESCR`, 0xC0000079
  public static let invalidSecurityDescriptor = Self(rawValue: 0xc000_0079)
  /// `STATUS_PROCEDURE_NOT_FOUND`, 0xC000007A
  public static let procedureNotFound = Self(rawValue: 0xc000_007a)
  /// `STATUS_INVALID_IMAGE_FORMAT`, 0xC000007B
  public static let invalidImageFormat = Self(rawValue: 0xc000_007b)
  /// `STATUS_RANGE_NOT_LOCKED`, 0xC000007E
  public static let rangeNotLocked = Self(rawValue: 0xc000_007e)
  /// `STATUS_DISK_FULL`, 0xC000007F
  public static let diskFull = Self(rawValue: 0xc000_007f)
  /// `STATUS_RESOURCE_DATA_NOT_FOUND`, 0xC0000089
  public static let resourceDataNotFound = Self(rawValue: 0xc000_0089)
  /// `STATUS_RESOURCE_TYPE_NOT_FOUND`, 0xC000008A
  public static let resourceTypeNotFound = Self(rawValue: 0xc000_008a)
  /// `STATUS_RESOURCE_NAME_NOT_FOUND`, 0xC000008B
  public static let resourceNameNotFound = Self(rawValue: 0xc000_008b)
  /// `STATUS_ARRAY_BOUNDS_EXCEEDED`, 0xC000008C
  public static let arrayBoundsExceeded = Self(rawValue: 0xc000_008c)
  /// `STATUS_FLOAT_DIVIDE_BY_ZERO`, 0xC000008E
  public static let floatDivideByZero = Self(rawValue: 0xc000_008e)
  /// `STATUS_INTEGER_DIVIDE_BY_ZERO`, 0xC0000094
  public static let integerDivideByZero = Self(rawValue: 0xc000_0094)
  /// `STATUS_INTEGER_OVERFLOW`, 0xC0000095
  public static let integerOverflow = Self(rawValue: 0xc000_0095)
  /// `STATUS_PRIVILEGED_INSTRUCTION`, 0xC0000096
  public static let privilegedInstruction = Self(rawValue: 0xc000_0096)
  /// `STATUS_ALLOTTED_SPACE_EXCEEDED`, 0xC0000099
  public static let allottedSpaceExceeded = Self(rawValue: 0xc000_0099)
  /// `STATUS_INSUFFICIENT_RESOURCES`, 0xC000009A
  public static let insufficientResources = Self(rawValue: 0xc000_009a)
  /// `STATUS_DEVICE_NOT_CONNECTED`, 0xC000009D
  public static let deviceNotConnected = Self(rawValue: 0xc000_009d)
  /// `STATUS_FREE_VM_NOT_AT_BASE`, 0xC000009F
  public static let freeVMNotAtBase = Self(rawValue: 0xc000_009f)
  /// `STATUS_MEMORY_NOT_ALLOCATED`, 0xC00000A0
  public static let memoryNotAllocated = Self(rawValue: 0xc000_00a0)
  /// `STATUS_WORKING_SET_QUOTA`, 0xC00000A1
  public static let workingSetQuota = Self(rawValue: 0xc000_00a1)
  /// `STATUS_MEDIA_WRITE_PROTECTED`, 0xC00000A2
  public static let mediaWriteProtected = Self(rawValue: 0xc000_00a2)
  /// `STATUS_DEVICE_NOT_READY`, 0xC00000A3
  public static let deviceNotReady = Self(rawValue: 0xc000_00a3)
  /// `STATUS_IO_TIMEOUT`, 0xC00000B5
  public static let ioTimeout = Self(rawValue: 0xc000_00b5)
  /// `STATUS_FILE_IS_A_DIRECTORY`, 0xC00000BA
  public static let fileIsADirectory = Self(rawValue: 0xc000_00ba)
  /// `STATUS_NOT_SUPPORTED`, 0xC00000BB
  public static let notSupported = Self(rawValue: 0xc000_00bb)
  /// `STATUS_DEVICE_DOES_NOT_EXIST`, 0xC00000C0
  public static let deviceDoesNotExist = Self(rawValue: 0xc000_00c0)
  /// `STATUS_INTERNAL_ERROR`, 0xC00000E5
  public static let internalError = Self(rawValue: 0xc000_00e5)
  /// `STATUS_BAD_DESCRIPTOR_FORMAT`, 0xC00000E7
  public static let badDescriptorFormat = Self(rawValue: 0xc000_00e7)
  /// `STATUS_INVALID_USER_BUFFER`, 0xC00000E8
  public static let invalidUserBuffer = Self(rawValue: 0xc000_00e8)
  /// `STATUS_INVALID_PARAMETER_1`, 0xC00000EF
  public static let invalidParameter1 = Self(rawValue: 0xc000_00ef)
  /// `STATUS_INVALID_PARAMETER_2`, 0xC00000F0
  public static let invalidParameter2 = Self(rawValue: 0xc000_00f0)
  /// `STATUS_INVALID_PARAMETER_3`, 0xC00000F1
  public static let invalidParameter3 = Self(rawValue: 0xc000_00f1)
  /// `STATUS_STACK_OVERFLOW`, 0xC00000FD
  public static let stackOverflow = Self(rawValue: 0xc000_00fd)
  /// `STATUS_NOT_A_DIRECTORY`, 0xC0000103
  public static let notADirectory = Self(rawValue: 0xc000_0103)
  /// `STATUS_NAME_TOO_LONG`, 0xC0000106
  public static let nameTooLong = Self(rawValue: 0xc000_0106)
  /// `STATUS_MESSAGE_NOT_FOUND`, 0xC0000109
  public static let messageNotFound = Self(rawValue: 0xc000_0109)
  /// `STATUS_PROCESS_IS_TERMINATING`, 0xC000010A
  public static let processIsTerminating = Self(rawValue: 0xc000_010a)
  /// `STATUS_CANCELLED`, 0xC0000120
  public static let cancelled = Self(rawValue: 0xc000_0120)
  /// `STATUS_FILE_CLOSED`, 0xC0000128
  public static let fileClosed = Self(rawValue: 0xc000_0128)
  /// `STATUS_COMMITMENT_LIMIT`, 0xC000012D
  public static let commitmentLimit = Self(rawValue: 0xc000_012d)
  /// `STATUS_INVALID_ADDRESS`, 0xC0000141
  public static let invalidAddress = Self(rawValue: 0xc000_0141)
  /// `STATUS_INVALID_LEVEL`, 0xC0000148
  public static let invalidLevel = Self(rawValue: 0xc000_0148)
  /// `STATUS_ILLEGAL_FLOAT_CONTEXT`, 0xC000014A
  public static let illegalFloatContext = Self(rawValue: 0xc000_014a)
  /// `STATUS_PARTITION_FAILURE`, 0xC0000172
  public static let partitionFailure = Self(rawValue: 0xc000_0172)
  /// `STATUS_INVALID_DEVICE_STATE`, 0xC0000184
  public static let invalidDeviceState = Self(rawValue: 0xc000_0184)
  /// `STATUS_REPLY_MESSAGE_MISMATCH`, 0xC000021F
  public static let replyMessageMismatch = Self(rawValue: 0xc000_021f)
  /// `STATUS_NOT_FOUND`, 0xC0000225
  public static let notFound = Self(rawValue: 0xc000_0225)
  /// `STATUS_STACK_OVERFLOW_READ`, 0xC0000228
  public static let stackOverflowRead = Self(rawValue: 0xc000_0228)
  /// `STATUS_CONNECTION_COUNT_LIMIT`, 0xC0000246
  public static let connectionCountLimit = Self(rawValue: 0xc000_0246)
  /// `STATUS_NO_CALLBACK_ACTIVE`, 0xC0000258
  public static let noCallbackActive = Self(rawValue: 0xc000_0258)
  /// `STATUS_DRIVER_ENTRYPOINT_NOT_FOUND`, 0xC0000263
  public static let driverEntrypointNotFound = Self(rawValue: 0xc000_0263)
  /// `STATUS_RESOURCE_NOT_OWNED`, 0xC0000264
  public static let resourceNotOwned = Self(rawValue: 0xc000_0264)
  /// `STATUS_VOLUME_DISMOUNTED`, 0xC000026E
  public static let volumeDismounted = Self(rawValue: 0xc000_026e)
  /// `STATUS_RANGE_LIST_CONFLICT`, 0xC0000282
  public static let rangeListConflict = Self(rawValue: 0xc000_0282)
  /// `STATUS_RANGE_NOT_FOUND`, 0xC000028C
  public static let rangeNotFound = Self(rawValue: 0xc000_028c)
  /// `STATUS_WMI_GUID_NOT_FOUND`, 0xC0000295
  public static let wmiGuidNotFound = Self(rawValue: 0xc000_0295)
  /// `STATUS_WMI_INSTANCE_NOT_FOUND`, 0xC0000297
  public static let wmiInstanceNotFound = Self(rawValue: 0xc000_0297)
  /// `STATUS_INVALID_DEVICE_OBJECT_PARAMETER`, 0xC0000369
  public static let invalidDeviceObjectParameter = Self(rawValue: 0xc000_0369)
  /// `STATUS_STACK_BUFFER_OVERRUN`, 0xC0000409
  public static let stackBufferOverrun = Self(rawValue: 0xc000_0409)
  /// `STATUS_ASSERTION_FAILURE`, 0xC0000420
  public static let assertionFailure = Self(rawValue: 0xc000_0420)
  /// `STATUS_FLT_NO_HANDLER_DEFINED`, 0xC01C0001
  public static let fltNoHandlerDefined = Self(rawValue: 0xc01c_0001)
  /// `STATUS_FLT_CONTEXT_ALREADY_DEFINED`, 0xC01C0002
  public static let fltContextAlreadyDefined = Self(rawValue: 0xc01c_0002)
  /// `STATUS_FLT_INVALID_ASYNCHRONOUS_REQUEST`, 0xC01C0003
  public static let fltInvalidAsynchronousRequest = Self(rawValue: 0xc01c_0003)
  /// `STATUS_FLT_DISALLOW_FAST_IO`, 0xC01C0004
  public static let fltDisallowFastIO = Self(rawValue: 0xc01c_0004)
  /// `STATUS_FLT_INVALID_NAME_REQUEST`, 0xC01C0005
  public static let fltInvalidNameRequest = Self(rawValue: 0xc01c_0005)
  /// `STATUS_FLT_NOT_SAFE_TO_POST_OPERATION`, 0xC01C0006
  public static let fltNotSafeToPostOperation = Self(rawValue: 0xc01c_0006)
  /// `STATUS_FLT_NOT_INITIALIZED`, 0xC01C0007
  public static let fltNotInitialized = Self(rawValue: 0xc01c_0007)
  /// `STATUS_FLT_FILTER_NOT_READY`, 0xC01C0008
  public static let fltFilterNotReady = Self(rawValue: 0xc01c_0008)
  /// `STATUS_FLT_POST_OPERATION_CLEANUP`, 0xC01C0009
  public static let fltPostOperationCleanup = Self(rawValue: 0xc01c_0009)
  /// `STATUS_FLT_DELETING_OBJECT`, 0xC01C000B
  public static let fltDeletingObject = Self(rawValue: 0xc01c_000b)
  /// `STATUS_FLT_CBDQ_DISABLED`, 0xC01C000E
  public static let fltCbdqDisabled = Self(rawValue: 0xc01c_000e)
  /// `STATUS_FLT_DO_NOT_ATTACH`, 0xC01C000F
  public static let fltDoNotAttach = Self(rawValue: 0xc01c_000f)
  /// `STATUS_FLT_DO_NOT_DETACH`, 0xC01C0010
  public static let fltDoNotDetach = Self(rawValue: 0xc01c_0010)
  /// `STATUS_FLT_INSTANCE_ALTITUDE_COLLISION`, 0xC01C0011
  public static let fltInstanceAltitudeCollision = Self(rawValue: 0xc01c_0011)
  /// `STATUS_FLT_INSTANCE_NAME_COLLISION`, 0xC01C0012
  public static let fltInstanceNameCollision = Self(rawValue: 0xc01c_0012)
  /// `STATUS_FLT_FILTER_NOT_FOUND`, 0xC01C0013
  public static let fltFilterNotFound = Self(rawValue: 0xc01c_0013)
  /// `STATUS_FLT_VOLUME_NOT_FOUND`, 0xC01C0014
  public static let fltVolumeNotFound = Self(rawValue: 0xc01c_0014)
  /// `STATUS_FLT_INSTANCE_NOT_FOUND`, 0xC01C0015
  public static let fltInstanceNotFound = Self(rawValue: 0xc01c_0015)
  /// `STATUS_FLT_CONTEXT_ALLOCATION_NOT_FOUND`, 0xC01C0016
  public static let fltContextAllocationNotFound = Self(rawValue: 0xc01c_0016)
  /// `STATUS_FLT_NAME_CACHE_MISS`, 0xC01C0018
  public static let fltNameCacheMiss = Self(rawValue: 0xc01c_0018)
  /// `STATUS_FLT_NO_DEVICE_OBJECT`, 0xC01C0019
  public static let fltNoDeviceObject = Self(rawValue: 0xc01c_0019)
  /// `STATUS_FLT_VOLUME_ALREADY_MOUNTED`, 0xC01C001A
  public static let fltVolumeAlreadyMounted = Self(rawValue: 0xc01c_001a)
  /// `STATUS_FLT_CONTEXT_ALREADY_LINKED`, 0xC01C001C
  public static let fltContextAlreadyLinked = Self(rawValue: 0xc01c_001c)
  /// `STATUS_FLT_NO_WAITER_FOR_REPLY`, 0xC01C0020
  public static let fltNoWaiterForReply = Self(rawValue: 0xc01c_0020)
}
