#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "jail/supervisor.hpp"
#include "jail/supervisor_state.hpp"

namespace evojail {

// A reload executes the program anew in the supervisor's place. Whoever is executed cannot be
// called back: what cannot take the jail over would be its end. So it is tried as a child first.

/// What is to be executed: the file that has the running program's place, another one after an
/// upgrade.
struct NextProgram {
  std::string path;
  std::vector<std::string> words;
};
[[nodiscard]] Result<NextProgram> find_next_program(const SupervisorOptions& options);

/// Runs it as a child that reads its settings and the state and touches nothing. An error is what
/// it said, or that it did not come to an end.
[[nodiscard]] Result<void> try_next_program(const NextProgram& next, int state);

/// Executes it. Comes back only with the error.
[[nodiscard]] Error execute_next_program(const NextProgram& next, int state);

/// In the program that was executed: the host's settings that it goes by. `today`, or those in
/// force where `today` cannot be read or would make another jail of the one that runs:
/// finish_reload() says so to whoever asked. In every other program `today`, error or not.
[[nodiscard]] Result<HostSettings> host_in_force(Result<HostSettings> today);

/// In the program that was executed: the state that was left for it, if any.
[[nodiscard]] Result<std::optional<SupervisorState>> take_handed_over(const std::string& lock_path);

/// In the program that is tried: whether it is, and what it has to say.
[[nodiscard]] bool is_trial();
[[nodiscard]] Result<void> run_trial(const SupervisorOptions& options);

}  // namespace evojail
