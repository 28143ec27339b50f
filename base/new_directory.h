// NewDirectory: a directory that goes again, with the files that were put into it, unless it is
// kept.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/str_cat.h"

namespace trefoil {

class NewDirectory {
 public:
  NewDirectory(Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  ~NewDirectory() {
    if (kept_ || !made_) return;
    const Result<std::vector<std::string>> names = env_.List(path_);
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      (void)env_.Remove(StrCat(path_, "/", name));
    }
    (void)env_.RemoveDirectory(path_);
  }

  // Error: kAlreadyExists.
  Status Make() {
    Status made = env_.CreateDirectory(path_);
    made_ = made.has_value();
    return made;
  }
  void Keep() { kept_ = true; }

 private:
  Env& env_;
  const std::string path_;
  bool made_ = false;
  bool kept_ = false;
};

}  // namespace trefoil
