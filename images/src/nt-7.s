# nt.s for Windows 7, whose KTHREAD has ApcState 0Ch further on: no instruction of it is documented for that version.
#
#! .image nt 804d7000 001f8580
#! .routine 804f7638 KeStackAttachProcess
#! .routine 804f7740 KeUnstackDetachProcess
#! .routine 805061b6 MmProbeAndLockPages
#! .routine 804f7a60 _except_handler3
#! .export KeStackAttachProcess
#! .export KeUnstackDetachProcess
#! .export MmProbeAndLockPages
#! .export MmProbeAndLockProcessPages
#! .export _except_handler3
  .intel_syntax noprefix
  .include "seh.inc"

# void MmProbeAndLockProcessPages(PMDL Mdl, PEPROCESS Process, KPROCESSOR_MODE ProbeMode, LOCK_OPERATION Operation)
#
# The documented pushes of [ebp+14h], [ebp+10h] and [ebp+8] are the arguments of MmProbeAndLockPages, right to left; so the
# one that is left out, [ebp+0Ch], is the process.
#
# esi  0: deduced from the documented `mov dword ptr [ebp-4],esi`, which enters the first guarded block
# [ebp-1Ch]  whether the process was attached to: deduced from the documented store of 1 after the attach
# [ebp-34h]  KAPC_STATE: 18h bytes fit exactly below [ebp-1Ch]
  .section .at_8059c5b2,"ax"
  .globl MmProbeAndLockProcessPages
MmProbeAndLockProcessPages:
  push 0x24                     # [ebp-34h] to [ebp-11h]
  push_address MmProbeAndLockProcessPagesScopes
  call _SEH_prolog
  xor esi,esi
  mov dword ptr [ebp-0x1c],esi
  mov eax,dword ptr fs:[0x124]  # the current thread
  mov eax,dword ptr [eax+0x50]  # ApcState.Process: whose address space is current
  cmp eax,dword ptr [ebp+0xc]
  je .Lattached                 # deduced from the flag: it would be pointless if every call attached
  lea eax,[ebp-0x34]
  push eax                      # ApcState
  push dword ptr [ebp+0xc]      # Process
  call KeStackAttachProcess
  mov dword ptr [ebp-0x1c],1
.Lattached:
  mov dword ptr [ebp-4],esi
  push dword ptr [ebp+0x14]     # Operation
  push dword ptr [ebp+0x10]     # ProbeMode
  push dword ptr [ebp+8]        # Mdl
  call MmProbeAndLockPages
  or dword ptr [ebp-4],0xffffffff
  call MmProbeAndLockProcessPagesFinally
  call _SEH_epilog
  ret 0x10

# A finally block: deduced from the try level, which is entered after the attach and so guards what must be undone.
MmProbeAndLockProcessPagesFinally:
  cmp dword ptr [ebp-0x1c],0
  je .Lnot_attached
  lea eax,[ebp-0x34]
  push eax
  call KeUnstackDetachProcess
.Lnot_attached:
  ret

  .section .at_804f7aa0,"ax"
  seh_helpers _except_handler3

  .section .at_804d9b30,"a"
MmProbeAndLockProcessPagesScopes:
  .long 0xffffffff, 0, MmProbeAndLockProcessPagesFinally
