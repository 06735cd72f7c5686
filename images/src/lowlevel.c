// A driver that checks what rootkits, protections and measuring drivers do below the documented interface: instructions, tables of
// the processor's and the kernel's, code that changes itself, a thread of its own that loops until it is told to stop.
#include "checks.h"

typedef struct {
  PVOID *Base;
  ULONG *Counters;
  ULONG Limit;
  UCHAR *Arguments;
} SERVICE_TABLE;

typedef struct MODULE {
  LIST_ENTRY Links;
  PVOID Unused[4];
  UCHAR *DllBase;
  PVOID EntryPoint;
  ULONG SizeOfImage;
  UNICODE_STRING FullDllName, BaseDllName;
} MODULE;
_Static_assert(__builtin_offsetof(MODULE, DllBase) == 0x18 && __builtin_offsetof(MODULE, BaseDllName) == 0x2c, "MODULE");

typedef struct {
  ULONG Header[4];
} KEVENT;

NTSYSAPI extern SERVICE_TABLE KeServiceDescriptorTable;
NTSYSAPI NTSTATUS NTAPI ZwClose(PVOID handle);
NTSYSAPI BOOLEAN NTAPI MmIsAddressValid(const void *address);
NTSYSAPI PVOID NTAPI MmGetSystemRoutineAddress(const UNICODE_STRING *name);
NTSYSAPI BOOLEAN NTAPI PsGetVersion(ULONG *major, ULONG *minor, ULONG *build, UNICODE_STRING *servicePack);
NTSYSAPI NTSTATUS NTAPI PsCreateSystemThread(PVOID *handle, ULONG access, PVOID attributes, PVOID process, PVOID id,
                                             void(NTAPI *routine)(PVOID), PVOID context);
NTSYSAPI NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS status);
NTSYSAPI void NTAPI KeInitializeEvent(KEVENT *event, ULONG type, BOOLEAN state);
NTSYSAPI long NTAPI KeSetEvent(KEVENT *event, long increment, BOOLEAN wait);
NTSYSAPI NTSTATUS NTAPI KeWaitForSingleObject(PVOID object, ULONG reason, ULONG mode, ULONG alertable, long long *timeout);
NTSYSAPI NTSTATUS NTAPI KeDelayExecutionThread(ULONG mode, ULONG alertable, long long *interval);

#define IMPORTED(routine) ((UCHAR *)&routine)

// MARK: Instructions

static void Identify(void) {
  ULONG a, b, c, d;
  __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0));
  Check("cpuid tells the vendor", a >= 1 && b == 0x756e6547 && d == 0x49656e69 && c == 0x6c65746e);
  __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(1));
  Check("and a processor with TSC, MSR and cmpxchg8b", (d & 0x130) == 0x130);
  ULONG first, second, high;
  __asm__ volatile("rdtsc" : "=a"(first), "=d"(high));
  __asm__ volatile("rdtsc" : "=a"(second), "=d"(high));
  Check("rdtsc goes on", second > first);
}

// What the linker wants of whoever touches floating point.
int _fltused;

static void Arithmetic(void) {
  double half = 0.5, result;
  __asm__ volatile("fldl %1\n fmull %1\n fstpl %0" : "=m"(result) : "m"(half));
  Check("the x87 multiplies", result == 0.25);
  ULONG sum;
  __asm__ volatile("movd %1, %%mm0\n paddd %%mm0, %%mm0\n movd %%mm0, %0\n emms" : "=r"(sum) : "r"(21));
  Check("MMX adds", sum == 42);
  ULONG four[4] = {1, 2, 3, 4}, copy[4];
  __asm__ volatile("movups %1, %%xmm0\n addps %%xmm1, %%xmm1\n movups %%xmm0, %0" : "=m"(copy) : "m"(four));
  Check("SSE moves", copy[0] == 1 && copy[3] == 4);
  unsigned long long value = 5, old;
  __asm__ volatile("lock cmpxchg8b %1" : "=A"(old), "+m"(value) : "0"(5ull), "b"(7), "c"(0) : "cc");
  Check("cmpxchg8b exchanges", old == 5 && value == 7);
}

#pragma pack(push, 1)
typedef struct {
  USHORT limit;
  ULONG base;
} TABLE;
typedef struct {
  USHORT low, selector;
  UCHAR zero, type;
  USHORT high;
} GATE;
#pragma pack(pop)

static void Tables(void) {
  TABLE table;
  USHORT local, task;
  __asm__ volatile("sidt %0" : "=m"(table));
  Check("the interrupt table has 256 gates, in the kernel's half", table.limit == 0x7ff && table.base >= 0x80000000);
  GATE *gates = (GATE *)table.base;
  ULONG breakpoint = gates[3].low | (ULONG)gates[3].high << 16;
  Check("the gate of int 3 leads into the kernel", gates[3].selector == 8 && breakpoint >= 0x804d7000 && breakpoint < 0x80711000);
  __asm__ volatile("sgdt %0" : "=m"(table));
  Check("so does the segment table", table.base >= 0x80000000);
  __asm__ volatile("sldt %0" : "=r"(local));
  __asm__ volatile("str %0" : "=r"(task));
  Check("no local segments, and XP's task", local == 0 && task == 0x28);
  ULONG low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x176));
  Check("sysenter's entry lies in the kernel", low >= 0x804d7000 && low < 0x80711000);
  ULONG control;
  __asm__ volatile("mov %%cr0, %0" : "=r"(control));
  Check("protection and paging are on", (control & 0x80000001) == 0x80000001);
  ULONG debug = 0x80000000;
  __asm__ volatile("mov %0, %%dr0" : : "r"(debug));
  debug = 0;
  __asm__ volatile("mov %%dr0, %0" : "=r"(debug));
  Check("a debug register keeps its value", debug == 0x80000000);
  __asm__ volatile("mov %0, %%dr0" : : "r"(0));
}

static volatile ULONG interrupts;
__attribute__((naked)) static void Interrupt(void) { __asm__("incl %0\n iretl" : : "m"(interrupts)); }

static void OwnInterrupt(void) {
  TABLE table;
  __asm__ volatile("sidt %0" : "=m"(table));
  GATE *gate = (GATE *)table.base + 0x55, old = *gate;
  GATE own = {(USHORT)(ULONG)Interrupt, 8, 0, 0x8e, (USHORT)((ULONG)Interrupt >> 16)};
  __asm__ volatile("cli");
  *gate = own;
  __asm__ volatile("sti");
  __asm__ volatile("int $0x55\n int $0x55" : : : "memory");
  *gate = old;
  Check("a gate of the driver's own is taken", interrupts == 2);
}

// MARK: The kernel

static BOOLEAN Same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

// The routine of that name, from the image's own directory of exports.
static PVOID Export(UCHAR *base, const char *name) {
  UCHAR *header = base + *(ULONG *)(base + 0x3c);
  if (*(ULONG *)header != 0x4550) return NULL;
  ULONG *directory = (ULONG *)(base + *(ULONG *)(header + 0x78));
  ULONG count = directory[6], *routines = (ULONG *)(base + directory[7]), *names = (ULONG *)(base + directory[8]);
  USHORT *ordinals = (USHORT *)(base + directory[9]);
  for (ULONG index = 0; index < count; index++)
    if (Same((char *)base + names[index], name)) return base + routines[ordinals[index]];
  return NULL;
}

static void Kernel(DRIVER_OBJECT *driver) {
  ULONG major, minor, build;
  PsGetVersion(&major, &minor, &build, NULL);
  Check("the version is the one that the build number says", major == 5 && minor == 1 && build == (NtBuildNumber & 0x3fff));
  MODULE *own = driver->DriverSection, *module = own;
  UCHAR *kernel = NULL;
  ULONG modules = 0;
  do {
    module = (MODULE *)module->Links.Flink;
    // The list's head is no module, and has nothing where a name would be.
    if (modules++ == 64) break;
    if (MmIsAddressValid(module->BaseDllName.Buffer) && module->BaseDllName.Length == 24 &&
        (module->BaseDllName.Buffer[0] | 0x20) == 'n' && (module->BaseDllName.Buffer[2] | 0x20) == 'o')
      kernel = module->DllBase;
  } while (module != own);
  Check("the kernel is in the list of modules", kernel == (UCHAR *)0x804d7000);
  Check("its headers can be read", kernel && MmIsAddressValid(kernel) && *(USHORT *)kernel == 0x5a4d);
  Check("its exports lead to what is imported", Export(kernel, "IoCreateDevice") == IMPORTED(IoCreateDevice));
  static const UNICODE_STRING name = COUNTED(u"IoDeleteDevice");
  Check("and so does MmGetSystemRoutineAddress", MmGetSystemRoutineAddress(&name) == IMPORTED(IoDeleteDevice));
  UCHAR *page = (UCHAR *)((ULONG)&NtBuildNumber & ~0xfff);
  ULONG pages = 0;
  while (pages < 2048 && !(MmIsAddressValid(page) && *(USHORT *)page == 0x5a4d)) page -= 0x1000, pages++;
  Check("who looks for the headers below a variable finds them", page == kernel);
  ULONG version;
  __asm__ volatile("movl %%fs:0x34, %0" : "=r"(version));
  Check("the debugger's block leads to the list of modules", *(UCHAR **)(version + 0x10) == kernel);
  Check("shared data is where XP has it", *(volatile ULONG *)0xffdf026c == 5 && *(volatile ULONG *)0xffdf0270 == 1);
}

static NTSTATUS(NTAPI *trueClose)(PVOID);
static ULONG closed;
static NTSTATUS NTAPI HookedClose(PVOID handle) {
  closed++;
  return trueClose(handle);
}

static ULONG DropWriteProtection(void) {
  ULONG control;
  __asm__ volatile("cli\n mov %%cr0, %0" : "=r"(control));
  __asm__ volatile("mov %0, %%cr0" : : "r"(control & ~0x10000));
  return control;
}

static void RestoreWriteProtection(ULONG control) { __asm__ volatile("mov %0, %%cr0\n sti" : : "r"(control)); }

static void Services(void) {
  ULONG number = *(ULONG *)(IMPORTED(ZwClose) + 1);
  Check("a service's number stands in its code", IMPORTED(ZwClose)[0] == 0xb8 && number == 0x19);
  Check("the table has XP's length", KeServiceDescriptorTable.Limit == 284 && KeServiceDescriptorTable.Arguments[number] == 4);
  NTSTATUS status;
  ULONG handle = 0x1234;
  __asm__ volatile("int $0x2e" : "=a"(status) : "a"(number), "d"(&handle) : "ecx", "memory");
  Check("int 2Eh calls it", status == STATUS_INVALID_HANDLE);
  ULONG control = DropWriteProtection();
  trueClose = KeServiceDescriptorTable.Base[number];
  KeServiceDescriptorTable.Base[number] = HookedClose;
  RestoreWriteProtection(control);
  status = ZwClose((PVOID)0x1234);
  Check("a hook in the table is called, and goes on to the service", closed == 1 && status == STATUS_INVALID_HANDLE);
  control = DropWriteProtection();
  KeServiceDescriptorTable.Base[number] = trueClose;
  RestoreWriteProtection(control);
  ZwClose((PVOID)0x1234);
  Check("a hook that is gone is called no more", closed == 1);
}

// MARK: Hooks over code

NTSYSAPI void NTAPI MmUnmapLockedPages(PVOID address, MDL *mdl);

static PVOID(NTAPI *trueCurrentProcess)(void);
static ULONG asked;

static PVOID NTAPI HookedCurrentProcess(void) {
  asked++;
  return trueCurrentProcess();
}

static void JumpFrom(UCHAR *place, const void *target) {
  place[0] = 0xe9;
  *(ULONG *)(place + 1) = (ULONG)target - (ULONG)(place + 5);
}

// What hooking libraries do: a jump over the first whole instructions, and a copy of those, followed by a jump to the rest.
static void Hooks(void) {
  UCHAR *routine = IMPORTED(IoGetCurrentProcess);
  PVOID process = IoGetCurrentProcess();
  Check("a routine can be patched while it runs", routine[0] == 0x8b && routine[1] == 0xff && routine[2] == 0x55 &&
                                                      routine[3] == 0x8b && routine[4] == 0xec);
  UCHAR *copy = ExAllocatePoolWithTag(NonPagedPool, 32, 'kooH');
  UCHAR saved[13];
  for (ULONG index = 0; index < sizeof saved; index++) saved[index] = copy[index] = routine[index];
  JumpFrom(copy + 5, routine + 5);
  trueCurrentProcess = (PVOID)copy;
  ULONG control = DropWriteProtection();
  JumpFrom(routine, HookedCurrentProcess);
  RestoreWriteProtection(control);
  Check("a jump over its code is taken, and a copy of the code goes on", IoGetCurrentProcess() == process && asked == 1);

  // The same by another address of the page, with a longer jump: mov eax,target; jmp eax.
  MDL *mdl = IoAllocateMdl(routine, sizeof saved, FALSE, FALSE, NULL);
  MmBuildMdlForNonPagedPool(mdl);
  UCHAR *mapped = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE, 0);
  for (ULONG index = 0; index < sizeof saved; index++) copy[index] = saved[index];
  JumpFrom(copy + sizeof saved, routine + sizeof saved);
  mapped[0] = 0xb8, *(ULONG *)(mapped + 1) = (ULONG)HookedCurrentProcess, mapped[5] = 0xff, mapped[6] = 0xe0;
  Check("so is a longer one, written by another address", IoGetCurrentProcess() == process && asked == 2);
  for (ULONG index = 0; index < sizeof saved; index++) mapped[index] = saved[index];
  MmUnmapLockedPages(mapped, mdl);
  IoFreeMdl(mdl);
  Check("a hook that is taken away is called no more", IoGetCurrentProcess() == process && asked == 2);
  ExFreePoolWithTag(copy, 'kooH');
}

// MARK: Code

static const UCHAR constant[4] = {1, 2, 3, 4};

static void ChangesItself(void) {
  UCHAR *code = ExAllocatePoolWithTag(NonPagedPool, 16, 'edoC');
  // mov eax,imm32; ret
  code[0] = 0xb8, *(ULONG *)(code + 1) = 1, code[5] = 0xc3;
  ULONG sum = ((ULONG(*)(void))code)();
  *(ULONG *)(code + 1) = 2;
  sum += ((ULONG(*)(void))code)();
  ExFreePoolWithTag(code, 'edoC');
  Check("code in pool runs, as it was last written", sum == 3);
  ULONG control = DropWriteProtection();
  *(volatile UCHAR *)constant = 9;
  RestoreWriteProtection(control);
  Check("without write protection a constant can change", *(volatile UCHAR *)constant == 9);
}

// Visual C++ calls this where a function's locals take more than a page: it touches the pages one after the other.
__attribute__((naked)) void _chkstk(void) {
  __asm__("push %ecx\n lea 8(%esp), %ecx\n"
          "1: cmp $0x1000, %eax\n jb 2f\n sub $0x1000, %ecx\n testl %eax, (%ecx)\n sub $0x1000, %eax\n jmp 1b\n"
          "2: sub %eax, %ecx\n testl %eax, (%ecx)\n mov %esp, %eax\n mov %ecx, %esp\n mov (%eax), %ecx\n"
          "mov 4(%eax), %eax\n push %eax\n ret");
}

static __declspec(noinline) ULONG Large(ULONG seed) {
  volatile UCHAR bytes[0x1800];
  for (ULONG index = 0; index < sizeof bytes; index++) bytes[index] = (UCHAR)(seed + index);
  return bytes[0] + bytes[sizeof bytes - 1];
}

// What a C++ compiler leaves between two markers, for the start-up code to call.
static ULONG constructed;
static void __cdecl ConstructOne(void) { constructed += 1; }
static void __cdecl ConstructTwo(void) { constructed += 2; }
typedef void(__cdecl *CONSTRUCTOR)(void);
#pragma section(".CRT$XCA", read)
#pragma section(".CRT$XCU", read)
#pragma section(".CRT$XCZ", read)
__declspec(allocate(".CRT$XCA")) CONSTRUCTOR firstConstructor = NULL;
__declspec(allocate(".CRT$XCU")) CONSTRUCTOR constructors[] = {ConstructOne, ConstructTwo};
__declspec(allocate(".CRT$XCZ")) CONSTRUCTOR lastConstructor = NULL;

static void Construct(void) {
  for (CONSTRUCTOR volatile *next = &firstConstructor + 1; next < &lastConstructor; next++)
    if (*next) (*next)();
  Check("constructors are called", constructed == 3 && constructors[0] == ConstructOne);
}

// MARK: The thread

static KEVENT stop, stopped;
static volatile ULONG rounds;

static void NTAPI Loop(PVOID context) {
  long long tenMilliseconds = -100000, now = 0;
  do {
    rounds++;
    KeDelayExecutionThread(0, FALSE, &tenMilliseconds);
  } while (KeWaitForSingleObject(&stop, 0, 0, FALSE, &now) != STATUS_SUCCESS);
  KeSetEvent(&stopped, 0, FALSE);
  PsTerminateSystemThread(STATUS_SUCCESS);
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  KeSetEvent(&stop, 0, FALSE);
  KeWaitForSingleObject(&stopped, 0, 0, FALSE, NULL);
  DbgPrint("the thread went round %s\n", rounds > 0 ? "until it was told to stop" : "NEVER");
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  Identify();
  Arithmetic();
  Tables();
  OwnInterrupt();
  Kernel(driver);
  Services();
  Hooks();
  ChangesItself();
  Check("large locals have a stack to be on", Large(1) == (UCHAR)1 + (UCHAR)(0x1800));
  Construct();
  KeInitializeEvent(&stop, 0, FALSE);
  KeInitializeEvent(&stopped, 0, FALSE);
  PVOID thread;
  NTSTATUS status = PsCreateSystemThread(&thread, 0, NULL, NULL, NULL, Loop, NULL);
  if (!NT_SUCCESS(status)) return status;
  ZwClose(thread);
  driver->DriverUnload = Unload;
  return failures == 0 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
