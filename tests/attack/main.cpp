// atk: the attacker. What it is told to do:
//
//   atk list                     names each probe and where it stands
//   atk run NAME...              tries each and prints "NAME OUTCOME" a line
//   atk victim PORT              is the victim, at PORT, and the stranger (victim.hpp)
//   atk with-key COMMAND...      runs it in a session keyring that holds a secret of the host
//   sshd ...                     stands in for a jail's sshd: one line "NAME PORT" comes over the
//                                connection, and the outcome goes to a file of that name

#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "probe.hpp"
#include "victim.hpp"

namespace evojail::attack {
namespace {

constexpr unsigned kSeconds = 20;

std::vector<Probe> all_probes() {
  std::vector<Probe> all;
  for (const auto list :
       {connection_probes(), descriptor_probes(), device_probes(), file_probes(),
        foreign_file_probes(), host_probes(), interface_probes(), memory_probes(), mount_probes(),
        namespace_probes(), process_probes(), share_probes(), socket_probes()}) {
    all.insert(all.end(), list.begin(), list.end());
  }
  return all;
}

std::string word_for(Outcome outcome) {
  if (outcome == 0) return "OK";
  if (outcome == kAbsent) return "absent";
  const char* name = ::strerrorname_np(outcome);
  return name != nullptr ? name : std::to_string(outcome);
}

/// In a process of its own: what it leaves open, blocked or changed is gone with it. The outcome
/// comes over a pipe, since an errno and a signal would not both fit into an exit status.
std::string try_probe(const Probe& probe) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return "no-pipe";
  const pid_t child = ::fork();
  if (child < 0) return "no-fork";
  if (child == 0) {
    ::signal(SIGPIPE, SIG_IGN);
    ::alarm(kSeconds);
    const Outcome outcome = probe.attempt();
    const bool told = ::write(pipe[1], &outcome, sizeof outcome) == sizeof outcome;
    ::_exit(told ? 0 : 1);
  }
  ::close(pipe[1]);
  Outcome outcome = 0;
  const bool told = ::read(pipe[0], &outcome, sizeof outcome) == sizeof outcome;
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return std::string("SIG") + ::sigabbrev_np(WTERMSIG(status));
  return told ? word_for(outcome) : "no-outcome";
}

int run(const std::vector<std::string_view>& names) {
  const auto probes = all_probes();
  int code = 0;
  for (const auto name : names) {
    const auto probe = std::ranges::find(probes, name, &Probe::name);
    const std::string outcome = probe == probes.end() ? "no-probe" : try_probe(*probe);
    const std::string line = std::string(name) + " " + outcome + "\n";
    if (::write(1, line.data(), line.size()) < 0) code = 1;
  }
  return code;
}

int list() {
  for (const Probe& probe : all_probes()) {
    std::printf("%s %s\n", probe.place == Probe::Place::session ? "session" : "service",
                probe.name);
  }
  return 0;
}

/// Under a temporary name first: whoever waits for the file sees all of it.
bool put_outcome(const std::string& name, const std::string& outcome) {
  const std::string path = data_directory() + "/" + name;
  const std::string part = path + ".part";
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  return ::write(fd, outcome.data(), outcome.size()) == static_cast<ssize_t>(outcome.size()) &&
         ::rename(part.c_str(), path.c_str()) == 0;
}

int stand_in_for_sshd() {
  std::array<char, 256> request{};
  std::size_t length = 0;
  while (length < request.size() && ::read(0, &request[length], 1) == 1 &&
         request[length] != '\n') {
    ++length;
  }
  const std::string_view line(request.data(), length);
  const auto blank = line.find(' ');
  if (blank == std::string_view::npos) return 2;
  std::from_chars(line.data() + blank + 1, line.data() + line.size(), victim_port);
  const auto probes = all_probes();
  const std::string name(line.substr(0, blank));
  const auto probe = std::ranges::find(probes, std::string_view(name), &Probe::name);
  if (probe == probes.end()) return 2;
  return put_outcome(name, try_probe(*probe)) ? 0 : 1;
}

int run_with_key(char** command) {
  constexpr char secret[] = "of the host";
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 ||
      ::syscall(SYS_add_key, "user", "evojail-attack", secret, sizeof secret,
                KEY_SPEC_SESSION_KEYRING) < 0) {
    std::perror("atk: keyring");
    return 1;
  }
  ::execvp(command[0], command);
  std::perror("atk: exec");
  return 127;
}

std::uint16_t port_of(std::string_view text) {
  std::uint16_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

int main(int count, char** arguments) {
  const std::vector<std::string_view> words(arguments, arguments + count);
  if (!words.empty() && words[0].ends_with("sshd")) return stand_in_for_sshd();
  if (count == 2 && words[1] == "list") return list();
  if (count > 2 && words[1] == "run") return run({words.begin() + 2, words.end()});
  if (count == 3 && words[1] == "victim") {
    return be_victim(port_of(words[2]), called_port(port_of(words[2])));
  }
  if (count > 2 && words[1] == "with-key") return run_with_key(arguments + 2);
  std::fputs("usage: atk list | run NAME... | victim PORT | with-key COMMAND...\n", stderr);
  return 2;
}

}  // namespace
}  // namespace evojail::attack

int main(int count, char** arguments) { return evojail::attack::main(count, arguments); }
