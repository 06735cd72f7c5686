// The structures of Sources/WindowsTypes as C declares them, from the public headers and symbols: the tests let clang lay
// them out for the Windows target and compare. A structure that is known in parts only (KPRCB) is bytes here.

typedef void VOID;
typedef unsigned char UCHAR;
typedef signed char CHAR;
typedef unsigned short USHORT, WCHAR;
typedef short SHORT;
typedef unsigned long ULONG, ULONG_PTR;
typedef long LONG;
typedef unsigned long long ULONGLONG;
typedef long long LONGLONG;

struct LIST_ENTRY { struct LIST_ENTRY *Flink; struct LIST_ENTRY *Blink; };
struct UNICODE_STRING { USHORT Length; USHORT MaximumLength; WCHAR *Buffer; };
struct OBJECT_ATTRIBUTES {
  ULONG Length; VOID *RootDirectory; struct UNICODE_STRING *ObjectName; ULONG Attributes; VOID *SecurityDescriptor;
  VOID *SecurityQualityOfService;
};
struct CLIENT_ID { VOID *UniqueProcess; VOID *UniqueThread; };
struct IO_STATUS_BLOCK { union { LONG Status; VOID *Pointer; }; ULONG_PTR Information; };
struct DISPATCHER_HEADER {
  UCHAR Type; UCHAR Absolute; UCHAR Size; UCHAR Inserted; LONG SignalState; struct LIST_ENTRY WaitListHead;
};
struct KGDTENTRY_HighWord_Bytes { UCHAR BaseMid; UCHAR Flags1; UCHAR Flags2; UCHAR BaseHi; };
struct KGDTENTRY_HighWord_Bits {
  ULONG BaseMid : 8; ULONG Type : 5; ULONG Dpl : 2; ULONG Pres : 1; ULONG LimitHi : 4; ULONG Sys : 1;
  ULONG Reserved_0 : 1; ULONG Default_Big : 1; ULONG Granularity : 1; ULONG BaseHi : 8;
};
struct KGDTENTRY_HighWord {
  union { struct KGDTENTRY_HighWord_Bytes Bytes; struct KGDTENTRY_HighWord_Bits Bits; };
};
struct KGDTENTRY { USHORT LimitLow; USHORT BaseLow; struct KGDTENTRY_HighWord HighWord; };
struct KIDTENTRY { USHORT Offset; USHORT Selector; USHORT Access; USHORT ExtendedOffset; };
struct SINGLE_LIST_ENTRY { struct SINGLE_LIST_ENTRY *Next; };
struct KEXECUTE_OPTIONS {
  UCHAR ExecuteDisable : 1; UCHAR ExecuteEnable : 1; UCHAR DisableThunkEmulation : 1; UCHAR Permanent : 1;
  UCHAR ExecuteDispatchEnable : 1; UCHAR ImageDispatchEnable : 1; UCHAR Spare : 2;
};
struct KPROCESS {
  struct DISPATCHER_HEADER Header; struct LIST_ENTRY ProfileListHead; ULONG_PTR DirectoryTableBase[2];
  struct KGDTENTRY LdtDescriptor; struct KIDTENTRY Int21Descriptor; USHORT IopmOffset; UCHAR Iopl; UCHAR Unused;
  ULONG_PTR ActiveProcessors; ULONG KernelTime; ULONG UserTime; struct LIST_ENTRY ReadyListHead;
  struct SINGLE_LIST_ENTRY SwapListEntry; VOID *VdmTrapcHandler; struct LIST_ENTRY ThreadListHead;
  ULONG_PTR ProcessLock; ULONG_PTR Affinity; USHORT StackCount; CHAR BasePriority; CHAR ThreadQuantum;
  UCHAR AutoAlignment; UCHAR State; CHAR ThreadSeed; UCHAR DisableBoost; UCHAR PowerState; UCHAR DisableQuantum;
  UCHAR IdealNode; union { struct KEXECUTE_OPTIONS Flags; UCHAR ExecuteOptions; };
};
struct EX_PUSH_LOCK {
  union { struct { ULONG_PTR Waiting : 1; ULONG_PTR Exclusive : 1; ULONG_PTR Shared : 30; }; ULONG_PTR Value;
  VOID *Ptr; };
};
struct LARGE_INTEGER_u { ULONG LowPart; LONG HighPart; };
struct LARGE_INTEGER {
  union { struct { ULONG LowPart; LONG HighPart; }; struct LARGE_INTEGER_u u; LONGLONG QuadPart; };
};
struct EX_RUNDOWN_REF { union { ULONG_PTR Count; VOID *Ptr; }; };
struct EX_FAST_REF { union { VOID *Object; ULONG_PTR RefCnt : 3; ULONG_PTR Value; }; };
struct KEVENT { struct DISPATCHER_HEADER Header; };
struct FAST_MUTEX { LONG Count; struct KTHREAD *Owner; ULONG Contention; struct KEVENT Event; ULONG OldIrql; };
struct HARDWARE_PTE {
  ULONG_PTR Valid : 1; ULONG_PTR Write : 1; ULONG_PTR Owner : 1; ULONG_PTR WriteThrough : 1;
  ULONG_PTR CacheDisable : 1; ULONG_PTR Accessed : 1; ULONG_PTR Dirty : 1; ULONG_PTR LargePage : 1;
  ULONG_PTR Global : 1; ULONG_PTR CopyOnWrite : 1; ULONG_PTR Prototype : 1; ULONG_PTR reserved : 1;
  ULONG_PTR PageFrameNumber : 20;
};
struct SE_AUDIT_PROCESS_CREATION_INFO { struct OBJECT_NAME_INFORMATION *ImageFileName; };
struct MMSUPPORT_FLAGS {
  ULONG SessionSpace : 1; ULONG BeingTrimmed : 1; ULONG SessionLeader : 1; ULONG TrimHard : 1;
  ULONG WorkingSetHard : 1; ULONG AddressSpaceBeingDeleted : 1; ULONG Available : 10;
  ULONG AllowWorkingSetAdjustment : 8; ULONG MemoryPriority : 8;
};
struct MMSUPPORT {
  struct LARGE_INTEGER LastTrimTime; struct MMSUPPORT_FLAGS Flags; ULONG PageFaultCount; ULONG PeakWorkingSetSize;
  ULONG WorkingSetSize; ULONG MinimumWorkingSetSize; ULONG MaximumWorkingSetSize; struct MMWSL *VmWorkingSetList;
  struct LIST_ENTRY WorkingSetExpansionLinks; ULONG Claim; ULONG NextEstimationSlot; ULONG NextAgingSlot;
  ULONG EstimatedAvailable; ULONG GrowthSinceLastEstimate;
};
struct EPROCESS {
  struct KPROCESS Pcb; struct EX_PUSH_LOCK ProcessLock; struct LARGE_INTEGER CreateTime;
  struct LARGE_INTEGER ExitTime; struct EX_RUNDOWN_REF RundownProtect; VOID *UniqueProcessId;
  struct LIST_ENTRY ActiveProcessLinks; ULONG_PTR QuotaUsage[3]; ULONG_PTR QuotaPeak[3]; ULONG_PTR CommitCharge;
  ULONG_PTR PeakVirtualSize; ULONG_PTR VirtualSize; struct LIST_ENTRY SessionProcessLinks; VOID *DebugPort;
  VOID *ExceptionPort; struct HANDLE_TABLE *ObjectTable; struct EX_FAST_REF Token; struct FAST_MUTEX WorkingSetLock;
  ULONG_PTR WorkingSetPage; struct FAST_MUTEX AddressCreationLock; ULONG_PTR HyperSpaceLock;
  struct ETHREAD *ForkInProgress; ULONG_PTR HardwareTrigger; VOID *VadRoot; VOID *VadHint; VOID *CloneRoot;
  ULONG_PTR NumberOfPrivatePages; ULONG_PTR NumberOfLockedPages; VOID *Win32Process; struct EJOB *Job;
  VOID *SectionObject; VOID *SectionBaseAddress; struct EPROCESS_QUOTA_BLOCK *QuotaBlock;
  struct PAGEFAULT_HISTORY *WorkingSetWatch; VOID *Win32WindowStation; VOID *InheritedFromUniqueProcessId;
  VOID *LdtInformation; VOID *VadFreeHint; VOID *VdmObjects; VOID *DeviceMap; struct LIST_ENTRY PhysicalVadList;
  union { struct HARDWARE_PTE PageDirectoryPte; ULONGLONG Filler; }; VOID *Session; UCHAR ImageFileName[16];
  struct LIST_ENTRY JobLinks; VOID *LockedPagesList; struct LIST_ENTRY ThreadListHead; VOID *SecurityPort;
  VOID *PaeTop; ULONG ActiveThreads; ULONG GrantedAccess; ULONG DefaultHardErrorProcessing;
  LONG LastThreadExitStatus; struct PEB *Peb; struct EX_FAST_REF PrefetchTrace;
  struct LARGE_INTEGER ReadOperationCount; struct LARGE_INTEGER WriteOperationCount;
  struct LARGE_INTEGER OtherOperationCount; struct LARGE_INTEGER ReadTransferCount;
  struct LARGE_INTEGER WriteTransferCount; struct LARGE_INTEGER OtherTransferCount; ULONG_PTR CommitChargeLimit;
  ULONG_PTR CommitChargePeak; VOID *AweInfo; struct SE_AUDIT_PROCESS_CREATION_INFO SeAuditProcessCreationInfo;
  struct MMSUPPORT Vm; ULONG LastFaultCount; ULONG ModifiedPageCount; ULONG NumberOfVads; ULONG JobStatus; union {
  ULONG Flags; struct { ULONG CreateReported : 1; ULONG NoDebugInherit : 1; ULONG ProcessExiting : 1;
  ULONG ProcessDelete : 1; ULONG Wow64SplitPages : 1; ULONG VmDeleted : 1; ULONG OutswapEnabled : 1;
  ULONG Outswapped : 1; ULONG ForkFailed : 1; ULONG HasPhysicalVad : 1; ULONG AddressSpaceInitialized : 2;
  ULONG SetTimerResolution : 1; ULONG BreakOnTermination : 1; ULONG SessionCreationUnderway : 1;
  ULONG WriteWatch : 1; ULONG ProcessInSession : 1; ULONG OverrideAddressSpace : 1; ULONG HasAddressSpace : 1;
  ULONG LaunchPrefetched : 1; ULONG InjectInpageErrors : 1; ULONG VmTopDown : 1; ULONG Unused3 : 1;
  ULONG Unused4 : 1; ULONG VdmAllowed : 1; ULONG Unused : 5; ULONG Unused1 : 1; ULONG Unused2 : 1; }; };
  LONG ExitStatus; USHORT NextPageColor; union { struct { UCHAR SubSystemMinorVersion; UCHAR SubSystemMajorVersion;
  }; USHORT SubSystemVersion; }; UCHAR PriorityClass; UCHAR WorkingSetAcquiredUnsafe; ULONG Cookie;
};
struct KAPC_STATE {
  struct LIST_ENTRY ApcListHead[2]; struct KPROCESS *Process; UCHAR KernelApcInProgress; UCHAR KernelApcPending;
  UCHAR UserApcPending;
};
struct KWAIT_BLOCK {
  struct LIST_ENTRY WaitListEntry; struct KTHREAD *Thread; VOID *Object; struct KWAIT_BLOCK *NextWaitBlock;
  USHORT WaitKey; USHORT WaitType;
};
struct ULARGE_INTEGER_u { ULONG LowPart; ULONG HighPart; };
struct ULARGE_INTEGER {
  union { struct { ULONG LowPart; ULONG HighPart; }; struct ULARGE_INTEGER_u u; ULONGLONG QuadPart; };
};
struct KTIMER {
  struct DISPATCHER_HEADER Header; struct ULARGE_INTEGER DueTime; struct LIST_ENTRY TimerListEntry;
  struct KDPC *Dpc; LONG Period;
};
struct KAPC {
  SHORT Type; SHORT Size; ULONG Spare0; struct KTHREAD *Thread; struct LIST_ENTRY ApcListEntry;
  VOID (*KernelRoutine)(); VOID (*RundownRoutine)(); VOID (*NormalRoutine)(); VOID *NormalContext;
  VOID *SystemArgument1; VOID *SystemArgument2; UCHAR ApcStateIndex; CHAR ApcMode; UCHAR Inserted;
};
struct KSEMAPHORE { struct DISPATCHER_HEADER Header; LONG Limit; };
struct KTHREAD {
  struct DISPATCHER_HEADER Header; struct LIST_ENTRY MutantListHead; VOID *InitialStack; VOID *StackLimit;
  VOID *Teb; VOID *TlsArray; VOID *KernelStack; UCHAR DebugActive; UCHAR State; UCHAR Alerted[2]; UCHAR Iopl;
  UCHAR NpxState; CHAR Saturation; CHAR Priority; struct KAPC_STATE ApcState; ULONG ContextSwitches;
  UCHAR IdleSwapBlock; UCHAR Spare0[3]; LONG WaitStatus; UCHAR WaitIrql; CHAR WaitMode; UCHAR WaitNext;
  UCHAR WaitReason; struct KWAIT_BLOCK *WaitBlockList; union { struct LIST_ENTRY WaitListEntry;
  struct SINGLE_LIST_ENTRY SwapListEntry; }; ULONG WaitTime; CHAR BasePriority; UCHAR DecrementCount;
  CHAR PriorityDecrement; CHAR Quantum; struct KWAIT_BLOCK WaitBlock[4]; VOID *LegoData; ULONG KernelApcDisable;
  ULONG_PTR UserAffinity; UCHAR SystemAffinityActive; UCHAR PowerState; UCHAR NpxIrql; UCHAR InitialNode;
  VOID *ServiceTable; struct KQUEUE *Queue; ULONG_PTR ApcQueueLock; struct KTIMER Timer;
  struct LIST_ENTRY QueueListEntry; ULONG_PTR SoftAffinity; ULONG_PTR Affinity; UCHAR Preempted;
  UCHAR ProcessReadyQueue; UCHAR KernelStackResident; UCHAR NextProcessor; VOID *CallbackStack; VOID *Win32Thread;
  struct KTRAP_FRAME *TrapFrame; struct KAPC_STATE *ApcStatePointer[2]; CHAR PreviousMode; UCHAR EnableStackSwap;
  UCHAR LargeStack; UCHAR ResourceIndex; ULONG KernelTime; ULONG UserTime; struct KAPC_STATE SavedApcState;
  UCHAR Alertable; UCHAR ApcStateIndex; UCHAR ApcQueueable; UCHAR AutoAlignment; VOID *StackBase;
  struct KAPC SuspendApc; struct KSEMAPHORE SuspendSemaphore; struct LIST_ENTRY ThreadListEntry; CHAR FreezeCount;
  CHAR SuspendCount; UCHAR IdealProcessor; UCHAR DisableBoost;
};
struct ETHREAD {
  struct KTHREAD Tcb; union { struct LARGE_INTEGER CreateTime; struct { ULONG NestedFaultCount : 2;
  ULONG ApcNeeded : 1; }; }; union { struct LARGE_INTEGER ExitTime; struct LIST_ENTRY LpcReplyChain;
  struct LIST_ENTRY KeyedWaitChain; }; union { LONG ExitStatus; VOID *OfsChain; }; struct LIST_ENTRY PostBlockList;
  union { struct TERMINATION_PORT *TerminationPort; struct ETHREAD *ReaperLink; VOID *KeyedWaitValue; };
  ULONG_PTR ActiveTimerListLock; struct LIST_ENTRY ActiveTimerListHead; struct CLIENT_ID Cid; union {
  struct KSEMAPHORE LpcReplySemaphore; struct KSEMAPHORE KeyedWaitSemaphore; }; union { VOID *LpcReplyMessage;
  VOID *LpcWaitingOnPort; }; struct PS_IMPERSONATION_INFORMATION *ImpersonationInfo; struct LIST_ENTRY IrpList;
  ULONG_PTR TopLevelIrp; struct DEVICE_OBJECT *DeviceToVerify; struct EPROCESS *ThreadsProcess; VOID *StartAddress;
  union { VOID *Win32StartAddress; ULONG LpcReceivedMessageId; }; struct LIST_ENTRY ThreadListEntry;
  struct EX_RUNDOWN_REF RundownProtect; struct EX_PUSH_LOCK ThreadLock; ULONG LpcReplyMessageId;
  ULONG ReadClusterSize; ULONG GrantedAccess; union { ULONG CrossThreadFlags; struct { ULONG Terminated : 1;
  ULONG DeadThread : 1; ULONG HideFromDebugger : 1; ULONG ActiveImpersonationInfo : 1; ULONG SystemThread : 1;
  ULONG HardErrorsAreDisabled : 1; ULONG BreakOnTermination : 1; ULONG SkipCreationMsg : 1;
  ULONG SkipTerminationMsg : 1; }; }; union { ULONG SameThreadPassiveFlags; struct { ULONG ActiveExWorker : 1;
  ULONG ExWorkerCanWaitUser : 1; ULONG MemoryMaker : 1; }; }; union { ULONG SameThreadApcFlags; struct {
  ULONG LpcReceivedMsgIdValid : 1; ULONG LpcExitThreadCalled : 1; ULONG AddressSpaceOwner : 1; }; };
  UCHAR ForwardClusterOnly; UCHAR DisablePageFaultClustering;
};
struct NT_TIB {
  struct EXCEPTION_REGISTRATION_RECORD *ExceptionList; VOID *StackBase; VOID *StackLimit; VOID *SubSystemTib;
  union { VOID *FiberData; ULONG Version; }; VOID *ArbitraryUserPointer; struct NT_TIB *Self;
};
struct FLOATING_SAVE_AREA {
  ULONG ControlWord; ULONG StatusWord; ULONG TagWord; ULONG ErrorOffset; ULONG ErrorSelector; ULONG DataOffset;
  ULONG DataSelector; UCHAR RegisterArea[80]; ULONG Cr0NpxState;
};
struct CONTEXT {
  ULONG ContextFlags; ULONG Dr0; ULONG Dr1; ULONG Dr2; ULONG Dr3; ULONG Dr6; ULONG Dr7;
  struct FLOATING_SAVE_AREA FloatSave; ULONG SegGs; ULONG SegFs; ULONG SegEs; ULONG SegDs; ULONG Edi; ULONG Esi;
  ULONG Ebx; ULONG Edx; ULONG Ecx; ULONG Eax; ULONG Ebp; ULONG Eip; ULONG SegCs; ULONG EFlags; ULONG Esp;
  ULONG SegSs; UCHAR ExtendedRegisters[512];
};
struct DESCRIPTOR { USHORT Pad; USHORT Limit; ULONG Base; };
struct KSPECIAL_REGISTERS {
  ULONG Cr0; ULONG Cr2; ULONG Cr3; ULONG Cr4; ULONG KernelDr0; ULONG KernelDr1; ULONG KernelDr2; ULONG KernelDr3;
  ULONG KernelDr6; ULONG KernelDr7; struct DESCRIPTOR Gdtr; struct DESCRIPTOR Idtr; USHORT Tr; USHORT Ldtr;
  ULONG Reserved[6];
};
struct KPROCESSOR_STATE { struct CONTEXT ContextFrame; struct KSPECIAL_REGISTERS SpecialRegisters; };
struct KSPIN_LOCK_QUEUE { struct KSPIN_LOCK_QUEUE *Next; ULONG_PTR *Lock; };
struct PP_LOOKASIDE_LIST { struct GENERAL_LOOKASIDE *P; struct GENERAL_LOOKASIDE *L; };
struct KPRCB { ULONG bytes[788]; };

struct KPCR {
  struct NT_TIB NtTib; struct KPCR *SelfPcr; struct KPRCB *Prcb; UCHAR Irql; ULONG IRR; ULONG IrrActive; ULONG IDR;
  VOID *KdVersionBlock; struct KIDTENTRY *IDT; struct KGDTENTRY *GDT; struct KTSS *TSS; USHORT MajorVersion;
  USHORT MinorVersion; ULONG_PTR SetMember; ULONG StallScaleFactor; UCHAR DebugActive; UCHAR Number; UCHAR Spare0;
  UCHAR SecondLevelCacheAssociativity; ULONG VdmAlert; ULONG KernelReserved[14]; ULONG SecondLevelCacheSize;
  ULONG HalReserved[16]; ULONG InterruptMode; UCHAR Spare1; ULONG KernelReserved2[17]; struct KPRCB PrcbData;
};
struct MDL {
  struct MDL *Next; SHORT Size; SHORT MdlFlags; struct EPROCESS *Process; VOID *MappedSystemVa; VOID *StartVa;
  ULONG ByteCount; ULONG ByteOffset;
};
struct OWNER_ENTRY { ULONG_PTR OwnerThread; union { LONG OwnerCount; ULONG TableSize; }; };
struct ERESOURCE {
  struct LIST_ENTRY SystemResourcesList; struct OWNER_ENTRY *OwnerTable; SHORT ActiveCount; USHORT Flag;
  struct KSEMAPHORE *SharedWaiters; struct KEVENT *ExclusiveWaiters; struct OWNER_ENTRY OwnerThreads[2];
  ULONG ContentionCount; USHORT NumberOfSharedWaiters; USHORT NumberOfExclusiveWaiters; union { VOID *Address;
  ULONG_PTR CreatorBackTraceIndex; }; ULONG_PTR SpinLock;
};
struct DRIVER_OBJECT {
  SHORT Type; SHORT Size; struct DEVICE_OBJECT *DeviceObject; ULONG Flags; VOID *DriverStart; ULONG DriverSize;
  VOID *DriverSection; struct DRIVER_EXTENSION *DriverExtension; struct UNICODE_STRING DriverName;
  struct UNICODE_STRING *HardwareDatabase; struct FAST_IO_DISPATCH *FastIoDispatch; LONG (*DriverInit)();
  VOID (*DriverStartIo)(); VOID (*DriverUnload)(); LONG (*MajorFunction[28])();
};
struct DRIVER_EXTENSION {
  struct DRIVER_OBJECT *DriverObject; LONG (*AddDevice)(); ULONG Count; struct UNICODE_STRING ServiceKeyName;
  struct IO_CLIENT_EXTENSION *ClientDriverExtension; struct FS_FILTER_CALLBACKS *FsFilterCallbacks;
};
struct KDEVICE_QUEUE_ENTRY { struct LIST_ENTRY DeviceListEntry; ULONG SortKey; UCHAR Inserted; };
struct WAIT_CONTEXT_BLOCK {
  struct KDEVICE_QUEUE_ENTRY WaitQueueEntry; LONG (*DeviceRoutine)(); VOID *DeviceContext;
  ULONG NumberOfMapRegisters; VOID *DeviceObject; VOID *CurrentIrp; struct KDPC *BufferChainingDpc;
};
struct DEVICE_OBJECT_Queue { union { struct LIST_ENTRY ListEntry; struct WAIT_CONTEXT_BLOCK Wcb; }; };
struct KDEVICE_QUEUE { SHORT Type; SHORT Size; struct LIST_ENTRY DeviceListHead; ULONG_PTR Lock; UCHAR Busy; };
struct KDPC {
  SHORT Type; UCHAR Number; UCHAR Importance; struct LIST_ENTRY DpcListEntry; VOID (*DeferredRoutine)();
  VOID *DeferredContext; VOID *SystemArgument1; VOID *SystemArgument2; ULONG_PTR *Lock;
};
struct DEVICE_OBJECT {
  SHORT Type; USHORT Size; LONG ReferenceCount; struct DRIVER_OBJECT *DriverObject;
  struct DEVICE_OBJECT *NextDevice; struct DEVICE_OBJECT *AttachedDevice; struct IRP *CurrentIrp;
  struct IO_TIMER *Timer; ULONG Flags; ULONG Characteristics; struct VPB *Vpb; VOID *DeviceExtension;
  ULONG DeviceType; CHAR StackSize; struct DEVICE_OBJECT_Queue Queue; ULONG AlignmentRequirement;
  struct KDEVICE_QUEUE DeviceQueue; struct KDPC Dpc; ULONG ActiveThreadCount; VOID *SecurityDescriptor;
  struct KEVENT DeviceLock; USHORT SectorSize; USHORT Spare1; struct DEVOBJ_EXTENSION *DeviceObjectExtension;
  VOID *Reserved;
};
struct FILE_OBJECT {
  SHORT Type; SHORT Size; struct DEVICE_OBJECT *DeviceObject; struct VPB *Vpb; VOID *FsContext; VOID *FsContext2;
  struct SECTION_OBJECT_POINTERS *SectionObjectPointer; VOID *PrivateCacheMap; LONG FinalStatus;
  struct FILE_OBJECT *RelatedFileObject; UCHAR LockOperation; UCHAR DeletePending; UCHAR ReadAccess;
  UCHAR WriteAccess; UCHAR DeleteAccess; UCHAR SharedRead; UCHAR SharedWrite; UCHAR SharedDelete; ULONG Flags;
  struct UNICODE_STRING FileName; struct LARGE_INTEGER CurrentByteOffset; ULONG Waiters; ULONG Busy; VOID *LastLock;
  struct KEVENT Lock; struct KEVENT Event; struct IO_COMPLETION_CONTEXT *CompletionContext;
};
struct VPB {
  SHORT Type; SHORT Size; USHORT Flags; USHORT VolumeLabelLength; struct DEVICE_OBJECT *DeviceObject;
  struct DEVICE_OBJECT *RealDevice; ULONG SerialNumber; ULONG ReferenceCount; WCHAR VolumeLabel[32];
};
struct IRP_AssociatedIrp { union { struct IRP *MasterIrp; LONG IrpCount; VOID *SystemBuffer; }; };
struct IRP_Overlay_AsynchronousParameters { VOID (*UserApcRoutine)(); VOID *UserApcContext; };
struct IRP_Overlay {
  union { struct IRP_Overlay_AsynchronousParameters AsynchronousParameters; struct LARGE_INTEGER AllocationSize; };
};
struct IRP_Tail_Overlay {
  union { struct KDEVICE_QUEUE_ENTRY DeviceQueueEntry; VOID *DriverContext[4]; }; struct ETHREAD *Thread;
  CHAR *AuxiliaryBuffer; struct LIST_ENTRY ListEntry; union { struct IO_STACK_LOCATION *CurrentStackLocation;
  ULONG PacketType; }; struct FILE_OBJECT *OriginalFileObject;
};
struct IRP_Tail { union { struct IRP_Tail_Overlay Overlay; struct KAPC Apc; VOID *CompletionKey; }; };
struct IRP {
  SHORT Type; USHORT Size; struct MDL *MdlAddress; ULONG Flags; struct IRP_AssociatedIrp AssociatedIrp;
  struct LIST_ENTRY ThreadListEntry; struct IO_STATUS_BLOCK IoStatus; CHAR RequestorMode; UCHAR PendingReturned;
  CHAR StackCount; CHAR CurrentLocation; UCHAR Cancel; UCHAR CancelIrql; CHAR ApcEnvironment; UCHAR AllocationFlags;
  struct IO_STATUS_BLOCK *UserIosb; struct KEVENT *UserEvent; struct IRP_Overlay Overlay; VOID (*CancelRoutine)();
  VOID *UserBuffer; struct IRP_Tail Tail;
};
#pragma pack(push, 4)
struct IO_STACK_LOCATION_Parameters_Create {
  struct IO_SECURITY_CONTEXT *SecurityContext; ULONG Options; USHORT FileAttributes; USHORT ShareAccess;
  ULONG EaLength;
};
struct IO_STACK_LOCATION_Parameters_Read { ULONG Length; ULONG Key; struct LARGE_INTEGER ByteOffset; };
struct IO_STACK_LOCATION_Parameters_Write { ULONG Length; ULONG Key; struct LARGE_INTEGER ByteOffset; };
struct IO_STACK_LOCATION_Parameters_QueryDirectory {
  ULONG Length; struct UNICODE_STRING *FileName; ULONG FileInformationClass; ULONG FileIndex;
};
struct IO_STACK_LOCATION_Parameters_NotifyDirectory { ULONG Length; ULONG CompletionFilter; };
struct IO_STACK_LOCATION_Parameters_QueryFile { ULONG Length; ULONG FileInformationClass; };
struct IO_STACK_LOCATION_Parameters_SetFile {
  ULONG Length; ULONG FileInformationClass; struct FILE_OBJECT *FileObject; union { struct { UCHAR ReplaceIfExists;
  UCHAR AdvanceOnly; }; ULONG ClusterCount; VOID *DeleteHandle; };
};
struct IO_STACK_LOCATION_Parameters_QueryEa { ULONG Length; VOID *EaList; ULONG EaListLength; ULONG EaIndex; };
struct IO_STACK_LOCATION_Parameters_SetEa { ULONG Length; };
struct IO_STACK_LOCATION_Parameters_QueryVolume { ULONG Length; ULONG FsInformationClass; };
struct IO_STACK_LOCATION_Parameters_SetVolume { ULONG Length; ULONG FsInformationClass; };
struct IO_STACK_LOCATION_Parameters_FileSystemControl {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG FsControlCode; VOID *Type3InputBuffer;
};
struct IO_STACK_LOCATION_Parameters_LockControl {
  struct LARGE_INTEGER *Length; ULONG Key; struct LARGE_INTEGER ByteOffset;
};
struct IO_STACK_LOCATION_Parameters_DeviceIoControl {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG IoControlCode; VOID *Type3InputBuffer;
};
struct IO_STACK_LOCATION_Parameters_QuerySecurity { ULONG SecurityInformation; ULONG Length; };
struct IO_STACK_LOCATION_Parameters_SetSecurity { ULONG SecurityInformation; VOID *SecurityDescriptor; };
struct IO_STACK_LOCATION_Parameters_MountVolume { struct VPB *Vpb; struct DEVICE_OBJECT *DeviceObject; };
struct IO_STACK_LOCATION_Parameters_VerifyVolume { struct VPB *Vpb; struct DEVICE_OBJECT *DeviceObject; };
struct IO_STACK_LOCATION_Parameters_Scsi { struct SCSI_REQUEST_BLOCK *Srb; };
struct IO_STACK_LOCATION_Parameters_QueryQuota {
  ULONG Length; VOID *StartSid; VOID *SidList; ULONG SidListLength;
};
struct IO_STACK_LOCATION_Parameters_SetQuota { ULONG Length; };
struct IO_STACK_LOCATION_Parameters_QueryDeviceRelations { ULONG Type; };
struct IO_STACK_LOCATION_Parameters_QueryInterface {
  VOID *InterfaceType; USHORT Size; USHORT Version; VOID *Interface; VOID *InterfaceSpecificData;
};
struct IO_STACK_LOCATION_Parameters_DeviceCapabilities { VOID *Capabilities; };
struct IO_STACK_LOCATION_Parameters_ReadWriteConfig { ULONG WhichSpace; VOID *Buffer; ULONG Offset; ULONG Length; };
struct IO_STACK_LOCATION_Parameters_QueryId { ULONG IdType; };
struct IO_STACK_LOCATION_Parameters_Power { ULONG SystemContext; ULONG Type; ULONG State; ULONG ShutdownType; };
struct IO_STACK_LOCATION_Parameters_StartDevice { VOID *AllocatedResources; VOID *AllocatedResourcesTranslated; };
struct IO_STACK_LOCATION_Parameters_WMI { ULONG_PTR ProviderId; VOID *DataPath; ULONG BufferSize; VOID *Buffer; };
struct IO_STACK_LOCATION_Parameters_Others { VOID *Argument1; VOID *Argument2; VOID *Argument3; VOID *Argument4; };
struct IO_STACK_LOCATION_Parameters {
  union { struct IO_STACK_LOCATION_Parameters_Create Create; struct IO_STACK_LOCATION_Parameters_Read Read;
  struct IO_STACK_LOCATION_Parameters_Write Write;
  struct IO_STACK_LOCATION_Parameters_QueryDirectory QueryDirectory;
  struct IO_STACK_LOCATION_Parameters_NotifyDirectory NotifyDirectory;
  struct IO_STACK_LOCATION_Parameters_QueryFile QueryFile; struct IO_STACK_LOCATION_Parameters_SetFile SetFile;
  struct IO_STACK_LOCATION_Parameters_QueryEa QueryEa; struct IO_STACK_LOCATION_Parameters_SetEa SetEa;
  struct IO_STACK_LOCATION_Parameters_QueryVolume QueryVolume;
  struct IO_STACK_LOCATION_Parameters_SetVolume SetVolume;
  struct IO_STACK_LOCATION_Parameters_FileSystemControl FileSystemControl;
  struct IO_STACK_LOCATION_Parameters_LockControl LockControl;
  struct IO_STACK_LOCATION_Parameters_DeviceIoControl DeviceIoControl;
  struct IO_STACK_LOCATION_Parameters_QuerySecurity QuerySecurity;
  struct IO_STACK_LOCATION_Parameters_SetSecurity SetSecurity;
  struct IO_STACK_LOCATION_Parameters_MountVolume MountVolume;
  struct IO_STACK_LOCATION_Parameters_VerifyVolume VerifyVolume; struct IO_STACK_LOCATION_Parameters_Scsi Scsi;
  struct IO_STACK_LOCATION_Parameters_QueryQuota QueryQuota; struct IO_STACK_LOCATION_Parameters_SetQuota SetQuota;
  struct IO_STACK_LOCATION_Parameters_QueryDeviceRelations QueryDeviceRelations;
  struct IO_STACK_LOCATION_Parameters_QueryInterface QueryInterface;
  struct IO_STACK_LOCATION_Parameters_DeviceCapabilities DeviceCapabilities;
  struct IO_STACK_LOCATION_Parameters_ReadWriteConfig ReadWriteConfig;
  struct IO_STACK_LOCATION_Parameters_QueryId QueryId; struct IO_STACK_LOCATION_Parameters_Power Power;
  struct IO_STACK_LOCATION_Parameters_StartDevice StartDevice; struct IO_STACK_LOCATION_Parameters_WMI WMI;
  struct IO_STACK_LOCATION_Parameters_Others Others; };
};
struct IO_STACK_LOCATION {
  UCHAR MajorFunction; UCHAR MinorFunction; UCHAR Flags; UCHAR Control;
  struct IO_STACK_LOCATION_Parameters Parameters; struct DEVICE_OBJECT *DeviceObject;
  struct FILE_OBJECT *FileObject; LONG (*CompletionRoutine)(); VOID *Context;
};
#pragma pack(pop)
struct KTRAP_FRAME {
  ULONG DbgEbp; ULONG DbgEip; ULONG DbgArgMark; ULONG DbgArgPointer; ULONG TempSegCs; ULONG TempEsp; ULONG Dr0;
  ULONG Dr1; ULONG Dr2; ULONG Dr3; ULONG Dr6; ULONG Dr7; ULONG SegGs; ULONG SegEs; ULONG SegDs; ULONG Edx;
  ULONG Ecx; ULONG Eax; ULONG PreviousPreviousMode; struct EXCEPTION_REGISTRATION_RECORD *ExceptionList;
  ULONG SegFs; ULONG Edi; ULONG Esi; ULONG Ebx; ULONG Ebp; ULONG ErrCode; ULONG Eip; ULONG SegCs; ULONG EFlags;
  ULONG HardwareEsp; ULONG HardwareSegSs; ULONG V86Es; ULONG V86Ds; ULONG V86Fs; ULONG V86Gs;
};
struct EXCEPTION_RECORD {
  LONG ExceptionCode; ULONG ExceptionFlags; struct EXCEPTION_RECORD *ExceptionRecord; VOID *ExceptionAddress;
  ULONG NumberParameters; ULONG_PTR ExceptionInformation[15];
};
struct EXCEPTION_REGISTRATION_RECORD { struct EXCEPTION_REGISTRATION_RECORD *Next; LONG (*Handler)(); };
struct QUAD { ULONGLONG DoNotUseThisField; };
struct OBJECT_HEADER {
  LONG PointerCount; union { LONG HandleCount; VOID *NextToFree; }; struct OBJECT_TYPE *Type; UCHAR NameInfoOffset;
  UCHAR HandleInfoOffset; UCHAR QuotaInfoOffset; UCHAR Flags; union {
  struct OBJECT_CREATE_INFORMATION *ObjectCreateInfo; VOID *QuotaBlockCharged; }; VOID *SecurityDescriptor;
  struct QUAD Body;
};
struct MMPFN_u1 {
  union { ULONG_PTR Flink; ULONG_PTR WsIndex; struct KEVENT *Event; LONG ReadStatus;
  struct SINGLE_LIST_ENTRY NextStackPfn; };
};
struct MMPFN_u2 { union { ULONG_PTR Blink; ULONG_PTR ShareCount; }; };
struct MMPFNENTRY {
  ULONG Modified : 1; ULONG ReadInProgress : 1; ULONG WriteInProgress : 1; ULONG PrototypePte : 1;
  ULONG PageColor : 3; ULONG ParityError : 1; ULONG PageLocation : 3; ULONG RemovalRequested : 1;
  ULONG CacheAttribute : 2; ULONG Rom : 1; ULONG LockCharged : 1; ULONG DontUse : 16;
};
struct MMPFN_u3_e2 { USHORT ShortFlags; USHORT ReferenceCount; };
struct MMPFN_u3 { union { struct MMPFNENTRY e1; struct MMPFN_u3_e2 e2; }; };
struct MMPTE_HARDWARE {
  ULONG_PTR Valid : 1; ULONG_PTR Writable : 1; ULONG_PTR Owner : 1; ULONG_PTR WriteThrough : 1;
  ULONG_PTR CacheDisable : 1; ULONG_PTR Accessed : 1; ULONG_PTR Dirty : 1; ULONG_PTR LargePage : 1;
  ULONG_PTR Global : 1; ULONG_PTR CopyOnWrite : 1; ULONG_PTR Prototype : 1; ULONG_PTR Write : 1;
  ULONG_PTR PageFrameNumber : 20;
};
struct MMPTE_PROTOTYPE {
  ULONG_PTR Valid : 1; ULONG_PTR ProtoAddressLow : 7; ULONG_PTR ReadOnly : 1; ULONG_PTR WhichPool : 1;
  ULONG_PTR Prototype : 1; ULONG_PTR ProtoAddressHigh : 21;
};
struct MMPTE_SOFTWARE {
  ULONG_PTR Valid : 1; ULONG_PTR PageFileLow : 4; ULONG_PTR Protection : 5; ULONG_PTR Prototype : 1;
  ULONG_PTR Transition : 1; ULONG_PTR PageFileHigh : 20;
};
struct MMPTE_TRANSITION {
  ULONG_PTR Valid : 1; ULONG_PTR Write : 1; ULONG_PTR Owner : 1; ULONG_PTR WriteThrough : 1;
  ULONG_PTR CacheDisable : 1; ULONG_PTR Protection : 5; ULONG_PTR Prototype : 1; ULONG_PTR Transition : 1;
  ULONG_PTR PageFrameNumber : 20;
};
struct MMPTE_SUBSECTION {
  ULONG_PTR Valid : 1; ULONG_PTR SubsectionAddressLow : 4; ULONG_PTR Protection : 5; ULONG_PTR Prototype : 1;
  ULONG_PTR SubsectionAddressHigh : 20; ULONG_PTR WhichPool : 1;
};
struct MMPTE_LIST {
  ULONG_PTR Valid : 1; ULONG_PTR OneEntry : 1; ULONG_PTR filler0 : 8; ULONG_PTR Prototype : 1;
  ULONG_PTR filler1 : 1; ULONG_PTR NextEntry : 20;
};
struct MMPTE_u {
  union { ULONG_PTR Long; struct HARDWARE_PTE Flush; struct MMPTE_HARDWARE Hard; struct MMPTE_PROTOTYPE Proto;
  struct MMPTE_SOFTWARE Soft; struct MMPTE_TRANSITION Trans; struct MMPTE_SUBSECTION Subsect;
  struct MMPTE_LIST List; };
};
struct MMPTE { struct MMPTE_u u; };
struct MMPFN_u4 {
  union { ULONG_PTR EntireFrame; struct { ULONG_PTR PteFrame : 26; ULONG_PTR InPageError : 1;
  ULONG_PTR VerifierAllocation : 1; ULONG_PTR AweAllocation : 1; ULONG_PTR LockCharged : 1;
  ULONG_PTR KernelStack : 1; ULONG_PTR Reserved : 1; }; };
};
struct MMPFN {
  struct MMPFN_u1 u1; struct MMPTE *PteAddress; struct MMPFN_u2 u2; struct MMPFN_u3 u3; struct MMPTE OriginalPte;
  struct MMPFN_u4 u4;
};
struct MMVAD_FLAGS {
  ULONG_PTR CommitCharge : 19; ULONG_PTR PhysicalMapping : 1; ULONG_PTR ImageMap : 1;
  ULONG_PTR UserPhysicalPages : 1; ULONG_PTR NoChange : 1; ULONG_PTR WriteWatch : 1; ULONG_PTR Protection : 5;
  ULONG_PTR LargePages : 1; ULONG_PTR MemCommit : 1; ULONG_PTR PrivateMemory : 1;
};
struct MMVAD_u { union { ULONG_PTR LongFlags; struct MMVAD_FLAGS VadFlags; }; };
struct MMVAD_FLAGS2 {
  ULONG FileOffset : 24; ULONG SecNoChange : 1; ULONG OneSecured : 1; ULONG MultipleSecured : 1; ULONG ReadOnly : 1;
  ULONG LongVad : 1; ULONG ExtendableFile : 1; ULONG Inherit : 1; ULONG CopyOnWrite : 1;
};
struct MMVAD_u2 { union { ULONG LongFlags2; struct MMVAD_FLAGS2 VadFlags2; }; };
struct MMVAD {
  ULONG_PTR StartingVpn; ULONG_PTR EndingVpn; struct MMVAD *Parent; struct MMVAD *LeftChild;
  struct MMVAD *RightChild; struct MMVAD_u u; struct CONTROL_AREA *ControlArea; struct MMPTE *FirstPrototypePte;
  struct MMPTE *LastContiguousPte; struct MMVAD_u2 u2;
};
struct STRING { USHORT Length; USHORT MaximumLength; CHAR *Buffer; };
struct LUID { ULONG LowPart; LONG HighPart; };
struct KSYSTEM_TIME { ULONG LowPart; LONG High1Time; LONG High2Time; };
struct OBJECT_NAME_INFORMATION { struct UNICODE_STRING Name; };
struct PS_IMPERSONATION_INFORMATION {
  VOID *Token; UCHAR CopyOnOpen; UCHAR EffectiveOnly; ULONG ImpersonationLevel;
};
struct TERMINATION_PORT { struct TERMINATION_PORT *Next; VOID *Port; };
struct KMUTANT {
  struct DISPATCHER_HEADER Header; struct LIST_ENTRY MutantListEntry; struct KTHREAD *OwnerThread; UCHAR Abandoned;
  UCHAR ApcDisable;
};
struct KQUEUE {
  struct DISPATCHER_HEADER Header; struct LIST_ENTRY EntryListHead; ULONG CurrentCount; ULONG MaximumCount;
  struct LIST_ENTRY ThreadListHead;
};
struct EXCEPTION_POINTERS { struct EXCEPTION_RECORD *ExceptionRecord; struct CONTEXT *ContextRecord; };
struct EH3_EXCEPTION_REGISTRATION {
  struct EXCEPTION_REGISTRATION_RECORD *Next; LONG (*ExceptionHandler)(); struct SCOPETABLE_ENTRY *ScopeTable;
  LONG TryLevel;
};
struct EH3_FRAME {
  ULONG_PTR SavedEsp; struct EXCEPTION_POINTERS *ExceptionPointers; struct EH3_EXCEPTION_REGISTRATION Registration;
};
struct SCOPETABLE_ENTRY { LONG EnclosingLevel; LONG (*FilterFunc)(); VOID (*HandlerFunc)(); };
struct SECTION_OBJECT_POINTERS { VOID *DataSectionObject; VOID *SharedCacheMap; VOID *ImageSectionObject; };
struct IO_COMPLETION_CONTEXT { VOID *Port; VOID *Key; };
struct DEVOBJ_EXTENSION {
  SHORT Type; USHORT Size; struct DEVICE_OBJECT *DeviceObject; ULONG PowerFlags;
  struct DEVICE_OBJECT_POWER_EXTENSION *Dope; ULONG ExtensionFlags; VOID *DeviceNode;
  struct DEVICE_OBJECT *AttachedTo; LONG StartIoCount; LONG StartIoKey; ULONG StartIoFlags; struct VPB *Vpb;
};
struct GENERIC_MAPPING { ULONG GenericRead; ULONG GenericWrite; ULONG GenericExecute; ULONG GenericAll; };
struct OBJECT_TYPE_INITIALIZER {
  USHORT Length; UCHAR UseDefaultObject; UCHAR CaseInsensitive; ULONG InvalidAttributes;
  struct GENERIC_MAPPING GenericMapping; ULONG ValidAccessMask; UCHAR SecurityRequired; UCHAR MaintainHandleCount;
  UCHAR MaintainTypeList; ULONG PoolType; ULONG DefaultPagedPoolCharge; ULONG DefaultNonPagedPoolCharge;
  VOID (*DumpProcedure)(); LONG (*OpenProcedure)(); VOID (*CloseProcedure)(); VOID (*DeleteProcedure)();
  LONG (*ParseProcedure)(); LONG (*SecurityProcedure)(); LONG (*QueryNameProcedure)();
  UCHAR (*OkayToCloseProcedure)();
};
struct OBJECT_TYPE {
  struct ERESOURCE Mutex; struct LIST_ENTRY TypeList; struct UNICODE_STRING Name; VOID *DefaultObject; ULONG Index;
  ULONG TotalNumberOfObjects; ULONG TotalNumberOfHandles; ULONG HighWaterNumberOfObjects;
  ULONG HighWaterNumberOfHandles; struct OBJECT_TYPE_INITIALIZER TypeInfo; ULONG Key;
  struct ERESOURCE ObjectLocks[4];
};
struct OBJECT_HEADER_NAME_INFO {
  struct OBJECT_DIRECTORY *Directory; struct UNICODE_STRING Name; ULONG QueryReferences;
};
struct LDR_DATA_TABLE_ENTRY {
  struct LIST_ENTRY InLoadOrderLinks; struct LIST_ENTRY InMemoryOrderLinks;
  struct LIST_ENTRY InInitializationOrderLinks; VOID *DllBase; VOID *EntryPoint; ULONG SizeOfImage;
  struct UNICODE_STRING FullDllName; struct UNICODE_STRING BaseDllName; ULONG Flags; USHORT LoadCount;
  USHORT TlsIndex; union { struct LIST_ENTRY HashLinks; struct { VOID *SectionPointer; ULONG CheckSum; }; }; union {
  ULONG TimeDateStamp; VOID *LoadedImports; }; VOID *EntryPointActivationContext; VOID *PatchInformation;
};
struct KUSER_SHARED_DATA {
  ULONG TickCountLow; ULONG TickCountMultiplier; struct KSYSTEM_TIME InterruptTime; struct KSYSTEM_TIME SystemTime;
  struct KSYSTEM_TIME TimeZoneBias; USHORT ImageNumberLow; USHORT ImageNumberHigh; WCHAR NtSystemRoot[260];
  ULONG MaxStackTraceDepth; ULONG CryptoExponent; ULONG TimeZoneId; ULONG Reserved2[8]; ULONG NtProductType;
  UCHAR ProductTypeIsValid; ULONG NtMajorVersion; ULONG NtMinorVersion; UCHAR ProcessorFeatures[64];
  ULONG Reserved1; ULONG Reserved3; ULONG TimeSlip; ULONG AlternativeArchitecture;
  struct LARGE_INTEGER SystemExpirationDate; ULONG SuiteMask; UCHAR KdDebuggerEnabled; UCHAR NXSupportPolicy;
  ULONG ActiveConsoleId; ULONG DismountCount; ULONG ComPlusPackage; ULONG LastSystemRITEventTickCount;
  ULONG NumberOfPhysicalPages; UCHAR SafeBootMode; ULONG TraceLogging; ULONGLONG TestRetInstruction;
  ULONG SystemCall; ULONG SystemCallReturn; ULONGLONG SystemCallPad[3]; union { struct KSYSTEM_TIME TickCount;
  ULONGLONG TickCountQuad; }; ULONG Cookie;
};
struct FLT_CALLBACK_DATA {
  ULONG Flags; struct ETHREAD *Thread; struct FLT_IO_PARAMETER_BLOCK *Iopb; struct IO_STATUS_BLOCK IoStatus;
  struct FLT_TAG_DATA_BUFFER *TagData; union { struct { struct LIST_ENTRY QueueLinks; VOID *QueueContext[2]; };
  VOID *FilterContext[4]; }; CHAR RequestorMode;
};
#pragma pack(push, 4)
struct FLT_PARAMETERS_Create {
  struct IO_SECURITY_CONTEXT *SecurityContext; ULONG Options; USHORT FileAttributes; USHORT ShareAccess;
  ULONG EaLength; VOID *EaBuffer; struct LARGE_INTEGER AllocationSize;
};
struct FLT_PARAMETERS_Read {
  ULONG Length; ULONG Key; struct LARGE_INTEGER ByteOffset; VOID *ReadBuffer; struct MDL *MdlAddress;
};
struct FLT_PARAMETERS_Write {
  ULONG Length; ULONG Key; struct LARGE_INTEGER ByteOffset; VOID *WriteBuffer; struct MDL *MdlAddress;
};
struct FLT_PARAMETERS_QueryFileInformation { ULONG Length; ULONG FileInformationClass; VOID *InfoBuffer; };
struct FLT_PARAMETERS_SetFileInformation {
  ULONG Length; ULONG FileInformationClass; struct FILE_OBJECT *ParentOfTarget; union { struct {
  UCHAR ReplaceIfExists; UCHAR AdvanceOnly; }; ULONG ClusterCount; VOID *DeleteHandle; }; VOID *InfoBuffer;
};
struct FLT_PARAMETERS_QueryEa {
  ULONG Length; VOID *EaList; ULONG EaListLength; ULONG EaIndex; VOID *EaBuffer; struct MDL *MdlAddress;
};
struct FLT_PARAMETERS_SetEa { ULONG Length; VOID *EaBuffer; struct MDL *MdlAddress; };
struct FLT_PARAMETERS_QueryVolumeInformation { ULONG Length; ULONG FsInformationClass; VOID *VolumeBuffer; };
struct FLT_PARAMETERS_SetVolumeInformation { ULONG Length; ULONG FsInformationClass; VOID *VolumeBuffer; };
struct FLT_PARAMETERS_DirectoryControl_QueryDirectory {
  ULONG Length; struct UNICODE_STRING *FileName; ULONG FileInformationClass; ULONG FileIndex; VOID *DirectoryBuffer;
  struct MDL *MdlAddress;
};
struct FLT_PARAMETERS_DirectoryControl_NotifyDirectory {
  ULONG Length; ULONG CompletionFilter; ULONG Spare1; ULONG Spare2; VOID *DirectoryBuffer; struct MDL *MdlAddress;
};
struct FLT_PARAMETERS_DirectoryControl {
  union { struct FLT_PARAMETERS_DirectoryControl_QueryDirectory QueryDirectory;
  struct FLT_PARAMETERS_DirectoryControl_NotifyDirectory NotifyDirectory; };
};
struct FLT_PARAMETERS_FileSystemControl_VerifyVolume { struct VPB *Vpb; struct DEVICE_OBJECT *DeviceObject; };
struct FLT_PARAMETERS_FileSystemControl_Common {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG FsControlCode;
};
struct FLT_PARAMETERS_FileSystemControl_Neither {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG FsControlCode; VOID *InputBuffer; VOID *OutputBuffer;
  struct MDL *OutputMdlAddress;
};
struct FLT_PARAMETERS_FileSystemControl_Buffered {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG FsControlCode; VOID *SystemBuffer;
};
struct FLT_PARAMETERS_FileSystemControl_Direct {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG FsControlCode; VOID *InputSystemBuffer;
  VOID *OutputBuffer; struct MDL *OutputMdlAddress;
};
struct FLT_PARAMETERS_FileSystemControl {
  union { struct FLT_PARAMETERS_FileSystemControl_VerifyVolume VerifyVolume;
  struct FLT_PARAMETERS_FileSystemControl_Common Common; struct FLT_PARAMETERS_FileSystemControl_Neither Neither;
  struct FLT_PARAMETERS_FileSystemControl_Buffered Buffered; struct FLT_PARAMETERS_FileSystemControl_Direct Direct;
  };
};
struct FLT_PARAMETERS_DeviceIoControl_Common {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG IoControlCode;
};
struct FLT_PARAMETERS_DeviceIoControl_Neither {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG IoControlCode; VOID *InputBuffer; VOID *OutputBuffer;
  struct MDL *OutputMdlAddress;
};
struct FLT_PARAMETERS_DeviceIoControl_Buffered {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG IoControlCode; VOID *SystemBuffer;
};
struct FLT_PARAMETERS_DeviceIoControl_Direct {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG IoControlCode; VOID *InputSystemBuffer;
  VOID *OutputBuffer; struct MDL *OutputMdlAddress;
};
struct FLT_PARAMETERS_DeviceIoControl_FastIo {
  ULONG OutputBufferLength; ULONG InputBufferLength; ULONG IoControlCode; VOID *InputBuffer; VOID *OutputBuffer;
};
struct FLT_PARAMETERS_DeviceIoControl {
  union { struct FLT_PARAMETERS_DeviceIoControl_Common Common;
  struct FLT_PARAMETERS_DeviceIoControl_Neither Neither; struct FLT_PARAMETERS_DeviceIoControl_Buffered Buffered;
  struct FLT_PARAMETERS_DeviceIoControl_Direct Direct; struct FLT_PARAMETERS_DeviceIoControl_FastIo FastIo; };
};
struct FLT_PARAMETERS_LockControl {
  struct LARGE_INTEGER *Length; ULONG Key; struct LARGE_INTEGER ByteOffset; struct EPROCESS *ProcessId;
  UCHAR FailImmediately; UCHAR ExclusiveLock;
};
struct FLT_PARAMETERS_QuerySecurity {
  ULONG SecurityInformation; ULONG Length; VOID *SecurityBuffer; struct MDL *MdlAddress;
};
struct FLT_PARAMETERS_SetSecurity { ULONG SecurityInformation; VOID *SecurityDescriptor; };
struct FLT_PARAMETERS_WMI { ULONG_PTR ProviderId; VOID *DataPath; ULONG BufferSize; VOID *Buffer; };
struct FLT_PARAMETERS_QueryQuota {
  ULONG Length; VOID *StartSid; VOID *SidList; ULONG SidListLength; VOID *QuotaBuffer; struct MDL *MdlAddress;
};
struct FLT_PARAMETERS_SetQuota { ULONG Length; VOID *QuotaBuffer; struct MDL *MdlAddress; };
struct FLT_PARAMETERS_AcquireForSectionSynchronization { ULONG SyncType; ULONG PageProtection; };
struct FLT_PARAMETERS_AcquireForModifiedPageWriter {
  struct LARGE_INTEGER *EndingOffset; struct ERESOURCE **ResourceToRelease;
};
struct FLT_PARAMETERS_ReleaseForModifiedPageWriter { struct ERESOURCE *ResourceToRelease; };
struct FLT_PARAMETERS_FastIoCheckIfPossible {
  struct LARGE_INTEGER FileOffset; ULONG Length; ULONG LockKey; UCHAR CheckForReadOperation;
};
struct FLT_PARAMETERS_NetworkQueryOpen { struct IRP *Irp; VOID *NetworkInformation; };
struct FLT_PARAMETERS_MdlRead { struct LARGE_INTEGER FileOffset; ULONG Length; ULONG Key; struct MDL **MdlChain; };
struct FLT_PARAMETERS_MdlReadComplete { struct MDL *MdlChain; };
struct FLT_PARAMETERS_PrepareMdlWrite {
  struct LARGE_INTEGER FileOffset; ULONG Length; ULONG Key; struct MDL **MdlChain;
};
struct FLT_PARAMETERS_MdlWriteComplete { struct LARGE_INTEGER FileOffset; struct MDL *MdlChain; };
struct FLT_PARAMETERS_MountVolume { ULONG DeviceType; };
struct FLT_PARAMETERS_Others {
  VOID *Argument1; VOID *Argument2; VOID *Argument3; VOID *Argument4; VOID *Argument5;
  struct LARGE_INTEGER Argument6;
};
struct FLT_PARAMETERS {
  union { struct FLT_PARAMETERS_Create Create; struct FLT_PARAMETERS_Read Read; struct FLT_PARAMETERS_Write Write;
  struct FLT_PARAMETERS_QueryFileInformation QueryFileInformation;
  struct FLT_PARAMETERS_SetFileInformation SetFileInformation; struct FLT_PARAMETERS_QueryEa QueryEa;
  struct FLT_PARAMETERS_SetEa SetEa; struct FLT_PARAMETERS_QueryVolumeInformation QueryVolumeInformation;
  struct FLT_PARAMETERS_SetVolumeInformation SetVolumeInformation;
  struct FLT_PARAMETERS_DirectoryControl DirectoryControl;
  struct FLT_PARAMETERS_FileSystemControl FileSystemControl; struct FLT_PARAMETERS_DeviceIoControl DeviceIoControl;
  struct FLT_PARAMETERS_LockControl LockControl; struct FLT_PARAMETERS_QuerySecurity QuerySecurity;
  struct FLT_PARAMETERS_SetSecurity SetSecurity; struct FLT_PARAMETERS_WMI WMI;
  struct FLT_PARAMETERS_QueryQuota QueryQuota; struct FLT_PARAMETERS_SetQuota SetQuota;
  struct FLT_PARAMETERS_AcquireForSectionSynchronization AcquireForSectionSynchronization;
  struct FLT_PARAMETERS_AcquireForModifiedPageWriter AcquireForModifiedPageWriter;
  struct FLT_PARAMETERS_ReleaseForModifiedPageWriter ReleaseForModifiedPageWriter;
  struct FLT_PARAMETERS_FastIoCheckIfPossible FastIoCheckIfPossible;
  struct FLT_PARAMETERS_NetworkQueryOpen NetworkQueryOpen; struct FLT_PARAMETERS_MdlRead MdlRead;
  struct FLT_PARAMETERS_MdlReadComplete MdlReadComplete; struct FLT_PARAMETERS_PrepareMdlWrite PrepareMdlWrite;
  struct FLT_PARAMETERS_MdlWriteComplete MdlWriteComplete; struct FLT_PARAMETERS_MountVolume MountVolume;
  struct FLT_PARAMETERS_Others Others; };
};
#pragma pack(pop)
struct FLT_IO_PARAMETER_BLOCK {
  ULONG IrpFlags; UCHAR MajorFunction; UCHAR MinorFunction; UCHAR OperationFlags; UCHAR Reserved;
  struct FILE_OBJECT *TargetFileObject; struct FLT_INSTANCE *TargetInstance; struct FLT_PARAMETERS Parameters;
};
struct FLT_RELATED_OBJECTS {
  USHORT Size; USHORT TransactionContext; struct FLT_FILTER *Filter; struct FLT_VOLUME *Volume;
  struct FLT_INSTANCE *Instance; struct FILE_OBJECT *FileObject; struct KTRANSACTION *Transaction;
};
struct FLT_OPERATION_REGISTRATION {
  UCHAR MajorFunction; ULONG Flags; LONG (*PreOperation)(); LONG (*PostOperation)(); VOID *Reserved1;
};
struct FLT_CONTEXT_REGISTRATION {
  USHORT ContextType; USHORT Flags; VOID (*CleanupCallback)(); ULONG_PTR Size; ULONG PoolTag;
  VOID * (*AllocateCallback)(); VOID (*FreeCallback)(); VOID *Reserved1;
};
struct FLT_REGISTRATION {
  USHORT Size; USHORT Version; ULONG Flags; struct FLT_CONTEXT_REGISTRATION *ContextRegistration;
  struct FLT_OPERATION_REGISTRATION *OperationRegistration; LONG (*FilterUnloadCallback)();
  LONG (*InstanceSetupCallback)(); LONG (*InstanceQueryTeardownCallback)(); VOID (*InstanceTeardownStartCallback)();
  VOID (*InstanceTeardownCompleteCallback)(); LONG (*GenerateFileNameCallback)();
  LONG (*NormalizeNameComponentCallback)(); VOID (*NormalizeContextCleanupCallback)();
};
struct FLT_FILE_NAME_INFORMATION {
  USHORT Size; USHORT NamesParsed; ULONG Format; struct UNICODE_STRING Name; struct UNICODE_STRING Volume;
  struct UNICODE_STRING Share; struct UNICODE_STRING Extension; struct UNICODE_STRING Stream;
  struct UNICODE_STRING FinalComponent; struct UNICODE_STRING ParentDir;
};
struct FLT_VOLUME_PROPERTIES {
  ULONG DeviceType; ULONG DeviceCharacteristics; ULONG DeviceObjectFlags; ULONG AlignmentRequirement; USHORT SectorSize;
  USHORT Reserved0; struct UNICODE_STRING FileSystemDriverName; struct UNICODE_STRING FileSystemDeviceName;
  struct UNICODE_STRING RealDeviceName;
};
struct FLT_CALLBACK_DATA_QUEUE {
  ULONG Csq[8]; ULONG Flags; VOID *Instance; LONG (*InsertIo)(); VOID (*RemoveIo)(); VOID *(*PeekNextIo)(); VOID (*Acquire)();
  VOID (*Release)(); VOID (*CompleteCanceledIo)();
};
struct FILTER_MESSAGE_HEADER { ULONG ReplyLength; ULONGLONG MessageId; };
struct FILTER_REPLY_HEADER { LONG Status; ULONGLONG MessageId; };

struct SLIST_HEADER {
  union { unsigned long long Alignment; struct { struct SINGLE_LIST_ENTRY *Next; USHORT Depth; USHORT Sequence; }; };
};
struct __declspec(align(128)) GENERAL_LOOKASIDE {
  struct SLIST_HEADER ListHead; USHORT Depth; USHORT MaximumDepth; ULONG TotalAllocates;
  union { ULONG AllocateMisses; ULONG AllocateHits; }; ULONG TotalFrees; union { ULONG FreeMisses; ULONG FreeHits; };
  ULONG Type; ULONG Tag; ULONG Size; VOID *Allocate; VOID *Free; struct LIST_ENTRY ListEntry; ULONG LastTotalAllocates;
  union { ULONG LastAllocateMisses; ULONG LastAllocateHits; }; ULONG Future[2];
};
struct KLOCK_QUEUE_HANDLE { struct KSPIN_LOCK_QUEUE LockQueue; UCHAR OldIrql; };
struct RTL_BITMAP { ULONG SizeOfBitMap; ULONG *Buffer; };
struct RTL_BITMAP_RUN { ULONG StartingIndex; ULONG NumberOfBits; };
struct TIME_FIELDS {
  short Year; short Month; short Day; short Hour; short Minute; short Second; short Milliseconds; short Weekday;
};
struct OSVERSIONINFOEXW {
  ULONG dwOSVersionInfoSize; ULONG dwMajorVersion; ULONG dwMinorVersion; ULONG dwBuildNumber; ULONG dwPlatformId;
  USHORT szCSDVersion[128]; USHORT wServicePackMajor; USHORT wServicePackMinor; USHORT wSuiteMask; UCHAR wProductType;
  UCHAR wReserved;
};
struct SID { UCHAR Revision; UCHAR SubAuthorityCount; UCHAR IdentifierAuthority[6]; ULONG SubAuthority; };
struct ACL { UCHAR AclRevision; UCHAR Sbz1; USHORT AclSize; USHORT AceCount; USHORT Sbz2; };
struct KNOWN_ACE { UCHAR AceType; UCHAR AceFlags; USHORT AceSize; ULONG Mask; ULONG SidStart; };
struct SECURITY_DESCRIPTOR {
  UCHAR Revision; UCHAR Sbz1; USHORT Control; struct SID *Owner; struct SID *Group; struct ACL *Sacl; struct ACL *Dacl;
};
struct RTL_BALANCED_LINKS {
  struct RTL_BALANCED_LINKS *Parent; struct RTL_BALANCED_LINKS *LeftChild; struct RTL_BALANCED_LINKS *RightChild;
  CHAR Balance; UCHAR Reserved[3];
};
struct RTL_AVL_TABLE {
  struct RTL_BALANCED_LINKS BalancedRoot; VOID *OrderedPointer; ULONG WhichOrderedElement; ULONG NumberGenericTableElements;
  ULONG DepthOfTree; struct RTL_BALANCED_LINKS *RestartKey; ULONG DeleteCount; VOID *CompareRoutine; VOID *AllocateRoutine;
  VOID *FreeRoutine; VOID *TableContext;
};
struct RTL_SPLAY_LINKS {
  struct RTL_SPLAY_LINKS *Parent; struct RTL_SPLAY_LINKS *LeftChild; struct RTL_SPLAY_LINKS *RightChild;
};
struct RTL_GENERIC_TABLE {
  struct RTL_SPLAY_LINKS *TableRoot; struct LIST_ENTRY InsertOrderList; struct LIST_ENTRY *OrderedPointer;
  ULONG WhichOrderedElement; ULONG NumberGenericTableElements; VOID *CompareRoutine; VOID *AllocateRoutine;
  VOID *FreeRoutine; VOID *TableContext;
};

struct KEY_BASIC_INFORMATION {
  LONGLONG LastWriteTime; ULONG TitleIndex; ULONG NameLength; WCHAR Name;
};
struct KEY_NODE_INFORMATION {
  LONGLONG LastWriteTime; ULONG TitleIndex; ULONG ClassOffset; ULONG ClassLength; ULONG NameLength; WCHAR Name;
};
struct KEY_FULL_INFORMATION {
  LONGLONG LastWriteTime; ULONG TitleIndex; ULONG ClassOffset; ULONG ClassLength; ULONG SubKeys; ULONG MaxNameLen; ULONG MaxClassLen; ULONG Values; ULONG MaxValueNameLen; ULONG MaxValueDataLen; WCHAR Class;
};
struct KEY_NAME_INFORMATION {
  ULONG NameLength; WCHAR Name;
};
struct KEY_VALUE_BASIC_INFORMATION {
  ULONG TitleIndex; ULONG Type; ULONG NameLength; WCHAR Name;
};
struct KEY_VALUE_FULL_INFORMATION {
  ULONG TitleIndex; ULONG Type; ULONG DataOffset; ULONG DataLength; ULONG NameLength; WCHAR Name;
};
struct KEY_VALUE_PARTIAL_INFORMATION {
  ULONG TitleIndex; ULONG Type; ULONG DataLength; UCHAR Data;
};
struct RTL_QUERY_REGISTRY_TABLE {
  VOID *QueryRoutine; ULONG Flags; WCHAR *Name; VOID *EntryContext; ULONG DefaultType; VOID *DefaultData; ULONG DefaultLength;
};
struct CM_KEY_BODY {
  ULONG Type; VOID *KeyControlBlock; VOID *NotifyBlock; VOID *ProcessID; ULONG Callers; VOID *CallerAddress[10]; struct LIST_ENTRY KeyBodyList;
};
struct REG_DELETE_KEY_INFORMATION {
  VOID *Object; VOID *CallContext; VOID *ObjectContext; VOID *Reserved;
};
struct REG_SET_VALUE_KEY_INFORMATION {
  VOID *Object; struct UNICODE_STRING *ValueName; ULONG TitleIndex; ULONG Type; VOID *Data; ULONG DataSize; VOID *CallContext; VOID *ObjectContext; VOID *Reserved;
};
struct REG_DELETE_VALUE_KEY_INFORMATION {
  VOID *Object; struct UNICODE_STRING *ValueName; VOID *CallContext; VOID *ObjectContext; VOID *Reserved;
};
struct REG_ENUMERATE_KEY_INFORMATION {
  VOID *Object; ULONG Index; ULONG KeyInformationClass; VOID *KeyInformation; ULONG Length; ULONG *ResultLength; VOID *CallContext; VOID *ObjectContext; VOID *Reserved;
};
struct REG_QUERY_KEY_INFORMATION {
  VOID *Object; ULONG KeyInformationClass; VOID *KeyInformation; ULONG Length; ULONG *ResultLength; VOID *CallContext; VOID *ObjectContext; VOID *Reserved;
};
struct REG_QUERY_VALUE_KEY_INFORMATION {
  VOID *Object; struct UNICODE_STRING *ValueName; ULONG KeyValueInformationClass; VOID *KeyValueInformation; ULONG Length; ULONG *ResultLength; VOID *CallContext; VOID *ObjectContext; VOID *Reserved;
};
struct REG_PRE_CREATE_KEY_INFORMATION {
  struct UNICODE_STRING *CompleteName;
};
struct REG_POST_CREATE_KEY_INFORMATION {
  struct UNICODE_STRING *CompleteName; VOID *Object; LONG Status;
};
struct REG_CREATE_KEY_INFORMATION {
  struct UNICODE_STRING *CompleteName; VOID *RootObject; VOID *ObjectType; ULONG CreateOptions; struct UNICODE_STRING *Class; VOID *SecurityDescriptor; VOID *SecurityQualityOfService; ULONG DesiredAccess; ULONG GrantedAccess; ULONG *Disposition; VOID **ResultObject; VOID *CallContext; VOID *RootObjectContext; VOID *Transaction; VOID *Reserved;
};
struct REG_POST_OPERATION_INFORMATION {
  VOID *Object; LONG Status; VOID *PreInformation; LONG ReturnStatus; VOID *CallContext; VOID *ObjectContext; VOID *Reserved;
};
/* ndis.h, nbl.h */
struct NET_BUFFER {
  struct NET_BUFFER *Next; struct MDL *CurrentMdl; ULONG CurrentMdlOffset; ULONG DataLength; struct MDL *MdlChain; ULONG DataOffset;
  USHORT ChecksumBias; USHORT Reserved; VOID *NdisPoolHandle; VOID *NdisReserved[2]; VOID *ProtocolReserved[6]; VOID *MiniportReserved[4];
  ULONG DataPhysicalAddress[2]; VOID *SharedMemoryInfo; ULONG Padding;
};
struct NET_BUFFER_LIST {
  struct NET_BUFFER_LIST *Next; struct NET_BUFFER *FirstNetBuffer; VOID *Context; struct NET_BUFFER_LIST *ParentNetBufferList;
  VOID *NdisPoolHandle; ULONG Padding; VOID *NdisReserved[2]; VOID *ProtocolReserved[4]; VOID *MiniportReserved[2]; VOID *Scratch;
  VOID *SourceHandle; ULONG NblFlags; LONG ChildRefCount; ULONG Flags; LONG Status; VOID *NetBufferListInfo[24];
};
