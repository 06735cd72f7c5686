/// How many of ``KnownRoutines/countedDrivers`` distinct import sets of real i386 drivers name each routine: Microsoft's minifilter
/// samples, public third-party drivers, and the import lists of a public catalogue of signed drivers.
///
/// A line is a module and a count, then names; lines that begin with blanks go on.
enum ImportCounts {
  static let text = """
    nt 259: IoCreateDevice
    nt 254: IofCompleteRequest
    nt 253: IoDeleteDevice
    nt 249: RtlInitUnicodeString
    nt 209: IoCreateSymbolicLink
    nt 195: IoDeleteSymbolicLink
    nt 193: ExAllocatePoolWithTag
    nt 179: ZwClose
    nt 178: KeWaitForSingleObject
    nt 176: ExFreePoolWithTag
    nt 173: memset
    nt 171: KeInitializeEvent
    nt 157: ObfDereferenceObject
    nt 152: KeTickCount
    nt 151: KeBugCheckEx
    nt 149: IofCallDriver
    nt 126: KeSetEvent
    nt 123: ObReferenceObjectByHandle
    nt 121: RtlUnwind
    nt 119: memcpy
    nt 118: memmove
    nt 117: DbgPrint IoFreeMdl
    nt 113: ZwOpenKey
    nt 111: IoAllocateMdl
    nt 105: RtlFreeUnicodeString
    nt 102: ZwQueryValueKey
    nt 100: IoBuildDeviceIoControlRequest
    nt 99: MmMapIoSpace
    nt 96: MmUnmapIoSpace
    nt 82: MmMapLockedPagesSpecifyCache
    nt 78: MmBuildMdlForNonPagedPool RtlAnsiStringToUnicodeString
    nt 75: ZwCreateKey ZwSetValueKey
    nt 74: IoGetDeviceObjectPointer RtlCopyUnicodeString
    nt 73: KeQuerySystemTime RtlAppendUnicodeToString
    nt 72: MmGetSystemRoutineAddress
    nt 71: KeGetCurrentThread
    nt 70: ExFreePool KeDelayExecutionThread
    nt 69: IoFreeIrp RtlInitAnsiString
    nt 67: MmIsAddressValid PsCreateSystemThread
    nt 65: MmUnlockPages ZwCreateFile
    nt 64: PsGetCurrentProcessId
    nt 63: KeInitializeDpc ObfReferenceObject RtlQueryRegistryValues
    nt 62: IoAllocateIrp MmProbeAndLockPages
    nt 61: MmUnmapLockedPages PsTerminateSystemThread RtlCompareMemory
    nt 58: ObOpenObjectByPointer RtlAppendUnicodeStringToString swprintf
    nt 57: IoFileObjectType
    nt 56: IoGetCurrentProcess
    nt 55: KeEnterCriticalRegion KeLeaveCriticalRegion ZwWriteFile
    nt 54: KeClearEvent PsLookupProcessByProcessId
    nt 53: ExAllocatePool ZwMapViewOfSection
    nt 51: PoStartNextPowerIrp PsGetVersion RtlCompareUnicodeString ZwUnmapViewOfSection
    nt 49: ZwReadFile
    nt 48: RtlCreateSecurityDescriptor
    nt 47: _allmul
    nt 46: IoDetachDevice PoCallDriver ProbeForWrite RtlSetDaclSecurityDescriptor
    nt 45: IoBuildSynchronousFsdRequest KeInitializeMutex KeReleaseMutex ProbeForRead RtlLengthSid SeExports ZwDeleteKey ZwOpenProcess
      _wcsnicmp
    nt 44: IoAttachDeviceToDeviceStack ZwQuerySystemInformation
    nt 43: RtlAddAccessAllowedAce RtlEqualUnicodeString ZwEnumerateKey ZwQueryInformationFile ZwSetSecurityObject
    nt 41: ExDeleteResourceLite ExInitializeResourceLite
    nt 40: MmGetPhysicalAddress _snwprintf wcsrchr
    nt 39: ExAcquireResourceExclusiveLite ExReleaseResourceLite IoIsWdmVersionAvailable RtlUnicodeStringToAnsiString
    nt 38: KeInitializeTimer ObQueryNameString ZwOpenSymbolicLinkObject _vsnprintf wcschr
    nt 37: KeInsertQueueDpc KeStackAttachProcess KeUnstackDetachProcess RtlAbsoluteToSelfRelativeSD RtlLengthSecurityDescriptor
      ZwOpenSection ZwQuerySymbolicLinkObject ZwSetInformationFile strncpy
    nt 36: KeSetTimer PsProcessType
    nt 35: ExAcquireResourceSharedLite KeCancelTimer KeInitializeSemaphore KeReleaseSemaphore RtlGetDaclSecurityDescriptor
      RtlGetOwnerSecurityDescriptor ZwEnumerateValueKey
    nt 34: IoDeviceObjectType KeNumberProcessors MmMapLockedPages PsGetCurrentThreadId RtlGetGroupSecurityDescriptor
      RtlGetSaclSecurityDescriptor SeCaptureSecurityDescriptor ZwOpenFile _except_handler3 _stricmp
    nt 33: IoCreateFile KeSetPriorityThread ZwWaitForSingleObject
    nt 32: ExEventObjectType ExGetPreviousMode IoReleaseCancelSpinLock ObReferenceObjectByPointer RtlTimeToTimeFields
    nt 31: ExSystemTimeToLocalTime KeInitializeSpinLock WRITE_REGISTER_ULONG ZwQueryInformationProcess ZwTerminateProcess _strnicmp
      wcsncpy
    nt 30: IoDriverObjectType PsThreadType
    nt 29: IoAllocateWorkItem RtlCreateAcl RtlUpcaseUnicodeString ZwOpenDirectoryObject ZwQueryKey
    nt 28: DbgBreakPoint KeWaitForMultipleObjects ObOpenObjectByName PsSetCreateProcessNotifyRoutine ZwQueryDirectoryObject _allrem wcslen
    nt 27: ExAcquireFastMutexUnsafe ExReleaseFastMutexUnsafe IoAcquireVpbSpinLock IoFreeWorkItem IoQueueWorkItem IoReleaseVpbSpinLock
      KeServiceDescriptorTable WRITE_REGISTER_UCHAR ZwCreateEvent _purecall
    nt 26: IoGetFileObjectGenericMapping KeQueryActiveProcessors ZwCreateSection ZwDeleteValueKey ZwQueryDirectoryFile
      ZwQueryVolumeInformationFile wcsstr
    nt 25: ExQueueWorkItem IoBuildAsynchronousFsdRequest IoGetDeviceProperty RtlFreeAnsiString ZwSetEvent _snprintf mbstowcs
    nt 24: NtClose RtlInitializeSid RtlLengthRequiredSid RtlSubAuthoritySid SeReleaseSubjectContext ZwDeviceIoControlFile
    nt 23: FsRtlIsNameInExpression KePulseEvent MmFreeContiguousMemory NtQueryInformationProcess RtlImageNtHeader SeCaptureSubjectContext
      ZwDuplicateObject sprintf strrchr
    nt 22: IoRegisterDeviceInterface IoSetDeviceInterfaceState KefAcquireSpinLockAtDpcLevel MmSectionObjectType NtOpenProcess
      ObCreateObject ObInsertObject RtlUnicodeStringToInteger ZwNotifyChangeKey towupper
    nt 21: InterlockedPopEntrySList InterlockedPushEntrySList IoConnectInterrupt IoGetDeviceInterfaces IoGetRelatedDeviceObject
      IoInitializeRemoveLockEx KeAddSystemServiceTable READ_REGISTER_ULONG SeCreateAccessState ZwOpenEvent ZwQuerySecurityObject
    nt 20: ExfInterlockedInsertTailList IoAcquireCancelSpinLock IoAcquireRemoveLockEx IoReleaseRemoveLockEx KefReleaseSpinLockFromDpcLevel
      NtBuildNumber READ_REGISTER_UCHAR RtlUpperChar WRITE_REGISTER_USHORT ZwConnectPort ZwQueryObject ZwRequestWaitReplyPort _vsnwprintf
      strstr wcsncmp
    nt 19: ExInitializeNPagedLookasideList IoGetConfigurationInformation IoRegisterPlugPlayNotification IoReleaseRemoveLockAndWaitEx
      MmAllocateContiguousMemory READ_REGISTER_BUFFER_UCHAR READ_REGISTER_USHORT
    nt 18: IoDisconnectInterrupt IoForwardIrpSynchronously IoRegisterShutdownNotification KeSetTimerEx READ_REGISTER_BUFFER_ULONG
      RtlIntegerToUnicodeString ZwAllocateVirtualMemory
    nt 17: IoAllocateErrorLogEntry IoCancelIrp IoGetStackLimits MmHighestUserAddress ObReferenceObjectByName ZwFreeVirtualMemory
      ZwSetInformationObject ZwSetInformationThread strncmp
    nt 16: DbgPrintEx ExDeleteNPagedLookasideList IoUnregisterPlugPlayNotification IoWriteErrorLogEntry KeSetSystemAffinityThread
      MmAllocateContiguousMemorySpecifyCache MmSystemRangeStart PsGetProcessId PsIsThreadTerminating RtlAssert
    nt 15: IoAttachDeviceToDeviceStackSafe IoGetAttachedDeviceReference KeSetTargetProcessorDpc PsGetProcessExitTime RtlWriteRegistryValue
      wcstombs
    nt 14: KeInitializeTimerEx KeQueryTimeIncrement KeResetEvent WRITE_REGISTER_BUFFER_UCHAR _allshr
    nt 13: ExInterlockedPopEntrySList IoOpenDeviceRegistryKey IoUnregisterShutdownNotification KeRevertToUserAffinityThread RtlGetVersion
    nt 12: ExfInterlockedRemoveHeadList IoAllocateDriverObjectExtension PoSetPowerState RtlUpcaseUnicodeChar SeAccessCheck ZwFsControlFile
      _wcsicmp strlen strncat wcsncat
    nt 11: IoGetDriverObjectExtension MmGetPhysicalMemoryRanges RtlPrefixUnicodeString ZwOpenProcessTokenEx
    nt 10: ExRaiseStatus ExUuidCreate IoGetTopLevelIrp IoThreadToProcess _allshl _aullshr wcscpy
    nt 9: IoBuildPartialMdl IoInvalidateDeviceRelations IoRegisterFileSystem IoSetTopLevelIrp IoStartNextPacket IoStartPacket
      IoWMIRegistrationControl KeBugCheck KeSetImportanceDpc KeSynchronizeExecution MmAllocatePagesForMdl MmFreePagesFromMdl
      ObGetObjectSecurity ObReleaseObjectSecurity PsLookupThreadByThreadId RtlEqualSid RtlInitString RtlStringFromGUID
      ZwQueryInformationToken _alldiv _aullrem
    nt 8: CcFlushCache CcInitializeCacheMap CcSetFileSizes CcUninitializeCacheMap ExIsResourceAcquiredExclusiveLite
      FsRtlIsNtstatusExpected IoCheckShareAccess IoGetRequestorProcess IoIsOperationSynchronous IoRemoveShareAccess KeQueryInterruptTime
      MmCanFileBeTruncated MmFreeContiguousMemorySpecifyCache PoRequestPowerIrp PsDereferencePrimaryToken
      PsRemoveCreateThreadNotifyRoutine PsSetCreateThreadNotifyRoutine READ_REGISTER_BUFFER_USHORT RtlAnsiCharToUnicodeChar
      RtlFillMemoryUlong SeTokenIsAdmin ZwOpenThreadTokenEx
    nt 7: CcCanIWrite CcCopyRead CcCopyWrite CcPurgeCacheSection ExAllocatePoolWithQuotaTag ExIsResourceAcquiredSharedLite
      FsRtlCheckLockForReadAccess FsRtlCheckLockForWriteAccess FsRtlDoesNameContainWildCards FsRtlFastUnlockAll FsRtlInitializeFileLock
      FsRtlUninitializeFileLock IoGetDeviceAttachmentBaseRef IoReuseIrp IoSetHardErrorOrVerifyDevice IoSetShareAccess KeAttachProcess
      KeDetachProcess MmFlushImageSection NlsMbCodePageTag PsInitialSystemProcess PsSetLoadImageNotifyRoutine RtlEqualString
      RtlInitializeBitMap SePrivilegeCheck SeSinglePrivilegeCheck WRITE_REGISTER_BUFFER_ULONG WRITE_REGISTER_BUFFER_USHORT _aulldiv strchr
    nt 6: CcDeferWrite CcMdlReadComplete CcMdlWriteComplete ExConvertExclusiveToSharedLite FsRtlNotifyCleanup
      FsRtlNotifyFullChangeDirectory FsRtlNotifyInitializeSync FsRtlProcessFileLock InterlockedDecrement InterlockedIncrement
      IoCsqRemoveNextIrp IoGetRequestorProcessId KeAcquireGuardedMutex KeReleaseGuardedMutex MmLockPagableDataSection
      PsReferencePrimaryToken RtlCreateUnicodeString RtlMultiByteToUnicodeN RtlMultiByteToUnicodeSize RtlUnicodeToMultiByteN
      SeQueryInformationToken ZwLoadDriver vsprintf wcscat
    nt 5: CcMdlRead CcPrepareMdlWrite CcSetReadAheadGranularity ExAcquireSharedStarveExclusive ExCreateCallback ExRegisterCallback
      ExReleaseResourceForThreadLite ExUnregisterCallback ExfInterlockedInsertHeadList FsRtlFastCheckLockForRead
      FsRtlFastCheckLockForWrite FsRtlNotifyFullReportChange FsRtlNotifyUninitializeSync InterlockedExchange IoCreateStreamFileObject
      IoCreateUnprotectedSymbolicLink IoEnumerateDeviceObjectList IoGetDeviceToVerify IoGetDmaAdapter IoInitializeTimer
      IoQueryDeviceDescription IoReportResourceUsage IoSetDeviceToVerify IoUnregisterFileSystem IoUpdateShareAccess IoVerifyVolume
      KeFlushQueuedDpcs MmCreateMdl MmIsNonPagedSystemAddressValid MmPageEntireDriver PsRemoveLoadImageNotifyRoutine RtlClearBits
      RtlConvertSidToUnicodeString RtlCopyString RtlDeleteRegistryValue RtlSetBits RtlVolumeDeviceToDosName SeLockSubjectContext
      SeMarkLogonSessionForTerminationNotification SeRegisterLogonSessionTerminatedRoutine SeUnlockSubjectContext
      SeUnregisterLogonSessionTerminatedRoutine ZwDeleteFile _wcslwr strcmp
    nt 4: CcZeroData CmUnRegisterCallback ExEnterCriticalRegionAndAcquireResourceExclusive ExReleaseResourceAndLeaveCriticalRegion
      FsRtlAreNamesEqual FsRtlCheckOplock FsRtlCopyRead FsRtlCopyWrite FsRtlFastUnlockAllByKey FsRtlFastUnlockSingle FsRtlInitializeOplock
      FsRtlNotifyVolumeEvent FsRtlOplockFsctrl FsRtlOplockIsFastIoPossible FsRtlPrivateLock FsRtlTeardownPerStreamContexts
      FsRtlUninitializeOplock IoCheckEaBufferValidity IoCreateSynchronizationEvent IoCsqInitialize IoCsqInsertIrp
      IoReportTargetDeviceChangeAsynchronous IoStartTimer IoWMIOpenBlock IoWMIQueryAllData KeAcquireInterruptSpinLock
      KeReleaseInterruptSpinLock KeRestoreFloatingPointState KeSaveFloatingPointState MmQuerySystemSize PsGetProcessWin32Process
      RtlCompareString RtlCreateRegistryKey RtlDowncaseUnicodeString RtlFormatCurrentUserKeyPath RtlOemStringToUnicodeString RtlRandomEx
      RtlSetOwnerSecurityDescriptor RtlTimeFieldsToTime RtlUnicodeStringToOemString RtlUpperString RtlxAnsiStringToUnicodeSize
      SeQueryAuthenticationIdToken SeQuerySecurityDescriptorInfo SeTokenType ZwOpenProcessToken ZwOpenThread ZwQueryInformationThread
      _strupr atoi swprintf_s towlower
    nt 3: CcPinRead CcSetDirtyPinnedData CcUnpinData CcWaitForCurrentLazyWriterActivity CmRegisterCallbackEx
      ExAcquireSharedWaitForExclusive ExAllocatePool2 ExEnterCriticalRegionAndAcquireResourceShared ExInitializePagedLookasideList
      ExLocalTimeToSystemTime ExSetResourceOwnerPointer ExSetTimerResolution ExfInterlockedAddUlong FsRtlAddLargeMcbEntry
      FsRtlCurrentBatchOplock FsRtlDissectName FsRtlGetNextLargeMcbEntry FsRtlInitializeLargeMcb FsRtlLegalAnsiCharacterArray
      FsRtlLookupLargeMcbEntry FsRtlNormalizeNtstatus FsRtlPostStackOverflow FsRtlRegisterFileSystemFilterCallbacks FsRtlTruncateLargeMcb
      FsRtlUninitializeLargeMcb HalDispatchTable InitSafeBootMode IoAllocateAdapterChannel IoCreateNotificationEvent IoCsqInitializeEx
      IoGetBaseFileSystemDeviceObject IoGetTransactionParameterBlock IoInitializeIrp IoInvalidateDeviceState IoIsSystemThread
      IoMakeAssociatedIrp IoOpenDeviceInterfaceRegistryKey IoRaiseHardError IoRegisterDriverReinitialization IoReportDetectedDevice
      IoStopTimer KeDeregisterBugCheckCallback KeReadStateEvent KeRegisterBugCheckCallback KeRemoveQueueDpc MmAllocateNonCachedMemory
      MmFreeNonCachedMemory MmLockPagableSectionByHandle MmUnlockPagableImageSection NlsOemLeadByteInfo ObCloseHandle ObRegisterCallbacks
      ObUnRegisterCallbacks PsGetProcessImageFileName PsGetThreadId RtlAreBitsClear RtlCheckRegistryKey RtlFindClearBits
      RtlFindNextForwardRunClear RtlFindUnicodePrefix RtlGenerate8dot3Name RtlInitializeUnicodePrefix RtlInsertUnicodePrefix
      RtlIsNameLegalDOS8Dot3 RtlNumberOfSetBits RtlRemoveUnicodePrefix RtlUnicodeToMultiByteSize SeAssignSecurity SeImpersonateClientEx
      SeSetSecurityDescriptorInfo ZwFlushKey _strlwr strcpy strncpy_s wcscpy_s
    nt 2: CcMapData CcMdlWriteAbort CcSetAdditionalCacheAttributes CmCallbackGetKeyObjectID CmRegisterCallback DbgBreakPointWithStatus
      ExAcquireSpinLockExclusive ExAllocatePoolWithTagPriority ExDeletePagedLookasideList ExIsProcessorFeaturePresent
      ExReleaseSpinLockExclusive ExfInterlockedPopEntryList ExfInterlockedPushEntryList FsRtlGetFileSize FsRtlMdlReadCompleteDev
      FsRtlMdlReadDev FsRtlMdlWriteCompleteDev FsRtlNumberOfRunsInLargeMcb FsRtlPostPagingFileStackOverflow FsRtlPrepareMdlWriteDev
      FsRtlRemoveLargeMcbEntry InterlockedCompareExchange IoCsqInsertIrpEx IoGetAttachedDevice IoGetLowerDeviceObject IoInitializeWorkItem
      IoQueryFileDosDeviceName IoQueueWorkItemEx IoRaiseInformationalHardError IoReadPartitionTableEx IoRegisterBootDriverReinitialization
      IoRegisterFsRegistrationChange IoSetStartIoAttributes IoUninitializeWorkItem IoVolumeDeviceToDosName Ke386IoSetAccessProcess
      Ke386SetIoAccessMap KeAreApcsDisabled KeInitializeApc KeInitializeGuardedMutex KeInitializeQueue KeInsertQueue KeInsertQueueApc
      KeRemoveDeviceQueue KeRemoveEntryDeviceQueue KeSetBasePriorityThread Kei386EoiHelper MmForceSectionClosed MmResetDriverPaging
      NlsMbOemCodePageTag NtQueryInformationToken NtSetSecurityObject PsGetProcessPeb PsGetThreadProcess PsGetThreadProcessId
      PsSetCreateProcessNotifyRoutineEx RtlCaptureContext RtlClearAllBits RtlDeleteElementGenericTableAvl RtlEnumerateGenericTableAvl
      RtlFindLongestRunClear RtlFindMessage RtlInitializeGenericTableAvl RtlInsertElementGenericTableAvl RtlLookupElementGenericTableAvl
      RtlNumberOfClearBits RtlRandom RtlSetBit RtlSetGroupSecurityDescriptor RtlValidRelativeSecurityDescriptor RtlValidSid
      RtlxOemStringToUnicodeSize SeCreateClientSecurity SeCreateClientSecurityFromSubjectContext SeTokenObjectType ZwCreateDirectoryObject
      ZwSetSystemTime ZwUnloadDriver _aulldvrm memchr memcmp strcat wcscmp wcsncat_s
    nt 1: CcCopyWriteWontFlush CcFastCopyRead CcFastCopyWrite CcGetFileObjectFromBcb CcIsThereDirtyData CcPinMappedData CcPreparePinWrite
      CcRepinBcb CcSetBcbOwnerPointer CcUnpinDataForThread CcUnpinRepinnedBcb DbgPrompt ExAcquireRundownProtection
      ExAcquireRundownProtectionCacheAware ExDeleteLookasideListEx ExEnumHandleTable ExGetCurrentProcessorCounts
      ExGetCurrentProcessorCpuUsage ExGetExclusiveWaiterCount ExGetSharedWaiterCount ExInitializeLookasideListEx
      ExInitializeRundownProtection ExInitializeRundownProtectionCacheAware ExInitializeZone ExInterlockedAddLargeInteger
      ExInterlockedPushEntrySList ExReInitializeRundownProtectionCacheAware ExReleaseRundownProtection
      ExReleaseRundownProtectionCacheAware ExSemaphoreObjectType ExSizeOfRundownProtectionCacheAware ExVerifySuite
      ExWaitForRundownProtectionReleaseCacheAware ExfAcquirePushLockExclusive ExfAcquirePushLockShared ExfInterlockedCompareExchange64
      ExfReleasePushLock ExfUnblockPushLock FsRtlAddToTunnelCache FsRtlAllocateExtraCreateParameter FsRtlAllocateExtraCreateParameterList
      FsRtlAllocatePoolWithQuotaTag FsRtlAllocatePoolWithTag FsRtlAreThereCurrentOrInProgressFileLocks FsRtlBalanceReads
      FsRtlCheckOplockEx FsRtlCurrentOplockH FsRtlDeleteKeyFromTunnelCache FsRtlDeleteTunnelCache FsRtlDeregisterUncProvider
      FsRtlFindExtraCreateParameter FsRtlFindInTunnelCache FsRtlFreeExtraCreateParameter FsRtlFreeExtraCreateParameterList
      FsRtlGetEcpListFromIrp FsRtlGetNextFileLock FsRtlInitializeTunnelCache FsRtlInsertExtraCreateParameter FsRtlIsDbcsInExpression
      FsRtlIsEcpFromUserMode FsRtlIsFatDbcsLegal FsRtlIsTotalDeviceFailure FsRtlLookupLastLargeMcbEntry
      FsRtlLookupLastLargeMcbEntryAndIndex FsRtlMupGetProviderInfoFromFileObject FsRtlNotifyCleanupAll FsRtlNotifyFilterChangeDirectory
      FsRtlNotifyFilterReportChange FsRtlOplockBreakH FsRtlOplockIsSharedRequest FsRtlRegisterUncProvider FsRtlRegisterUncProviderEx
      FsRtlValidateReparsePointBuffer FspMountmgrCreateDrive FspMountmgrDeleteDrive FspMountmgrNotifyCreateDirectory
      FspMountmgrNotifyDeleteDirectory FspUuid5Make HalExamineMBR HalPrivateDispatchTable HeadlessDispatch InbvCheckDisplayOwnership
      InbvNotifyDisplayOwnershipLost IoAssignResources IoAttachDeviceByPointer IoCreateDisk IoCreateFileEx
      IoCreateFileSpecifyDeviceObjectHint IoCsqRemoveIrp IoGetDiskDeviceObject IoGetPagingIoPriority IoQueryFileInformation
      IoReadDiskSignature IoRegisterBootDriverCallback IoSetCompletionRoutineEx IoSetPartitionInformation IoSetPartitionInformationEx
      IoSetSystemPartition IoSetThreadHardErrorMode IoUnregisterBootDriverCallback IoWMIWriteEvent IoWritePartitionTableEx
      KdDebuggerEnabled KdDebuggerNotPresent KdDisableDebugger KdEnableDebugger KdSystemDebugControl KeCapturePersistentThreadState
      KeGetPreviousMode KeGetRecommendedSharedDataAlignment KeInitializeDeviceQueue KeInsertByKeyDeviceQueue KeIpiGenericCall
      KeLoaderBlock KeQueryActiveProcessorCount KeQuerySystemTimePrecise KeReadStateMutex KeReadStateQueue KeRegisterNmiCallback
      KeRemoveByKeyDeviceQueue KeRemoveQueue KeRemoveQueueEx KeRundownQueue KiBugCheckData KiEnableTimerWatchdog LdrAccessResource
      LdrFindResource_U MmAllocateMappingAddress MmDoesFileHaveUserWritableReferences MmFreeMappingAddress MmIsDriverVerifying
      MmIsThisAnNtAsSystem MmSecureVirtualMemory MmUnsecureVirtualMemory MmUserProbeAddress NtOpenFile NtQuerySystemInformation
      NtSetInformationThread NtShutdownSystem ObCreateObjectType ObDereferenceSecurityDescriptor ObGetFilterVersion ObGetObjectType
      ObLogSecurityDescriptor ObMakeTemporaryObject ObSetHandleAttributes ObSetSecurityObjectByPointer PsAcquireProcessExitSynchronization
      PsGetCurrentProcessSessionId PsGetCurrentThreadTeb PsGetProcessCreateTimeQuadPart PsGetProcessInheritedFromUniqueProcessId
      PsGetProcessJob PsGetProcessSectionBaseAddress PsGetProcessSessionId PsGetThreadHardErrorsAreDisabled PsIsSystemThread PsJobType
      PsLookupProcessThreadByCid PsReleaseProcessExitSynchronization PsRevertToSelf PsSetThreadHardErrorsAreDisabled RtlAddRange
      RtlCopyLuid RtlCopySid RtlCreateSystemVolumeInformationFolder RtlDelete RtlDeleteElementGenericTable
      RtlEnumerateGenericTableLikeADirectory RtlExtendedLargeIntegerDivide RtlFindClearBitsAndSet RtlFindFirstRunClear RtlFreeOemString
      RtlFreeRangeList RtlGUIDFromString RtlGetCallersAddress RtlInitializeGenericTable RtlInitializeRangeList RtlIpv4AddressToStringExA
      RtlIpv6AddressToStringExA RtlIsGenericTableEmptyAvl RtlNumberGenericTableElementsAvl RtlOemStringToCountedUnicodeString
      RtlOemToUnicodeN RtlSecondsSince1970ToTime RtlSelfRelativeToAbsoluteSD RtlSetAllBits RtlSplay RtlSubAuthorityCountSid
      RtlTimeToSecondsSince1970 RtlUnicodeStringToCountedOemString RtlUpcaseUnicodeStringToCountedOemString RtlVerifyVersionInfo
      RtlWalkFrameChain RtlxUnicodeStringToOemSize SeAppendPrivileges SeAssignSecurityEx SeFilterToken SeFreePrivileges
      SeLocateProcessImageName SeOpenObjectAuditAlarm SeQuerySessionIdToken SeTokenIsRestricted TmTransactionObjectType
      VerSetConditionMask VfFailDeviceNode VfIsVerificationEnabled ZwMakeTemporaryObject ZwQueryInformationTransaction ZwQuerySection
      ZwQueryVirtualMemory ZwSetVolumeInformationFile ZwYieldExecution _USBD_CreateConfigurationRequestEx@8
      _USBD_ParseConfigurationDescriptorEx@28 _snwprintf_s islower isspace isxdigit qsort vDbgPrintEx vDbgPrintExWithPrefix wcsncpy_s
    hal 103: KfAcquireSpinLock KfReleaseSpinLock
    hal 90: READ_PORT_UCHAR WRITE_PORT_UCHAR
    hal 83: READ_PORT_ULONG
    hal 80: WRITE_PORT_ULONG
    hal 74: READ_PORT_USHORT
    hal 73: KeGetCurrentIrql WRITE_PORT_USHORT
    hal 55: ExAcquireFastMutex ExReleaseFastMutex
    hal 52: KfLowerIrql
    hal 50: KeStallExecutionProcessor
    hal 43: HalGetBusDataByOffset
    hal 42: HalSetBusDataByOffset
    hal 41: KfRaiseIrql
    hal 29: HalTranslateBusAddress KeRaiseIrqlToDpcLevel
    hal 18: KeQueryPerformanceCounter
    hal 11: HalGetInterruptVector
    hal 8: HalGetBusData KeAcquireInStackQueuedSpinLock KeReleaseInStackQueuedSpinLock READ_PORT_BUFFER_UCHAR
    hal 5: KeAcquireQueuedSpinLock KeReleaseQueuedSpinLock
    hal 4: HalAssignSlotResources HalGetAdapter READ_PORT_BUFFER_USHORT WRITE_PORT_BUFFER_UCHAR WRITE_PORT_BUFFER_USHORT
    hal 3: ExTryToAcquireFastMutex READ_PORT_BUFFER_ULONG WRITE_PORT_BUFFER_ULONG
    hal 2: HalBeginSystemInterrupt HalDisplayString HalEndSystemInterrupt IoFreeMapRegisters IoMapTransfer
    hal 1: HalAllocateCommonBuffer HalFreeCommonBuffer HalMakeBeep HalSetBusData IoFlushAdapterBuffers IoFreeAdapterChannel KdComPortInUse
    fltMgr 19: FltRegisterFilter FltStartFiltering FltUnregisterFilter
    fltMgr 12: FltAllocateContext FltReleaseContext
    fltMgr 11: FltGetFileNameInformation FltReleaseFileNameInformation
    fltMgr 9: FltParseFileNameInformation
    fltMgr 6: FltBuildDefaultSecurityDescriptor FltCloseCommunicationPort FltCreateCommunicationPort
    fltMgr 5: FltClose FltCloseClientPort FltFreeSecurityDescriptor FltGetInstanceContext FltQueryInformationFile FltSetInstanceContext
      FltSetStreamHandleContext
    fltMgr 4: FltCreateFile FltGetStreamHandleContext FltSendMessage
    fltMgr 3: FltAllocatePoolAlignedWithTag FltDeleteContext FltFreePoolAlignedWithTag FltGetDestinationFileNameInformation
      FltGetFileContext FltGetRoutineAddress FltGetVolumeName FltLockUserBuffer FltReferenceContext FltSetCallbackDataDirty
      FltSetFileContext FltSetInformationFile
    fltMgr 2: FltAcquireResourceExclusive FltAllocateCallbackData FltAllocateGenericWorkItem FltCancelFileOpen FltCheckAndGrowNameControl
      FltCompletePendedPreOperation FltCreateFileEx2 FltDoCompletionProcessingWhenSafe FltEnlistInTransaction FltFreeCallbackData
      FltFreeGenericWorkItem FltFsControlFile FltGetDiskDeviceObject FltGetFileNameInformationUnsafe FltGetFileSystemType
      FltGetStreamContext FltGetTransactionContext FltGetVolumeProperties FltParseFileName FltPerformSynchronousIo FltQueueGenericWorkItem
      FltReadFile FltReleaseResource FltSetStreamContext FltSetTransactionContext
    fltMgr 1: FltCancelIo FltCbdqDisable FltCbdqInitialize FltCbdqInsertIo FltCbdqRemoveNextIo FltClearCancelCompletion
      FltCompletePendedPostOperation FltCreateSystemVolumeInformationFolder FltDetachVolume FltGetDeviceObject
      FltGetEcpListFromCallbackData FltGetIrpName FltGetNextExtraCreateParameter FltGetVolumeContext FltGetVolumeFromInstance
      FltGetVolumeGuidName FltIsDirectory FltIsEcpFromUserMode FltIsIoCanceled FltIsVolumeWritable FltObjectDereference
      FltPerformAsynchronousIo FltRequestOperationStatusCallback FltReuseCallbackData FltSetCancelCompletion FltSetVolumeContext
    """
}
