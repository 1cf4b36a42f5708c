#include "core/secret_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"

namespace fhir_adapter {
namespace {

class Descriptor {
 public:
  // Without waiting: a pipe that nobody writes to is refused like every file that is not a regular one.
  explicit Descriptor(const std::string& file)
      : value_(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  const int value_;
};

Failure Refuse(const std::string& file, const std::string& reason) {
  return Fail(Code::kConfiguration, reason, Location{file, 0, 0, ""});
}

Failure CannotBeRead(const std::string& file, int error) {
  const Code code = error == ENOENT ? Code::kFileNotFound : Code::kConfiguration;
  return Fail(code, std::string("the secret cannot be read: ") + std::strerror(error),
              Location{file, 0, 0, ""});
}

}  // namespace

Result<std::string> ReadOwnersFile(const std::string& file, std::size_t bytes_max) {
  const Descriptor descriptor(file);
  struct stat status{};
  if (descriptor.value() < 0 || fstat(descriptor.value(), &status) != 0) return CannotBeRead(file, errno);
  if (!S_ISREG(status.st_mode)) return Refuse(file, "the secret is not a regular file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Refuse(file, "others may read this secret: chmod 600");
  }
  std::string content(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(descriptor.value(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return CannotBeRead(file, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > bytes_max) {
    return Refuse(file, "the secret is too long");
  }
  content.resize(size);
  return content;
}

Result<std::string> ReadSecret(const std::string& file) {
  constexpr std::size_t kLineEndBytesMax = 2;
  ADAPTER_TRY(std::string secret, ReadOwnersFile(file, limits::kSecretBytesMax + kLineEndBytesMax));
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) return Refuse(file, "the secret is empty");
  if (secret.size() > limits::kSecretBytesMax) {
    return Refuse(file, "the secret is too long");
  }
  // A line end would let the file write headers of its own.
  if (secret.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return Refuse(file, "the secret must be one line");
  }
  return secret;
}

}  // namespace fhir_adapter
