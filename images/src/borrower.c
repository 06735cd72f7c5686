// A driver that imports from another driver of ours, shelf.sys.
#include "wdm.h"

NTSYSAPI ULONG NTAPI ShelfTake(void);

static void NTAPI Unload(DRIVER_OBJECT *driver) { DbgPrint("borrower: took %u as well\n", ShelfTake()); }

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DbgPrint("borrower: took %u\n", ShelfTake());
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
