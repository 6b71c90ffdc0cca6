#pragma once

#include <functional>
#include <string>
#include <vector>

namespace evojail::test {

/// How a program ended, and what it wrote to standard output and standard error.
struct Outcome {
  int status = 0;  ///< as waitpid(2) gives it
  std::string output;

  [[nodiscard]] bool exited_with(int code) const;
  [[nodiscard]] bool died_of(int signal) const;
};

struct ProgramOptions {
  std::string input;                     ///< its standard input
  std::vector<std::string> environment;  ///< all of it
  std::string name;                      ///< argv[0], where it is not the path
  std::function<void()> before_exec;     ///< in the child
};

/// Runs a program to its end. The test fails where it cannot be started: exit status 126.
[[nodiscard]] Outcome run_program(const std::vector<std::string>& arguments,
                                  const ProgramOptions& options = {});

/// Gives this process a mount namespace of its own, so that what it mounts ends with it. Before any
/// thread.
void enter_private_mounts();

/// mount(2) that fails the test with a word.
void mount_or_throw(const char* source, const std::string& target, const char* type,
                    unsigned long flags, const char* data = nullptr);

}  // namespace evojail::test
