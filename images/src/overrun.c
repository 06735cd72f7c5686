// What special pool is for: each routine misuses a block of pool, and nothing else would notice.
#include "wdm.h"

#define TAG 'revO'

static volatile UCHAR *block(void) { return ExAllocatePoolWithTag(NonPagedPool, 21, TAG); }

// One byte too far, at a multiple of 8: the next page.
ULONG NTAPI ReadBeyond(void) { return block()[24]; }

NTSTATUS NTAPI WriteBeyond(void) {
  volatile UCHAR *bytes = block();
  for (ULONG at = 0; at <= 24; at++) bytes[at] = 1;
  return STATUS_SUCCESS;
}

// One byte too far within the last 8: found when the block is freed.
NTSTATUS NTAPI WriteBehind(void) {
  volatile UCHAR *bytes = block();
  bytes[21] = 1;
  ExFreePoolWithTag((PVOID)bytes, TAG);
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI WriteBefore(void) {
  volatile UCHAR *bytes = block();
  bytes[-1] = 1;
  ExFreePoolWithTag((PVOID)bytes, TAG);
  return STATUS_SUCCESS;
}

ULONG NTAPI UseAfterFree(void) {
  volatile UCHAR *bytes = block();
  ExFreePoolWithTag((PVOID)bytes, TAG);
  return bytes[4];
}

NTSTATUS NTAPI FreeTwice(void) {
  volatile UCHAR *bytes = block();
  ExFreePoolWithTag((PVOID)bytes, TAG);
  ExFreePoolWithTag((PVOID)bytes, TAG);
  return STATUS_SUCCESS;
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
