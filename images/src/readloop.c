// A minifilter that does nothing to reads, on as many instances as its service key names, and reads a file twenty thousand times:
// what an operation costs on its way through filters.
#include "fltkernel.h"

typedef struct {
  ULONG Length;
  PVOID RootDirectory;
  const UNICODE_STRING *ObjectName;
  ULONG Attributes;
  PVOID SecurityDescriptor, SecurityQualityOfService;
} FILE_ATTRIBUTES;

NTSYSAPI NTSTATUS NTAPI ZwOpenFile(PVOID *, ULONG access, FILE_ATTRIBUTES *, IO_STATUS_BLOCK *, ULONG share, ULONG options);
NTSYSAPI NTSTATUS NTAPI ZwReadFile(
    PVOID, PVOID event, PVOID routine, PVOID context, IO_STATUS_BLOCK *, PVOID buffer, ULONG length, LARGE_INTEGER *, ULONG *key);
NTSYSAPI NTSTATUS NTAPI ZwClose(PVOID);

static const UNICODE_STRING path = COUNTED(u"\\Device\\HarddiskVolume1\\data.bin");
static FLT_FILTER *filter;

static FLT_PREOP NTAPI Before(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP NTAPI After(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID context, ULONG flags) {
  return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS NTAPI Unload(ULONG flags) {
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION operations[] = {
  {IRP_MJ_READ, 0, Before, After},
  {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION registration = {
  .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .OperationRegistration = operations, .FilterUnload = Unload,
};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  FILE_ATTRIBUTES attributes = {sizeof(FILE_ATTRIBUTES), NULL, &path, 0x240, NULL, NULL};
  IO_STATUS_BLOCK block;
  PVOID file;
  UCHAR buffer[64];
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  // FILE_READ_DATA | SYNCHRONIZE; shared for reading; FILE_SYNCHRONOUS_IO_NONALERT.
  if (NT_SUCCESS(status)) status = ZwOpenFile(&file, 0x100001, &attributes, &block, 1, 0x20);
  if (NT_SUCCESS(status)) {
    for (ULONG count = 0; count < 20000 && NT_SUCCESS(status); count++) {
      LARGE_INTEGER offset = {.QuadPart = 0};
      status = ZwReadFile(file, NULL, NULL, NULL, &block, buffer, sizeof(buffer), &offset, NULL);
    }
    ZwClose(file);
  }
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
