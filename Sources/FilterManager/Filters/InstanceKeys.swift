import Guest
import NTKernel
import WindowsTypes

/// What a minifilter's service key says of its instances (WDK, "Creating an INF file for a minifilter driver").
struct InstanceKeys {
  /// One subkey of `Instances`.
  struct Instance {
    let name: String
    let altitude: Altitude
    let flags: Flags
  }

  /// `Instances\NAME`, value `Flags`.
  struct Flags: OptionSet {
    let rawValue: UInt32
    /// No instance of this kind is attached by itself.
    static let suppressesAutomaticAttachment = Flags(rawValue: 1)
    /// Nor when someone asks for it.
    static let suppressesManualAttachment = Flags(rawValue: 2)
  }

  /// The default instance first.
  let instances: [Instance]
  var defaultInstance: Instance { instances[0] }
  /// The filter's own: the default instance's.
  var altitude: Altitude { defaultInstance.altitude }
}

/// A status in place of a result.
struct Failure: Error {
  let code: NTSTATUS
  /// In words, where somebody is told.
  let reason: String
  init(_ code: NTSTATUS, _ reason: String = "") {
    self.code = code
    self.reason = reason
  }
}

extension Kernel {
  /// Reads the instance keys of a driver's service: `Instances`, in it the value `DefaultInstance`, the subkey that it names, and
  /// in that `Altitude` and `Flags`. What is missing first is the status.
  func instanceKeys(of driver: Driver) throws -> Result<InstanceKeys, Failure> {
    let path = "Services\\\(driver.name)\\Instances"
    guard let key = serviceKey(driver.name)?.subkey("Instances") else {
      return .failure(Failure(.objectNameNotFound, "there is no key \(path)"))
    }
    guard let name = key["DefaultInstance"] else {
      return .failure(Failure(.objectNameNotFound, "\(path) has no value DefaultInstance"))
    }
    guard name.type == .string, let text = name.text else {
      return .failure(Failure(.objectTypeMismatch, "DefaultInstance of \(path) is no REG_SZ"))
    }
    guard let own = key.subkey(text) else {
      return .failure(Failure(.objectNameNotFound, "DefaultInstance of \(path) is “\(text)”, and there is no such subkey"))
    }
    switch Self.instance(own, path: "\(path)\\\(text)") {
    case .failure(let failure): return .failure(failure)
    case .success(let first):
      let others = key.subkeys.filter { $0 !== own }.compactMap { try? Self.instance($0, path: "").get() }
      return .success(InstanceKeys(instances: [first] + others))
    }
  }

  private static func instance(_ key: RegistryKey, path: String) -> Result<InstanceKeys.Instance, Failure> {
    guard let altitude = key["Altitude"] else { return .failure(Failure(.objectNameNotFound, "\(path) has no value Altitude")) }
    guard altitude.type == .string, let text = altitude.text else {
      return .failure(Failure(.objectTypeMismatch, "Altitude of \(path) is no REG_SZ"))
    }
    guard text.utf8.count <= 256, let place = Altitude(text) else {
      return .failure(Failure(.invalidParameter, "Altitude of \(path) is “\(text.prefix(40))”, which is no decimal number"))
    }
    // A missing value stands for no flags.
    let flags = key["Flags"]?.number ?? 0
    return .success(InstanceKeys.Instance(name: key.name, altitude: place, flags: .init(rawValue: UInt32(truncatingIfNeeded: flags))))
  }
}
