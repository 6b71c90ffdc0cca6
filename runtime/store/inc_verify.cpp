#include "store/inc_verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "base/printable.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/engine.hpp"
#include "store/incs.hpp"
#include "store/meta_dir.hpp"

namespace evojail {
namespace {

Result<void> verify_by_manifest(int incs_dir, int inc, const std::string& incs_path,
                                const std::string& identity, const VerifyOptions& options,
                                IncVerification& verification) {
  TRY(const auto meta, MetaDir::open(incs_dir, incs_path));
  if (!meta) return {};
  TRY(const Fd manifests, meta->open_manifests());
  auto manifest = open_at(manifests.get(), identity, O_RDONLY | O_NOFOLLOW);
  if (!manifest && manifest.error().code() == ENOENT) return {};
  if (!manifest) return std::unexpected(std::move(manifest).error());
  TRY(verification.tree, verify_tree_inc(inc, manifest->get(), options));
  verification.proof = IncVerification::Proof::manifest;
  verification.unchanged = verification.tree.trouble_count == 0;
  for (const auto& trouble : verification.tree.troubles) {
    verification.troubles.push_back(
        fmt::format("{}: {}", printable(trouble.path, 300), trouble.reason));
  }
  return {};
}

Result<IncVerification> verify_open_inc(int incs_dir, int inc, const std::string& incs_path,
                                        const IncInfo& info, const VerifyOptions& options) {
  TRY(const auto engine, make_engine(incs_dir, incs_path));
  IncVerification verification;
  TRY(const auto written, engine->written_since_taken(inc));
  if (!written) {
    CHECK(verify_by_manifest(incs_dir, inc, incs_path, info.identity, options, verification));
    return verification;
  }
  verification.proof = IncVerification::Proof::snapshot;
  verification.unchanged = !*written;
  if (*written) {
    verification.troubles.emplace_back("the snapshot has been written to since it was taken");
  }
  if (!info.locked) {
    verification.troubles.emplace_back("the snapshot is open for writing: evojail inc-lock");
  }
  return verification;
}

/// Whether the inc is still there under any name of its own: rm takes the name first.
Result<bool> is_still_there(const HostSettings& host, const std::string& name,
                            const std::string& identity) {
  TRY(const auto incs, list_incs(host, name));
  return std::ranges::find(incs, identity, &IncInfo::identity) != incs.end();
}

}  // namespace

Result<IncVerification> verify_inc(const HostSettings& host, const std::string& name,
                                   const std::string& inc, const VerifyOptions& options) {
  CHECK(parse_jail_name(name));
  const JailPaths paths(host, name);
  const std::string& path = paths.incs_dir;
  if (!path_exists(path) && !path_exists(paths.conf)) {
    return fail(fmt::format("no such jail: '{}'", name), ErrorKind::no_such_jail);
  }
  TRY(const IncInfo info, find_inc(host, name, inc));
  TRY(const Fd incs_dir, open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(const Fd dir, open_subdir(incs_dir.get(), inc, path + "/" + inc));
  auto verification = verify_open_inc(incs_dir.get(), dir.get(), path, info, options);
  if (verification && verification->unchanged) return verification;
  // A removal meanwhile looks like damage.
  TRY(const bool there, is_still_there(host, name, info.identity));
  if (there) return verification;
  return fail(fmt::format("inc '{}/{}' was removed while it was verified", name, inc));
}

}  // namespace evojail
