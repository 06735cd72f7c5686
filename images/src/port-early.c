// A driver that starts before the filter manager: it imports the port's library, may not have a port yet, and tries again when a
// later driver's start calls it back.
#include "port-library.h"

static const UNICODE_STRING portName = COUNTED(u"\\PortLibrary");

static void NTAPI Later(DRIVER_OBJECT *driver, PVOID context, ULONG count) {
  NTSTATUS status = PortAdopt(driver, &portName);
  DbgPrint("port-early: later, %08x\n", status);
}

static void NTAPI OnProcess(PVOID parent, PVOID process, BOOLEAN create) {
  ULONG message[2] = {'e', (ULONG)process};
  NTSTATUS status = PortSend(message, sizeof(message));
  DbgPrint("port-early: process %u, %08x\n", message[1], status);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = PortAdopt(driver, &portName);
  DbgPrint("port-early: at its start, %08x\n", status);
  if (status == STATUS_FLT_NOT_INITIALIZED) IoRegisterDriverReinitialization(driver, Later, NULL);
  return PsSetCreateProcessNotifyRoutine(OnProcess, FALSE);
}
