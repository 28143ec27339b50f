// Demo `board`: an issue tracker on three replicas. Seven live queries and a thousand
// parameterised ones stand on the first; all three write, offline and back; every merged batch
// arrives as one exact delta, and in the end all digests are equal.
#include <cstdio>
#include <vector>

#include "cli/demo/demo.h"
#include "cli/demo/issue_tracker.h"
#include "cli/demo/tracker_answers.h"
#include "cli/demo/witness.h"

namespace trefoil::cli {

namespace {

constexpr std::int64_t kIssues = 100'000;
constexpr std::int64_t kIdsPerReplica = 1'000'000'000;
constexpr int kReplicas = 3;
constexpr int kUserQueries = 1'000;
constexpr int kUsersByHand = 10;
constexpr int kRounds = 5;
constexpr int kTransactionsPerRound = 60;

class BoardDemo {
 public:
  Status Run() {
    for (const auto& step : {&BoardDemo::Load, &BoardDemo::WatchAll, &BoardDemo::WriteAndMerge,
                             &BoardDemo::Converge}) {
      if (Status done = (this->*step)(); !done) return done;
    }
    return Ok();
  }

  DemoVerdict Verdict() const {
    DemoVerdict verdict = witness_->Verdict();
    if (!verdict.pass) return verdict;
    verdict.pass = converged_;
    verdict.summary += converged_ ? "; 3 digests equal" : "; digests differ";
    return verdict;
  }

 private:
  Status Load() {
    for (int i = 0; i < kReplicas; ++i) {
      Result<Database> database = Database::Open(":memory:");
      if (!database) return std::move(database).error();
      replicas_.push_back(*std::move(database));
      writers_.emplace_back(kIssues, static_cast<std::uint64_t>(i + 1), i * kIdsPerReplica);
    }
    if (Status loaded = writers_[0].Load(replicas_[0]); !loaded) return loaded;
    for (int i = 1; i < kReplicas; ++i) {
      if (Status sent = Send(0, i); !sent) return sent;
    }
    std::printf("%lld issues on %d replicas\n", static_cast<long long>(kIssues), kReplicas);
    return Ok();
  }

  Status WatchAll() {
    witness_ = std::make_unique<Witness>(replicas_[0]);
    Params project;
    project.Set("project", Value::Int(7));
    for (const NamedQuery& query : IssueTracker::Queries()) {
      std::printf("live %s  %s\n", std::string(query.name).c_str(),
                  std::string(query.treesql).c_str());
      Status watched = witness_->Watch(std::string(query.name), query.treesql, project, true);
      if (!watched) return watched;
    }
    for (int user = 0; user < kUserQueries; ++user) {
      Params params;
      params.Set("user", Value::Int(user));
      Status watched = witness_->Watch(NameOf(user), IssueTracker::UserQuery(), params, false);
      if (!watched) return watched;
    }
    std::printf("and %d times: %s\n", kUserQueries, std::string(IssueTracker::UserQuery()).c_str());
    return Compare();
  }

  Status WriteAndMerge() {
    for (int round = 0; round < kRounds; ++round) {
      for (int i = 0; i < kTransactionsPerRound; ++i) {
        const bool show = round == 0 && i < 2;
        Status done = witness_->Commit(show ? "a local transaction" : "", [&] { return Write(0); });
        if (!done) return done;
        for (int replica = 1; replica < kReplicas; ++replica) {
          if (Status written = Write(replica); !written) return written;
        }
      }
      // Replica 2 is offline every other round.
      for (int replica = 1; replica < (round % 2 == 0 ? 2 : kReplicas); ++replica) {
        const std::string what = round == 0 ? "a merged batch of 60 transactions" : "";
        if (Status done = witness_->Commit(what, [&] { return Send(replica, 0); }); !done) {
          return done;
        }
        if (Status sent = Send(0, replica); !sent) return sent;
      }
      if (Status compared = Compare(); !compared) return compared;
    }
    return Ok();
  }

  // All live results with fresh runs, and a sample of them with plain loops over the rows.
  Status Compare() {
    if (Status compared = witness_->Compare(); !compared) return compared;
    const Result<TrackerAnswers> answers = TrackerAnswers::Read(replicas_[0].snapshot());
    if (!answers) return answers.error();
    for (const NamedQuery& query : IssueTracker::Queries()) {
      const std::optional<AnswerRows> rows = answers->Of(query.name);
      if (rows) witness_->CompareByHand(std::string(query.name), *rows);
    }
    for (int user = 0; user < kUserQueries; user += kUserQueries / kUsersByHand) {
      witness_->CompareByHand(NameOf(user), answers->OfUser(user));
    }
    return Ok();
  }

  static std::string NameOf(int user) { return "user " + std::to_string(user); }

  Status Converge() {
    for (int pass = 0; pass < 2; ++pass) {
      for (int from = 0; from < kReplicas; ++from) {
        for (int to = 0; to < kReplicas; ++to) {
          if (from == to) continue;
          if (Status sent = Send(from, to); !sent) return sent;
        }
      }
    }
    converged_ = true;
    Digest first;
    for (int i = 0; i < kReplicas; ++i) {
      const Result<Digest> digest = replicas_[static_cast<std::size_t>(i)].StateDigest();
      if (!digest) return digest.error();
      std::printf("replica %d: %s\n", i, digest->ToHex().c_str());
      if (i == 0) first = *digest;
      converged_ = converged_ && *digest == first;
    }
    return Compare();
  }

  Status Write(int replica) {
    const auto i = static_cast<std::size_t>(replica);
    const Result<CommitInfo> commit = replicas_[i].Write(
        [&](Transaction& transaction) { return writers_[i].RunOne(transaction); });
    return commit ? Ok() : Status(commit.error());
  }

  Status Send(int from, int to) {
    Database& target = replicas_[static_cast<std::size_t>(to)];
    const Result<std::string> changes =
        replicas_[static_cast<std::size_t>(from)].Changes(target.version_vector());
    if (!changes) return changes.error();
    const Result<MergeSummary> merged = target.Merge(*changes);
    return merged ? Ok() : Status(merged.error());
  }

  std::vector<Database> replicas_;
  std::vector<IssueTracker> writers_;
  std::unique_ptr<Witness> witness_;  // watches replica 0; ends before it
  bool converged_ = false;
};

}  // namespace

Result<DemoVerdict> RunBoardDemo(const DemoSettings&) {
  std::printf("demo board: an issue tracker\n");
  BoardDemo demo;
  if (Status done = demo.Run(); !done) return done.error();
  return demo.Verdict();
}

}  // namespace trefoil::cli
