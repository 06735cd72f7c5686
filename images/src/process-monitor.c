// A driver that is in nobody's stack: it registers with the filter manager for the sake of a communication port alone, and sends
// every process creation and exit to a service, which replies. The registration names an unload routine and nothing else.
#include "fltports.h"

static PFLT_FILTER filter;
static PFLT_PORT server, client;

typedef struct {
  ULONG Created, Process, Parent;
} MESSAGE;

// The service's verdict, for the record: the process runs either way.
typedef struct {
  ULONG Verdict;
} REPLY;

static void NTAPI OnProcess(PVOID parent, PVOID process, BOOLEAN create) {
  MESSAGE message = {create, (ULONG)process, (ULONG)parent};
  REPLY reply = {0};
  ULONG length = sizeof(reply);
  // Two seconds: without a limit, a service that hangs would hold up every process that starts.
  LARGE_INTEGER limit = {.QuadPart = -20000000};
  NTSTATUS status = FltSendMessage(filter, &client, &message, sizeof(message), &reply, &length, &limit);
  if (status == STATUS_TIMEOUT) {
    DbgPrint("process-monitor: no verdict on %u in time\n", message.Process);
  } else if (!NT_SUCCESS(status)) {
    DbgPrint("process-monitor: nobody hears of %u: %08x\n", message.Process, status);
  } else {
    DbgPrint("process-monitor: the verdict on %u is %u\n", message.Process, reply.Verdict);
  }
}

static NTSTATUS NTAPI OnConnect(PFLT_PORT port, PVOID serverCookie, PVOID context, ULONG size, PVOID *connectionCookie) {
  client = port;
  return STATUS_SUCCESS;
}

static void NTAPI OnDisconnect(PVOID connectionCookie) { FltCloseClientPort(filter, &client); }

static NTSTATUS NTAPI OnUnload(ULONG flags) {
  PsSetCreateProcessNotifyRoutine(OnProcess, TRUE);
  FltCloseCommunicationPort(server);
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_REGISTRATION registration = {sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, NULL, NULL, OnUnload};
static const UNICODE_STRING portName = COUNTED(u"\\ProcessMonitor");

static NTSTATUS openPort(void) {
  PVOID descriptor;
  NTSTATUS status = FltBuildDefaultSecurityDescriptor(&descriptor, FLT_PORT_ALL_ACCESS);
  if (!NT_SUCCESS(status)) return status;
  OBJECT_ATTRIBUTES attributes = {
      sizeof(attributes), NULL, &portName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, descriptor, NULL};
  status = FltCreateCommunicationPort(filter, &server, &attributes, NULL, OnConnect, OnDisconnect, NULL, 1);
  FltFreeSecurityDescriptor(descriptor);
  return status;
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = openPort();
  if (!NT_SUCCESS(status)) {
    FltUnregisterFilter(filter);
    return status;
  }
#ifndef WITHOUT_FILTERING
  status = FltStartFiltering(filter);
#endif
  if (NT_SUCCESS(status)) status = PsSetCreateProcessNotifyRoutine(OnProcess, FALSE);
  if (!NT_SUCCESS(status)) {
    FltCloseCommunicationPort(server);
    FltUnregisterFilter(filter);
  }
  return status;
}
