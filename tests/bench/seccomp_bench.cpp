// What a filter costs a system call: no filter, the default profile as a binary tree and as a list,
// and the tree with the device-node filter below it, as a jail's sessions have them. All kinds take
// turns within a round, each in a process of its own; the figures are medians over the rounds.
//
//   seccomp_bench [ROUNDS [CALLS]]      21 rounds of 300000 calls unless said otherwise

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/capabilities.hpp"
#include "kernel/seccomp.hpp"
#include "support/bpf_evaluator.hpp"
#include "support/profiles.hpp"

namespace {

using evojail::Filter;

struct Kind {
  const char* name;
  std::vector<Filter> filters;
  std::vector<double> nanoseconds{};
};

struct Work {
  const char* name;
  const char* why;
  std::function<void()> call;
  evojail::test::SystemCall seen;
};

/// Of this thread: what other processes do meanwhile does not count.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

/// Nanoseconds a call, measured in a child that the filters die with.
double measure(const Kind& kind, const Work& work, long calls) {
  std::array<int, 2> pipe_ends{};
  if (pipe(pipe_ends.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    if (!evojail::set_no_new_privs()) _exit(1);
    for (const Filter& filter : kind.filters) {
      if (!evojail::install_filter(filter)) _exit(1);
    }
    for (long i = 0; i < calls / 10; ++i) work.call();
    const double begin = now();
    for (long i = 0; i < calls; ++i) work.call();
    const double each = (now() - begin) / static_cast<double>(calls);
    _exit(write(pipe_ends[1], &each, sizeof(each)) == sizeof(each) ? 0 : 1);
  }
  close(pipe_ends[1]);
  double each = 0;
  const bool got = read(pipe_ends[0], &each, sizeof(each)) == sizeof(each);
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!got || status != 0) throw std::runtime_error("a measured child failed");
  return each;
}

evojail::test::SystemCall seen(long number, std::array<std::uint64_t, 6> arguments = {}) {
  return {.number = static_cast<std::uint32_t>(number),
          .architecture = evojail::test::audit_architecture(evojail::native_architecture()),
          .arguments = arguments};
}

long argument(int argc, char** argv, int index, long standard) {
  return argc > index ? std::strtol(argv[index], nullptr, 10) : standard;
}

}  // namespace

int main(int argc, char** argv) {
  const long rounds = argument(argc, argv, 1, 21);
  const long calls = argument(argc, argv, 2, 300'000);
  const auto profile = evojail::test::shipped_profile("default");
  const Filter tree = evojail::test::compiled(profile);
  const Filter list = evojail::test::compiled(profile, {.binary_tree = false});
  const auto notify = evojail::mknod_notify_filter();
  if (!notify) throw std::runtime_error(notify.error().message());

  const std::vector<Work> works{
      {"getppid", "allowed whatever its arguments: the kernel remembers",
       [] { syscall(SYS_getppid); }, seen(SYS_getppid)},
      {"prlimit64", "one condition",
       [] {
         rlimit limit{};
         syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
       },
       seen(SYS_prlimit64)},
      {"mmap", "three alternatives; with munmap",
       [] {
         void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         munmap(page, 4096);
       },
       seen(SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS})},
      {"ioctl", "thirteen alternatives, TCGETS", [] { ioctl(-1, TCGETS, nullptr); },
       seen(SYS_ioctl, {~std::uint64_t{0}, TCGETS})},
      {"setns", "refused", [] { syscall(SYS_setns, -1, 0); }, seen(SYS_setns)},
  };

  fmt::print("{:<10} {:<16} {:>10} {:>12} {:>8}   {}\n", "call", "filter", "ns a call", "added ns",
             "BPF", "");
  for (const Work& work : works) {
    std::vector<Kind> kinds{
        {"none", {}}, {"binary tree", {tree}}, {"list", {list}}, {"tree + mknod", {*notify, tree}}};
    for (long round = 0; round < rounds; ++round) {
      for (Kind& kind : kinds) kind.nanoseconds.push_back(measure(kind, work, calls));
    }
    const double bare = median(kinds.front().nanoseconds);
    for (const Kind& kind : kinds) {
      unsigned instructions = 0;
      for (const Filter& filter : kind.filters) {
        instructions += evojail::test::count_instructions(filter, work.seen);
      }
      const double each = median(kind.nanoseconds);
      fmt::print("{:<10} {:<16} {:>10.1f} {:>12.1f} {:>8}   {}\n", work.name, kind.name, each,
                 each - bare, instructions, kind.filters.empty() ? work.why : "");
    }
  }
  return 0;
}
