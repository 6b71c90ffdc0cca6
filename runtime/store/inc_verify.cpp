#include "store/inc_verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/directory.hpp"
#include "base/printable.hpp"
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

}  // namespace

Result<IncVerification> verify_inc(const HostSettings& host, const std::string& name,
                                   const std::string& inc, const VerifyOptions& options) {
  TRY(const IncInfo info, find_inc(host, name, inc));
  const std::string path = JailPaths(host, name).incs_dir;
  TRY(const Fd incs_dir, open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(const Fd dir, open_subdir(incs_dir.get(), inc, path + "/" + inc));
  TRY(const auto engine, make_engine(incs_dir.get(), path));
  IncVerification verification;
  TRY(const auto written, engine->written_since_taken(dir.get()));
  if (!written) {
    CHECK(
        verify_by_manifest(incs_dir.get(), dir.get(), path, info.identity, options, verification));
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

}  // namespace evojail
