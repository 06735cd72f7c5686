// Plug and Play and power, as the public documentation of wdm.h gives them for 32-bit Windows XP. Every declaration is ours.
#pragma once
#include "wdm.h"

#define STATUS_NO_SUCH_DEVICE ((NTSTATUS)0xC000000E)
#define STATUS_NOT_SUPPORTED ((NTSTATUS)0xC00000BB)

#define IRP_MJ_POWER 0x16
#define IRP_MJ_PNP 0x1b
#define IRP_MN_START_DEVICE 0x00
#define IRP_MN_QUERY_REMOVE_DEVICE 0x01
#define IRP_MN_REMOVE_DEVICE 0x02
#define IRP_MN_CANCEL_REMOVE_DEVICE 0x03
#define IRP_MN_STOP_DEVICE 0x04
#define IRP_MN_QUERY_STOP_DEVICE 0x05
#define IRP_MN_CANCEL_STOP_DEVICE 0x06
#define IRP_MN_SURPRISE_REMOVAL 0x17
#define IRP_MN_SET_POWER 0x02
#define DevicePowerState 1
#define PowerDeviceD0 1
#define PowerDeviceD3 4
#define DO_POWER_PAGABLE 0x2000
#define FILE_DEVICE_SECURE_OPEN 0x100
#define DevicePropertyHardwareID 1
#define LevelSensitive 0

typedef struct {
  DRIVER_OBJECT *DriverObject;
  NTSTATUS(NTAPI *AddDevice)(DRIVER_OBJECT *, DEVICE_OBJECT *physical);
} DRIVER_EXTENSION;

typedef struct {
  ULONG Data1;
  USHORT Data2, Data3;
  UCHAR Data4[8];
} GUID;

typedef struct {
  ULONG Opaque[6];
} IO_REMOVE_LOCK;
NTSYSAPI void NTAPI IoInitializeRemoveLockEx(IO_REMOVE_LOCK *, ULONG tag, ULONG minutes, ULONG watermark, ULONG size);
NTSYSAPI NTSTATUS NTAPI IoAcquireRemoveLockEx(IO_REMOVE_LOCK *, PVOID tag, const char *file, ULONG line, ULONG size);
NTSYSAPI void NTAPI IoReleaseRemoveLockEx(IO_REMOVE_LOCK *, PVOID tag, ULONG size);
NTSYSAPI void NTAPI IoReleaseRemoveLockAndWaitEx(IO_REMOVE_LOCK *, PVOID tag, ULONG size);

typedef struct IO_WORKITEM IO_WORKITEM;
NTSYSAPI IO_WORKITEM *NTAPI IoAllocateWorkItem(DEVICE_OBJECT *);
NTSYSAPI void NTAPI IoFreeWorkItem(IO_WORKITEM *);
NTSYSAPI void NTAPI IoQueueWorkItem(IO_WORKITEM *, void(NTAPI *)(DEVICE_OBJECT *, PVOID context), ULONG queue, PVOID context);

typedef struct KINTERRUPT KINTERRUPT;
typedef BOOLEAN NTAPI KSERVICE_ROUTINE(KINTERRUPT *, PVOID context);
NTSYSAPI NTSTATUS NTAPI IoConnectInterrupt(
    KINTERRUPT **, KSERVICE_ROUTINE *, PVOID context, KSPIN_LOCK *, ULONG vector, KIRQL, KIRQL synchronize, ULONG mode, BOOLEAN share,
    ULONG affinity, BOOLEAN floatingSave);
NTSYSAPI void NTAPI IoDisconnectInterrupt(KINTERRUPT *);
NTSYSAPI BOOLEAN NTAPI KeInsertQueueDpc(KDPC *, PVOID first, PVOID second);

NTSYSAPI BOOLEAN NTAPI IoForwardIrpSynchronously(DEVICE_OBJECT *, IRP *);
NTSYSAPI NTSTATUS NTAPI IoGetDeviceProperty(DEVICE_OBJECT *, ULONG property, ULONG length, PVOID buffer, ULONG *result);
NTSYSAPI NTSTATUS NTAPI IoRegisterDeviceInterface(DEVICE_OBJECT *, const GUID *, const UNICODE_STRING *reference, UNICODE_STRING *link);
NTSYSAPI NTSTATUS NTAPI IoSetDeviceInterfaceState(const UNICODE_STRING *link, BOOLEAN enable);
NTSYSAPI void NTAPI RtlFreeUnicodeString(UNICODE_STRING *);

NTSYSAPI NTSTATUS NTAPI PoCallDriver(DEVICE_OBJECT *, IRP *);
NTSYSAPI void NTAPI PoStartNextPowerIrp(IRP *);
NTSYSAPI ULONG NTAPI PoSetPowerState(DEVICE_OBJECT *, ULONG type, ULONG state);

NTSYSAPI PVOID NTAPI MmMapIoSpace(LONGLONG address, SIZE_T, ULONG cacheType);
NTSYSAPI void NTAPI MmUnmapIoSpace(PVOID, SIZE_T);
NTSYSAPI ULONG NTAPI READ_REGISTER_ULONG(volatile ULONG *);
NTSYSAPI void NTAPI WRITE_REGISTER_ULONG(volatile ULONG *, ULONG);

typedef struct {
  volatile ULONG LowPart;
  volatile long High1Time, High2Time;
} KSYSTEM_TIME;
NTSYSAPI extern const KSYSTEM_TIME KeTickCount;
