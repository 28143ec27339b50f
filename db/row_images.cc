#include "db/row_images.h"

#include <algorithm>
#include <compare>
#include <cstdint>
#include <utility>

namespace trefoil::db {

namespace {

// An edit to be sorted: its number, and what mostly decides.
struct EditPlace {
  TypeId type;
  std::uint32_t edit;
  std::uint64_t head;
};

// The first bytes of a subject as a number, which orders subjects as far as it differs.
std::uint64_t HeadOf(Slice subject) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < sizeof head; ++i) {
    head = head << 8 | (i < subject.size() ? static_cast<unsigned char>(subject[i]) : 0U);
  }
  return head;
}

}  // namespace

bool RowImages::Wants(TypeId type) const {
  return watched_ != nullptr && std::ranges::binary_search(*watched_, type);
}

RowImages::Stored& RowImages::AddEdit(TypeId type, Slice subject) {
  Stored& edit = images_.emplace_back();
  edit.type = type;
  edit.subject_begin = subjects_.size();
  subjects_.append(subject.view());
  edit.subject_end = subjects_.size();
  return edit;
}

RowImages::Row RowImages::AddRow(std::span<const Value> cells) {
  const std::size_t begin = cells_.size();
  cells_.insert(cells_.end(), cells.begin(), cells.end());
  return {.begin = begin, .end = cells_.size()};
}

void RowImages::Add(const Image& edit) {
  if (!Wants(edit.type)) return;
  const Row before = AddRow(edit.before);
  const Row after = AddRow(edit.after);
  Stored& stored = AddEdit(edit.type, edit.subject);
  stored.before = before;
  stored.after = after;
}

void RowImages::AddUnknown(TypeId type, Slice subject) {
  if (!Wants(type)) return;
  const Row none = AddRow({});
  Stored& stored = AddEdit(type, subject);
  stored.is_known = false;
  stored.before = none;
  stored.after = none;
}

void RowImages::Truncate(std::size_t edits) {
  if (edits == images_.size()) return;
  subjects_.resize(images_[edits].subject_begin);
  cells_.resize(images_[edits].before.begin);
  images_.resize(edits);
}

bool RowImages::IsBefore(const Stored& a, const Stored& b) const {
  return a.type != b.type ? a.type < b.type : SubjectOf(a) < SubjectOf(b);
}

void RowImages::Settle() {
  const auto is_before = [this](const Stored& a, const Stored& b) { return IsBefore(a, b); };
  if (!std::ranges::is_sorted(images_, is_before)) {
    // Few comparisons go beyond the heads, and what is moved is small.
    std::vector<EditPlace> places;
    places.reserve(images_.size());
    for (const Stored& edit : images_) {
      places.push_back({.type = edit.type,
                        .edit = static_cast<std::uint32_t>(places.size()),
                        .head = HeadOf(SubjectOf(edit))});
    }
    std::ranges::sort(places, [this](const EditPlace& a, const EditPlace& b) {
      if (a.type != b.type) return a.type < b.type;
      if (a.head != b.head) return a.head < b.head;
      const std::strong_ordering order = SubjectOf(images_[a.edit]) <=> SubjectOf(images_[b.edit]);
      return order != 0 ? order < 0 : a.edit < b.edit;
    });
    std::vector<Stored> sorted;
    sorted.reserve(images_.size());
    for (const EditPlace& place : places) sorted.push_back(images_[place.edit]);
    images_.swap(sorted);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < images_.size();) {
    Stored image = images_[i];
    for (++i; i < images_.size() && !IsBefore(image, images_[i]); ++i) {
      image.is_known = image.is_known && images_[i].is_known;
      image.after = images_[i].after;
    }
    if (image.is_known) images_[kept++] = image;
  }
  images_.resize(kept);
}

RowImages::Image RowImages::operator[](std::size_t i) const {
  const Stored& image = images_[i];
  return {.type = image.type,
          .subject = SubjectOf(image),
          .before = CellsOf(image.before),
          .after = CellsOf(image.after)};
}

std::size_t RowImages::FirstOf(TypeId type) const {
  const auto found = std::ranges::lower_bound(images_, type, {}, &Stored::type);
  return static_cast<std::size_t>(found - images_.begin());
}

}  // namespace trefoil::db
