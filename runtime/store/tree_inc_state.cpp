#include "store/tree_inc_state.hpp"

#include <cerrno>

namespace evojail {

Result<void> TreeIncState::trouble(int dir, const char* name, std::string_view what, int code,
                                   bool writing) {
  const bool no_room = code == ENOSPC || code == EDQUOT || code == EROFS || code == EIO;
  const bool no_resources = code == EMFILE || code == ENFILE || code == ENOMEM;
  if (no_resources || (writing && no_room)) return fail_errno(what, troubles.path(dir, name), code);
  troubles.add(dir, name, what, code);
  return {};
}

Result<void> TreeIncState::attribute_trouble(int dir, const char* name,
                                             const std::string& attribute, int code) {
  return trouble(dir, name, "setting attribute " + attribute, code, code != ENOSPC);
}

}  // namespace evojail
