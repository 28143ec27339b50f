#include "cli/live_view.h"

#include <utility>

namespace trefoil::cli {

Result<std::unique_ptr<LiveView>> LiveView::Start(Database& database, std::string name,
                                                  std::string_view treesql, const Params& params) {
  const Result<Query> query = database.Prepare(treesql);
  if (!query) return query.error();
  std::unique_ptr<LiveView> view(new LiveView(std::move(name)));
  Result<Subscription> subscription = database.Watch(
      *query, params, [raw = view.get()](const Change& change) { raw->Take(change); });
  if (!subscription) return std::move(subscription).error();
  view->subscription_ = *std::move(subscription);
  return view;
}

void LiveView::Take(const Change& change) {
  const std::lock_guard lock(mutex_);
  version_ = change.to;
  changes_.push_back(change);
}

std::string LiveView::TakeText(Format format) {
  std::vector<Change> changes;
  {
    const std::lock_guard lock(mutex_);
    changes = std::exchange(changes_, {});
  }
  std::string text;
  for (const Change& change : changes) {
    text += format == Format::kNdjson ? ToJson(change, name_) + "\n" : ChangeText(name_, change);
  }
  return text;
}

Version LiveView::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

std::string ChangeText(std::string_view name, const Change& change) {
  std::string text(name);
  text += " v" + std::to_string(ToNumber(change.to)) + " " + std::string(OriginName(change.origin));
  if (change.reset) text += " reset";
  text += "\n";
  for (const Row& row : change.removed) text += "  - " + row.ToJson() + "\n";
  for (const Row& row : change.added) text += "  + " + row.ToJson() + "\n";
  for (const Update& update : change.updated) {
    text += "  ~ " + update.before.ToJson() + " -> " + update.after.ToJson() + "\n";
  }
  return text;
}

}  // namespace trefoil::cli
