#include "base/memory_tree.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace trefoil {

namespace {

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    if (!name.empty() && name != ".") names.emplace_back(name);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return names;
}

Error NoSuch(std::string_view operation, std::string_view path) {
  return EnvError(ErrorCode::kNotFound, operation, path, "No such file or directory");
}

Error Exists(std::string_view operation, std::string_view path) {
  return EnvError(ErrorCode::kAlreadyExists, operation, path, "File exists");
}

Error IsDirectory(std::string_view operation, std::string_view path) {
  return EnvError(ErrorCode::kIo, operation, path, "Is a directory");
}

}  // namespace

Status MemoryNode::Resize(std::string_view operation, const std::string& path,
                          std::uint64_t size_bytes) {
  if (size_bytes == bytes.size()) return Ok();
  if (maps > 0) {
    return EnvError(ErrorCode::kInvalidArgument, operation, path,
                    "a mapped file must keep its size");
  }
  bytes.resize(size_bytes);
  return Ok();
}

MemoryFile::~MemoryFile() {
  const std::unique_lock lock(node_->mutex);
  node_->maps -= maps_;
}

Status MemoryFile::CheckWritable(std::string_view operation) const {
  if (mode_ != Env::OpenMode::kRead) return Ok();
  return EnvError(ErrorCode::kPermission, operation, path_, "the file is open for reading");
}

Result<std::uint64_t> MemoryFile::Size() const {
  const std::shared_lock lock(node_->mutex);
  return node_->bytes.size();
}

Status MemoryFile::ReadAt(std::uint64_t offset, std::span<char> buffer) const {
  const std::shared_lock lock(node_->mutex);
  const std::uint64_t size = node_->bytes.size();
  if (offset > size || buffer.size() > size - offset) {
    return EnvError(ErrorCode::kCorruption, "read", path_, "the file ends before the bytes");
  }
  std::copy_n(node_->bytes.data() + offset, buffer.size(), buffer.data());
  return Ok();
}

Status MemoryFile::WriteAt(std::uint64_t offset, Slice bytes) {
  if (Status writable = CheckWritable("write"); !writable) return writable;
  const std::unique_lock lock(node_->mutex);
  const std::uint64_t end = std::max<std::uint64_t>(node_->bytes.size(), offset + bytes.size());
  if (Status resized = node_->Resize("write", path_, end); !resized) return resized;
  std::ranges::copy(bytes, node_->bytes.data() + offset);
  return Ok();
}

Status MemoryFile::Allocate(std::uint64_t size_bytes) {
  if (Status writable = CheckWritable("allocate"); !writable) return writable;
  const std::unique_lock lock(node_->mutex);
  const std::uint64_t size = std::max<std::uint64_t>(node_->bytes.size(), size_bytes);
  return node_->Resize("allocate", path_, size);
}

Status MemoryFile::Truncate(std::uint64_t size_bytes) {
  if (Status writable = CheckWritable("truncate"); !writable) return writable;
  const std::unique_lock lock(node_->mutex);
  return node_->Resize("truncate", path_, size_bytes);
}

Result<std::span<char>> MemoryFile::Map(std::uint64_t size_bytes, bool writable) {
  if (writable) {
    if (Status allowed = CheckWritable("map"); !allowed) return std::move(allowed).error();
  }
  const std::unique_lock lock(node_->mutex);
  if (size_bytes == 0 || size_bytes > node_->bytes.size()) {
    return EnvError(ErrorCode::kInvalidArgument, "map", path_, "the file has no such bytes");
  }
  ++node_->maps;
  ++maps_;
  return std::span<char>(node_->bytes.data(), size_bytes);
}

Result<MemoryTree::Place> MemoryTree::FindPlace(std::string_view operation,
                                                const std::string& path) const {
  std::vector<std::string> names = Split(path);
  if (names.empty()) return IsDirectory(operation, path);
  std::shared_ptr<MemoryDirectory> directory = root_;
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    const auto found = directory->entries.find(names[i]);
    if (found == directory->entries.end() || found->second.directory == nullptr) {
      return NoSuch(operation, path);
    }
    directory = found->second.directory;
  }
  return Place{std::move(directory), std::move(names.back())};
}

Result<MemoryEntry> MemoryTree::Find(std::string_view operation, const std::string& path) const {
  if (Split(path).empty()) return MemoryEntry{.file = nullptr, .directory = root_};
  Result<Place> place = FindPlace(operation, path);
  if (!place) return std::move(place).error();
  const auto found = place->directory->entries.find(place->name);
  if (found == place->directory->entries.end()) return NoSuch(operation, path);
  return found->second;
}

Result<std::shared_ptr<MemoryDirectory>> MemoryTree::FindDirectory(std::string_view operation,
                                                                   const std::string& path) const {
  Result<MemoryEntry> entry = Find(operation, path);
  if (!entry) return std::move(entry).error();
  if (entry->directory == nullptr) {
    return EnvError(ErrorCode::kNotFound, operation, path, "Not a directory");
  }
  return std::move(entry->directory);
}

Result<std::shared_ptr<MemoryNode>> MemoryTree::Create(std::string_view operation,
                                                       const std::string& path) {
  Result<Place> place = FindPlace(operation, path);
  if (!place) return std::move(place).error();
  const auto [entry, is_new] = place->directory->entries.try_emplace(place->name);
  if (!is_new) return trefoil::Exists(operation, path);
  entry->second.file = std::make_shared<MemoryNode>();
  return entry->second.file;
}

Status MemoryTree::CreateLockFile(const std::string& path) {
  if (Exists(path)) return Ok();
  if (auto created = Create("lock", path); !created) return std::move(created).error();
  return Ok();
}

Result<std::shared_ptr<MemoryNode>> MemoryTree::Open(const std::string& path, Env::OpenMode mode) {
  if (mode == Env::OpenMode::kCreate) return Create("open", path);
  Result<MemoryEntry> entry = Find("open", path);
  if (!entry) return std::move(entry).error();
  if (entry->file == nullptr) return IsDirectory("open", path);
  return std::move(entry->file);
}

Status MemoryTree::Remove(const std::string& path) {
  Result<Place> place = FindPlace("remove", path);
  if (!place) return std::move(place).error();
  const auto found = place->directory->entries.find(place->name);
  if (found == place->directory->entries.end()) return NoSuch("remove", path);
  if (found->second.file == nullptr) return IsDirectory("remove", path);
  place->directory->entries.erase(found);
  return Ok();
}

bool MemoryTree::Exists(const std::string& path) const { return Find("find", path).has_value(); }

Status MemoryTree::CreateDirectory(const std::string& path) {
  if (Split(path).empty()) return trefoil::Exists("create directory", path);
  Result<Place> place = FindPlace("create directory", path);
  if (!place) return std::move(place).error();
  const auto [entry, is_new] = place->directory->entries.try_emplace(place->name);
  if (!is_new) return trefoil::Exists("create directory", path);
  entry->second.directory = std::make_shared<MemoryDirectory>();
  return Ok();
}

Status MemoryTree::RemoveDirectory(const std::string& path) {
  Result<Place> place = FindPlace("remove directory", path);
  if (!place) return std::move(place).error();
  Result<std::shared_ptr<MemoryDirectory>> directory = FindDirectory("remove directory", path);
  if (!directory) return std::move(directory).error();
  if (!(*directory)->entries.empty()) {
    return EnvError(ErrorCode::kIo, "remove directory", path, "Directory not empty");
  }
  place->directory->entries.erase(place->name);
  return Ok();
}

Result<std::vector<std::string>> MemoryTree::List(const std::string& path) const {
  Result<std::shared_ptr<MemoryDirectory>> directory = FindDirectory("list", path);
  if (!directory) return std::move(directory).error();
  std::vector<std::string> names;
  for (const auto& [name, entry] : (*directory)->entries) names.push_back(name);
  return names;
}

Status MemoryTree::Link(const std::string& from, const std::string& to) {
  Result<MemoryEntry> entry = Find("link", from);
  if (!entry) return std::move(entry).error();
  if (entry->file == nullptr) return IsDirectory("link", from);
  Result<Place> place = FindPlace("link", to);
  if (!place) return std::move(place).error();
  const bool is_new = place->directory->entries.try_emplace(place->name, *entry).second;
  if (!is_new) return trefoil::Exists("link", to);
  return Ok();
}

}  // namespace trefoil
