import Disassembly
import Guest
import Testing

/// Lines as WinDbg prints them; the first two columns say where and which bytes.
private let lines = """
  f84cc355 ff15b4df4cf8    call    dword ptr [fltMgr!_imp__IoThreadToProcess (f84cdfb4)]
  f84cc35b 50              push    eax
  f84cc35c ff36            push    dword ptr [esi]
  f84cc35e ff1568df4cf8    call    dword ptr [fltMgr!_imp__MmProbeAndLockProcessPages (f84cdf68)]
  f84cc364 834dfcff        or      dword ptr [ebp-4],0FFFFFFFFh
  f84cc368 807de700        cmp     byte ptr [ebp-19h],0
  8059c5d8 e85bb0f5ff      call    nt!KeStackAttachProcess (804f7638)
  8059c5dd c745e401000000  mov     dword ptr [ebp-1Ch],1
  8059c5e4 8975fc          mov     dword ptr [ebp-4],esi
  8059c5e7 ff7514          push    dword ptr [ebp+14h]
  8059c5ea ff7510          push    dword ptr [ebp+10h]
  8059c5ed ff7508          push    dword ptr [ebp+8]
  8059c5f0 e8c19bf6ff      call    nt!MmProbeAndLockPages (805061b6)
  f84cc36c 74f2            je      fltMgr!FltLockUserBuffer+0x86 (f84cc360)
  f84cc36c 68a0d04cf8      push    offset fltMgr!ScopeTable (f84cd0a0)
  00421000 e82f020000      call    00421234
  00421000 64a124010000    mov     eax,dword ptr fs:[00000124h]
  00421000 a100005000      mov     eax,dword ptr ds:[00500000h]
  00421000 648b0d00000000  mov     ecx,dword ptr fs:[00000000h]
  00421000 64892500000000  mov     dword ptr fs:[00000000h],esp
  00421000 8b4044          mov     eax,dword ptr [eax+44h]
  00421000 8bff            mov     edi,edi
  00421000 55              push    ebp
  00421000 8bec            mov     ebp,esp
  00421000 83ec0c          sub     esp,0Ch
  00421000 83e4f8          and     esp,0FFFFFFF8h
  00421000 8365fc00        and     dword ptr [ebp-4],0
  00421000 83f8ff          cmp     eax,0FFFFFFFFh
  00421000 6aff            push    0FFFFFFFFh
  00421000 6a0a            push    0Ah
  00421000 b89a0000c0      mov     eax,0C000009Ah
  00421000 8d45cc          lea     eax,[ebp-34h]
  00421000 8da42400000000  lea     esp,[esp]
  00421000 c3              ret
  00421000 c21000          ret     10h
  00421000 ca0800          retf    8
  00421000 c9              leave
  00421000 c8080000        enter   8,0
  00421000 cc              int     3
  00421000 cd2e            int     2Eh
  00421000 90              nop
  00421000 0f1f4000        nop     dword ptr [eax]
  00421000 f390            pause
  00421000 740e            je      00421010
  00421000 750e            jne     00421010
  00421000 720e            jb      00421010
  00421000 730e            jae     00421010
  00421000 760e            jbe     00421010
  00421000 770e            ja      00421010
  00421000 7c0e            jl      00421010
  00421000 7d0e            jge     00421010
  00421000 7e0e            jle     00421010
  00421000 7f0e            jg      00421010
  00421000 780e            js      00421010
  00421000 e30e            jecxz   00421010
  00421000 ebfe            jmp     00421000
  00421000 0f8400010000    je      00421106
  00421000 ffe0            jmp     eax
  00421000 ff248500204200  jmp     dword ptr [eax*4+422000h]
  00421000 8b0485c0b25580  mov     eax,dword ptr nt!KiServiceTable (8055b2c0)[eax*4]
  00421000 0f94c0          sete    al
  00421000 0f97c1          seta    cl
  00421000 0f44c1          cmove   eax,ecx
  00421000 0f43c1          cmovae  eax,ecx
  00421000 f3a5            rep movs dword ptr es:[edi],dword ptr [esi]
  00421000 f3ab            rep stos dword ptr es:[edi]
  00421000 ab              stos    dword ptr es:[edi]
  00421000 a4              movs    byte ptr es:[edi],byte ptr [esi]
  00421000 ad              lods    dword ptr [esi]
  00421000 f3a6            repe cmps byte ptr [esi],byte ptr es:[edi]
  00421000 f2ae            repne scas byte ptr es:[edi]
  00421000 6d              ins     dword ptr es:[edi],dx
  00421000 6e              outs    dx,byte ptr [esi]
  00421000 ec              in      al,dx
  00421000 e571            in      eax,71h
  00421000 ee              out     dx,al
  00421000 e680            out     80h,al
  00421000 91              xchg    eax,ecx
  00421000 8706            xchg    eax,dword ptr [esi]
  00421000 0fb64508        movzx   eax,byte ptr [ebp+8]
  00421000 0fbf4508        movsx   eax,word ptr [ebp+8]
  00421000 f00fc101        lock xadd dword ptr [ecx],eax
  00421000 f00fb111        lock cmpxchg dword ptr [ecx],edx
  00421000 f00fc70e        lock cmpxchg8b qword ptr [esi]
  00421000 f0ff00          lock inc dword ptr [eax]
  00421000 85c0            test    eax,eax
  00421000 f6400605        test    byte ptr [eax+6],5
  00421000 6683780405      cmp     word ptr [eax+4],5
  00421000 d1e0            shl     eax,1
  00421000 d1f8            sar     eax,1
  00421000 c1e80c          shr     eax,0Ch
  00421000 d3e0            shl     eax,cl
  00421000 0facd00c        shrd    eax,edx,0Ch
  00421000 6bc928          imul    ecx,ecx,28h
  00421000 0faf4508        imul    eax,dword ptr [ebp+8]
  00421000 f7e9            imul    ecx
  00421000 f7f1            div     eax,ecx
  00421000 f7f9            idiv    eax,ecx
  00421000 f77508          div     eax,dword ptr [ebp+8]
  00421000 99              cdq
  00421000 60              pushad
  00421000 9c              pushfd
  00421000 0fa0            push    fs
  00421000 1e              push    ds
  00421000 8ed8            mov     ds,ax
  00421000 0f20d8          mov     eax,cr3
  00421000 0f22d8          mov     cr3,eax
  00421000 0f23f8          mov     dr7,eax
  00421000 0f01450c        sgdt    fword ptr [ebp+0Ch]
  00421000 ea1e271b753300  jmp     0033:751B271E
  00421000 ff2e            jmp     fword ptr [esi]
  00421000 6201            bound   eax,qword ptr [ecx]
  00421000 0fbaf10f        btr     ecx,0Fh
  00421000 268b07          mov     eax,dword ptr es:[edi]
  00421000 3e8b4500        mov     eax,dword ptr ds:[ebp]
  00421000 8b4c8810        mov     ecx,dword ptr [eax+ecx*4+10h]
  00421000 8d0440          lea     eax,[eax+eax*2]
  00421000 cf              iretd
  00421000 0f31            rdtsc
  00421000 0fa2            cpuid
  00421000 f4              hlt
  00421000 fa              cli
  00421000 0f0b            ud2
  00421000 d94508          fld     dword ptr [ebp+8]
  00421000 dd5df8          fstp    qword ptr [ebp-8]
  00421000 d9c0            fld     st(0)
  00421000 ddd8            fstp    st(0)
  00421000 d8c1            fadd    st,st(1)
  00421000 dec1            faddp   st(1),st
  00421000 d9c9            fxch    st(1)
  00421000 d97dfe          fnstcw  word ptr [ebp-2]
  00421000 dfe0            fnstsw  ax
  00421000 df6df8          fild    qword ptr [ebp-8]
  00421000 db2e            fld     tbyte ptr [esi]
  00421000 9b              wait
  00421000 0f6f00          movq    mm0,mmword ptr [eax]
  00421000 0f77            emms
  00421000 0f2800          movaps  xmm0,xmmword ptr [eax]
  00421000 f20f1000        movsd   xmm0,mmword ptr [eax]
  00421000 660fefc0        pxor    xmm0,xmm0
  00421000 0fae00          fxsave  [eax]
  00421000 0f18480c        prefetcht0 [eax+0Ch]
  00421000 f3c3            rep ret
  00421000 8d048500000000  lea     eax,[eax*4]
  00421000 0f0138          invlpg  [eax]
  00421000 66b80100        mov     ax,1
  00421000 6683c8ff        or      ax,0FFFFh
  00421000 c60080          mov     byte ptr [eax],80h
  00421000 d8d9            fcomp   st(1)
  00421000 dbe9            fucomi  st,st(1)
  00421000 f6f1            div     al,cl
  00421000 c407            les     eax,fword ptr [edi]
  00421000 8c00            mov     word ptr [eax],es
  00421000 64ff3500000000  push    dword ptr fs:[00000000h]
  00421000 a300005000      mov     dword ptr ds:[00500000h],eax
  00421000 0fa308          bt      dword ptr [eax],ecx
  00421000 d40a            aam     0Ah
  00421000 d7              xlat    byte ptr [ebx]
  """

private let names: [UInt64: String] = [
  0xf84c_dfb4: "fltMgr!_imp__IoThreadToProcess", 0xf84c_df68: "fltMgr!_imp__MmProbeAndLockProcessPages",
  0x804f_7638: "nt!KeStackAttachProcess", 0x8050_61b6: "nt!MmProbeAndLockPages",
  0xf84c_c360: "fltMgr!FltLockUserBuffer+0x86", 0xf84c_d0a0: "fltMgr!ScopeTable", 0x8055_b2c0: "nt!KiServiceTable",
]

@Test("an instruction prints as the debugger prints it", arguments: lines.split(separator: "\n").map(String.init))
func printsLikeTheDebugger(line: String) throws {
  let columns = line.split(separator: " ", omittingEmptySubsequences: true)
  let address = try #require(UInt64(columns[0], radix: 16))
  let digits = Array(columns[1])
  let bytes = stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
  let instruction = try #require(Disassembler(.windowsXP_x86).decode(bytes, at: address))
  #expect(instruction.line { names[$0] } == line)
  #expect(instruction.length == bytes.count)
  #expect(instruction.bytes == bytes)
}
