// What our drivers need of the registry's interface beside wdm.h: names, sizes and offsets as the public documentation of wdm.h
// gives them. Every declaration is ours.
#pragma once
#include "wdm.h"

typedef PVOID HANDLE;
#define STATUS_BUFFER_OVERFLOW ((NTSTATUS)0x80000005)
#define STATUS_OBJECT_NAME_NOT_FOUND ((NTSTATUS)0xC0000034)

typedef struct {
  ULONG Length;
  HANDLE RootDirectory;
  const UNICODE_STRING *ObjectName;
  ULONG Attributes;
  PVOID SecurityDescriptor, SecurityQualityOfService;
} OBJECT_ATTRIBUTES;
#define OBJ_CASE_INSENSITIVE 0x40
#define OBJ_KERNEL_HANDLE 0x200
#define KEY_READ 0x20019
#define KEY_WRITE 0x20006

#define REG_NONE 0
#define REG_SZ 1
#define REG_DWORD 4
#define KeyValuePartialInformation 2

typedef struct {
  ULONG TitleIndex, Type, DataLength;
  UCHAR Data[1];
} KEY_VALUE_PARTIAL_INFORMATION;

typedef NTSTATUS NTAPI RTL_QUERY_REGISTRY_ROUTINE(
    const WCHAR *name, ULONG type, PVOID data, ULONG length, PVOID context, PVOID entryContext);
typedef struct {
  RTL_QUERY_REGISTRY_ROUTINE *QueryRoutine;
  ULONG Flags;
  const WCHAR *Name;
  PVOID EntryContext;
  ULONG DefaultType;
  const void *DefaultData;
  ULONG DefaultLength;
} RTL_QUERY_REGISTRY_TABLE;
_Static_assert(sizeof(RTL_QUERY_REGISTRY_TABLE) == 0x1c, "RTL_QUERY_REGISTRY_TABLE");

#define RTL_REGISTRY_ABSOLUTE 0
#define RTL_QUERY_REGISTRY_SUBKEY 0x01
#define RTL_QUERY_REGISTRY_DIRECT 0x20
#define RTL_QUERY_REGISTRY_TYPECHECK 0x100
#define RTL_QUERY_REGISTRY_TYPECHECK_SHIFT 24

NTSYSAPI NTSTATUS NTAPI RtlQueryRegistryValues(
    ULONG relativeTo, const WCHAR *path, RTL_QUERY_REGISTRY_TABLE *, PVOID context, PVOID environment);
NTSYSAPI NTSTATUS NTAPI ZwOpenKey(HANDLE *, ULONG access, OBJECT_ATTRIBUTES *);
NTSYSAPI NTSTATUS NTAPI ZwQueryValueKey(
    HANDLE, const UNICODE_STRING *name, ULONG kind, PVOID information, ULONG length, ULONG *needed);
NTSYSAPI NTSTATUS NTAPI ZwSetValueKey(
    HANDLE, const UNICODE_STRING *name, ULONG title, ULONG type, const void *data, ULONG size);
NTSYSAPI NTSTATUS NTAPI ZwClose(HANDLE);
NTSYSAPI NTSTATUS NTAPI ZwLoadDriver(const UNICODE_STRING *service);
NTSYSAPI NTSTATUS NTAPI ZwUnloadDriver(const UNICODE_STRING *service);

static inline OBJECT_ATTRIBUTES Named(const UNICODE_STRING *name, HANDLE root) {
  OBJECT_ATTRIBUTES attributes = {sizeof attributes, root, name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL};
  return attributes;
}
