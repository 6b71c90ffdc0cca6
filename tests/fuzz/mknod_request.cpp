#include "jail/mknod_request.hpp"

#include <cerrno>

#include "fuzz.hpp"

// What is read of a caller: the text of its /proc/PID/status, and a path out of its memory.
EVOJAIL_FUZZ(mknod_request) {
  if (const auto status = parse_caller_status(input)) {
    require(status->umask <= 0777, "a umask is permissions");
  } else {
    require(status.error().code() == ESRCH, "the caller gets an errno");
  }
  const auto split = split_new_path(input);
  if (!split) {
    require(split.error().code() == EEXIST || split.error().code() == ENOENT,
            "the caller gets an errno");
    return;
  }
  require(!split->name.empty() && split->name != "." && split->name != ".." &&
              !split->name.contains('/'),
          "the name is one new component");
  require(!split->directory.empty(), "there is a directory to open");
  const auto whole = split->directory + "/" + split->name;
  require(whole == input || "./" + std::string(input) == whole ||
              (input.starts_with('/') && whole == "." + std::string(input)),
          "the two make the path");
}
