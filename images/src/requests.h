// What drivers that serve requests at once have in common.
#pragma once
#include "wdm.h"

static NTSTATUS Complete(IRP *irp, NTSTATUS status, ULONG information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS NTAPI OpenOrClose(DEVICE_OBJECT *device, IRP *irp) { return Complete(irp, STATUS_SUCCESS, 0); }
