// A function driver for a root-enumerated device: Plug and Play, power, an interrupt with its DPC, a timer, a work item, and a
// remove lock that keeps the device until all of them are through. The hardware is not there, and the driver notices.
#include "pnp.h"

static const GUID interfaceClass = {0x6d1a3ad4, 0x2b5f, 0x4c0e, {0x9a, 0x31, 0x5e, 0x0f, 0x77, 0x1c, 0x2d, 0x88}};
#define REGISTERS 0xfebf0000
#define VECTOR 0x3b
#define TAG 'tgdG'

typedef struct {
  DEVICE_OBJECT *Physical, *Below;
  IO_REMOVE_LOCK Lock;
  UNICODE_STRING Link;
  KINTERRUPT *Interrupt;
  KDPC InterruptDpc, TimerDpc;
  KTIMER Timer;
  IO_WORKITEM *Work;
  ULONG Interrupts, Ticks;
} EXTENSION;

static EXTENSION *ExtensionOf(DEVICE_OBJECT *device) { return device->DeviceExtension; }

// At the interrupt's IRQL: only counts, and leaves the rest to the deferred call.
static BOOLEAN NTAPI Service(KINTERRUPT *interrupt, PVOID context) {
  EXTENSION *extension = ExtensionOf(context);
  extension->Interrupts++;
  KeInsertQueueDpc(&extension->InterruptDpc, NULL, NULL);
  return TRUE;
}

static void NTAPI Work(DEVICE_OBJECT *device, PVOID context) {
  EXTENSION *extension = ExtensionOf(device);
  DbgPrint("gadget: %u interrupt(s), %u timer tick(s)\n", extension->Interrupts, extension->Ticks);
  IoReleaseRemoveLockEx(&extension->Lock, extension->Work, sizeof extension->Lock);
}

static void NTAPI InterruptDpc(KDPC *dpc, PVOID context, PVOID first, PVOID second) {
  EXTENSION *extension = ExtensionOf(context);
  if (!NT_SUCCESS(IoAcquireRemoveLockEx(&extension->Lock, extension->Work, "", 1, sizeof extension->Lock))) return;
  IoQueueWorkItem(extension->Work, Work, DelayedWorkQueue, NULL);
}

static void NTAPI TimerDpc(KDPC *dpc, PVOID context, PVOID first, PVOID second) { ExtensionOf(context)->Ticks++; }

static NTSTATUS Start(DEVICE_OBJECT *device, EXTENSION *extension) {
  static WCHAR identity[64];
  ULONG length;
  NTSTATUS status = IoGetDeviceProperty(extension->Physical, DevicePropertyHardwareID, sizeof identity, identity, &length);
  if (!NT_SUCCESS(status)) return status;
  volatile ULONG *registers = MmMapIoSpace(REGISTERS, 0x1000, 0);
  if (registers) {
    WRITE_REGISTER_ULONG(registers, 1);
    DbgPrint("gadget: %ws reads %08x\n", identity, READ_REGISTER_ULONG(registers));
    MmUnmapIoSpace((PVOID)registers, 0x1000);
  }
  status = IoConnectInterrupt(
      &extension->Interrupt, Service, device, NULL, VECTOR, 27 - 11, 27 - 11, LevelSensitive, TRUE, 1, FALSE);
  if (!NT_SUCCESS(status)) return status;
  KeSetTimerEx(&extension->Timer, -10000, 0, &extension->TimerDpc);
  return IoSetDeviceInterfaceState(&extension->Link, TRUE);
}

static void Stop(EXTENSION *extension) {
  if (!extension->Interrupt) return;
  IoSetDeviceInterfaceState(&extension->Link, FALSE);
  KeCancelTimer(&extension->Timer);
  IoDisconnectInterrupt(extension->Interrupt);
  extension->Interrupt = NULL;
}

static NTSTATUS Complete(IRP *irp, NTSTATUS status) {
  irp->IoStatus.Status = status;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS NTAPI PlugAndPlay(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = ExtensionOf(device);
  NTSTATUS status = IoAcquireRemoveLockEx(&extension->Lock, irp, "", 1, sizeof extension->Lock);
  if (!NT_SUCCESS(status)) return Complete(irp, status);
  switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
      status = IoForwardIrpSynchronously(extension->Below, irp) ? irp->IoStatus.Status : STATUS_NO_SUCH_DEVICE;
      if (NT_SUCCESS(status)) status = Start(device, extension);
      Complete(irp, status);
      break;
    case IRP_MN_REMOVE_DEVICE:
      Stop(extension);
      irp->IoStatus.Status = STATUS_SUCCESS;
      IoSkipCurrentIrpStackLocation(irp);
      status = IoCallDriver(extension->Below, irp);
      IoReleaseRemoveLockAndWaitEx(&extension->Lock, irp, sizeof extension->Lock);
      IoFreeWorkItem(extension->Work);
      RtlFreeUnicodeString(&extension->Link);
      IoDetachDevice(extension->Below);
      IoDeleteDevice(device);
      return status;
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
      Stop(extension);
      // and on
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
      irp->IoStatus.Status = STATUS_SUCCESS;
      // and on
    default:
      IoSkipCurrentIrpStackLocation(irp);
      status = IoCallDriver(extension->Below, irp);
  }
  IoReleaseRemoveLockEx(&extension->Lock, irp, sizeof extension->Lock);
  return status;
}

static NTSTATUS NTAPI Power(DEVICE_OBJECT *device, IRP *irp) {
  EXTENSION *extension = ExtensionOf(device);
  NTSTATUS status = IoAcquireRemoveLockEx(&extension->Lock, irp, "", 1, sizeof extension->Lock);
  PoStartNextPowerIrp(irp);
  if (!NT_SUCCESS(status)) return Complete(irp, status);
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  // Parameters.Power: the type, then the state.
  if (location->MinorFunction == IRP_MN_SET_POWER && (ULONG)location->Parameters.Others[1] == DevicePowerState) {
    ULONG state = (ULONG)location->Parameters.Others[2];
    DbgPrint("gadget: D%u to D%u\n", PoSetPowerState(device, DevicePowerState, state) - 1, state - 1);
  }
  IoSkipCurrentIrpStackLocation(irp);
  status = PoCallDriver(extension->Below, irp);
  IoReleaseRemoveLockEx(&extension->Lock, irp, sizeof extension->Lock);
  return status;
}

static NTSTATUS NTAPI AddDevice(DRIVER_OBJECT *driver, DEVICE_OBJECT *physical) {
  DEVICE_OBJECT *device;
  NTSTATUS status =
      IoCreateDevice(driver, sizeof(EXTENSION), NULL, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
  if (!NT_SUCCESS(status)) return status;
  EXTENSION *extension = ExtensionOf(device);
  extension->Physical = physical;
  IoInitializeRemoveLockEx(&extension->Lock, TAG, 0, 0, sizeof extension->Lock);
  KeInitializeDpc(&extension->InterruptDpc, InterruptDpc, device);
  KeInitializeDpc(&extension->TimerDpc, TimerDpc, device);
  KeInitializeTimerEx(&extension->Timer, NotificationTimer);
  extension->Work = IoAllocateWorkItem(device);
  if (extension->Work) status = IoRegisterDeviceInterface(physical, &interfaceClass, NULL, &extension->Link);
  if (extension->Work && NT_SUCCESS(status)) {
    PoSetPowerState(device, DevicePowerState, PowerDeviceD0);
    extension->Below = IoAttachDeviceToDeviceStack(device, physical);
    if (extension->Below) {
      device->Flags |= DO_POWER_PAGABLE;
      device->Flags &= ~DO_DEVICE_INITIALIZING;
      return STATUS_SUCCESS;
    }
    RtlFreeUnicodeString(&extension->Link);
    status = STATUS_NO_SUCH_DEVICE;
  }
  if (extension->Work) {
    IoFreeWorkItem(extension->Work);
  } else {
    status = STATUS_INSUFFICIENT_RESOURCES;
  }
  IoDeleteDevice(device);
  return status;
}

static void NTAPI Unload(DRIVER_OBJECT *driver) { DbgPrint("gadget: gone at tick %u\n", KeTickCount.LowPart); }

#pragma code_seg("INIT")
NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  ((DRIVER_EXTENSION *)driver->DriverExtension)->AddDevice = AddDevice;
  driver->MajorFunction[IRP_MJ_PNP] = PlugAndPlay;
  driver->MajorFunction[IRP_MJ_POWER] = Power;
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
