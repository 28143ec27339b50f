// WalkCursor goes through walks that come in the order of their entries with one iterator over all
// of them: from one to the next it steps a few entries and then seeks.
//
//   entries   a1 a2 a3 b1 b2 ... f1 f2     walks   [a, b)   [b, c)   [f, g)
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "db/read_view.h"
#include "db/triple_store.h"
#include "trefoil/result.h"
#include "trefoil/slice.h"

namespace trefoil::db {

class WalkCursor {
 public:
  // At the first entry behind `prefix`. There is at least one walk, and several go forward and have
  // no entry in common. All of them outlive the cursor.
  WalkCursor(const ReadView& view, std::string prefix, std::span<const Walk> walks);

  // Whether there is an entry, and then which walk it belongs to; otherwise all are at their end.
  bool Valid();
  std::size_t walk() const { return walk_; }
  // The key behind the prefix.
  Slice entry() const { return iterator_->key().Without(prefix_.size()); }
  Slice value() const { return iterator_->value(); }
  Status status() const { return iterator_->status(); }

  void Next() { reverse_ ? iterator_->Prev() : iterator_->Next(); }
  // Goes on to the next walk. False when this is the last.
  bool Leave();

 private:
  void Enter(std::size_t walk);

  const std::string prefix_;
  const std::span<const Walk> walks_;
  const bool reverse_;  // of one walk
  std::size_t walk_ = 0;
  std::string target_;
  std::unique_ptr<lsm::Iterator> iterator_;
};

}  // namespace trefoil::db
