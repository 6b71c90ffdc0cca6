#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace evojail {

/// Where the session shell finds the FIFO for its reports, in the jail.
inline constexpr const char* session_report_fifo = "/run/evojail-report";

/// No report is longer, its newline included: less than PIPE_BUF (4096), so that reports of
/// sessions that end together never mix (pipe(7)).
inline constexpr std::size_t session_report_limit = 1024;

/// Behind a command that was cut; no escaped command contains it.
inline constexpr std::string_view command_cut_mark = "\\...";

/// What root's shell in the jail says of itself: one line when it starts, one when it ends.
///
///     begin PEER PORT PID [COMMAND]
///     end PEER PORT PID exit STATUS
///     end PEER PORT PID signal NUMBER
///
/// All of it is the client's claim: root in the jail can write anything into the FIFO.
struct SessionReport {
  enum class Kind : std::uint8_t { begin, exited, signalled };
  Kind kind = Kind::begin;
  /// The peer's address as SSH_CONNECTION has it, of [0-9A-Za-z.:%_-] only; "UNKNOWN" where sshd
  /// had no socket.
  std::string peer;
  std::uint16_t port = 0;
  int pid = 0;  ///< in the jail's PID namespace
  /// begin: the command, bytes outside printable ASCII as \xNN, a backslash as \\, "\..." behind a
  /// command that was cut. Fit for a log line as it is. Empty for a login shell.
  std::string command;
  int status = 0;  ///< exit status, or number of the signal

  bool operator==(const SessionReport&) const = default;
};

/// Writes a line that fits into session_report_limit, its newline included.
/// @param command raw bytes; nullopt for a login shell.
/// @return how many bytes of `line` are used. Allocates nothing: the session shell is kept small.
std::size_t format_begin_report(std::span<char, session_report_limit> line, std::string_view peer,
                                std::uint16_t port, int pid,
                                std::optional<std::string_view> command);
std::size_t format_end_report(std::span<char, session_report_limit> line, std::string_view peer,
                              std::uint16_t port, int pid, bool signalled, int status);

/// Parses one line without its newline; nullopt for anything that the session shell would not
/// write.
[[nodiscard]] std::optional<SessionReport> parse_session_report(std::string_view line);

/// Cuts what arrives from the FIFO into lines. Memory is bounded whatever is written: a line that
/// is too long is dropped up to its end and counted.
class SessionReportReader {
 public:
  /// Takes the bytes of one read(2) and calls `found` for each report that is complete.
  void feed(std::string_view bytes, const std::function<void(const SessionReport&)>& found);
  /// Lines that were no report.
  [[nodiscard]] std::uint64_t rejected() const noexcept { return rejected_; }

 private:
  std::string line_;
  bool skipping_ = false;
  std::uint64_t rejected_ = 0;
};

}  // namespace evojail
