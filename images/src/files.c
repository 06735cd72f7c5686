// A driver that works with files: it lists a directory, reads a file, writes another one, and shows a third to whoever asks, as
// a view of one section in each caller's own address space.
#include "requests.h"

#define IOCTL_FILES_MAP CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef PVOID HANDLE;
typedef struct {
  ULONG Length;
  HANDLE RootDirectory;
  const UNICODE_STRING *ObjectName;
  ULONG Attributes;
  PVOID SecurityDescriptor, SecurityQualityOfService;
} OBJECT_ATTRIBUTES;
#define OBJ_CASE_INSENSITIVE 0x40
#define OBJ_KERNEL_HANDLE 0x200

#define FILE_LIST_DIRECTORY 0x1
#define FILE_READ_DATA 0x1
#define FILE_WRITE_DATA 0x2
#define SYNCHRONIZE 0x100000
#define SECTION_ALL_ACCESS 0xf001f
#define FILE_SHARE_READ 1
#define FILE_SHARE_WRITE 2
#define FILE_OPEN 1
#define FILE_CREATE 2
#define FILE_DIRECTORY_FILE 0x1
#define FILE_SYNCHRONOUS_IO_NONALERT 0x20
#define FILE_NON_DIRECTORY_FILE 0x40
#define FILE_ATTRIBUTE_NORMAL 0x80
#define FileStandardInformation 5
#define FileNamesInformation 12
#define STATUS_NO_MORE_FILES ((NTSTATUS)0x80000006)
#define PAGE_READWRITE 4
#define SEC_COMMIT 0x8000000
#define ViewUnmap 2
#define ZwCurrentProcess() ((HANDLE)-1)

typedef struct {
  LONGLONG AllocationSize, EndOfFile;
  ULONG NumberOfLinks;
  BOOLEAN DeletePending, Directory;
} FILE_STANDARD_INFORMATION;

typedef struct {
  ULONG NextEntryOffset, FileIndex, FileNameLength;
  WCHAR FileName[64];
} FILE_NAMES_INFORMATION;

NTSYSAPI NTSTATUS NTAPI ZwCreateFile(
    HANDLE *, ULONG access, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, LONGLONG *size, ULONG attributes, ULONG share,
    ULONG disposition, ULONG options, PVOID ea, ULONG eaLength);
NTSYSAPI NTSTATUS NTAPI ZwClose(HANDLE);
NTSYSAPI NTSTATUS NTAPI ZwReadFile(
    HANDLE, HANDLE event, PVOID routine, PVOID context, IO_STATUS_BLOCK *, PVOID buffer, ULONG, LONGLONG *offset, ULONG *key);
NTSYSAPI NTSTATUS NTAPI ZwWriteFile(
    HANDLE, HANDLE event, PVOID routine, PVOID context, IO_STATUS_BLOCK *, PVOID buffer, ULONG, LONGLONG *offset, ULONG *key);
NTSYSAPI NTSTATUS NTAPI ZwQueryInformationFile(HANDLE, IO_STATUS_BLOCK *, PVOID, ULONG, ULONG what);
NTSYSAPI NTSTATUS NTAPI ZwQueryDirectoryFile(
    HANDLE, HANDLE event, PVOID routine, PVOID context, IO_STATUS_BLOCK *, PVOID, ULONG, ULONG what, BOOLEAN single,
    const UNICODE_STRING *pattern, BOOLEAN restart);
NTSYSAPI NTSTATUS NTAPI ZwCreateSection(HANDLE *, ULONG access, OBJECT_ATTRIBUTES *, LONGLONG *size, ULONG protection, ULONG kind, HANDLE);
NTSYSAPI NTSTATUS NTAPI ZwMapViewOfSection(
    HANDLE section, HANDLE process, PVOID *base, ULONG zeroBits, ULONG commit, LONGLONG *offset, ULONG *size, ULONG inherit,
    ULONG type, ULONG protection);

static const UNICODE_STRING deviceName = COUNTED(u"\\Device\\Files");
static const UNICODE_STRING linkName = COUNTED(u"\\DosDevices\\Files");
static const UNICODE_STRING directoryName = COUNTED(u"\\??\\C:\\data");
static const UNICODE_STRING greetingName = COUNTED(u"\\??\\C:\\data\\greeting.txt");
static const UNICODE_STRING copyName = COUNTED(u"\\??\\C:\\data\\copy.txt");
static const UNICODE_STRING sharedName = COUNTED(u"\\??\\C:\\data\\shared.bin");

// For any process's thread: a kernel handle.
static HANDLE section;

static NTSTATUS Open(HANDLE *handle, const UNICODE_STRING *name, ULONG access, ULONG disposition, ULONG options) {
  OBJECT_ATTRIBUTES attributes = {sizeof attributes, NULL, name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL};
  IO_STATUS_BLOCK status;
  return ZwCreateFile(
      handle, access | SYNCHRONIZE, &attributes, &status, NULL, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE,
      disposition, options | FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
}

static NTSTATUS List(void) {
  HANDLE directory;
  NTSTATUS status = Open(&directory, &directoryName, FILE_LIST_DIRECTORY, FILE_OPEN, FILE_DIRECTORY_FILE);
  if (!NT_SUCCESS(status)) return status;
  static const UNICODE_STRING pattern = COUNTED(u"*");
  for (;;) {
    FILE_NAMES_INFORMATION entry;
    IO_STATUS_BLOCK block;
    status = ZwQueryDirectoryFile(
        directory, NULL, NULL, NULL, &block, &entry, sizeof entry, FileNamesInformation, TRUE, &pattern, FALSE);
    if (status != STATUS_SUCCESS) break;
    UNICODE_STRING name = {entry.FileNameLength, entry.FileNameLength, entry.FileName};
    DbgPrint("files: %wZ\n", &name);
  }
  ZwClose(directory);
  return status == STATUS_NO_MORE_FILES ? STATUS_SUCCESS : status;
}

static NTSTATUS Copy(void) {
  HANDLE from, to;
  NTSTATUS status = Open(&from, &greetingName, FILE_READ_DATA, FILE_OPEN, FILE_NON_DIRECTORY_FILE);
  if (!NT_SUCCESS(status)) return status;
  IO_STATUS_BLOCK block;
  FILE_STANDARD_INFORMATION standard;
  char text[64];
  status = ZwQueryInformationFile(from, &block, &standard, sizeof standard, FileStandardInformation);
  if (NT_SUCCESS(status)) status = ZwReadFile(from, NULL, NULL, NULL, &block, text, sizeof text - 1, NULL, NULL);
  ZwClose(from);
  if (!NT_SUCCESS(status)) return status;
  text[block.Information] = 0;
  DbgPrint("files: %u bytes: %s\n", (ULONG)standard.EndOfFile, text);
  status = Open(&to, &copyName, FILE_WRITE_DATA, FILE_CREATE, FILE_NON_DIRECTORY_FILE);
  if (!NT_SUCCESS(status)) return status;
  status = ZwWriteFile(to, NULL, NULL, NULL, &block, text, block.Information, NULL, NULL);
  ZwClose(to);
  return status;
}

static NTSTATUS MakeSection(void) {
  HANDLE file;
  NTSTATUS status = Open(&file, &sharedName, FILE_READ_DATA | FILE_WRITE_DATA, FILE_OPEN, FILE_NON_DIRECTORY_FILE);
  if (!NT_SUCCESS(status)) return status;
  OBJECT_ATTRIBUTES attributes = {sizeof attributes, NULL, NULL, OBJ_KERNEL_HANDLE, NULL, NULL};
  status = ZwCreateSection(&section, SECTION_ALL_ACCESS, &attributes, NULL, PAGE_READWRITE, SEC_COMMIT, file);
  // The section keeps the file.
  ZwClose(file);
  return status;
}

// Runs in the caller's process: the view is the caller's.
static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp) {
  IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
  if (location->Parameters.DeviceIoControl.IoControlCode != IOCTL_FILES_MAP) return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  if (location->Parameters.DeviceIoControl.OutputBufferLength < sizeof(PVOID)) return Complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
  PVOID view = NULL;
  ULONG size = 0;
  NTSTATUS status = ZwMapViewOfSection(section, ZwCurrentProcess(), &view, 0, 0, NULL, &size, ViewUnmap, 0, PAGE_READWRITE);
  if (!NT_SUCCESS(status)) return Complete(irp, status, 0);
  *(PVOID *)irp->SystemBuffer = view;
  return Complete(irp, STATUS_SUCCESS, sizeof(PVOID));
}

static void NTAPI Unload(DRIVER_OBJECT *driver) {
  ZwClose(section);
  IoDeleteSymbolicLink(&linkName);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registryPath) {
  DEVICE_OBJECT *device;
  NTSTATUS status = List();
  if (NT_SUCCESS(status)) status = Copy();
  if (NT_SUCCESS(status)) status = MakeSection();
  if (!NT_SUCCESS(status)) return status;
  status = IoCreateDevice(driver, 0, &deviceName, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
  if (NT_SUCCESS(status)) {
    status = IoCreateSymbolicLink(&linkName, &deviceName);
    if (!NT_SUCCESS(status)) IoDeleteDevice(device);
  }
  if (!NT_SUCCESS(status)) {
    ZwClose(section);
    return status;
  }
  driver->MajorFunction[IRP_MJ_CREATE] = OpenOrClose;
  driver->MajorFunction[IRP_MJ_CLOSE] = OpenOrClose;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
  driver->DriverUnload = Unload;
  return STATUS_SUCCESS;
}
