// A driver with METHOD_NEITHER requests that a system worker thread finishes, in the address space of whoever asked; and the
// ways to get that wrong, each under a control code of its own.
#include "requests.h"

#define IOCTL_PENDED(function) CTL_CODE(FILE_DEVICE_UNKNOWN, function, METHOD_NEITHER, FILE_ANY_ACCESS)
#define IOCTL_PENDED_FIRST IOCTL_PENDED(0x800)
// Nobody finishes it: it waits until it is cancelled, or its handle is closed.
#define IOCTL_PENDED_HOLD IOCTL_PENDED(0x80f)

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Pended");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Pended");

static const char answer[] = "from the worker";

typedef struct {
  KSPIN_LOCK lock;
  // Requests to be finished, and those that nobody finishes.
  LIST_ENTRY queue, held;
  WORK_QUEUE_ITEM item;
  BOOLEAN isItemQueued;
} EXTENSION;

// What a queued request remembers: the process that was current when it was made, and how it is to be finished.
#define Requestor(irp) (*(EPROCESS **)&(irp)->DriverContext[0])
#define Variant(irp) (*(ULONG *)&(irp)->DriverContext[1])

static void Copy(UCHAR *to) {
  for (ULONG index = 0; index < sizeof answer; index++) ((volatile UCHAR *)to)[index] = answer[index];
}

// Locks the MDL's pages in whatever process is current.
static NTSTATUS Lock(MDL *mdl) {
  __try {
    MmProbeAndLockPages(mdl, UserMode, IoWriteAccess);
    return STATUS_SUCCESS;
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
}

// Locks, maps, copies and unlocks in whatever process is current.
static NTSTATUS Answer(MDL *mdl) {
  NTSTATUS status = Lock(mdl);
  if (!NT_SUCCESS(status)) return status;
  UCHAR *view = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
  if (view == NULL) status = STATUS_INSUFFICIENT_RESOURCES;
  else Copy(view);
  MmUnlockPages(mdl);
  return status;
}

// The right way.
static NTSTATUS AttachToRequestor(IRP *irp, MDL *mdl) {
  KAPC_STATE state;
  KeStackAttachProcess(Requestor(irp), &state);
  NTSTATUS status = Answer(mdl);
  KeUnstackDetachProcess(&state);
  return status;
}

// Wrong: the worker's process is System.
static NTSTATUS DoNotAttach(IRP *irp, MDL *mdl) { return Answer(mdl); }

// Wrong where the thread had attached to another process when it asked.
static NTSTATUS AttachToThreadOwner(IRP *irp, MDL *mdl) {
  KAPC_STATE state;
  KeStackAttachProcess(IoThreadToProcess(irp->Thread), &state);
  NTSTATUS status = Answer(mdl);
  KeUnstackDetachProcess(&state);
  return status;
}

// Wrong: the address is the requestor's, the address space is System's.
static NTSTATUS TouchWithoutAttaching(IRP *irp, MDL *mdl) {
  __try {
    Copy(irp->UserBuffer);
    return STATUS_SUCCESS;
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
}

// Wrong: the worker goes back attached.
static NTSTATUS ForgetToDetach(IRP *irp, MDL *mdl) {
  KAPC_STATE state;
  KeStackAttachProcess(Requestor(irp), &state);
  return Answer(mdl);
}

// Wrong: the pages stay locked, and the MDL that says so is freed.
static NTSTATUS ForgetToUnlock(IRP *irp, MDL *mdl) {
  KAPC_STATE state;
  KeStackAttachProcess(Requestor(irp), &state);
  NTSTATUS status = Lock(mdl);
  KeUnstackDetachProcess(&state);
  return status;
}

// Right: what is locked and mapped can be written and unlocked from anywhere.
static NTSTATUS UnlockAfterDetaching(IRP *irp, MDL *mdl) {
  KAPC_STATE state;
  KeStackAttachProcess(Requestor(irp), &state);
  NTSTATUS status = Lock(mdl);
  KeUnstackDetachProcess(&state);
  if (!NT_SUCCESS(status)) return status;
  UCHAR *view = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
  if (view == NULL) status = STATUS_INSUFFICIENT_RESOURCES;
  else Copy(view);
  MmUnlockPages(mdl);
  return status;
}

// Wrong: the lock is in the right process, and the copy goes to the same address of another.
static NTSTATUS TouchAfterDetaching(IRP *irp, MDL *mdl) {
  KAPC_STATE state;
  KeStackAttachProcess(Requestor(irp), &state);
  NTSTATUS status = Lock(mdl);
  KeUnstackDetachProcess(&state);
  if (!NT_SUCCESS(status)) return status;
  status = TouchWithoutAttaching(irp, mdl);
  MmUnlockPages(mdl);
  return status;
}

static NTSTATUS (*const variants[])(IRP *, MDL *) = {
    AttachToRequestor, DoNotAttach,    AttachToThreadOwner,  TouchWithoutAttaching,
    ForgetToDetach,    ForgetToUnlock, UnlockAfterDetaching, TouchAfterDetaching,
};

static void Finish(IRP *irp) {
  MDL *mdl = IoAllocateMdl(irp->UserBuffer, sizeof answer, FALSE, FALSE, NULL);
  NTSTATUS status = mdl == NULL ? STATUS_INSUFFICIENT_RESOURCES : variants[Variant(irp)](irp, mdl);
  if (mdl != NULL) IoFreeMdl(mdl);
  ObDereferenceObject(Requestor(irp));
  Complete(irp, status, NT_SUCCESS(status) ? sizeof answer : 0);
}

// Takes the first request that nobody is cancelling from `queue`: of `file`, or of any file if that is null. Null if there is none.
static IRP *Take(EXTENSION *extension, LIST_ENTRY *queue, PVOID file) {
  IRP *found = NULL;
  KIRQL irql = KfAcquireSpinLock(&extension->lock);
  for (LIST_ENTRY *entry = queue->Flink; entry != queue && found == NULL;) {
    IRP *irp = CONTAINING_RECORD(entry, IRP, ListEntry);
    entry = entry->Flink;
    // One that has lost its cancel routine belongs to that: it waits for the lock.
    if ((file != NULL && IoGetCurrentIrpStackLocation(irp)->FileObject != file) || IoSetCancelRoutine(irp, NULL) == NULL) continue;
    RemoveEntryList(&irp->ListEntry);
    found = irp;
  }
  if (found == NULL && queue == &extension->queue) extension->isItemQueued = FALSE;
  KfReleaseSpinLock(&extension->lock, irql);
  return found;
}

static void NTAPI Work(PVOID context) {
  IRP *irp;
  while ((irp = Take(context, &((EXTENSION *)context)->queue, NULL)) != NULL) Finish(irp);
}

static void NTAPI Cancel(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KIRQL irql = KfAcquireSpinLock(&extension->lock);
  RemoveEntryList(&irp->ListEntry);
  KfReleaseSpinLock(&extension->lock, irql);
  ObDereferenceObject(Requestor(irp));
  Complete(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  ULONG code = location->Parameters.DeviceIoControl.IoControlCode;
  ULONG variant = (code - IOCTL_PENDED_FIRST) >> 2;
  BOOLEAN isHeld = code == IOCTL_PENDED_HOLD;
  if ((code & 3) != METHOD_NEITHER || (!isHeld && variant >= sizeof variants / sizeof variants[0]))
    return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  if (location->Parameters.DeviceIoControl.OutputBufferLength < sizeof answer) return Complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
  Requestor(irp) = IoGetCurrentProcess();
  Variant(irp) = variant;
  ObReferenceObject(Requestor(irp));
  IoMarkIrpPending(irp);
  KIRQL irql = KfAcquireSpinLock(&extension->lock);
  InsertTailList(isHeld ? &extension->held : &extension->queue, &irp->ListEntry);
  IoSetCancelRoutine(irp, Cancel);
  if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
    RemoveEntryList(&irp->ListEntry);
    KfReleaseSpinLock(&extension->lock, irql);
    ObDereferenceObject(Requestor(irp));
    Complete(irp, STATUS_CANCELLED, 0);
    return STATUS_PENDING;
  }
  BOOLEAN isWanted = !isHeld && !extension->isItemQueued;
  if (isWanted) extension->isItemQueued = TRUE;
  KfReleaseSpinLock(&extension->lock, irql);
  if (isWanted) ExQueueWorkItem(&extension->item, DelayedWorkQueue);
  return STATUS_PENDING;
}

// The last handle to a file is closed: its requests that nobody finishes would keep the file for ever.
static NTSTATUS NTAPI Cleanup(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  IRP *held;
  while ((held = Take(extension, &extension->held, IoGetCurrentIrpStackLocation(irp)->FileObject)) != NULL) {
    ObDereferenceObject(Requestor(held));
    Complete(held, STATUS_CANCELLED, 0);
  }
  return Complete(irp, STATUS_SUCCESS, 0);
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  IoDeleteSymbolicLink(&linkName);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DEVICE_OBJECT *device;
  NTSTATUS status = IoCreateDevice(driver, sizeof(EXTENSION), &deviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  EXTENSION *extension = device->DeviceExtension;
  KeInitializeSpinLock(&extension->lock);
  InitializeListHead(&extension->queue);
  InitializeListHead(&extension->held);
  ExInitializeWorkItem(&extension->item, Work, extension);
  status = IoCreateSymbolicLink(&linkName, &deviceName);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
    return status;
  }
  driver->MajorFunction[IRP_MJ_CREATE] = OpenOrClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = OpenOrClose;
  driver->MajorFunction[IRP_MJ_CLEANUP] = Cleanup;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
