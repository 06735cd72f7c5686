// A minifilter that keeps what is written in another form, and gives it back as it was: it puts a buffer of its own in place of
// the user's, on the way down for writes and, with what the file system has put into it, on the way up for reads.
#include "fltkernel.h"

#define SWAP_TAG 'pawS'

static FLT_FILTER *filter;

typedef struct {
  UCHAR *Buffer;
  ULONG Length;
} SWAP;

static void Invert(UCHAR *target, const UCHAR *source, ULONG length) {
  for (ULONG index = 0; index < length; index++) target[index] = ~source[index];
}

// The user's buffer as any code may reach it: locked in the requestor's process, and mapped.
static UCHAR *Reach(FLT_CALLBACK_DATA *data) {
  if (data->Flags & FLTFL_CALLBACK_DATA_SYSTEM_BUFFER) return data->Iopb->Parameters.ReadWrite.Buffer;
  if (!NT_SUCCESS(FltLockUserBuffer(data))) return NULL;
  return MmGetSystemAddressForMdlSafe(data->Iopb->Parameters.ReadWrite.MdlAddress, 16);
}

static SWAP *MakeSwap(ULONG length, MDL **mdl) {
  SWAP *swap = ExAllocatePoolWithTag(NonPagedPool, sizeof(SWAP) + length, SWAP_TAG);
  if (swap == NULL) return NULL;
  swap->Buffer = (UCHAR *)(swap + 1);
  swap->Length = length;
  *mdl = IoAllocateMdl(swap->Buffer, length, FALSE, FALSE, NULL);
  if (*mdl == NULL) {
    ExFreePoolWithTag(swap, SWAP_TAG);
    return NULL;
  }
  MmBuildMdlForNonPagedPool(*mdl);
  return swap;
}

static FLT_PREOP Exchange(FLT_CALLBACK_DATA *data, SWAP *swap, MDL *mdl, PVOID *context) {
  data->Iopb->Parameters.ReadWrite.Buffer = swap->Buffer;
  data->Iopb->Parameters.ReadWrite.MdlAddress = mdl;
  FltSetCallbackDataDirty(data);
  *context = swap;
  return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_PREOP NTAPI BeforeWrite(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  MDL *mdl;
  ULONG length = data->Iopb->Parameters.ReadWrite.Length;
  if (length == 0) return FLT_PREOP_SUCCESS_NO_CALLBACK;
  SWAP *swap = MakeSwap(length, &mdl);
  NTSTATUS status = STATUS_SUCCESS;
  if (swap == NULL) {
    status = STATUS_INSUFFICIENT_RESOURCES;
  } else {
    // In the requestor's process, where its own buffer is good.
    __try {
      MDL *own = data->Iopb->Parameters.ReadWrite.MdlAddress;
      Invert(swap->Buffer, own == NULL ? data->Iopb->Parameters.ReadWrite.Buffer : MmGetSystemAddressForMdlSafe(own, 16), length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
      status = GetExceptionCode();
      IoFreeMdl(mdl);
      ExFreePoolWithTag(swap, SWAP_TAG);
    }
  }
  if (!NT_SUCCESS(status)) {
    data->IoStatus.Status = status;
    data->IoStatus.Information = 0;
    return FLT_PREOP_COMPLETE;
  }
  return Exchange(data, swap, mdl, context);
}

static FLT_POSTOP NTAPI AfterWrite(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID context, ULONG flags) {
  ExFreePoolWithTag(context, SWAP_TAG);
  return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP NTAPI BeforeRead(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID *context) {
  MDL *mdl;
  ULONG length = data->Iopb->Parameters.ReadWrite.Length;
  if (length == 0) return FLT_PREOP_SUCCESS_NO_CALLBACK;
  SWAP *swap = MakeSwap(length, &mdl);
  return swap == NULL ? FLT_PREOP_SUCCESS_NO_CALLBACK : Exchange(data, swap, mdl, context);
}

static FLT_POSTOP NTAPI AfterReadWhenSafe(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID context, ULONG flags) {
  SWAP *swap = context;
  UCHAR *target = Reach(data);
  if (target == NULL) {
    data->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
    data->IoStatus.Information = 0;
  } else {
    Invert(target, swap->Buffer, data->IoStatus.Information);
  }
  ExFreePoolWithTag(swap, SWAP_TAG);
  return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP NTAPI AfterRead(FLT_CALLBACK_DATA *data, const FLT_RELATED_OBJECTS *objects, PVOID context, ULONG flags) {
  FLT_POSTOP result = FLT_POSTOP_FINISHED_PROCESSING;
  if (NT_SUCCESS(data->IoStatus.Status) && data->IoStatus.Information > 0 && !(flags & FLTFL_POST_OPERATION_DRAINING)) {
    if (FltDoCompletionProcessingWhenSafe(data, objects, context, flags, AfterReadWhenSafe, &result)) return result;
    data->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
    data->IoStatus.Information = 0;
  }
  ExFreePoolWithTag(context, SWAP_TAG);
  return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS NTAPI Unload(ULONG flags) {
  FltUnregisterFilter(filter);
  return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION operations[] = {
  {IRP_MJ_READ, 0, BeforeRead, AfterRead},
  {IRP_MJ_WRITE, 0, BeforeWrite, AfterWrite},
  {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION registration = {
  .Size = sizeof(FLT_REGISTRATION), .Version = FLT_REGISTRATION_VERSION, .OperationRegistration = operations, .FilterUnload = Unload,
};

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  NTSTATUS status = FltRegisterFilter(driver, &registration, &filter);
  if (!NT_SUCCESS(status)) return status;
  status = FltStartFiltering(filter);
  if (!NT_SUCCESS(status)) FltUnregisterFilter(filter);
  return status;
}
