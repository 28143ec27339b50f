// Explain.
#include "dataflow/explain.h"

#include <map>
#include <set>

#include "base/str_cat.h"

namespace trefoil::dataflow {

namespace {

std::uint64_t NumberOf(NodeId id) { return static_cast<std::uint64_t>(id); }

std::string Measures(const NodeReport& node) {
  std::string text;
  if (node.steps > 0) {
    text += StrCat("delta ", node.delta_rows, " rows in ", node.steps, " steps");
    if (node.time_ns > 0) text += StrCat(", ", node.time_ns / node.steps, " ns per step");
  }
  if (node.state_bytes > 0) {
    text += StrCat(text.empty() ? "" : "; ", "state ", node.state_rows, " rows, ",
                   BytesText(node.state_bytes));
  }
  return text;
}

class TextPrinter {
 public:
  explicit TextPrinter(std::span<const NodeReport> nodes) {
    for (const NodeReport& node : nodes) by_id_.emplace(node.id, &node);
  }

  void Print(NodeId id, std::size_t depth, const char* role) {
    const auto found = by_id_.find(id);
    text_ += StrCat(std::string(depth * 2, ' '), role);
    if (found == by_id_.end() || !shown_.insert(id).second) {
      text_ += StrCat("(#", NumberOf(id), ")\n");
      return;
    }
    const NodeReport& node = *found->second;
    const std::string measures = Measures(node);
    text_ += StrCat(node.description, "  (#", NumberOf(id), ")", measures.empty() ? "" : "  ",
                    measures, "\n");
    for (const NodeId input : node.inputs) Print(input, depth + 1, "");
    for (const NodeId arrangement : node.arrangements) Print(arrangement, depth + 1, "uses ");
  }

  std::string TakeText() { return std::move(text_); }

 private:
  std::map<NodeId, const NodeReport*> by_id_;
  std::set<NodeId> shown_;
  std::string text_;
};

std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string BytesText(std::size_t bytes) {
  if (bytes < 1000) return StrCat(bytes, " B");
  const bool kilo = bytes < 1'000'000;
  const std::size_t tenths = bytes / (kilo ? 100 : 100'000);
  return StrCat(tenths / 10, ".", tenths % 10, kilo ? " kB" : " MB");
}

std::string ExplainText(std::span<const NodeReport> nodes) {
  std::set<NodeId> read;
  for (const NodeReport& node : nodes) {
    read.insert(node.inputs.begin(), node.inputs.end());
    read.insert(node.arrangements.begin(), node.arrangements.end());
  }
  TextPrinter printer(nodes);
  for (const NodeReport& node : nodes) {
    if (!read.contains(node.id)) printer.Print(node.id, 0, "");
  }
  return printer.TakeText();
}

std::string ExplainDot(std::span<const NodeReport> nodes) {
  std::string text = "digraph dataflow {\n  rankdir=BT;\n  node [shape=box];\n";
  for (const NodeReport& node : nodes) {
    const std::string measures = Measures(node);
    text += StrCat("  n", NumberOf(node.id), " [label=\"", Escaped(node.description),
                   measures.empty() ? "" : "\\n", measures, "\"];\n");
    for (const NodeId input : node.inputs) {
      text += StrCat("  n", NumberOf(input), " -> n", NumberOf(node.id), ";\n");
    }
    for (const NodeId arrangement : node.arrangements) {
      text +=
          StrCat("  n", NumberOf(arrangement), " -> n", NumberOf(node.id), " [style=dashed];\n");
    }
  }
  return text + "}\n";
}

}  // namespace trefoil::dataflow
