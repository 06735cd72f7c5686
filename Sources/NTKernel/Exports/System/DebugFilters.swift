import Guest
import WindowsTypes

/// Which components' messages show: the masks of levels that were set, by component.
final class DebugFilters { var masks: [UInt32: UInt32] = [:] }

extension Export {
  /// Filters of debugger messages, and what only a debugger would see.
  static let debugFilters: [Export] = [
    // nf-wdm (DbgPrintEx's page, remarks): a level below 32 is a bit of the component's mask.
    export("DbgQueryDebugFilterState(ComponentId, Level)") { (kernel, component: UInt32, level: UInt32) -> NTSTATUS in
      guard component <= Kernel.lastComponent || component == .max else { return .invalidParameter1 }
      let bit = level < 32 ? UInt32(1) << level : level
      // The mask of all components, WIN2000, shows errors, and more where somebody set it.
      let mask = kernel.debugFilters.masks[component == .max ? 0 : component, default: 0] | kernel.debugFilters.masks[0, default: 1]
      return NTSTATUS(rawValue: mask & bit != 0 ? 1 : 0)
    },
    export("DbgSetDebugFilterState(ComponentId, Level, State)") {
      (kernel, component: UInt32, level: UInt32, state: UInt8) -> NTSTATUS in
      guard component <= Kernel.lastComponent || component == .max else { return .invalidParameter1 }
      let key = component == .max ? 0 : component
      let bits = level < 32 ? UInt32(1) << level : level
      let old = kernel.debugFilters.masks[key, default: key == 0 ? 1 : 0]
      kernel.debugFilters.masks[key] = state != 0 ? old | bits : old & ~bits
      return .success
    }
    .partially("messages show whatever their filter says"),
    // DbgCommandString, DbgLoadImageSymbols (no page): what no debugger hears.
    export("DbgCommandString(Name, Command)") { (_, name: GuestWord, command: GuestWord) in },
    export("DbgLoadImageSymbols(FileName, ImageBase, ProcessId)") {
      (_, name: GuestWord, base: GuestWord, process: GuestWord) -> NTSTATUS in .success
    },
    // nf-wdm-cmgetcallbackversion
    export("CmGetCallbackVersion(Major, Minor)", irql: .apc) { (_, major: Pointer<UInt32>, minor: Pointer<UInt32>) in
      if !major.isNull { try major.store(1) }
      if !minor.isNull { try minor.store(1) }
    }
    .uncertain("the version is taken to be 1.1"),
    // nf-wdm-cmsetcallbackobjectcontext: of an open key, for one callback.
    export("CmSetCallbackObjectContext(Object, Cookie, NewContext, OldContext)", irql: .apc) {
      (kernel, object: GuestWord, cookie: Pointer<UInt64>, context: GuestWord, old: Pointer<GuestWord>) -> NTSTATUS in
      guard let before = try kernel.setRegistryContext(context.bits, on: object.bits, of: cookie.load()) else { return .invalidParameter }
      if !old.isNull { try old.store(GuestWord(before)) }
      return .success
    },
    // nf-wdm-cmgetboundtransaction: no key is opened in a transaction.
    export("CmGetBoundTransaction(Cookie, Object)", irql: .apc) { (_, cookie: GuestWord, object: GuestWord) -> GuestWord in 0 },
  ]
}

extension Kernel {
  fileprivate var debugFilters: DebugFilters { part { DebugFilters() } }
  /// `DPFLTR_ENDOFTABLE_ID` of Windows 7 (`dpfilter.h`), less one.
  fileprivate static let lastComponent: UInt32 = 0x91
}
