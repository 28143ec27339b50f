// Short ways to make the errors that the storage and engine layers return.
#pragma once

#include <string>
#include <utility>

#include "trefoil/result.h"

namespace trefoil {

inline Error MakeError(ErrorCode code, std::string message, std::string hint = {}) {
  return {.code = code, .message = std::move(message), .hint = std::move(hint)};
}
inline Error InvalidArgument(std::string message, std::string hint = {}) {
  return MakeError(ErrorCode::kInvalidArgument, std::move(message), std::move(hint));
}
inline Error NotFound(std::string message, std::string hint = {}) {
  return MakeError(ErrorCode::kNotFound, std::move(message), std::move(hint));
}
inline Error IoError(std::string message, std::string hint = {}) {
  return MakeError(ErrorCode::kIo, std::move(message), std::move(hint));
}
inline Error Corruption(std::string message, std::string hint = {}) {
  return MakeError(ErrorCode::kCorruption, std::move(message), std::move(hint));
}
inline Error LimitError(std::string message, std::string hint = {}) {
  return MakeError(ErrorCode::kLimit, std::move(message), std::move(hint));
}
inline Error Unsupported(std::string message, std::string hint = {}) {
  return MakeError(ErrorCode::kUnsupported, std::move(message), std::move(hint));
}

}  // namespace trefoil
