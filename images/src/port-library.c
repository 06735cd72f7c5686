// An export driver: it has no service of its own and is loaded with whoever imports it. It owns a port, which it can make once a
// driver with a service key lends it a driver object and the filter manager is there.
#define PORT_API __declspec(dllexport)
#include "port-library.h"

static PFLT_FILTER filter;
static PFLT_PORT server, client;

static NTSTATUS NTAPI OnConnect(PFLT_PORT port, PVOID serverCookie, PVOID context, ULONG size, PVOID *connectionCookie) {
  client = port;
  return STATUS_SUCCESS;
}

static void NTAPI OnDisconnect(PVOID connectionCookie) { FltCloseClientPort(filter, &client); }

void __cdecl PortRelease(void) {
  if (filter == NULL) return;
  FltCloseCommunicationPort(server);
  FltUnregisterFilter(filter);
  filter = NULL;
}

static NTSTATUS NTAPI OnUnload(ULONG flags) {
  PortRelease();
  return STATUS_SUCCESS;
}

static const FLT_REGISTRATION registration = {sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, NULL, NULL, OnUnload};

NTSTATUS __cdecl PortAdopt(DRIVER_OBJECT *driver, const UNICODE_STRING *name) {
  if (filter != NULL) return STATUS_SUCCESS;
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL};
  status = FltBuildDefaultSecurityDescriptor(&attributes.SecurityDescriptor, FLT_PORT_ALL_ACCESS);
  if (NT_SUCCESS(status)) {
    status = FltCreateCommunicationPort(filter, &server, &attributes, NULL, OnConnect, OnDisconnect, NULL, 1);
    FltFreeSecurityDescriptor(attributes.SecurityDescriptor);
  }
  if (NT_SUCCESS(status)) status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) {
    FltUnregisterFilter(filter);
    filter = NULL;
  }
  return status;
}

NTSTATUS __cdecl PortSend(const void *message, ULONG length) {
  if (filter == NULL || client == NULL) return STATUS_PORT_DISCONNECTED;
  return FltSendMessage(filter, &client, message, length, NULL, NULL, NULL);
}

NTSTATUS NTAPI DllInitialize(UNICODE_STRING *registryPath) { return STATUS_SUCCESS; }
NTSTATUS NTAPI DllUnload(void) { return STATUS_SUCCESS; }
#pragma comment(linker, "/export:DllInitialize=_DllInitialize@4")
#pragma comment(linker, "/export:DllUnload=_DllUnload@0")

// Never called: an export driver is not started.
NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) { return STATUS_SUCCESS; }
