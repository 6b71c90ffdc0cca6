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

/// Whoever is asked answers within it, unless the host is busy.
constexpr std::chrono::seconds first_patience{5};

/// A status is read off at once; what is changed takes its time, on a busy host too.
std::chrono::seconds patience_with(ControlRequest::Kind kind) {
  if (kind == ControlRequest::Kind::status) return first_patience;
  return std::chrono::seconds(kind == ControlRequest::Kind::stop ? 20 : 60);
}

/// From the answer to a stop to the end: it brings the volume's data to the disk.
constexpr std::chrono::seconds stop_patience{600};

Error silence(std::chrono::seconds patience, pid_t pid) {
  return Error(fmt::format("the supervisor{} did not answer within {} seconds",
                           pid == 0 ? "" : fmt::format(", pid {},", pid), patience.count()),
               ErrorKind::no_answer)
      .hint(
          "it is stopped or stuck: kill -CONT lets a stopped one go on, kill -9 ends it and its "
          "jail");
}

/// How long a supervisor is waited for: a while, then the note, then the rest.
class Wait {
 public:
  Wait(std::chrono::seconds whole, const SilenceNote& silent) : whole_(whole), silent_(silent) {}

  /// For the next call that blocks.
  [[nodiscard]] std::chrono::seconds now() const {
    return noted_ ? whole_ - first_patience : first_patience;
  }

  /// After a call that blocked for so long. @return whether there is a rest to be waited.
  bool go_on(pid_t pid) {
    if (noted_ || whole_ <= first_patience) return false;
    noted_ = true;
    if (silent_) silent_(silence(first_patience, pid));
    return true;
  }

  [[nodiscard]] std::unexpected<Error> given_up(pid_t pid) const {
    return std::unexpected(silence(whole_, pid));
  }

 private:
  std::chrono::seconds whole_;
  const SilenceNote& silent_;
  bool noted_ = false;
};

bool is_absence(const Error& error) {
  return error.code() == ENOENT || error.code() == ECONNREFUSED;
}

/// connect(2) blocks while nobody accepts and the queue is full.
Result<Fd> connect_waiting(const JailPaths& paths, Wait& wait) {
  for (;;) {
    auto connected = connect_seqpacket(socket_of(paths), wait.now());
    if (connected || connected.error().code() != EAGAIN) return connected;
    if (!wait.go_on(0)) return wait.given_up(0);
  }
}

/// nullopt: it was executed anew, or ended, before it read the request.
Result<std::optional<ControlReply>> ask_once(int connection, ControlRequest::Kind kind,
                                             Wait& wait) {
  const auto sent = send_packet(connection, encode(ControlRequest{kind}));
  if (!sent && sent.error().code() == EPIPE) return std::nullopt;
  CHECK(sent);
  for (;;) {
    CHECK(set_patience(connection, wait.now()));
    auto packet = receive_packet(connection, reply_limit);
    if (!packet && packet.error().code() == EAGAIN) {
      const pid_t pid = peer_pid(connection);
      if (wait.go_on(pid)) continue;
      return wait.given_up(pid);
    }
    if (!packet) return std::unexpected(std::move(packet).error());
    if (!*packet) return std::nullopt;
    TRY(auto reply, decode_control_reply((*packet)->bytes));
    return reply;
  }
}

/// One request and its reply; nullopt when there is no supervisor. The connection stays open in
/// `connection`.
Result<std::optional<ControlReply>> ask(const JailPaths& paths, ControlRequest::Kind kind,
                                        Fd& connection, const SilenceNote& silent = {}) {
  Wait wait(patience_with(kind), silent);
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto connected = connect_waiting(paths, wait);
    if (!connected) {
      if (is_absence(connected.error())) return std::nullopt;
      return std::unexpected(std::move(connected).error());
    }
    connection = std::move(*connected);
    TRY(auto reply, ask_once(connection.get(), kind, wait));
    if (!reply) continue;
    if (reply->error.empty()) return reply;
    return std::unexpected(Error(reply->error).hint(reply->hint));
  }
  return fail("the supervisor ended before it answered");
}

Result<std::optional<std::uint64_t>> ask_count(const JailPaths& paths, ControlRequest::Kind kind,
                                               Fd& connection, const SilenceNote& silent) {
  TRY(const auto reply, ask(paths, kind, connection, silent));
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

Result<std::optional<ReloadOutcome>> ask_reload(const JailPaths& paths, const SilenceNote& silent) {
  Fd connection;
  TRY(auto reply, ask(paths, ControlRequest::Kind::reload, connection, silent));
  if (!reply) return std::nullopt;
  return ReloadOutcome{reply->sessions, std::move(reply->pending)};
}

Result<std::optional<std::uint64_t>> ask_stop(const JailPaths& paths, const SilenceNote& silent) {
  Fd connection;
  TRY(const auto sessions, ask_count(paths, ControlRequest::Kind::stop, connection, silent));
  if (!sessions) return std::nullopt;
  // The supervisor keeps the connection open for as long as it lives.
  CHECK(set_patience(connection.get(), stop_patience));
  auto end = receive_packet(connection.get());
  if (!end && end.error().code() == EAGAIN) {
    return std::unexpected(silence(stop_patience, peer_pid(connection.get())));
  }
  if (!end) return std::unexpected(std::move(end).error());
  if (*end) return fail("the supervisor's reply is malformed");
  return sessions;
}

Result<std::optional<std::uint64_t>> ask_end_sessions(const JailPaths& paths,
                                                      const SilenceNote& silent) {
  Fd connection;
  return ask_count(paths, ControlRequest::Kind::end_sessions, connection, silent);
}

}  // namespace evojail
