// A filter driver: its device lies over that of `neither`, sees every request on its way down and up, and changes none.
#include "wdm.h"

static const UNICODE_STRING targetName = COUNTED(u"\\Device\\Neither");

typedef struct {
  DEVICE_OBJECT *below;
  FILE_OBJECT *file;
} EXTENSION;

static NTSTATUS NTAPI Done(DEVICE_OBJECT *device, IRP *irp, PVOID context) {
  DbgPrint("over: 0x%x came back with %x, %u bytes\n", (ULONG)context, irp->IoStatus.Status, irp->IoStatus.Information);
  if (irp->PendingReturned) IoMarkIrpPending(irp);
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Pass(DEVICE_OBJECT *device, IRP *irp) {
  IoSkipCurrentIrpStackLocation(irp);
  return IoCallDriver(((EXTENSION *)device->DeviceExtension)->below, irp);
}

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  ULONG code = location->Parameters.DeviceIoControl.IoControlCode;
  ULONG length = location->Parameters.DeviceIoControl.InputBufferLength;
  const UCHAR *input = location->Parameters.DeviceIoControl.Type3InputBuffer;
  // A filter on top runs in the requestor's process, so the address means what it means to the requestor.
  __try {
    ProbeForRead(input, length, 1);
    DbgPrint("over: 0x%x passes, its input begins with %02x\n", code, length == 0 ? 0 : *(volatile const UCHAR *)input);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    DbgPrint("over: 0x%x passes, its input is not to be read\n", code);
  }
  IoCopyCurrentIrpStackLocationToNext(irp);
  IoSetCompletionRoutine(irp, Done, (PVOID)code);
  return IoCallDriver(((EXTENSION *)device->DeviceExtension)->below, irp);
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  EXTENSION *extension = driver->DeviceObject->DeviceExtension;
  IoDetachDevice(extension->below);
  ObDereferenceObject(extension->file);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  FILE_OBJECT *file;
  DEVICE_OBJECT *target, *device;
  NTSTATUS status = IoGetDeviceObjectPointer(&targetName, 0, &file, &target);
  if (!NT_SUCCESS(status)) return status;
  status = IoCreateDevice(driver, sizeof(EXTENSION), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) {
    ObDereferenceObject(file);
    return status;
  }
  EXTENSION *extension = device->DeviceExtension;
  extension->file = file;
  device->Flags |= target->Flags & (DO_BUFFERED_IO | DO_DIRECT_IO);
  extension->below = IoAttachDeviceToDeviceStack(device, target);
  if (extension->below == NULL) {
    IoDeleteDevice(device);
    ObDereferenceObject(file);
    return STATUS_NO_SUCH_DEVICE;
  }
  for (ULONG major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major++) driver->MajorFunction[major] = Pass;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
