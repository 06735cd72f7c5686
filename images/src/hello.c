// A driver that makes a device and a symbolic link, says so, and takes both away again.
#include "wdm.h"

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Hello");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Hello");

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  IoDeleteSymbolicLink(&linkName);
  IoDeleteDevice(driver->DeviceObject);
  DbgPrint("hello: goodbye\n");
}

static NTSTATUS NTAPI OpenOrClose(DEVICE_OBJECT *device, IRP *irp) {
  irp->IoStatus.Status = STATUS_SUCCESS;
  irp->IoStatus.Information = 0;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
}

// Gone once it has returned, as any driver's INIT section is.
#pragma code_seg("INIT")
NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DbgPrint("hello: on build %u, started from %wZ\n", *NtBuildNumber, registryPath);
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
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
