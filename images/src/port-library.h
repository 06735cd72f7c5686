// The functions of port-library: a driver that owns a communication port for others.
#pragma once
#include "fltKernel.h"

// The port is made with the driver object of whoever comes first once the filter manager is there.
NTSTATUS __cdecl PortAdopt(DRIVER_OBJECT *, const UNICODE_STRING *name);
void __cdecl PortRelease(void);
// STATUS_PORT_DISCONNECTED while there is no port, or no service.
NTSTATUS __cdecl PortSend(const void *message, ULONG length);
