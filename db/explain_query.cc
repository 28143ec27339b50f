#include "db/explain_query.h"

#include <memory>
#include <string>
#include <utility>

#include "base/str_cat.h"
#include "dataflow/explain.h"
#include "dataflow/graph.h"
#include "query/prepare.h"
#include "query/to_expression.h"

namespace trefoil::db {

namespace {

Rows LinesOf(std::string_view text) {
  std::vector<Value> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(Value::Text(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Rows(std::make_shared<const std::vector<std::string>>(1, "plan"), std::move(lines));
}

}  // namespace

Result<Rows> ExplainQuery(const query::BoundQuery& bound, std::span<const Value> parameters,
                          const schema::Schema& schema, const dataflow::Source& source,
                          const ExplainOptions& options) {
  const std::uint64_t start = options.clock.MonotonicMicros();
  const Result<query::Compiled> compiled =
      query::CompileSelect(bound.select, bound.source_count, parameters, schema, {});
  if (!compiled) return compiled.error();
  dataflow::Graph graph(source, query::Functions(), {});
  const Result<dataflow::Installed> installed = graph.Install(compiled->plan, compiled->levels);
  if (!installed) return installed.error();
  std::string text = dataflow::ExplainText(graph.Report(installed->roots));
  if (options.live) {
    text += StrCat("state: ", graph.state_bytes(), " bytes kept while the query is live\n");
  }
  if (options.analyze) {
    std::uint64_t rows = 0;
    Status read = graph.Read(installed->roots[0], [&](dataflow::RowView, dataflow::Weight weight) {
      rows += static_cast<std::uint64_t>(weight);
      return true;
    });
    if (!read) return std::move(read).error();
    text += StrCat("rows: ", rows, "; read: ", graph.counters().pulled_rows,
                   "; time: ", options.clock.MonotonicMicros() - start, " us\n");
  }
  return LinesOf(text);
}

}  // namespace trefoil::db
