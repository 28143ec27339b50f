// JSON as records: an array of objects, or one object per line. The columns are the names of all
// objects in the order of their first appearance; a missing name is NULL.
#include <algorithm>
#include <boost/json.hpp>
#include <unordered_map>
#include <utility>

#include "cli/import/record_reader.h"
#include "cli/text.h"

namespace trefoil::cli {

namespace {

namespace json = boost::json;

Error Problem(std::string message) {
  return {.code = ErrorCode::kSyntax, .message = std::move(message)};
}

Value ToValue(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return {};
    case json::kind::bool_:
      return Value::Bool(value.get_bool());
    case json::kind::int64:
      return Value::Int(value.get_int64());
    case json::kind::uint64:
      return Value::Float(static_cast<double>(value.get_uint64()));
    case json::kind::double_:
      return Value::Float(value.get_double());
    case json::kind::string: {
      const json::string& text = value.get_string();
      return Value::Text({text.data(), text.size()});
    }
    case json::kind::array:
    case json::kind::object:
      return Value::Json(json::serialize(value));
  }
  return {};
}

class JsonRecords final : public RecordReader {
 public:
  JsonRecords(std::vector<json::object> objects, std::vector<int> lines, std::string name)
      : objects_(std::move(objects)), lines_(std::move(lines)), name_(std::move(name)) {
    for (const json::object& object : objects_) {
      for (const json::key_value_pair& member : object) {
        const std::string key(member.key());
        if (positions_.try_emplace(key, columns_.size()).second) columns_.push_back(key);
      }
    }
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<bool> Next(std::vector<Value>* record) override {
    if (next_ == objects_.size()) return false;
    record->assign(columns_.size(), Value());
    for (const json::key_value_pair& member : objects_[next_]) {
      (*record)[positions_.at(std::string(member.key()))] = ToValue(member.value());
    }
    ++next_;
    return true;
  }

  Status Rewind() override {
    next_ = 0;
    return Ok();
  }

  std::uint64_t Position() const override { return next_; }
  std::string PlaceOf(std::uint64_t record) const override {
    return lines_.empty() ? name_ + ": record " + std::to_string(record)
                          : name_ + ":" + std::to_string(lines_[record - 1]);
  }
  std::uint64_t Done() const override { return next_; }
  std::uint64_t Total() const override { return objects_.size(); }
  bool is_untyped() const override { return false; }

 private:
  std::vector<json::object> objects_;
  std::vector<int> lines_;  // of NDJSON; empty for one array
  std::string name_;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, std::size_t> positions_;
  std::size_t next_ = 0;
};

// The line of `text` in which byte `at` stands.
int LineOf(std::string_view text, std::size_t at) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size()));
  return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
}

Result<json::value> Parse(std::string_view text, const std::string& name, int first_line) {
  json::error_code error;
  json::stream_parser parser;
  const std::size_t parsed = parser.write_some(text.data(), text.size(), error);
  if (!error && text.find_first_not_of(" \t\r\n", parsed) != std::string_view::npos) {
    error = json::error::extra_data;
  }
  if (!error) parser.finish(error);
  if (error) {
    const std::size_t at = std::min(parsed, text.size());
    const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
    return Problem(name + ":" + std::to_string(first_line + LineOf(text, parsed) - 1) +
                   ": not JSON (" + error.message() +
                   "): " + Excerpt(text.substr(begin, text.find('\n', begin) - begin)));
  }
  return parser.release();
}

Result<std::unique_ptr<RecordReader>> OpenArray(std::string_view text, std::string name) {
  Result<json::value> parsed = Parse(text, name, 1);
  if (!parsed) return std::move(parsed).error();
  if (!parsed->is_array()) {
    return Problem(name + ": found " + Excerpt(json::serialize(*parsed)) +
                   ", expected an array of objects");
  }
  std::vector<json::object> objects;
  for (json::value& element : parsed->get_array()) {
    if (!element.is_object()) {
      return Problem(name + ": element " + std::to_string(objects.size() + 1) +
                     " is no object: " + Excerpt(json::serialize(element)));
    }
    objects.push_back(std::move(element.get_object()));
  }
  return std::unique_ptr<RecordReader>(
      std::make_unique<JsonRecords>(std::move(objects), std::vector<int>{}, std::move(name)));
}

Result<std::unique_ptr<RecordReader>> OpenLines(std::string_view text, std::string name) {
  std::vector<json::object> objects;
  std::vector<int> lines;
  int line = 0;
  for (std::size_t at = 0; at < text.size();) {
    ++line;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    at = end + 1;
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<json::value> parsed = Parse(one, name, line);
    if (!parsed) return std::move(parsed).error();
    if (!parsed->is_object()) {
      return Problem(name + ":" + std::to_string(line) + ": expected an object, found " +
                     Excerpt(one));
    }
    objects.push_back(std::move(parsed->get_object()));
    lines.push_back(line);
  }
  return std::unique_ptr<RecordReader>(
      std::make_unique<JsonRecords>(std::move(objects), std::move(lines), std::move(name)));
}

}  // namespace

Result<std::unique_ptr<RecordReader>> OpenJson(std::string_view text, std::string name,
                                               bool lines) {
  return lines ? OpenLines(text, std::move(name)) : OpenArray(text, std::move(name));
}

}  // namespace trefoil::cli
