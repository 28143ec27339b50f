#include "cli/import/name_hints.h"

#include <algorithm>
#include <utility>

namespace trefoil::cli {

namespace {

using Words = std::vector<std::string>;

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLetterOrDigit(char c) {
  return IsUpper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Rows above or before this one, in the same table.
const Words kHierarchyWords = {"parent", "root", "previous", "predecessor", "reportsto", "replyto"};

// What people are to other rows.
const Words kPersonWords = {"agent",  "approver", "assignee",   "assignedto", "author",
                            "boss",   "buyer",    "createdby",  "creator",    "editor",
                            "lead",   "manager",  "mentor",     "owner",      "ownedby",
                            "rep",    "reporter", "recipient",  "reviewer",   "sender",
                            "seller", "salesman", "supervisor", "updatedby"};

// Tables that hold people, those of the house before its customers.
const Words kPersonTables = {"employee", "staff", "user",    "person", "people",
                             "member",   "agent", "account", "author", "customer"};

std::string Singular(std::string word) {
  if (word.ends_with("ies") && word.size() > 4) return word.replace(word.size() - 3, 3, "y");
  if (word.ends_with("s") && !word.ends_with("ss") && word.size() > 3) word.pop_back();
  return word;
}

std::string Joined(std::span<const std::string> words) {
  std::string joined;
  for (const std::string& word : words) joined += word;
  return joined;
}

// The words of a column without a last "id", "ref" or "key" that only says that it refers.
Words StemOf(std::string_view column) {
  Words words = WordsOf(column);
  if (words.size() > 1 &&
      (words.back() == "id" || words.back() == "ref" || words.back() == "key")) {
    words.pop_back();
  } else if (words.size() == 1 && words[0].ends_with("id") && words[0].size() > 2) {
    words[0].resize(words[0].size() - 2);
  }
  return words;
}

// True when the last one or two words of the stem are in the list.
bool EndsWithOneOf(std::span<const std::string> stem, const Words& list) {
  const std::size_t count = stem.size();
  return (count >= 1 && std::ranges::count(list, stem[count - 1]) > 0) ||
         (count >= 2 && std::ranges::count(list, Joined(stem.last(2))) > 0);
}

}  // namespace

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

std::vector<std::string> WordsOf(std::string_view name) {
  Words words;
  bool begins = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (!IsLetterOrDigit(c)) {
      begins = true;
      continue;
    }
    // A capital begins a word behind a small letter, and before one: "HTMLPage" is html, page.
    const bool hump = IsUpper(c) && i > 0 &&
                      (!IsUpper(name[i - 1]) ||
                       (i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z'));
    if (begins || hump) words.emplace_back();
    words.back() += Lower(name.substr(i, 1));
    begins = false;
  }
  return words;
}

std::vector<std::string> HintedTables(std::string_view column, std::string_view own,
                                      std::span<const std::string> tables) {
  std::vector<std::string> hinted;
  const Words stem = StemOf(column);
  for (const bool whole : {true, false}) {
    for (const std::string& table : tables) {
      const std::string name = Singular(Joined(WordsOf(table)));
      for (std::size_t skip = whole ? 0 : 1; skip < (whole ? 1 : stem.size()); ++skip) {
        const std::string last = Joined(std::span(stem).subspan(skip));
        if (!name.empty() && Singular(last) == name) hinted.push_back(table);
      }
    }
  }
  if (EndsWithOneOf(stem, kHierarchyWords)) hinted.emplace_back(own);
  if (EndsWithOneOf(stem, kPersonWords)) {
    for (const std::string& people : kPersonTables) {
      for (const std::string& table : tables) {
        if (Singular(Lower(table)) == people) hinted.push_back(table);
      }
    }
  }
  return hinted;
}

bool LooksLikeKeyOf(std::string_view column, std::string_view table) {
  const std::string name = Lower(column);
  if (name == "id" || name == "key" || name == "uuid") return true;
  const Words words = WordsOf(column);
  const std::string joined = Joined(words);
  const std::string owner = Joined(WordsOf(table));
  return joined == owner + "id" || joined == Singular(owner) + "id";
}

bool EndsLikeReference(std::string_view column) {
  const std::string name = Lower(column);
  return name.ends_with("id") && name.size() > 2;
}

}  // namespace trefoil::cli
