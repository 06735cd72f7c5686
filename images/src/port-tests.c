// A driver that does with its port whatever a control code asks for: what the port's fixtures run.
#include "fltports.h"

static PFLT_FILTER filter;
static PFLT_PORT server;
// The latest connection, and how long a send waits, in milliseconds: 0 for ever.
static PFLT_PORT client;
static ULONG patience;
static PFLT_PORT spare;

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\PortTests");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\PortTests");
static const UNICODE_STRING portName = COUNTED(u"\\PortTests");

#define CODE(function) CTL_CODE(FILE_DEVICE_UNKNOWN, function, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define SEND_AND_WAIT CODE(0x800)   // input: the message; output: the reply
#define SEND CODE(0x801)            // input: the message
#define SET_PATIENCE CODE(0x802)    // input: milliseconds
#define CLOSE_CLIENT CODE(0x803)
#define CLOSE_SERVER CODE(0x804)
#define CREATE_AGAIN CODE(0x805)
#define SEND_TO_NOBODY CODE(0x806)
#define SEND_AND_TRUST CODE(0x807)  // as SEND_AND_WAIT, and believes NT_SUCCESS
#define WAIT_UNTIL CODE(0x808)      // input: a system time; sends and waits until then
#define SEND_MANY CODE(0x809)       // input: how many; each has a reply

static NTSTATUS send(const void *message, ULONG length, PVOID reply, ULONG *replyLength) {
  LARGE_INTEGER limit = {.QuadPart = -10000ll * patience};
  return FltSendMessage(filter, &client, message, length, reply, replyLength, patience == 0 ? NULL : &limit);
}

static NTSTATUS NTAPI OnConnect(PFLT_PORT port, PVOID serverCookie, PVOID context, ULONG size, PVOID *connectionCookie) {
  // A context of “no” is refused; what else it says is printed.
  if (size == 2 && ((UCHAR *)context)[0] == 'n') return STATUS_INVALID_PARAMETER;
  DbgPrint("port-tests: connected in %u with %u bytes\n", (ULONG)PsGetCurrentProcessId(), size);
  client = port;
  *connectionCookie = (PVOID)port;
  return STATUS_SUCCESS;
}

static void NTAPI OnDisconnect(PVOID connectionCookie) {
  DbgPrint("port-tests: disconnected in %u\n", (ULONG)PsGetCurrentProcessId());
  PFLT_PORT port = connectionCookie;
  if (port == client) {
    FltCloseClientPort(filter, &client);
  } else {
    FltCloseClientPort(filter, &port);
  }
}

// The buffers are the sender's own: what becomes of them meanwhile is the sender's doing.
static NTSTATUS NTAPI OnMessage(
    PVOID connectionCookie, PVOID input, ULONG inputLength, PVOID output, ULONG outputLength, ULONG *returned) {
  ULONG first = 0;
  __try {
    if (inputLength >= sizeof(ULONG)) first = *(ULONG *)input;
    if (outputLength >= sizeof(ULONG)) {
      *(ULONG *)output = first + 1;
      *returned = sizeof(ULONG);
    }
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
  DbgPrint("port-tests: asked in %u\n", (ULONG)PsGetCurrentProcessId());
  // “Ask me”: the service must answer a message before its own request is done.
  if (first == 0x6b736120) {
    ULONG reply = 0, length = sizeof(reply);
    return send(&first, sizeof(first), &reply, &length);
  }
  return STATUS_SUCCESS;
}

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG count) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = count;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

// Where the patience is one millisecond, opening the device asks the service, without a limit: the service must not open it itself.
static NTSTATUS NTAPI Open(DEVICE_OBJECT *device, IRP *irp) {
  if (IoGetCurrentIrpStackLocation(irp)->MajorFunction != IRP_MJ_CREATE || client == NULL || patience != 1) {
    return complete(irp, STATUS_SUCCESS, 0);
  }
  ULONG question = 0x6e65706f, answer = 0, length = sizeof(answer);
  NTSTATUS status = FltSendMessage(filter, &client, &question, sizeof(question), &answer, &length, NULL);
  return complete(irp, status, 0);
}

static NTSTATUS createPort(PFLT_PORT *result) {
  OBJECT_ATTRIBUTES attributes = {sizeof(attributes), NULL, &portName, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL};
  NTSTATUS status = FltBuildDefaultSecurityDescriptor(&attributes.SecurityDescriptor, FLT_PORT_ALL_ACCESS);
  if (!NT_SUCCESS(status)) return status;
  status = FltCreateCommunicationPort(filter, result, &attributes, NULL, OnConnect, OnDisconnect, OnMessage, 2);
  FltFreeSecurityDescriptor(attributes.SecurityDescriptor);
  return status;
}

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
  ULONG input = stack->Parameters.DeviceIoControl.InputBufferLength, output = stack->Parameters.DeviceIoControl.OutputBufferLength;
  UCHAR *buffer = irp->SystemBuffer;
  UCHAR reply[64];
  NTSTATUS status;
  if (output > sizeof(reply)) output = sizeof(reply);
  switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case SEND_AND_WAIT:
    case SEND_AND_TRUST:
    case WAIT_UNTIL:
      for (ULONG i = 0; i < output; i++) reply[i] = 0xee;
      if (stack->Parameters.DeviceIoControl.IoControlCode == WAIT_UNTIL) {
        status = FltSendMessage(filter, &client, buffer, input, reply, &output, (const LARGE_INTEGER *)buffer);
      } else {
        status = send(buffer, input, reply, &output);
      }
      if (stack->Parameters.DeviceIoControl.IoControlCode == SEND_AND_TRUST && NT_SUCCESS(status)) {
        // STATUS_TIMEOUT comes here, too: nobody has written the reply.
        DbgPrint("port-tests: the verdict is %02x\n", reply[0]);
        status = STATUS_SUCCESS;
      }
      if (status != STATUS_SUCCESS) return complete(irp, status, 0);
      for (ULONG i = 0; i < output; i++) buffer[i] = reply[i];
      return complete(irp, status, output);
    case SEND_MANY:
      for (ULONG count = *(ULONG *)buffer; count > 0; count--) {
        ULONG message[3] = {count}, answer, length = sizeof(answer);
        status = send(message, sizeof(message), &answer, &length);
        if (status != STATUS_SUCCESS) return complete(irp, status, 0);
      }
      return complete(irp, STATUS_SUCCESS, 0);
    case SEND: return complete(irp, send(buffer, input, NULL, NULL), 0);
    case SET_PATIENCE: patience = *(ULONG *)buffer; return complete(irp, STATUS_SUCCESS, 0);
    case CLOSE_CLIENT: FltCloseClientPort(filter, &client); return complete(irp, STATUS_SUCCESS, 0);
    case CLOSE_SERVER:
      FltCloseCommunicationPort(server);
      server = NULL;
      return complete(irp, STATUS_SUCCESS, 0);
    case CREATE_AGAIN: return complete(irp, createPort(&spare), 0);
    case SEND_TO_NOBODY: {
      PFLT_PORT nobody = NULL;
      return complete(irp, FltSendMessage(filter, &nobody, &input, sizeof(input), NULL, NULL, NULL), 0);
    }
  }
  return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
}

static DEVICE_OBJECT *control;

static NTSTATUS NTAPI OnUnload(ULONG flags) {
  if (server != NULL) FltCloseCommunicationPort(server);
  FltUnregisterFilter(filter);
  IoDeleteSymbolicLink(&linkName);
  IoDeleteDevice(control);
  return STATUS_SUCCESS;
}

static const FLT_REGISTRATION registration = {sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, NULL, NULL, OnUnload};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = IoCreateDevice(driver, 0, &deviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &control);
  if (!NT_SUCCESS(status)) return status;
  driver->MajorFunction[IRP_MJ_CREATE] = Open;
  driver->MajorFunction[IRP_MJ_CLOSE] = Open;
  driver->MajorFunction[IRP_MJ_CLEANUP] = Open;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  status = IoCreateSymbolicLink(&linkName, &deviceName);
  if (NT_SUCCESS(status)) {
    status = FltRegisterFilter(driver, &registration, &filter);
    if (NT_SUCCESS(status)) {
      status = createPort(&server);
      if (NT_SUCCESS(status)) status = FltStartFiltering(filter);
      if (NT_SUCCESS(status)) return status;
      FltUnregisterFilter(filter);
    }
    IoDeleteSymbolicLink(&linkName);
  }
  IoDeleteDevice(control);
  return status;
}
