// A minifilter that looks at what is written in a system worker thread, and locks the buffer there by itself: whatever System has
// at that address is what it sees.
#include "deferring.h"

static MDL *locked;

static const UCHAR *Reach(FLT_CALLBACK_DATA *data) {
  locked = IoAllocateMdl(data->Iopb->Parameters.ReadWrite.Buffer, data->Iopb->Parameters.ReadWrite.Length, FALSE, FALSE, NULL);
  if (locked == NULL) return NULL;
  __try {
    MmProbeAndLockPages(locked, UserMode, IoReadAccess);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    IoFreeMdl(locked);
    locked = NULL;
    return NULL;
  }
  return MmGetSystemAddressForMdlSafe(locked, 16);
}

static void Leave(FLT_CALLBACK_DATA *data) {
  if (locked == NULL) return;
  MmUnlockPages(locked);
  IoFreeMdl(locked);
}
