// mknod(2) from inside a jail, where shell and coreutils cannot show it: with descriptors, memory
// that changes, trees that change, signals. Static, so that it needs nothing of the base image.
//
//   make PATH MODE MAJOR MINOR        one call, as mknodat(AT_FDCWD)
//   at DIRECTORY PATH                 a character node relative to a descriptor of DIRECTORY
//   nowhere                           a path that is not in memory
//   as UID PATH                       a character node, as another user
//   change-path GOOD BAD ROUNDS       another thread swaps the path in memory
//   change-tree DIRECTORY LINK ROUNDS another process swaps directory and symbolic link
//   signals PREFIX COUNT              COUNT nodes under a storm of signals
//   many PREFIX COUNT                 COUNT nodes, one after the other
//   storm PREFIX PROCESSES            until the input ends; prints calls and seconds
//
// The outcome of one call is printed as strerrorname_np(3) has it, 0 for none.

#include <fcntl.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

const dev_t null_device = makedev(1, 3);

int say(int result) {
  const int code = errno;
  std::puts(result == 0 ? "0" : strerrorname_np(code));
  return result == 0 ? 0 : 1;
}

int node(const char* path) { return ::mknod(path, S_IFCHR | 0600, null_device); }

int at(const char* directory, const char* path) {
  const int fd = ::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return say(::mknodat(fd, path, S_IFCHR | 0600, null_device));
}

int nowhere() {
  errno = 0;
  return say(static_cast<int>(
      ::syscall(SYS_mknodat, AT_FDCWD, 16UL, S_IFCHR | 0600U, static_cast<unsigned>(null_device))));
}

/// Until each of the two outcomes was seen often enough.
struct Outcomes {
  unsigned made = 0;
  unsigned refused = 0;
  [[nodiscard]] bool enough(unsigned wanted) const { return made >= wanted && refused >= wanted; }
};

int change_path(const char* good, const char* bad, unsigned rounds) {
  const std::size_t size = std::strlen(good) + 1;
  if (size != std::strlen(bad) + 1) return 2;
  auto* const path = static_cast<char*>(std::malloc(size));
  std::memcpy(path, good, size);
  std::atomic<bool> stop = false;
  std::thread changer([&] {
    while (!stop) {
      std::memcpy(path, bad, size);
      std::memcpy(path, good, size);
    }
  });
  Outcomes outcomes;
  bool astray = false;
  while (!outcomes.enough(rounds) && !astray) {
    if (node(path) == 0) {
      ++outcomes.made;
      astray = ::unlink(good) != 0;
    } else {
      ++outcomes.refused;
    }
    astray |= ::access(bad, F_OK) == 0;
  }
  stop = true;
  changer.join();
  std::free(path);
  std::puts(astray ? "astray" : "held");
  return astray ? 1 : 0;
}

int change_tree(const char* directory, const char* link, unsigned rounds) {
  const pid_t changer = ::fork();
  if (changer == 0) {
    for (;;) ::syscall(SYS_renameat2, AT_FDCWD, directory, AT_FDCWD, link, 2 /* RENAME_EXCHANGE */);
  }
  const std::string path = std::string(directory) + "/node";
  Outcomes outcomes;
  while (!outcomes.enough(rounds)) {
    if (node(path.c_str()) == 0) {
      ++outcomes.made;
    } else if (errno == ELOOP || errno == ENOTDIR) {
      ++outcomes.refused;
    }
    ::unlink(path.c_str());
  }
  ::kill(changer, SIGKILL);
  std::puts("done");
  return 0;
}

volatile sig_atomic_t signals_taken = 0;

/// Handlers that restart: a signal that comes before the supervisor has received the call makes the
/// kernel start it over, one that comes later must not be seen at all.
int under_signals(const std::string& prefix, unsigned count) {
  struct sigaction action{};
  action.sa_handler = [](int) { signals_taken = signals_taken + 1; };
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGALRM, &action, nullptr);
  const itimerval often{{0, 200}, {0, 200}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  unsigned failed = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (node((prefix + std::to_string(i)).c_str()) != 0) ++failed;
  }
  std::printf("failed %u, %s\n", failed, signals_taken >= 20 ? "signals came" : "no signals");
  return failed == 0 ? 0 : 1;
}

int many(const std::string& prefix, unsigned count) {
  unsigned failed = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (node((prefix + std::to_string(i)).c_str()) != 0) ++failed;
    if (i == 0) std::puts("begun"), std::fflush(stdout);
  }
  std::printf("failed %u\n", failed);
  return failed == 0 ? 0 : 1;
}

int storm(const std::string& prefix, int processes) {
  auto* const calls = static_cast<std::atomic<unsigned long>*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const auto begin = std::chrono::steady_clock::now();
  std::vector<pid_t> callers;
  for (int i = 0; i < processes; ++i) {
    callers.push_back(::fork());
    if (callers.back() != 0) continue;
    const std::string path = prefix + std::to_string(i);
    for (;;) {
      if (node(path.c_str()) == 0) ++*calls;
      ::unlink(path.c_str());
    }
  }
  std::puts("begun");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("calls %lu seconds %.0f\n", calls->load(), took.count());
  for (const pid_t caller : callers) ::kill(caller, SIGKILL);
  return 0;
}

unsigned number(const char* text, int base = 10) {
  return static_cast<unsigned>(std::strtoul(text, nullptr, base));
}

}  // namespace

int main(int count, char** words) {
  const std::string what = count > 1 ? words[1] : "";
  if (what == "make" && count == 6) {
    return say(::mknod(words[2], number(words[3], 8), makedev(number(words[4]), number(words[5]))));
  }
  if (what == "at" && count == 4) return at(words[2], words[3]);
  if (what == "nowhere") return nowhere();
  if (what == "as" && count == 4) {
    if (::setresuid(number(words[2]), number(words[2]), number(words[2])) != 0) return 2;
    return say(node(words[3]));
  }
  if (what == "change-path" && count == 5) return change_path(words[2], words[3], number(words[4]));
  if (what == "change-tree" && count == 5) return change_tree(words[2], words[3], number(words[4]));
  if (what == "signals" && count == 4) return under_signals(words[2], number(words[3]));
  if (what == "many" && count == 4) return many(words[2], number(words[3]));
  if (what == "storm" && count == 4) return storm(words[2], static_cast<int>(number(words[3])));
  return 2;
}
