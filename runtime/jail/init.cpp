#include "jail/init.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>

#include "jail/event_loop.hpp"
#include "jail/init_protocol.hpp"
#include "jail/init_setup.hpp"
#include "jail/launch_plan.hpp"
#include "jail/leftovers.hpp"
#include "jail/session_process.hpp"
#include "kernel/channel.hpp"

namespace evojail {
namespace {

using Kind = InitMessage::Kind;

/// PID 1 once the jail stands: one event at a time.
class Init {
 public:
  Init(EventLoop loop, int channel, Fd children, Fd proc)
      : loop_(std::move(loop)),
        channel_(channel),
        children_(std::move(children)),
        proc_(std::move(proc)) {}

  Result<void> run() {
    CHECK(loop_.watch(channel_, [this] { on_message(); }));
    CHECK(loop_.watch(children_.get(), [this] { on_child(); }));
    return loop_.run();
  }

 private:
  void on_message() {
    auto packet = receive_packet(channel_, 1 << 18);
    // The supervisor is gone or talks nonsense: init's end is the jail's end.
    if (!packet || !*packet) return loop_.stop();
    const auto message = decode_init_message((*packet)->bytes);
    if (!message) return loop_.stop();
    switch (message->kind) {
      case Kind::rules:
        return set_rules(message->text);
      case Kind::session:
        return begin_session(message->id, (*packet)->fds);
      case Kind::end_session:
        return end_session(message->id);
      case Kind::end_all:
        return end_all();
      case Kind::end_leftovers:
        return end_leftovers();
      case Kind::stop:
        return loop_.stop();
      default:
        return loop_.stop();
    }
  }

  void set_rules(const std::string& text) {
    auto rules = decode_session_rules(text);
    if (!rules) return loop_.stop();
    rules_ = std::move(*rules);
  }

  void begin_session(std::uint32_t id, const std::vector<Fd>& fds) {
    if (fds.size() != 2 || !rules_) return tell({.kind = Kind::ended, .id = id, .value = -1});
    auto child = start_session(fds[0].get(), fds[1].get(), *rules_);
    if (!child) return tell({.kind = Kind::ended, .id = id, .value = -1});
    const pid_t pid = child->release();
    sessions_.emplace(pid, id);
    tell({.kind = Kind::started, .id = id, .value = pid});
  }

  void end_session(std::uint32_t id) {
    for (const auto& [pid, session] : sessions_) {
      if (session != id) continue;
      ::kill(pid, SIGKILL);
      ended_by_order_.insert(pid);
    }
  }

  void end_all() {
    for (const auto& [pid, session] : sessions_) ended_by_order_.insert(pid);
    ::kill(-1, SIGKILL);
  }

  void end_leftovers() {
    leftovers_.hurry(Leftovers::Clock::now());
    note_leftovers(Leftovers::Clock::duration::zero());
  }

  void on_child() {
    signalfd_siginfo drained{};
    while (::read(children_.get(), &drained, sizeof drained) > 0) {
    }
    bool now = false;
    bool any_session = false;
    for (;;) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid <= 0) break;
      leftovers_.forget(pid);
      const auto session = sessions_.find(pid);
      if (session == sessions_.end()) continue;
      any_session = true;
      now |= ended_by_order_.erase(pid) > 0;
      tell({.kind = Kind::ended, .id = session->second, .value = status});
      sessions_.erase(session);
    }
    if (any_session) note_leftovers(now ? Leftovers::Clock::duration::zero() : Leftovers::grace);
  }

  void note_leftovers(Leftovers::Clock::duration grace) {
    if (const auto table = read_process_table(proc_.get())) {
      leftovers_.note(*table, session_pids(), Leftovers::Clock::now() + grace);
    }
    schedule_sweep();
  }

  void schedule_sweep() {
    if (rounds_ > 0) return;
    if (sweep_) loop_.cancel(*sweep_);
    sweep_.reset();
    if (const auto when = leftovers_.next_deadline()) {
      sweep_ = loop_.at(*when, [this] { sweep(); });
    }
  }

  /// Kills what is due. What a killed process had below it becomes init's at once, so init looks
  /// again until nothing is left; where new ones keep coming, the jail forks faster than that and
  /// everything in it ends.
  void sweep() {
    constexpr int most_rounds = 40;
    constexpr std::chrono::milliseconds pause{50};
    const auto table = read_process_table(proc_.get());
    if (!table) return loop_.stop();
    const auto now = Leftovers::Clock::now();
    if (session_has_ended()) {
      sweep_ = loop_.at(now + pause, [this] { sweep(); });
      return;
    }
    // What is unknown here comes from what is known: a process that forked and ended is another
    // one's parent no more, and its child would outlive every deadline.
    leftovers_.note(*table, session_pids(), now);
    leftovers_.keep_only(*table);
    const auto known = killed_.size();
    const auto due = leftovers_.due(*table, now);
    for (const pid_t pid : due) {
      ::kill(pid, SIGKILL);
      killed_.insert({pid, table->at(pid).start_time});
    }
    if (due.empty()) return end_sweep();
    if (killed_.size() > known && ++rounds_ > most_rounds) end_all();
    sweep_ = loop_.at(now + pause, [this] { sweep(); });
  }

  /// Whether a session's sshd has ended and on_child() has not heard of it: what it left, which the
  /// table may show by now, is entitled to its grace.
  [[nodiscard]] bool session_has_ended() const {
    return std::ranges::any_of(sessions_, [](const auto& session) {
      siginfo_t info{};
      const auto pid = static_cast<id_t>(session.first);
      return ::waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
    });
  }

  void end_sweep() {
    if (!killed_.empty()) {
      tell({.kind = Kind::leftovers, .value = static_cast<std::int32_t>(killed_.size())});
    }
    killed_.clear();
    rounds_ = 0;
    schedule_sweep();
  }

  [[nodiscard]] std::set<pid_t> session_pids() const {
    std::set<pid_t> pids;
    for (const auto& [pid, id] : sessions_) pids.insert(pid);
    return pids;
  }

  void tell(const InitMessage& message) {
    if (!send_packet(channel_, encode(message))) loop_.stop();
  }

  EventLoop loop_;
  int channel_;
  Fd children_;
  Fd proc_;
  std::optional<SessionRules> rules_;
  std::map<pid_t, std::uint32_t> sessions_;
  std::set<pid_t> ended_by_order_;
  Leftovers leftovers_;
  std::optional<EventLoop::TimerId> sweep_;
  std::set<std::pair<pid_t, std::uint64_t>> killed_;  // in the sweep under way
  int rounds_ = 0;
};

Result<Fd> child_signals() {
  sigset_t mask;
  ::sigemptyset(&mask);
  ::sigaddset(&mask, SIGCHLD);
  if (::sigprocmask(SIG_SETMASK, &mask, nullptr) != 0) return fail_errno("blocking", "SIGCHLD");
  Fd fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("making", "a signal descriptor");
  return fd;
}

struct Order {
  LaunchPlan plan;
  Fd user_namespace;
};

Result<Order> receive_order(int channel) {
  TRY(auto packet, receive_packet(channel));
  if (!packet) return fail("the supervisor is gone");
  TRY(const auto message, decode_init_message(packet->bytes));
  if (message.kind != Kind::plan) return fail("the supervisor sent no plan");
  TRY(auto plan, decode_launch_plan(message.text));
  if (packet->fds.size() != 1) return fail("the supervisor sent no user namespace");
  return Order{std::move(plan), std::move(packet->fds[0])};
}

Result<void> live(int channel) {
  CHECK(enter_namespaces());
  TRY(auto order, receive_order(channel));
  TRY(auto handles, isolate(order.plan, std::move(order.user_namespace)));
  TRY(Fd children, child_signals());
  TRY(EventLoop loop, EventLoop::make());
  const std::string ready = encode(InitMessage{.kind = Kind::ready});
  CHECK(send_packet(channel, ready, {handles.report.get(), handles.mknod_listener.get()}));
  handles.report.reset();
  handles.mknod_listener.reset();
  return Init(std::move(loop), channel, std::move(children), std::move(handles.proc)).run();
}

}  // namespace

int run_init(int channel) {
  const auto lived = live(channel);
  if (lived) return 0;
  [[maybe_unused]] const auto told = send_packet(channel, encode(failure_of(lived.error())));
  return 1;
}

}  // namespace evojail
