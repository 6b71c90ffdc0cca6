#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "config/host_settings.hpp"
#include "support/eventually.hpp"
#include "support/loop_volume.hpp"
#include "support/network.hpp"
#include "support/temp_directory.hpp"

namespace evojail::test {

/// How a run of the program ended and what it wrote.
struct Ended {
  int code = -1;  ///< exit code; 1000 + signal where it was killed
  std::string out;
  std::string err;
};

struct RunOptions {
  std::string input = {};  ///< its standard input
  bool terminal = false;   ///< all three are one terminal; `out` is what it shows
  std::vector<std::string> environment = {};  ///< beside PATH
  std::vector<std::string> wrapper = {};      ///< a program in front of it, setpriv(1) say
};

/// A program that was started and is killed with the object.
class Running {
 public:
  Running(pid_t pid, Fd err) : pid_(pid), err_(std::move(err)) {}
  Running(Running&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), err_(std::move(other.err_)) {}
  Running& operator=(Running&&) = delete;
  ~Running();
  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// What it has written to stderr so far.
  [[nodiscard]] std::string said() const;
  /// Waits for its end; what it wrote to stderr comes along.
  Ended wait();

 private:
  pid_t pid_;
  Fd err_;
};

/// The built program with settings of its own: a volume, a network namespace, directories
/// that go with the test. Jails that run are stopped at the end.
class Program : public testing::Test {
 protected:
  Program() : Program(FileSystem::btrfs) {}
  explicit Program(FileSystem type, LoopVolume::Options options = {});
  ~Program() override;

  Ended run(const std::vector<std::string>& words, const RunOptions& options = {});
  /// Like run(), and the test fails where the exit code is not 0.
  Ended must(const std::vector<std::string>& words, const RunOptions& options = {});
  Running begin(const std::vector<std::string>& words,
                const std::vector<std::string>& environment = {});

  [[nodiscard]] std::string path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  [[nodiscard]] const HostSettings& host() const { return host_; }
  [[nodiscard]] std::string conf(const std::string& jail, const std::string& file) const {
    return host_.confdir + "/" + jail + ".d/" + file;
  }
  void write(const std::string& file, const std::string& text) const;
  [[nodiscard]] std::string read(const std::string& file) const;
  /// A line of jail.conf, added behind the others.
  void add_setting(const std::string& jail, const std::string& line) const;
  /// The program, its settings and `words`.
  [[nodiscard]] std::vector<std::string> command_line(const std::vector<std::string>& words) const;

 private:
  LoopVolume volume_;
  Network network_;
  TempDirectory directory_;
  HostSettings host_;
};

}  // namespace evojail::test
