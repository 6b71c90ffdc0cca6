#include "store/inc_verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "base/directory.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/incs.hpp"
#include "store/meta_dir.hpp"

namespace evojail {
namespace {

std::unexpected<Error> no_manifest(const std::string& path, const IncInfo& info) {
  const bool btrfs = info.record && info.record->engine == "btrfs";
  return std::unexpected(
      Error(fmt::format("there is no manifest of '{}'", path))
          .hint(btrfs ? "btrfs keeps checksums of its own: btrfs scrub start reads and checks them"
                      : "manifests are kept of the newest two incs that evojail took"));
}

/// The identity that bears the inc's name now.
Result<bool> is_still_there(const HostSettings& host, const std::string& name,
                            const IncInfo& info) {
  TRY(const auto incs, list_incs(host, name));
  for (const IncInfo& inc : incs) {
    if (inc.identity == info.identity) return true;
  }
  return false;
}

}  // namespace

Result<VerifyOutcome> verify_inc(const HostSettings& host, const std::string& name,
                                 const std::string& inc, const VerifyOptions& options) {
  CHECK(parse_jail_name(name));
  TRY(const IncInfo info, find_inc(host, name, inc));
  const std::string incs_path = JailPaths(host, name).incs_dir;
  const std::string path = incs_path + "/" + inc;
  TRY(const Fd incs, open_path(incs_path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(const Fd dir, open_subdir(incs.get(), inc, path));
  TRY(const auto meta, MetaDir::open(incs.get(), incs_path));
  if (!meta) return no_manifest(path, info);
  TRY(const Fd manifests, meta->open_manifests());
  const auto manifest = open_at(manifests.get(), info.identity, O_RDONLY | O_NOFOLLOW);
  if (!manifest && manifest.error().code() == ENOENT) return no_manifest(path, info);
  if (!manifest) return std::unexpected(manifest.error());

  TRY(auto outcome, verify_tree_inc(dir.get(), manifest->get(), options));
  if (outcome.trouble_count == 0) return outcome;
  TRY(const bool there, is_still_there(host, name, info));
  if (!there) return fail(fmt::format("'{}' was removed while it was verified", path));
  return outcome;
}

}  // namespace evojail
