// A minifilter that counts in contexts: opens of each instance, reads of each file, and bytes of each handle.
#include "fltkernel.h"

static FLT_FILTER *filter;

typedef struct {
  ULONG Count;
} COUNTER;

static void NTAPI Cleanup(PVOID context, USHORT type) { DbgPrint("counter: context %x ends at %u\n", type, ((COUNTER *)context)->Count); }

static NTSTATUS NTAPI Setup(const FLT_RELATED_OBJECTS *objects, ULONG flags, ULONG deviceType, ULONG fileSystem) {
  COUNTER *counter;
  if (!NT_SUCCESS(FltAllocateContext(filter, FLT_INSTANCE_CONTEXT, sizeof(COUNTER), NonPagedPool, (PVOID *)&counter))) {
    return STATUS_FLT_DO_NOT_ATTACH;
  }
  counter->Count = 0;
  NTSTATUS status = FltSetInstanceContext(objects->Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, counter, NULL);
  FltReleaseContext(counter);
  return NT_SUCCESS(status) ? STATUS_SUCCESS : STATUS_FLT_DO_NOT_ATTACH;
}

static FLT_POSTOP NTAPI AfterCreate(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID context, ULONG flags) {
  COUNTER *counter, *old;
  if (!NT_SUCCESS(data->IoStatus.Status) || flags & FLTFL_POST_OPERATION_DRAINING) return FLT_POSTOP_FINISHED_PROCESSING;
  if (NT_SUCCESS(FltGetInstanceContext(objects->Instance, (PVOID *)&counter))) {
    counter->Count++;
    FltReleaseContext(counter);
  }
  if (NT_SUCCESS(FltAllocateContext(filter, FLT_STREAM_CONTEXT, sizeof(COUNTER), PagedPool, (PVOID *)&counter))) {
    counter->Count = 0;
    if (FltSetStreamContext(objects->Instance, objects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, counter, (PVOID *)&old) ==
        STATUS_FLT_CONTEXT_ALREADY_DEFINED) {
      DbgPrint("counter: the file has a context\n");
      FltReleaseContext(old);
    }
    FltReleaseContext(counter);
  }
  if (NT_SUCCESS(FltAllocateContext(filter, FLT_STREAMHANDLE_CONTEXT, sizeof(COUNTER), PagedPool, (PVOID *)&counter))) {
    counter->Count = 0;
    FltSetStreamHandleContext(objects->Instance, objects->FileObject, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, counter, NULL);
    FltReleaseContext(counter);
  }
  return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP NTAPI BeforeCreate(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_PREOP NTAPI BeforeRead(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  COUNTER *counter;
  if (NT_SUCCESS(FltGetStreamContext(objects->Instance, objects->FileObject, (PVOID *)&counter))) {
    counter->Count++;
    FltReleaseContext(counter);
  }
  if (NT_SUCCESS(FltGetStreamHandleContext(objects->Instance, objects->FileObject, (PVOID *)&counter))) {
    counter->Count += data->Iopb->Parameters.ReadWrite.Length;
    FltReleaseContext(counter);
  }
  return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS NTAPI Unload(ULONG flags) {
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_CONTEXT_REGISTRATION contexts[] = {
  {FLT_INSTANCE_CONTEXT, 0, Cleanup, sizeof(COUNTER), 'tnuC'},
  {FLT_STREAM_CONTEXT, 0, Cleanup, sizeof(COUNTER), 'tnuC'},
  {FLT_STREAMHANDLE_CONTEXT, 0, Cleanup, sizeof(COUNTER), 'tnuC'},
  {FLT_CONTEXT_END},
};

static const FLT_OPERATION_REGISTRATION operations[] = {
  {IRP_MJ_CREATE, 0, BeforeCreate, AfterCreate},
  {IRP_MJ_READ, 0, BeforeRead, NULL},
  {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION registration = {
  .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .ContextRegistration = contexts,
  .OperationRegistration = operations, .FilterUnload = Unload, .InstanceSetup = Setup,
};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
