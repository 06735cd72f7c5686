// A driver for more than one version of Windows: it asks which one it runs in, wherever that is said, finds its thread's process at the
// version's own offset, and asks for routines by name that not every version has. It imports nothing later than Windows XP.
#include "wdm.h"

typedef struct {
  ULONG Size, Major, Minor, Build, Platform;
  WCHAR ServicePack[128];
} VERSION;

NTSYSAPI NTSTATUS NTAPI RtlGetVersion(VERSION *version);
NTSYSAPI BOOLEAN NTAPI PsGetVersion(ULONG *major, ULONG *minor, ULONG *build, UNICODE_STRING *pack);
NTSYSAPI PVOID NTAPI MmGetSystemRoutineAddress(const UNICODE_STRING *name);

// KUSER_SHARED_DATA: NtMajorVersion and NtMinorVersion.
#define SHARED(offset) (*(volatile ULONG *)(0xFFDF0000 + offset))

static ULONG thread(ULONG offset) {
  ULONG value;
  __asm__("movl %%fs:0x124, %0\n\tmovl (%0,%1), %0" : "=&r"(value) : "r"(offset));
  return value;
}

static const char *has(const UNICODE_STRING *name) { return MmGetSystemRoutineAddress(name) ? "is there" : "is not there"; }

static const UNICODE_STRING notify = COUNTED(u"PsSetCreateProcessNotifyRoutine"), notifyEx = COUNTED(u"PsSetCreateProcessNotifyRoutineEx"),
                            callbacks = COUNTED(u"ObRegisterCallbacks"), pool2 = COUNTED(u"ExAllocatePool2");

static void NTAPI Unload(DRIVER_OBJECT *driver) {}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  VERSION version;
  version.Size = sizeof(version);
  NTSTATUS status = RtlGetVersion(&version);
  if (!NT_SUCCESS(status)) return status;
  ULONG major, minor, build;
  PsGetVersion(&major, &minor, &build, NULL);
  DbgPrint("versions: %u.%u.%u %ws, %u.%u.%u, build %x, %u.%u\n", version.Major, version.Minor, version.Build, version.ServicePack, major,
      minor, build, *(const ULONG *)&NtBuildNumber, SHARED(0x26C), SHARED(0x270));
  // KTHREAD.ApcState.Process.
  ULONG process = thread(version.Major == 5 ? 0x44 : 0x50);
  DbgPrint("versions: the thread's process is %s\n", process == (ULONG)IoGetCurrentProcess() ? "the current one" : "another");
  DbgPrint("versions: %wZ %s\n", &notify, has(&notify));
  DbgPrint("versions: %wZ %s\n", &notifyEx, has(&notifyEx));
  DbgPrint("versions: %wZ %s\n", &callbacks, has(&callbacks));
  DbgPrint("versions: %wZ %s\n", &pool2, has(&pool2));
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
