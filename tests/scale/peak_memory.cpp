#include "scale/peak_memory.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <stdexcept>

namespace evojail::test {
namespace {

std::uint64_t resident_most(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  throw std::runtime_error("no VmHWM in /proc");
}

[[noreturn]] void execute(std::vector<std::string>& words, int gate) {
  char byte = 0;
  if (::read(gate, &byte, 1) != 1) ::_exit(126);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(126);
}

}  // namespace

PeakMemory run_for_peak(std::vector<std::string> words) {
  std::array<int, 2> gate{};
  if (::pipe(gate.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = ::fork();
  if (child == 0) execute(words, gate[0]);
  if (::ptrace(PTRACE_SEIZE, child, nullptr, PTRACE_O_TRACEEXIT) != 0) {
    throw std::runtime_error("ptrace");
  }
  if (::write(gate[1], "x", 1) != 1) throw std::runtime_error("write");
  ::close(gate[0]);
  ::close(gate[1]);
  PeakMemory peak;
  for (int status = 0; ::waitpid(child, &status, 0) == child;) {
    if (WIFEXITED(status)) peak.code = WEXITSTATUS(status);
    if (!WIFSTOPPED(status)) return peak;
    const int event = status >> 16;
    if (event == PTRACE_EVENT_EXIT) peak.kib = resident_most(child);
    const long signal = event == 0 ? WSTOPSIG(status) : 0;
    ::ptrace(PTRACE_CONT, child, nullptr, signal);
  }
  throw std::runtime_error("waitpid");
}

}  // namespace evojail::test
