// A minifilter that asks for nothing: it registers, starts, and goes when it is told to.
#include "fltkernel.h"

static FLT_FILTER *filter;

static NTSTATUS NTAPI Unload(ULONG flags) {
  FltUnregisterFilter(filter);
  DbgPrint("nullfilter: gone, flags %x\n", flags);
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI QueryTeardown(const FLT_RELATED_OBJECTS *objects, ULONG flags) { return STATUS_SUCCESS; }

static const FLT_REGISTRATION registration = {
  .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .FilterUnload = Unload, .InstanceQueryTeardown = QueryTeardown,
};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
