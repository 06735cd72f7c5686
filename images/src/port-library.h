// The functions of port-library: a driver that owns a communication port for others.
#pragma once
#include "fltports.h"

#ifndef PORT_API
#define PORT_API __declspec(dllimport)
#endif

// The port is made with the driver object of whoever comes first once the filter manager is there.
PORT_API NTSTATUS __cdecl PortAdopt(DRIVER_OBJECT *, const UNICODE_STRING *name);
PORT_API void __cdecl PortRelease(void);
// STATUS_PORT_DISCONNECTED while there is no port, or no service.
PORT_API NTSTATUS __cdecl PortSend(const void *message, ULONG length);
