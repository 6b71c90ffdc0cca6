#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace evojail {

/// How far a long operation has come.
struct ProgressState {
  std::string_view what;               ///< the jail or inc that is worked on
  std::uint64_t done = 0;              ///< of `total`
  std::uint64_t total = 0;             ///< 0: unknown
  std::uint64_t entries = 0;           ///< files and directories so far, 0: not counted
  std::uint64_t bytes = 0;             ///< copied so far, 0: not counted
  std::uint64_t expected_entries = 0;  ///< as many as `entries` will be, 0: unknown
  std::uint64_t at_once = 1;           ///< how many of `total` the entries belong to
};

/// "taking incs: 12 of 50, 3.1 a second, about 12 s left, web1, 120345 of 400000 entries, 1.2 GiB".
[[nodiscard]] std::string format_progress(std::string_view verb, const ProgressState& state,
                                          std::chrono::milliseconds elapsed);

/// One line on stderr that is written over again and again, and gone at the end. Shown only on a
/// terminal, and only when an operation takes longer than two seconds.
class Progress {
 public:
  Progress(std::string_view verb, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  void update(const ProgressState& state);
  /// Takes the line away, for messages to follow.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::string verb_;
  bool enabled_;
  bool shown_ = false;
  Clock::time_point began_;
  Clock::time_point next_;
};

}  // namespace evojail
