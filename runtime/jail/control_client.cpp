#include "jail/control_client.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "kernel/channel.hpp"
#include "kernel/unix_socket.hpp"

namespace evojail {
namespace {

constexpr std::size_t reply_limit = 1 << 20;

std::string socket_of(const JailPaths& paths) { return paths.run_dir + "/control"; }

/// A status is read off at once; what is changed takes its time, on a busy host too; and a stop
/// brings the volume's data to the disk.
std::chrono::seconds patience_with(ControlRequest::Kind kind) {
  if (kind == ControlRequest::Kind::status) return std::chrono::seconds(5);
  return std::chrono::seconds(kind == ControlRequest::Kind::stop ? 600 : 60);
}

std::unexpected<Error> silent(std::chrono::seconds patience, pid_t pid) {
  return std::unexpected(
      Error(fmt::format("the supervisor{} did not answer within {} seconds",
                        pid == 0 ? "" : fmt::format(", pid {},", pid), patience.count()))
          .hint("it is stopped or stuck: kill -CONT lets a stopped one go on, kill -9 ends it and "
                "its jail"));
}

bool is_absence(const Error& error) {
  return error.code() == ENOENT || error.code() == ECONNREFUSED;
}

/// nullopt: it was executed anew, or ended, before it read the request.
Result<std::optional<ControlReply>> ask_once(int connection, ControlRequest::Kind kind) {
  const auto sent = send_packet(connection, encode(ControlRequest{kind}));
  if (!sent && sent.error().code() == EPIPE) return std::nullopt;
  CHECK(sent);
  TRY(const auto packet, receive_packet(connection, reply_limit));
  if (!packet) return std::nullopt;
  TRY(auto reply, decode_control_reply(packet->bytes));
  return reply;
}

/// One request and its reply; nullopt when there is no supervisor. The connection stays open in
/// `connection`.
Result<std::optional<ControlReply>> ask(const JailPaths& paths, ControlRequest::Kind kind,
                                        Fd& connection) {
  const auto patience = patience_with(kind);
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto connected = connect_seqpacket(socket_of(paths), patience);
    if (!connected) {
      if (is_absence(connected.error())) return std::nullopt;
      if (connected.error().code() == EAGAIN) return silent(patience, 0);
      return std::unexpected(std::move(connected).error());
    }
    connection = std::move(*connected);
    auto reply = ask_once(connection.get(), kind);
    if (!reply && reply.error().code() == EAGAIN) {
      return silent(patience, peer_pid(connection.get()));
    }
    if (!reply) return std::unexpected(std::move(reply).error());
    if (!*reply) continue;
    if ((*reply)->error.empty()) return reply;
    return std::unexpected(Error((*reply)->error).hint((*reply)->hint));
  }
  return fail("the supervisor ended before it answered");
}

Result<std::optional<std::uint64_t>> ask_count(const JailPaths& paths, ControlRequest::Kind kind,
                                               Fd& connection) {
  TRY(const auto reply, ask(paths, kind, connection));
  if (!reply) return std::nullopt;
  return reply->sessions;
}

}  // namespace

Result<bool> has_supervisor(const JailPaths& paths) {
  auto connected = connect_seqpacket(socket_of(paths), std::chrono::seconds(1));
  if (connected || connected.error().code() == EAGAIN) return true;
  if (is_absence(connected.error())) return false;
  return std::unexpected(std::move(connected).error());
}

Result<std::optional<SupervisorStatus>> ask_status(const JailPaths& paths) {
  Fd connection;
  TRY(auto reply, ask(paths, ControlRequest::Kind::status, connection));
  if (!reply) return std::nullopt;
  if (!reply->status) return fail("the supervisor's reply is malformed");
  return std::move(reply->status);
}

Result<std::optional<ReloadOutcome>> ask_reload(const JailPaths& paths) {
  Fd connection;
  TRY(auto reply, ask(paths, ControlRequest::Kind::reload, connection));
  if (!reply) return std::nullopt;
  return ReloadOutcome{reply->sessions, std::move(reply->pending)};
}

Result<std::optional<std::uint64_t>> ask_stop(const JailPaths& paths) {
  Fd connection;
  TRY(const auto sessions, ask_count(paths, ControlRequest::Kind::stop, connection));
  if (!sessions) return std::nullopt;
  // The supervisor keeps the connection open for as long as it lives.
  TRY(const auto end, receive_packet(connection.get()));
  if (end) return fail("the supervisor's reply is malformed");
  return sessions;
}

Result<std::optional<std::uint64_t>> ask_end_sessions(const JailPaths& paths) {
  Fd connection;
  return ask_count(paths, ControlRequest::Kind::end_sessions, connection);
}

}  // namespace evojail
