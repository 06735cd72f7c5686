# A legacy filter of our own. It locks a buffer in whatever process is current, as such filters did: right in the requestor's
# context, wrong in any other. LegacyLockInProcess is what they did about it.
#
#! .image legacy f8a10000 00003000
#! .import f8a12000 nt!IoAllocateMdl
#! .import f8a12004 nt!IoFreeMdl
#! .import f8a12008 nt!MmProbeAndLockPages
#! .import f8a1200c nt!MmUnlockPages
#! .import f8a12010 nt!KeStackAttachProcess
#! .import f8a12014 nt!KeUnstackDetachProcess
#! .import f8a12018 nt!_except_handler3
#! .export LegacyLock
#! .export LegacyLockUnguarded
#! .export LegacyUnlock
#! .export LegacyLockInProcess
  .intel_syntax noprefix
  .include "seh.inc"

  .section .at_f8a10400,"ax"
# NTSTATUS LegacyLock(PVOID Buffer, ULONG Length, LOCK_OPERATION Operation, PMDL *MdlOut)
# [ebp-1Ch]  the MDL    [ebp-20h]  the exception's code
  .globl LegacyLock
LegacyLock:
  push 0x10
  push_address LegacyLockScopes
  call _SEH_prolog
  push 0                        # Irp
  push 0                        # ChargeQuota
  push 0                        # SecondaryBuffer
  push dword ptr [ebp+0xc]
  push dword ptr [ebp+8]
  call dword ptr [_imp__IoAllocateMdl]
  mov dword ptr [ebp-0x1c],eax
  test eax,eax
  jne .Lallocated
  mov eax,0xc000009a            # STATUS_INSUFFICIENT_RESOURCES
  jmp .Lreturn
.Lallocated:
  and dword ptr [ebp-4],0
  push dword ptr [ebp+0x10]     # Operation
  push 1                        # UserMode
  push eax
  call dword ptr [_imp__MmProbeAndLockPages]
  or dword ptr [ebp-4],0xffffffff
  mov eax,dword ptr [ebp+0x14]
  mov ecx,dword ptr [ebp-0x1c]
  mov dword ptr [eax],ecx
  xor eax,eax
.Lreturn:
  call _SEH_epilog
  ret 0x10
LegacyLockFilter:
  filter_noting_code 0x20
LegacyLockHandler:
  mov esp,dword ptr [ebp-0x18]
  push dword ptr [ebp-0x1c]
  call dword ptr [_imp__IoFreeMdl]
  or dword ptr [ebp-4],0xffffffff
  mov eax,dword ptr [ebp-0x20]
  jmp .Lreturn

# NTSTATUS LegacyLockUnguarded(PVOID Buffer, ULONG Length, LOCK_OPERATION Operation, PMDL *MdlOut)
# Forgets that MmProbeAndLockPages raises.
  .globl LegacyLockUnguarded
LegacyLockUnguarded:
  mov edi,edi
  push ebp
  mov ebp,esp
  push esi
  push 0
  push 0
  push 0
  push dword ptr [ebp+0xc]
  push dword ptr [ebp+8]
  call dword ptr [_imp__IoAllocateMdl]
  mov esi,eax
  test esi,esi
  mov eax,0xc000009a            # STATUS_INSUFFICIENT_RESOURCES
  je .Lno_mdl
  push dword ptr [ebp+0x10]
  push 1                        # UserMode
  push esi
  call dword ptr [_imp__MmProbeAndLockPages]
  mov eax,dword ptr [ebp+0x14]
  mov dword ptr [eax],esi
  xor eax,eax
.Lno_mdl:
  pop esi
  pop ebp
  ret 0x10

# void LegacyUnlock(PMDL Mdl)
  .globl LegacyUnlock
LegacyUnlock:
  mov edi,edi
  push ebp
  mov ebp,esp
  push dword ptr [ebp+8]
  call dword ptr [_imp__MmUnlockPages]
  push dword ptr [ebp+8]
  call dword ptr [_imp__IoFreeMdl]
  pop ebp
  ret 4

# NTSTATUS LegacyLockInProcess(PVOID Buffer, ULONG Length, LOCK_OPERATION Operation, PMDL *MdlOut, PEPROCESS Process)
# [ebp-18h]  KAPC_STATE. LegacyLock raises nothing, so the detach needs no finally block.
  .globl LegacyLockInProcess
LegacyLockInProcess:
  mov edi,edi
  push ebp
  mov ebp,esp
  sub esp,0x18
  push esi
  lea eax,[ebp-0x18]
  push eax
  push dword ptr [ebp+0x18]
  call dword ptr [_imp__KeStackAttachProcess]
  push dword ptr [ebp+0x14]
  push dword ptr [ebp+0x10]
  push dword ptr [ebp+0xc]
  push dword ptr [ebp+8]
  call LegacyLock
  mov esi,eax
  lea eax,[ebp-0x18]
  push eax
  call dword ptr [_imp__KeUnstackDetachProcess]
  mov eax,esi
  pop esi
  leave
  ret 0x14

  seh_helpers _except_handler3

  .globl _except_handler3
_except_handler3:
  jmp dword ptr [_imp___except_handler3]

  .section .at_f8a11000,"a"
LegacyLockScopes:
  .long 0xffffffff, LegacyLockFilter, LegacyLockHandler
