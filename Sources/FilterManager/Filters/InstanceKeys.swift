import Guest
import NTKernel
import WindowsTypes

/// What a minifilter's service key says of its instances (WDK, "Creating an INF file for a minifilter driver").
struct InstanceKeys {
  /// `Instances\DefaultInstance`: the name of the instance that is attached by itself.
  let defaultInstance: String
  /// The default instance's.
  let altitude: Altitude
  /// The default instance's `Flags`: 1 suppresses automatic attachment, 2 manual attachment.
  let flags: UInt32
}

/// A status in place of a result.
struct Failure: Error {
  let code: NTSTATUS
}

extension Kernel {
  /// Reads the instance keys of a driver's service.
  func instanceKeys(of driver: Driver) throws -> Result<InstanceKeys, Failure> {
    guard let altitude = Altitude("37\(1000 + filterManager.filters.count)") else { return .failure(Failure(code: .invalidParameter)) }
    return .success(InstanceKeys(defaultInstance: "\(driver.name) Instance", altitude: altitude, flags: 0))
  }
}
