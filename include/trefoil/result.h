// What can fail returns a Result: a value, or an Error that says what failed, where, and what to
// do. Result<void> is called Status. The member names are those of std::expected, so that a later
// standard can take over. Both are [[nodiscard]]: an outcome is looked at or does not compile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace trefoil {

// Stable: programs branch on the code, and its name (ErrorCodeName) is part of the NDJSON contract.
enum class ErrorCode {
  kInvalidArgument,  // a call or option that can never work
  kNotFound,         // the named thing does not exist
  kAlreadyExists,    // the named thing exists and must not
  kIo,               // the operating system refused or failed
  kNoSpace,          // the device is full
  kPermission,       // the operating system denies access
  kCorruption,       // stored bytes do not verify
  kLocked,           // another process owns the database
  kNewerFormat,      // written by a newer Trefoil
  kForeignDatabase,  // bytes of another database, or a directory that is none
  kReadOnly,         // a write to a read-only database
  kPoisoned,         // an earlier sync failed; reopen the database
  kConflict,         // a concurrent commit changed what this transaction read
  kTooOld,           // the version is no longer retained
  kLimit,            // a named limit is reached
  kCancelled,        // the caller ended the operation
  kUnsupported,      // well-formed, but not offered; the message says why
  kSyntax,           // text that does not parse
  kUnknownTable,
  kUnknownColumn,
  kUnknownFunction,
  kUnknownParameter,
  kUnknownIndex,
  kAmbiguousName,
  kTypeMismatch,
  kDuplicateKey,
  kUniqueViolation,
  kNotNullViolation,
  kCheckViolation,
  kReferenceViolation,
  kSchemaConflict,  // a TABLE or INDEX declaration that contradicts the catalogue
  kOutsidePart,     // of rows that this replica of a part does not hold
};

// "unknown-column" for kUnknownColumn, and so on. Never changes once released.
std::string_view ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;  // one sentence, names the thing, found against expected
  std::string hint;     // what to do; may be empty
  int line = 0;         // 1-based place in a query or script; 0 = no text
  int column = 0;       // 1-based, in bytes

  friend bool operator==(const Error&, const Error&) = default;
};

// "error[unknown-column]: table ..." with the hint; the caller adds the source line if it has one.
std::string ToString(const Error& error);

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  template <typename U>
    requires(!std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, T> && std::is_convertible_v<U &&, T>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // The value; there must be one.
  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  template <typename U>
  T value_or(U&& fallback) && {
    return has_value() ? std::move(*this).value() : static_cast<T>(std::forward<U>(fallback));
  }

  // The error; there must be one.
  Error& error() & { return *std::get_if<1>(&state_); }
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::make_unique<Error>(std::move(error))) {}

  bool has_value() const { return error_ == nullptr; }
  explicit operator bool() const { return has_value(); }

  // The error; there must be one.
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::unique_ptr<Error> error_;  // null = success
};

using Status = Result<void>;

inline Status Ok() { return {}; }

}  // namespace trefoil
