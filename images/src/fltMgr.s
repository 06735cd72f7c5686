# FltLockUserBuffer around the six documented instructions at f84cc355.
#
#! .image fltMgr f84c0000 0000f000
#! .import f84cdf54 nt!IoAllocateMdl
#! .import f84cdf58 nt!IoFreeMdl
#! .import f84cdf5c nt!MmBuildMdlForNonPagedPool
#! .import f84cdf60 nt!_except_handler3
#! .import f84cdf68 nt!MmProbeAndLockProcessPages
#! .import f84cdfb4 nt!IoThreadToProcess
#! .routine f84cc4a0 FltDecodeParameters
#! .export FltDecodeParameters
#! .export FltLockUserBuffer
  .intel_syntax noprefix
  .include "seh.inc"

# NTSTATUS FltLockUserBuffer(PFLT_CALLBACK_DATA CallbackData)
#
# esi  the operation's MdlAddress field: deduced from the documented `push dword ptr [esi]`, which passes the MDL itself
# edi  CallbackData    ebx  0
# [ebp-19h]  BOOLEAN, the MDL was allocated here: deduced from the documented `cmp byte ptr [ebp-19h],0`
# [ebp-20h]  the address of the operation's buffer field     [ebp-24h]  the address of its length field
# [ebp-28h]  the access that the operation implies           [ebp-2Ch]  the address of its MDL field
# [ebp-30h]  the exception's code, while it is handled
  .section .at_f84cc2da,"ax"
  .globl FltLockUserBuffer
FltLockUserBuffer:
  push 0x20                     # [ebp-30h] to [ebp-11h]
  push_address FltLockUserBufferScopes
  call _SEH_prolog
  xor ebx,ebx
  mov byte ptr [ebp-0x19],bl
  mov edi,dword ptr [ebp+8]
  lea eax,[ebp-0x28]
  push eax
  lea eax,[ebp-0x24]
  push eax
  lea eax,[ebp-0x20]
  push eax
  lea eax,[ebp-0x2c]
  push eax
  push edi
  call FltDecodeParameters      # deduced from esi: its contract is to give the address of the MDL field
  test eax,eax
  jl .Lreturn
  mov esi,dword ptr [ebp-0x2c]
  test esi,esi
  je .Linvalid                  # the operation has no MDL field
  mov ecx,dword ptr [edi+8]     # Iopb
  mov al,byte ptr [ecx+4]       # MajorFunction
  sub al,3
  cmp al,1                      # IRP_MJ_READ or IRP_MJ_WRITE
  ja .Lexamine
  test byte ptr [ecx+5],2       # IRP_MN_MDL: the MDL will be the file system's
  jne .Linvalid
  jmp .Lexamine                 # refusals are out of the way, behind the documented lines
.Lallocate:
  push ebx                      # Irp
  push ebx                      # ChargeQuota
  push ebx                      # SecondaryBuffer
  push dword ptr [ecx]          # Length
  push eax                      # VirtualAddress
  call dword ptr [_imp__IoAllocateMdl]
  mov dword ptr [esi],eax       # deduced from the documented push: the field holds the MDL when it is locked
  test eax,eax
  je .Lout_of_resources
  mov byte ptr [ebp-0x19],1
  test byte ptr [edi],8         # FLTFL_CALLBACK_DATA_SYSTEM_BUFFER
  jne .Lsystem_buffer
  and dword ptr [ebp-4],0       # deduced from the documented store of -1: a guarded block ends there, so it begins before
  push dword ptr [ebp-0x28]     # Operation: deduced from the arguments of MmProbeAndLockProcessPages, pushed right to left
  movzx eax,byte ptr [edi+0x28] # RequestorMode
  push eax                      # ProbeMode
  push dword ptr [edi+4]        # Thread, the one argument of IoThreadToProcess: the two others wait on the stack
traced_f84cc355:
  .fill 19,1,0xcc
.Lunguarded:                    # the documented cmp: an MDL that was there, or a system buffer's, is tested here as well
  .fill 4,1,0xcc
  je .Lsucceed                  # deduced from the cmp: what was not changed need not be marked
  test dword ptr [edi],0x80000  # FLTFL_CALLBACK_DATA_POST_OPERATION
  jne .Lsucceed
  or dword ptr [edi],0x80000000 # FLTFL_CALLBACK_DATA_DIRTY: the contract says that an MDL made before the operation marks it
.Lsucceed:
  xor eax,eax
.Lreturn:
  call _SEH_epilog
  ret 4

.Lexamine:
  cmp dword ptr [esi],ebx
  jne .Lunguarded               # locked already
  mov eax,dword ptr [ebp-0x20]
  mov ecx,dword ptr [ebp-0x24]
  test eax,eax
  je .Linvalid
  test ecx,ecx
  je .Linvalid
  mov eax,dword ptr [eax]
  test eax,eax
  je .Linvalid
  cmp dword ptr [ecx],ebx
  je .Linvalid
  jmp .Lallocate
.Lout_of_resources:
  mov eax,0xc000009a            # STATUS_INSUFFICIENT_RESOURCES
  jmp .Lreturn
.Lsystem_buffer:
  push eax                      # the MDL; such a buffer is non-paged, nothing needs a lock
  call dword ptr [_imp__MmBuildMdlForNonPagedPool]
  jmp .Lunguarded
.Linvalid:
  mov eax,0xc000000d            # STATUS_INVALID_PARAMETER
  jmp .Lreturn

FltLockUserBufferFilter:
  filter_noting_code 0x30
FltLockUserBufferHandler:
  mov esp,dword ptr [ebp-0x18]
  mov esi,dword ptr [ebp-0x2c]  # an unwind keeps ebp alone
  push dword ptr [esi]
  call dword ptr [_imp__IoFreeMdl]
  and dword ptr [esi],0
  or dword ptr [ebp-4],0xffffffff
  mov eax,dword ptr [ebp-0x30]
  jmp .Lreturn

  .section .at_f84cc4c0,"ax"
  seh_helpers _except_handler3

  .globl _except_handler3
_except_handler3:
  jmp dword ptr [_imp___except_handler3]

  .section .at_f84cd0a0,"a"
FltLockUserBufferScopes:
  .long 0xffffffff, FltLockUserBufferFilter, FltLockUserBufferHandler
