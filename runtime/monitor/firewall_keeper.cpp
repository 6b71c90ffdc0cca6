#include "monitor/firewall_keeper.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "base/amount.hpp"
#include "base/lock.hpp"
#include "jail/event_loop.hpp"
#include "jail/jail_rules.hpp"
#include "jail/notify.hpp"
#include "kernel/firewall_watch.hpp"
#include "monitor/wanted_firewall.hpp"
#include "store/host_check.hpp"

namespace evojail {
namespace {

/// After an error of the kernel's, say: the rules must not stay away because nothing changes again.
constexpr std::chrono::seconds kRetry{1};

/// How often those who do not hold the role ask for it.
constexpr std::chrono::seconds kTurn{3};

Result<FileLock> take_watch(const HostSettings& host) {
  // No jail's lock is called so: no name of a jail starts with a dot.
  return FileLock::take(host.rundir + "/.lock/.firewall-watch", FileLock::Wait::no);
}

class Keeper {
 public:
  Keeper(const HostSettings& host, const LogSink& log)
      : host_(host), log_(log), trouble_(log), firewall_(host.firewall_table) {}

  /// Watches for as long as the loop runs.
  Result<void> begin(EventLoop& loop) {
    // Listened first, compared then: a change in between is heard.
    TRY(watch_, FirewallWatch::open(firewall_));
    CHECK(loop.watch(watch_->fd(), [this, &loop] {
      const auto changed = watch_->changed();
      if (!changed) log_(LogLevel::error, changed.error().message());
      if (!changed || *changed) mend(loop);
    }));
    mend(loop);
    return {};
  }

  Result<void> run() {
    TRY(EventLoop loop, EventLoop::make());
    TRY(const Fd signals, end_signals());
    CHECK(loop.watch(signals.get(), [&loop] { loop.stop(); }));
    CHECK(begin(loop));
    notify_manager("READY=1\nSTATUS=watching over the jails' rules");
    return loop.run();
  }

 private:
  static Result<Fd> end_signals() {
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGTERM);
    ::sigaddset(&mask, SIGINT);
    if (::sigprocmask(SIG_BLOCK, &mask, nullptr) != 0) return fail_errno("blocking", "signals");
    Fd fd(::signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) return fail_errno("making", "a signal descriptor");
    return fd;
  }

  void mend(EventLoop& loop) {
    const auto mended = try_mend();
    if (mended) return trouble_.over();
    trouble_.met(mended.error());
    // One chain of tries, however many events there are meanwhile.
    loop.cancel(retry_);
    retry_ = loop.at(EventLoop::Clock::now() + kRetry, [this, &loop] { mend(loop); });
  }

  Result<void> try_mend() {
    for (;;) {
      // The number first: settings that change after it was read make the transaction fail.
      TRY(const auto generation, firewall_.generation());
      TRY(const auto wanted, read_wanted());
      TRY(const auto drift, firewall_.compare(wanted.jails));
      if (drift.none()) return {};
      if (!wanted.complete) return add_missing(wanted.jails, drift);
      const auto replaced = firewall_.replace_all(wanted.jails, generation);
      if (replaced) {
        log_(LogLevel::warning,
             fmt::format("back in place: the rules of {} (missing: {}, foreign: {})",
                         count_of(wanted.jails.size(), "jail"), drift.missing.size(),
                         drift.foreign.size()));
        return {};
      }
      if (replaced.error().code() != ERESTART) return replaced;
    }
  }

  /// What looks foreign may be a jail's whose settings nobody can read: without its rules its port
  /// would be open to all.
  Result<void> add_missing(const std::vector<FirewallJail>& jails, const FirewallDrift& drift) {
    if (drift.missing.empty()) return {};
    for (const FirewallJail& jail : jails) CHECK(apply_firewall(host_, jail));
    log_(LogLevel::warning,
         fmt::format("back in place: {}", count_of(drift.missing.size(), "missing rule")));
    return {};
  }

  struct Wanted {
    std::vector<FirewallJail> jails;
    bool complete = true;  ///< false: there is a jail whose rules are not known
  };

  Result<Wanted> read_wanted() {
    Wanted all;
    TRY(auto wanted, wanted_firewall(host_));
    std::map<std::string, FirewallJail> known;
    for (auto& jail : wanted.jails) known.emplace(jail.name, jail);
    for (std::size_t i = 0; i < wanted.unreadable.size(); ++i) {
      log_(LogLevel::error, wanted.errors[i].message());
      const auto before = last_known_.find(wanted.unreadable[i]);
      if (before != last_known_.end()) {
        known.insert(*before);
      } else {
        all.complete = false;
      }
    }
    last_known_ = known;
    for (auto& [name, jail] : known) all.jails.push_back(std::move(jail));
    return all;
  }

  const HostSettings& host_;
  const LogSink& log_;
  SteadyError trouble_;
  Firewall firewall_;
  std::optional<FirewallWatch> watch_;
  EventLoop::TimerId retry_ = 0;
  std::map<std::string, FirewallJail> last_known_;
};

}  // namespace

Result<bool> renew_firewall(const HostSettings& host) {
  Firewall firewall(host.firewall_table);
  for (;;) {
    TRY(const auto generation, firewall.generation());
    TRY(const auto wanted, wanted_firewall(host));
    if (!wanted.unreadable.empty()) return false;
    auto replaced = firewall.replace_all(wanted.jails, generation);
    if (replaced) return true;
    if (replaced.error().code() != ERESTART) return std::unexpected(std::move(replaced).error());
  }
}

class FirewallRole::Duty {
 public:
  Duty(FileLock lock, const HostSettings& host, const LogSink& log)
      : lock_(std::move(lock)), keeper_(host, log) {}
  Result<void> begin(EventLoop& loop) { return keeper_.begin(loop); }

 private:
  FileLock lock_;
  Keeper keeper_;
};

FirewallRole::FirewallRole(const HostSettings& host, LogSink log)
    : host_(host), log_(std::move(log)), trouble_(log_) {}
FirewallRole::~FirewallRole() = default;

void FirewallRole::seek(EventLoop& loop) {
  if (auto lock = take_watch(host_)) {
    duty_ = std::make_unique<Duty>(std::move(*lock), host_, log_);
    const auto begun = duty_->begin(loop);
    if (begun) return;
    duty_.reset();
    trouble_.met(begun.error());
  }
  loop.at(EventLoop::Clock::now() + kTurn, [this, &loop] { seek(loop); });
}

Result<void> keep_firewall(const HostSettings& host, const LogSink& log) {
  CHECK(make_run_dirs(host));
  TRY(const auto lock, take_watch(host));
  return Keeper(host, log).run();
}

}  // namespace evojail
