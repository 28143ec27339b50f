// Walks the entries of an SST page by page, in both directions. Keys are put together in a buffer,
// values stay in their page.
#pragma once

#include <cstdint>
#include <memory>

#include "lsm/page_file.h"
#include "lsm/page_view.h"
#include "lsm/run.h"
#include "lsm/sst_index.h"

namespace trefoil::lsm {

class SstCursor final : public RunCursor {
 public:
  // Both outlive the cursor.
  SstCursor(const PageFile& file, const SstIndex& index, bool sequential);

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice target) override;
  void SeekBefore(Slice target) override;
  void Next() override;
  void Prev() override;
  Status status() const override;

 private:
  // Makes page i of the index current; false at an error. Invalidates the cursor on failure.
  bool LoadPage(std::uint32_t i);
  void LoadEntry(std::uint32_t entry);
  void LoadNeighbour(std::uint32_t entry);
  void LoadBesideKey(std::uint32_t entry);
  void NextPage();
  void PrevPage();
  void ReadAhead();

  const PageFile& file_;
  const SstIndex& index_;
  const bool sequential_;
  PageView view_;
  PageRef page_;
  std::uint32_t page_index_ = 0;
  std::uint32_t entry_index_ = 0;
  // Pages walked one after the other, and where the read-ahead ends.
  std::uint32_t run_pages_ = 0;
  std::uint32_t ahead_pages_ = 0;
  std::uint32_t ahead_end_ = 0;
  Status status_;
  const std::unique_ptr<char[]> key_buffer_;
};

}  // namespace trefoil::lsm
