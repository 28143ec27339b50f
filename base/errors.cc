#include "base/errors.h"

#include "base/check.h"
#include "base/str_cat.h"

namespace trefoil {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid-argument";
    case ErrorCode::kNotFound:
      return "not-found";
    case ErrorCode::kAlreadyExists:
      return "already-exists";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kNoSpace:
      return "no-space";
    case ErrorCode::kPermission:
      return "permission";
    case ErrorCode::kCorruption:
      return "corruption";
    case ErrorCode::kLocked:
      return "locked";
    case ErrorCode::kNewerFormat:
      return "newer-format";
    case ErrorCode::kForeignDatabase:
      return "foreign-database";
    case ErrorCode::kReadOnly:
      return "read-only";
    case ErrorCode::kPoisoned:
      return "poisoned";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kTooOld:
      return "too-old";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kSyntax:
      return "syntax";
    case ErrorCode::kUnknownTable:
      return "unknown-table";
    case ErrorCode::kUnknownColumn:
      return "unknown-column";
    case ErrorCode::kUnknownFunction:
      return "unknown-function";
    case ErrorCode::kUnknownParameter:
      return "unknown-parameter";
    case ErrorCode::kUnknownIndex:
      return "unknown-index";
    case ErrorCode::kAmbiguousName:
      return "ambiguous-name";
    case ErrorCode::kTypeMismatch:
      return "type-mismatch";
    case ErrorCode::kDuplicateKey:
      return "duplicate-key";
    case ErrorCode::kUniqueViolation:
      return "unique-violation";
    case ErrorCode::kNotNullViolation:
      return "not-null-violation";
    case ErrorCode::kCheckViolation:
      return "check-violation";
    case ErrorCode::kReferenceViolation:
      return "reference-violation";
    case ErrorCode::kSchemaConflict:
      return "schema-conflict";
    case ErrorCode::kOutsidePart:
      return "outside-part";
  }
  Check(false, "every ErrorCode has a name");
  return {};
}

std::string ToString(const Error& error) {
  std::string text = StrCat("error[", ErrorCodeName(error.code), "]: ", error.message);
  if (!error.hint.empty()) {
    text += StrCat("; ", error.hint);
  }
  return text;
}

}  // namespace trefoil
