// A minifilter that looks at what is written in a system worker thread, through FltLockUserBuffer: the pages are the writer's.
#include "deferring.h"

static const UCHAR *Reach(FLT_CALLBACK_DATA *data) {
  if (data->Flags & FLTFL_CALLBACK_DATA_SYSTEM_BUFFER) return data->Iopb->Parameters.ReadWrite.Buffer;
  if (!NT_SUCCESS(FltLockUserBuffer(data))) return NULL;
  return MmGetSystemAddressForMdlSafe(data->Iopb->Parameters.ReadWrite.MdlAddress, 16);
}

// The filter manager unlocks what it has locked.
static void Leave(FLT_CALLBACK_DATA *data) {}
