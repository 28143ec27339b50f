// The Env of a POSIX machine: pread, pwrite, fdatasync, fsync of directories, flock, mmap.
// flock belongs to the open file and not to the process, so a second open of the same process is
// kept out like any other holder, and the lock goes when its process dies.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/coding.h"
#include "base/env.h"
#include "base/random.h"

namespace trefoil {

namespace {

constexpr std::string_view kMapped = "a mapped file must keep its size";
constexpr std::size_t kCopyBytes = std::size_t{1} << 20;

ErrorCode CodeOf(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case EACCES:
    case EPERM:
    case EROFS:
    case EBADF:  // a write to a file opened for reading
      return ErrorCode::kPermission;
    case EWOULDBLOCK:
      return ErrorCode::kLocked;
    case EINVAL:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kIo;
  }
}

Error PosixError(std::string_view operation, std::string_view path, int number) {
  return EnvError(CodeOf(number), operation, path, std::generic_category().message(number));
}

// Repeats a call that a signal interrupted.
template <typename Call>
auto Retry(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// Owns an open file.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

Result<Descriptor> OpenDescriptor(std::string_view operation, const std::string& path, int flags) {
  const int number = Retry([&] { return open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (number < 0) return PosixError(operation, path, errno);
  return Descriptor(number);
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}
  ~PosixFile() override {
    for (const Mapping& mapping : mappings_) munmap(mapping.bytes.data(), mapping.bytes.size());
  }

  const std::string& path() const override { return path_; }

  Result<std::uint64_t> Size() const override {
    struct stat status;
    if (fstat(fd(), &status) != 0) return PosixError("size", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Status ReadAt(std::uint64_t offset, std::span<char> buffer) const override {
    while (!buffer.empty()) {
      const ssize_t count = Retry(
          [&] { return pread(fd(), buffer.data(), buffer.size(), static_cast<off_t>(offset)); });
      if (count < 0) return PosixError("read", path_, errno);
      if (count == 0) {
        return EnvError(ErrorCode::kCorruption, "read", path_, "the file ends before the bytes");
      }
      buffer = buffer.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return Ok();
  }

  Status WriteAt(std::uint64_t offset, Slice bytes) override {
    if (Status fits = CheckGrowth("write", offset + bytes.size()); !fits) return fits;
    while (!bytes.empty()) {
      const ssize_t count = Retry(
          [&] { return pwrite(fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (count < 0) return PosixError("write", path_, errno);
      bytes.RemovePrefix(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return Ok();
  }

  Status Sync() override {
    // Not repeated after EINTR or any other failure: the kernel may have dropped the dirty pages.
    if (fdatasync(fd()) != 0) return PosixError("sync", path_, errno);
    return Ok();
  }

  Status Allocate(std::uint64_t size_bytes) override {
    if (Status fits = CheckGrowth("allocate", size_bytes); !fits) return fits;
    Result<std::uint64_t> size = Size();
    if (!size) return std::move(size).error();
    const std::string zeros(std::min<std::uint64_t>(kCopyBytes, size_bytes), '\0');
    for (std::uint64_t at = *size; at < size_bytes;) {
      const std::uint64_t count = std::min<std::uint64_t>(zeros.size(), size_bytes - at);
      if (Status written = WriteAt(at, Slice(zeros).Prefix(count)); !written) return written;
      at += count;
    }
    return Ok();
  }

  Status Truncate(std::uint64_t size_bytes) override {
    const bool mapped = [this] {
      const std::lock_guard lock(mutex_);
      return !mappings_.empty();
    }();
    if (mapped) {
      return EnvError(ErrorCode::kInvalidArgument, "truncate", path_, kMapped);
    }
    const int result = Retry([&] { return ftruncate(fd(), static_cast<off_t>(size_bytes)); });
    if (result != 0) return PosixError("truncate", path_, errno);
    return Ok();
  }

  Result<std::span<char>> Map(std::uint64_t size_bytes, bool writable) override {
    Result<std::uint64_t> size = Size();
    if (!size) return std::move(size).error();
    if (size_bytes == 0 || size_bytes > *size) {
      return EnvError(ErrorCode::kInvalidArgument, "map", path_, "the file has no such bytes");
    }
    const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void* address = mmap(nullptr, size_bytes, protection, MAP_SHARED, fd(), 0);
    if (address == MAP_FAILED) return PosixError("map", path_, errno);
    const std::span<char> bytes(static_cast<char*>(address), size_bytes);
    const std::lock_guard lock(mutex_);
    mapped_size_ = *size;
    mappings_.push_back({.bytes = bytes, .writable = writable});
    return bytes;
  }

  void WillNeed(std::uint64_t offset, std::uint64_t size_bytes) const override {
    const std::lock_guard lock(mutex_);
    for (const Mapping& mapping : mappings_) {
      if (offset >= mapping.bytes.size()) continue;
      const std::uint64_t start = offset & ~std::uint64_t{4095};  // madvise wants whole pages
      const std::uint64_t end = std::min<std::uint64_t>(mapping.bytes.size(), offset + size_bytes);
      // A kernel without MADV_POPULATE_WRITE says no, and the stores fault the pages in.
      madvise(mapping.bytes.data() + start, end - start,
              mapping.writable ? MADV_POPULATE_WRITE : MADV_WILLNEED);
    }
    if (mappings_.empty()) {
      posix_fadvise(fd(), static_cast<off_t>(offset), static_cast<off_t>(size_bytes),
                    POSIX_FADV_WILLNEED);
    }
  }

 private:
  struct Mapping {
    std::span<char> bytes;
    bool writable;
  };

  int fd() const { return descriptor_.number(); }

  // A mapped file keeps its size.
  Status CheckGrowth(std::string_view operation, std::uint64_t size_bytes) const {
    const std::lock_guard lock(mutex_);
    if (mappings_.empty() || size_bytes <= mapped_size_) return Ok();
    return EnvError(ErrorCode::kInvalidArgument, operation, path_, kMapped);
  }

  const std::string path_;
  const Descriptor descriptor_;
  mutable std::mutex mutex_;
  std::vector<Mapping> mappings_;  // guarded by mutex_
  std::uint64_t mapped_size_ = 0;  // of the file while mapped; guarded by mutex_
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;  // closing it ends the lock
};

class PosixEnv final : public Env {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    int flags = O_RDWR;
    if (mode == OpenMode::kRead) flags = O_RDONLY;
    if (mode == OpenMode::kCreate) flags = O_RDWR | O_CREAT | O_EXCL;
    Result<Descriptor> descriptor = OpenDescriptor("open", path, flags);
    if (!descriptor) return std::move(descriptor).error();
    struct stat status;
    if (fstat(descriptor->number(), &status) != 0) return PosixError("open", path, errno);
    if (S_ISDIR(status.st_mode)) return PosixError("open", path, EISDIR);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(path, *std::move(descriptor)));
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0) return PosixError("remove", path, errno);
    return Ok();
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat status;
    if (stat(path.c_str(), &status) == 0) return true;
    if (CodeOf(errno) == ErrorCode::kNotFound) return false;
    return PosixError("find", path, errno);
  }

  Status CreateDirectory(const std::string& path) override {
    if (mkdir(path.c_str(), 0755) != 0) return PosixError("create directory", path, errno);
    return Ok();
  }

  Status RemoveDirectory(const std::string& path) override {
    if (rmdir(path.c_str()) != 0) return PosixError("remove directory", path, errno);
    return Ok();
  }

  Result<std::vector<std::string>> List(const std::string& path) override {
    const auto close_directory = [](DIR* directory) { closedir(directory); };
    const std::unique_ptr<DIR, decltype(close_directory)> directory(opendir(path.c_str()),
                                                                    close_directory);
    if (directory == nullptr) return PosixError("list", path, errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return PosixError("list", path, errno);
    std::ranges::sort(names);
    return names;
  }

  Status SyncDirectory(const std::string& path) override {
    Result<Descriptor> directory = OpenDescriptor("sync directory", path, O_RDONLY | O_DIRECTORY);
    if (!directory) return std::move(directory).error();
    if (fsync(directory->number()) != 0) return PosixError("sync directory", path, errno);
    return Ok();
  }

  Status Link(const std::string& from, const std::string& to) override {
    if (link(from.c_str(), to.c_str()) == 0) return Ok();
    const bool not_offered =
        errno == EXDEV || errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK;
    if (not_offered) return Copy(from, to);
    return PosixError("link", from + " -> " + to, errno);
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    Result<Descriptor> descriptor = OpenDescriptor("lock", path, O_RDWR | O_CREAT);
    if (!descriptor) return std::move(descriptor).error();
    const int result = Retry([&] { return flock(descriptor->number(), LOCK_EX | LOCK_NB); });
    if (result != 0) {
      if (errno == EWOULDBLOCK) {
        return EnvError(ErrorCode::kLocked, "lock", path, "another holder has it open");
      }
      return PosixError("lock", path, errno);
    }
    return std::unique_ptr<FileLock>(std::make_unique<PosixLock>(*std::move(descriptor)));
  }

  // The number of its node and the moment of its birth. The device is left out: its number may be
  // another after a restart of the machine.
  Result<std::string> DirectoryIdentity(const std::string& path) override {
    struct statx status = {};
    if (statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &status) != 0) {
      return PosixError("identify", path, errno);
    }
    std::uint64_t birth = 0;  // where the file system does not know
    if ((status.stx_mask & STATX_BTIME) != 0) {
      birth = static_cast<std::uint64_t>(status.stx_btime.tv_sec) * 1'000'000'000 +
              status.stx_btime.tv_nsec;
    }
    std::string identity;
    AppendFixed64(identity, status.stx_ino);
    AppendFixed64(identity, birth);
    return identity;
  }

  void RandomBytes(std::span<char> bytes) override { SecureRandomBytes(bytes); }

 private:
  // As durable as a link of a synced file would be.
  Status Copy(const std::string& from, const std::string& to) {
    Result<std::unique_ptr<File>> source = Open(from, OpenMode::kRead);
    if (!source) return std::move(source).error();
    Result<std::uint64_t> size = (*source)->Size();
    if (!size) return std::move(size).error();
    Result<std::unique_ptr<File>> target = Open(to, OpenMode::kCreate);
    if (!target) return std::move(target).error();
    std::string buffer;
    for (std::uint64_t at = 0; at < *size; at += buffer.size()) {
      buffer.resize(std::min<std::uint64_t>(kCopyBytes, *size - at));
      if (Status read = (*source)->ReadAt(at, buffer); !read) return read;
      if (Status written = (*target)->WriteAt(at, buffer); !written) return written;
    }
    return (*target)->Sync();
  }
};

}  // namespace

Env& Env::Posix() {
  static PosixEnv env;
  return env;
}

}  // namespace trefoil
