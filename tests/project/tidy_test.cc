// Each rule sees its violation, planted in a made-up tree; the real tree breaks none.
#include <gtest/gtest.h>

#include <string>

#include "base/str_cat.h"
#include "tests/project/tidy_rules.h"

namespace trefoil::project {
namespace {

std::string Printed(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) text += ToString(finding) + "\n";
  return text;
}

std::string Header(const std::string& rest) { return "// A header.\n#pragma once\n" + rest; }

std::string Repeated(const std::string& line, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += line;
  return text;
}

TEST(TidyTest, TheTreeBreaksNoRule) {
  const std::vector<Finding> findings = CheckTree(ReadTree(TREFOIL_SOURCE_DIR));
  EXPECT_TRUE(findings.empty()) << Printed(findings);
}

TEST(LayersTest, AllowWhatThePictureShows) {
  const Tree tree = {{"lsm/a.cc", "#include \"base/check.h\"\n#include \"trefoil/slice.h\"\n"},
                     {"query/a.cc", "#include \"dataflow/row.h\"\n#include \"schema/schema.h\"\n"},
                     {"crdt/a.cc", "#include \"schema/schema.h\"\n"},
                     {"db/a.cc", "#include \"lsm/store.h\"\n#include \"trefoil/database.h\"\n"},
                     {"cli/a.cc", "#include \"cli/b.h\"\n#include \"trefoil/database.h\"\n"},
                     {"base/env_posix.cc", "#include <fcntl.h>\n"},
                     {"base/executor.cc", "#include <thread>\n"}};
  EXPECT_EQ(Printed(CheckLayers(tree)), "");
}

TEST(LayersTest, RefuseAnEdgeThatThePictureDoesNotShow) {
  const Tree tree = {{"base/a.cc", "#include \"lsm/store.h\"\n"},
                     {"cli/a.cc", "\n#include \"db/database.h\"\n"},
                     {"dataflow/a.cc", "#include \"schema/schema.h\"\n"},
                     {"lsm/a.cc", "#include \"schema/schema.h\"\n"},
                     {"query/a.cc", "#include \"lsm/store.h\"\n"}};
  EXPECT_EQ(Printed(CheckLayers(tree)),
            "base/a.cc:1: base/ must not include \"lsm/store.h\": the layers do not allow it\n"
            "cli/a.cc:2: cli/ must not include \"db/database.h\": the layers do not allow it\n"
            "dataflow/a.cc:1: dataflow/ must not include \"schema/schema.h\": the layers do not "
            "allow it\n"
            "lsm/a.cc:1: lsm/ must not include \"schema/schema.h\": the layers do not allow it\n"
            "query/a.cc:1: query/ must not include \"lsm/store.h\": the layers do not allow it\n");
}

TEST(LayersTest, RefuseAFolderOutsideThePicture) {
  EXPECT_EQ(Printed(CheckLayers({{"util/a.h", ""}})),
            "util/a.h: this folder has no place in the layers\n");
}

TEST(LayersTest, HideTheInsideOfTheStoreAndTheDatabase) {
  const Tree tree = {{"db/a.cc", "#include \"lsm/memtable.h\"\n"},
                     {"schema/a.cc", "#include \"trefoil/database.h\"\n"},
                     {"lsm/b.cc", "#include \"../base/check.h\"\n"}};
  EXPECT_EQ(Printed(CheckLayers(tree)),
            "db/a.cc:1: lsm/ is used through lsm/store.h only, not \"lsm/memtable.h\"\n"
            "schema/a.cc:1: schema/ may include of include/trefoil only plain values, not "
            "\"trefoil/database.h\"\n"
            "lsm/b.cc:1: includes are written from the top of the tree\n");
}

TEST(LayersTest, KeepFilesThreadsLocksAndClocksInTheirPlace) {
  const Tree tree = {{"lsm/a.cc", "#include <fcntl.h>\n#include <thread>\n#include <mutex>\n"},
                     {"base/cache.cc", "#include <sys/stat.h>\n"},
                     {"dataflow/a.cc", "#include <mutex>\n#include <random>\n"},
                     {"db/a.cc", "auto t = std::chrono::steady_clock::now();\n"}};
  EXPECT_EQ(Printed(CheckLayers(tree)),
            "lsm/a.cc:1: <fcntl.h> is used in base/env_* only: files are reached through Env\n"
            "lsm/a.cc:2: <thread> is used in base/ only: threads are reached through Executor\n"
            "base/cache.cc:1: <sys/stat.h> is used in base/env_* only: files are reached through "
            "Env\n"
            "dataflow/a.cc:1: <mutex> must not be used in dataflow/: it has no locks\n"
            "dataflow/a.cc:2: <random> is used in base/ only: randomness comes from "
            "base/random.h\n"
            "db/a.cc:1: steady_clock::now: time comes from base/clock.h\n");
}

TEST(LanguageTest, RefusesMacrosJumpsAndHeadersWithoutPragma) {
  const Tree tree = {{"lsm/a.h", "int x;\n"},
                     {"lsm/b.cc", "#define TWICE(x) x x\nvoid f() { goto end; }\n// goto\n"},
                     {"tests/lsm/c_test.cc", "#define FINE 1\n"}};
  EXPECT_EQ(Printed(CheckLanguage(tree)),
            "lsm/a.h: a header says #pragma once\n"
            "lsm/b.cc:1: the product defines no macro\n"
            "lsm/b.cc:2: the product does not use `goto`\n");
}

TEST(LanguageTest, WantsTheOwnHeaderFirst) {
  const Tree tree = {{"lsm/a.h", Header("")},
                     {"lsm/a.cc", "#include <string>\n#include \"lsm/a.h\"\n"}};
  EXPECT_EQ(Printed(CheckLanguage(tree)), "lsm/a.cc: includes its own header \"lsm/a.h\" first\n");
}

TEST(SizesTest, RefuseAFileOf601Lines) {
  EXPECT_EQ(Printed(CheckSizes({{"lsm/a.cc", Repeated("\n", 600)}})), "");
  EXPECT_EQ(Printed(CheckSizes({{"lsm/a.cc", Repeated("\n", 601)}})),
            "lsm/a.cc: has 601 lines; a file has at most 600\n");
}

TEST(SizesTest, BoundCMakeAndThePublicHeaders) {
  Tree tree = {{"CMakeLists.txt", Repeated("a()\n# b\n\n", 200)},
               {"cmake/a.cmake", Repeated("a()\n", 51)}};
  for (int i = 0; i < 13; ++i) tree.push_back({StrCat("include/trefoil/", i, ".h"), ""});
  EXPECT_EQ(Printed(CheckSizes(tree)),
            "CMakeLists.txt: all CMake files together have 251 lines, at most 250\n"
            "include/trefoil: has 13 public headers, at most 12\n");
}

TEST(FunctionsTest, CountFromTheSignatureToTheClosingBrace) {
  const auto with_body = [](int lines) {
    return "namespace a {\nclass B {\n public:\n  void F(int x = 1,\n         int y = 2) {\n" +
           Repeated("    x;\n", lines) + "  }\n};\n}\n";
  };
  EXPECT_EQ(Printed(CheckFunctions({{"lsm/a.h", with_body(67)}})), "");
  EXPECT_EQ(Printed(CheckFunctions({{"lsm/a.h", with_body(68)}})),
            "lsm/a.h:4: this function has 71 lines; a function has at most 70\n");
}

TEST(FunctionsTest, SeeConstructorsTestsAndTemplates) {
  const std::string body = " {\n" + Repeated("  x;\n", 70) + "}\n";
  const Tree tree = {{"a.cc", "B::B(int a) : a_{a}, b_(1)" + body},
                     {"b.cc", "TEST(ATest, DoesB)" + body},
                     {"c.cc", "template <class T>\n  requires(sizeof(T) > 1)\nint F()" + body},
                     {"d.cc", "int f() { return '{' + \"{\"; }\nint g()" + body}};
  EXPECT_EQ(Printed(CheckFunctions(tree)),
            "a.cc:1: this function has 72 lines; a function has at most 70\n"
            "b.cc:1: this function has 72 lines; a function has at most 70\n"
            "c.cc:1: this function has 74 lines; a function has at most 70\n"
            "d.cc:2: this function has 72 lines; a function has at most 70\n");
}

TEST(FunctionsTest, LeaveTablesAndTypesAlone) {
  const std::string lines = Repeated("  1,\n", 80);
  const Tree tree = {{"a.cc", "constexpr int kTable[] = {\n" + lines + "};\n"},
                     {"b.cc", "enum class E {\n" + lines + "};\n"},
                     {"c.cc", "struct alignas(16) S {\n" + Repeated("  int x;\n", 80) + "};\n"},
                     {"d.cc", "const auto k = F({\n" + lines + "});\n"},
                     {"e.cc", "const char* k = R\"x(\nint f() {\n" + lines + "})x\";\n"}};
  EXPECT_EQ(Printed(CheckFunctions(tree)), "");
}

TEST(DeadFilesTest, AreFoundByKind) {
  const Tree tree = {{"CMakeLists.txt", "add_subdirectory(base)\nadd_subdirectory(tests)\n"},
                     {"README.md", "[a](docs/linked.md)\n"},
                     {"base/a.cc", "#include \"base/a.h\"\n"},
                     {"base/a.h", ""},
                     {"base/b.h", ""},
                     {"base/c.h", ""},
                     {"docs/dead.md", ""},
                     {"docs/linked.md", ""},
                     {"lost/c.cc", "#include \"base/b.h\"\n"},
                     {"lost/d.script", ""},
                     {"tests/CMakeLists.txt", "foreach(folder base lsm)\n"},
                     {"tests/base/a_test.cc", ""},
                     {"tests/other/a_test.cc", ""}};
  EXPECT_EQ(Printed(CheckDeadFiles(tree)),
            "base/c.h: dead file: nothing includes it\n"
            "docs/dead.md: dead file: no document links to it or to its folder\n"
            "lost/c.cc: dead file: no target compiles it\n"
            "lost/d.script: dead file: scripts run from tests/golden/ only\n"
            "tests/other/a_test.cc: dead file: no target compiles it\n");
}

TEST(WordsTest, FindPromisesAndMachinePaths) {
  const std::string todo = StrCat("TO", "DO");
  const Tree tree = {{"a.cc", StrCat("// ", todo, "(#12): fine\n// ", todo, ": not fine\n")},
                     {"b.md", StrCat("FIX", "ME\nIt works For", " now.\n")},
                     {"dev", StrCat("cd /wo", "rk/main\ncat src/wo", "rk/file\n")}};
  EXPECT_EQ(Printed(CheckWords(tree)),
            StrCat("a.cc:2: a note of work to come names its issue: (#12)\n",
                   "b.md:1: banned word: \"FIX", "ME\"\n", "b.md:2: banned word: \"for", " now\"\n",
                   "dev:1: banned word: \"/wo", "rk/\"\n"));
}

TEST(DocumentsTest, HaveOneTitleThatNoOtherHas) {
  const Tree tree = {{"a.md", "# One\n```\n# no title\n```\n"},
                     {"b.md", "# One\n"},
                     {"c.md", "# Two\n\n# Three\n"},
                     {"d.md", "text\n"}};
  EXPECT_EQ(Printed(CheckDocuments(tree)),
            "b.md:1: has the same title as a.md\n"
            "c.md:3: a document has one title\n"
            "d.md: a document has a title, `# ...`\n");
}

TEST(DocumentsTest, LinkToWhatExists) {
  const Tree tree = {{"docs/a.md",
                      "# A\n[b](b.md) [top](../README.md#x) [folder](../lsm/)\n"
                      "[web](https://example.org) [here](#a) [gone](gone.md)\n"},
                     {"docs/b.md", "# B\n"},
                     {"README.md", "# R\n"},
                     {"lsm/store.h", ""}};
  EXPECT_EQ(Printed(CheckDocuments(tree)), "docs/a.md:3: the link to gone.md leads nowhere\n");
}

TEST(DocumentsTest, NameSourcesThatExist) {
  const Tree tree = {{"a.md", "# A\nSee `lsm/store.h`, `lsm/gone.h` and `lsm/NAME.cc`.\n"},
                     {"lsm/store.h", ""}};
  EXPECT_EQ(Printed(CheckDocuments(tree)), "a.md:2: names lsm/gone.h, which does not exist\n");
}

TEST(DocumentsTest, ShowExamplesAsTheyAre) {
  const std::string marked = "<!-- example: examples/a.cc -->\n```cpp\nint a;\n```\n";
  EXPECT_EQ(Printed(CheckDocuments({{"a.md", "# A\n" + marked}, {"examples/a.cc", "int a;\n"}})),
            "");
  EXPECT_EQ(Printed(CheckDocuments({{"a.md", "# A\n" + marked}, {"examples/a.cc", "int b;\n"}})),
            "a.md:4: the code is not that of examples/a.cc\n");
  EXPECT_EQ(Printed(CheckDocuments({{"a.md", "# A\n" + marked}})),
            "a.md:4: the code is not that of examples/a.cc\n");
}

TEST(DocumentsTest, ShowTranscriptsAsTheyAre) {
  const std::string script =
      "# A comment.\none 'a\nb'\n----\n\ntwo\n----\nx\ntook T ms\n\nthree\n----\ny\n";
  const auto shown = [&](const std::string& code) {
    return Printed(CheckDocuments(
        {{"a.md", StrCat("# A\n<!-- transcript: a.script -->\n```\n", code, "```\n")},
         {"a.script", script}}));
  };
  EXPECT_EQ(shown("$ one 'a\n> b'\n$ two\nx\ntook 0.125 ms\n\n$ three\ny\n"), "");
  EXPECT_EQ(shown("$ one 'a\n> b'\n$ two\nx\ntook 0.125 ms\n\n$ three\nz\n"),
            "a.md:11: the code is not that of a.script\n");
}

TEST(DocumentsTest, NameCommandsThatExist) {
  const Tree tree = {{"a.md", "# A\n`./dev test` and `./dev tset`\n"},
                     {"dev", "#!/bin/bash\ncommand_test() {\n"}};
  EXPECT_EQ(Printed(CheckDocuments(tree)), "a.md:2: ./dev has no command tset\n");
}

}  // namespace
}  // namespace trefoil::project
