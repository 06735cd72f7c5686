// A driver that goes with a timer set and a key open: the timer's deferred call finds no code where it was.
#include "registry.h"

// In pool that nobody gives back, as the timer itself must outlive the driver.
typedef struct {
  KTIMER timer;
  KDPC dpc;
} STATE;

static void NTAPI Tick(KDPC *dpc, PVOID context, PVOID first, PVOID second) { DbgPrint("careless: tick\n"); }

static void NTAPI Unload(DRIVER_OBJECT *driver) {}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  HANDLE key;
  OBJECT_ATTRIBUTES attributes = Named(registryPath, NULL);
  NTSTATUS status = ZwOpenKey(&key, KEY_READ, &attributes);
  if (!NT_SUCCESS(status)) return status;
  STATE *state = ExAllocatePoolWithTag(NonPagedPool, sizeof *state, 'eraC');
  if (state == NULL) {
    ZwClose(key);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  KeInitializeTimerEx(&state->timer, NotificationTimer);
  KeInitializeDpc(&state->dpc, Tick, NULL);
  // After 10 ms.
  KeSetTimerEx(&state->timer, -100000, 0, &state->dpc);
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
