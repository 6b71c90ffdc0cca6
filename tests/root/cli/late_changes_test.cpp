// Settings that change between a reload's trial and its execve.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Holds up whoever opens a file (fanotify(7)), and changes it before the program that a reload has
/// executed reads it.
class LateChange {
 public:
  LateChange(const std::string& file, pid_t supervisor, std::string text)
      : writable_(::open(file.c_str(), O_WRONLY | O_CLOEXEC)),
        watch_(::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC)),
        supervisor_(supervisor),
        text_(std::move(text)) {
    EXPECT_EQ(::fanotify_mark(watch_.get(), FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, file.c_str()),
              0);
  }

  /// Lets everybody open the file until the process of `end` has ended.
  void serve(pid_t end) {
    const Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, end, 0)));
    for (;;) {
      std::array<pollfd, 2> events{{{watch_.get(), POLLIN, 0}, {ended.get(), POLLIN, 0}}};
      if (::poll(events.data(), events.size(), -1) < 0) return;
      if ((events[0].revents & POLLIN) != 0) {
        answer();
      } else if ((events[1].revents & POLLIN) != 0) {
        return;
      }
    }
  }

  [[nodiscard]] bool done() const { return done_; }

 private:
  void answer() {
    fanotify_event_metadata event{};
    if (::read(watch_.get(), &event, sizeof event) != sizeof event) return;
    const Fd opened(event.fd);
    if (event.pid == supervisor_ && is_executed_anew() && !done_) {
      done_ = ::ftruncate(writable_.get(), 0) == 0 &&
              ::pwrite(writable_.get(), text_.data(), text_.size(), 0) ==
                  static_cast<ssize_t>(text_.size());
    }
    const fanotify_response response{event.fd, FAN_ALLOW};
    EXPECT_EQ(::write(watch_.get(), &response, sizeof response), sizeof response);
  }

  [[nodiscard]] bool is_executed_anew() const {
    const Fd environ(
        ::open(("/proc/" + std::to_string(supervisor_) + "/environ").c_str(), O_RDONLY));
    return read_all(environ.get(), "environ", 1 << 20).value_or("").contains("EVOJAIL_STATE_FD=");
  }

  Fd writable_;
  Fd watch_;
  pid_t supervisor_;
  std::string text_;
  bool done_ = false;
};

class LateChanges : public Program {
 protected:
  /// A reload in which the file gets another text at the last moment. It has its own again then.
  Ended reload_with(const std::string& file, const std::string& text) {
    // Its environment stays as it was executed with.
    must({"restart", "web1"});
    before_ = supervisor();
    const std::string before = read(file);
    auto change = std::make_unique<LateChange>(file, before_, text);
    Running reload = begin({"reload", "web1"});
    change->serve(reload.pid());
    EXPECT_TRUE(change->done()) << "it is not read by then";
    change.reset();  // or it would hold up this process
    write(file, before);
    return reload.wait();
  }

  pid_t supervisor() {
    const json status = json::parse(must({"status", "--json"}).out)["jails"][0]["supervisor"];
    return status.is_null() ? 0 : status["pid"].get<pid_t>();
  }

  void expect_it_goes_on(const Ended& reloaded, const std::string& why) {
    EXPECT_EQ(reloaded.code, 1);
    EXPECT_THAT(reloaded.err, HasSubstr(why));
    EXPECT_EQ(supervisor(), before_);
    EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", 2222)));
  }

  pid_t before_ = 0;
};

TEST_F(LateChanges, DoNotCostTheJail) {
  must({"init", "web1"});
  const std::string jail = conf("web1", "jail.conf");
  const std::string good = read(jail);
  expect_it_goes_on(reload_with(jail, good + "COLOUR=blue\n"), "COLOUR");
  const std::string host = path("settings");
  const std::string settings = read(host);
  expect_it_goes_on(reload_with(host, settings + "COLOUR=blue\n"), "COLOUR");
  std::string elsewhere = settings;
  elsewhere.replace(elsewhere.find("RUNDIR=") + 7, 0, "/nowhere");
  expect_it_goes_on(reload_with(host, elsewhere), "RUNDIR");
  const Ended reloaded = reload_with(host, settings + "DISK_RESERVE=6\n");
  EXPECT_EQ(reloaded.code, 0) << reloaded.err;
  EXPECT_THAT(must({"stop", "web1"}).out, HasSubstr("stopped"));
}

}  // namespace
}  // namespace evojail::test
