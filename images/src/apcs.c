// A driver that answers METHOD_NEITHER requests from a kernel APC: a system worker queues it to the thread that asked, in whose
// process the user's address means what the user meant. And what goes wrong: an APC to whatever thread is there; and a wait for what
// an APC is to bring, in a thread that lets none come.
#include "requests.h"

typedef struct {
  ULONG Opaque[12];
} KAPC;
typedef struct {
  ULONG Opaque[4];
} KEVENT;
typedef enum { OriginalApcEnvironment, AttachedApcEnvironment, CurrentApcEnvironment } KAPC_ENVIRONMENT;
typedef void NTAPI KNORMAL_ROUTINE(PVOID context, PVOID first, PVOID second);
typedef void NTAPI KKERNEL_ROUTINE(KAPC *, KNORMAL_ROUTINE **, PVOID *context, PVOID *first, PVOID *second);
typedef void NTAPI KRUNDOWN_ROUTINE(KAPC *);
NTSYSAPI void NTAPI KeInitializeApc(
    KAPC *, ETHREAD *, KAPC_ENVIRONMENT, KKERNEL_ROUTINE *, KRUNDOWN_ROUTINE *, KNORMAL_ROUTINE *, CCHAR mode, PVOID context);
NTSYSAPI BOOLEAN NTAPI KeInsertQueueApc(KAPC *, PVOID first, PVOID second, LONG increment);
NTSYSAPI ETHREAD *NTAPI KeGetCurrentThread(void);
NTSYSAPI void NTAPI KeInitializeEvent(KEVENT *, ULONG type, BOOLEAN state);
NTSYSAPI LONG NTAPI KeSetEvent(KEVENT *, LONG increment, BOOLEAN wait);
NTSYSAPI NTSTATUS NTAPI KeWaitForSingleObject(PVOID, ULONG reason, CCHAR mode, BOOLEAN alertable, const LONGLONG *timeout);
NTSYSAPI void NTAPI KeEnterCriticalRegion(void);
NTSYSAPI void NTAPI KeLeaveCriticalRegion(void);
#define NotificationEvent 0

// The APC goes to the thread that asked, or, wrongly, to the worker's own.
#define IOCTL_APCS_TO_REQUESTOR CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS)
#define IOCTL_APCS_TO_WORKER CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_NEITHER, FILE_ANY_ACCESS)
// Waits for an event that a normal kernel APC of its own sets: within a critical region, or, rightly, outside.
#define IOCTL_APCS_WAIT_IN_REGION CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_APCS_WAIT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Apcs");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Apcs");

static const char answer[] = "from an APC";
#define TAG 'scpA'

// A request on its way: to the worker first, and then to the APC.
typedef struct {
  WORK_QUEUE_ITEM item;
  KAPC apc;
  IRP *irp;
  BOOLEAN isWrong;
} REQUEST;

// At APC_LEVEL, in front of the normal routine: nothing is to be done.
static void NTAPI Prepare(KAPC *apc, KNORMAL_ROUTINE **routine, PVOID *context, PVOID *first, PVOID *second) {}

// At PASSIVE_LEVEL: stores at the user's own address, which is right where the thread is one of the user's process.
static void NTAPI Answer(PVOID context, PVOID first, PVOID second) {
  REQUEST *request = context;
  IRP *irp = request->irp;
  NTSTATUS status = STATUS_SUCCESS;
  __try {
    ProbeForWrite(irp->UserBuffer, sizeof answer, 1);
    for (ULONG index = 0; index < sizeof answer; index++) ((volatile UCHAR *)irp->UserBuffer)[index] = answer[index];
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    status = GetExceptionCode();
  }
  ExFreePoolWithTag(request, TAG);
  Complete(irp, status, NT_SUCCESS(status) ? sizeof answer : 0);
}

static void NTAPI Work(PVOID context) {
  REQUEST *request = context;
  ETHREAD *thread = request->isWrong ? KeGetCurrentThread() : request->irp->Thread;
  KeInitializeApc(&request->apc, thread, OriginalApcEnvironment, Prepare, NULL, Answer, KernelMode, request);
  if (KeInsertQueueApc(&request->apc, NULL, NULL, IO_NO_INCREMENT)) return;
  // The thread is gone.
  IRP *irp = request->irp;
  ExFreePoolWithTag(request, TAG);
  Complete(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Start(IRP *irp, BOOLEAN isWrong) {
  REQUEST *request = ExAllocatePoolWithTag(NonPagedPool, sizeof *request, TAG);
  if (request == NULL) return Complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  request->irp = irp;
  request->isWrong = isWrong;
  IoMarkIrpPending(irp);
  ExInitializeWorkItem(&request->item, Work, request);
  ExQueueWorkItem(&request->item, DelayedWorkQueue);
  return STATUS_PENDING;
}

static void NTAPI Signal(PVOID event, PVOID first, PVOID second) { KeSetEvent(event, IO_NO_INCREMENT, FALSE); }

// STATUS_TIMEOUT where the APC cannot come.
static NTSTATUS WaitForAPC(BOOLEAN isInRegion) {
  static KAPC apc;
  static KEVENT event;
  static const LONGLONG tenMilliseconds = -100000;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  KeInitializeApc(&apc, KeGetCurrentThread(), OriginalApcEnvironment, Prepare, NULL, Signal, KernelMode, &event);
  if (isInRegion) KeEnterCriticalRegion();
  KeInsertQueueApc(&apc, NULL, NULL, IO_NO_INCREMENT);
  NTSTATUS status = KeWaitForSingleObject(&event, 0, KernelMode, FALSE, &tenMilliseconds);
  if (isInRegion) KeLeaveCriticalRegion();
  return status;
}

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  switch (location->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_APCS_TO_REQUESTOR:
  case IOCTL_APCS_TO_WORKER:
    if (location->Parameters.DeviceIoControl.OutputBufferLength < sizeof answer) return Complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    return Start(irp, location->Parameters.DeviceIoControl.IoControlCode == IOCTL_APCS_TO_WORKER);
  case IOCTL_APCS_WAIT_IN_REGION: return Complete(irp, WaitForAPC(TRUE), 0);
  case IOCTL_APCS_WAIT: return Complete(irp, WaitForAPC(FALSE), 0);
  default: return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  IoDeleteSymbolicLink(&linkName);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DEVICE_OBJECT *device;
  NTSTATUS status = IoCreateDevice(driver, 0, &deviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  status = IoCreateSymbolicLink(&linkName, &deviceName);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
    return status;
  }
  driver->MajorFunction[IRP_MJ_CREATE] = OpenOrClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = OpenOrClose;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
