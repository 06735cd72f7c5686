// An export driver: others take numbers from it. It comes with the first of them and goes with the last.
#include "wdm.h"
#pragma comment(linker, "/export:DllInitialize=_DllInitialize@4")
#pragma comment(linker, "/export:DllUnload=_DllUnload@0")
#pragma comment(linker, "/export:ShelfTake=_ShelfTake@0")

static ULONG next;

ULONG NTAPI ShelfTake(void) { return next++; }

NTSTATUS NTAPI DllInitialize(UNICODE_STRING *registryPath) {
  DbgPrint("shelf: filled for %wZ\n", registryPath);
  next = 100;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI DllUnload(void) {
  DbgPrint("shelf: emptied after %u\n", next - 1);
  return STATUS_SUCCESS;
}

// The linker wants one; nobody calls it.
NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) { return STATUS_SUCCESS; }
