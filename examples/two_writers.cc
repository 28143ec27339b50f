// Two replicas write to the same rows at the same time and exchange over TCP what the other lacks:
// each says what it has (a version vector), gets the changes since then, and merges them as one
// commit. In the end both hold the same, clocks included. The program ends by itself.
#include <array>
#include <boost/asio.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "trefoil/trefoil.h"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kRounds = 3;
constexpr std::uint32_t kMessageBytesMax = 64 << 20;

// A message is its size, 4 bytes, low byte first, and its bytes.
asio::awaitable<void> Send(tcp::socket& socket, std::string bytes) {
  std::array<unsigned char, 4> size;
  for (std::size_t i = 0; i < 4; ++i) size[i] = static_cast<unsigned char>(bytes.size() >> 8 * i);
  const std::array<asio::const_buffer, 2> parts = {asio::buffer(size), asio::buffer(bytes)};
  co_await asio::async_write(socket, parts, asio::use_awaitable);
}

// Empty when the other side announces more than anyone should send.
asio::awaitable<std::string> Receive(tcp::socket& socket) {
  std::array<unsigned char, 4> size;
  co_await asio::async_read(socket, asio::buffer(size), asio::use_awaitable);
  std::uint32_t bytes = 0;
  for (std::size_t i = 0; i < 4; ++i) bytes |= static_cast<std::uint32_t>(size[i]) << 8 * i;
  std::string message(bytes > kMessageBytesMax ? 0 : bytes, '\0');
  co_await asio::async_read(socket, asio::buffer(message), asio::use_awaitable);
  co_return message;
}

struct Replica {
  std::string name;
  trefoil::Database database;
  bool done = false;  // all rounds went well
};

// One side of the talk; both run the same.
asio::awaitable<void> Talk(tcp::socket socket, Replica& replica) {
  trefoil::Database& database = replica.database;
  for (int round = 1; round <= kRounds; ++round) {
    trefoil::Params params;
    params.Set("title", trefoil::Value::Text("by " + replica.name));
    const auto written = database.Execute(
        "UPSERT INTO note {id: 1, title: :title}; UPDATE note SET edits += 1 WHERE id = 1", params);
    if (!written) co_return;
    co_await Send(socket, database.version_vector().bytes());
    const auto known = trefoil::VersionVector::Parse(co_await Receive(socket));
    if (!known) co_return;
    const auto changes = database.Changes(*known);
    if (!changes) co_return;
    co_await Send(socket, *changes);
    const auto merged = database.Merge(co_await Receive(socket));
    if (!merged) co_return;
  }
  replica.done = true;
}

asio::awaitable<void> Listen(tcp::acceptor& acceptor, Replica& replica) {
  co_await Talk(co_await acceptor.async_accept(asio::use_awaitable), replica);
}

asio::awaitable<void> Connect(tcp::endpoint to, Replica& replica) {
  tcp::socket socket(co_await asio::this_coro::executor);
  co_await socket.async_connect(to, asio::use_awaitable);
  co_await Talk(std::move(socket), replica);
}

// Reports what the network threw.
void OnEnd(const std::exception_ptr& error) {
  if (error) std::fprintf(stderr, "the connection failed\n");
}

}  // namespace

int main() {
  auto left = trefoil::Database::Open(":memory:");
  auto right = trefoil::Database::Open(":memory:");
  if (!left || !right) return 1;
  Replica replicas[] = {{"left", *std::move(left)}, {"right", *std::move(right)}};
  for (Replica& replica : replicas) {
    if (!replica.database.Execute("TABLE note (id INT KEY, title TEXT, edits COUNTER)")) return 1;
  }
  const auto query = replicas[0].database.Prepare("SELECT title, edits FROM note");
  if (!query) return 1;
  const auto live = replicas[0].database.Watch(*query, {}, [](const trefoil::Change& change) {
    std::printf("left sees %s\n", trefoil::ToJson(change).c_str());
  });
  if (!live) return 1;

  asio::io_context context;
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  asio::co_spawn(context, Listen(acceptor, replicas[0]), OnEnd);
  asio::co_spawn(context, Connect(acceptor.local_endpoint(), replicas[1]), OnEnd);
  context.run();

  const auto digest = replicas[0].database.StateDigest();
  const auto other = replicas[1].database.StateDigest();
  const bool agree = replicas[0].done && replicas[1].done && digest && other && *digest == *other;
  std::printf("%s\n", agree ? "both hold the same" : "the replicas differ");
  return agree ? 0 : 1;
}
