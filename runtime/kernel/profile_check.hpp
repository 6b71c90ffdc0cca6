#pragma once

#include <cstddef>
#include <vector>

#include "base/result.hpp"
#include "config/profile.hpp"

namespace evojail {

/// What a profile compiles to on one processor.
struct CompiledSize {
  Architecture architecture = Architecture::x86_64;
  std::size_t instructions = 0;
};

/// What parsing alone cannot say: compiles the profile for each of its processors, with and without
/// the notification for device nodes, and looks its capabilities up. Nothing is installed. The
/// first thing that is wrong is the error, with file and line.
[[nodiscard]] Result<std::vector<CompiledSize>> check_profile(const Profile& profile);

}  // namespace evojail
