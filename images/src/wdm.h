// What our drivers need of the kernel's interface, and no more: names, sizes and offsets as the public documentation of
// wdm.h gives them, for 32-bit Windows XP. Every declaration is ours.
#pragma once

typedef void *PVOID;
typedef unsigned char UCHAR, BOOLEAN, KIRQL;
typedef signed char CCHAR;
typedef unsigned short USHORT, WCHAR;
typedef unsigned long ULONG, SIZE_T, POOL_TYPE;
typedef long NTSTATUS;

#define NTAPI __stdcall
#define FASTCALL __fastcall
#define NTSYSAPI __declspec(dllimport)

#define TRUE 1
#define FALSE 0
#define NULL ((void *)0)
#define NT_SUCCESS(status) ((NTSTATUS)(status) >= 0)
#define STATUS_SUCCESS ((NTSTATUS)0x00000000)
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#define STATUS_INVALID_DEVICE_REQUEST ((NTSTATUS)0xC0000010)
#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
#define STATUS_INSUFFICIENT_RESOURCES ((NTSTATUS)0xC000009A)

#define EXCEPTION_EXECUTE_HANDLER 1
#define GetExceptionCode() ((NTSTATUS)_exception_code())
unsigned long _exception_code(void);

typedef struct {
  USHORT Length, MaximumLength;
  const WCHAR *Buffer;
} UNICODE_STRING;
// A counted string that holds a literal, u"\\Device\\Hello".
#define COUNTED(literal) { sizeof(literal) - sizeof(WCHAR), sizeof(literal), literal }

typedef struct LIST_ENTRY {
  struct LIST_ENTRY *Flink, *Blink;
} LIST_ENTRY;

typedef struct DRIVER_OBJECT DRIVER_OBJECT;
typedef struct DEVICE_OBJECT DEVICE_OBJECT;
typedef struct IRP IRP;
typedef NTSTATUS NTAPI DRIVER_DISPATCH(DEVICE_OBJECT *, IRP *);

#define IRP_MJ_CREATE 0x00
#define IRP_MJ_CLOSE 0x02
#define IRP_MJ_DEVICE_CONTROL 0x0e
#define IRP_MJ_CLEANUP 0x12
#define IRP_MJ_MAXIMUM_FUNCTION 0x1b

struct DRIVER_OBJECT {
  short Type, Size;
  DEVICE_OBJECT *DeviceObject;
  ULONG Flags;
  PVOID DriverStart;
  ULONG DriverSize;
  PVOID DriverSection, DriverExtension;
  UNICODE_STRING DriverName;
  UNICODE_STRING *HardwareDatabase;
  PVOID FastIoDispatch, DriverInit, DriverStartIo;
  void(NTAPI *DriverUnload)(DRIVER_OBJECT *);
  DRIVER_DISPATCH *MajorFunction[IRP_MJ_MAXIMUM_FUNCTION + 1];
};
_Static_assert(sizeof(DRIVER_OBJECT) == 0xa8, "DRIVER_OBJECT");

#define FILE_DEVICE_UNKNOWN 0x22
#define DO_DEVICE_INITIALIZING 0x80

struct DEVICE_OBJECT {
  short Type;
  USHORT Size;
  long ReferenceCount;
  DRIVER_OBJECT *DriverObject;
  DEVICE_OBJECT *NextDevice, *AttachedDevice;
  IRP *CurrentIrp;
  PVOID Timer;
  ULONG Flags, Characteristics;
  PVOID Vpb, DeviceExtension;
  ULONG DeviceType;
  CCHAR StackSize;
  UCHAR Rest[0x87];
};
_Static_assert(sizeof(DEVICE_OBJECT) == 0xb8, "DEVICE_OBJECT");

typedef struct {
  UCHAR MajorFunction, MinorFunction, Flags, Control;
  union {
    struct {
      ULONG OutputBufferLength, InputBufferLength, IoControlCode;
      PVOID Type3InputBuffer;
    } DeviceIoControl;
    PVOID Others[4];
  } Parameters;
  DEVICE_OBJECT *DeviceObject;
  PVOID FileObject, CompletionRoutine, Context;
} IO_STACK_LOCATION;
_Static_assert(sizeof(IO_STACK_LOCATION) == 0x24, "IO_STACK_LOCATION");

typedef struct {
  NTSTATUS Status;
  ULONG Information;
} IO_STATUS_BLOCK;

struct IRP {
  short Type;
  USHORT Size;
  PVOID MdlAddress;
  ULONG Flags;
  PVOID SystemBuffer;
  LIST_ENTRY ThreadListEntry;
  IO_STATUS_BLOCK IoStatus;
  CCHAR RequestorMode;
  BOOLEAN PendingReturned;
  CCHAR StackCount, CurrentLocation;
  BOOLEAN Cancel;
  KIRQL CancelIrql;
  CCHAR ApcEnvironment;
  UCHAR AllocationFlags;
  IO_STATUS_BLOCK *UserIosb;
  PVOID UserEvent, Overlay[2], CancelRoutine, UserBuffer;
  PVOID DriverContext[4], Thread, AuxiliaryBuffer;
  LIST_ENTRY ListEntry;
  IO_STACK_LOCATION *CurrentStackLocation;
  PVOID OriginalFileObject, Apc[2];
};
_Static_assert(sizeof(IRP) == 0x70, "IRP");

#define IO_NO_INCREMENT 0
#define METHOD_BUFFERED 0
#define METHOD_IN_DIRECT 1
#define METHOD_OUT_DIRECT 2
#define METHOD_NEITHER 3
#define FILE_ANY_ACCESS 0
#define CTL_CODE(device, function, method, access) ((device) << 16 | (access) << 14 | (function) << 2 | (method))

static inline IO_STACK_LOCATION *IoGetCurrentIrpStackLocation(IRP *irp) { return irp->CurrentStackLocation; }

NTSYSAPI NTSTATUS NTAPI IoCreateDevice(
    DRIVER_OBJECT *, ULONG extensionSize, const UNICODE_STRING *name, ULONG type, ULONG characteristics, BOOLEAN exclusive,
    DEVICE_OBJECT **);
NTSYSAPI void NTAPI IoDeleteDevice(DEVICE_OBJECT *);
NTSYSAPI NTSTATUS NTAPI IoCreateSymbolicLink(const UNICODE_STRING *link, const UNICODE_STRING *device);
NTSYSAPI NTSTATUS NTAPI IoDeleteSymbolicLink(const UNICODE_STRING *link);
NTSYSAPI void FASTCALL IofCompleteRequest(IRP *, CCHAR boost);
#define IoCompleteRequest IofCompleteRequest

#define NonPagedPool 0
#define PagedPool 1
NTSYSAPI PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE, SIZE_T, ULONG tag);
NTSYSAPI void NTAPI ExFreePoolWithTag(PVOID, ULONG tag);

NTSYSAPI void NTAPI ProbeForRead(const void *, SIZE_T, ULONG alignment);
NTSYSAPI void NTAPI ProbeForWrite(void *, SIZE_T, ULONG alignment);

typedef struct {
  ULONG Properties;
  PVOID ImageBase;
  ULONG ImageSelector;
  SIZE_T ImageSize;
  ULONG ImageSectionNumber;
} IMAGE_INFO;
#define IMAGE_INFO_SYSTEM_MODE 0x100
NTSYSAPI PVOID NTAPI PsGetCurrentProcessId(void);
NTSYSAPI NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(void NTAPI (*)(PVOID parent, PVOID process, BOOLEAN create), BOOLEAN remove);
NTSYSAPI NTSTATUS NTAPI PsSetCreateThreadNotifyRoutine(void NTAPI (*)(PVOID process, PVOID thread, BOOLEAN create));
NTSYSAPI NTSTATUS NTAPI PsRemoveCreateThreadNotifyRoutine(void NTAPI (*)(PVOID process, PVOID thread, BOOLEAN create));
NTSYSAPI NTSTATUS NTAPI PsSetLoadImageNotifyRoutine(void NTAPI (*)(UNICODE_STRING *name, PVOID process, IMAGE_INFO *));
NTSYSAPI NTSTATUS NTAPI PsRemoveLoadImageNotifyRoutine(void NTAPI (*)(UNICODE_STRING *name, PVOID process, IMAGE_INFO *));

NTSYSAPI ULONG __cdecl DbgPrint(const char *format, ...);

NTSYSAPI extern const USHORT NtBuildNumber;
