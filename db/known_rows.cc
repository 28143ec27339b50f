#include "db/known_rows.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"

namespace trefoil::db {

KnownRows::Bucket* KnownRows::BucketOf(Slice key) const {
  return buckets_ == nullptr ? nullptr : &(*buckets_)[Hash64(key) % kBuckets];
}

bool KnownRows::Has(Slice key, Version version) const {
  if (key.empty()) return false;
  const std::lock_guard lock(mutex_);
  const Bucket* bucket = BucketOf(key);
  return bucket != nullptr && std::ranges::any_of(*bucket, [&](const Row& row) {
           return Knows(row, key) && row.version <= version;
         });
}

void KnownRows::Add(Slice key, Version version) {
  if (key.empty() || key.size() > kKeyBytesMax) return;
  const std::lock_guard lock(mutex_);
  if (version < last_removal_) return;
  if (buckets_ == nullptr) buckets_ = std::make_unique<std::array<Bucket, kBuckets>>();
  Bucket& bucket = *BucketOf(key);
  if (std::ranges::any_of(bucket, [&](const Row& row) { return Knows(row, key); })) return;
  Row& oldest = *std::ranges::min_element(bucket, {}, &Row::version);
  oldest.version = version;
  oldest.size_bytes = static_cast<unsigned char>(key.size());
  std::memcpy(oldest.key.data(), key.data(), key.size());
}

void KnownRows::Remove(Slice key, Version version) {
  const std::lock_guard lock(mutex_);
  last_removal_ = version;
  if (buckets_ == nullptr) return;
  for (Row& row : *BucketOf(key)) {
    if (row.Is(key)) row = Row();
  }
}

std::optional<bool> KnownRows::IsBehindEnd(TypeId type, Slice key) const {
  const std::lock_guard lock(mutex_);
  const auto end = ends_.find(type);
  if (end == ends_.end()) return std::nullopt;
  return Slice(end->second) < key;
}

void KnownRows::LearnEnd(TypeId type, Slice key, Version version) {
  const std::lock_guard lock(mutex_);
  if (version >= last_unseen_end_) ends_.try_emplace(type, key.view());
}

void KnownRows::RaiseEnd(TypeId type, Slice key, Version version) {
  const std::lock_guard lock(mutex_);
  const auto end = ends_.find(type);
  if (end == ends_.end()) {
    last_unseen_end_ = version;
  } else if (Slice(end->second) < key) {
    end->second = key.view();
  }
}

void KnownRows::ForgetAll(Version version) {
  const std::lock_guard lock(mutex_);
  last_removal_ = valid_from_ = last_unseen_end_ = version;
  ends_.clear();
}

}  // namespace trefoil::db
