// What our minifilters need of the filter manager's interface, and no more: names, sizes and offsets as the public
// documentation of fltkernel.h gives them, for 32-bit Windows XP. Every declaration is ours.
#pragma once
#include "wdm.h"

typedef struct FLT_FILTER FLT_FILTER;
typedef struct FLT_VOLUME FLT_VOLUME;
typedef struct FLT_INSTANCE FLT_INSTANCE;
typedef PVOID FLT_WORKITEM;
typedef ULONG FLT_PREOP, FLT_POSTOP;

#define IRP_MJ_READ 0x03
#define IRP_MJ_WRITE 0x04
#define IRP_MJ_QUERY_INFORMATION 0x05
#define IRP_MJ_SET_INFORMATION 0x06
#define IRP_MJ_OPERATION_END 0x80

#define STATUS_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define STATUS_FLT_DO_NOT_ATTACH ((NTSTATUS)0xC01C000F)
#define STATUS_FLT_DO_NOT_DETACH ((NTSTATUS)0xC01C0010)
#define STATUS_FLT_CONTEXT_ALREADY_DEFINED ((NTSTATUS)0xC01C0002)

#define FLT_PREOP_SUCCESS_WITH_CALLBACK 0
#define FLT_PREOP_SUCCESS_NO_CALLBACK 1
#define FLT_PREOP_PENDING 2
#define FLT_PREOP_DISALLOW_FASTIO 3
#define FLT_PREOP_COMPLETE 4
#define FLT_PREOP_SYNCHRONIZE 5
#define FLT_POSTOP_FINISHED_PROCESSING 0
#define FLT_POSTOP_MORE_PROCESSING_REQUIRED 1
#define FLTFL_POST_OPERATION_DRAINING 1
#define FLTFL_CALLBACK_DATA_SYSTEM_BUFFER 8

typedef union {
  struct {
    ULONG LowPart;
    long HighPart;
  };
  long long QuadPart;
} LARGE_INTEGER;

// As the header's: offsets in it are multiples of four, no more.
#pragma pack(push, 4)
typedef struct {
  ULONG IrpFlags;
  UCHAR MajorFunction, MinorFunction, OperationFlags, Reserved;
  PVOID TargetFileObject;
  FLT_INSTANCE *TargetInstance;
  union {
    struct {
      PVOID SecurityContext;
      ULONG Options;
      USHORT FileAttributes, ShareAccess;
      ULONG EaLength;
      PVOID EaBuffer;
      LARGE_INTEGER AllocationSize;
    } Create;
    struct {
      ULONG Length, Key;
      LARGE_INTEGER ByteOffset;
      PVOID Buffer;
      MDL *MdlAddress;
    } ReadWrite;
    PVOID Others[7];
  } Parameters;
} FLT_IO_PARAMETER_BLOCK;
#pragma pack(pop)
_Static_assert(sizeof(FLT_IO_PARAMETER_BLOCK) == 0x2c, "FLT_IO_PARAMETER_BLOCK");

typedef struct {
  ULONG Flags;
  PVOID Thread;
  FLT_IO_PARAMETER_BLOCK *Iopb;
  IO_STATUS_BLOCK IoStatus;
  PVOID TagData;
  LIST_ENTRY QueueLinks;
  PVOID QueueContext[2];
  CCHAR RequestorMode;
} FLT_CALLBACK_DATA;
_Static_assert(sizeof(FLT_CALLBACK_DATA) == 0x2c, "FLT_CALLBACK_DATA");

typedef struct {
  USHORT Size, TransactionContext;
  FLT_FILTER *Filter;
  FLT_VOLUME *Volume;
  FLT_INSTANCE *Instance;
  PVOID FileObject, Transaction;
} FLT_RELATED_OBJECTS;
_Static_assert(sizeof(FLT_RELATED_OBJECTS) == 0x18, "FLT_RELATED_OBJECTS");

typedef FLT_PREOP NTAPI PRE_OPERATION(FLT_CALLBACK_DATA *, const FLT_RELATED_OBJECTS *, PVOID *completionContext);
typedef FLT_POSTOP NTAPI POST_OPERATION(FLT_CALLBACK_DATA *, const FLT_RELATED_OBJECTS *, PVOID completionContext, ULONG flags);

typedef struct {
  UCHAR MajorFunction;
  ULONG Flags;
  PRE_OPERATION *PreOperation;
  POST_OPERATION *PostOperation;
  PVOID Reserved1;
} FLT_OPERATION_REGISTRATION;
_Static_assert(sizeof(FLT_OPERATION_REGISTRATION) == 0x14, "FLT_OPERATION_REGISTRATION");

#define FLT_VOLUME_CONTEXT 0x01
#define FLT_INSTANCE_CONTEXT 0x02
#define FLT_STREAM_CONTEXT 0x08
#define FLT_STREAMHANDLE_CONTEXT 0x10
#define FLT_CONTEXT_END 0xffff
#define FLT_SET_CONTEXT_REPLACE_IF_EXISTS 0
#define FLT_SET_CONTEXT_KEEP_IF_EXISTS 1

typedef struct {
  USHORT ContextType, Flags;
  void(NTAPI *CleanupCallback)(PVOID context, USHORT type);
  SIZE_T Size;
  ULONG PoolTag;
  PVOID AllocateCallback, FreeCallback, Reserved1;
} FLT_CONTEXT_REGISTRATION;
_Static_assert(sizeof(FLT_CONTEXT_REGISTRATION) == 0x1c, "FLT_CONTEXT_REGISTRATION");

#define FLT_REGISTRATION_VERSION 0x0200

typedef struct {
  USHORT Size, Version;
  ULONG Flags;
  const FLT_CONTEXT_REGISTRATION *ContextRegistration;
  const FLT_OPERATION_REGISTRATION *OperationRegistration;
  NTSTATUS(NTAPI *FilterUnload)(ULONG flags);
  NTSTATUS(NTAPI *InstanceSetup)(const FLT_RELATED_OBJECTS *, ULONG flags, ULONG deviceType, ULONG fileSystemType);
  NTSTATUS(NTAPI *InstanceQueryTeardown)(const FLT_RELATED_OBJECTS *, ULONG flags);
  void(NTAPI *InstanceTeardownStart)(const FLT_RELATED_OBJECTS *, ULONG reason);
  void(NTAPI *InstanceTeardownComplete)(const FLT_RELATED_OBJECTS *, ULONG reason);
  PVOID GenerateFileName, NormalizeNameComponent, NormalizeContextCleanup;
} FLT_REGISTRATION;
_Static_assert(sizeof(FLT_REGISTRATION) == 0x30, "FLT_REGISTRATION");

#define FLT_FILE_NAME_NORMALIZED 0x01
#define FLT_FILE_NAME_QUERY_DEFAULT 0x0100

typedef struct {
  USHORT Size, NamesParsed;
  ULONG Format;
  UNICODE_STRING Name, Volume, Share, Extension, Stream, FinalComponent, ParentDir;
} FLT_FILE_NAME_INFORMATION;
_Static_assert(sizeof(FLT_FILE_NAME_INFORMATION) == 0x40, "FLT_FILE_NAME_INFORMATION");

NTSYSAPI NTSTATUS NTAPI FltRegisterFilter(DRIVER_OBJECT *, const FLT_REGISTRATION *, FLT_FILTER **);
NTSYSAPI NTSTATUS NTAPI FltStartFiltering(FLT_FILTER *);
NTSYSAPI void NTAPI FltUnregisterFilter(FLT_FILTER *);
NTSYSAPI NTSTATUS NTAPI FltGetFileNameInformation(FLT_CALLBACK_DATA *, ULONG options, FLT_FILE_NAME_INFORMATION **);
NTSYSAPI NTSTATUS NTAPI FltParseFileNameInformation(FLT_FILE_NAME_INFORMATION *);
NTSYSAPI void NTAPI FltReleaseFileNameInformation(FLT_FILE_NAME_INFORMATION *);
NTSYSAPI const char *NTAPI FltGetIrpName(UCHAR major);
NTSYSAPI void NTAPI FltSetCallbackDataDirty(FLT_CALLBACK_DATA *);
NTSYSAPI NTSTATUS NTAPI FltLockUserBuffer(FLT_CALLBACK_DATA *);
NTSYSAPI BOOLEAN NTAPI FltDoCompletionProcessingWhenSafe(
    FLT_CALLBACK_DATA *, const FLT_RELATED_OBJECTS *, PVOID context, ULONG flags, POST_OPERATION *, FLT_POSTOP *);
NTSYSAPI NTSTATUS NTAPI FltAllocateContext(FLT_FILTER *, USHORT type, SIZE_T, POOL_TYPE, PVOID *);
NTSYSAPI void NTAPI FltReleaseContext(PVOID);
NTSYSAPI NTSTATUS NTAPI FltSetInstanceContext(FLT_INSTANCE *, ULONG operation, PVOID context, PVOID *old);
NTSYSAPI NTSTATUS NTAPI FltGetInstanceContext(FLT_INSTANCE *, PVOID *);
NTSYSAPI NTSTATUS NTAPI FltSetStreamContext(FLT_INSTANCE *, PVOID file, ULONG operation, PVOID context, PVOID *old);
NTSYSAPI NTSTATUS NTAPI FltGetStreamContext(FLT_INSTANCE *, PVOID file, PVOID *);
NTSYSAPI NTSTATUS NTAPI FltSetStreamHandleContext(FLT_INSTANCE *, PVOID file, ULONG operation, PVOID context, PVOID *old);
NTSYSAPI NTSTATUS NTAPI FltGetStreamHandleContext(FLT_INSTANCE *, PVOID file, PVOID *);
NTSYSAPI FLT_WORKITEM NTAPI FltAllocateDeferredIoWorkItem(void);
NTSYSAPI void NTAPI FltFreeDeferredIoWorkItem(FLT_WORKITEM);
NTSYSAPI NTSTATUS NTAPI FltQueueDeferredIoWorkItem(
    FLT_WORKITEM, FLT_CALLBACK_DATA *, void(NTAPI *routine)(FLT_WORKITEM, FLT_CALLBACK_DATA *, PVOID), ULONG queue, PVOID context);
NTSYSAPI void NTAPI FltCompletePendedPreOperation(FLT_CALLBACK_DATA *, FLT_PREOP, PVOID context);

