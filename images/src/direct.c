// A driver whose I/O is direct: the I/O manager locks the caller's pages, and the driver maps them.
#include "requests.h"

#define IOCTL_DIRECT_SUM CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_IN_DIRECT, FILE_ANY_ACCESS)
#define IOCTL_DIRECT_FILL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Direct");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Direct");

typedef struct {
  UCHAR sum;
} EXTENSION;

// The caller's locked pages at an address of system space, or null.
static UCHAR *View(IRP *irp) {
  return irp->MdlAddress == NULL ? NULL : MmGetSystemAddressForMdlSafe(irp->MdlAddress, NormalPagePriority);
}

static UCHAR Sum(const UCHAR *bytes, ULONG length) {
  UCHAR sum = 0;
  for (ULONG index = 0; index < length; index++) sum += bytes[index];
  return sum;
}

static void Fill(UCHAR *bytes, ULONG length, UCHAR value) {
  for (ULONG index = 0; index < length; index++) ((volatile UCHAR *)bytes)[index] = value;
}

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  ULONG length = location->Parameters.DeviceIoControl.OutputBufferLength;
  UCHAR *view;
  switch (location->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_DIRECT_SUM:
    // What METHOD_IN_DIRECT calls the output buffer is data for the driver; the input buffer is a copy in system space.
    view = View(irp);
    if (view == NULL || irp->SystemBuffer == NULL) return Complete(irp, STATUS_INVALID_PARAMETER, 0);
    extension->sum = Sum(view, length) + *(UCHAR *)irp->SystemBuffer;
    return Complete(irp, STATUS_SUCCESS, 0);
  case IOCTL_DIRECT_FILL:
    view = View(irp);
    if (view == NULL || irp->SystemBuffer == NULL) return Complete(irp, STATUS_INVALID_PARAMETER, 0);
    Fill(view, length, *(UCHAR *)irp->SystemBuffer);
    return Complete(irp, STATUS_SUCCESS, length);
  default: return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

static NTSTATUS NTAPI Write(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  UCHAR *view = View(irp);
  if (view == NULL) return Complete(irp, STATUS_INVALID_PARAMETER, 0);
  extension->sum = Sum(view, length);
  return Complete(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI Read(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = device->DeviceExtension;
  ULONG length = IoGetCurrentIrpStackLocation(irp)->Parameters.Read.Length;
  UCHAR *view = View(irp);
  if (view == NULL) return Complete(irp, STATUS_INVALID_PARAMETER, 0);
  Fill(view, length, extension->sum);
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
  device->Flags |= DO_DIRECT_IO;
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
