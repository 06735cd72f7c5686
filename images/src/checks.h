// For drivers that check themselves: each check says what it is, and how it came out.
#pragma once
#include "wdm.h"

static int failures;

static void Check(const char *what, BOOLEAN isRight) {
  if (!isRight) failures++;
  DbgPrint("%s %s\n", isRight ? "right" : "WRONG", what);
}

#define STATUS_UNSUCCESSFUL ((NTSTATUS)0xC0000001)
#define STATUS_BREAKPOINT ((NTSTATUS)0x80000003)
#define STATUS_ACCESS_VIOLATION ((NTSTATUS)0xC0000005)
#define STATUS_INVALID_HANDLE ((NTSTATUS)0xC0000008)
#define STATUS_INTEGER_DIVIDE_BY_ZERO ((NTSTATUS)0xC0000094)
#define STATUS_PRIVILEGED_INSTRUCTION ((NTSTATUS)0xC0000096)
