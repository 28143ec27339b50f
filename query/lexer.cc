#include "query/lexer.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace trefoil::query {

namespace {

constexpr std::array<std::string_view, 46> kReserved = {
    "all",   "and",   "as",       "asc",       "between", "by",     "case",   "cast",
    "cross", "desc",  "distinct", "else",      "end",     "except", "exists", "false",
    "from",  "full",  "group",    "having",    "ilike",   "in",     "inner",  "intersect",
    "is",    "join",  "left",     "like",      "limit",   "not",    "null",   "on",
    "or",    "order", "right",    "select",    "then",    "true",   "union",  "using",
    "when",  "where", "with",     "returning", "offset",  "of",
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (ToLowerAscii(c) >= 'a' && ToLowerAscii(c) <= 'f'); }
bool IsWordStart(char c) {
  return (ToLowerAscii(c) >= 'a' && ToLowerAscii(c) <= 'z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsWordPart(char c) { return IsWordStart(c) || IsDigit(c) || c == '$'; }
bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> Run() {
    std::vector<Token> tokens;
    tokens.reserve(text_.size() / 4 + 1);
    while (true) {
      SkipBlanks();
      begin_ = at_;
      tokens.push_back(Next());
      if (tokens.back().kind == TokenKind::kEnd) return tokens;
    }
  }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Token Make(TokenKind kind) const {
    return {.kind = kind,
            .span = {static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(at_)}};
  }

  void SkipBlanks() {
    while (at_ < text_.size()) {
      if (IsSpace(Peek())) {
        ++at_;
      } else if (Peek() == '-' && Peek(1) == '-') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (Peek() == '/' && Peek(1) == '*' && SkipBlockComment()) {
        continue;
      } else {
        return;
      }
    }
  }

  // False when the comment does not end: it is then left to become a kBad token.
  bool SkipBlockComment() {
    std::size_t depth = 0;
    for (std::size_t i = at_; i + 1 < text_.size(); ++i) {
      if (text_[i] == '/' && text_[i + 1] == '*') {
        ++depth;
        ++i;
      } else if (text_[i] == '*' && text_[i + 1] == '/') {
        ++i;
        if (--depth == 0) {
          at_ = i + 1;
          return true;
        }
      }
    }
    return false;
  }

  Token Next() {
    if (at_ == text_.size()) return Make(TokenKind::kEnd);
    const char c = Peek();
    if ((c == 'x' || c == 'X') && Peek(1) == '\'') {
      ++at_;
      return HexBytes();
    }
    if (IsWordStart(c)) {
      while (IsWordPart(Peek())) ++at_;
      return Make(TokenKind::kWord);
    }
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    if (c == '\'') return Quoted('\'', TokenKind::kText);
    if (c == '"') return Quoted('"', TokenKind::kQuotedName);
    if (c == ':' && IsWordStart(Peek(1))) {
      ++at_;
      while (IsWordPart(Peek())) ++at_;
      return Make(TokenKind::kParameter);
    }
    return Punctuation();
  }

  Token Quoted(char quote, TokenKind kind) {
    ++at_;
    while (at_ < text_.size()) {
      if (text_[at_++] != quote) continue;
      if (Peek() != quote) return Make(kind);
      ++at_;
    }
    return Make(TokenKind::kBad);
  }

  Token HexBytes() {
    const Token token = Quoted('\'', TokenKind::kBytes);
    const std::string_view digits = text_.substr(begin_ + 2, at_ - begin_ - 3);
    const bool good = token.kind == TokenKind::kBytes && digits.size() % 2 == 0 &&
                      std::ranges::all_of(digits, IsHexDigit);
    return good ? token : Make(TokenKind::kBad);
  }

  Token Number() {
    TokenKind kind = TokenKind::kInteger;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.' && IsDigit(Peek(1))) {
      kind = TokenKind::kDecimal;
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    const bool is_signed = Peek(1) == '+' || Peek(1) == '-';
    if (ToLowerAscii(Peek()) == 'e' && IsDigit(Peek(is_signed ? 2 : 1))) {
      kind = TokenKind::kFloat;
      at_ += is_signed ? 2 : 1;
      while (IsDigit(Peek())) ++at_;
    }
    if (!IsWordPart(Peek())) return Make(kind);
    while (IsWordPart(Peek())) ++at_;
    return Make(TokenKind::kBad);
  }

  Token Punctuation() {
    constexpr std::array<std::string_view, 7> kPairs = {"<=", ">=", "<>", "!=", "||", "+=", "-="};
    const std::string_view pair = text_.substr(at_, 2);
    constexpr std::string_view kSingles = "()[]{},;.:=<>+-*/%?";
    Token token;
    if (std::ranges::find(kPairs, pair) != kPairs.end()) {
      at_ += 2;
      token = Make(TokenKind::kSymbol);
      token.symbol = Symbol(pair);
    } else if (pair == "/*") {
      at_ = text_.size();
      token = Make(TokenKind::kBad);
    } else if (kSingles.find(Peek()) != std::string_view::npos) {
      token.symbol = Symbol(text_.substr(at_++, 1));
      token.span = Make(TokenKind::kSymbol).span;
      token.kind = TokenKind::kSymbol;
    } else {
      ++at_;
      token = Make(TokenKind::kBad);
    }
    return token;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;  // of the current token
};

unsigned HexValue(char c) {
  return static_cast<unsigned>(IsDigit(c) ? c - '0' : ToLowerAscii(c) - 'a' + 10);
}

}  // namespace

std::vector<Token> Lex(std::string_view text) { return Lexer(text).Run(); }

std::string_view BadTokenReason(std::string_view token_text) {
  if (token_text.starts_with('\'')) return "this text has no closing '";
  if (token_text.starts_with('"')) return "this quoted name has no closing \"";
  if (token_text.starts_with("/*")) return "this comment has no closing */";
  if (token_text.size() > 1 && token_text[1] == '\'') {
    return "a bytes literal is x'...' with an even number of hexadecimal digits";
  }
  if (!token_text.empty() && (IsDigit(token_text[0]) || token_text[0] == '.')) {
    return "a number must not run into a name";
  }
  return "this character begins nothing in TreeSQL";
}

std::string Unquote(std::string_view token_text) {
  std::string content;
  if (token_text[0] != '\'' && token_text[0] != '"') {  // x'..'
    for (std::size_t i = 2; i + 2 < token_text.size(); i += 2) {
      content += static_cast<char>(HexValue(token_text[i]) * 16 + HexValue(token_text[i + 1]));
    }
    return content;
  }
  for (std::size_t i = 1; i + 1 < token_text.size(); ++i) {
    content += token_text[i];
    if (token_text[i] == token_text[0]) ++i;
  }
  return content;
}

bool IsReserved(std::string_view word) {
  return std::ranges::find(kReserved, ToLowerAscii(word)) != kReserved.end();
}

std::string QuoteName(std::string_view name) {
  const bool plain = !name.empty() && IsWordStart(name[0]) &&
                     std::ranges::all_of(name, IsWordPart) && !IsReserved(name);
  if (plain) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + '"';
}

}  // namespace trefoil::query
