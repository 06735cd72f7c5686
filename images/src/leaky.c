// A driver whose unload routine forgets what it has: a device, a symbolic link and a block of pool stay behind.
#include "wdm.h"

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Leaky");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Leaky");

static void NTAPI Unload(DRIVER_OBJECT *driver) { DbgPrint("leaky: gone, with nothing taken back\n"); }

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DEVICE_OBJECT *device;
  NTSTATUS status = IoCreateDevice(driver, 0, &deviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  status = IoCreateSymbolicLink(&linkName, &deviceName);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
    return status;
  }
  UCHAR *block = ExAllocatePoolWithTag(NonPagedPool, 64, 'kaeL');
  if (block == NULL) {
    IoDeleteSymbolicLink(&linkName);
    IoDeleteDevice(device);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  block[0] = 1;
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
