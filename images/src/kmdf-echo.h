// A framework driver that echoes what it is sent, by each buffer method. METHOD_NEITHER is the interesting one: the user's buffers
// are locked in EvtIoInCallerContext, in the process of whoever asks, and used in the queue's callback, in whatever process.
#include "wdf.h"

#define IOCTL_ECHO(method) CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, method, FILE_ANY_ACCESS)

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Echo");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Echo");
static const UNICODE_STRING everyone = COUNTED(u"D:P(A;;GA;;;WD)");

// What a METHOD_NEITHER request carries from the caller's context to the queue.
typedef struct {
  WDFMEMORY input, output;
} REQUEST_CONTEXT;
static const WDF_OBJECT_CONTEXT_TYPE_INFO contextType = {
    sizeof(WDF_OBJECT_CONTEXT_TYPE_INFO), "REQUEST_CONTEXT", sizeof(REQUEST_CONTEXT), &contextType, NULL};

static ULONG Echo(const UCHAR *from, ULONG fromLength, UCHAR *to, ULONG toLength) {
  ULONG length = fromLength < toLength ? fromLength : toLength;
  for (ULONG index = 0; index < length; index++) ((volatile UCHAR *)to)[index] = from[index];
  return length;
}

static void NTAPI InCallerContext(WDFDEVICE device, WDFREQUEST request) {
  WDF_REQUEST_PARAMETERS parameters = {sizeof parameters, 0, 0, {0, 0, 0, NULL}};
  WdfRequestGetParameters(request, &parameters);
  NTSTATUS status = STATUS_SUCCESS;
  if (parameters.Type == IRP_MJ_DEVICE_CONTROL && parameters.DeviceIoControl.IoControlCode == IOCTL_ECHO(METHOD_NEITHER)) {
    REQUEST_CONTEXT *context = WdfObjectGetTypedContextWorker(request, &contextType);
    PVOID buffer;
    ULONG length;
    status = WdfRequestRetrieveUnsafeUserInputBuffer(request, 1, &buffer, &length);
    if (NT_SUCCESS(status)) status = WdfRequestProbeAndLockUserBufferForRead(request, buffer, length, &context->input);
    if (NT_SUCCESS(status)) status = WdfRequestRetrieveUnsafeUserOutputBuffer(request, 1, &buffer, &length);
    if (NT_SUCCESS(status)) status = WdfRequestProbeAndLockUserBufferForWrite(request, buffer, length, &context->output);
  }
  if (NT_SUCCESS(status)) status = WdfDeviceEnqueueRequest(device, request);
  if (!NT_SUCCESS(status)) WdfRequestComplete(request, status);
}

static void NTAPI DeviceControl(WDFQUEUE queue, WDFREQUEST request, ULONG outputLength, ULONG inputLength, ULONG code) {
  PVOID input, output;
  NTSTATUS status;
  switch (code) {
  case IOCTL_ECHO(METHOD_BUFFERED):
  case IOCTL_ECHO(METHOD_IN_DIRECT):
  case IOCTL_ECHO(METHOD_OUT_DIRECT):
    status = WdfRequestRetrieveInputBuffer(request, 1, &input, &inputLength);
    if (NT_SUCCESS(status)) status = WdfRequestRetrieveOutputBuffer(request, 1, &output, &outputLength);
    break;
  case IOCTL_ECHO(METHOD_NEITHER): {
    REQUEST_CONTEXT *context = WdfObjectGetTypedContextWorker(request, &contextType);
    input = WdfMemoryGetBuffer(context->input, &inputLength);
    output = WdfMemoryGetBuffer(context->output, &outputLength);
    status = STATUS_SUCCESS;
    break;
  }
  default: status = STATUS_INVALID_DEVICE_REQUEST;
  }
  WdfRequestCompleteWithInformation(request, status, NT_SUCCESS(status) ? Echo(input, inputLength, output, outputLength) : 0);
}

static void NTAPI EvtUnload(WDFDRIVER driver) { DbgPrint("kmdf-echo: goodbye\n"); }

static NTSTATUS MakeDevice(WDFDRIVER driver) {
  WDFDEVICE_INIT *init = WdfControlDeviceInitAllocate(driver, &everyone);
  if (init == NULL) return STATUS_INSUFFICIENT_RESOURCES;
  NTSTATUS status = WdfDeviceInitAssignName(init, &deviceName);
  WDF_OBJECT_ATTRIBUTES attributes = WDF_OBJECT_ATTRIBUTES_OF(&contextType);
  WdfDeviceInitSetRequestAttributes(init, &attributes);
  WdfDeviceInitSetIoInCallerContextCallback(init, InCallerContext);
  WDFDEVICE device;
  if (NT_SUCCESS(status)) status = WdfDeviceCreate(&init, NULL, &device);
  if (!NT_SUCCESS(status)) {
    if (init != NULL) WdfDeviceInitFree(init);
    return status;
  }
  status = WdfDeviceCreateSymbolicLink(device, &linkName);
  if (!NT_SUCCESS(status)) return status;
  WDF_IO_QUEUE_CONFIG config = {.Size = sizeof config, .DispatchType = WdfIoQueueDispatchSequential, .PowerManaged = WdfUseDefault};
  config.DefaultQueue = TRUE;
  config.EvtIoDeviceControl = DeviceControl;
  WDFQUEUE queue;
  status = WdfIoQueueCreate(device, &config, NULL, &queue);
  if (NT_SUCCESS(status)) WdfControlFinishInitializing(device);
  return status;
}

// What a framework driver calls its DriverEntry: by then the framework is bound.
static NTSTATUS Start(DRIVER_OBJECT *object, UNICODE_STRING *path) {
  WDF_DRIVER_CONFIG config = {sizeof config, NULL, EvtUnload, WdfDriverInitNonPnpDriver, 0};
  WDFDRIVER driver;
  NTSTATUS status = WdfDriverCreate(object, path, NULL, &config, &driver);
  return NT_SUCCESS(status) ? MakeDevice(driver) : status;
}

// The rest is what the framework's static library puts around a driver.
#if KMDF_MINOR >= 15
PVOID *WdfFunctions;
#else
PVOID WdfFunctions[KMDF_FUNCTIONS];
#endif
WDF_DRIVER_GLOBALS *WdfDriverGlobals;
static WDF_BIND_INFO bindInfo = {
    sizeof(WDF_BIND_INFO), u"KmdfLibrary", 1, KMDF_MINOR, 7600, KMDF_FUNCTIONS, &WdfFunctions, NULL};
static UNICODE_STRING registryPath;
static void(NTAPI *frameworkUnload)(DRIVER_OBJECT *);

static void NTAPI Unload(DRIVER_OBJECT *object) {
  if (frameworkUnload != NULL) frameworkUnload(object);
  WdfVersionUnbind(&registryPath, &bindInfo, WdfDriverGlobals);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *object, UNICODE_STRING *path) {
  registryPath = *path;
  NTSTATUS status = WdfVersionBind(object, path, &bindInfo, &WdfDriverGlobals);
  if (!NT_SUCCESS(status)) return status;
  status = Start(object, path);
  if (!NT_SUCCESS(status)) {
    WdfVersionUnbind(&registryPath, &bindInfo, WdfDriverGlobals);
    return status;
  }
  if (WdfDriverGlobals->DisplaceDriverUnload) {
    frameworkUnload = object->DriverUnload;
    object->DriverUnload = Unload;
  }
  return STATUS_SUCCESS;
}
