/// The system services of Windows 7 SP1, as ``SystemServices`` has those of XP: numbers as a debugger shows them of the table, arguments
/// as the import libraries decorate the routines' names.
enum Windows7Services {
  static let table = """
    AcceptConnectPort:6 AccessCheck:8 AccessCheckAndAuditAlarm:11 AccessCheckByType:11 AccessCheckByTypeAndAuditAlarm:16
    AccessCheckByTypeResultList:11 AccessCheckByTypeResultListAndAuditAlarm:16
    AccessCheckByTypeResultListAndAuditAlarmByHandle:17 AddAtom:3 AddBootEntry:2 AddDriverEntry:2 AdjustGroupsToken:6
    AdjustPrivilegesToken:6 AlertResumeThread:2 AlertThread:1 AllocateLocallyUniqueId:1 AllocateReserveObject:3
    AllocateUserPhysicalPages:3 AllocateUuids:4 AllocateVirtualMemory:6 AlpcAcceptConnectPort:9 AlpcCancelMessage:3
    AlpcConnectPort:11 AlpcCreatePort:3 AlpcCreatePortSection:6 AlpcCreateResourceReserve:4 AlpcCreateSectionView:3
    AlpcCreateSecurityContext:3 AlpcDeletePortSection:3 AlpcDeleteResourceReserve:3 AlpcDeleteSectionView:3
    AlpcDeleteSecurityContext:3 AlpcDisconnectPort:2 AlpcImpersonateClientOfPort:3 AlpcOpenSenderProcess:6
    AlpcOpenSenderThread:6 AlpcQueryInformation:5 AlpcQueryInformationMessage:6 AlpcRevokeSecurityContext:3
    AlpcSendWaitReceivePort:8 AlpcSetInformation:4 ApphelpCacheControl:2 AreMappedFilesTheSame:2 AssignProcessToJobObject:2
    CallbackReturn:3 CancelIoFile:2 CancelIoFileEx:3 CancelSynchronousIoFile:3 CancelTimer:2 ClearEvent:1 Close:1
    CloseObjectAuditAlarm:3 CommitComplete:2 CommitEnlistment:2 CommitTransaction:2 CompactKeys:2 CompareTokens:3
    CompleteConnectPort:1 CompressKey:1 ConnectPort:8 Continue:2 CreateDebugObject:4 CreateDirectoryObject:3 CreateEnlistment:8
    CreateEvent:5 CreateEventPair:3 CreateFile:11 CreateIoCompletion:4 CreateJobObject:3 CreateJobSet:3 CreateKey:7
    CreateKeyedEvent:4 CreateKeyTransacted:8 CreateMailslotFile:8 CreateMutant:4 CreateNamedPipeFile:14 CreatePagingFile:4
    CreatePort:5 CreatePrivateNamespace:4 CreateProcess:8 CreateProcessEx:9 CreateProfile:9 CreateProfileEx:10
    CreateResourceManager:7 CreateSection:7 CreateSemaphore:5 CreateSymbolicLinkObject:4 CreateThread:8 CreateThreadEx:11
    CreateTimer:4 CreateToken:13 CreateTransaction:10 CreateTransactionManager:6 CreateUserProcess:11 CreateWaitablePort:5
    CreateWorkerFactory:10 DebugActiveProcess:2 DebugContinue:3 DelayExecution:2 DeleteAtom:1 DeleteBootEntry:1
    DeleteDriverEntry:1 DeleteFile:1 DeleteKey:1 DeleteObjectAuditAlarm:3 DeletePrivateNamespace:1 DeleteValueKey:2
    DeviceIoControlFile:10 DisableLastKnownGood:0 DisplayString:1 DrawText:1 DuplicateObject:7 DuplicateToken:6
    EnableLastKnownGood:0 EnumerateBootEntries:2 EnumerateDriverEntries:2 EnumerateKey:6 EnumerateSystemEnvironmentValuesEx:3
    EnumerateTransactionObject:5 EnumerateValueKey:6 ExtendSection:2 FilterToken:6 FindAtom:3 FlushBuffersFile:2
    FlushInstallUILanguage:2 FlushInstructionCache:3 FlushKey:1 FlushProcessWriteBuffers:0 FlushVirtualMemory:4
    FlushWriteBuffer:0 FreeUserPhysicalPages:3 FreeVirtualMemory:4 FreezeRegistry:1 FreezeTransactions:2 FsControlFile:10
    GetContextThread:2 GetCurrentProcessorNumber:0 GetDevicePowerState:2 GetMUIRegistryInfo:3 GetNextProcess:5 GetNextThread:6
    GetNlsSectionPtr:5 GetNotificationResourceManager:7 GetPlugPlayEvent:4 GetWriteWatch:7 ImpersonateAnonymousToken:1
    ImpersonateClientOfPort:2 ImpersonateThread:3 InitializeNlsFiles:4 InitializeRegistry:1 InitiatePowerAction:4
    IsProcessInJob:2 IsSystemResumeAutomatic:0 IsUILanguageComitted:0 ListenPort:2 LoadDriver:1 LoadKey:2 LoadKey2:3 LoadKeyEx:8
    LockFile:10 LockProductActivationKeys:2 LockRegistryKey:1 LockVirtualMemory:4 MakePermanentObject:1 MakeTemporaryObject:1
    MapCMFModule:6 MapUserPhysicalPages:3 MapUserPhysicalPagesScatter:3 MapViewOfSection:10 ModifyBootEntry:1
    ModifyDriverEntry:1 NotifyChangeDirectoryFile:9 NotifyChangeKey:10 NotifyChangeMultipleKeys:12 NotifyChangeSession:8
    OpenDirectoryObject:3 OpenEnlistment:5 OpenEvent:3 OpenEventPair:3 OpenFile:6 OpenIoCompletion:3 OpenJobObject:3 OpenKey:3
    OpenKeyEx:4 OpenKeyedEvent:3 OpenKeyTransacted:4 OpenKeyTransactedEx:5 OpenMutant:3 OpenObjectAuditAlarm:12
    OpenPrivateNamespace:4 OpenProcess:4 OpenProcessToken:3 OpenProcessTokenEx:4 OpenResourceManager:5 OpenSection:3
    OpenSemaphore:3 OpenSession:3 OpenSymbolicLinkObject:3 OpenThread:4 OpenThreadToken:4 OpenThreadTokenEx:5 OpenTimer:3
    OpenTransaction:5 OpenTransactionManager:6 PlugPlayControl:3 PowerInformation:5 PrepareComplete:2 PrepareEnlistment:2
    PrePrepareComplete:2 PrePrepareEnlistment:2 PrivilegeCheck:3 PrivilegedServiceAuditAlarm:5 PrivilegeObjectAuditAlarm:6
    PropagationComplete:4 PropagationFailed:3 ProtectVirtualMemory:5 PulseEvent:2 QueryAttributesFile:2 QueryBootEntryOrder:2
    QueryBootOptions:2 QueryDebugFilterState:2 QueryDefaultLocale:2 QueryDefaultUILanguage:1 QueryDirectoryFile:11
    QueryDirectoryObject:7 QueryDriverEntryOrder:2 QueryEaFile:9 QueryEvent:5 QueryFullAttributesFile:2 QueryInformationAtom:5
    QueryInformationEnlistment:5 QueryInformationFile:5 QueryInformationJobObject:5 QueryInformationPort:5
    QueryInformationProcess:5 QueryInformationResourceManager:5 QueryInformationThread:5 QueryInformationToken:5
    QueryInformationTransaction:5 QueryInformationTransactionManager:5 QueryInformationWorkerFactory:5 QueryInstallUILanguage:1
    QueryIntervalProfile:2 QueryIoCompletion:5 QueryKey:5 QueryLicenseValue:5 QueryMultipleValueKey:6 QueryMutant:5
    QueryObject:5 QueryOpenSubKeys:2 QueryOpenSubKeysEx:4 QueryPerformanceCounter:2 QueryPortInformationProcess:0
    QueryQuotaInformationFile:9 QuerySection:5 QuerySecurityAttributesToken:6 QuerySecurityObject:5 QuerySemaphore:5
    QuerySymbolicLinkObject:3 QuerySystemEnvironmentValue:4 QuerySystemEnvironmentValueEx:5 QuerySystemInformation:4
    QuerySystemInformationEx:6 QuerySystemTime:1 QueryTimer:5 QueryTimerResolution:3 QueryValueKey:6 QueryVirtualMemory:6
    QueryVolumeInformationFile:5 QueueApcThread:5 QueueApcThreadEx:6 RaiseException:3 RaiseHardError:6 ReadFile:9
    ReadFileScatter:9 ReadOnlyEnlistment:2 ReadRequestData:6 ReadVirtualMemory:5 RecoverEnlistment:2 RecoverResourceManager:1
    RecoverTransactionManager:1 RegisterProtocolAddressInformation:5 RegisterThreadTerminatePort:1 ReleaseKeyedEvent:4
    ReleaseMutant:2 ReleaseSemaphore:3 ReleaseWorkerFactoryWorker:1 RemoveIoCompletion:5 RemoveIoCompletionEx:6
    RemoveProcessDebug:2 RenameKey:2 RenameTransactionManager:2 ReplaceKey:3 ReplacePartitionUnit:3 ReplyPort:2
    ReplyWaitReceivePort:4 ReplyWaitReceivePortEx:5 ReplyWaitReplyPort:2 RequestPort:2 RequestWaitReplyPort:3 ResetEvent:2
    ResetWriteWatch:3 RestoreKey:3 ResumeProcess:1 ResumeThread:2 RollbackComplete:2 RollbackEnlistment:2 RollbackTransaction:2
    RollforwardTransactionManager:2 SaveKey:2 SaveKeyEx:3 SaveMergedKeys:3 SecureConnectPort:9 SerializeBoot:0
    SetBootEntryOrder:2 SetBootOptions:2 SetContextThread:2 SetDebugFilterState:3 SetDefaultHardErrorPort:1 SetDefaultLocale:2
    SetDefaultUILanguage:1 SetDriverEntryOrder:2 SetEaFile:4 SetEvent:2 SetEventBoostPriority:1 SetHighEventPair:1
    SetHighWaitLowEventPair:1 SetInformationDebugObject:5 SetInformationEnlistment:4 SetInformationFile:5
    SetInformationJobObject:4 SetInformationKey:4 SetInformationObject:4 SetInformationProcess:4 SetInformationResourceManager:4
    SetInformationThread:4 SetInformationToken:4 SetInformationTransaction:4 SetInformationTransactionManager:4
    SetInformationWorkerFactory:4 SetIntervalProfile:2 SetIoCompletion:5 SetIoCompletionEx:6 SetLdtEntries:6 SetLowEventPair:1
    SetLowWaitHighEventPair:1 SetQuotaInformationFile:4 SetSecurityObject:3 SetSystemEnvironmentValue:2
    SetSystemEnvironmentValueEx:5 SetSystemInformation:3 SetSystemPowerState:3 SetSystemTime:2 SetThreadExecutionState:2
    SetTimer:7 SetTimerEx:4 SetTimerResolution:3 SetUuidSeed:1 SetValueKey:6 SetVolumeInformationFile:5 ShutdownSystem:1
    ShutdownWorkerFactory:2 SignalAndWaitForSingleObject:4 SinglePhaseReject:2 StartProfile:1 StopProfile:1 SuspendProcess:1
    SuspendThread:2 SystemDebugControl:6 TerminateJobObject:2 TerminateProcess:2 TerminateThread:2 TestAlert:0 ThawRegistry:0
    ThawTransactions:0 TraceControl:6 TraceEvent:4 TranslateFilePath:4 UmsThreadYield:1 UnloadDriver:1 UnloadKey:1 UnloadKey2:2
    UnloadKeyEx:2 UnlockFile:5 UnlockVirtualMemory:4 UnmapViewOfSection:2 VdmControl:2 WaitForDebugEvent:4 WaitForKeyedEvent:4
    WaitForMultipleObjects:5 WaitForMultipleObjects32:5 WaitForSingleObject:3 WaitForWorkViaWorkerFactory:2 WaitHighEventPair:1
    WaitLowEventPair:1 WorkerFactoryWorkerReady:1 WriteFile:9 WriteFileGather:9 WriteRequestData:6 WriteVirtualMemory:5
    YieldExecution:0
    """
}
