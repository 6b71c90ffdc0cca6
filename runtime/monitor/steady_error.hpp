#pragma once

#include <string>
#include <utility>

#include "base/result.hpp"
#include "jail/log.hpp"

namespace evojail {

/// An error that every try meets again, until what is behind it is mended: said once, with its
/// hint.
class SteadyError {
 public:
  explicit SteadyError(LogSink log) : log_(std::move(log)) {}

  /// A try failed. Another error than the last one's is said, too.
  void met(const Error& error) {
    if (std::exchange(said_, error.message()) == error.message()) return;
    log_error(log_, error);
  }

  /// A try succeeded: should the error come back, that is news.
  void over() { said_.clear(); }

 private:
  LogSink log_;
  std::string said_;
};

}  // namespace evojail
