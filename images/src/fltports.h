// What our drivers need of the filter manager's ports, and no more: names, sizes and offsets as the public documentation of
// fltKernel.h gives them, for 32-bit Windows XP. Every declaration is ours.
#pragma once
#include "fltkernel.h"

typedef struct FLT_FILTER *PFLT_FILTER;
typedef struct FLT_PORT *PFLT_PORT;

#define STATUS_TIMEOUT ((NTSTATUS)0x00000102)
#define STATUS_PORT_DISCONNECTED ((NTSTATUS)0xC0000037)
#define STATUS_FLT_NOT_INITIALIZED ((NTSTATUS)0xC01C0007)

#define FLT_PORT_CONNECT 0x0001
#define FLT_PORT_ALL_ACCESS 0x1F0001
#define OBJ_CASE_INSENSITIVE 0x40
#define OBJ_KERNEL_HANDLE 0x200

typedef struct {
  ULONG Length;
  PVOID RootDirectory;
  const UNICODE_STRING *ObjectName;
  ULONG Attributes;
  PVOID SecurityDescriptor, SecurityQualityOfService;
} OBJECT_ATTRIBUTES;
_Static_assert(sizeof(OBJECT_ATTRIBUTES) == 0x18, "OBJECT_ATTRIBUTES");

typedef NTSTATUS NTAPI FLT_CONNECT_NOTIFY(
    PFLT_PORT client, PVOID serverCookie, PVOID context, ULONG contextSize, PVOID *connectionCookie);
typedef void NTAPI FLT_DISCONNECT_NOTIFY(PVOID connectionCookie);
typedef NTSTATUS NTAPI FLT_MESSAGE_NOTIFY(
    PVOID connectionCookie, PVOID input, ULONG inputLength, PVOID output, ULONG outputLength, ULONG *returned);

NTSYSAPI NTSTATUS NTAPI FltBuildDefaultSecurityDescriptor(PVOID *descriptor, ULONG access);
NTSYSAPI void NTAPI FltFreeSecurityDescriptor(PVOID descriptor);
NTSYSAPI NTSTATUS NTAPI FltCreateCommunicationPort(
    PFLT_FILTER, PFLT_PORT *server, const OBJECT_ATTRIBUTES *, PVOID serverCookie, FLT_CONNECT_NOTIFY *, FLT_DISCONNECT_NOTIFY *,
    FLT_MESSAGE_NOTIFY *, long maximumConnections);
NTSYSAPI void NTAPI FltCloseCommunicationPort(PFLT_PORT server);
NTSYSAPI void NTAPI FltCloseClientPort(PFLT_FILTER, PFLT_PORT *client);
NTSYSAPI NTSTATUS NTAPI FltSendMessage(
    PFLT_FILTER, PFLT_PORT *client, const void *message, ULONG length, PVOID reply, ULONG *replyLength,
    const LARGE_INTEGER *timeout);
