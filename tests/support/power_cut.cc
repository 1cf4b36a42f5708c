// A library to be preloaded: what a power cut would leave of some files. Only bytes that were synced survive.
//
// POWER_CUT_PREFIX names the files by the beginning of their absolute path, POWER_CUT_IMAGE a folder. Each
// fsync or fdatasync of such a file copies it, as it is, to the image, whole or not at all; unlink and rename
// are carried out there too. After the process was killed, the files of the image are what a disk without its
// cache would hold.
// `-shm` files are memory and have no image. The sync itself is left out: the page cache outlives a killed
// process.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <sys/types.h>
#include <unistd.h>

namespace {

bool IsWatched(const std::string& path) {
  const char* prefix = std::getenv("POWER_CUT_PREFIX");
  return prefix != nullptr && path.rfind(prefix, 0) == 0 && path.find("-shm") == std::string::npos;
}

std::string ImageOf(const std::string& path) {
  return std::string(std::getenv("POWER_CUT_IMAGE")) + "/" + path.substr(path.rfind('/') + 1);
}

std::string PathOf(int file) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  char path[4096];
  const ssize_t size = readlink(link, path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

template <class Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

bool Copy(const std::string& path) {
  const std::string image = ImageOf(path);
  const std::string fresh = image + ".fresh";
  const int from = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int to = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool done = from >= 0 && to >= 0;
  char bytes[65536];
  ssize_t size = 0;
  while (done && (size = read(from, bytes, sizeof bytes)) > 0)
    done = write(to, bytes, static_cast<std::size_t>(size)) == size;
  close(from);
  close(to);
  return done && size == 0 &&
         Next<int (*)(const char*, const char*)>("rename")(fresh.c_str(), image.c_str()) == 0;
}

int Sync(int file, const char* name) {
  const std::string path = PathOf(file);
  if (!IsWatched(path)) return Next<int (*)(int)>(name)(file);
  if (!Copy(path)) std::abort();
  return 0;
}

}  // namespace

extern "C" {

int fsync(int file) {
  return Sync(file, "fsync");
}

int fdatasync(int file) {
  return Sync(file, "fdatasync");
}

int unlink(const char* path) noexcept {
  if (IsWatched(path)) Next<int (*)(const char*)>("unlink")(ImageOf(path).c_str());
  return Next<int (*)(const char*)>("unlink")(path);
}

int rename(const char* from, const char* to) noexcept {
  if (IsWatched(from))
    Next<int (*)(const char*, const char*)>("rename")(ImageOf(from).c_str(), ImageOf(to).c_str());
  return Next<int (*)(const char*, const char*)>("rename")(from, to);
}
}
