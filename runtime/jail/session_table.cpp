#include "jail/session_table.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <ctime>

#include "base/amount.hpp"
#include "jail/init_protocol.hpp"
#include "jail/session_admission.hpp"
#include "kernel/channel.hpp"

namespace evojail {
namespace {

using Kind = InitMessage::Kind;

/// An sshd that does as it is told has long ended by then. That somebody has logged in shows in a
/// command being reported and in nothing that sshd writes: it passes on the newlines of a user
/// name, so a stranger could write any line.
constexpr std::chrono::seconds sshd_first{10};

/// At 1,700 bytes a line at the very most, 80 MB a day.
constexpr std::uint64_t lines_per_hour = 2000;

/// As much as is there at most, without waiting: more comes with the next event, after the others'
/// turn.
std::string read_some(int fd) {
  std::array<char, 8192> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
}

Result<std::pair<Fd, Fd>> log_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("making", "a pipe");
  std::pair pipe{Fd(ends[0]), Fd(ends[1])};
  if (::fcntl(pipe.first.get(), F_SETFL, O_NONBLOCK) != 0)
    return fail_errno("setting up", "a pipe");
  return pipe;
}

std::vector<SessionSlot> slots_of(const std::map<std::uint32_t, Session>& sessions) {
  std::vector<SessionSlot> slots;
  for (const auto& [id, session] : sessions) {
    slots.push_back(
        {id, session.peer.address, !session.command.empty(), session.traffic.has_value()});
  }
  return slots;
}

}  // namespace

SessionTable::SessionTable(SupervisorState& state, EventLoop& loop, LogSink log, Ended ended)
    : state_(state),
      loop_(loop),
      log_(std::move(log)),
      ended_(std::move(ended)),
      log_limit_(50, 250, lines_per_hour) {}

Result<void> SessionTable::attach(std::chrono::seconds login_grace) {
  CHECK(loop_.watch(state_.init.report.get(), [this] { hear_reports(); }));
  for (auto& [id, session] : state_.sessions) {
    CHECK(watch_log(session));
    end_unless_logged_in(id, login_grace + sshd_first);
  }
  return {};
}

Result<void> SessionTable::begin(Accepted accepted, const SessionLimits& limits) {
  const auto admission = admit(slots_of(state_.sessions), accepted.peer.address, limits.most);
  if (admission.kind == Admission::Kind::refuse) {
    turn_away(accepted, admission.reason);
    return {};
  }
  if (admission.kind == Admission::Kind::replace) {
    log_bounded(LogLevel::warning, fmt::format("ending session {}, which has not logged in, for {}",
                                               admission.id, to_string(accepted.peer)));
    end_where([&](const Session& session) { return session.id == admission.id; });
  }
  TRY(auto pipe, log_pipe());
  Session session{.id = ++state_.last_session,
                  .peer = accepted.peer,
                  .socket = std::move(accepted.socket),
                  .log = std::move(pipe.first),
                  .began = std::time(nullptr)};
  // Counted and watched before init has it: a session that runs is one that is known.
  CHECK(watch_log(session));
  const auto id = session.id;
  const Session& known = state_.sessions.emplace(id, std::move(session)).first->second;
  auto sent =
      send_packet(state_.init.channel.get(), encode(InitMessage{.kind = Kind::session, .id = id}),
                  {known.socket.get(), pipe.second.get()});
  if (!sent) {
    loop_.unwatch(known.log.get());
    state_.sessions.erase(id);
    return sent;
  }
  log_(LogLevel::info, fmt::format("session from {} began", to_string(known.peer)));
  end_unless_logged_in(id, limits.login_grace + sshd_first);
  return {};
}

void SessionTable::end_unless_logged_in(std::uint32_t id, std::chrono::seconds after) {
  loop_.at(EventLoop::Clock::now() + after, [this, id, after] {
    end_where([&](const Session& session) {
      if (session.id != id || !session.command.empty() || session.traffic) return false;
      log_bounded(LogLevel::warning,
                  fmt::format("ending the session from {}: nobody has logged in for {} s",
                              to_string(session.peer), after.count()));
      return true;
    });
  });
}

void SessionTable::turn_away(const Accepted& accepted, std::string_view reason) {
  log_bounded(LogLevel::warning,
              fmt::format("turning {} away: {}", to_string(accepted.peer), reason));
  reset_connection(accepted.socket.get());
}

Result<void> SessionTable::watch_log(Session& session) {
  return loop_.watch(session.log.get(), [this, id = session.id] { read_log(id); });
}

void SessionTable::read_log(std::uint32_t id) {
  const auto found = state_.sessions.find(id);
  if (found == state_.sessions.end()) return;
  Session& session = found->second;
  const std::string bytes = read_some(session.log.get());
  if (bytes.empty()) {
    loop_.unwatch(session.log.get());
    return;
  }
  log_lines(session, session.lines.feed(bytes, SessionLog::Clock::now()));
}

void SessionTable::hear_reports() {
  const auto now = TokenBucket::Clock::now();
  if (report_reads_.take(now)) return read_reports();
  loop_.pause(state_.init.report.get(), report_reads_.next(now),
              [this](const Error& error) { log_(LogLevel::error, error.message()); });
}

void SessionTable::log_bounded(LogLevel level, std::string_view line) {
  if (!log_limit_.may_pass(LogLimit::Clock::now())) return;
  if (const auto dropped = log_limit_.take_dropped()) {
    log_(LogLevel::warning, fmt::format("({} dropped)", count_of(dropped, "line")));
  }
  log_(level, line);
  if (log_limit_.is_spent()) {
    log_(LogLevel::warning,
         fmt::format("{} within an hour: what sessions write is dropped until it is over",
                     count_of(lines_per_hour, "line")));
  }
}

void SessionTable::log_lines(const Session& session, const std::vector<std::string>& lines) {
  for (const auto& line : lines) {
    log_bounded(LogLevel::info, fmt::format("session from {}: {}", to_string(session.peer), line));
  }
}

void SessionTable::read_reports() {
  // All that the FIFO can have held when this began, in reads of read_some(); what a jail goes on
  // to write comes with the next event.
  constexpr int most_reads = 8;
  for (int i = 0; i < most_reads; ++i) {
    const std::string bytes = read_some(state_.init.report.get());
    if (bytes.empty()) return;
    reports_.feed(bytes, [this](const SessionReport& report) { note_report(report); });
  }
}

void SessionTable::note_report(const SessionReport& report) {
  if (report.kind == SessionReport::Kind::begin) ++state_.commands;
  for (auto& [id, session] : state_.sessions) {
    if (session.peer.port != report.port || to_string(session.peer.address) != report.peer)
      continue;
    evojail::note_report(session, report);
  }
}

void SessionTable::on_started(std::uint32_t id, pid_t process) {
  const auto found = state_.sessions.find(id);
  if (found != state_.sessions.end()) found->second.process = process;
}

void SessionTable::on_ended(std::uint32_t id) {
  const auto found = state_.sessions.find(id);
  if (found == state_.sessions.end()) return;
  finish(found->second);
  state_.sessions.erase(found);
}

void SessionTable::finish(Session& session) {
  // What the session wrote before it ended may still be on its way here.
  read_reports();
  log_lines(session, session.lines.feed(read_some(session.log.get()), SessionLog::Clock::now()));
  log_lines(session, session.lines.finish(SessionLog::Clock::now()));
  loop_.unwatch(session.log.get());
  const SessionRecord record{
      session.peer,       session.began,
      std::time(nullptr), session.traffic.value_or(traffic_of(session.socket.get())),
      session.command,    session.outcome,
      session.pushed};
  log_(LogLevel::info, describe(record));
  ended_(record);
}

std::uint64_t SessionTable::end_where(const std::function<bool(const Session&)>& which) {
  std::uint64_t count = 0;
  for (auto& [id, session] : state_.sessions) {
    if (session.traffic || !which(session)) continue;
    ++count;
    // A reset clears the kernel's counters.
    session.traffic = traffic_of(session.socket.get());
    [[maybe_unused]] const auto told = send_packet(
        state_.init.channel.get(), encode(InitMessage{.kind = Kind::end_session, .id = id}));
    reset_connection(session.socket.get());
  }
  return count;
}

std::uint64_t SessionTable::end_all() {
  [[maybe_unused]] const auto told =
      send_packet(state_.init.channel.get(), encode(InitMessage{.kind = Kind::end_all}));
  return end_where([](const Session&) { return true; });
}

std::vector<SessionStatus> SessionTable::status() {
  // A command says that it begins before it writes anything: whoever asks now learns of all that
  // has written by now.
  read_reports();
  std::vector<SessionStatus> list;
  for (const auto& [id, session] : state_.sessions) {
    const Traffic traffic = traffic_of(session.socket.get());
    list.push_back({id, to_string(session.peer.address), session.peer.port, session.began,
                    traffic.received, traffic.sent,
                    session.running.empty() ? "" : session.running.back().text});
  }
  return list;
}

std::map<std::uint32_t, DiskUse> SessionTable::disk_use() const {
  std::map<std::uint32_t, DiskUse> use;
  for (const auto& [id, session] : state_.sessions) {
    use[id].received = traffic_of(session.socket.get()).received;
  }
  return use;
}

}  // namespace evojail
