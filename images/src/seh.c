// A driver that checks structured exception handling as Visual C++ links it into drivers: an _except_handler3 of its own, which
// walks its own scope tables and asks the kernel for RtlUnwind alone.
#include "checks.h"

typedef struct EXCEPTION_RECORD {
  NTSTATUS ExceptionCode;
  ULONG ExceptionFlags;
  struct EXCEPTION_RECORD *ExceptionRecord;
  PVOID ExceptionAddress;
  ULONG NumberParameters;
  ULONG ExceptionInformation[15];
} EXCEPTION_RECORD;

// CONTEXT of i386, as far as it is used here.
typedef struct {
  ULONG Before[0x29];
  ULONG Ebx, Edx, Ecx, Eax, Ebp, Eip, SegCs, EFlags, Esp;
} CONTEXT;
_Static_assert(__builtin_offsetof(CONTEXT, Eip) == 0xb8, "CONTEXT");

typedef struct {
  EXCEPTION_RECORD *ExceptionRecord;
  CONTEXT *ContextRecord;
} EXCEPTION_POINTERS;

#define EXCEPTION_NONCONTINUABLE 0x01
#define EXCEPTION_UNWINDING 0x02
#define EXCEPTION_EXIT_UNWIND 0x04
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

enum { ContinueExecution, ContinueSearch, NestedException, CollidedUnwind };

NTSYSAPI void NTAPI RtlUnwind(PVOID frame, PVOID target, EXCEPTION_RECORD *record, PVOID value);
NTSYSAPI void NTAPI RtlRaiseException(EXCEPTION_RECORD *record);
NTSYSAPI void NTAPI ExRaiseStatus(NTSTATUS status);
NTSYSAPI void *memcpy(void *to, const void *from, SIZE_T count);
PVOID _exception_info(void);
int _abnormal_termination(void);
#define GetExceptionInformation() ((EXCEPTION_POINTERS *)_exception_info())
#define AbnormalTermination() _abnormal_termination()

// MARK: The handler

// A row of a function's scope table: without a filter, the handler is a __finally block.
typedef struct {
  int enclosing;
  PVOID filter, handler;
} SCOPE;

// What a function with __try puts on its stack, right below its saved ebp.
typedef struct FRAME {
  struct FRAME *next;
  PVOID handler;
  const SCOPE *scopes;
  int level;
} FRAME;

// Calls a filter or a __finally block with its function's frame pointer.
__attribute__((naked)) static int Funclet(PVOID routine, PVOID framePointer) {
  __asm__("push %ebp\n push %ebx\n push %esi\n push %edi\n"
          "mov 20(%esp), %eax\n mov 24(%esp), %ebp\n call *%eax\n"
          "pop %edi\n pop %esi\n pop %ebx\n pop %ebp\n ret");
}

// Goes to an __except block, which takes its stack pointer from its function's frame.
__attribute__((naked, noreturn)) static void Continue(PVOID block, PVOID framePointer) {
  __asm__("mov 4(%esp), %eax\n mov 8(%esp), %ebp\n jmp *%eax");
}

// Tells RtlUnwind to come back.
__attribute__((naked)) static void UnwindTo(FRAME *frame, EXCEPTION_RECORD *record) {
  __asm__("push %ebp\n mov %esp, %ebp\n push %ebx\n push %esi\n push %edi\n"
          "push $0\n push 12(%ebp)\n push $1f\n push 8(%ebp)\n call *__imp__RtlUnwind@16\n"
          "1: pop %edi\n pop %esi\n pop %ebx\n pop %ebp\n ret");
}

static void LocalUnwind(FRAME *frame, int level);

// Guards a __finally block that runs: an unwind that meets it has collided with the one that runs the block, and goes on where
// that one stood.
typedef struct {
  PVOID next, handler;
  FRAME *frame;
  int level;
} GUARD;

static int __cdecl Collide(EXCEPTION_RECORD *record, GUARD *guard, CONTEXT *context, FRAME **dispatcher) {
  if (!(record->ExceptionFlags & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND))) return ContinueSearch;
  LocalUnwind(guard->frame, guard->level);
  *dispatcher = guard->frame;
  return CollidedUnwind;
}

static inline PVOID Chain(void) {
  PVOID head;
  __asm__ volatile("movl %%fs:0, %0" : "=r"(head));
  return head;
}

static inline void SetChain(PVOID head) { __asm__ volatile("movl %0, %%fs:0" : : "r"(head) : "memory"); }

static void LocalUnwind(FRAME *frame, int level) {
  GUARD guard = {Chain(), Collide, frame, level};
  SetChain(&guard);
  while (frame->level != -1 && frame->level != level) {
    const SCOPE *scope = &frame->scopes[frame->level];
    frame->level = scope->enclosing;
    if (scope->filter == NULL) Funclet(scope->handler, frame + 1);
  }
  SetChain(guard.next);
}

int __cdecl _except_handler3(EXCEPTION_RECORD *record, FRAME *frame, CONTEXT *context, PVOID dispatcher) {
  if (record->ExceptionFlags & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND)) {
    LocalUnwind(frame, -1);
    return ContinueSearch;
  }
  EXCEPTION_POINTERS pointers = {record, context};
  ((EXCEPTION_POINTERS **)frame)[-1] = &pointers;
  for (int level = frame->level; level != -1; level = frame->scopes[level].enclosing) {
    const SCOPE *scope = &frame->scopes[level];
    if (scope->filter == NULL) continue;
    int answer = Funclet(scope->filter, frame + 1);
    if (answer < 0) return ContinueExecution;
    if (answer == 0) continue;
    UnwindTo(frame, record);
    LocalUnwind(frame, level);
    frame->level = scope->enclosing;
    Continue(scope->handler, frame + 1);
  }
  return ContinueSearch;
}

// MARK: The checks

static char order[64];
static int place;
static void Note(char letter) {
  if (place < 63) order[place++] = letter, order[place] = 0;
}
static void Begin(void) { place = 0, order[0] = 0; }
static BOOLEAN Was(const char *expected) {
  int index = 0;
  while (expected[index] && expected[index] == order[index]) index++;
  return expected[index] == order[index];
}

// Not inlined: the compiler takes nothing but calls for what can raise.
static __declspec(noinline) ULONG Read(volatile ULONG *from) { return *from; }
static volatile ULONG zero;
static __declspec(noinline) void Divide(void) { __asm__ volatile("divl %0" : : "r"(zero), "a"(1), "d"(0)); }
static __declspec(noinline) void Break(void) { __asm__ volatile("int3"); }
static __declspec(noinline) void Raise(NTSTATUS code) { ExRaiseStatus(code); }

static void Simple(void) {
  NTSTATUS code = STATUS_SUCCESS;
  __try {
    Read((ULONG *)0x10);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    code = GetExceptionCode();
  }
  Check("a fault is taken by the block around it", code == STATUS_ACCESS_VIOLATION);
  __try {
    Divide();
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    code = GetExceptionCode();
  }
  Check("so is a division by zero", code == STATUS_INTEGER_DIVIDE_BY_ZERO);
  __try {
    Break();
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    code = GetExceptionCode();
  }
  Check("and a breakpoint", code == STATUS_BREAKPOINT);
}

static int Pass(char letter) {
  Note(letter);
  return EXCEPTION_CONTINUE_SEARCH;
}

static int Take(char letter) {
  Note(letter);
  return EXCEPTION_EXECUTE_HANDLER;
}

static __declspec(noinline) void Inner(void) {
  __try {
    __try {
      Raise(STATUS_INVALID_PARAMETER);
    } __except (Pass('a')) {
      Note('!');
    }
  } __finally {
    Note(AbnormalTermination() ? 'f' : '!');
  }
}

static void Nested(void) {
  Begin();
  __try {
    __try {
      Inner();
    } __finally {
      Note('g');
    }
  } __except (Take('b')) {
    Note('h');
  }
  Check("filters run from the inside out, then finally blocks, then the handler", Was("abfgh"));
  Begin();
  __try {
    Note('x');
  } __finally {
    Note(AbnormalTermination() ? '!' : 'y');
  }
  Check("a finally block without an exception knows it", Was("xy"));
}

static __declspec(noinline) int Leave(int value) {
  __try {
    if (value) return 7;
    Note('!');
  } __finally {
    Note('l');
  }
  return 0;
}

static __declspec(noinline) void Collided(void) {
  __try {
    __try {
      Raise(STATUS_INVALID_PARAMETER);
    } __finally {
      Note('1');
      Raise(STATUS_INVALID_DEVICE_REQUEST);
    }
  } __finally {
    Note('2');
  }
}

static void Unwinds(void) {
  Begin();
  int value = Leave(1);
  Check("a return out of a try runs its finally block", value == 7 && Was("l"));
  Begin();
  NTSTATUS code = STATUS_SUCCESS;
  __try {
    Collided();
  } __except (Take('t')) {
    code = GetExceptionCode();
  }
  Check("an exception in a finally block takes the place of the first, and each block runs once",
        code == STATUS_INVALID_DEVICE_REQUEST && Was("t1t2"));
}

static int Repair(EXCEPTION_POINTERS *pointers, ULONG *good) {
  Note('r');
  pointers->ContextRecord->Eax = (ULONG)good;
  pointers->ContextRecord->Ecx = (ULONG)good;
  return EXCEPTION_CONTINUE_EXECUTION;
}

// eax and ecx hold the address while it is read.
__attribute__((naked, noinline)) static ULONG ReadThroughRegister(ULONG *from) {
  __asm__("mov 4(%esp), %eax\n mov %eax, %ecx\n mov (%eax), %eax\n ret");
}

static void Continues(void) {
  Begin();
  ULONG good = 0x600d, value = 0;
  __try {
    value = ReadThroughRegister((ULONG *)0x10);
  } __except (Repair(GetExceptionInformation(), &good)) {
    Note('!');
  }
  Check("a filter that mends the registers lets the instruction run again", value == good && Was("r"));
}

// Faults the first time. The second exception meets the same filter again, before any outer one.
static int Faulty(void) {
  Note('i');
  return place == 1 ? (int)Read((ULONG *)0x20) : EXCEPTION_CONTINUE_SEARCH;
}

static int Nesting(EXCEPTION_POINTERS *pointers) {
  Note(pointers->ExceptionRecord->ExceptionCode == STATUS_ACCESS_VIOLATION ? 'n' : 'o');
  return EXCEPTION_EXECUTE_HANDLER;
}

static void FaultInFilter(void) {
  Begin();
  __try {
    __try {
      Raise(STATUS_INVALID_PARAMETER);
    } __except (Faulty()) {
      Note('!');
    }
  } __except (Nesting(GetExceptionInformation())) {
    Note('h');
  }
  Check("an exception in a filter is one of its own", Was("iinh"));
}

static void FaultInExport(void) {
  PVOID chain = Chain();
  UCHAR bytes[16];
  NTSTATUS code = STATUS_SUCCESS;
  __try {
    memcpy(bytes, (void *)0x30, sizeof bytes);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    code = GetExceptionCode();
  }
  Check("a fault of the kernel's copy routine is the driver's to take", code == STATUS_ACCESS_VIOLATION);
  code = STATUS_SUCCESS;
  __try {
    ProbeForWrite((PVOID)0x80000000, 4, 4);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    code = GetExceptionCode();
  }
  Check("so is what a probe raises", code == STATUS_ACCESS_VIOLATION);
  Check("the chain is as it was", Chain() == chain);
}

static ULONG parameters[3];
static int Look(EXCEPTION_POINTERS *pointers) {
  parameters[0] = pointers->ExceptionRecord->NumberParameters;
  parameters[1] = pointers->ExceptionRecord->ExceptionInformation[0];
  parameters[2] = pointers->ExceptionRecord->ExceptionInformation[1];
  return EXCEPTION_EXECUTE_HANDLER;
}

static void OwnRecord(void) {
  EXCEPTION_RECORD record = {.ExceptionCode = (NTSTATUS)0xE0001234, .NumberParameters = 2, .ExceptionInformation = {0x11, 0x22}};
  NTSTATUS code = STATUS_SUCCESS;
  __try {
    RtlRaiseException(&record);
  } __except (Look(GetExceptionInformation())) {
    code = GetExceptionCode();
  }
  Check("a record of the driver's own arrives with its parameters",
        code == (NTSTATUS)0xE0001234 && parameters[0] == 2 && parameters[1] == 0x11 && parameters[2] == 0x22);
}

static int depth;
static __declspec(noinline) void Deep(int left) {
  __try {
    if (left == 0) Raise(STATUS_INSUFFICIENT_RESOURCES);
    Deep(left - 1);
  } __finally {
    depth++;
  }
}

static void ManyFrames(void) {
  NTSTATUS code = STATUS_SUCCESS;
  __try {
    Deep(19);
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    code = GetExceptionCode();
  }
  Check("an unwind through twenty frames runs every finally block", code == STATUS_INSUFFICIENT_RESOURCES && depth == 20);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  PVOID chain = Chain();
  Simple();
  Nested();
  Unwinds();
  Continues();
  FaultInFilter();
  FaultInExport();
  OwnRecord();
  ManyFrames();
  Check("no frame is left on the chain", Chain() == chain);
  return failures == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
