// A minifilter whose FilterUnload is what DriverUnload of another driver is: it takes the flags for its driver object.
#include "fltkernel.h"

static FLT_FILTER *filter;

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  DbgPrint("wrongunload: %wZ goes\n", &driver->DriverName);
  FltUnregisterFilter(filter);
}

static const FLT_REGISTRATION registration = {
  .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .FilterUnload = (PVOID)Unload,
};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
