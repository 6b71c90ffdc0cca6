#include "jail/supervisor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>
#include <optional>

#include "base/amount.hpp"
#include "base/descriptor_limit.hpp"
#include "base/local_time.hpp"
#include "jail/clean_boots.hpp"
#include "jail/control.hpp"
#include "jail/control_door.hpp"
#include "jail/device_places.hpp"
#include "jail/disk_watch.hpp"
#include "jail/event_loop.hpp"
#include "jail/init_protocol.hpp"
#include "jail/jail_start.hpp"
#include "jail/last_session.hpp"
#include "jail/mknod_service.hpp"
#include "jail/next_program.hpp"
#include "jail/notify.hpp"
#include "jail/peer_watch.hpp"
#include "jail/push_end.hpp"
#include "jail/run_dir.hpp"
#include "jail/session_table.hpp"
#include "kernel/channel.hpp"
#include "kernel/tcp.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

using Kind = InitMessage::Kind;

/// How long the inc at a push's end waits for another operation on the jail, such as an rm: a
/// number of seconds.
constexpr const char* kLockPatience = "3600";

Result<Fd> signals() {
  sigset_t mask;
  ::sigemptyset(&mask);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&mask, number);
  if (::sigprocmask(SIG_BLOCK, &mask, nullptr) != 0) return fail_errno("blocking", "signals");
  Fd fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("making", "a signal descriptor");
  return fd;
}

bool allows(const JailSettings& settings, const Prefix& host) {
  return settings.allow_all || std::ranges::any_of(settings.allow, [&](const Prefix& network) {
           return contains(network, host);
         });
}

/// One running jail.
class Supervisor {
 public:
  Supervisor(const SupervisorOptions& options, SupervisorState state, JailSettings settings,
             EventLoop loop, Fd signals)
      : options_(options),
        paths_(options.host, options.name),
        state_(std::move(state)),
        settings_(std::move(settings)),
        loop_(std::move(loop)),
        signals_(std::move(signals)),
        sessions_(state_, loop_, options.log, [this](const auto& record) { keep(record); }),
        door_(loop_, options.log,
              [this](auto request, Fd connection) { on_request(request, std::move(connection)); }),
        push_end_(state_.push_end, loop_,
                  own_command({"inc", "--json", "--wait-lock", kLockPatience}), options.log),
        mknod_(state_, loop_, options.log, device_places(options.host, paths_)),
        disk_(options_.host, state_, loop_, sessions_, options.log),
        peers_(state_, loop_, sessions_, options.log) {}

  Result<void> run(bool reloaded) {
    CHECK(sessions_.attach(settings_.login_grace));
    CHECK(push_end_.attach());
    CHECK(loop_.watch(state_.listener.get(), [this] { on_connection(); }));
    CHECK(door_.open(state_.control.get()));
    CHECK(loop_.watch(state_.init.channel.get(), [this] { on_init(); }));
    CHECK(loop_.watch(signals_.get(), [this] { on_signal(); }));
    if (const auto attached = mknod_.attach(); !attached) {
      if (!reloaded) return attached;
      mknod_.give_up(attached.error());
    }
    watch_sessions();
    notify_manager(fmt::format("READY=1\nMAINPID={}\nSTATUS=listening on port {}", ::getpid(),
                               settings_.port));
    forget_foreign_manager();
    if (options_.beside) options_.beside(loop_);
    CHECK(loop_.run());
    return end();
  }

  /// After a take-over: follows the settings, ends the sessions of a port that is left and of
  /// addresses that are off the list, and answers whoever asked for the reload.
  void finish_reload() {
    ControlReply reply;
    const auto leave_port = [this, &reply] { reply.sessions = sessions_.end_all(); };
    if (auto applied = apply_settings(options_, state_, settings_, leave_port)) {
      settings_ = std::move(*applied);
      reply.pending = state_.pending;
      reply.sessions += sessions_.end_where(
          [this](const Session& session) { return !allows(settings_, session.peer.address); });
      log(LogLevel::info, fmt::format("reloaded; sessions: {} ended, {} go on", reply.sessions,
                                      state_.sessions.size() - reply.sessions));
    } else {
      reply.error = applied.error().message();
      reply.hint = applied.error().hint();
      log(LogLevel::error, "reloading: " + reply.error);
    }
    if (!state_.asker) return;
    [[maybe_unused]] const auto sent = send_packet(state_.asker.get(), encode(reply));
    state_.asker.reset();
  }

 private:
  void log(LogLevel level, std::string_view text) { options_.log(level, text); }

  void on_connection() {
    // Bounded, so that a flood does not keep the loop from everything else.
    for (int i = 0; i < 16; ++i) {
      auto accepted = accept_as(state_.listener.get(), state_.base_uid);
      if (!accepted) {
        const int code = accepted.error().code();
        if (code == EAGAIN) return;
        if (code == ECONNABORTED || code == EINTR || code == EPROTO) continue;
        return pause_accepting(accepted.error());
      }
      if (!allows(settings_, accepted->peer.address)) {
        sessions_.turn_away(*accepted, "not allowed");
        continue;
      }
      if (disk_.turns_away()) {
        sessions_.turn_away(*accepted,
                            "the volume is below DISK_RESERVE, and sessions wrote to it");
        continue;
      }
      if (const auto begun = sessions_.begin(std::move(*accepted),
                                             {settings_.max_sessions, settings_.login_grace});
          !begun) {
        log(LogLevel::warning, begun.error().message());
      }
      watch_sessions();
    }
  }

  /// A supervisor without sessions sleeps.
  void watch_sessions() {
    disk_.watch();
    peers_.watch();
  }

  /// Out of descriptors or memory: the connection stays in the queue, the loop must not spin on it.
  void pause_accepting(const Error& error) {
    log(LogLevel::error, error.message());
    loop_.pause(state_.listener.get(), EventLoop::Clock::now() + std::chrono::seconds(1),
                [this](const Error& failure) {
                  log(LogLevel::error, failure.message());
                  loop_.stop();
                });
  }

  void on_init() {
    const auto packet = receive_packet(state_.init.channel.get());
    if (!packet || !*packet) {
      init_died_ = true;
      return loop_.stop();
    }
    const auto message = decode_init_message((*packet)->bytes);
    if (!message) return log(LogLevel::error, message.error().message());
    if (message->kind == Kind::started) return sessions_.on_started(message->id, message->value);
    if (message->kind == Kind::ended) return sessions_.on_ended(message->id);
    if (message->kind == Kind::leftovers) {
      log(LogLevel::info, fmt::format("killed {} that outlived their session",
                                      count_of(static_cast<std::uint32_t>(message->value),
                                               "process", "processes")));
    }
  }

  void on_signal() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGHUP) {
        if (const auto reloaded = reload(); !reloaded) {
          log(LogLevel::error, "reloading: " + reloaded.error().message());
        }
      } else {
        // A SIGHUP behind it stays unread: a reload would forget the end.
        return loop_.stop();
      }
    }
  }

  void on_request(std::string_view bytes, Fd connection) {
    const auto reply = answer(bytes, connection);
    if (!reply) return;
    [[maybe_unused]] const auto sent = send_packet(connection.get(), encode(*reply));
    // Whoever asked for the end waits until this closes, with the supervisor itself.
    if (stopping_) stop_asker_ = std::move(connection);
  }

  /// nullopt: the answer comes later.
  std::optional<ControlReply> answer(std::string_view bytes, Fd& connection) {
    ControlReply reply;
    const auto request = decode_control_request(bytes);
    if (!request) {
      reply.error = request.error().message();
      return reply;
    }
    switch (request->kind) {
      case ControlRequest::Kind::status:
        reply.status = status();
        break;
      case ControlRequest::Kind::end_sessions:
        reply.sessions = sessions_.end_all();
        break;
      case ControlRequest::Kind::stop:
        reply.sessions = state_.sessions.size();
        stopping_ = true;
        loop_.stop();
        break;
      case ControlRequest::Kind::reload:
        state_.asker = std::move(connection);
        if (const auto reloaded = reload(); !reloaded) {
          connection = std::move(state_.asker);
          reply.error = reloaded.error().message();
          reply.hint = reloaded.error().hint();
          break;
        }
        return std::nullopt;
    }
    return reply;
  }

  [[nodiscard]] SupervisorStatus status() {
    SupervisorStatus status;
    status.pid = ::getpid();
    status.init = state_.init.process.pid();
    status.since = state_.since;
    status.port = settings_.port;
    status.image = state_.image_id;
    status.base_uid = state_.base_uid;
    status.sessions = sessions_.status();
    status.commands = state_.commands;
    status.warnings = warnings();
    return status;
  }

  [[nodiscard]] std::vector<std::string> warnings() const {
    std::vector<std::string> list;
    if (auto refusal = mknod_.refusal(); !refusal.empty()) list.push_back(std::move(refusal));
    list.insert(list.end(), state_.weaknesses.begin(), state_.weaknesses.end());
    if (!state_.pending.empty()) {
      list.push_back(fmt::format("changed since the start, and waiting for a restart: {}",
                                 fmt::join(state_.pending, ", ")));
    }
    if (disk_.is_low()) list.emplace_back("the volume is below DISK_RESERVE: writing sessions end");
    if (disk_.turns_away()) {
      const auto left = disk_.turns_away_until() - DiskBan::Clock::now();
      list.push_back(fmt::format(
          "new sessions are turned away until {}, or until the volume has room: some wrote to it",
          format_local_time(std::time(nullptr) +
                            std::chrono::ceil<std::chrono::seconds>(left).count())));
    }
    return list;
  }

  /// Executes the program anew, with everything handed over. Comes back only with an error.
  Result<void> reload() {
    CHECK(check_reload(options_));
    state_.host_settings = format_host_settings(options_.host);
    TRY(state_.wanted, load_jail_text(options_.host, options_.name));
    sessions_.read_reports();
    TRY(const Fd memory, write_state(state_));
    TRY(const NextProgram next, find_next_program(options_));
    CHECK(try_next_program(next, memory.get()));
    CHECK(keep_descriptors(state_, true));
    notify_manager("RELOADING=1");
    auto failed = execute_next_program(next, memory.get());
    notify_manager("READY=1");
    CHECK(keep_descriptors(state_, false));
    return std::unexpected(std::move(failed));
  }

  /// The arguments of another evojail on this jail, with this one's settings.
  [[nodiscard]] std::vector<std::string> own_command(std::vector<std::string> command) const {
    std::vector<std::string> words;
    if (!options_.settings_file.empty()) words = {"--config", options_.settings_file};
    words.insert(words.end(), command.begin(), command.end());
    words.push_back(options_.name);
    return words;
  }

  void keep(const SessionRecord& record) {
    const auto written = write_last_session(
        options_.host, options_.name,
        {to_string(record.peer.address), record.began, record.ended, record.traffic.received,
         record.traffic.sent, record.command, record.outcome});
    if (!written) log(LogLevel::warning, written.error().message());
    // Behind the record: the inc asks when the last session ended.
    if (record.pushed && settings_.inc_at_push_end) push_end_.want();
  }

  /// The jail goes whole: with its init every process in its PID namespace is killed.
  Result<void> end() {
    notify_manager("STOPPING=1");
    state_.listener.reset();
    push_end_.stop();
    while (!state_.sessions.empty()) sessions_.on_ended(state_.sessions.begin()->first);
    if (!init_died_) CHECK(state_.init.process.signal(SIGKILL));
    TRY(const auto status, state_.init.process.wait());
    CHECK(remove_run_dir(paths_));
    if (const auto noted = note_clean_stop(options_.host, options_.name); !noted) {
      log(LogLevel::warning, noted.error().message());
    }
    log(LogLevel::info, "stopped");
    if (!init_died_) return {};
    return fail(fmt::format("the jail's init ended by {} {}", status.exited ? "exit" : "signal",
                            status.value));
  }

  // First, so that it closes last: whoever asked for the end learns of it when nothing is held any
  // more.
  Fd stop_asker_;
  SupervisorOptions options_;
  JailPaths paths_;
  SupervisorState state_;
  JailSettings settings_;
  EventLoop loop_;
  Fd signals_;
  SessionTable sessions_;
  ControlDoor door_;
  PushEndIncs push_end_;
  MknodService mknod_;
  DiskWatch disk_;
  PeerWatch peers_;
  bool stopping_ = false;
  bool init_died_ = false;
};

/// Those in force, whatever jail.conf says by now: a jail is not lost over a change that cannot be
/// taken up. Where they have another version's keys, those that the trial has read.
Result<JailSettings> settings_in_force(const SupervisorOptions& options,
                                       const SupervisorState& state) {
  for (const std::string* text : {&state.settings, &state.wanted}) {
    if (text->empty()) continue;
    auto settings = parse_jail_settings(*text, JailPaths(options.host, options.name).conf);
    if (settings) return settings;
  }
  return load_jail(options.host, options.name);
}

}  // namespace

Result<void> run_supervisor(const SupervisorOptions& options) {
  // A session takes two, and what a shell gives is meant for programs that select(2). Where no more
  // can be had, on_connection() lets the connections wait.
  raise_descriptor_limit(std::numeric_limits<std::size_t>::max());
  TRY(Fd signal_fd, signals());
  TRY(EventLoop loop, EventLoop::make());
  TRY(auto state, take_handed_over(JailPaths(options.host, options.name).run_lock));
  const bool reloaded = state.has_value();
  if (!state) {
    TRY(state, start_jail_process(options));
  }
  TRY(auto settings, settings_in_force(options, *state));
  Supervisor supervisor(options, std::move(*state), std::move(settings), std::move(loop),
                        std::move(signal_fd));
  if (reloaded) supervisor.finish_reload();
  // Setting up needed far more memory than what follows, and there are as many of these as jails.
  ::malloc_trim(0);
  return supervisor.run(reloaded);
}

}  // namespace evojail
