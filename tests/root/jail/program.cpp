#include "program.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

#include "base/fd.hpp"

namespace evojail::test {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

bool Outcome::exited_with(int code) const {
  return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

bool Outcome::died_of(int signal) const {
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

Outcome run_program(const std::vector<std::string>& arguments, const ProgramOptions& options) {
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) give_up("pipe2");
  const Fd output(out[0]);
  Fd output_end(out[1]);
  const Fd input(::memfd_create("input", MFD_CLOEXEC));
  if (!input || !write_all(input.get(), "input", options.input) ||
      ::lseek(input.get(), 0, SEEK_SET) != 0) {
    give_up("memfd_create");
  }
  auto texts = arguments;
  const std::string path = texts.at(0);
  if (!options.name.empty()) texts[0] = options.name;
  auto environment = options.environment;
  const auto argv = pointers(texts);
  const auto envp = pointers(environment);
  const pid_t child = ::fork();
  if (child < 0) give_up("fork");
  if (child == 0) {
    ::dup2(input.get(), 0);
    ::dup2(output_end.get(), 1);
    ::dup2(output_end.get(), 2);
    if (options.before_exec) options.before_exec();
    ::execve(path.c_str(), argv.data(), envp.data());
    ::_exit(126);
  }
  output_end.reset();
  Outcome outcome;
  outcome.output = read_all(output.get(), path, 16 << 20).value();
  while (::waitpid(child, &outcome.status, 0) < 0) {
    if (errno != EINTR) give_up("waitpid");
  }
  return outcome;
}

void enter_private_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) give_up("unshare");
  mount_or_throw("none", "/", nullptr, MS_REC | MS_PRIVATE);
}

void mount_or_throw(const char* source, const std::string& target, const char* type,
                    unsigned long flags, const char* data) {
  if (::mount(source, target.c_str(), type, flags, data) != 0) give_up("mounting " + target);
}

}  // namespace evojail::test
