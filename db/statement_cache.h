// StatementCache: what was made of the texts that ran last, so that the same text again is neither
// parsed nor bound nor planned.
//
//   text -> CachedScript: syntax trees, for any schema
//             for each statement   -> ReadyStatement: bound against one schema, its plans standing
//             for the only SELECT  -> Query::Plan: what Prepare answers
//
// The values of literals belong to the text; parameters do not (docs/decisions/0140).
//
// C1: what is used was bound against the schema that it is used with: the same object, not an equal
// one. ReadyStatements and plans of another schema are made again.
// C2: a ReadyStatement has one user. Whoever finds it taken makes one; the one that comes back last
// stays.
//
// Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/lru_cache.h"
#include "db/read_view.h"
#include "query/bound.h"
#include "query/parser.h"
#include "query/prepare.h"
#include "query/spare.h"
#include "schema/schema.h"
#include "trefoil/query.h"
#include "trefoil/result.h"

namespace trefoil::db {

class Engine;

// Where and how a statement reads.
struct Reading {
  const ReadView& view;
  schema::SchemaRef schema;
  const Engine& engine;
  query::RunContext context;
};

// SELECT, INSERT, UPSERT, UPDATE or DELETE, bound against `schema`. One thread at a time.
class ReadyStatement {
 public:
  // `text` is what was parsed. Errors: those of query::Bind.
  static Result<std::unique_ptr<ReadyStatement>> Make(std::string_view text,
                                                      const query::Statement& statement,
                                                      schema::SchemaRef schema);

  using Bound =
      std::variant<query::BoundQuery, query::BoundInsert, query::BoundUpdate, query::BoundDelete>;
  // The rows of VALUES stand side by side in one row of a select, so that they are computed like
  // everything else; of `rows` there is the number only.
  const Bound& bound() const { return bound_; }
  const schema::SchemaRef& schema() const { return schema_; }

  // What its select answers, and that of its RETURNING. Errors: those of query::RunSelect.
  Result<Rows> Read(std::span<const Value> parameters, const Reading& reading);
  Result<Rows> ReadReturning(std::span<const Value> parameters, const Reading& reading);

 private:
  ReadyStatement(schema::SchemaRef schema, Bound bound)
      : schema_(std::move(schema)), bound_(std::move(bound)) {}

  Result<Rows> Run(const query::BoundSelect& select, std::span<const Value> parameters,
                   const Reading& reading, query::StandingSelect& standing) const;

  const schema::SchemaRef schema_;
  const Bound bound_;
  query::StandingSelect rows_;
  query::StandingSelect returning_;
};

class CachedScript {
 public:
  explicit CachedScript(std::string_view text)
      : text_(text), parsed_(query::Parse(text_)), ready_(parsed_.statements.size()) {}

  std::string_view text() const { return text_; }
  const query::ParsedScript& parsed() const { return parsed_; }

  // Statement `i` for a run under this schema; to be given back when it went well.
  Result<std::unique_ptr<ReadyStatement>> Take(std::size_t i,
                                               const schema::SchemaRef& schema) const;
  void Give(std::size_t i, std::unique_ptr<ReadyStatement> statement) const {
    ready_[i].Give(std::move(statement));
  }

  // The text as one SELECT. Errors: those of query::Prepare.
  Result<std::shared_ptr<const Query::Plan>> Prepare(const schema::SchemaRef& schema) const;

 private:
  const std::string text_;
  const query::ParsedScript parsed_;
  mutable std::vector<query::Spare<ReadyStatement>> ready_;  // by statement
  mutable query::Spare<std::shared_ptr<const Query::Plan>> prepared_;
};

class StatementCache {
 public:
  using ScriptRef = std::shared_ptr<const CachedScript>;

  // What is kept: texts that parse, up to this length, as many as take these bytes by estimate.
  static constexpr std::size_t kTextBytesMax = 16 << 10;
  static constexpr std::size_t kBytesMax = 8 << 20;

  ScriptRef Find(std::string_view text);
  LruCache<std::string, CachedScript>::Stats stats() const { return scripts_.stats(); }

 private:
  LruCache<std::string, CachedScript> scripts_{kBytesMax, /*shards=*/1};
};

}  // namespace trefoil::db
