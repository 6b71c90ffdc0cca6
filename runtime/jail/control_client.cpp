#include "jail/control_client.hpp"

#include <unistd.h>

#include "kernel/channel.hpp"
#include "kernel/unix_socket.hpp"

namespace evojail {
namespace {

constexpr std::size_t reply_limit = 1 << 20;

std::string socket_of(const JailPaths& paths) { return paths.run_dir + "/control"; }

/// One request and its reply; nullopt when there is no supervisor. The connection stays open in
/// `connection`.
Result<std::optional<ControlReply>> ask(const JailPaths& paths, ControlRequest::Kind kind,
                                        Fd& connection) {
  auto connected = connect_seqpacket(socket_of(paths));
  if (!connected) {
    const int code = connected.error().code();
    if (code == ENOENT || code == ECONNREFUSED) return std::nullopt;
    return std::unexpected(std::move(connected).error());
  }
  connection = std::move(*connected);
  CHECK(send_packet(connection.get(), encode(ControlRequest{kind})));
  TRY(const auto packet, receive_packet(connection.get(), reply_limit));
  if (!packet) return fail("the supervisor ended before it answered");
  TRY(auto reply, decode_control_reply(packet->bytes));
  if (reply.error.empty()) return reply;
  return std::unexpected(Error(reply.error).hint(reply.hint));
}

Result<std::optional<std::uint64_t>> ask_count(const JailPaths& paths, ControlRequest::Kind kind,
                                               Fd& connection) {
  TRY(const auto reply, ask(paths, kind, connection));
  if (!reply) return std::nullopt;
  return reply->sessions;
}

}  // namespace

Result<std::optional<SupervisorStatus>> ask_status(const JailPaths& paths) {
  Fd connection;
  TRY(auto reply, ask(paths, ControlRequest::Kind::status, connection));
  if (!reply) return std::nullopt;
  if (!reply->status) return fail("the supervisor's reply is malformed");
  return std::move(reply->status);
}

Result<std::optional<std::uint64_t>> ask_reload(const JailPaths& paths) {
  Fd connection;
  return ask_count(paths, ControlRequest::Kind::reload, connection);
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
