#include "base/file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/coding.h"
#include "base/env.h"
#include "base/errors.h"

namespace trefoil {

Result<std::string> FileIdentity(const std::string& path) {
  struct statx status = {};
  // The device is left out: its number may be another after a restart of the machine.
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &status) != 0) {
    const ErrorCode code = errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound
                           : errno == EACCES                   ? ErrorCode::kPermission
                                                               : ErrorCode::kIo;
    return EnvError(code, "identify", path, std::strerror(errno));
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

}  // namespace trefoil
