#include "store/journal_spare.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.hpp"

namespace evojail {
namespace {

// One inode is not enough for xfs, which wants blocks free before it makes a name.
constexpr const char* spare = ".spare";
constexpr off_t kSpareBytes = 1 << 20;

/// Gives up the spare, or finds that another thread just did. It is emptied first: xfs takes back
/// the blocks of a removed file later.
bool give_up_spare(int dir) {
  const Fd file(::openat(dir, spare, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno == ENOENT;
  return ::ftruncate(file.get(), 0) == 0 && (::unlinkat(dir, spare, 0) == 0 || errno == ENOENT);
}

}  // namespace

Result<void> make_entry(int dir, const std::string& name, const std::string& text,
                        const std::string& path) {
  const auto make = [&] { return ::symlinkat(text.c_str(), dir, name.c_str()) == 0 ? 0 : errno; };
  int code = make();
  if ((code == ENOSPC || code == EDQUOT) && give_up_spare(dir)) code = make();
  if (code == 0) return {};
  return fail_errno("writing", path + "/" + name, code);
}

void keep_spare(int dir) {
  const Fd file(::openat(dir, spare, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  struct stat st{};
  if (!file || ::fstat(file.get(), &st) != 0 || st.st_size >= kSpareBytes) return;
  if (::fallocate(file.get(), 0, 0, kSpareBytes) != 0) ::unlinkat(dir, spare, 0);
}

}  // namespace evojail
