#include "support/store_world.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/host_check.hpp"

namespace evojail::test {
namespace {

namespace fs = std::filesystem;

template <class T>
T need(Result<T> result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Names and values, ACLs and capabilities among them.
std::string describe_attributes(const std::string& path) {
  std::array<char, 65536> names{};
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  std::vector<std::string> found;
  for (ssize_t at = 0; at < length;) {
    const std::string name = names.data() + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    std::array<char, 65536> value{};
    const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    std::string text = fmt::format(" {}=", name);
    for (ssize_t i = 0; i < size; ++i)
      text += fmt::format("{:02x}", value.at(static_cast<std::size_t>(i)));
    found.push_back(text);
  }
  std::ranges::sort(found);
  std::string all;
  for (const auto& text : found) all += text;
  return all;
}

/// `first`: the first path seen of each inode, so that hard links show.
std::string describe_entry(const fs::path& root, const fs::path& path,
                           std::map<ino_t, std::string>& first) {
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0) return path.string() + " went away\n";
  const std::string relative = path.lexically_relative(root);
  std::string line =
      fmt::format("{} {:o} {}:{} {}.{:09} device {:x}", relative, st.st_mode, st.st_uid, st.st_gid,
                  st.st_mtim.tv_sec, st.st_mtim.tv_nsec, st.st_rdev);
  if (!S_ISDIR(st.st_mode)) line += " as " + first.emplace(st.st_ino, relative).first->second;
  line += describe_attributes(path);
  if (S_ISREG(st.st_mode)) line += fmt::format(" {} {}", st.st_size, read_text(path));
  if (S_ISLNK(st.st_mode)) line += " " + fs::read_symlink(path).string();
  return line + "\n";
}

}  // namespace

StoreWorld::StoreWorld(FileSystem type, LoopVolume::Options options)
    : volume(type, std::move(options)) {
  host.confdir = directory / "conf";
  host.datadir = directory / "data";
  host.rundir = directory / "run";
  host.logdir = directory / "log";
  host.firewall_table = "evojail_test";
  host.jaildir = volume.path() + "/jails";
  host.incdir = volume.path() + "/incs";
  host.archivesdir = volume.path() + "/archives";
  need(make_store(host), "making the store");
}

NewJail new_jail(std::uint16_t port) {
  NewJail jail;
  jail.settings = new_jail_settings(port, false);
  jail.incs_policy = "+%Y-%m-%d.-0day\n";
  jail.check_policy = "WARNING=24\n";
  jail.files = {{"authorized_keys", "", 0600}, {"ssh_host_ed25519_key", "key\n", 0600}};
  return jail;
}

void StoreWorld::make_jail(const std::string& name) {
  static std::uint16_t port = 20000;
  need(create_jail(host, name, new_jail(++port)), "making " + name);
  write_file(data(name) + "/kept", "kept\n");
  write_file(data(name) + "/changed", "before\n");
  fs::create_directory(data(name) + "/dir");
  write_file(data(name) + "/dir/deep", std::string(20000, 'd'));
  if (::link((data(name) + "/kept").c_str(), (data(name) + "/dir/second").c_str()) != 0) {
    throw std::runtime_error("linking");
  }
  // What a careless copy would lose.
  const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                      timespec{.tv_sec = 1234567890, .tv_nsec = 123456789}};
  const std::string deep = data(name) + "/dir/deep";
  if (::setxattr(deep.c_str(), "user.note", "x", 1, 0) != 0 ||
      ::utimensat(AT_FDCWD, deep.c_str(), times.data(), 0) != 0) {
    throw std::runtime_error("setting attributes of " + deep);
  }
}

IncOutcome StoreWorld::take(const std::string& name, const std::string& inc_name) {
  OpenSessions none;
  none.idle = true;
  return take(name, inc_name, [none] { return none; });
}

IncOutcome StoreWorld::take(const std::string& name, const std::string& inc_name,
                            std::function<OpenSessions()> sessions) {
  const std::array<IncRequest, 1> requests{
      IncRequest{.jail = name, .sessions = std::move(sessions)}};
  return take_incs(host, requests, inc_name).front();
}

std::vector<RemovalOutcome> StoreWorld::remove(const std::string& name,
                                               std::vector<std::string> incs) {
  const std::array<IncRemoval, 1> removals{IncRemoval{name, std::move(incs)}};
  return remove_incs(host, removals);
}

std::string StoreWorld::data(const std::string& name) const { return JailPaths(host, name).data; }

std::string StoreWorld::inc(const std::string& name, const std::string& inc_name) const {
  return JailPaths(host, name).incs_dir + "/" + inc_name;
}

std::vector<std::string> StoreWorld::inc_names(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& info : need(list_incs(host, name, ListDetail::names), "listing incs")) {
    names.push_back(info.name);
  }
  return names;
}

std::vector<std::string> StoreWorld::leftovers() const {
  std::vector<std::string> found;
  const auto look = [&found](const std::string& dir, const std::vector<std::string>& known) {
    if (!path_exists(dir)) return;
    for (const auto& entry : fs::directory_iterator(dir)) {
      const std::string name = entry.path().filename();
      if (name.starts_with('.') && std::ranges::find(known, name) == known.end()) {
        found.push_back(entry.path());
      }
    }
  };
  look(host.jaildir, {});
  look(host.archivesdir, {});
  look(host.confdir, {});
  look(host.incdir, {".journal"});
  look(host.incdir + "/.journal", {".spare"});
  for (const auto& owner : need(list_inc_owners(host), "listing INCDIR")) {
    const std::string dir = host.incdir + "/" + owner;
    look(dir, {".meta"});
    for (const char* meta : {"incs", "manifests", "settings"}) look(dir + "/.meta/" + meta, {});
  }
  if (path_exists(host.incdir + "/.journal")) {
    for (const auto& entry : fs::directory_iterator(host.incdir + "/.journal")) {
      if (entry.path().filename() != ".spare") found.push_back(entry.path());
    }
  }
  std::ranges::sort(found);
  return found;
}

std::string describe_tree(const std::string& path) {
  std::vector<fs::path> paths{path};
  for (const auto& entry : fs::recursive_directory_iterator(path)) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::map<ino_t, std::string> first;
  std::string text;
  for (const auto& entry : paths) text += describe_entry(path, entry, first);
  return text;
}

std::set<std::pair<std::uint64_t, std::uint64_t>> inodes(const std::string& path) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> found;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    struct stat st{};
    if (::lstat(entry.path().c_str(), &st) != 0) throw std::runtime_error("lstat");
    if (!S_ISDIR(st.st_mode)) found.emplace(st.st_dev, st.st_ino);
  }
  return found;
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  stream.close();
  if (!stream) throw std::runtime_error("writing " + path);
}

std::string read_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace evojail::test
