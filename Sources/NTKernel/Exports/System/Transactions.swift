import Guest
import WindowsTypes

extension Export {
  /// The transaction manager's routines for resource managers. Nothing of a run begins a transaction, so no object that they take is there:
  /// whatever they are given is none (STATUS_OBJECT_TYPE_MISMATCH).
  static let transactions: [Export] =
    // nf-wdm-tmcommitcomplete and its kin: an enlistment, and the virtual clock.
    [
      "TmCommitComplete", "TmCommitEnlistment", "TmPrePrepareComplete", "TmPrePrepareEnlistment", "TmPrepareComplete",
      "TmPrepareEnlistment",
      "TmReadOnlyEnlistment", "TmRollbackComplete", "TmRollbackEnlistment", "TmRequestOutcomeEnlistment",
    ].map { name -> Export in
      export("\(name)(Enlistment, TmVirtualClock)", irql: .apc) { (_, enlistment: GuestWord, clock: GuestWord) -> NTSTATUS in
        .objectTypeMismatch
      }
      .partially(noTransactions)
    } + [
      // nf-wdm-tmrecoverenlistment
      export("TmRecoverEnlistment(Enlistment, EnlistmentKey)", irql: .apc) { (_, enlistment: GuestWord, key: GuestWord) -> NTSTATUS in
        .objectTypeMismatch
      }
      .partially(noTransactions),
      // nf-wdm-tmcreateenlistment
      export(
        "TmCreateEnlistment(EnlistmentHandle, PreviousMode, DesiredAccess, ObjectAttributes, ResourceManager, Transaction, CreateOptions, NotificationMask, EnlistmentKey)",
        irql: .apc
      ) {
        (
          _, handle: GuestWord, mode: UInt8, access: UInt32, attributes: GuestWord, manager: GuestWord, transaction: GuestWord,
          options: UInt32, mask: UInt32, key: GuestWord
        ) -> NTSTATUS in .objectTypeMismatch
      }
      .partially(noTransactions),
      // nf-wdm-tmenablecallbacks
      export("TmEnableCallbacks(ResourceManager, CallbackRoutine, RMKey)", irql: .apc) {
        (_, manager: GuestWord, routine: GuestWord, key: GuestWord) -> NTSTATUS in .objectTypeMismatch
      }
      .partially(noTransactions),
      // nf-wdm-tmreferenceenlistmentkey, nf-wdm-tmdereferenceenlistmentkey
      export("TmReferenceEnlistmentKey(Enlistment, Key)", irql: .apc) { (_, enlistment: GuestWord, key: GuestWord) -> NTSTATUS in
        .objectTypeMismatch
      }
      .partially(noTransactions),
      export("TmDereferenceEnlistmentKey(Enlistment, LastReference)", irql: .apc) {
        (_, enlistment: GuestWord, last: GuestWord) -> NTSTATUS in .objectTypeMismatch
      }
      .partially(noTransactions),
      // nf-wdm-tmrecoverresourcemanager
      export("TmRecoverResourceManager(ResourceManager)", irql: .apc) { (_, manager: GuestWord) -> NTSTATUS in .objectTypeMismatch }
        .partially(noTransactions),
      // nf-wdm-tmcommittransaction, nf-wdm-tmrollbacktransaction
      export("TmCommitTransaction(Transaction, Wait)", irql: .apc) { (_, transaction: GuestWord, wait: UInt8) -> NTSTATUS in
        .objectTypeMismatch
      }
      .partially(noTransactions),
      export("TmRollbackTransaction(Transaction, Wait)", irql: .apc) { (_, transaction: GuestWord, wait: UInt8) -> NTSTATUS in
        .objectTypeMismatch
      }
      .partially(noTransactions),
      // nf-wdm-tmistransactionactive
      export("TmIsTransactionActive(Transaction)", irql: .apc) { (_, transaction: GuestWord) -> UInt8 in 0 }.partially(noTransactions),
    ]

  private static let noTransactions = "nothing begins a transaction: no object is one"
}
