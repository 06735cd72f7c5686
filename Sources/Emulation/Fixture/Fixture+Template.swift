extension Fixture {
  /// A fixture to start from, as commented YAML, which reads as it stands.
  public static let template = """
    # A fixture: a world, and the calls made in it, with what is expected.
    # Addresses are written with 0x; sizes as 0x3000, 12288 or 12KiB, in whole pages.
    fixture: 1
    about: FltLockUserBuffer, called on a System worker, locks the requestor's pages

    # What runs. nt.listing alone is the default.
    target: xp-x86
    load: [nt.listing, fltMgr.listing]
    # limits: {instructions: 10000000, memory: 256MiB, trace: 256MiB}

    # Processes, and what their memory holds. A region may also say
    #   kind: demand-zero, copy-on-write, no-access, reserved, decommitted or paged-out
    #   protection: read-only, read-write, execute, execute-read or execute-read-write
    #   guard: true            the first access raises STATUS_GUARD_PAGE_VIOLATION
    # and its content as text, utf16, bytes (“48 65 6c”), fill (0xcc), u16, u32 or u64.
    processes:
      System: {id: 4}
      app.exe:
        id: 1232
        memory:
          0x00130000: {size: 0x3000, text: "the user's bytes"}

    # Threads, each with the process that owns it.
    threads:
      app: app.exe
      worker: System

    # What the registry holds beside what a fresh system has. Each driver has its service's key: Start, Group, Tag,
    # DependOnService and DependOnGroup say in which order drivers start.
    # registry:
    #   Services\\mydriver: {Start: {dword: 1}, Group: {sz: Base}}
    #   Services\\mydriver\\Parameters: {Limit: {dword: 5}, Path: {sz: 'C:\\x'}, List: {multi-sz: [a, b]}}
    #   HKLM\\SOFTWARE\\Demo: {Data: {binary: 0a 0b}, Raw: {type: REG_QWORD, bytes: "01"}, Old: absent}

    # What happens, in order. Other steps: exit, map, unmap, protect, store, page-out, expect,
    # and issue: {write: {…}}, as: data, which asks for I/O; calls may then take data, and poi(data+0x8) is a pointer in it.
    calls:
    - on: worker
      call: fltMgr!FltLockUserBuffer
      with:
        CallbackData: {write: {buffer: 0x00130000, length: 0x3000, requestor: app}}
      expect: STATUS_SUCCESS

    # What holds in the end.
    expect:
      verdict: right-process
      locks:
      - {process: app.exe, at: 0x00130000, pages: 3, by: fltMgr!FltLockUserBuffer}

    """
}
