#include "cli/version.hpp"

namespace evojail {

std::string_view version() { return EVOJAIL_VERSION; }

}  // namespace evojail
