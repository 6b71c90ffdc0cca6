#include "root/cli/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace evojail::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

Fd memory_file(const std::string& contents = {}) {
  Fd fd(::memfd_create("test", MFD_CLOEXEC));
  if (!fd || ::write(fd.get(), contents.data(), contents.size()) !=
                 static_cast<ssize_t>(contents.size())) {
    throw std::runtime_error("memfd_create failed");
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::string contents_of(const Fd& fd) {
  ::lseek(fd.get(), 0, SEEK_SET);
  return read_all(fd.get(), "output", 16 << 20).value_or("?");
}

int exit_code(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

[[noreturn]] void execute(std::vector<std::string> words, std::vector<std::string> environment) {
  environment.emplace_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = ::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  auto arguments = pointers(words);
  auto variables = pointers(environment);
  ::execvpe(arguments[0], arguments.data(), variables.data());
  ::_exit(126);
}

Ended run_on_terminal(const std::vector<std::string>& words, const RunOptions& options) {
  int master = -1;
  const pid_t child = ::forkpty(&master, nullptr, nullptr, nullptr);
  if (child == 0) execute(words, options.environment);
  const Fd terminal(master);
  // What is typed waits in the terminal until the program reads it.
  EXPECT_TRUE(write_all(terminal.get(), "terminal", options.input));
  Ended ended;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::read(terminal.get(), buffer.data(), buffer.size());
    if (size <= 0) break;  // EIO: the other end has been closed
    ended.out.append(buffer.data(), static_cast<std::size_t>(size));
  }
  ended.code = exit_code(child);
  return ended;
}

}  // namespace

Running::~Running() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Running::signal(int number) const { ::kill(pid_, number); }

std::string Running::said() const {
  std::string text(1 << 16, '\0');
  // It has the descriptor's position too.
  const ssize_t size = ::pread(err_.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

Ended Running::wait() {
  Ended ended;
  ended.code = exit_code(std::exchange(pid_, 0));
  ended.err = contents_of(err_);
  return ended;
}

Program::Program(FileSystem type, LoopVolume::Options options) : volume_(type, std::move(options)) {
  host_.confdir = path("conf");
  host_.jaildir = volume_.path() + "/jails";
  host_.incdir = volume_.path() + "/incs";
  host_.archivesdir = volume_.path() + "/archives";
  host_.datadir = path("lib");
  host_.rundir = path("run");
  host_.logdir = path("log");
  write(path("settings"), "CONFDIR=" + host_.confdir + "\nJAILDIR=" + host_.jaildir +
                              "\nINCDIR=" + host_.incdir + "\nARCHIVESDIR=" + host_.archivesdir +
                              "\nDATADIR=" + host_.datadir + "\nRUNDIR=" + host_.rundir +
                              "\nLOGDIR=" + host_.logdir + "\n");
}

Program::~Program() { run({"stop", "all"}); }

std::vector<std::string> Program::command_line(const std::vector<std::string>& words) const {
  std::vector<std::string> line{EVOJAIL_PROGRAM, "--config", path("settings")};
  line.insert(line.end(), words.begin(), words.end());
  return line;
}

Ended Program::run(const std::vector<std::string>& words, const RunOptions& options) {
  std::vector<std::string> line = options.wrapper;
  const auto program = command_line(words);
  line.insert(line.end(), program.begin(), program.end());
  if (options.terminal) return run_on_terminal(line, options);
  const Fd in = memory_file(options.input);
  const Fd out = memory_file();
  const Fd err = memory_file();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in.get(), 0);
    ::dup2(out.get(), 1);
    ::dup2(err.get(), 2);
    execute(line, options.environment);
  }
  Ended ended;
  ended.code = exit_code(child);
  ended.out = contents_of(out);
  ended.err = contents_of(err);
  return ended;
}

Ended Program::must(const std::vector<std::string>& words, const RunOptions& options) {
  Ended ended = run(words, options);
  EXPECT_EQ(ended.code, 0) << testing::PrintToString(words) << ": " << ended.err;
  return ended;
}

Running Program::begin(const std::vector<std::string>& words,
                       const std::vector<std::string>& environment) {
  const auto line = command_line(words);
  Fd err = memory_file();
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(err.get(), 2);
    execute(line, environment);
  }
  return {child, std::move(err)};
}

void Program::write(const std::string& file, const std::string& text) const {
  std::ofstream stream(file);
  stream << text;
  if (!stream.flush()) throw std::runtime_error("writing " + file);
}

std::string Program::read(const std::string& file) const {
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

void Program::add_setting(const std::string& jail, const std::string& line) const {
  write(conf(jail, "jail.conf"), read(conf(jail, "jail.conf")) + line + "\n");
}

}  // namespace evojail::test
