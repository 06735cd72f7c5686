// A driver that loads another one by its service's key, and unloads it when it goes itself.
#include "registry.h"

static const UNICODE_STRING service =
    COUNTED(u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\settings");

static void NTAPI Unload(DRIVER_OBJECT *driver) { DbgPrint("starter: unloading ends with %08x\n", ZwUnloadDriver(&service)); }

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DbgPrint("starter: loading ends with %08x\n", ZwLoadDriver(&service));
  DbgPrint("starter: loading it again ends with %08x\n", ZwLoadDriver(&service));
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
