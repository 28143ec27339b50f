#include "query/token_stream.h"

#include "base/ascii.h"
#include "base/str_cat.h"
#include "query/diagnostic.h"

namespace trefoil::query {

namespace {

constexpr Token kEndToken;
// A found token is quoted in a message up to this length.
constexpr std::size_t kShownBytesMax = 24;

}  // namespace

const Token& TokenStream::Peek(std::size_t ahead) const {
  if (failed_) return kEndToken;
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

bool TokenStream::AtSymbol(std::string_view symbol, std::size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kSymbol && token.symbol == Symbol(symbol);
}

bool TokenStream::AtWord(std::string_view lower_case_word, std::size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kWord && EqualIgnoringCase(TextOf(token), lower_case_word);
}

bool TokenStream::AtName(std::size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kQuotedName ||
         (token.kind == TokenKind::kWord && !IsReserved(TextOf(token)));
}

Token TokenStream::Take() {
  const Token token = Peek();
  if (token.kind == TokenKind::kEnd) return token;
  last_end_ = token.span.end;
  ++at_;
  if (at_ - statement_begin_ > kStatementTokensMax) {
    Fail(token.span, ErrorCode::kLimit,
         StrCat("a statement has at most ", kStatementTokensMax, " tokens (limit: statement size)"),
         "split it into several statements");
  }
  return token;
}

bool TokenStream::AcceptSymbol(std::string_view symbol) {
  if (!AtSymbol(symbol)) return false;
  Take();
  return true;
}

bool TokenStream::AcceptWord(std::string_view lower_case_word) {
  if (!AtWord(lower_case_word)) return false;
  Take();
  return true;
}

void TokenStream::ExpectSymbol(std::string_view symbol) {
  if (!AcceptSymbol(symbol)) FailExpected(StrCat("\"", symbol, "\""));
}

void TokenStream::ExpectWord(std::string_view lower_case_word) {
  if (AcceptWord(lower_case_word)) return;
  std::string upper(lower_case_word);
  for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
  FailExpected(upper);
}

Name TokenStream::ExpectName(std::string_view what) {
  if (!AtName()) {
    FailExpected(what);
    return {};
  }
  const Token token = Take();
  Name name{std::string(TextOf(token)), token.span};
  if (token.kind == TokenKind::kQuotedName) name.text = Unquote(name.text);
  if (name.text.empty()) Fail(token.span, ErrorCode::kSyntax, "a quoted name must not be empty");
  return name;
}

Name TokenStream::ExpectLabel(std::string_view what) {
  if (Peek().kind != TokenKind::kWord) return ExpectName(what);
  const Token token = Take();
  return {std::string(TextOf(token)), token.span};
}

bool TokenStream::AcceptColon() {
  if (AcceptSymbol(":")) return true;
  const Token& token = Peek();
  if (token.kind != TokenKind::kParameter || token.span.begin != last_end_) return false;
  last_end_ = ++tokens_[at_].span.begin;
  tokens_[at_].kind = TokenKind::kWord;
  return true;
}

void TokenStream::FailExpected(std::string_view what) {
  const Token& token = Peek();
  if (token.kind == TokenKind::kBad) {
    Fail(token.span, ErrorCode::kSyntax, std::string(BadTokenReason(TextOf(token))));
    return;
  }
  std::string found = "the end of the text";
  std::string hint;
  if (token.kind != TokenKind::kEnd) {
    const std::string_view shown = TextOf(token);
    found = StrCat("\"", shown.substr(0, kShownBytesMax),
                   shown.size() > kShownBytesMax ? "...\"" : "\"");
    if (token.kind == TokenKind::kWord && IsReserved(shown)) {
      hint = StrCat(shown, " is a keyword; as a name it is written \"", shown, "\" with quotes");
    }
  }
  Fail(token.span, ErrorCode::kSyntax, StrCat("expected ", what, ", found ", found),
       std::move(hint));
}

void TokenStream::Fail(Span span, ErrorCode code, std::string message, std::string hint) {
  if (failed_) return;
  diagnostics_.push_back(ErrorAt(text_, span, code, std::move(message), std::move(hint)));
  failed_ = true;
}

void TokenStream::FailDepth() {
  Fail(Peek().span, ErrorCode::kLimit,
       StrCat("expressions and selects nest at most ", kDepthMax, " deep (limit: depth)"),
       "simplify the statement, or split it with WITH");
}

void TokenStream::Recover() {
  failed_ = false;
  while (!AtEnd() && !AtSymbol(";")) ++at_;
  last_end_ = begin();
  AcceptSymbol(";");
}

void TokenStream::BeginStatement() {
  parameter_count_ = 0;
  height_ = 0;
  statement_begin_ = at_;
}

}  // namespace trefoil::query
