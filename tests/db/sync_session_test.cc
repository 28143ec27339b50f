// Two replicas talk through sessions over a connection in memory.
#include "crdt/sync_session.h"

#include <gtest/gtest.h>

#include <deque>
#include <limits>
#include <string>

#include "tests/support/replica.h"

namespace trefoil::testing {
namespace {

// One end: a replica, its session, and what is on the way to it.
struct End {
  Replica* replica = nullptr;
  crdt::SyncSession session = {};
  std::deque<std::string> inbox = {};
  int changesets_received = 0;
};

void Offer(End& from, End& to) {
  const std::optional<crdt::Known> owed = from.session.Owed(from.replica->engine().heads());
  if (!owed) return;
  const Result<db::Engine::PartOfChanges> part =
      from.replica->engine().ChangesUpTo(*owed, std::numeric_limits<std::size_t>::max());
  ASSERT_TRUE(part);
  to.inbox.push_back(from.session.Changes(Slice(part->changeset), part->covered));
}

void Handle(End& at, End& other) {
  const std::string message = at.inbox.front();
  at.inbox.pop_front();
  const Result<std::optional<Slice>> changes = at.session.Receive(Slice(message));
  ASSERT_TRUE(changes) << changes.error().message;
  if (*changes) {
    ++at.changesets_received;
    at.replica->Merge((*changes)->ToString());
    other.inbox.push_back(at.session.Ack(at.replica->engine().known()));
  }
  Offer(at, other);
}

class SyncSessionTest : public ::testing::Test {
 protected:
  SyncSessionTest() : a(1), b(2) {
    a.DeclareTable();
    a.Insert(1);
  }
  void Connect() {
    left = {.replica = &a};
    right = {.replica = &b};
    right.inbox.push_back(left.session.Hello(a.engine().known()));
    left.inbox.push_back(right.session.Hello(b.engine().known()));
  }
  void RunUntilQuiet() {
    for (int i = 0; i < 100 && !(left.inbox.empty() && right.inbox.empty()); ++i) {
      if (!left.inbox.empty()) Handle(left, right);
      if (!right.inbox.empty()) Handle(right, left);
    }
    ASSERT_TRUE(left.inbox.empty() && right.inbox.empty()) << "the talk does not end";
  }

  Replica a;
  Replica b;
  End left;
  End right;
};

TEST_F(SyncSessionTest, BothSidesEndWithTheSameStateAndFallSilent) {
  Connect();
  RunUntilQuiet();
  EXPECT_EQ(a.Hex(), b.Hex());
  EXPECT_EQ(right.changesets_received, 1);
  EXPECT_EQ(left.session.confirmed(), a.engine().heads());
}

TEST_F(SyncSessionTest, LaterCommitsFollowOnTheSameConnection) {
  Connect();
  RunUntilQuiet();
  b.Set(1, kName, 5);
  Offer(right, left);
  RunUntilQuiet();
  EXPECT_EQ(a.Get(1, kName), Value::Int(5));
  EXPECT_EQ(right.changesets_received, 1) << "what came from the other side is not sent back";
}

TEST_F(SyncSessionTest, AConnectionThatBreaksIsTakenUpWhereItStood) {
  Connect();
  Handle(right, left);
  Handle(left, right);  // sends the changes, which are lost
  Connect();
  RunUntilQuiet();
  EXPECT_EQ(a.Hex(), b.Hex());
}

TEST_F(SyncSessionTest, WhatTheOtherSideCannotApplyYetIsSentOnceAndWaitsThere) {
  a.clock().Advance(3'600'000'000);
  a.Set(1, kName, 5);  // held by b
  Connect();
  RunUntilQuiet();
  EXPECT_NE(a.Hex(), b.Hex());
  EXPECT_EQ(right.changesets_received, 1);
  b.clock().Advance(3'600'000'000);
  a.Set(1, kA, 0);
  Offer(left, right);
  RunUntilQuiet();
  EXPECT_EQ(a.Hex(), b.Hex());
}

TEST_F(SyncSessionTest, MessagesThatMakeNoSenseEndTheTalk) {
  crdt::SyncSession session;
  EXPECT_FALSE(session.Receive(""));
  EXPECT_FALSE(session.Receive("\x02...")) << "before the hello";
  EXPECT_EQ(session.Receive("\x01\x09").error().code, ErrorCode::kNewerFormat);
  EXPECT_FALSE(session.Receive("\x01"));
  EXPECT_TRUE(session.Receive("\x01\x01"));
  EXPECT_FALSE(session.Receive("\x01\x01")) << "a second hello";
  EXPECT_FALSE(session.Receive("\x03x"));
  EXPECT_FALSE(session.Receive("\x07"));
}

}  // namespace
}  // namespace trefoil::testing
