#include "tree_lab.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "store/tree_clock.hpp"

namespace evojail::test {
namespace {

[[noreturn]] void raise(const std::string& what) {
  throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

std::vector<std::string> names_in(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
  if (!dir) raise("opening " + path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

struct stat look(const std::string& path) {
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0) raise("looking at " + path);
  return st;
}

std::string attributes_of(const std::string& path) {
  std::array<char, 65536> names{};
  const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
  if (size < 0) raise("listing attributes of " + path);
  std::map<std::string, std::string> all;
  for (const char* name = names.data(); name < names.data() + size;
       name += std::string_view(name).size() + 1) {
    std::array<char, 65536> value{};
    const ssize_t got = ::lgetxattr(path.c_str(), name, value.data(), value.size());
    if (got < 0) raise("reading an attribute of " + path);
    all[name] = std::string(value.data(), static_cast<std::size_t>(got));
  }
  std::string text;
  for (const auto& [name, value] : all) text += fmt::format(" {}={:?}", name, value);
  return text;
}

/// Only what is data: a sparse file may be larger than any memory.
std::string data_of(const std::string& path, off_t size) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC));
  if (!file) raise("opening " + path);
  std::string text;
  for (off_t at = 0; at < size;) {
    const off_t begin = ::lseek(file.get(), at, SEEK_DATA);
    if (begin < 0) break;
    const off_t end = ::lseek(file.get(), begin, SEEK_HOLE);
    std::string bytes(static_cast<std::size_t>(end - begin), '\0');
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), begin);
    if (got < 0) raise("reading " + path);
    bytes.resize(static_cast<std::size_t>(got));
    text += fmt::format("[{}+{} {:x}]", begin, got, std::hash<std::string>{}(bytes));
    at = end;
  }
  return text;
}

void describe(const std::string& root, const std::string& relative, bool contents,
              std::map<ino_t, std::string>& first, TreeDescription& all) {
  const std::string path = root + relative;
  const struct stat st = look(path);
  std::string text = fmt::format("mode {:o} owner {}:{} mtime {}.{:09}", st.st_mode, st.st_uid,
                                 st.st_gid, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) text += fmt::format(" device {:x}", st.st_rdev);
  if (!S_ISDIR(st.st_mode)) {
    text += fmt::format(" size {} links {}", st.st_size, st.st_nlink);
    text += " as " + first.emplace(st.st_ino, relative).first->second;
  }
  if (S_ISLNK(st.st_mode)) {
    std::array<char, 4096> target{};
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    text +=
        " to " + std::string(target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
  text += attributes_of(path);
  if (S_ISREG(st.st_mode) && contents) text += " " + data_of(path, st.st_size);
  all[relative] = text;
  if (!S_ISDIR(st.st_mode)) return;
  for (const auto& name : names_in(path)) {
    describe(root, relative + "/" + name, contents, first, all);
  }
}

void collect(const std::string& path, std::set<std::uint64_t>& inodes) {
  const struct stat st = look(path);
  inodes.insert(st.st_ino);
  if (!S_ISDIR(st.st_mode)) return;
  for (const auto& name : names_in(path)) collect(path + "/" + name, inodes);
}

}  // namespace

TreeDescription describe_tree(const std::string& path, bool contents) {
  TreeDescription all;
  std::map<ino_t, std::string> first;
  describe(path, "", contents, first, all);
  // Links from outside the tree, which an inc has to its base, are not the tree's own.
  std::map<ino_t, std::uint64_t> names;
  for (const auto& [relative, text] : all) ++names[look(path + relative).st_ino];
  for (auto& [relative, text] : all) {
    const struct stat st = look(path + relative);
    const auto at = text.find(fmt::format(" links {}", st.st_nlink));
    if (S_ISDIR(st.st_mode) || at == std::string::npos) continue;
    text.replace(at, fmt::format(" links {}", st.st_nlink).size(),
                 fmt::format(" links {}", names[st.st_ino]));
  }
  return all;
}

std::set<std::uint64_t> inodes_of(const std::string& path) {
  std::set<std::uint64_t> inodes;
  collect(path, inodes);
  return inodes;
}

std::uint64_t inode_of(const std::string& path) { return look(path).st_ino; }
std::uint64_t links_of(const std::string& path) { return look(path).st_nlink; }

std::string contents_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC));
  if (!file) raise("opening " + path);
  auto text = read_all(file.get(), path, std::size_t{64} << 20);
  if (!text) throw std::runtime_error(text.error().message());
  return *text;
}

void write_file(const std::string& path, const std::string& bytes, mode_t mode) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) raise("creating " + path);
  if (!write_all(file.get(), path, bytes)) raise("writing " + path);
}

void set_mtime(const std::string& path, std::int64_t seconds, long nanoseconds) {
  const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                      timespec{.tv_sec = seconds, .tv_nsec = nanoseconds}};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
    raise("setting the time of " + path);
  }
}

Fd open_dir(const std::string& path) {
  Fd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir) raise("opening " + path);
  return dir;
}

TreeLab::TreeLab(FileSystem type, LoopVolume::Options options) : volume_(type, std::move(options)) {
  for (const char* name : {"/jail", "/jail/data", "/jail/var", "/incs", "/meta"}) {
    if (::mkdir((volume_.path() + name).c_str(), 0755) != 0) raise("making a directory");
  }
}

std::string TreeLab::data(const std::string& path) const {
  return volume_.path() + "/jail/data" + (path.empty() ? "" : "/" + path);
}

std::string TreeLab::inc(const std::string& name, const std::string& path) const {
  return volume_.path() + "/incs/" + name + "/data" + (path.empty() ? "" : "/" + path);
}

std::string TreeLab::outside(const std::string& path) const { return volume_.path() + "/" + path; }

Result<TreeIncOutcome> TreeLab::try_take(const std::string& name, const std::string& base,
                                         const Tweak& tweak) {
  const Fd jail = open_dir(volume_.path() + "/jail");
  const Fd incs = open_dir(volume_.path() + "/incs");
  const Fd meta = open_dir(volume_.path() + "/meta");
  Fd base_dir;
  Fd manifest;
  TreeIncRequest request;
  request.jail_dir_fd = jail.get();
  request.inc_parent_fd = incs.get();
  request.temporary_name = name;
  request.manifest_dir_fd = meta.get();
  request.manifest_name = name;
  request.sessions_open = [] { return false; };
  request.reflink_required = volume_.type() == FileSystem::xfs;
  request.threads = 2;
  if (!base.empty()) {
    base_dir = open_dir(volume_.path() + "/incs/" + base);
    manifest = Fd(::openat(meta.get(), base.c_str(), O_RDONLY | O_CLOEXEC));
    request.base = TreeBase{.inc_dir_fd = base_dir.get(), .manifest_fd = manifest.get()};
  }
  if (tweak) tweak(request);
  return take_tree_inc(request);
}

TreeIncOutcome TreeLab::take(const std::string& name, const std::string& base, const Tweak& tweak) {
  auto outcome = try_take(name, base, tweak);
  if (!outcome) throw std::runtime_error(outcome.error().message());
  for (const auto& trouble : outcome->troubles) {
    ADD_FAILURE() << trouble.path << ": " << trouble.reason;
  }
  EXPECT_FALSE(outcome->partial);
  return *outcome;
}

Result<VerifyOutcome> TreeLab::verify(const std::string& name, bool contents) {
  const Fd inc = open_dir(volume_.path() + "/incs/" + name);
  const Fd manifest(::open((volume_.path() + "/meta/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  return verify_tree_inc(inc.get(), manifest.get(),
                         {.contents = contents, .threads = 2, .progress = {}});
}

void TreeLab::let_stamps_age() const {
  // A file of its own has the newest stamp.
  const std::string probe = volume_.path() + "/probe";
  write_file(probe, "");
  const struct stat st = look(probe);
  ::unlink(probe.c_str());
  const TreeTime old_enough(st.st_ctim.tv_sec + 2, static_cast<std::uint32_t>(st.st_ctim.tv_nsec));
  while (TreeMoment::now().real <= old_enough) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void TreeLab::expect_faithful(const std::string& name) const {
  const auto live = describe_tree(data());
  const auto copy = describe_tree(inc(name));
  for (const auto& [path, text] : live) {
    const auto found = copy.find(path);
    if (found == copy.end()) {
      ADD_FAILURE() << "missing from " << name << ": " << path;
    } else {
      EXPECT_EQ(found->second, text) << name << ": " << path;
    }
  }
  for (const auto& [path, text] : copy) {
    EXPECT_TRUE(live.contains(path)) << "only in " << name << ": " << path;
  }
}

void TreeLab::expect_disjoint() const {
  const auto live = inodes_of(volume_.path() + "/jail");
  const auto incs = inodes_of(volume_.path() + "/incs");
  std::vector<std::uint64_t> shared;
  std::ranges::set_intersection(live, incs, std::back_inserter(shared));
  EXPECT_EQ(shared, std::vector<std::uint64_t>{}) << "reachable from the jail and from an inc";
}

std::string file_system_name(const ::testing::TestParamInfo<FileSystem>& info) {
  return to_string(info.param);
}

}  // namespace evojail::test
