// A minifilter that lets everything pass, and says what it saw: each operation on its way down and up, and the name of what is
// opened.
#include "fltkernel.h"

static FLT_FILTER *filter;

static FLT_PREOP NTAPI Before(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  DbgPrint("passthrough: %s\n", FltGetIrpName(data->Iopb->MajorFunction));
  return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP NTAPI After(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID context, ULONG flags) {
  DbgPrint("passthrough: %s came to %x\n", FltGetIrpName(data->Iopb->MajorFunction), data->IoStatus.Status);
  return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP NTAPI BeforeCreate(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  FLT_FILE_NAME_INFORMATION *name;
  NTSTATUS status = FltGetFileNameInformation(data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &name);
  if (NT_SUCCESS(status)) {
    FltParseFileNameInformation(name);
    DbgPrint("passthrough: opens %wZ: %wZ in %wZ, a %wZ\n", &name->Name, &name->FinalComponent, &name->ParentDir, &name->Extension);
    FltReleaseFileNameInformation(name);
  } else {
    DbgPrint("passthrough: a name came to %x\n", status);
  }
  return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static NTSTATUS NTAPI Setup(const FLT_RELATED_OBJECTS *objects, ULONG flags, ULONG deviceType, ULONG fileSystem) {
  DbgPrint("passthrough: set up, flags %x, device type %x, file system %x\n", flags, deviceType, fileSystem);
  return STATUS_SUCCESS;
}

static void NTAPI TeardownStart(const FLT_RELATED_OBJECTS *objects, ULONG reason) {
  DbgPrint("passthrough: teardown starts, reason %x\n", reason);
}

static void NTAPI TeardownComplete(const FLT_RELATED_OBJECTS *objects, ULONG reason) {
  DbgPrint("passthrough: teardown is complete, reason %x\n", reason);
}

static NTSTATUS NTAPI Unload(ULONG flags) {
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION operations[] = {
  {IRP_MJ_CREATE, 0, BeforeCreate, After},
  {IRP_MJ_CLOSE, 0, Before, After},
  {IRP_MJ_READ, 0, Before, After},
  {IRP_MJ_WRITE, 0, Before, After},
  {IRP_MJ_QUERY_INFORMATION, 0, Before, After},
  {IRP_MJ_SET_INFORMATION, 0, Before, After},
  {IRP_MJ_CLEANUP, 0, Before, After},
  {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION registration = {
  .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .OperationRegistration = operations,
  .FilterUnload = Unload, .InstanceSetup = Setup, .InstanceTeardownStart = TeardownStart,
  .InstanceTeardownComplete = TeardownComplete,
};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
