// A driver whose periodic timer counts in a user's buffer, from a DPC: through a mapping of the locked pages, which is right in
// whatever process the DPC runs, or at the user's own address, which is not.
#include "requests.h"

#define IOCTL_TIMERS_COUNT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
#define IOCTL_TIMERS_COUNT_DIRECTLY CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_NEITHER, FILE_ANY_ACCESS)
// From here on the driver forgets its timer when it goes.
#define IOCTL_TIMERS_FORGET CTL_CODE(FILE_DEVICE_UNKNOWN, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Timers");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Timers");

typedef struct {
  KTIMER timer;
  KDPC dpc;
  KSPIN_LOCK lock;
  // The request that is counted for, and where the count is.
  IRP *irp;
  volatile ULONG *count;
  ULONG ticks;
  BOOLEAN forgets;
} EXTENSION;

#define TICKS 3
#define MILLISECONDS 10

static void NTAPI Tick(KDPC *dpc, PVOID context, PVOID first, PVOID second) {
  EXTENSION *extension = context;
  IRP *done = NULL;
  KIRQL irql = KfAcquireSpinLock(&extension->lock);
  if (extension->irp != NULL) {
    *extension->count = ++extension->ticks;
    if (extension->ticks == TICKS && IoSetCancelRoutine(extension->irp, NULL) != NULL) {
      done = extension->irp;
      extension->irp = NULL;
    }
  }
  KfReleaseSpinLock(&extension->lock, irql);
  if (done != NULL) {
    KeCancelTimer(&extension->timer);
    Complete(done, STATUS_SUCCESS, sizeof *extension->count);
  }
}

static void NTAPI Cancel(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KIRQL irql = KfAcquireSpinLock(&extension->lock);
  if (extension->irp == irp) extension->irp = NULL;
  KfReleaseSpinLock(&extension->lock, irql);
  KeCancelTimer(&extension->timer);
  Complete(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS Start(EXTENSION *extension, IRP *irp, PVOID count) {
  if (count == NULL || extension->irp != NULL) return Complete(irp, STATUS_INVALID_PARAMETER, 0);
  IoMarkIrpPending(irp);
  extension->count = count;
  extension->ticks = 0;
  IoSetCancelRoutine(irp, Cancel);
  extension->irp = irp;
  KeSetTimerEx(&extension->timer, -10000LL * MILLISECONDS, MILLISECONDS, &extension->dpc);
  return STATUS_PENDING;
}

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  ULONG code = location->Parameters.DeviceIoControl.IoControlCode;
  if (code == IOCTL_TIMERS_FORGET) {
    extension->forgets = TRUE;
    return Complete(irp, STATUS_SUCCESS, 0);
  }
  if (code != IOCTL_TIMERS_COUNT && code != IOCTL_TIMERS_COUNT_DIRECTLY) return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  if (location->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG)) return Complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
  if (code == IOCTL_TIMERS_COUNT_DIRECTLY) return Start(extension, irp, irp->UserBuffer);
  return Start(extension, irp, MmGetSystemAddressForMdlSafe(irp->MdlAddress, NormalPagePriority));
}

// The last handle to a file is closed: the request that is counted for ends.
static NTSTATUS NTAPI Cleanup(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  IRP *counted = NULL;
  KIRQL irql = KfAcquireSpinLock(&extension->lock);
  if (extension->irp != NULL && IoSetCancelRoutine(extension->irp, NULL) != NULL) {
    counted = extension->irp;
    extension->irp = NULL;
  }
  KfReleaseSpinLock(&extension->lock, irql);
  if (counted != NULL) Complete(counted, STATUS_CANCELLED, 0);
  return Complete(irp, STATUS_SUCCESS, 0);
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  EXTENSION *extension = driver->DeviceObject->DeviceExtension;
  if (!extension->forgets) {
    KeCancelTimer(&extension->timer);
    // A DPC that was queued already has run when this returns.
    KeFlushQueuedDpcs();
  }
  IoDeleteSymbolicLink(&linkName);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DEVICE_OBJECT *device;
  NTSTATUS status = IoCreateDevice(driver, sizeof(EXTENSION), &deviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  EXTENSION *extension = device->DeviceExtension;
  KeInitializeSpinLock(&extension->lock);
  KeInitializeTimerEx(&extension->timer, NotificationTimer);
  KeInitializeDpc(&extension->dpc, Tick, extension);
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
