// A driver that reads its Parameters key in both ways, counts its starts there, and goes.
#include "registry.h"

static ULONG limit;

static NTSTATUS NTAPI Show(const WCHAR *name, ULONG type, PVOID data, ULONG length, PVOID context, PVOID entryContext) {
  if (type == REG_SZ) DbgPrint("settings: %ws = %ws\n", name, data);
  else DbgPrint("settings: %ws has %u bytes of type %u\n", name, length, type);
  return STATUS_SUCCESS;
}

static void NTAPI Unload(DRIVER_OBJECT *driver) { DbgPrint("settings: goodbye\n"); }

#pragma code_seg("INIT")
// By a table: a number of its own type with a default, text with a default, and each string of a list.
static NTSTATUS ReadTable(const UNICODE_STRING *path) {
  static const ULONG usual = 16;
  static RTL_QUERY_REGISTRY_TABLE table[] = {
      {.Flags = RTL_QUERY_REGISTRY_SUBKEY, .Name = u"Parameters"},
      {.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK,
       .Name = u"Limit",
       .EntryContext = &limit,
       .DefaultType = REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT | REG_DWORD,
       .DefaultData = &usual,
       .DefaultLength = sizeof usual},
      {.QueryRoutine = Show, .Name = u"Title", .DefaultType = REG_SZ, .DefaultData = u"untitled"},
      {.QueryRoutine = Show, .Name = u"Volumes"},
      {0},
  };
  return RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, path->Buffer, table, NULL, NULL);
}

// By handles: how often it has started, with a buffer of the size that the first call tells, and one more.
static NTSTATUS CountStart(const UNICODE_STRING *path) {
  static const UNICODE_STRING parameters = COUNTED(u"Parameters"), starts = COUNTED(u"Starts");
  HANDLE service, key;
  OBJECT_ATTRIBUTES attributes = Named(path, NULL);
  NTSTATUS status = ZwOpenKey(&service, KEY_READ, &attributes);
  if (!NT_SUCCESS(status)) return status;
  attributes = Named(&parameters, service);
  status = ZwOpenKey(&key, KEY_READ | KEY_WRITE, &attributes);
  ZwClose(service);
  if (!NT_SUCCESS(status)) return status;
  ULONG count = 0, needed = 0;
  status = ZwQueryValueKey(key, &starts, KeyValuePartialInformation, NULL, 0, &needed);
  if (status == STATUS_BUFFER_TOO_SMALL || status == STATUS_BUFFER_OVERFLOW) {
    KEY_VALUE_PARTIAL_INFORMATION *value = ExAllocatePoolWithTag(PagedPool, needed, 'tteS');
    if (value == NULL) {
      ZwClose(key);
      return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ZwQueryValueKey(key, &starts, KeyValuePartialInformation, value, needed, &needed);
    if (NT_SUCCESS(status) && value->Type == REG_DWORD) count = *(ULONG *)value->Data;
    ExFreePoolWithTag(value, 'tteS');
  }
  count++;
  status = ZwSetValueKey(key, &starts, 0, REG_DWORD, &count, sizeof count);
  ZwClose(key);
  DbgPrint("settings: limit %u, started %u times\n", limit, count);
  return status;
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = ReadTable(registryPath);
  if (NT_SUCCESS(status)) status = CountStart(registryPath);
  if (NT_SUCCESS(status)) driver->DriverUnload = Unload;
  return status;
}
