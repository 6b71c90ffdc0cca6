#include "store/tree_engine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/amount.hpp"
#include "base/directory.hpp"
#include "base/printable.hpp"
#include "store/tree_inc.hpp"
#include "store/tree_remove.hpp"

namespace evojail {
namespace {

/// Troubles name a client's files: escaped, since they end in records and on terminals.
std::string describe(const TreeTrouble& trouble) {
  return fmt::format("{}: {}", printable(trouble.path, 300), trouble.reason);
}

Result<void> check_space(int dir, std::uint64_t bytes, std::uint64_t keep_free) {
  struct statvfs facts{};
  if (::fstatvfs(dir, &facts) != 0) return fail_errno("asking for free space of", "the volume");
  const auto available = static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
  if (available >= bytes && available - bytes >= keep_free) return {};
  const auto mib = [](std::uint64_t size) { return static_cast<double>(size) / (1U << 20U); };
  return std::unexpected(
      Error::system("copying to", "the volume", ENOSPC)
          .in(fmt::format("{:.1f} MiB are needed and {:.1f} MiB kept free, {:.1f} MiB are there",
                          mib(bytes), mib(keep_free), mib(available)))
          .hint("remove incs (evojail rm), or give the volume more room"));
}

/// ext4 has as many inodes as it was made with.
Result<void> check_inodes(int dir, std::uint64_t inodes) {
  struct statvfs facts{};
  if (::fstatvfs(dir, &facts) != 0) return fail_errno("asking for free inodes of", "the volume");
  if (facts.f_files == 0 || facts.f_favail >= inodes) return {};
  return std::unexpected(
      Error::system("copying to", "the volume", ENOSPC)
          .in(fmt::format("{} inodes are needed, {} available", inodes, facts.f_favail))
          .hint("remove incs (evojail rm), or use a volume with more inodes (mkfs.ext4 -i)"));
}

Result<std::optional<TreeBase>> open_base(const BuildRequest& request, Fd& inc, Fd& manifest) {
  if (request.base.empty()) return std::nullopt;
  TRY(inc, open_subdir(request.incs_dir, request.base, request.base));
  if (!request.base_manifest.empty()) {
    TRY(manifest, open_at(request.manifests_dir, request.base_manifest, O_RDONLY | O_NOFOLLOW));
  }
  return TreeBase{.inc_dir_fd = inc.get(), .manifest_fd = manifest.get()};
}

}  // namespace

Result<std::string> identify_by_inode(int dir) {
  struct statx facts{};
  if (::statx(dir, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &facts) != 0) {
    return fail_errno("looking at", "an inc");
  }
  // Where the file system keeps no birth times (ext4 with inodes of 128 bytes) zeroes stand.
  const auto& birth = facts.stx_btime;
  return fmt::format("inode-{}-{}.{:09}", facts.stx_ino, birth.tv_sec, birth.tv_nsec);
}

Result<void> remove_plain_tree(int parent, const std::string& name,
                               const RemoveProgress& progress) {
  auto outcome = remove_tree(parent, name, 0, [&progress](const TreeProgress& state) {
    if (progress) progress(state.entries);
  });
  if (!outcome && outcome.error().code() == ENOENT) return {};
  if (!outcome) return std::unexpected(std::move(outcome).error());
  if (outcome->complete) return {};
  return fail(
      fmt::format("removing '{}': {} left, the first of them {}", name,
                  count_of(outcome->trouble_count, "entry", "entries"),
                  outcome->troubles.empty() ? "unknown" : describe(outcome->troubles.front())));
}

Result<void> TreeEngine::make_jail_dir(int parent, const std::string& name) {
  TRY(const bool made, make_subdir(parent, name, 0700, name));
  if (!made) return fail_errno("making directory", name, EEXIST);
  return {};
}

Result<BuildResult> TreeEngine::build(const BuildRequest& request, const BuildProgress& progress) {
  Fd base_inc;
  Fd base_manifest;
  TreeIncRequest tree;
  tree.jail_dir_fd = request.jail_dir;
  tree.inc_parent_fd = request.incs_dir;
  tree.temporary_name = request.temporary;
  TRY(tree.base, open_base(request, base_inc, base_manifest));
  tree.manifest_dir_fd = request.manifests_dir;
  tree.manifest_name = request.manifest;
  tree.sessions_open = request.sessions_open;
  tree.clean_boots = request.clean_boots;
  tree.reflink_required = type_ == VolumeType::xfs;
  tree.threads = request.threads;
  tree.progress = [&progress](const TreeProgress& state) {
    if (!progress) return;
    progress({.entries = state.entries,
              .expected_entries = state.expected_entries,
              .bytes = state.bytes});
  };
  tree.measuring = [&progress](const TreeProgress& state) {
    if (progress) progress({.entries = state.entries, .measuring = true});
  };
  tree.first_guard = [&](const TreeSize& size) -> Result<void> {
    if (progress) progress({.cost = BuildCost{.bytes = size.bytes, .names = size.names}});
    return check_inodes(request.incs_dir, size.inodes);
  };
  tree.space_guard = [&request](std::uint64_t bytes) {
    return check_space(request.incs_dir, bytes, request.keep_free);
  };
  TRY(const TreeIncOutcome outcome, take_tree_inc(tree));

  BuildResult result;
  for (const auto& trouble : outcome.troubles) result.troubles.push_back(describe(trouble));
  if (outcome.trouble_count > outcome.troubles.size()) {
    result.troubles.push_back(
        fmt::format("and {} more", outcome.trouble_count - outcome.troubles.size()));
  }
  if (outcome.partial && result.troubles.empty()) {
    result.troubles.emplace_back("something changed while it was read");
  }
  result.entries = outcome.directories + outcome.linked + outcome.copied + outcome.grouped;
  result.linked = outcome.linked;
  result.copied_bytes = outcome.bytes_copied;
  result.compared_bytes = outcome.bytes_compared;
  return result;
}

Result<std::string> TreeEngine::identify(int dir) { return identify_by_inode(dir); }

Result<void> TreeEngine::remove(int parent, const std::string& name,
                                const RemoveProgress& progress) {
  return remove_plain_tree(parent, name, progress);
}

Result<std::optional<bool>> TreeEngine::is_locked(int) { return std::nullopt; }

Result<bool> TreeEngine::set_locked(int, bool) { return false; }

Result<std::optional<bool>> TreeEngine::written_since_taken(int) { return std::nullopt; }

Result<void> TreeEngine::sync(std::span<const int> fds) {
  for (const int fd : fds) CHECK(sync_fd(fd, "the volume"));
  return {};
}

}  // namespace evojail
