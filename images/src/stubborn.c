// A minifilter that will not go when it is asked, and misbehaves when a read asks for it by its length: it pends and forgets, or
// returns what is no status of a callback.
#include "fltkernel.h"

#define FLTFL_FILTER_UNLOAD_MANDATORY 1

enum { FORGET = 13, NONSENSE = 14, COMPLETE_AS_PENDING = 15 };

static FLT_FILTER *filter;

static FLT_PREOP NTAPI PreRead(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  switch (data->Iopb->Parameters.ReadWrite.Length) {
    case FORGET: return FLT_PREOP_PENDING;
    case NONSENSE: return 9;
    case COMPLETE_AS_PENDING:
      data->IoStatus.Status = 0x103;
      return FLT_PREOP_COMPLETE;
  }
  return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS NTAPI Setup(const FLT_RELATED_OBJECTS *objects, ULONG flags, ULONG deviceType, ULONG fileSystemType) {
  DbgPrint("stubborn: offered a volume, flags %x\n", flags);
  return STATUS_SUCCESS;
}

static void NTAPI TornDown(const FLT_RELATED_OBJECTS *objects, ULONG reason) { DbgPrint("stubborn: off a volume, reason %x\n", reason); }

static NTSTATUS NTAPI Unload(ULONG flags) {
  if (!(flags & FLTFL_FILTER_UNLOAD_MANDATORY)) return STATUS_FLT_DO_NOT_DETACH;
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION operations[] = {{IRP_MJ_READ, 0, PreRead}, {IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION registration = {
  .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .OperationRegistration = operations, .FilterUnload = Unload,
  .InstanceSetup = Setup, .InstanceTeardownComplete = TornDown,
};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
