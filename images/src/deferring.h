// What the two deferring minifilters share: a write is looked at by a system worker thread before it goes on.
#include "fltkernel.h"

static FLT_FILTER *filter;

// The user's buffer where system code may read it, or NULL.
static const UCHAR *Reach(FLT_CALLBACK_DATA *data);
static void Leave(FLT_CALLBACK_DATA *data);

static void NTAPI Scan(FLT_WORKITEM item, FLT_CALLBACK_DATA *data, PVOID context) {
  const UCHAR *bytes = Reach(data);
  FLT_PREOP verdict = FLT_PREOP_SUCCESS_NO_CALLBACK;
  FltFreeDeferredIoWorkItem(item);
  // What begins with an exclamation mark may not be written.
  if (bytes == NULL || bytes[0] == '!') {
    data->IoStatus.Status = STATUS_ACCESS_DENIED;
    data->IoStatus.Information = 0;
    verdict = FLT_PREOP_COMPLETE;
  }
  Leave(data);
  FltCompletePendedPreOperation(data, verdict, NULL);
}

static FLT_PREOP NTAPI BeforeWrite(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  if (data->Iopb->Parameters.ReadWrite.Length == 0) return FLT_PREOP_SUCCESS_NO_CALLBACK;
  FLT_WORKITEM item = FltAllocateDeferredIoWorkItem();
  if (item == NULL) return FLT_PREOP_SUCCESS_NO_CALLBACK;
  if (!NT_SUCCESS(FltQueueDeferredIoWorkItem(item, data, Scan, DelayedWorkQueue, NULL))) {
    FltFreeDeferredIoWorkItem(item);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
  }
  return FLT_PREOP_PENDING;
}

static NTSTATUS NTAPI Unload(ULONG flags) {
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION operations[] = {
  {IRP_MJ_WRITE, 0, BeforeWrite, NULL},
  {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION registration = {
  .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .OperationRegistration = operations, .FilterUnload = Unload,
};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
