#include "store/tree_inc.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "store/tree_attributes.hpp"
#include "store/tree_clock.hpp"
#include "store/tree_directory.hpp"
#include "store/tree_inc_state.hpp"
#include "store/tree_inc_walk.hpp"
#include "store/tree_manifest_writer.hpp"
#include "store/tree_measure.hpp"
#include "store/tree_remove.hpp"
#include "store/tree_volume.hpp"
#include "store/tree_walk.hpp"

namespace evojail {
namespace {

/// The map of hard-link groups, beside data/ and var/ while the inc is taken.
constexpr const char* kGroups = ".links";

/// The base's manifest, if it is one of the base at all (rule 9): a manifest of another inc, or one
/// that is damaged, counts as none, and then bytes are compared.
std::optional<TreeManifest> open_manifest(const TreeBase& base) {
  if (base.manifest_fd < 0) return std::nullopt;
  auto manifest = TreeManifest::open(base.manifest_fd);
  struct statx root{};
  if (!manifest || stat_entry(base.inc_dir_fd, "", root) != 0) return std::nullopt;
  const TreeRecord now = record_of(root);
  const auto& header = manifest->header();
  if (header.inc_inode != now.live_inode || header.inc_born != now.born) return std::nullopt;
  return std::move(*manifest);
}

/// Whether the jail lost nothing to a crash since the boot in which its base was taken.
bool is_clean(const TreeIncRequest& request, const BootId& now, const BootId& base) {
  return base == now || std::ranges::find(request.clean_boots, base) != request.clean_boots.end();
}

/// A first inc costs all that is there, unless contents are shared: asked for before anything is
/// made (rule 8). @return how many names there are, 0: not looked.
Result<std::uint64_t> ask_for_first(const TreeIncRequest& request) {
  if (request.base || request.reflink_required) return 0;
  if (!request.space_guard && !request.first_guard) return 0;
  TRY(const TreeSize size, measure_tree(request.jail_dir_fd, request.threads, request.measuring));
  if (request.first_guard) CHECK(request.first_guard(size));
  if (request.space_guard) CHECK(request.space_guard(size.bytes));
  return size.names;
}

/// The inc's root, with the places to start from.
struct Roots {
  Fd inc;
  TreePlace top;
};

Result<Roots> make_root(const TreeIncRequest& request) {
  const std::string& name = request.temporary_name;
  Roots roots;
  if (::mkdirat(request.inc_parent_fd, name.c_str(), 0700) != 0) {
    return fail_errno("making directory", name);
  }
  TRY(roots.inc, open_beneath(request.inc_parent_fd, name, O_RDONLY | O_DIRECTORY));
  TRY(roots.top.copy, duplicate(roots.inc.get()));
  TRY(roots.top.live, duplicate(request.jail_dir_fd));
  if (request.base) {
    TRY(roots.top.base, duplicate(request.base->inc_dir_fd));
  }
  return roots;
}

/// Walks data/ and var/ in as many threads as are wanted.
Result<void> walk(TreeIncState& state, const TreePlace& top) {
  TreeIncWalk opener(state);
  for (const char* name : {"data", "var"}) {
    TRY(auto place, opener.open(top, name));
    if (!place) return fail(fmt::format("taking an inc: the jail has no directory '{}'", name));
    if (!state.queue.try_push(*place)) return fail("taking an inc: the queue is full");
  }
  run_in_threads(tree_threads(state.request.threads), [&state] {
    TreeIncWalk handler(state);
    TreeWalk(handler, state.queue).run();
    handler.finish();
  });
  const std::lock_guard lock(state.mutex);
  if (state.failure) return std::unexpected(std::move(*state.failure));
  return {};
}

/// Brings the tree to the disk while `work` goes on.
template <class Work>
Result<void> sync_meanwhile(int inc, Work work) {
  int code = 0;
  const auto sync = [&] { code = ::syncfs(inc) == 0 ? 0 : errno; };
  Result<void> done;
  {
    std::jthread syncing;
    try {
      syncing = std::jthread(sync);
    } catch (const std::system_error&) {
      sync();
    }
    done = work();
  }
  if (done && code != 0) return fail_errno("syncing", "the volume of the incs", code);
  return done;
}

/// Owner, mode and times of the jail's own directory, which is root's.
Result<void> finish_root(const TreeIncRequest& request, const Roots& roots) {
  const std::string& name = request.temporary_name;
  TRY(const RemoveOutcome removed, remove_tree(roots.inc.get(), kGroups, request.threads));
  if (!removed.complete)
    return fail(fmt::format("removing '{}/{}': it is not empty", name, kGroups));
  struct statx live{};
  if (const int code = stat_entry(request.jail_dir_fd, "", live)) {
    return fail_errno("looking at", "the jail's directory", code);
  }
  if (const int code = set_owner_and_mode(roots.inc.get(), "", live)) {
    return fail_errno("setting owner and mode of", name, code);
  }
  if (const int code = set_times(roots.inc.get(), "", live)) {
    return fail_errno("setting the times of", name, code);
  }
  return {};
}

}  // namespace

Result<TreeIncOutcome> take_tree_inc(const TreeIncRequest& request) {
  CHECK(check_tree_volume(request.jail_dir_fd));
  TRY(const std::uint64_t names, ask_for_first(request));
  TRY(const auto boot, boot_id());
  TRY(auto writer, TreeManifestWriter::create(request.manifest_dir_fd, request.manifest_name));
  TRY(const Roots roots, make_root(request));
  TRY(auto groups, TreeGroups::create(roots.inc.get(), kGroups));

  std::optional<TreeManifest> manifest;
  if (request.base) manifest = open_manifest(*request.base);
  const auto sessions_open = [&request] {
    return !request.sessions_open || request.sessions_open();
  };
  const bool open_before = sessions_open();
  TreeIncState state(request, std::move(manifest), std::move(groups), names);
  state.troubles.set_root(roots.inc.get());
  if (const int code = stat_entry(request.jail_dir_fd, "", state.volume)) {
    return fail_errno("looking at", "the jail's directory", code);
  }
  // Rule 6: what was written before a crash may be on the disk under its old ctime.
  state.manifest_proves = state.manifest && state.manifest->header().steady_clock &&
                          is_clean(request, boot, state.manifest->header().boot_id);

  // Rule 2. T was read before, in this order: a store through a mapping that syncfs wrote out has
  // to fault again, and then its ctime is not before T.
  if (::syncfs(request.jail_dir_fd) != 0) return fail_errno("syncing", "the jail's volume");
  state.trusted_before = seconds_before(state.began.real, open_before ? 60 : 2);

  CHECK(walk(state, roots.top));
  CHECK(finish_root(request, roots));
  const TreeMoment ended = TreeMoment::now();
  // One that shows only now may have been there at T, unseen.
  const bool open_after = sessions_open();
  if (open_after && !open_before) writer.distrust_from(seconds_before(state.began.real, 60));

  struct statx root{};
  if (const int code = stat_entry(roots.inc.get(), "", root)) {
    return fail_errno("looking at", request.temporary_name, code);
  }
  const TreeRecord identity = record_of(root);
  const auto finish = [&]() -> Result<void> {
    CHECK(writer.finish(state.sorter, {.records = 0,
                                       .names = 0,
                                       .inc_inode = identity.live_inode,
                                       .inc_born = identity.born,
                                       .taken = state.began.real,
                                       .steady_clock = steady(state.began, ended),
                                       .boot_id = boot}));
    return {};
  };
  CHECK(sync_meanwhile(roots.inc.get(), finish));

  return TreeIncOutcome{.directories = state.directories,
                        .linked = state.linked,
                        .copied = state.copied,
                        .grouped = state.grouped,
                        .compared = state.compared,
                        .bytes_copied = state.bytes_copied,
                        .bytes_compared = state.bytes_compared,
                        .partial = state.troubles.count() != 0,
                        .trouble_count = state.troubles.count(),
                        .troubles = state.troubles.list()};
}

}  // namespace evojail
