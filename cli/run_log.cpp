#include "cli/run_log.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>

#include "base/fd.hpp"
#include "base/parse.hpp"

namespace evojail {
namespace {

/// LOG_ERR, LOG_WARNING, LOG_INFO of syslog(3).
int priority(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return 3;
    case LogLevel::warning:
      return 4;
    case LogLevel::info:
      break;
  }
  return 6;
}

/// RFC 3339, local time.
std::string timestamp() {
  const std::time_t now = std::time(nullptr);
  std::tm time{};
  ::localtime_r(&now, &time);
  std::array<char, 40> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S%z", &time);
  std::string stamp(text.data(), size);
  if (size > 2) stamp.insert(size - 2, ":");
  return stamp;
}

std::string_view level_word(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error: ";
    case LogLevel::warning:
      return "warning: ";
    case LogLevel::info:
      break;
  }
  return "";
}

}  // namespace

bool is_journal(int fd, const char* journal_stream) {
  if (journal_stream == nullptr) return false;
  const auto numbers = split_words(journal_stream, ":");
  if (numbers.size() != 2) return false;
  const auto device = parse_number<dev_t>(numbers[0], 0, ~dev_t{0});
  const auto inode = parse_number<ino_t>(numbers[1], 0, ~ino_t{0});
  struct stat state{};
  return device && inode && ::fstat(fd, &state) == 0 && state.st_dev == *device &&
         state.st_ino == *inode;
}

LogSink make_run_log(const std::string& name) {
  const bool journal = is_journal(STDERR_FILENO, std::getenv("JOURNAL_STREAM"));
  // One write a line: lines of the supervisor and its sessions never mix.
  return [name, journal](LogLevel level, std::string_view text) {
    const std::string line =
        journal ? fmt::format("<{}>{}\n", priority(level), text)
                : fmt::format("{} evojail[{}]: {}{}\n", timestamp(), name, level_word(level), text);
    [[maybe_unused]] const auto written = write_all(STDERR_FILENO, "the log", line);
  };
}

}  // namespace evojail
