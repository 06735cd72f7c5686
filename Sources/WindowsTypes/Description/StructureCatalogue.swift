import Guest

/// No structure has this name.
public struct UnknownStructure: Error, Hashable, CustomStringConvertible {
  public let name: String
  /// What was probably meant.
  public let nearest: String?
  /// Where it exists in other versions of Windows, or is not described in this one.
  public let target: Target?

  public init(name: String, nearest: String?, target: Target? = nil) {
    self.name = name
    self.nearest = nearest
    self.target = target
  }

  public var description: String {
    if let target { return "“\(name)” is not described for \(target.system.release)" }
    return "no structure “\(name)”" + (nearest.map { "; did you mean \($0)?" } ?? "")
  }
}

/// Every structure that this module describes, by name.
public enum StructureCatalogue {
  /// In alphabetical order of ``name(of:)``.
  public static let all: [any GuestStructure.Type] = tables.joined().sorted { name(of: $0) < name(of: $1) }

  /// The name that finds a structure: `EPROCESS`, or `IRP_Tail_Overlay` for the unnamed type of a member.
  public static func name(of type: any GuestStructure.Type) -> String { "\(type)" }

  /// The structure called `name`: in any case, with or without leading underscores and a module: `nt!_eprocess`.
  public static func structure(named name: String) throws(UnknownStructure) -> any GuestStructure.Type {
    let bare = String((name.split(separator: "!").last ?? "").drop { $0 == "_" }).lowercased()
    if let found = byName[bare] { return found }
    throw UnknownStructure(name: name, nearest: Guest.nearest(bare, among: all.map { self.name(of: $0) }))
  }

  /// The structure called `name`, if it is described for `target`.
  static func structure(named name: String, in target: Target) throws(UnknownStructure) -> any GuestStructure.Type {
    let type = try structure(named: name)
    guard type.isKnown(in: target) else { throw UnknownStructure(name: name, nearest: nil, target: target) }
    return type
  }

  /// The module whose symbols have the structure, as the debugger prints it.
  public static func module(of type: any GuestStructure.Type) -> String {
    let name = name(of: type)
    return name.hasPrefix("FLT_") || name.hasPrefix("FILTER_") ? "fltMgr" : "nt"
  }

  private static let byName = Dictionary(all.map { (name(of: $0).lowercased(), $0) }) { first, _ in first }
}

extension StructureCatalogue {
  private static let tables = [io, filterManager, memoryManager, processor, executive, basics, runtimeLibrary, registry, windows7]
  private static let windows7: [any GuestStructure.Type] = [
    GROUP_AFFINITY.self, KAFFINITY_EX.self, KSTACK_COUNT.self, MM_AVL_TABLE.self, OB_CALLBACK_REGISTRATION.self,
    OB_OPERATION_REGISTRATION.self, PS_CLIENT_SECURITY_CONTEXT.self,
  ]
  private static let io: [any GuestStructure.Type] = [
    DEVICE_OBJECT.self, DEVICE_OBJECT_Queue.self, DEVOBJ_EXTENSION.self, DRIVER_EXTENSION.self, DRIVER_OBJECT.self,
    FILE_OBJECT.self, IO_COMPLETION_CONTEXT.self, IO_STACK_LOCATION.self, IO_STACK_LOCATION_Parameters.self,
    IO_STACK_LOCATION_Parameters_Create.self, IO_STACK_LOCATION_Parameters_DeviceCapabilities.self,
    IO_STACK_LOCATION_Parameters_DeviceIoControl.self, IO_STACK_LOCATION_Parameters_FileSystemControl.self,
    IO_STACK_LOCATION_Parameters_LockControl.self, IO_STACK_LOCATION_Parameters_MountVolume.self,
    IO_STACK_LOCATION_Parameters_NotifyDirectory.self, IO_STACK_LOCATION_Parameters_Others.self,
    IO_STACK_LOCATION_Parameters_Power.self, IO_STACK_LOCATION_Parameters_QueryDeviceRelations.self,
    IO_STACK_LOCATION_Parameters_QueryDirectory.self, IO_STACK_LOCATION_Parameters_QueryEa.self,
    IO_STACK_LOCATION_Parameters_QueryFile.self, IO_STACK_LOCATION_Parameters_QueryId.self,
    IO_STACK_LOCATION_Parameters_QueryInterface.self, IO_STACK_LOCATION_Parameters_QueryQuota.self,
    IO_STACK_LOCATION_Parameters_QuerySecurity.self, IO_STACK_LOCATION_Parameters_QueryVolume.self,
    IO_STACK_LOCATION_Parameters_Read.self, IO_STACK_LOCATION_Parameters_ReadWriteConfig.self,
    IO_STACK_LOCATION_Parameters_Scsi.self, IO_STACK_LOCATION_Parameters_SetEa.self, IO_STACK_LOCATION_Parameters_SetFile.self,
    IO_STACK_LOCATION_Parameters_SetQuota.self, IO_STACK_LOCATION_Parameters_SetSecurity.self,
    IO_STACK_LOCATION_Parameters_SetVolume.self, IO_STACK_LOCATION_Parameters_StartDevice.self,
    IO_STACK_LOCATION_Parameters_VerifyVolume.self, IO_STACK_LOCATION_Parameters_WMI.self,
    IO_STACK_LOCATION_Parameters_Write.self, IRP.self, IRP_AssociatedIrp.self, IRP_Overlay.self,
    IRP_Overlay_AsynchronousParameters.self, IRP_Tail.self, IRP_Tail_Overlay.self, KDEVICE_QUEUE.self, KDEVICE_QUEUE_ENTRY.self,
    MDL.self, NET_BUFFER.self, NET_BUFFER_LIST.self, SECTION_OBJECT_POINTERS.self, VPB.self, WAIT_CONTEXT_BLOCK.self,
  ]
  private static let filterManager: [any GuestStructure.Type] = [
    FILTER_MESSAGE_HEADER.self, FILTER_REPLY_HEADER.self, FLT_CALLBACK_DATA.self, FLT_CALLBACK_DATA_QUEUE.self,
    FLT_CONTEXT_REGISTRATION.self, FLT_FILE_NAME_INFORMATION.self, FLT_VOLUME_PROPERTIES.self,
    FLT_IO_PARAMETER_BLOCK.self, FLT_OPERATION_REGISTRATION.self, FLT_PARAMETERS.self,
    FLT_PARAMETERS_AcquireForModifiedPageWriter.self, FLT_PARAMETERS_AcquireForSectionSynchronization.self,
    FLT_PARAMETERS_Create.self, FLT_PARAMETERS_DeviceIoControl.self, FLT_PARAMETERS_DeviceIoControl_Buffered.self,
    FLT_PARAMETERS_DeviceIoControl_Common.self, FLT_PARAMETERS_DeviceIoControl_Direct.self,
    FLT_PARAMETERS_DeviceIoControl_FastIo.self, FLT_PARAMETERS_DeviceIoControl_Neither.self, FLT_PARAMETERS_DirectoryControl.self,
    FLT_PARAMETERS_DirectoryControl_NotifyDirectory.self, FLT_PARAMETERS_DirectoryControl_QueryDirectory.self,
    FLT_PARAMETERS_FastIoCheckIfPossible.self, FLT_PARAMETERS_FileSystemControl.self,
    FLT_PARAMETERS_FileSystemControl_Buffered.self, FLT_PARAMETERS_FileSystemControl_Common.self,
    FLT_PARAMETERS_FileSystemControl_Direct.self, FLT_PARAMETERS_FileSystemControl_Neither.self,
    FLT_PARAMETERS_FileSystemControl_VerifyVolume.self, FLT_PARAMETERS_LockControl.self, FLT_PARAMETERS_MdlRead.self,
    FLT_PARAMETERS_MdlReadComplete.self, FLT_PARAMETERS_MdlWriteComplete.self, FLT_PARAMETERS_MountVolume.self,
    FLT_PARAMETERS_NetworkQueryOpen.self, FLT_PARAMETERS_Others.self, FLT_PARAMETERS_PrepareMdlWrite.self,
    FLT_PARAMETERS_QueryEa.self, FLT_PARAMETERS_QueryFileInformation.self, FLT_PARAMETERS_QueryQuota.self,
    FLT_PARAMETERS_QuerySecurity.self, FLT_PARAMETERS_QueryVolumeInformation.self, FLT_PARAMETERS_Read.self,
    FLT_PARAMETERS_ReleaseForModifiedPageWriter.self, FLT_PARAMETERS_SetEa.self, FLT_PARAMETERS_SetFileInformation.self,
    FLT_PARAMETERS_SetQuota.self, FLT_PARAMETERS_SetSecurity.self, FLT_PARAMETERS_SetVolumeInformation.self,
    FLT_PARAMETERS_WMI.self, FLT_PARAMETERS_Write.self, FLT_REGISTRATION.self, FLT_RELATED_OBJECTS.self,
  ]
  private static let memoryManager: [any GuestStructure.Type] = [
    HARDWARE_PTE.self, MMPFN.self, MMPFNENTRY.self, MMPFN_u1.self, MMPFN_u2.self, MMPFN_u3.self, MMPFN_u3_e2.self, MMPFN_u4.self,
    MMPTE.self, MMPTE_HARDWARE.self, MMPTE_LIST.self, MMPTE_PROTOTYPE.self, MMPTE_SOFTWARE.self, MMPTE_SUBSECTION.self,
    MMPTE_TRANSITION.self, MMPTE_u.self, MMSUPPORT.self, MMSUPPORT_FLAGS.self, MMVAD.self, MMVAD_FLAGS.self, MMVAD_FLAGS2.self,
    MMVAD_u.self, MMVAD_u2.self,
  ]
  private static let processor: [any GuestStructure.Type] = [
    CONTEXT.self, DESCRIPTOR.self, EH3_EXCEPTION_REGISTRATION.self, EH3_FRAME.self, EXCEPTION_POINTERS.self,
    EXCEPTION_RECORD.self, EXCEPTION_REGISTRATION_RECORD.self, FLOATING_SAVE_AREA.self, KGDTENTRY.self, KGDTENTRY_HighWord.self,
    KGDTENTRY_HighWord_Bits.self, KGDTENTRY_HighWord_Bytes.self, KIDTENTRY.self, KPCR.self, KPRCB.self, KPROCESSOR_STATE.self,
    KSPECIAL_REGISTERS.self, KTRAP_FRAME.self, NT_TIB.self, PP_LOOKASIDE_LIST.self, SCOPETABLE_ENTRY.self,
  ]
  private static let executive: [any GuestStructure.Type] = [
    EPROCESS.self, ETHREAD.self, GENERIC_MAPPING.self, KAPC.self, KAPC_STATE.self, KEXECUTE_OPTIONS.self, KPROCESS.self,
    KTHREAD.self, KUSER_SHARED_DATA.self, LDR_DATA_TABLE_ENTRY.self, OBJECT_ATTRIBUTES.self, OBJECT_HEADER.self,
    OBJECT_HEADER_NAME_INFO.self, OBJECT_NAME_INFORMATION.self, OBJECT_TYPE.self, OBJECT_TYPE_INITIALIZER.self,
    PS_IMPERSONATION_INFORMATION.self, SE_AUDIT_PROCESS_CREATION_INFO.self, TERMINATION_PORT.self,
  ]
  private static let basics: [any GuestStructure.Type] = [
    CLIENT_ID.self, DISPATCHER_HEADER.self, ERESOURCE.self, EX_FAST_REF.self, EX_PUSH_LOCK.self, EX_RUNDOWN_REF.self, KGUARDED_MUTEX.self,
    ZONE_HEADER.self,
    FAST_MUTEX.self, IO_STATUS_BLOCK.self, KDPC.self, KEVENT.self, KMUTANT.self, KQUEUE.self, KSEMAPHORE.self,
    KSPIN_LOCK_QUEUE.self, KSYSTEM_TIME.self, KTIMER.self, KWAIT_BLOCK.self, LARGE_INTEGER.self, LARGE_INTEGER_u.self,
    LIST_ENTRY.self, LUID.self, OWNER_ENTRY.self, QUAD.self, SINGLE_LIST_ENTRY.self, STRING.self, ULARGE_INTEGER.self,
    ULARGE_INTEGER_u.self, UNICODE_STRING.self,
  ]
  private static let runtimeLibrary: [any GuestStructure.Type] = [
    ACL.self, GENERAL_LOOKASIDE.self, KLOCK_QUEUE_HANDLE.self, KNOWN_ACE.self, OSVERSIONINFOEXW.self, RTL_AVL_TABLE.self,
    RTL_BALANCED_LINKS.self, RTL_BITMAP.self, RTL_BITMAP_RUN.self, RTL_GENERIC_TABLE.self, RTL_SPLAY_LINKS.self,
    SECURITY_DESCRIPTOR.self, SID.self,
    SLIST_HEADER.self, TIME_FIELDS.self,
  ]
  private static let registry: [any GuestStructure.Type] = [
    KEY_BASIC_INFORMATION.self, KEY_NODE_INFORMATION.self, KEY_FULL_INFORMATION.self, KEY_NAME_INFORMATION.self,
    KEY_VALUE_BASIC_INFORMATION.self, KEY_VALUE_FULL_INFORMATION.self, KEY_VALUE_PARTIAL_INFORMATION.self, RTL_QUERY_REGISTRY_TABLE.self,
    CM_KEY_BODY.self, REG_DELETE_KEY_INFORMATION.self, REG_SET_VALUE_KEY_INFORMATION.self, REG_DELETE_VALUE_KEY_INFORMATION.self,
    REG_ENUMERATE_KEY_INFORMATION.self, REG_QUERY_KEY_INFORMATION.self, REG_QUERY_VALUE_KEY_INFORMATION.self,
    REG_PRE_CREATE_KEY_INFORMATION.self, REG_POST_CREATE_KEY_INFORMATION.self, REG_CREATE_KEY_INFORMATION.self,
    REG_POST_OPERATION_INFORMATION.self,
  ]
}
