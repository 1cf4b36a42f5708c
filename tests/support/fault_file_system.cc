#include "support/fault_file_system.h"

#include <new>
#include <sqlite3.h>

namespace fhir_adapter::test {

struct FaultFileSystem::Registration {
  sqlite3_vfs vfs{};
};

namespace {

// The file below follows directly after this structure.
struct FaultFile {
  sqlite3_file base;
  FaultFileSystem* owner;
  sqlite3_int64 size;  // as far as it was written through here or existed
};

sqlite3_file* Below(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<FaultFile*>(file) + 1);
}
FaultFileSystem& Owner(sqlite3_file* file) {
  return *reinterpret_cast<FaultFile*>(file)->owner;
}

int Close(sqlite3_file* file) {
  return Below(file)->pMethods->xClose(Below(file));
}
int Read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  if (!Owner(file).Pass(FileOperation::kRead)) return SQLITE_IOERR_READ;
  return Below(file)->pMethods->xRead(Below(file), bytes, size, offset);
}
int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  if (!Owner(file).Pass(FileOperation::kWrite)) return SQLITE_IOERR_WRITE;
  auto* mine = reinterpret_cast<FaultFile*>(file);
  const sqlite3_int64 growth = offset + size - mine->size;
  if (growth > 0) {
    if (!Owner(file).TakeRoom(growth)) return SQLITE_FULL;
    mine->size = offset + size;
  }
  return Below(file)->pMethods->xWrite(Below(file), bytes, size, offset);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (!Owner(file).Pass(FileOperation::kTruncate)) return SQLITE_IOERR_TRUNCATE;
  reinterpret_cast<FaultFile*>(file)->size = size;
  return Below(file)->pMethods->xTruncate(Below(file), size);
}
int Sync(sqlite3_file* file, int flags) {
  if (!Owner(file).Pass(FileOperation::kSync)) return SQLITE_IOERR_FSYNC;
  return Below(file)->pMethods->xSync(Below(file), flags);
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Below(file)->pMethods->xFileSize(Below(file), size);
}
int Lock(sqlite3_file* file, int level) {
  return Below(file)->pMethods->xLock(Below(file), level);
}
int Unlock(sqlite3_file* file, int level) {
  return Below(file)->pMethods->xUnlock(Below(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* result) {
  return Below(file)->pMethods->xCheckReservedLock(Below(file), result);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Below(file)->pMethods->xFileControl(Below(file), operation, argument);
}
int SectorSize(sqlite3_file* file) {
  return Below(file)->pMethods->xSectorSize(Below(file));
}
int DeviceCharacteristics(sqlite3_file* file) {
  return Below(file)->pMethods->xDeviceCharacteristics(Below(file));
}
int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  return Below(file)->pMethods->xShmMap(Below(file), page, size, extend, memory);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Below(file)->pMethods->xShmLock(Below(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) {
  Below(file)->pMethods->xShmBarrier(Below(file));
}
int ShmUnmap(sqlite3_file* file, int remove) {
  return Below(file)->pMethods->xShmUnmap(Below(file), remove);
}

const sqlite3_io_methods kMethods = {2,
                                     Close,
                                     Read,
                                     Write,
                                     Truncate,
                                     Sync,
                                     FileSize,
                                     Lock,
                                     Unlock,
                                     CheckReservedLock,
                                     FileControl,
                                     SectorSize,
                                     DeviceCharacteristics,
                                     ShmMap,
                                     ShmLock,
                                     ShmBarrier,
                                     ShmUnmap,
                                     nullptr,
                                     nullptr};

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto* owner = static_cast<FaultFileSystem*>(vfs->pAppData);
  sqlite3_vfs* below = sqlite3_vfs_find("unix");
  auto* mine = new (file) FaultFile{{nullptr}, owner, 0};
  if (!owner->Pass(FileOperation::kOpen)) return SQLITE_CANTOPEN;
  const int code = below->xOpen(below, path, Below(file), flags, out_flags);
  if (code != SQLITE_OK) return code;
  Below(file)->pMethods->xFileSize(Below(file), &mine->size);
  mine->base.pMethods = &kMethods;
  return SQLITE_OK;
}

}  // namespace

FaultFileSystem::FaultFileSystem() : registration_(new Registration) {
  static std::atomic<int> serial{0};
  name_ = "fault" + std::to_string(++serial);
  const sqlite3_vfs* below = sqlite3_vfs_find("unix");
  registration_->vfs = *below;  // everything but Open is the system's
  registration_->vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + below->szOsFile;
  registration_->vfs.zName = name_.c_str();
  registration_->vfs.pAppData = this;
  registration_->vfs.xOpen = Open;
  sqlite3_vfs_register(&registration_->vfs, 0);
}

FaultFileSystem::~FaultFileSystem() {
  sqlite3_vfs_unregister(&registration_->vfs);
  delete registration_;
}

void FaultFileSystem::Fail(FileOperation operation, std::int64_t nth, bool for_ever) {
  countdown_ = nth;
  for_ever_ = for_ever;
  failing_ = static_cast<int>(operation);
}

void FaultFileSystem::Heal() {
  failing_ = -1;
  room_ = -1;
}

bool FaultFileSystem::Pass(FileOperation operation) {
  ++counts_[static_cast<int>(operation)];
  if (failing_ != static_cast<int>(operation)) return true;
  const std::int64_t left = --countdown_;
  return for_ever_ ? left > 0 : left != 0;
}

bool FaultFileSystem::TakeRoom(std::int64_t bytes) {
  if (room_ < 0) return true;
  if (room_ < bytes) return false;
  room_ -= bytes;
  return true;
}

}  // namespace fhir_adapter::test
