// A driver with a METHOD_NEITHER request: it reads and writes the caller's own buffers, at once and in the caller's process.
#include "wdm.h"

#define IOCTL_NEITHER_INVERT CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS)

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Neither");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Neither");

// Inverts `length` bytes from one buffer of the caller's into another. Raises where either is not the caller's to use.
static __declspec(noinline) void Invert(const UCHAR *input, UCHAR *output, ULONG length) {
  ProbeForRead(input, length, 1);
  ProbeForWrite(output, length, 1);
  for (ULONG index = 0; index < length; index++) output[index] = ~input[index];
}

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  ULONG length = location->Parameters.DeviceIoControl.InputBufferLength;
  NTSTATUS status = STATUS_SUCCESS;
  irp->IoStatus.Information = 0;
  if (location->Parameters.DeviceIoControl.IoControlCode != IOCTL_NEITHER_INVERT) {
    status = STATUS_INVALID_DEVICE_REQUEST;
  } else if (location->Parameters.DeviceIoControl.OutputBufferLength < length) {
    status = STATUS_BUFFER_TOO_SMALL;
  } else {
    __try {
      Invert(location->Parameters.DeviceIoControl.Type3InputBuffer, irp->UserBuffer, length);
      irp->IoStatus.Information = length;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
      status = GetExceptionCode();
    }
  }
  irp->IoStatus.Status = status;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS NTAPI OpenOrClose(DEVICE_OBJECT *device, IRP *irp) {
  irp->IoStatus.Status = STATUS_SUCCESS;
  irp->IoStatus.Information = 0;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return STATUS_SUCCESS;
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
