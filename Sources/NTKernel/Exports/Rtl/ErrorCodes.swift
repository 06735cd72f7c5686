import Guest
import WindowsTypes

extension Export {
  /// Statuses as Win32's error codes.
  static let errorCodes: [Export] = [
    // nf-ntifs-rtlntstatustodoserror; nf-ntifs-rtlntstatustodoserrornoteb
    export("RtlNtStatusToDosError(Status)", irql: .passive) { (_, status: NTSTATUS) -> UInt32 in ErrorCodes.code(of: status) }
      .partially("the status is not stored in the TEB; a rare status is ERROR_MR_MID_NOT_FOUND though Windows has a code for it"),
    export("RtlNtStatusToDosErrorNoTeb(Status)") { (_, status: NTSTATUS) -> UInt32 in ErrorCodes.code(of: status) }
      .partially("a rare status is ERROR_MR_MID_NOT_FOUND though Windows has a code for it"),
  ]
}

/// Which error code of Win32 (`winerror.h`) a status becomes.
enum ErrorCodes {
  /// `ERROR_MR_MID_NOT_FOUND`, for what has no code of its own.
  static let unknown: UInt32 = 317

  static func code(of status: NTSTATUS) -> UInt32 {
    var value = status.rawValue
    // The customer's bit: it is no status of the system's.
    if value & 0x2000_0000 != 0 { return value }
    // FACILITY_NTWIN32, and HRESULTs of Win32 errors, hold the code.
    if [0x8007, 0xc001, 0xc007].contains(value >> 16) { return value & 0xffff }
    // A status that was made an HRESULT (FACILITY_NT_BIT).
    if value >> 28 == 0xd { value = value & 0x0fff_ffff | 0xc000_0000 }
    return codes[value] ?? unknown
  }

  private static let codes: [UInt32: UInt32] = {
    var codes: [UInt32: UInt32] = [:]
    for line in table.split(whereSeparator: \.isNewline) {
      let fields = line.split(separator: ":")
      guard fields.count == 2, let code = UInt32(fields[0].drop { $0 == " " }) else { continue }
      for status in fields[1].split(separator: " ") {
        if let status = UInt32(status, radix: 16) { codes[status] = code }
      }
    }
    return codes
  }()

  /// An error code, and the statuses that become it.
  private static let table = """
    0: 0
    1: c0000002 c0000010 c00000af
    2: c000000e c000000f c0000034
    3: c000003a
    4: c000011f
    5: c000001e c000001f c0000021 c0000022 c000004b c0000056 c00000ba c000010a c0000121 c0000123
    6: c0000008 c0000024 c0000037 c0000042 c0000128
    8: c0000017 c0000040
    17: c00000d4
    18: 80000006
    19: c00000a2
    21: c0000013 c00000a3
    22: c0000184
    23: c000002b c000003e c000003f
    24: c0000004
    27: c0000015
    31: c0000001
    32: c0000043
    33: c0000054 c0000055
    34: c0000012
    38: c0000011
    50: c00000bb
    51: c00000bc
    52: c00000bd
    53: c00000be
    54: c00000bf
    55: c00000c0
    56: c00000c1
    57: c00000c2
    58: c00000c3
    59: c00000c4
    60: c00000c5
    61: c00000c6
    62: c00000c7
    63: c00000c8
    64: c00000c9
    65: c00000ca
    66: c00000cb
    67: c00000cc
    68: c00000cd
    69: c00000ce
    70: c00000cf
    71: c00000d0
    72: c00000d1
    86: c000006a
    87: c000000b c000000d c000001a c000001b c0000045 c000004e c00000ef c00000f0 c00000f1 c00000f2 c00000f3 c00000f4 c00000f5 c00000f6
    87: c00000f7 c00000f8 c00000f9 c00000fa
    109: c000014b
    112: c000007f
    121: c00000b5
    122: c0000023
    123: c0000033
    124: c0000148
    126: c0000135
    127: c000007a c0000139
    145: c0000101
    158: c000002a
    161: c0000039 c000003b
    170: 80000011
    182: c0000138
    183: 40000000 c0000035
    193: c0000020 c000007b c000012f c0000130
    203: c0000100
    206: c0000106
    230: c00000ad
    231: c00000ac c00000ae
    232: c00000b1
    233: c00000b0
    234: 105 80000005 c0000016
    254: 80000013
    255: 80000014
    259: 8000001a
    267: c0000103
    282: c000004f
    288: c0000046
    298: c0000047
    299: 8000000d
    317: c0000109
    487: c0000018 c0000019 c000002d c00000a0 c0000141
    534: c0000095
    535: c00000b2
    536: c00000b3
    995: c0000120
    997: 103
    998: c0000005
    999: c0000006
    1001: c00000fd
    1006: c0000098
    1016: c000014d
    1018: c000017c
    1020: c0000180
    1021: c0000181
    1022: 10c
    1117: c0000185
    1130: c0000205
    1131: c0000194
    1167: c000009d
    1168: c0000225
    1224: c0000243
    1225: c0000236
    1231: c000023c
    1232: c000023d
    1236: c0000241
    1237: c000022d
    1300: 106
    1301: 107
    1302: 10d
    1305: c0000058
    1306: c0000059
    1307: c000005a
    1308: c000005b
    1309: c000005c
    1311: c000005e
    1312: c000005f
    1313: c0000060
    1314: c0000061
    1315: c0000062
    1316: c0000063
    1317: c0000064
    1318: c0000065
    1319: c0000066
    1320: c0000067
    1321: c0000068
    1322: c0000069
    1324: c000006b
    1325: c000006c
    1326: c000006d
    1327: c000006e
    1328: c000006f
    1329: c0000070
    1330: c0000071
    1331: c0000072
    1332: c0000073
    1333: c0000074
    1334: c0000075
    1335: c0000076
    1336: c0000077
    1337: c0000078
    1338: c0000079
    1340: c000007d
    1341: c0000080
    1342: c0000081
    1344: c0000099
    1346: c00000a5
    1347: c00000a6
    1348: c00000a7
    1349: c00000a8
    1350: c00000d7
    1359: c00000e5
    1392: c0000102
    1393: c0000032
    1450: c000009a
    1453: c00000a1
    1455: c000012d
    1460: 102
    1784: c00000e8
    1785: c0000014
    1812: c0000089
    1813: c000008a
    1814: c000008b
    1815: c0000204
    1816: c0000044
    4390: c0000275
    4392: c0000278
    6000: c000028a
    6001: c000028b
    """
}
