// Cursors over several runs as one. A MergingCursor merges runs that may overlap; a LevelCursor
// walks files that do not, one after the other, and opens none outside the range it is asked for.
//
// The smallest entry leads. It hands out entries without looking at the others until it passes the
// second smallest, which with our keys is most often many entries later.
#pragma once

#include <memory>
#include <vector>

#include "lsm/run.h"
#include "lsm/version.h"

namespace trefoil::lsm {

// Children in order of age, newest first: of equal entries only the first child's is handed out.
// A change of direction needs a seek: Next only after Seek or SeekToFirst, Prev only after
// SeekBefore or SeekToLast.
class MergingCursor final : public RunCursor {
 public:
  explicit MergingCursor(std::vector<std::unique_ptr<RunCursor>> children);

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice target) override;
  void SeekBefore(Slice target) override;
  void Next() override;
  void Prev() override;
  Status status() const override;
  // Moves all children but the one that stands here past the current key, so that Next leaves them
  // alone; forward only.
  void SkipOthers();

 private:
  void Lead();
  bool Precedes(const Entry& a, const Entry& b) const;

  std::vector<std::unique_ptr<RunCursor>> children_;
  std::size_t leader_ = 0;
  const RunCursor* second_ = nullptr;  // the best of the others; null when none is left
  bool forward_ = true;
};

// The files of one sorted level; must not outlive `level`.
class LevelCursor final : public RunCursor {
 public:
  LevelCursor(const Version::Level& level, const Run::CursorOptions& options)
      : level_(level), options_(options) {}

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice target) override;
  void SeekBefore(Slice target) override;
  void Next() override;
  void Prev() override;
  Status status() const override;

 private:
  void Open(std::size_t index);
  void TakeEntry();
  void SkipEmptyFilesForward();
  void SkipEmptyFilesBackward();

  const Version::Level& level_;
  const Run::CursorOptions options_;
  std::size_t index_ = 0;  // of the open file; meaningful while cursor_ is not null
  std::unique_ptr<RunCursor> cursor_;
};

}  // namespace trefoil::lsm
