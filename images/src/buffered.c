// A driver whose I/O is buffered: the I/O manager copies from and to the caller's memory, and the driver sees none of it.
#include "requests.h"

#define IOCTL_BUFFERED_INVERT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
// Says that it has written more than there is room for: the I/O manager would copy what lies behind the system buffer.
#define IOCTL_BUFFERED_BOAST CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Buffered");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Buffered");

// What the last write left, for the next read.
typedef struct {
  ULONG length;
  UCHAR bytes[16];
} EXTENSION;

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  ULONG length = location->Parameters.DeviceIoControl.InputBufferLength;
  UCHAR *buffer = irp->SystemBuffer;
  switch (location->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_BUFFERED_INVERT:
    if (location->Parameters.DeviceIoControl.OutputBufferLength < length) return Complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    // One buffer serves both ways.
    for (ULONG index = 0; index < length; index++) buffer[index] = ~buffer[index];
    return Complete(irp, STATUS_SUCCESS, length);
  case IOCTL_BUFFERED_BOAST:
    return Complete(irp, STATUS_SUCCESS, location->Parameters.DeviceIoControl.OutputBufferLength + 16);
  default: return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

static NTSTATUS NTAPI Write(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  if (length > sizeof extension->bytes) return Complete(irp, STATUS_INVALID_PARAMETER, 0);
  const UCHAR *buffer = irp->SystemBuffer;
  for (ULONG index = 0; index < length; index++) extension->bytes[index] = buffer[index];
  extension->length = length;
  return Complete(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI Read(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length;
  if (length > extension->length) length = extension->length;
  UCHAR *buffer = irp->SystemBuffer;
  for (ULONG index = 0; index < length; index++) buffer[index] = extension->bytes[index];
  return Complete(irp, STATUS_SUCCESS, length);
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  IoDeleteSymbolicLink(&linkName);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DEVICE_OBJECT *device;
  NTSTATUS status = IoCreateDevice(driver, sizeof(EXTENSION), &deviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  device->Flags |= DO_BUFFERED_IO;
  status = IoCreateSymbolicLink(&linkName, &deviceName);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
    return status;
  }
  driver->MajorFunction[IRP_MJ_CREATE] = OpenOrClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = OpenOrClose;
  driver->MajorFunction[IRP_MJ_READ] = Read;
  driver->MajorFunction[IRP_MJ_WRITE] = Write;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
