# Routines that do one thing each, for fixtures and tests to call.
#
#! .image exercise f8a20000 00004000
#! .import f8a22000 nt!MmMapLockedPagesSpecifyCache
#! .import f8a22004 nt!MmProbeAndLockPages
#! .import f8a22008 nt!KeStackAttachProcess
#! .import f8a2200c nt!DbgPrint
#! .import f8a22010 nt!_except_handler3
#! .export BuildMdlByHand
#! .export MapAndStore
#! .export LockTwice
#! .export StoreByte
#! .export LoadByte
#! .export GuardedLoad
#! .export GuardedCall
#! .export AttachAndReturn
#! .export DivideByZero
#! .export GuardedDivide
#! .export Spin
#! .export RunOffStack
#! .export JumpToNowhere
#! .export InvalidInstruction
#! .export ReadTsc
#! .export PrintMessage
#! .export NestedTries
#! .export ContinueExecution
  .intel_syntax noprefix
  .include "seh.inc"

.macro routine name
  .globl \name
  .balign 16, 0xcc
\name:
.endm
.macro enter_frame
  mov edi,edi
  push ebp
  mov ebp,esp
.endm

  .section .at_f8a20400,"ax"
# void BuildMdlByHand(PMDL Mdl, PVOID Va, ULONG ByteCount, PPFN_NUMBER PfnArray, PEPROCESS Process)
# What MmInitializeMdl does, and then what nobody but the memory manager should do.
  routine BuildMdlByHand
  enter_frame
  push esi
  push edi
  mov edi,dword ptr [ebp+8]
  mov eax,dword ptr [ebp+0xc]
  mov ecx,eax
  and ecx,0xfff
  and eax,0xfffff000
  mov dword ptr [edi],0         # Next
  mov dword ptr [edi+0x10],eax  # StartVa
  mov dword ptr [edi+0x18],ecx  # ByteOffset
  mov eax,dword ptr [ebp+0x10]
  mov dword ptr [edi+0x14],eax  # ByteCount
  lea ecx,[ecx+eax+0xfff]
  shr ecx,0xc                   # the pages that the buffer spans
  lea eax,[ecx*4+0x1c]
  mov word ptr [edi+4],ax       # Size
  mov word ptr [edi+6],2        # MDL_PAGES_LOCKED, though nothing is locked
  mov eax,dword ptr [ebp+0x18]
  mov dword ptr [edi+8],eax     # Process
  mov esi,dword ptr [ebp+0x14]
  add edi,0x1c
  cld
  rep movsd
  pop edi
  pop esi
  pop ebp
  ret 0x14

# PVOID MapAndStore(PMDL Mdl, ULONG Value)
  routine MapAndStore
  enter_frame
  push 0x10                     # NormalPagePriority
  push 0                        # BugCheckOnFailure
  push 0                        # RequestedAddress
  push 1                        # MmCached
  push 0                        # KernelMode
  push dword ptr [ebp+8]
  call dword ptr [_imp__MmMapLockedPagesSpecifyCache]
  test eax,eax
  je .Lnot_mapped
  mov ecx,dword ptr [ebp+0xc]
  mov dword ptr [eax],ecx
.Lnot_mapped:
  pop ebp
  ret 8

# void LockTwice(PMDL Mdl, LOCK_OPERATION Operation)
  routine LockTwice
  enter_frame
  push dword ptr [ebp+0xc]
  push 1                        # UserMode
  push dword ptr [ebp+8]
  call dword ptr [_imp__MmProbeAndLockPages]
  push dword ptr [ebp+0xc]
  push 1
  push dword ptr [ebp+8]
  call dword ptr [_imp__MmProbeAndLockPages]
  pop ebp
  ret 8

# void StoreByte(PUCHAR Address, UCHAR Value)
  routine StoreByte
  enter_frame
  mov eax,dword ptr [ebp+8]
  mov cl,byte ptr [ebp+0xc]
  mov byte ptr [eax],cl
  pop ebp
  ret 8

# UCHAR LoadByte(PUCHAR Address)
  routine LoadByte
  enter_frame
  mov eax,dword ptr [ebp+8]
  movzx eax,byte ptr [eax]
  pop ebp
  ret 4

# NTSTATUS GuardedLoad(PULONG Address, PULONG Value)
# [ebp-1Ch]  the exception's code, here and in the next three
  routine GuardedLoad
  push 0xc
  push_address GuardedLoadScopes
  call _SEH_prolog
  and dword ptr [ebp-4],0
  mov eax,dword ptr [ebp+8]
  mov eax,dword ptr [eax]
  mov ecx,dword ptr [ebp+0xc]
  mov dword ptr [ecx],eax
  or dword ptr [ebp-4],0xffffffff
  xor eax,eax
.Lguarded_load_return:
  call _SEH_epilog
  ret 8
GuardedLoadHandler:
  mov esp,dword ptr [ebp-0x18]
  or dword ptr [ebp-4],0xffffffff
  mov eax,dword ptr [ebp-0x1c]
  jmp .Lguarded_load_return

# NTSTATUS GuardedCall(NTSTATUS (*Routine)(PVOID), PVOID Argument)
# What the routine returns, or the code of the exception that it raises.
  routine GuardedCall
  push 0xc
  push_address GuardedCallScopes
  call _SEH_prolog
  and dword ptr [ebp-4],0
  push dword ptr [ebp+0xc]
  call dword ptr [ebp+8]
  mov esp,dword ptr [ebp-0x18]  # whatever number of arguments the routine pops
  or dword ptr [ebp-4],0xffffffff
.Lguarded_call_return:
  call _SEH_epilog
  ret 8
GuardedCallHandler:
  mov esp,dword ptr [ebp-0x18]
  or dword ptr [ebp-4],0xffffffff
  mov eax,dword ptr [ebp-0x1c]
  jmp .Lguarded_call_return

# void AttachAndReturn(PEPROCESS Process, PKAPC_STATE State)
# Returns attached: whoever calls it has another address space afterwards.
  routine AttachAndReturn
  enter_frame
  push dword ptr [ebp+0xc]
  push dword ptr [ebp+8]
  call dword ptr [_imp__KeStackAttachProcess]
  pop ebp
  ret 8

# ULONG DivideByZero(void)
  routine DivideByZero
  mov eax,1
  xor edx,edx
  xor ecx,ecx
  div ecx
  ret

# NTSTATUS GuardedDivide(void)
  routine GuardedDivide
  push 0xc
  push_address GuardedDivideScopes
  call _SEH_prolog
  and dword ptr [ebp-4],0
  call DivideByZero
  or dword ptr [ebp-4],0xffffffff
  xor eax,eax
.Lguarded_divide_return:
  call _SEH_epilog
  ret
GuardedDivideHandler:
  mov esp,dword ptr [ebp-0x18]
  or dword ptr [ebp-4],0xffffffff
  mov eax,dword ptr [ebp-0x1c]
  jmp .Lguarded_divide_return

# The three above differ in what they guard, not in how.
GuardedFilter:
  filter_noting_code 0x1c

# void Spin(void)
  routine Spin
  jmp Spin

# void RunOffStack(void)
  routine RunOffStack
  push eax
  jmp RunOffStack

# void JumpToNowhere(void)
  routine JumpToNowhere
  xor eax,eax
  jmp eax

# void InvalidInstruction(void)
  routine InvalidInstruction
  ud2
  ret

# ULONGLONG ReadTsc(void)
  routine ReadTsc
  rdtsc
  ret

# ULONG PrintMessage(PCSTR Format, ULONG_PTR a, ULONG_PTR b)
  routine PrintMessage
  enter_frame
  push dword ptr [ebp+0x10]
  push dword ptr [ebp+0xc]
  push dword ptr [ebp+8]
  call dword ptr [_imp__DbgPrint]
  add esp,0xc                   # cdecl
  pop ebp
  ret 0xc

# NTSTATUS NestedTries(PULONG Address, PUCHAR *Log)
# __try { __try { __try { *Address } __finally { i } } __finally { o } } __except (f, EXCEPTION_EXECUTE_HANDLER) { h }
# Each letter is stored at *Log, which moves on: "io" where Address can be read, "fioh" where it cannot.
  routine NestedTries
  push 0xc
  push_address NestedTriesScopes
  call _SEH_prolog
  mov dword ptr [ebp-4],0
  mov dword ptr [ebp-4],1
  mov dword ptr [ebp-4],2
  mov eax,dword ptr [ebp+8]
  mov eax,dword ptr [eax]
  mov dword ptr [ebp-4],1
  call NestedTriesInner
  mov dword ptr [ebp-4],0
  call NestedTriesOuter
  or dword ptr [ebp-4],0xffffffff
  xor eax,eax
.Lnested_return:
  call _SEH_epilog
  ret 8
NestedTriesInner:
  mov al,'i'
  jmp NestedTriesAppend
NestedTriesOuter:
  mov al,'o'
NestedTriesAppend:              # al, through the frame's argument; ebp is the frame's in filter, finally and handler alike
  mov ecx,dword ptr [ebp+0xc]
  mov edx,dword ptr [ecx]
  mov byte ptr [edx],al
  inc dword ptr [ecx]
  ret
NestedTriesFilter:
  mov al,'f'
  call NestedTriesAppend
  filter_noting_code 0x1c
NestedTriesHandler:
  mov esp,dword ptr [ebp-0x18]
  mov al,'h'
  call NestedTriesAppend
  or dword ptr [ebp-4],0xffffffff
  mov eax,dword ptr [ebp-0x1c]
  jmp .Lnested_return

# ULONG ContinueExecution(PULONG Address)
# *Address, or 600Dh where that cannot be read: the filter points ecx at [ebp-1Ch] and has the load run again.
  routine ContinueExecution
  push 0xc
  push_address ContinueExecutionScopes
  call _SEH_prolog
  mov dword ptr [ebp-0x1c],0x600d
  and dword ptr [ebp-4],0
  mov ecx,dword ptr [ebp+8]
  mov eax,dword ptr [ecx]
  or dword ptr [ebp-4],0xffffffff
  call _SEH_epilog
  ret 4
ContinueExecutionFilter:
  mov eax,dword ptr [ebp-0x14]
  mov eax,dword ptr [eax+4]     # ContextRecord
  lea ecx,[ebp-0x1c]
  mov dword ptr [eax+0xac],ecx  # Ecx
  or eax,0xffffffff             # EXCEPTION_CONTINUE_EXECUTION
  ret
ContinueExecutionHandler:       # never runs, because the filter never says so
  int3

  .balign 16, 0xcc
  seh_helpers _except_handler3

  .globl _except_handler3
_except_handler3:
  jmp dword ptr [_imp___except_handler3]

  .section .at_f8a21000,"a"
GuardedLoadScopes:
  .long 0xffffffff, GuardedFilter, GuardedLoadHandler
GuardedCallScopes:
  .long 0xffffffff, GuardedFilter, GuardedCallHandler
GuardedDivideScopes:
  .long 0xffffffff, GuardedFilter, GuardedDivideHandler
NestedTriesScopes:
  .long 0xffffffff, NestedTriesFilter, NestedTriesHandler
  .long 0, 0, NestedTriesOuter
  .long 1, 0, NestedTriesInner
ContinueExecutionScopes:
  .long 0xffffffff, ContinueExecutionFilter, ContinueExecutionHandler
