@_exported import Emulation
@_exported import Events
@_exported import FilterManager
@_exported import Guest
@_exported import GuestCode
@_exported import Reporting
@_exported import Verification
