#include "db/execute.h"

#include <optional>
#include <utility>

#include "base/errors.h"
#include "base/str_cat.h"
#include "db/explain_query.h"
#include "db/statement_writer.h"
#include "db/triple_source.h"
#include "query/binder.h"
#include "query/ddl.h"
#include "query/diagnostic.h"
#include "query/parser.h"
#include "query/plan.h"
#include "query/to_expression.h"

namespace trefoil::db {

namespace {

using query::BindInput;

// Runs the statements of one script.
class ScriptRunner {
 public:
  ScriptRunner(Engine& engine, const CachedScript& script, const Params& params,
               const RunOptions& options)
      : engine_(engine),
        script_(script),
        text_(script.text()),
        params_(params),
        options_(options) {}

  // `outer` is the caller's transaction, which no statement may end; null: there is none.
  Result<ExecuteSummary> Run(WriteTransaction* outer) {
    const query::ParsedScript& parsed = script_.parsed();
    ExecuteSummary summary;
    for (std::size_t i = 0; i < parsed.statements.size(); ++i) {
      if (std::holds_alternative<std::monostate>(parsed.statements[i].node)) break;
      Result<StatementResult> result = RunOne(i, outer);
      if (!result) return std::move(result).error();
      summary.statements.push_back(*std::move(result));
    }
    if (!parsed.diagnostics.empty()) return parsed.diagnostics.front();
    if (transaction_ != nullptr) {
      return InvalidArgument("the script ends inside a transaction, which was rolled back",
                             "end it with COMMIT or ROLLBACK");
    }
    return summary;
  }

 private:
  // Statement `i` of the script.
  Result<StatementResult> RunOne(std::size_t i, WriteTransaction* outer) {
    const query::Statement& statement = script_.parsed().statements[i];
    if (const auto* verb = std::get_if<query::TransactionStatement>(&statement.node)) {
      if (outer != nullptr) {
        return query::ErrorAt(text_, statement.span, ErrorCode::kInvalidArgument,
                              "this transaction is ended by its owner, not by a statement");
      }
      return RunVerb(*verb, statement.span);
    }
    WriteTransaction* open = outer != nullptr ? outer : transaction_.get();
    if (std::holds_alternative<query::SelectStatement>(statement.node)) return RunSelect(i, open);
    if (const auto* explain = std::get_if<query::ExplainStatement>(&statement.node)) {
      return RunExplain(*explain, open);
    }
    if (IsDeclaration(statement)) return RunDeclaration(statement, open);
    return RunWriting(i, open);
  }

  Result<StatementResult> RunVerb(const query::TransactionStatement& statement, query::Span span) {
    const auto misplaced = [&](const char* message) {
      return query::ErrorAt(text_, span, ErrorCode::kInvalidArgument, message);
    };
    if (statement.verb == query::TransactionVerb::kBegin) {
      if (transaction_ != nullptr) return misplaced("a transaction is already open");
      transaction_ = engine_.Begin();
      return StatementResult{.version = transaction_->base()->version()};
    }
    if (transaction_ == nullptr) return misplaced("no transaction is open");
    const std::unique_ptr<WriteTransaction> ended = std::move(transaction_);
    if (statement.verb == query::TransactionVerb::kRollback) {
      return StatementResult{.version = engine_.version()};
    }
    const Result<CommitInfo> commit = engine_.Commit(*ended, DurabilityOf(statement.durability));
    if (!commit) return commit.error();
    return StatementResult{.affected = 0, .version = commit->version};
  }

  static Durability DurabilityOf(query::CommitDurability durability) {
    switch (durability) {
      case query::CommitDurability::kDefault:
        return Durability::kDefault;
      case query::CommitDurability::kRelaxed:
        return Durability::kRelaxed;
      case query::CommitDurability::kDurable:
        return Durability::kDurable;
    }
    return Durability::kDefault;
  }

  // The state that a reading statement sees: the open transaction's, a past one, or the present.
  struct State {
    PinnedRef pinned;
    const ReadView* view = nullptr;
    schema::SchemaRef schema;
    Version version{};
  };

  State Present(const WriteTransaction* open) const {
    if (open != nullptr) {
      return {.view = &open->view(), .schema = open->schema(), .version = open->base()->version()};
    }
    return Of(engine_.Pin());
  }

  static State Of(PinnedRef pinned) {
    State state{.pinned = std::move(pinned)};
    state.view = &state.pinned->view();
    state.schema = state.pinned->schema();
    state.version = state.pinned->version();
    return state;
  }

  Result<State> PastState(const query::BoundAsOf& as_of, std::span<const Value> parameters) const {
    const Value value = ConstantOf(as_of.value, parameters);
    Result<PinnedRef> pinned =
        as_of.is_version ? engine_.PinAt(Version{static_cast<std::uint64_t>(value.AsInt())})
                         : engine_.PinAt(std::chrono::system_clock::time_point(
                               std::chrono::duration_cast<std::chrono::system_clock::duration>(
                                   std::chrono::microseconds(value.AsInt()))));
    if (!pinned) return std::move(pinned).error();
    return Of(*std::move(pinned));
  }

  static Value ConstantOf(const query::BoundExpr& expr, std::span<const Value> parameters) {
    if (const auto* constant = std::get_if<query::Constant>(&expr.node)) return constant->value;
    if (const auto* parameter = std::get_if<query::ParameterRef>(&expr.node)) {
      return parameters[parameter->parameter];
    }
    return {};
  }

  Result<StatementResult> RunSelect(std::size_t i, const WriteTransaction* open) {
    State state = Present(open);
    Result<std::unique_ptr<ReadyStatement>> ready = script_.Take(i, state.schema);
    if (!ready) return std::move(ready).error();
    const auto& bound = std::get<query::BoundQuery>((*ready)->bound());
    const query::RunContext context = ContextOf(engine_.clock(), options_);
    const Result<std::vector<Value>> parameters =
        query::BindParameters(bound.parameters, params_, context);
    if (!parameters) return parameters.error();
    if (bound.as_of) {
      Result<State> past = PastState(*bound.as_of, *parameters);
      if (!past) return std::move(past).error();
      state = *std::move(past);
    }
    Result<Rows> rows = (*ready)->Read(
        *parameters,
        {.view = *state.view, .schema = state.schema, .engine = engine_, .context = context});
    if (!rows) return std::move(rows).error();
    script_.Give(i, *std::move(ready));
    return StatementResult{.rows = *std::move(rows), .version = state.version};
  }

  Result<StatementResult> RunExplain(const query::ExplainStatement& explain,
                                     const WriteTransaction* open) {
    const State state = Present(open);
    Result<query::BoundQuery> bound =
        query::Bind(BindInput{.text = text_, .schema = *state.schema}, explain.select);
    if (!bound) return std::move(bound).error();
    const query::RunContext context = ContextOf(engine_.clock(), options_);
    const Result<std::vector<Value>> parameters =
        query::BindParameters(bound->parameters, params_, context);
    if (!parameters) return parameters.error();
    const TripleSource source(*state.view, state.schema, &engine_);
    Result<Rows> lines = ExplainQuery(*bound, *parameters, *state.schema, source,
                                      {.analyze = explain.analyze,
                                       .live = explain.live,
                                       .dot = explain.dot,
                                       .stop = options_.stop,
                                       .clock = engine_.clock()});
    if (!lines) return std::move(lines).error();
    return StatementResult{.rows = *std::move(lines), .version = state.version};
  }

  static bool IsDeclaration(const query::Statement& statement) {
    return std::holds_alternative<query::TableStatement>(statement.node) ||
           std::holds_alternative<query::IndexStatement>(statement.node) ||
           std::holds_alternative<query::DropStatement>(statement.node);
  }

  Result<StatementResult> RunDeclaration(const query::Statement& statement,
                                         WriteTransaction* open) {
    Result<schema::Declaration> declaration = DeclarationOf(statement);
    if (!declaration) return std::move(declaration).error();
    if (open != nullptr) {
      if (Status declared = open->Declare({&*declaration, 1}); !declared) {
        return Placed(std::move(declared).error(), statement.span);
      }
      return StatementResult{.affected = 0, .version = open->base()->version()};
    }
    Result<CommitInfo> commit = engine_.Declare({&*declaration, 1});
    if (!commit) return Placed(std::move(commit).error(), statement.span);
    return StatementResult{.affected = 0, .version = commit->version};
  }

  Result<schema::Declaration> DeclarationOf(const query::Statement& statement) const {
    if (const auto* table = std::get_if<query::TableStatement>(&statement.node)) {
      return query::Declare(text_, *table);
    }
    if (const auto* index = std::get_if<query::IndexStatement>(&statement.node)) {
      return query::Declare(text_, *index);
    }
    return query::Declare(text_, std::get<query::DropStatement>(statement.node));
  }

  Result<StatementResult> RunWriting(std::size_t i, WriteTransaction* open) {
    const query::Span span = script_.parsed().statements[i].span;
    StatementResult result;
    const auto write = [&](WriteTransaction& transaction) -> Status {
      Result<std::unique_ptr<ReadyStatement>> ready = script_.Take(i, transaction.schema());
      if (!ready) return std::move(ready).error();
      Result<StatementResult> done =
          RunWrite(**ready, params_, transaction, ContextOf(engine_.clock(), options_));
      if (!done) return std::move(done).error();
      script_.Give(i, *std::move(ready));
      result = *std::move(done);
      return Ok();
    };
    if (open != nullptr) {
      const Status written = open->AllOrNothing([&] { return write(*open); });
      if (!written) return Placed(written.error(), span);
      result.version = open->base()->version();
      return result;
    }
    const Result<CommitInfo> commit = engine_.Write(write);
    if (!commit) return Placed(commit.error(), span);
    result.version = commit->version;
    return result;
  }

  // Errors of the write path know no text: they point at their statement.
  Error Placed(Error error, query::Span span) const {
    if (error.line > 0) return error;
    return query::ErrorAt(text_, span, error.code, std::move(error.message), std::move(error.hint));
  }

  Engine& engine_;
  const CachedScript& script_;
  const std::string_view text_;
  const Params& params_;
  const RunOptions options_;
  std::unique_ptr<WriteTransaction> transaction_;  // of BEGIN
};

}  // namespace

Result<ExecuteSummary> ExecuteScript(Engine& engine, const CachedScript& script,
                                     const Params& params, const RunOptions& options) {
  return ScriptRunner(engine, script, params, options).Run(nullptr);
}

Result<ExecuteSummary> ExecuteIn(Engine& engine, WriteTransaction& transaction,
                                 const CachedScript& script, const Params& params,
                                 const RunOptions& options) {
  return ScriptRunner(engine, script, params, options).Run(&transaction);
}

query::RunContext ContextOf(const Clock& clock, const RunOptions& options) {
  return {.now_micros = clock.NowMicros(), .stop = options.stop};
}

Result<Rows> RunAt(const Query::Plan& query, const Params& params, const Engine& engine,
                   const StateToRead& state, const RunOptions& options) {
  const schema::SchemaRef& schema = state.schema;
  const TripleSource source(state.view, schema, &engine);
  const query::RunContext context = ContextOf(engine.clock(), options);
  if (query.schema == schema) return query::Run(query, source, params, context);
  using PlanRef = std::shared_ptr<const Query::Plan>;
  std::unique_ptr<PlanRef> renewed = query.renewed.Take();
  if (renewed == nullptr || (*renewed)->schema != schema) {
    Result<PlanRef> again = query::Prepare(query.text, schema);
    if (!again) return std::move(again).error();
    renewed = std::make_unique<PlanRef>(*std::move(again));
  }
  Result<Rows> rows = query::Run(**renewed, source, params, context);
  query.renewed.Give(std::move(renewed));
  return rows;
}

namespace {

// `expr` with the time in place of now().
query::BoundExpr AtTime(const query::BoundExpr& expr, std::int64_t now_micros) {
  return query::CopyExpr(
      expr, [&](const query::BoundExpr& part) -> std::optional<query::BoundExpr> {
        if (!std::holds_alternative<query::ParameterRef>(part.node)) return std::nullopt;
        query::BoundExpr time{.node = query::Constant{Value::Timestamp(now_micros)}};
        time.type = part.type;
        return time;
      });
}

}  // namespace

ExpressionCompiler MakeExpressionCompiler(const Clock& clock) {
  return [&clock](const schema::Schema& schema, const schema::Type& type,
                  const std::string& expression, ExpressionUse use) -> Result<RowExpression> {
    const Result<query::Expr> parsed = query::ParseExpression(expression);
    if (!parsed) return parsed.error();
    Result<query::BoundExpr> bound =
        query::BindRowExpression({.text = expression, .schema = schema}, *parsed,
                                 use == ExpressionUse::kCheck ? &type : nullptr);
    if (!bound) return std::move(bound).error();
    const auto shared = std::make_shared<const query::BoundExpr>(*std::move(bound));
    return RowExpression([&clock, shared](std::span<const Value> row) -> Result<Value> {
      return query::EvaluateOver(AtTime(*shared, clock.NowMicros()), row);
    });
  };
}

}  // namespace trefoil::db
