// TokenStream: the parser's place in the tokens, its error state and its limits. The first error of
// a statement turns the rest of it into kEnd, so that every parse function runs out by itself and
// none has to look at errors.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/ast.h"
#include "query/lexer.h"
#include "trefoil/result.h"

namespace trefoil::query {

class TokenStream {
 public:
  explicit TokenStream(std::string_view text) : text_(text), tokens_(Lex(text)) {}

  // ---- looking ----
  const Token& Peek(std::size_t ahead = 0) const;
  std::string_view TextOf(const Token& token) const {
    return text_.substr(token.span.begin, token.span.end - token.span.begin);
  }
  bool AtEnd() const { return Peek().kind == TokenKind::kEnd; }
  bool AtSymbol(std::string_view symbol, std::size_t ahead = 0) const;
  bool AtWord(std::string_view lower_case_word, std::size_t ahead = 0) const;
  // A word that is not reserved, or a quoted name.
  bool AtName(std::size_t ahead = 0) const;

  // ---- taking ----
  Token Take();
  bool AcceptSymbol(std::string_view symbol);
  bool AcceptWord(std::string_view lower_case_word);
  void ExpectSymbol(std::string_view symbol);
  void ExpectWord(std::string_view lower_case_word);
  // `what` names what is expected there: "a table name".
  Name ExpectName(std::string_view what);
  // A name where a keyword may stand without quotes: before ':' and behind AS.
  Name ExpectLabel(std::string_view what);
  // The ':' between a name and its expression. Splits `a:b`, which lexes as a parameter, in two.
  bool AcceptColon();
  int TakeParameterOrdinal() { return ++parameter_count_; }

  // ---- errors ----
  bool failed() const { return failed_; }
  // Reports that `what` was expected where the stream stands.
  void FailExpected(std::string_view what);
  void Fail(Span span, ErrorCode code, std::string message, std::string hint = {});
  // Ends the error state and goes behind the next ';'.
  void Recover();
  // Begins a statement: its ? count from 1 again.
  void BeginStatement();
  int parameter_count() const { return parameter_count_; }
  std::vector<Error> TakeDiagnostics() { return std::exchange(diagnostics_, {}); }

  // ---- spans and depth ----
  std::uint32_t begin() const { return Peek().span.begin; }
  // From `begin` to the end of the last token taken.
  Span Since(std::uint32_t begin) const { return {begin, std::max(begin, last_end_)}; }

  // Bounds the recursion of the parser while it lives.
  class Nest {
   public:
    explicit Nest(TokenStream& stream) : stream_(stream) {
      if (++stream_.nesting_ > kDepthMax) stream_.FailDepth();
    }
    ~Nest() { --stream_.nesting_; }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

   private:
    TokenStream& stream_;
  };

  // Measures the height of the subtree that is built while it lives: chains like a + b + c grow
  // to the left without recursion of the parser.
  class Height {
   public:
    explicit Height(TokenStream& stream)
        : stream_(stream), outer_(std::exchange(stream.height_, 0)) {}
    ~Height() { stream_.height_ = std::max(outer_, stream_.height_); }
    Height(const Height&) = delete;
    Height& operator=(const Height&) = delete;
    // A node is put above everything built so far.
    void Grow() {
      if (++stream_.height_ > kDepthMax) stream_.FailDepth();
    }

   private:
    TokenStream& stream_;
    int outer_;
  };

 private:
  void FailDepth();

  std::string_view text_;  // outlives the stream
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t statement_begin_ = 0;
  std::uint32_t last_end_ = 0;
  int parameter_count_ = 0;
  int nesting_ = 0;
  int height_ = 0;
  bool failed_ = false;
  std::vector<Error> diagnostics_;
};

// The parts of the grammar, each in its own file.
Expr ParseExpr(TokenStream& stream);
Path ParsePath(TokenStream& stream);
TypeName ParseTypeName(TokenStream& stream);
Select ParseSelect(TokenStream& stream);
Shape ParseShape(TokenStream& stream);
// Items of a flat select, or a shape.
std::vector<Output> ParseOutputs(TokenStream& stream, bool& shaped);
std::vector<Name> ParseNames(TokenStream& stream);  // '(' name {',' name} ')'
bool AtSelect(const TokenStream& stream, std::size_t ahead = 0);

// Takes items separated by ',' until there is no ',' any more.
template <typename ParseItem>
void ParseList(TokenStream& stream, const ParseItem& parse_item) {
  do {
    parse_item();
  } while (stream.AcceptSymbol(","));
}

}  // namespace trefoil::query
