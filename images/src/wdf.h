// What our framework drivers need of KMDF, and no more: names, sizes and table indices as the public headers of KMDF 1.9 give
// them. Every declaration is ours. `KMDF_MINOR` is the version that the driver is built for.
#pragma once
#include "wdm.h"

typedef struct WDFOBJECT__ *WDFOBJECT, *WDFDRIVER, *WDFDEVICE, *WDFQUEUE, *WDFREQUEST, *WDFMEMORY, *WDFFILEOBJECT;
typedef struct WDFDEVICE_INIT WDFDEVICE_INIT;
typedef void NTAPI WDF_OBJECT_CALLBACK(WDFOBJECT);

typedef struct {
  WDFDRIVER Driver;
  ULONG DriverFlags, DriverTag;
  char DriverName[32];
  BOOLEAN DisplaceDriverUnload;
} WDF_DRIVER_GLOBALS;

// Up to 1.13 the driver has a table that the framework fills in; from 1.15 on a pointer to the framework's own.
#if KMDF_MINOR >= 15
#define KMDF_FUNCTIONS 444
extern PVOID *WdfFunctions;
#else
#define KMDF_FUNCTIONS 396
extern PVOID WdfFunctions[KMDF_FUNCTIONS];
#endif
extern WDF_DRIVER_GLOBALS *WdfDriverGlobals;

typedef struct {
  ULONG Size;
  const WCHAR *Component;
  ULONG Major, Minor, Build, FuncCount;
  PVOID FuncTable, Module;
} WDF_BIND_INFO;
_Static_assert(sizeof(WDF_BIND_INFO) == 0x20, "WDF_BIND_INFO");
NTSYSAPI NTSTATUS NTAPI WdfVersionBind(DRIVER_OBJECT *, UNICODE_STRING *, WDF_BIND_INFO *, WDF_DRIVER_GLOBALS **);
NTSYSAPI NTSTATUS NTAPI WdfVersionUnbind(UNICODE_STRING *, WDF_BIND_INFO *, WDF_DRIVER_GLOBALS *);

typedef struct {
  ULONG Size;
  const char *ContextName;
  ULONG ContextSize;
  const void *UniqueType;
  PVOID EvtDriverGetUniqueContextType;
} WDF_OBJECT_CONTEXT_TYPE_INFO;

typedef struct {
  ULONG Size;
  WDF_OBJECT_CALLBACK *EvtCleanupCallback, *EvtDestroyCallback;
  ULONG ExecutionLevel, SynchronizationScope;
  WDFOBJECT ParentObject;
  ULONG ContextSizeOverride;
  const WDF_OBJECT_CONTEXT_TYPE_INFO *ContextTypeInfo;
} WDF_OBJECT_ATTRIBUTES;
#define WDF_OBJECT_ATTRIBUTES_OF(type) { sizeof(WDF_OBJECT_ATTRIBUTES), NULL, NULL, 1, 1, NULL, 0, type }

typedef struct {
  ULONG Size;
  PVOID EvtDriverDeviceAdd;
  void(NTAPI *EvtDriverUnload)(WDFDRIVER);
  ULONG DriverInitFlags, DriverPoolTag;
} WDF_DRIVER_CONFIG;
#define WdfDriverInitNonPnpDriver 1

typedef struct {
  ULONG Size, DispatchType, PowerManaged;
  BOOLEAN AllowZeroLengthRequests, DefaultQueue;
  void(NTAPI *EvtIoDefault)(WDFQUEUE, WDFREQUEST);
  void(NTAPI *EvtIoRead)(WDFQUEUE, WDFREQUEST, ULONG length);
  void(NTAPI *EvtIoWrite)(WDFQUEUE, WDFREQUEST, ULONG length);
  void(NTAPI *EvtIoDeviceControl)(WDFQUEUE, WDFREQUEST, ULONG outputLength, ULONG inputLength, ULONG code);
  PVOID EvtIoInternalDeviceControl, EvtIoStop, EvtIoResume, EvtIoCanceledOnQueue;
  ULONG NumberOfPresentedRequests;
} WDF_IO_QUEUE_CONFIG;
_Static_assert(sizeof(WDF_IO_QUEUE_CONFIG) == 0x34, "WDF_IO_QUEUE_CONFIG");
#define WdfIoQueueDispatchSequential 1
#define WdfIoQueueDispatchParallel 2
#define WdfUseDefault 2

typedef struct {
  USHORT Size;
  UCHAR MinorFunction;
  ULONG Type;
  struct {
    ULONG OutputBufferLength, InputBufferLength, IoControlCode;
    PVOID Type3InputBuffer;
  } DeviceIoControl;
} WDF_REQUEST_PARAMETERS;
_Static_assert(sizeof(WDF_REQUEST_PARAMETERS) == 0x18, "WDF_REQUEST_PARAMETERS");

// A function of the table, called with the driver's globals.
#define WDF(index, result, ...) ((result(NTAPI *)(WDF_DRIVER_GLOBALS *, ##__VA_ARGS__))WdfFunctions[index])

#define WdfControlDeviceInitAllocate(driver, sddl) \
  WDF(25, WDFDEVICE_INIT *, WDFDRIVER, const UNICODE_STRING *)(WdfDriverGlobals, driver, sddl)
#define WdfControlFinishInitializing(device) WDF(27, void, WDFDEVICE)(WdfDriverGlobals, device)
#define WdfDeviceInitFree(init) WDF(54, void, WDFDEVICE_INIT *)(WdfDriverGlobals, init)
#define WdfDeviceInitSetIoType(init, type) WDF(61, void, WDFDEVICE_INIT *, ULONG)(WdfDriverGlobals, init, type)
#define WdfDeviceIoDirect 3
#define WdfDeviceInitAssignName(init, name) \
  WDF(67, NTSTATUS, WDFDEVICE_INIT *, const UNICODE_STRING *)(WdfDriverGlobals, init, name)
#define WdfDeviceInitSetRequestAttributes(init, attributes) \
  WDF(72, void, WDFDEVICE_INIT *, WDF_OBJECT_ATTRIBUTES *)(WdfDriverGlobals, init, attributes)
#define WdfDeviceInitSetIoInCallerContextCallback(init, routine) \
  WDF(74, void, WDFDEVICE_INIT *, void(NTAPI *)(WDFDEVICE, WDFREQUEST))(WdfDriverGlobals, init, routine)
#define WdfDeviceCreate(init, attributes, device) \
  WDF(75, NTSTATUS, WDFDEVICE_INIT **, WDF_OBJECT_ATTRIBUTES *, WDFDEVICE *)(WdfDriverGlobals, init, attributes, device)
#define WdfDeviceCreateSymbolicLink(device, link) \
  WDF(80, NTSTATUS, WDFDEVICE, const UNICODE_STRING *)(WdfDriverGlobals, device, link)
#define WdfDeviceEnqueueRequest(device, request) WDF(91, NTSTATUS, WDFDEVICE, WDFREQUEST)(WdfDriverGlobals, device, request)
#define WdfDriverCreate(object, path, attributes, config, driver)                                                        \
  WDF(116, NTSTATUS, DRIVER_OBJECT *, UNICODE_STRING *, WDF_OBJECT_ATTRIBUTES *, WDF_DRIVER_CONFIG *, WDFDRIVER *) \
  (WdfDriverGlobals, object, path, attributes, config, driver)
#define WdfIoQueueCreate(device, config, attributes, queue)                                                 \
  WDF(152, NTSTATUS, WDFDEVICE, WDF_IO_QUEUE_CONFIG *, WDF_OBJECT_ATTRIBUTES *, WDFQUEUE *) \
  (WdfDriverGlobals, device, config, attributes, queue)
#define WdfMemoryGetBuffer(memory, size) WDF(194, PVOID, WDFMEMORY, ULONG *)(WdfDriverGlobals, memory, size)
#define WdfObjectGetTypedContextWorker(object, type) \
  /* FASTCALL, as wdfobject.h declares it */                                                                              \
  ((PVOID(__fastcall *)(WDF_DRIVER_GLOBALS *, WDFOBJECT, const WDF_OBJECT_CONTEXT_TYPE_INFO *))WdfFunctions[202])( \
    WdfDriverGlobals, (WDFOBJECT)(object), type)
#define WdfRequestComplete(request, status) WDF(263, void, WDFREQUEST, NTSTATUS)(WdfDriverGlobals, request, status)
#define WdfRequestCompleteWithInformation(request, status, information) \
  WDF(265, void, WDFREQUEST, NTSTATUS, ULONG)(WdfDriverGlobals, request, status, information)
#define WdfRequestGetParameters(request, parameters) \
  WDF(266, void, WDFREQUEST, WDF_REQUEST_PARAMETERS *)(WdfDriverGlobals, request, parameters)
#define WdfRequestRetrieveInputBuffer(request, minimum, buffer, length) \
  WDF(269, NTSTATUS, WDFREQUEST, ULONG, PVOID *, ULONG *)(WdfDriverGlobals, request, minimum, buffer, length)
#define WdfRequestRetrieveOutputBuffer(request, minimum, buffer, length) \
  WDF(270, NTSTATUS, WDFREQUEST, ULONG, PVOID *, ULONG *)(WdfDriverGlobals, request, minimum, buffer, length)
#define WdfRequestRetrieveUnsafeUserInputBuffer(request, minimum, buffer, length) \
  WDF(273, NTSTATUS, WDFREQUEST, ULONG, PVOID *, ULONG *)(WdfDriverGlobals, request, minimum, buffer, length)
#define WdfRequestRetrieveUnsafeUserOutputBuffer(request, minimum, buffer, length) \
  WDF(274, NTSTATUS, WDFREQUEST, ULONG, PVOID *, ULONG *)(WdfDriverGlobals, request, minimum, buffer, length)
#define WdfRequestProbeAndLockUserBufferForRead(request, buffer, length, memory) \
  WDF(278, NTSTATUS, WDFREQUEST, PVOID, ULONG, WDFMEMORY *)(WdfDriverGlobals, request, buffer, length, memory)
#define WdfRequestProbeAndLockUserBufferForWrite(request, buffer, length, memory) \
  WDF(279, NTSTATUS, WDFREQUEST, PVOID, ULONG, WDFMEMORY *)(WdfDriverGlobals, request, buffer, length, memory)
