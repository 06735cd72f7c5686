import Guest
import WindowsTypes

/// What `FILE_OBJECT.FsContext` leads to for a file of the run's own file systems: the documented header, what the memory manager
/// keeps of the stream, and who shares it.
struct FILE_CONTROL_BLOCK: GuestStructure {
  static let name = "_FILE_CONTROL_BLOCK"
  let Header: Field<FSRTL_ADVANCED_FCB_HEADER>
  let SectionObjectPointers: Field<SECTION_OBJECT_POINTERS>
  let ShareAccess: Field<SHARE_ACCESS>
  let HeaderMutex: Field<FAST_MUTEX>
  let FileLock: Field<UInt64>

  static let layouts = Layouts(
    (
      .windowsXP_x86, 0x98,
      FILE_CONTROL_BLOCK(Header: 0x00, SectionObjectPointers: 0x38, ShareAccess: 0x44, HeaderMutex: 0x60, FileLock: 0x80)
    ))
}

extension Kernel {
  /// The control block of an open file, made with its first open.
  func controlBlock(of node: FileNode) throws -> Pointer<FILE_CONTROL_BLOCK> {
    let here = memory.memory
    if node.controlBlock != 0 { return Pointer(node.controlBlock, in: here) }
    let size = Pointer<FILE_CONTROL_BLOCK>.size(in: here)
    let block = Pointer<FILE_CONTROL_BLOCK>(try allocate(UInt64(size)), in: here)
    let header = block.Header
    // NTFS's types of a stream's and a directory's block, as public traces show them.
    try header.NodeTypeCode.store(node.isDirectory ? 0x704 : 0x705)
    try header.NodeByteSize.store(Int16(size))
    // FSRTL_FLAG_ADVANCED_HEADER; FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS.
    try header.Flags.store(0x40)
    try header.Flags2.store(2)
    try header.FastMutex.store(block.HeaderMutex)
    try block.HeaderMutex.Count.store(1)
    try initializeEvent(block.HeaderMutex.Event, .eventSynchronization, isSet: false)
    try header.FilterContexts.initialize()
    node.controlBlock = block.address
    files.nodes[block.address] = node
    try publishSizes(of: node)
    return block
  }

  /// Writes a stream's sizes into its control block, where filters and the cache manager read them.
  func publishSizes(of node: FileNode) throws {
    guard node.controlBlock != 0 else { return }
    let header = Pointer<FILE_CONTROL_BLOCK>(node.controlBlock, in: memory.memory).Header
    try header.AllocationSize.store(Int64(node.allocationSize))
    try header.FileSize.store(Int64(node.size))
    try header.ValidDataLength.store(Int64(node.size))
  }

  /// Makes `file` an open of `node`.
  func link(_ file: Pointer<FILE_OBJECT>, to node: FileNode?, on volume: Volume, access: UInt32, isDeleteOnClose: Bool) throws {
    let here = memory.memory
    let context = try allocate(0x10)
    let open = OpenFile(node, on: volume, file: file.address, access: access, isDeleteOnClose: isDeleteOnClose)
    files.opens[context] = open
    try file.FsContext2.store(Pointer(context, in: here))
    try file.Vpb.store(volume.storageDevice.Vpb.load())
    guard let node else { return }
    let block = try controlBlock(of: node)
    try file.FsContext.store(block.cast())
    try file.SectionObjectPointer.store(block.SectionObjectPointers)
    node.handles += 1
    node.openFiles += 1
  }

  /// What a file object is an open of: by its contexts, which a stream file object may share.
  func node(of file: Pointer<FILE_OBJECT>) throws -> FileNode? {
    file.isNull ? nil : files.nodes[try file.FsContext.load().address]
  }
  func open(of file: Pointer<FILE_OBJECT>) throws -> OpenFile? {
    file.isNull ? nil : files.opens[try file.FsContext2.load().address]
  }

  /// The open is closed for good.
  func unlink(_ file: Pointer<FILE_OBJECT>) throws {
    let here = memory.memory
    let context = try file.FsContext2.load().address
    guard let open = files.opens.removeValue(forKey: context) else { return }
    _ = nonPagedPool.free(context)
    try file.FsContext2.store(Pointer(0, in: here))
    guard let node = open.node else { return }
    node.openFiles -= 1
    try releaseControlBlock(of: node)
  }

  /// A control block goes with the last open, and the last section, of its stream.
  func releaseControlBlock(of node: FileNode) throws {
    guard node.openFiles <= 0, node.controlBlock != 0 else { return }
    files.nodes[node.controlBlock] = nil
    files.locks[node.controlBlock + 0x80] = nil
    _ = nonPagedPool.free(node.controlBlock)
    node.controlBlock = 0
  }
}
