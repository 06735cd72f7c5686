// What our drivers need of the kernel's interface, and no more: names, sizes and offsets as the public documentation of
// wdm.h gives them, for 32-bit Windows XP. Every declaration is ours.
#pragma once

typedef void *PVOID;
typedef unsigned char UCHAR, BOOLEAN, KIRQL;
typedef signed char CCHAR;
typedef unsigned short USHORT, WCHAR;
typedef unsigned long ULONG, SIZE_T, POOL_TYPE, KSPIN_LOCK;
typedef long LONG, NTSTATUS;
typedef long long LONGLONG;

#define NTAPI __stdcall
#define FASTCALL __fastcall
#define NTSYSAPI __declspec(dllimport)

#define TRUE 1
#define FALSE 0
#define NULL ((void *)0)
#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#define STATUS_PENDING ((NTSTATUS)0x00000103)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_NO_SUCH_DEVICE ((NTSTATUS)0xC000000E)
#define STATUS_INVALID_DEVICE_REQUEST ((NTSTATUS)0xC0000010)
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)
#define STATUS_CANCELLED ((NTSTATUS)0xC0000120)

#define EXCEPTION_EXECUTE_HANDLER 1
#define GetExceptionCode() ((NTSTATUS)_exception_code())
unsigned long _exception_code(void);

typedef struct {
  USHORT Length, MaximumLength;
  const WCHAR *Buffer;
} UNICODE_STRING;
// A counted string that holds a literal, u"\\Device\\Hello".
#define COUNTED(literal) { sizeof(literal) - sizeof(WCHAR), sizeof(literal), literal }

typedef struct LIST_ENTRY {
  struct LIST_ENTRY *Flink, *Blink;
} LIST_ENTRY;

static inline void InitializeListHead(LIST_ENTRY *head) { head->Flink = head->Blink = head; }
static inline BOOLEAN IsListEmpty(const LIST_ENTRY *head) { return head->Flink == head; }
static inline void RemoveEntryList(LIST_ENTRY *entry) {
  entry->Flink->Blink = entry->Blink;
  entry->Blink->Flink = entry->Flink;
}
static inline LIST_ENTRY *RemoveHeadList(LIST_ENTRY *head) {
  LIST_ENTRY *entry = head->Flink;
  RemoveEntryList(entry);
  return entry;
}
static inline void InsertTailList(LIST_ENTRY *head, LIST_ENTRY *entry) {
  entry->Flink = head;
  entry->Blink = head->Blink;
  head->Blink->Flink = entry;
  head->Blink = entry;
}
#define CONTAINING_RECORD(address, type, field) ((type *)((UCHAR *)(address) - __builtin_offsetof(type, field)))

typedef struct DRIVER_OBJECT DRIVER_OBJECT;
typedef struct DEVICE_OBJECT DEVICE_OBJECT;
typedef struct IRP IRP;
typedef NTSTATUS NTAPI DRIVER_DISPATCH(DEVICE_OBJECT *, IRP *);

#define IRP_MJ_CREATE 0x00
#define IRP_MJ_CLOSE 0x02
#define IRP_MJ_READ 0x03
#define IRP_MJ_WRITE 0x04
#define IRP_MJ_DEVICE_CONTROL 0x0e
#define IRP_MJ_CLEANUP 0x12
#define IRP_MJ_MAXIMUM_FUNCTION 0x1b

struct DRIVER_OBJECT {
  short Type, Size;
  DEVICE_OBJECT *DeviceObject;
  ULONG Flags;
  PVOID DriverStart;
  ULONG DriverSize;
  PVOID DriverSection, DriverExtension;
  UNICODE_STRING DriverName;
  UNICODE_STRING *HardwareDatabase;
  PVOID FastIoDispatch, DriverInit, DriverStartIo;
  void(NTAPI *DriverUnload)(DRIVER_OBJECT *);
  DRIVER_DISPATCH *MajorFunction[IRP_MJ_MAXIMUM_FUNCTION + 1];
};
_Static_assert(sizeof(DRIVER_OBJECT) == 0xa8, "DRIVER_OBJECT");

#define FILE_DEVICE_UNKNOWN 0x22
#define DO_BUFFERED_IO 0x4
#define DO_DIRECT_IO 0x10
#define DO_DEVICE_INITIALIZING 0x80

struct DEVICE_OBJECT {
  short Type;
  USHORT Size;
  long ReferenceCount;
  DRIVER_OBJECT *DriverObject;
  DEVICE_OBJECT *NextDevice, *AttachedDevice;
  IRP *CurrentIrp;
  PVOID Timer;
  ULONG Flags, Characteristics;
  PVOID Vpb, DeviceExtension;
  ULONG DeviceType;
  CCHAR StackSize;
  UCHAR Rest[0x87];
};
_Static_assert(sizeof(DEVICE_OBJECT) == 0xb8, "DEVICE_OBJECT");

typedef struct {
  UCHAR MajorFunction, MinorFunction, Flags, Control;
  union {
    struct {
      ULONG OutputBufferLength, InputBufferLength, IoControlCode;
      PVOID Type3InputBuffer;
    } DeviceIoControl;
    struct {
      ULONG Length, Key, ByteOffset[2];
    } Read, Write;
    PVOID Others[4];
  } Parameters;
  DEVICE_OBJECT *DeviceObject;
  PVOID FileObject;
  NTSTATUS(NTAPI *CompletionRoutine)(DEVICE_OBJECT *, IRP *, PVOID);
  PVOID Context;
} IO_STACK_LOCATION;
#define SL_PENDING_RETURNED 0x01
#define SL_INVOKE_ON_CANCEL 0x20
#define SL_INVOKE_ON_SUCCESS 0x40
#define SL_INVOKE_ON_ERROR 0x80
_Static_assert(sizeof(IO_STACK_LOCATION) == 0x24, "IO_STACK_LOCATION");

typedef struct {
  NTSTATUS Status;
  ULONG Information;
} IO_STATUS_BLOCK;

typedef struct EPROCESS EPROCESS;
typedef struct ETHREAD ETHREAD;
typedef struct FILE_OBJECT FILE_OBJECT;
typedef void NTAPI DRIVER_CANCEL(DEVICE_OBJECT *, IRP *);

typedef struct MDL {
  struct MDL *Next;
  short Size, MdlFlags;
  EPROCESS *Process;
  PVOID MappedSystemVa, StartVa;
  ULONG ByteCount, ByteOffset;
} MDL;
_Static_assert(sizeof(MDL) == 0x1c, "MDL");
#define MDL_MAPPED_TO_SYSTEM_VA 1
#define MDL_SOURCE_IS_NONPAGED_POOL 4

struct IRP {
  short Type;
  USHORT Size;
  MDL *MdlAddress;
  ULONG Flags;
  PVOID SystemBuffer;
  LIST_ENTRY ThreadListEntry;
  IO_STATUS_BLOCK IoStatus;
  CCHAR RequestorMode;
  BOOLEAN PendingReturned;
  CCHAR StackCount, CurrentLocation;
  BOOLEAN Cancel;
  KIRQL CancelIrql;
  CCHAR ApcEnvironment;
  UCHAR AllocationFlags;
  IO_STATUS_BLOCK *UserIosb;
  PVOID UserEvent, Overlay[2];
  DRIVER_CANCEL *CancelRoutine;
  PVOID UserBuffer, DriverContext[4];
  ETHREAD *Thread;
  PVOID AuxiliaryBuffer;
  LIST_ENTRY ListEntry;
  IO_STACK_LOCATION *CurrentStackLocation;
  PVOID OriginalFileObject, Apc[2];
};
_Static_assert(sizeof(IRP) == 0x70, "IRP");

#define IO_NO_INCREMENT 0
#define METHOD_BUFFERED 0
#define METHOD_IN_DIRECT 1
#define METHOD_OUT_DIRECT 2
#define METHOD_NEITHER 3
#define FILE_ANY_ACCESS 0
#define CTL_CODE(device, function, method, access) ((device) << 16 | (access) << 14 | (function) << 2 | (method))

static inline IO_STACK_LOCATION *IoGetCurrentIrpStackLocation(IRP *irp) { return irp->CurrentStackLocation; }
static inline void IoMarkIrpPending(IRP *irp) { irp->CurrentStackLocation->Control |= SL_PENDING_RETURNED; }
static inline void IoCopyCurrentIrpStackLocationToNext(IRP *irp) {
  IO_STACK_LOCATION *next = irp->CurrentStackLocation - 1;
  UCHAR *to = (UCHAR *)next;
  const volatile UCHAR *from = (UCHAR *)irp->CurrentStackLocation;
  // All but the completion routine and its context.
  for (ULONG index = 0; index < __builtin_offsetof(IO_STACK_LOCATION, CompletionRoutine); index++) to[index] = from[index];
  next->Control = 0;
}
static inline void IoSetCompletionRoutine(IRP *irp, NTSTATUS(NTAPI *routine)(DEVICE_OBJECT *, IRP *, PVOID), PVOID context) {
  IO_STACK_LOCATION *next = irp->CurrentStackLocation - 1;
  next->CompletionRoutine = routine;
  next->Context = context;
  next->Control = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
}
static inline void IoSkipCurrentIrpStackLocation(IRP *irp) {
  irp->CurrentLocation++;
  irp->CurrentStackLocation++;
}

long _InterlockedExchange(long volatile *, long);
static inline DRIVER_CANCEL *IoSetCancelRoutine(IRP *irp, DRIVER_CANCEL *routine) {
  return (DRIVER_CANCEL *)_InterlockedExchange((long volatile *)&irp->CancelRoutine, (long)routine);
}

NTSYSAPI NTSTATUS NTAPI IoCreateDevice(
    DRIVER_OBJECT *, ULONG extensionSize, const UNICODE_STRING *name, ULONG type, ULONG characteristics, BOOLEAN exclusive,
    DEVICE_OBJECT **);
NTSYSAPI void NTAPI IoDeleteDevice(DEVICE_OBJECT *);
NTSYSAPI NTSTATUS NTAPI IoCreateSymbolicLink(const UNICODE_STRING *link, const UNICODE_STRING *device);
NTSYSAPI NTSTATUS NTAPI IoDeleteSymbolicLink(const UNICODE_STRING *link);
NTSYSAPI void FASTCALL IofCompleteRequest(IRP *, CCHAR boost);
#define IoCompleteRequest IofCompleteRequest

NTSYSAPI NTSTATUS FASTCALL IofCallDriver(DEVICE_OBJECT *, IRP *);
#define IoCallDriver IofCallDriver
NTSYSAPI NTSTATUS NTAPI IoGetDeviceObjectPointer(const UNICODE_STRING *name, ULONG access, FILE_OBJECT **, DEVICE_OBJECT **);
NTSYSAPI DEVICE_OBJECT *NTAPI IoAttachDeviceToDeviceStack(DEVICE_OBJECT *source, DEVICE_OBJECT *target);
NTSYSAPI void NTAPI IoDetachDevice(DEVICE_OBJECT *target);
NTSYSAPI void NTAPI IoReleaseCancelSpinLock(KIRQL);
NTSYSAPI EPROCESS *NTAPI IoGetCurrentProcess(void);
NTSYSAPI EPROCESS *NTAPI IoThreadToProcess(ETHREAD *);
NTSYSAPI LONG FASTCALL ObfReferenceObject(PVOID);
NTSYSAPI LONG FASTCALL ObfDereferenceObject(PVOID);
#define ObReferenceObject ObfReferenceObject
#define ObDereferenceObject ObfDereferenceObject

NTSYSAPI MDL *NTAPI IoAllocateMdl(PVOID, ULONG length, BOOLEAN secondary, BOOLEAN chargeQuota, IRP *);
NTSYSAPI void NTAPI IoFreeMdl(MDL *);
NTSYSAPI void NTAPI MmBuildMdlForNonPagedPool(MDL *);
typedef enum { KernelMode, UserMode } KPROCESSOR_MODE;
typedef enum { IoReadAccess, IoWriteAccess, IoModifyAccess } LOCK_OPERATION;
NTSYSAPI void NTAPI MmProbeAndLockPages(MDL *, CCHAR mode, LOCK_OPERATION);
NTSYSAPI void NTAPI MmUnlockPages(MDL *);
NTSYSAPI PVOID NTAPI MmMapLockedPagesSpecifyCache(
    MDL *, CCHAR mode, ULONG cacheType, PVOID address, ULONG bugCheckOnFailure, ULONG priority);
#define MmCached 1
#define NormalPagePriority 16
static inline PVOID MmGetSystemAddressForMdlSafe(MDL *mdl, ULONG priority) {
  if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) return mdl->MappedSystemVa;
  return MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, priority);
}

typedef struct {
  ULONG Opaque[6];
} KAPC_STATE;
NTSYSAPI void NTAPI KeStackAttachProcess(EPROCESS *, KAPC_STATE *);
NTSYSAPI void NTAPI KeUnstackDetachProcess(KAPC_STATE *);

typedef struct KDPC KDPC;
typedef void NTAPI KDEFERRED_ROUTINE(KDPC *, PVOID context, PVOID first, PVOID second);
struct KDPC {
  ULONG Opaque[8];
};
typedef struct {
  ULONG Opaque[10];
} KTIMER;
NTSYSAPI void NTAPI KeInitializeDpc(KDPC *, KDEFERRED_ROUTINE *, PVOID context);
NTSYSAPI void NTAPI KeInitializeTimerEx(KTIMER *, ULONG type);
#define NotificationTimer 0
NTSYSAPI BOOLEAN NTAPI KeSetTimerEx(KTIMER *, LONGLONG dueTime, LONG period, KDPC *);
NTSYSAPI BOOLEAN NTAPI KeCancelTimer(KTIMER *);
NTSYSAPI void NTAPI KeFlushQueuedDpcs(void);

static inline void KeInitializeSpinLock(KSPIN_LOCK *lock) { *lock = 0; }
NTSYSAPI KIRQL FASTCALL KfAcquireSpinLock(KSPIN_LOCK *);
NTSYSAPI void FASTCALL KfReleaseSpinLock(KSPIN_LOCK *, KIRQL);

typedef struct {
  LIST_ENTRY List;
  void(NTAPI *WorkerRoutine)(PVOID);
  PVOID Parameter;
} WORK_QUEUE_ITEM;
#define CriticalWorkQueue 0
#define DelayedWorkQueue 1
static inline void ExInitializeWorkItem(WORK_QUEUE_ITEM *item, void(NTAPI *routine)(PVOID), PVOID parameter) {
  item->List.Flink = NULL;
  item->WorkerRoutine = routine;
  item->Parameter = parameter;
}
NTSYSAPI void NTAPI ExQueueWorkItem(WORK_QUEUE_ITEM *, ULONG queue);

#define NonPagedPool 0
#define PagedPool 1
NTSYSAPI PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE, SIZE_T, ULONG tag);
NTSYSAPI void NTAPI ExFreePoolWithTag(PVOID, ULONG tag);

NTSYSAPI void NTAPI ProbeForRead(const void *, SIZE_T, ULONG alignment);
NTSYSAPI void NTAPI ProbeForWrite(void *, SIZE_T, ULONG alignment);

typedef struct {
  ULONG Properties;
  PVOID ImageBase;
  ULONG ImageSelector;
  SIZE_T ImageSize;
  ULONG ImageSectionNumber;
} IMAGE_INFO;
#define IMAGE_INFO_SYSTEM_MODE 0x100
NTSYSAPI PVOID NTAPI PsGetCurrentProcessId(void);
NTSYSAPI NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(void NTAPI (*)(PVOID parent, PVOID process, BOOLEAN create), BOOLEAN remove);
NTSYSAPI NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(void NTAPI (*)(PVOID process, PVOID thread, BOOLEAN create));
NTSYSAPI NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(void NTAPI (*)(PVOID process, PVOID thread, BOOLEAN create));
NTSYSAPI NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(void NTAPI (*)(UNICODE_STRING *name, PVOID process, IMAGE_INFO *));
NTSYSAPI NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(void NTAPI (*)(UNICODE_STRING *name, PVOID process, IMAGE_INFO *));

NTSYSAPI ULONG __cdecl DbgPrint(const char *format, ...);

NTSYSAPI extern const USHORT NtBuildNumber;
