// A driver that may start before the filter manager. It asks for the port at its start, and where that is too early again when the
// first process is made: user mode is up then, and so is the filter manager. It sends by port-library.
#include "port-library.h"

static const UNICODE_STRING portName = COUNTED(u"\\PortLibrary");
static DRIVER_OBJECT *self;
static BOOLEAN isReady;

static void adopt(const char *when) {
  NTSTATUS status = PortAdopt(self, &portName);
  isReady = NT_SUCCESS(status);
  DbgPrint("port-early: %s, %08x\n", when, status);
}

static void NTAPI OnProcess(PVOID parent, PVOID process, BOOLEAN create) {
  if (!isReady) adopt("at the first process");
  ULONG message[2] = {'e', (ULONG)process};
  DbgPrint("port-early: process %u, %08x\n", message[1], PortSend(message, sizeof(message)));
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  self = driver;
  adopt("at its start");
  return PsSetCreateProcessNotifyRoutine(OnProcess, FALSE);
}
