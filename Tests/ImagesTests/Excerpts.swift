/// The two excerpts as the document prints them, blank lines and spacing included.
enum Excerpts {
  static let fltMgr = """
    f84cc355 ff15b4df4cf8    call dword ptr [fltMgr!_imp__IoThreadToProcess (f84cdfb4)]

    f84cc35b 50        push eax

    f84cc35c ff36        push dword ptr [esi]

    f84cc35e ff1568df4cf8    call dword ptr [fltMgr!_imp__MmProbeAndLockProcessPages (f84cdf68)]

    f84cc364 834dfcff    or dword ptr [ebp-4],0FFFFFFFFh

    f84cc368 807de700    cmp byte ptr [ebp-19h],0

    """
  static let nt = """
    8059c5d8 e85bb0f5ff        call nt!KeStackAttachProcess (804f7638)

    8059c5dd c745e401000000    mov dword ptr [ebp-1Ch],1

    8059c5e4 8975fc        mov dword ptr [ebp-4],esi

    8059c5e7 ff7514            push dword ptr [ebp+14h]

    8059c5ea ff7510            push dword ptr [ebp+10h]

    8059c5ed ff7508            push dword ptr [ebp+8]

    8059c5f0 e8c19bf6ff        call nt!MmProbeAndLockPages (805061b6)

    """
  static let whole = """
    .image sample f8a10000 00003000
    .import f8a12000 nt!IoFreeMdl
    .export Start f8a10010
    .routine f8a10100 Helper
    ; ours
    .reconstructed
    sample!Start:
    f8a10010 56              push    esi
    f8a10011 e8ea000000      call    sample!Helper (f8a10100)
    f8a10016 ff150020a1f8    call    dword ptr [sample!_imp__IoFreeMdl (f8a12000)]
    .traced
    f8a1001c 741a            je      sample!Start+0x28 (f8a10038)
    sample!Start+0x28:
    f8a10038 c3              ret
    sample!Table:
    .data f8a11000 ff ff ff ff
    .data f8a11800 writable 00112233

    """
}
