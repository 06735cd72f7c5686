// A driver that forbids processes, by their images' names, and says of each what it was told.
//
// Linked with /integritycheck, as the routine demands.
#include "wdm.h"

typedef struct {
  ULONG Size, Flags;
  PVOID ParentProcessId;
  struct {
    PVOID Process, Thread;
  } CreatingThreadId;
  PVOID FileObject;
  const UNICODE_STRING *ImageFileName, *CommandLine;
  NTSTATUS CreationStatus;
} CREATE_INFO;

typedef void(NTAPI *ON_PROCESS)(PVOID process, PVOID id, CREATE_INFO *info);
NTSYSAPI NTSTATUS NTAPI PsSetCreateProcessNotifyRoutineEx(ON_PROCESS routine, BOOLEAN remove);

#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)

// Whether the name ends in bad.exe.
static BOOLEAN isForbidden(const UNICODE_STRING *name) {
  static const WCHAR bad[] = u"bad.exe";
  ULONG count = name->Length / 2, length = sizeof(bad) / 2 - 1;
  if (count < length) return FALSE;
  for (ULONG at = 0; at < length; at++) {
    if (name->Buffer[count - length + at] != bad[at]) return FALSE;
  }
  return TRUE;
}

static void NTAPI OnProcess(PVOID process, PVOID id, CREATE_INFO *info) {
  if (!info) {
    DbgPrint("gatekeeper: %u ends\n", (ULONG)id);
    return;
  }
  DbgPrint("gatekeeper: %u is %wZ, made by %u in %u\n", (ULONG)id, info->ImageFileName, (ULONG)info->CreatingThreadId.Thread,
      (ULONG)PsGetCurrentProcessId());
  if (isForbidden(info->ImageFileName)) info->CreationStatus = STATUS_ACCESS_DENIED;
}

static void NTAPI Unload(DRIVER_OBJECT *driver) { PsSetCreateProcessNotifyRoutineEx(OnProcess, TRUE); }

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = PsSetCreateProcessNotifyRoutineEx(OnProcess, FALSE);
  if (NT_SUCCESS(status)) driver->DriverUnload = Unload;
  return status;
}
