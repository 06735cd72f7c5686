// A driver that guards a process: it takes rights away from handles to it, and says of each handle what was asked and what was granted.
//
// Linked with /integritycheck, as the routine demands.
#include "wdm.h"

#define STATUS_FLT_INSTANCE_ALTITUDE_COLLISION ((NTSTATUS)0xC01C0011)
#define PROCESS_TERMINATE 0x0001
#define PROCESS_VM_READ 0x0010
#define OB_OPERATION_HANDLE_CREATE 1
#define OBJ_KERNEL_HANDLE 0x200

typedef struct {
  ULONG Operation, Flags;
  PVOID Object, ObjectType, CallContext;
  struct {
    ULONG DesiredAccess, OriginalDesiredAccess;
  } *Parameters;
} PRE_OPERATION;

typedef struct {
  ULONG Operation, Flags;
  PVOID Object, ObjectType, CallContext;
  NTSTATUS ReturnStatus;
  struct {
    ULONG GrantedAccess;
  } *Parameters;
} POST_OPERATION;

typedef ULONG(NTAPI *ON_PRE)(PVOID context, PRE_OPERATION *operation);
typedef void(NTAPI *ON_POST)(PVOID context, POST_OPERATION *operation);

typedef struct {
  PVOID *ObjectType;
  ULONG Operations;
  ON_PRE PreOperation;
  ON_POST PostOperation;
} OPERATION;

typedef struct {
  USHORT Version, OperationRegistrationCount;
  UNICODE_STRING Altitude;
  PVOID RegistrationContext;
  OPERATION *OperationRegistration;
} REGISTRATION;

NTSYSAPI USHORT NTAPI ObGetFilterVersion(void);
NTSYSAPI NTSTATUS NTAPI ObRegisterCallbacks(REGISTRATION *registration, PVOID *handle);
NTSYSAPI void NTAPI ObUnRegisterCallbacks(PVOID handle);
NTSYSAPI NTSTATUS NTAPI ObOpenObjectByPointer(
    PVOID object, ULONG attributes, PVOID state, ULONG access, PVOID type, CCHAR mode, PVOID *handle);
NTSYSAPI NTSTATUS NTAPI ZwClose(PVOID handle);
NTSYSAPI extern PVOID PsProcessType;
NTSYSAPI PVOID NTAPI PsGetProcessId(PVOID process);

static PVOID handle;
static ULONG seen;

static ULONG NTAPI OnPre(PVOID context, PRE_OPERATION *operation) {
  DbgPrint("protector: %x of process %u is wanted in %u\n", operation->Parameters->OriginalDesiredAccess,
      (ULONG)PsGetProcessId(operation->Object), (ULONG)PsGetCurrentProcessId());
  operation->CallContext = (PVOID)++seen;
  operation->Parameters->DesiredAccess &= ~PROCESS_TERMINATE;
  return 0;
}

static void NTAPI OnPost(PVOID context, POST_OPERATION *operation) {
  DbgPrint("protector: %x is granted, %08x, for request %u\n", operation->Parameters->GrantedAccess, operation->ReturnStatus,
      (ULONG)operation->CallContext);
}

static void NTAPI Unload(DRIVER_OBJECT *driver) { ObUnRegisterCallbacks(handle); }

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  OPERATION operations[] = {{&PsProcessType, OB_OPERATION_HANDLE_CREATE, OnPre, OnPost}};
  REGISTRATION registration = {ObGetFilterVersion(), 1, COUNTED(u"321000"), NULL, operations};
  NTSTATUS status = ObRegisterCallbacks(&registration, &handle);
  if (!NT_SUCCESS(status)) return status;
  PVOID second = NULL;
  if (ObRegisterCallbacks(&registration, &second) == STATUS_FLT_INSTANCE_ALTITUDE_COLLISION) {
    DbgPrint("protector: nobody else can have the altitude\n");
  }
  PVOID own = NULL;
  status = ObOpenObjectByPointer(
      IoGetCurrentProcess(), OBJ_KERNEL_HANDLE, NULL, PROCESS_TERMINATE | PROCESS_VM_READ, PsProcessType, 0, &own);
  if (NT_SUCCESS(status)) ZwClose(own);
  driver->DriverUnload = Unload;
  return status;
}
