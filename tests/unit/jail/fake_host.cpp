#include "fake_host.hpp"

#include <filesystem>
#include <fstream>

#include "jail/share_dir.hpp"

namespace evojail::test {
namespace {

namespace fs = std::filesystem;

}  // namespace

FakeHost::FakeHost() {
  const auto real = HostTree::open("/").value();
  const auto plan = plan_image(programs({"cat"}), real, find_session_shell().value()).value();
  for (const char* top : {"bin", "sbin", "lib", "lib64"}) {
    fs::create_directories(this->real(std::string("/usr/") + top));
    fs::create_symlink(std::string("usr/") + top, this->real(std::string("/") + top));
  }
  for (const auto& [path, item] : plan.items) {
    if (path.find("evojail") != std::string::npos) continue;
    if (item.kind == ImageItem::Kind::file) copy(item.source, path);
    if (item.kind == ImageItem::Kind::link) link(path, item.content);
    if (path.ends_with("/libc.so.6")) library_directory_ = path.substr(0, path.rfind('/'));
  }
}

void FakeHost::write(const std::string& path, const std::string& bytes, unsigned mode) const {
  fs::create_directories(fs::path(real(path)).parent_path());
  std::ofstream(real(path), std::ios::binary) << bytes;
  fs::permissions(real(path), fs::perms(mode));
}

void FakeHost::link(const std::string& path, const std::string& target) const {
  fs::create_directories(fs::path(real(path)).parent_path());
  fs::create_symlink(target, real(path));
}

void FakeHost::copy(const std::string& from, const std::string& to) const {
  fs::create_directories(fs::path(real(to)).parent_path());
  fs::copy_file(from, real(to), fs::copy_options::overwrite_existing);
}

void FakeHost::remove(const std::string& path) const { fs::remove_all(real(path)); }

Result<ImagePlan> FakeHost::plan(const ImageManifest& manifest) const {
  TRY(const HostTree tree, HostTree::open(root_.path()));
  TRY(const std::string shell, find_session_shell());
  return plan_image(manifest, tree, shell);
}

ImageManifest programs(std::vector<std::string> names, bool required) {
  ImageManifest manifest;
  manifest.programs.push_back({.reason = "a test",
                               .package = "some-package",
                               .required = required,
                               .programs = std::move(names)});
  manifest.session_shell = "/usr/libexec/evojail/session-shell";
  return manifest;
}

}  // namespace evojail::test
