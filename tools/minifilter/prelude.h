// Read before a minifilter's own source: lets clang for Windows read mingw-w64's ddk headers, which are written for gcc.
#pragma once
#include <sdkddkver.h>
#if WINVER < 0x0600
typedef unsigned long SYSTEM_POWER_STATE_CONTEXT;
#endif
#define __INTRIN_H_
// ntdef.h and ntifs.h both declare it.
#define _REPARSE_DATA_BUFFER _REPARSE_DATA_BUFFER_OF_NTDEF
#define REPARSE_DATA_BUFFER REPARSE_DATA_BUFFER_OF_NTDEF
#define PREPARSE_DATA_BUFFER PREPARSE_DATA_BUFFER_OF_NTDEF
#include <ntdef.h>
#undef _REPARSE_DATA_BUFFER
#undef REPARSE_DATA_BUFFER
#undef PREPARSE_DATA_BUFFER
#undef C_ASSERT
#define C_ASSERT(condition) _Static_assert(1, "")
#undef FIELD_OFFSET
#define FIELD_OFFSET(type, field) ((LONG)__builtin_offsetof(type, field))
