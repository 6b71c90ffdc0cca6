#include "support/loop_volume.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <linux/loop.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "base/file.hpp"

extern char** environ;

namespace evojail::test {
namespace {

[[noreturn]] void raise(const std::string& what, int code = errno) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::generic_category().message(code)));
}

/// A mount namespace for this process alone, once.
void take_own_mount_namespace() {
  static const bool taken = [] {
    if (::unshare(CLONE_NEWNS) != 0) raise("unsharing the mount namespace");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      raise("making the mounts private");
    }
    return true;
  }();
  static_cast<void>(taken);
}

Fd make_image(LoopVolume::Backing backing, std::uint64_t size) {
  // mkfs.btrfs takes devices whose images have one name for the same device, and it for mounted.
  static int made = 0;
  const std::string name = fmt::format("volume-{}", ++made);
  Fd image(backing == LoopVolume::Backing::memory
               ? ::memfd_create(name.c_str(), MFD_CLOEXEC)
               : ::open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!image) raise("making the image");
  if (::ftruncate(image.get(), static_cast<off_t>(size)) != 0) raise("sizing the image");
  return image;
}

void run(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (code != 0) raise("starting " + words[0], code);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) raise("waiting for " + words[0]);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(fmt::format("{} failed (wait status {})", words[0], status));
  }
}

}  // namespace

std::string to_string(FileSystem type) {
  switch (type) {
    case FileSystem::btrfs:
      return "btrfs";
    case FileSystem::ext4:
      return "ext4";
    case FileSystem::xfs:
      return "xfs";
  }
  return "unknown";
}

LoopVolume::LoopVolume(FileSystem type, Options options)
    : type_(type), options_(std::move(options)) {
  take_own_mount_namespace();
  image_ = make_image(options_.backing, options_.size);
  attach();
  make_file_system();
  std::string name = "/tmp/evojail-volume-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) raise("making a mount point");
  path_ = name;
  try {
    mount();
    if (::chmod(path_.c_str(), 0700) != 0) raise("setting the mode of " + path_);
  } catch (...) {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    ::rmdir(path_.c_str());
    throw;
  }
}

LoopVolume::~LoopVolume() {
  if (mounted_ && ::umount2(path_.c_str(), 0) != 0) ::umount2(path_.c_str(), MNT_DETACH);
  ::rmdir(path_.c_str());
}

void LoopVolume::attach() {
  const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control) raise("opening /dev/loop-control");
  loop_config config{};
  config.fd = static_cast<unsigned>(image_.get());
  config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
  if (options_.backing == Backing::disk) config.info.lo_flags |= LO_FLAGS_DIRECT_IO;
  // Another program may take the free device between the two calls: ask again then.
  for (int tries = 0; tries < 100; ++tries) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) raise("finding a free loop device");
    device_ = fmt::format("/dev/loop{}", number);
    Fd loop(::open(device_.c_str(), O_RDWR | O_CLOEXEC));
    if (loop && ::ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) {
      loop_ = std::move(loop);
      return;
    }
    if (errno != EBUSY && errno != ENXIO && errno != ENOENT) break;
  }
  raise("setting up " + device_);
}

void LoopVolume::make_file_system() {
  std::vector<std::string> words{"mkfs." + to_string(type_), "-q"};
  words.emplace_back(type_ == FileSystem::ext4 ? "-F" : "-f");
  words.insert(words.end(), options_.mkfs_options.begin(), options_.mkfs_options.end());
  words.push_back(device_);
  run(words);
}

void LoopVolume::mount() {
  const std::string type = to_string(type_);
  const char* data = options_.mount_data.empty() ? nullptr : options_.mount_data.c_str();
  if (::mount(device_.c_str(), path_.c_str(), type.c_str(), options_.mount_flags, data) != 0) {
    raise(fmt::format("mounting {} on {}", type, path_));
  }
  mounted_ = true;
}

void LoopVolume::unmount() {
  if (::umount2(path_.c_str(), 0) != 0) raise("unmounting " + path_);
  mounted_ = false;
}

void LoopVolume::remount(unsigned long flags) {
  const char* data = options_.mount_data.empty() ? nullptr : options_.mount_data.c_str();
  if (::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | flags, data) != 0) {
    raise("remounting " + path_);
  }
}

void LoopVolume::power_cut() {
  // EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same number; 2 is "do not flush the log".
  constexpr unsigned long shutdown_request = _IOR('X', 125, std::uint32_t);
  std::uint32_t how = 2;
  {
    const Fd root(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) raise("opening " + path_);
    if (::ioctl(root.get(), shutdown_request, &how) != 0) raise("shutting down " + path_);
  }
  unmount();
  mount();
}

std::uint64_t LoopVolume::commits() const {
  const Fd root(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  btrfs_ioctl_fs_info_args info{};
  if (!root || ::ioctl(root.get(), BTRFS_IOC_FS_INFO, &info) != 0) raise("looking at " + path_);
  std::string uuid;
  for (std::size_t i = 0; i < sizeof info.fsid; ++i) {
    uuid += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", info.fsid[i]);
  }
  auto text = read_file(fmt::format("/sys/fs/btrfs/{}/commit_stats", uuid));
  if (!text) throw std::runtime_error(text.error().message());
  std::istringstream words(*text);
  std::string key;
  std::uint64_t count = 0;
  if (!(words >> key >> count) || key != "commits") {
    throw std::runtime_error("commit_stats: no count of commits");
  }
  return count;
}

}  // namespace evojail::test
