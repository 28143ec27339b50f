// Lexer: text to tokens, once, before parsing. Never fails: bytes that begin no token become one
// kBad token that says why. Comments (-- to the end of the line, /* nested */) are dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/ast.h"

namespace trefoil::query {

enum class TokenKind : std::uint8_t {
  kEnd,
  kWord,        // name or keyword, as written
  kQuotedName,  // "name"
  kInteger,     // digits
  kDecimal,     // digits with a point
  kFloat,       // with an exponent
  kText,        // 'text'
  kBytes,       // x'00ff'
  kParameter,   // :name
  kSymbol,      // one of the operators and brackets, see Token::symbol
  kBad,
};

// Symbols of two characters are the first plus 256 times the second: Symbol("<=").
constexpr std::uint16_t Symbol(std::string_view text) {
  return static_cast<std::uint16_t>(text.size() == 1 ? text[0] : text[0] + 256 * text[1]);
}

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::uint16_t symbol = 0;  // kSymbol only
  Span span;
};

// The last token is kEnd. `text` must be at most kTextBytesMax long.
std::vector<Token> Lex(std::string_view text);

// Why the bytes of a kBad token are no token: one sentence.
std::string_view BadTokenReason(std::string_view token_text);

// The content of a kText, kQuotedName or kBytes token.
std::string Unquote(std::string_view token_text);

// True for the words that are never a name unless quoted.
bool IsReserved(std::string_view word);

// `name` if it lexes as one word that is not reserved, else quoted.
std::string QuoteName(std::string_view name);

}  // namespace trefoil::query
