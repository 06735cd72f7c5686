/// The system services of Windows XP SP3, by number: the names that its public symbols give the entries of the service table, and
/// how many arguments each takes.
enum SystemServices {
  struct Service: Sendable, Hashable {
    /// Without `Nt` or `Zw`: `CreateFile`.
    let name: String
    let arguments: Int
  }

  /// A service's number is its position.
  static let all: [Service] = text.split(whereSeparator: \.isWhitespace).map { word in
    // The one name that ends in a digit.
    let name = word == "LoadKey23" ? "LoadKey2" : word.prefix { !$0.isNumber }
    return Service(name: String(name), arguments: Int(word.dropFirst(name.count)) ?? 0)
  }

  /// By `CreateFile`.
  static let numbers = Dictionary(all.enumerated().map { ($1.name, $0) }) { first, _ in first }

  private static let text = """
    AcceptConnectPort6 AccessCheck8 AccessCheckAndAuditAlarm11 AccessCheckByType11 AccessCheckByTypeAndAuditAlarm16
    AccessCheckByTypeResultList11 AccessCheckByTypeResultListAndAuditAlarm16 AccessCheckByTypeResultListAndAuditAlarmByHandle17
    AddAtom3 AddBootEntry2 AdjustGroupsToken6 AdjustPrivilegesToken6 AlertResumeThread2 AlertThread1 AllocateLocallyUniqueId1
    AllocateUserPhysicalPages3 AllocateUuids4 AllocateVirtualMemory6 AreMappedFilesTheSame2 AssignProcessToJobObject2
    CallbackReturn3 CancelDeviceWakeupRequest1 CancelIoFile2 CancelTimer2 ClearEvent1 Close1 CloseObjectAuditAlarm3 CompactKeys2
    CompareTokens3 CompleteConnectPort1 CompressKey1 ConnectPort8 Continue2 CreateDebugObject4 CreateDirectoryObject3 CreateEvent5
    CreateEventPair3 CreateFile11 CreateIoCompletion4 CreateJobObject3 CreateJobSet3 CreateKey7 CreateMailslotFile8 CreateMutant4
    CreateNamedPipeFile14 CreatePagingFile4 CreatePort5 CreateProcess8 CreateProcessEx9 CreateProfile9 CreateSection7
    CreateSemaphore5 CreateSymbolicLinkObject4 CreateThread8 CreateTimer4 CreateToken13 CreateWaitablePort5 DebugActiveProcess2
    DebugContinue3 DelayExecution2 DeleteAtom1 DeleteBootEntry1 DeleteFile1 DeleteKey1 DeleteObjectAuditAlarm3 DeleteValueKey2
    DeviceIoControlFile10 DisplayString1 DuplicateObject7 DuplicateToken6 EnumerateBootEntries2 EnumerateKey6
    EnumerateSystemEnvironmentValuesEx3 EnumerateValueKey6 ExtendSection2 FilterToken6 FindAtom3 FlushBuffersFile2
    FlushInstructionCache3 FlushKey1 FlushVirtualMemory4 FlushWriteBuffer0 FreeUserPhysicalPages3 FreeVirtualMemory4
    FsControlFile10 GetContextThread2 GetDevicePowerState2 GetPlugPlayEvent4 GetWriteWatch7 ImpersonateAnonymousToken1
    ImpersonateClientOfPort2 ImpersonateThread3 InitializeRegistry1 InitiatePowerAction4 IsProcessInJob2 IsSystemResumeAutomatic0
    ListenPort2 LoadDriver1 LoadKey2 LoadKey23 LockFile10 LockProductActivationKeys2 LockRegistryKey1 LockVirtualMemory4
    MakePermanentObject1 MakeTemporaryObject1 MapUserPhysicalPages3 MapUserPhysicalPagesScatter3 MapViewOfSection10
    ModifyBootEntry1 NotifyChangeDirectoryFile9 NotifyChangeKey10 NotifyChangeMultipleKeys12 OpenDirectoryObject3 OpenEvent3
    OpenEventPair3 OpenFile6 OpenIoCompletion3 OpenJobObject3 OpenKey3 OpenMutant3 OpenObjectAuditAlarm12 OpenProcess4
    OpenProcessToken3 OpenProcessTokenEx4 OpenSection3 OpenSemaphore3 OpenSymbolicLinkObject3 OpenThread4 OpenThreadToken4
    OpenThreadTokenEx5 OpenTimer3 PlugPlayControl3 PowerInformation5 PrivilegeCheck3 PrivilegeObjectAuditAlarm6
    PrivilegedServiceAuditAlarm5 ProtectVirtualMemory5 PulseEvent2 QueryAttributesFile2 QueryBootEntryOrder2 QueryBootOptions2
    QueryDebugFilterState2 QueryDefaultLocale2 QueryDefaultUILanguage1 QueryDirectoryFile11 QueryDirectoryObject7 QueryEaFile9
    QueryEvent5 QueryFullAttributesFile2 QueryInformationAtom5 QueryInformationFile5 QueryInformationJobObject5
    QueryInformationPort5 QueryInformationProcess5 QueryInformationThread5 QueryInformationToken5 QueryInstallUILanguage1
    QueryIntervalProfile2 QueryIoCompletion5 QueryKey5 QueryMultipleValueKey6 QueryMutant5 QueryObject5 QueryOpenSubKeys2
    QueryPerformanceCounter2 QueryQuotaInformationFile9 QuerySection5 QuerySecurityObject5 QuerySemaphore5
    QuerySymbolicLinkObject3 QuerySystemEnvironmentValue4 QuerySystemEnvironmentValueEx5 QuerySystemInformation4 QuerySystemTime1
    QueryTimer5 QueryTimerResolution3 QueryValueKey6 QueryVirtualMemory6 QueryVolumeInformationFile5 QueueApcThread5
    RaiseException3 RaiseHardError6 ReadFile9 ReadFileScatter9 ReadRequestData6 ReadVirtualMemory5 RegisterThreadTerminatePort1
    ReleaseMutant2 ReleaseSemaphore3 RemoveIoCompletion5 RemoveProcessDebug2 RenameKey2 ReplaceKey3 ReplyPort2
    ReplyWaitReceivePort4 ReplyWaitReceivePortEx5 ReplyWaitReplyPort2 RequestDeviceWakeup1 RequestPort2 RequestWaitReplyPort3
    RequestWakeupLatency1 ResetEvent2 ResetWriteWatch3 RestoreKey3 ResumeProcess1 ResumeThread2 SaveKey2 SaveKeyEx3
    SaveMergedKeys3 SecureConnectPort9 SetBootEntryOrder2 SetBootOptions2 SetContextThread2 SetDebugFilterState3
    SetDefaultHardErrorPort1 SetDefaultLocale2 SetDefaultUILanguage1 SetEaFile4 SetEvent2 SetEventBoostPriority1 SetHighEventPair1
    SetHighWaitLowEventPair1 SetInformationDebugObject5 SetInformationFile5 SetInformationJobObject4 SetInformationKey4
    SetInformationObject4 SetInformationProcess4 SetInformationThread4 SetInformationToken4 SetIntervalProfile2 SetIoCompletion5
    SetLdtEntries6 SetLowEventPair1 SetLowWaitHighEventPair1 SetQuotaInformationFile4 SetSecurityObject3
    SetSystemEnvironmentValue2 SetSystemEnvironmentValueEx5 SetSystemInformation3 SetSystemPowerState3 SetSystemTime2
    SetThreadExecutionState2 SetTimer7 SetTimerResolution3 SetUuidSeed1 SetValueKey6 SetVolumeInformationFile5 ShutdownSystem1
    SignalAndWaitForSingleObject4 StartProfile1 StopProfile1 SuspendProcess1 SuspendThread2 SystemDebugControl6
    TerminateJobObject2 TerminateProcess2 TerminateThread2 TestAlert0 TraceEvent4 TranslateFilePath4 UnloadDriver1 UnloadKey1
    UnloadKeyEx2 UnlockFile5 UnlockVirtualMemory4 UnmapViewOfSection2 VdmControl2 WaitForDebugEvent4 WaitForMultipleObjects5
    WaitForSingleObject3 WaitHighEventPair1 WaitLowEventPair1 WriteFile9 WriteFileGather9 WriteRequestData6 WriteVirtualMemory5
    YieldExecution0 CreateKeyedEvent4 OpenKeyedEvent3 ReleaseKeyedEvent4 WaitForKeyedEvent4 QueryPortInformationProcess0
    """
}
