// A driver that asks to be told of processes, threads and images, and says of each in whose context it was told.
#include "wdm.h"

static ULONG here(void) { return (ULONG)PsGetCurrentProcessId(); }

static void NTAPI OnProcess(PVOID parent, PVOID process, BOOLEAN create) {
  if (create) {
    DbgPrint("watch: process %u of %u is made, seen in %u\n", (ULONG)process, (ULONG)parent, here());
  } else {
    DbgPrint("watch: process %u of %u ends, seen in %u\n", (ULONG)process, (ULONG)parent, here());
  }
}

static void NTAPI OnThread(PVOID process, PVOID thread, BOOLEAN create) {
  DbgPrint("watch: thread %u of %u %s, seen in %u\n", (ULONG)thread, (ULONG)process, create ? "is made" : "ends", here());
}

static void NTAPI OnImage(UNICODE_STRING *name, PVOID process, IMAGE_INFO *image) {
  DbgPrint(
      "watch: %wZ for %u%s, seen in %u\n", name, (ULONG)process, image->Properties & IMAGE_INFO_SYSTEM_MODE ? " (system)" : "", here());
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  PsRemoveLoadImageNotifyRoutine(OnImage);
  PsRemoveCreateThreadNotifyRoutine(OnThread);
  PsSetCreateProcessNotifyRoutine(OnProcess, TRUE);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = PsSetCreateProcessNotifyRoutine(OnProcess, FALSE);
  if (!NT_SUCCESS(status)) return status;
  status = PsSetCreateThreadNotifyRoutine(OnThread);
  if (!NT_SUCCESS(status)) {
    PsSetCreateProcessNotifyRoutine(OnProcess, TRUE);
    return status;
  }
  status = PsSetLoadImageNotifyRoutine(OnImage);
  if (!NT_SUCCESS(status)) {
    PsRemoveCreateThreadNotifyRoutine(OnThread);
    PsSetCreateProcessNotifyRoutine(OnProcess, TRUE);
    return status;
  }
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
