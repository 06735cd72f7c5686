// A driver that starts after the filter manager, and sends by the port's library: whichever comes first makes the port.
#include "port-library.h"

static const UNICODE_STRING portName = COUNTED(u"\\PortLibrary");

static void NTAPI OnProcess(PVOID parent, PVOID process, BOOLEAN create) {
  ULONG message[2] = {'l', (ULONG)process};
  NTSTATUS status = PortSend(message, sizeof(message));
  DbgPrint("port-late: process %u, %08x\n", message[1], status);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = PortAdopt(driver, &portName);
  DbgPrint("port-late: at its start, %08x\n", status);
  return PsSetCreateProcessNotifyRoutine(OnProcess, FALSE);
}
