#include "jail/host_keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/parse.hpp"
#include "base/printable.hpp"
#include "kernel/clone.hpp"

namespace evojail {
namespace {

constexpr const char* keygen = "/usr/bin/ssh-keygen";
constexpr std::size_t max_output = 64 << 10;

/// A directory that only root can enter, gone with its files when the keys have been read.
class ScratchDirectory {
 public:
  static Result<ScratchDirectory> make(const std::string& parent) {
    std::string path = parent + "/keys.XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return fail_errno("making a directory in", parent);
    return ScratchDirectory(std::move(path));
  }
  ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  ~ScratchDirectory() {
    if (path_.empty()) return;
    for (const auto* type : {"ed25519", "ecdsa", "rsa"}) {
      ::unlink(key(type).c_str());
      ::unlink((key(type) + ".pub").c_str());
    }
    ::rmdir(path_.c_str());
  }

  [[nodiscard]] std::string key(const std::string& type) const {
    return fmt::format("{}/{}", path_, type);
  }

 private:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// One ssh-keygen at work. What it says arrives in `output`.
struct Keygen {
  std::string type;
  ChildProcess process;
  Fd output;
};

std::vector<std::string> arguments_for(const std::string& type, const std::string& comment,
                                       const std::string& file) {
  std::vector<std::string> arguments{keygen, "-q", "-t", type, "-N", "", "-C", comment, "-f", file};
  if (type == "rsa") arguments.insert(arguments.end(), {"-b", "3072"});
  return arguments;
}

/// In the child: no descriptor but these three, no inherited signal mask.
[[noreturn]] void exec_keygen(std::vector<char*>& arguments, int null, int output) {
  std::array<char, 9> locale{"LC_ALL=C"};
  std::array<char*, 2> environment{locale.data(), nullptr};
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::dup2(null, 0) != 0 || ::dup2(output, 1) != 1 || ::dup2(output, 2) != 2) ::_exit(126);
  ::execve(keygen, arguments.data(), environment.data());
  const int code = errno;
  ::_exit(code == ENOENT ? 127 : 126);
}

Result<Keygen> start_keygen(const std::string& type, const std::string& comment,
                            const std::string& file) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("making a pipe for", keygen);
  Fd output(ends[0]);
  const Fd input(ends[1]);
  TRY(const Fd null, open_path("/dev/null", O_RDONLY));
  auto texts = arguments_for(type, comment, file);
  std::vector<char*> arguments;
  arguments.reserve(texts.size() + 1);
  for (auto& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  TRY(ChildProcess process,
      clone_process(0, [&]() -> int { exec_keygen(arguments, null.get(), input.get()); }));
  return Keygen{.type = type, .process = std::move(process), .output = std::move(output)};
}

Result<void> finish_keygen(Keygen& work) {
  TRY(const std::string said, read_all(work.output.get(), keygen, max_output));
  TRY(const ExitStatus ended, work.process.wait());
  if (ended.exited && ended.value == 0) return {};
  if (ended.exited && ended.value == 127) {
    return std::unexpected(
        Error::system("running", keygen, ENOENT).hint("apt-get install openssh-client"));
  }
  return fail(fmt::format("{} -t {} {} {}: {}", keygen, work.type,
                          ended.exited ? "ended with" : "was killed by signal", ended.value,
                          printable(trim(said), 200)));
}

Result<HostKey> read_key(const ScratchDirectory& scratch, const std::string& type) {
  HostKey key{.type = type, .private_key = {}, .public_key = {}};
  TRY(key.private_key, read_file(scratch.key(type), max_output));
  TRY(key.public_key, read_file(scratch.key(type) + ".pub", max_output));
  return key;
}

}  // namespace

std::vector<std::string> new_host_key_types(bool legacy_clients) {
  if (legacy_clients) return {"ed25519", "ecdsa", "rsa"};
  return {"ed25519", "ecdsa"};
}

Result<std::vector<HostKey>> make_host_keys(const std::vector<std::string>& types,
                                            const std::string& comment,
                                            const std::string& scratch) {
  TRY(const ScratchDirectory directory, ScratchDirectory::make(scratch));
  std::vector<Keygen> working;
  for (const auto& type : types) {
    TRY(Keygen work, start_keygen(type, comment, directory.key(type)));
    working.push_back(std::move(work));
  }
  std::vector<HostKey> keys;
  for (auto& work : working) {
    CHECK(finish_keygen(work));
    TRY(HostKey key, read_key(directory, work.type));
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace evojail
