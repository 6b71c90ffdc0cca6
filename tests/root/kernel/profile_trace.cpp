// Reads what strace saw of programs and says what a profile makes of it.
//
//   profile_trace PROFILE.json TRACE...
//
// TRACE is the output of `strace -ff -n -e raw='!execve'` for one process, in numbers, not names.
// What comes before a seccomp(2) call is left out: the filter was not there yet. Prints a line for
// each call with the arguments that the profile compares, and what the filter answers:
//
//   allowed  1234  ioctl(1=0x5401)
//   refused   104  socket                    EAFNOSUPPORT
//
// and then, for what the profile allows, a line for each call and condition that no trace met:
//
//   unseen         fcntl(1=0x7)

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/fd.hpp"
#include "base/parse.hpp"
#include "config/profile_files.hpp"
#include "kernel/seccomp.hpp"
#include "support/bpf_evaluator.hpp"
#include "support/profiles.hpp"

namespace {

using evojail::Profile;
using evojail::SeccompAction;
using evojail::SyscallGroup;
using evojail::test::SystemCall;

template <class T>
T value_or_throw(evojail::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}

std::uint64_t number(std::string_view text, int base) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

/// "[  16] ioctl(0x1, 0x5401, …) = …", or execve with its arguments in words, which no profile
/// compares.
bool parse_call(std::string_view line, SystemCall& call) {
  const std::size_t bracket = line.find('[');
  const std::size_t end = line.find(']');
  const std::size_t open = line.find('(');
  if (bracket != 0 || end == std::string_view::npos || open == std::string_view::npos) return false;
  call.number = static_cast<std::uint32_t>(number(evojail::trim(line.substr(1, end - 1)), 10));
  call.arguments.fill(0);
  std::size_t index = 0;
  for (std::string_view word : evojail::split_words(line.substr(open + 1), ", )")) {
    // Zero is "0" even there; behind "=" stands the result.
    if (index == call.arguments.size() || (word != "0" && !word.starts_with("0x"))) break;
    call.arguments.at(index++) = word == "0" ? 0 : number(word.substr(2), 16);
  }
  return true;
}

/// The masks under which the profile looks at each argument of a call.
std::map<unsigned, std::uint64_t> compared(const Profile& profile, const std::string& name) {
  std::map<unsigned, std::uint64_t> masks;
  for (const SyscallGroup& group : profile.syscalls) {
    if (std::ranges::find(group.names, name, &evojail::SyscallName::name) == group.names.end()) {
      continue;
    }
    for (const auto& argument : group.arguments) {
      masks[argument.index] |= argument.op == evojail::SeccompOperator::masked_equal
                                   ? argument.value
                                   : ~std::uint64_t{0};
    }
  }
  return masks;
}

std::string with_arguments(const std::string& name, const std::map<unsigned, std::uint64_t>& masks,
                           const SystemCall& call) {
  if (masks.empty()) return name;
  std::vector<std::string> shown;
  for (const auto& [index, mask] : masks) {
    shown.push_back(fmt::format("{}={:#x}", index, call.arguments.at(index) & mask));
  }
  return fmt::format("{}({})", name, fmt::join(shown, ","));
}

std::string answer_text(std::uint32_t answer) {
  if (answer == SECCOMP_RET_ALLOW) return "";
  if ((answer & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO) return "SIGSYS";
  const char* name = strerrorname_np(static_cast<int>(answer & SECCOMP_RET_DATA));
  return name == nullptr ? std::to_string(answer & SECCOMP_RET_DATA) : name;
}

class Report {
 public:
  explicit Report(Profile profile)
      : profile_(std::move(profile)),
        filter_(evojail::test::compiled(profile_)),
        architecture_(evojail::native_architecture()),
        installs_(
            static_cast<std::uint32_t>(evojail::test::syscall_number("seccomp", architecture_))) {}

  void read(const std::string& file) {
    const evojail::Fd fd = value_or_throw(evojail::open_path(file, O_RDONLY));
    const std::string text = value_or_throw(evojail::read_all(fd.get(), file, 1U << 30));
    std::vector<SystemCall> calls;
    SystemCall call{.architecture = evojail::test::audit_architecture(architecture_)};
    for (const std::string_view line : evojail::split_lines(text)) {
      if (!parse_call(line, call)) continue;
      calls.push_back(call);
      // What came before this one was done by init, without a filter, for the session to come.
      if (call.number == installs_ && line.ends_with(" = 0")) calls.clear();
    }
    for (const SystemCall& made : calls) note(made);
  }

  void print() const {
    for (const auto& [key, count] : counts_) {
      const auto& [refused, text, answer] = key;
      fmt::print("{} {:>7}  {:<40} {}\n", refused ? "refused" : "allowed", count, text, answer);
    }
    for (std::size_t i = 0; i < profile_.syscalls.size(); ++i) print_unseen(i);
  }

 private:
  void note(const SystemCall& call) {
    std::string name = evojail::test::syscall_name(call.number, architecture_);
    const auto masks = compared(profile_, name);
    if (name.empty()) name = std::to_string(call.number);
    const std::uint32_t answer = evojail::test::evaluate(filter_, call);
    const bool refused = answer != SECCOMP_RET_ALLOW;
    // What is refused whatever its arguments is shown with the first one: a family, a command.
    std::string text = refused && masks.empty()
                           ? fmt::format("{}({:#x})", name, call.arguments[0] & 0xffffffff)
                           : with_arguments(name, masks, call);
    ++counts_[{refused, std::move(text), answer_text(answer)}];
    for (std::size_t i = 0; i < profile_.syscalls.size(); ++i) {
      if (matches(profile_.syscalls[i], name, call)) met_.insert({i, name});
    }
  }

  static bool matches(const SyscallGroup& group, const std::string& name, const SystemCall& call) {
    if (std::ranges::find(group.names, name, &evojail::SyscallName::name) == group.names.end()) {
      return false;
    }
    return std::ranges::all_of(group.arguments, [&](const auto& argument) {
      const std::uint64_t value = call.arguments.at(argument.index);
      return argument.op == evojail::SeccompOperator::masked_equal
                 ? (value & argument.value) == argument.value_two
                 : value == argument.value;
    });
  }

  void print_unseen(std::size_t index) const {
    const SyscallGroup& group = profile_.syscalls[index];
    if (group.action != SeccompAction::allow) return;
    for (const auto& name : group.names) {
      if (met_.contains({index, name.name})) continue;
      if (evojail::test::syscall_number(name.name, architecture_) < 0) continue;
      std::vector<std::string> conditions;
      for (const auto& argument : group.arguments) {
        conditions.push_back(fmt::format("{}={:#x}", argument.index, argument.value_two));
      }
      fmt::print("unseen           {}{}   {}\n", name.name,
                 conditions.empty() ? "" : fmt::format("({})", fmt::join(conditions, ",")),
                 group.comment);
    }
  }

  Profile profile_;
  evojail::Filter filter_;
  evojail::Architecture architecture_;
  std::uint32_t installs_;  // seccomp(2), which init calls; sshd's own sandbox is set by prctl(2)
  std::map<std::tuple<bool, std::string, std::string>, unsigned long> counts_;
  std::set<std::pair<std::size_t, std::string>> met_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: profile_trace PROFILE.json TRACE...\n");
    return 1;
  }
  Report report(value_or_throw(evojail::load_profile_file(argv[1])));
  for (int i = 2; i < argc; ++i) report.read(argv[i]);
  report.print();
  return 0;
}
