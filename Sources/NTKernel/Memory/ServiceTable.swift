import Guest
import WindowsTypes

/// The system services of a version of Windows: what `KeServiceDescriptorTable` describes, and what a `Zw` routine's first instruction names.
///
/// Numbers and argument counts are those that a debugger shows of the table (`dps nt!KiServiceTable`, `db nt!KiArgumentTable`).
public enum SystemServices {
  /// `mov eax,number`, with which every way into a system service begins.
  static func code(for number: Int) -> [UInt8] {
    [0xb8, UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8), 0, 0]
  }

  /// What every `Zw` routine of the kernel's begins with: the number, `lea edx,[esp+4]`, and `lea esp,[esp]` to fill up. As long as
  /// `TrapRange.entry`.
  public static func entry(of number: Int) -> [UInt8] { code(for: number) + [0x8d, 0x54, 0x24, 4, 0x8d, 0x64, 0x24, 0] }

  /// The number of the service that the routine `name`, `ZwClose` or `NtClose`, is about.
  public static func number(of name: String, in target: Target) -> Int? {
    name.hasPrefix("Zw") || name.hasPrefix("Nt") ? numbers[target.ordinal][String(name.dropFirst(2))] : nil
  }

  typealias Service = (name: Substring, argumentCount: UInt8)

  static func services(in target: Target) -> [Service] { all[target.ordinal] }

  private static let all = [table, Windows7Services.table].map { table in
    table.split(whereSeparator: \.isWhitespace).map { entry -> Service in
      let parts = entry.split(separator: ":")
      return (parts[0], UInt8(parts[1]) ?? 0)
    }
  }
  private static let numbers = all.map { services in
    Dictionary(uniqueKeysWithValues: services.enumerated().map { (String($1.name), $0) })
  }

  /// Every service of XP SP3 without its prefix, and how many words of arguments it takes, from number 0 on.
  private static let table = """
    AcceptConnectPort:6 AccessCheck:8 AccessCheckAndAuditAlarm:11 AccessCheckByType:11 AccessCheckByTypeAndAuditAlarm:16
    AccessCheckByTypeResultList:11 AccessCheckByTypeResultListAndAuditAlarm:16 AccessCheckByTypeResultListAndAuditAlarmByHandle:17
    AddAtom:3 AddBootEntry:2 AdjustGroupsToken:6 AdjustPrivilegesToken:6 AlertResumeThread:2 AlertThread:1 AllocateLocallyUniqueId:1
    AllocateUserPhysicalPages:3 AllocateUuids:4 AllocateVirtualMemory:6 AreMappedFilesTheSame:2 AssignProcessToJobObject:2
    CallbackReturn:3 CancelDeviceWakeupRequest:1 CancelIoFile:2 CancelTimer:2 ClearEvent:1 Close:1 CloseObjectAuditAlarm:3 CompactKeys:2
    CompareTokens:3 CompleteConnectPort:1 CompressKey:1 ConnectPort:8 Continue:2 CreateDebugObject:4 CreateDirectoryObject:3
    CreateEvent:5 CreateEventPair:3 CreateFile:11 CreateIoCompletion:4 CreateJobObject:3 CreateJobSet:3 CreateKey:7
    CreateMailslotFile:8 CreateMutant:4 CreateNamedPipeFile:14 CreatePagingFile:4 CreatePort:5 CreateProcess:8 CreateProcessEx:9
    CreateProfile:9 CreateSection:7 CreateSemaphore:5 CreateSymbolicLinkObject:4 CreateThread:8 CreateTimer:4 CreateToken:13
    CreateWaitablePort:5 DebugActiveProcess:2 DebugContinue:3 DelayExecution:2 DeleteAtom:1 DeleteBootEntry:1 DeleteFile:1 DeleteKey:1
    DeleteObjectAuditAlarm:3 DeleteValueKey:2 DeviceIoControlFile:10 DisplayString:1 DuplicateObject:7 DuplicateToken:6
    EnumerateBootEntries:2 EnumerateKey:6 EnumerateSystemEnvironmentValuesEx:3 EnumerateValueKey:6 ExtendSection:2 FilterToken:6
    FindAtom:3 FlushBuffersFile:2 FlushInstructionCache:3 FlushKey:1 FlushVirtualMemory:4 FlushWriteBuffer:0 FreeUserPhysicalPages:3
    FreeVirtualMemory:4 FsControlFile:10 GetContextThread:2 GetDevicePowerState:2 GetPlugPlayEvent:4 GetWriteWatch:7
    ImpersonateAnonymousToken:1 ImpersonateClientOfPort:2 ImpersonateThread:3 InitializeRegistry:1 InitiatePowerAction:4
    IsProcessInJob:2 IsSystemResumeAutomatic:0 ListenPort:2 LoadDriver:1 LoadKey:2 LoadKey2:3 LockFile:10 LockProductActivationKeys:2
    LockRegistryKey:1 LockVirtualMemory:4 MakePermanentObject:1 MakeTemporaryObject:1 MapUserPhysicalPages:3
    MapUserPhysicalPagesScatter:3 MapViewOfSection:10 ModifyBootEntry:1 NotifyChangeDirectoryFile:9 NotifyChangeKey:10
    NotifyChangeMultipleKeys:12 OpenDirectoryObject:3 OpenEvent:3 OpenEventPair:3 OpenFile:6 OpenIoCompletion:3 OpenJobObject:3
    OpenKey:3 OpenMutant:3 OpenObjectAuditAlarm:12 OpenProcess:4 OpenProcessToken:3 OpenProcessTokenEx:4 OpenSection:3 OpenSemaphore:3
    OpenSymbolicLinkObject:3 OpenThread:4 OpenThreadToken:4 OpenThreadTokenEx:5 OpenTimer:3 PlugPlayControl:3 PowerInformation:5
    PrivilegeCheck:3 PrivilegeObjectAuditAlarm:6 PrivilegedServiceAuditAlarm:5 ProtectVirtualMemory:5 PulseEvent:2
    QueryAttributesFile:2 QueryBootEntryOrder:2 QueryBootOptions:2 QueryDebugFilterState:2 QueryDefaultLocale:2
    QueryDefaultUILanguage:1 QueryDirectoryFile:11 QueryDirectoryObject:7 QueryEaFile:9 QueryEvent:5 QueryFullAttributesFile:2
    QueryInformationAtom:5 QueryInformationFile:5 QueryInformationJobObject:5 QueryInformationPort:5 QueryInformationProcess:5
    QueryInformationThread:5 QueryInformationToken:5 QueryInstallUILanguage:1 QueryIntervalProfile:2 QueryIoCompletion:5 QueryKey:5
    QueryMultipleValueKey:6 QueryMutant:5 QueryObject:5 QueryOpenSubKeys:2 QueryPerformanceCounter:2 QueryQuotaInformationFile:9
    QuerySection:5 QuerySecurityObject:5 QuerySemaphore:5 QuerySymbolicLinkObject:3 QuerySystemEnvironmentValue:4
    QuerySystemEnvironmentValueEx:5 QuerySystemInformation:4 QuerySystemTime:1 QueryTimer:5 QueryTimerResolution:3 QueryValueKey:6
    QueryVirtualMemory:6 QueryVolumeInformationFile:5 QueueApcThread:5 RaiseException:3 RaiseHardError:6 ReadFile:9 ReadFileScatter:9
    ReadRequestData:6 ReadVirtualMemory:5 RegisterThreadTerminatePort:1 ReleaseMutant:2 ReleaseSemaphore:3 RemoveIoCompletion:5
    RemoveProcessDebug:2 RenameKey:2 ReplaceKey:3 ReplyPort:2 ReplyWaitReceivePort:4 ReplyWaitReceivePortEx:5 ReplyWaitReplyPort:2
    RequestDeviceWakeup:1 RequestPort:2 RequestWaitReplyPort:3 RequestWakeupLatency:1 ResetEvent:2 ResetWriteWatch:3 RestoreKey:3
    ResumeProcess:1 ResumeThread:2 SaveKey:2 SaveKeyEx:3 SaveMergedKeys:3 SecureConnectPort:9 SetBootEntryOrder:2 SetBootOptions:2
    SetContextThread:2 SetDebugFilterState:3 SetDefaultHardErrorPort:1 SetDefaultLocale:2 SetDefaultUILanguage:1 SetEaFile:4
    SetEvent:2 SetEventBoostPriority:1 SetHighEventPair:1 SetHighWaitLowEventPair:1 SetInformationDebugObject:5 SetInformationFile:5
    SetInformationJobObject:4 SetInformationKey:4 SetInformationObject:4 SetInformationProcess:4 SetInformationThread:4
    SetInformationToken:4 SetIntervalProfile:2 SetIoCompletion:5 SetLdtEntries:6 SetLowEventPair:1 SetLowWaitHighEventPair:1
    SetQuotaInformationFile:4 SetSecurityObject:3 SetSystemEnvironmentValue:2 SetSystemEnvironmentValueEx:5 SetSystemInformation:3
    SetSystemPowerState:3 SetSystemTime:2 SetThreadExecutionState:2 SetTimer:7 SetTimerResolution:3 SetUuidSeed:1 SetValueKey:6
    SetVolumeInformationFile:5 ShutdownSystem:1 SignalAndWaitForSingleObject:4 StartProfile:1 StopProfile:1 SuspendProcess:1
    SuspendThread:2 SystemDebugControl:6 TerminateJobObject:2 TerminateProcess:2 TerminateThread:2 TestAlert:0 TraceEvent:4
    TranslateFilePath:4 UnloadDriver:1 UnloadKey:1 UnloadKeyEx:2 UnlockFile:5 UnlockVirtualMemory:4 UnmapViewOfSection:2 VdmControl:2
    WaitForDebugEvent:4 WaitForMultipleObjects:5 WaitForSingleObject:3 WaitHighEventPair:1 WaitLowEventPair:1 WriteFile:9
    WriteFileGather:9 WriteRequestData:6 WriteVirtualMemory:5 YieldExecution:0 CreateKeyedEvent:4 OpenKeyedEvent:3
    ReleaseKeyedEvent:4 WaitForKeyedEvent:4 QueryPortInformationProcess:0
    """
}
