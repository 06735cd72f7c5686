import Guest
import WindowsTypes

extension Export {
  /// The system calls on files' extended attributes: for user mode, and for kernel mode.
  static let attributeCalls: [Export] = [KPROCESSOR_MODE.userMode, .kernelMode].flatMap { mode in
    let isUser = mode == .userMode
    let prefix = isUser ? "Nt" : "Zw"
    @Sendable func arguments(_ kernel: Kernel, _ handle: GuestWord, _ block: Pointer<IO_STATUS_BLOCK>) throws -> Kernel.RequestArguments {
      .init(
        handle: handle.bits, event: 0, apcRoutine: 0, apcContext: 0, block: block,
        mode: isUser ? try kernel.previousMode() : .kernelMode)
    }
    return [
      // nf-ntifs-zwqueryeafile
      export(
        "\(prefix)QueryEaFile(FileHandle, IoStatusBlock, Buffer, Length, ReturnSingleEntry, EaList, EaListLength, EaIndex, RestartScan)",
        irql: .passive
      ) {
        (
          kernel, handle: GuestWord, block: Pointer<IO_STATUS_BLOCK>, buffer: GuestWord, length: UInt32, single: UInt8, list: GuestWord,
          listLength: UInt32, index: Pointer<UInt32>, restart: UInt8
        ) async throws -> NTSTATUS in
        try await kernel.queryAttributes(
          arguments(kernel, handle, block), buffer.bits, length, isSingle: single != 0, list: (list.bits, listLength), index: index,
          restarts: restart != 0)
      },
      // nf-ntifs-zwseteafile
      export("\(prefix)SetEaFile(FileHandle, IoStatusBlock, Buffer, Length)", irql: .passive) {
        (kernel, handle: GuestWord, block: Pointer<IO_STATUS_BLOCK>, buffer: GuestWord, length: UInt32) async throws -> NTSTATUS in
        try await kernel.setAttributes(arguments(kernel, handle, block), buffer.bits, length)
      },
    ]
  }
}
