#pragma once

#include <sys/mount.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace evojail::test {

enum class FileSystem { btrfs, ext4, xfs };

/// "btrfs", "ext4", "xfs": for parameterised tests and messages.
[[nodiscard]] std::string to_string(FileSystem type);

/// A fresh file system of its own on a loop device, mounted for as long as the object lives.
///
/// It cannot outlive the test program, however that ends: the image has no name (memory, or an
/// unlinked file), the loop device clears itself on its last close, and the mount lies in a mount
/// namespace that the process takes for itself with the first volume. Make the first one before
/// starting threads: unshare(2) moves the calling thread only.
class LoopVolume {
 public:
  /// Where the image lies. Memory is what tests want; disk is for measuring: past the page cache of
  /// the file system below, as a disk has none (LO_FLAGS_DIRECT_IO).
  enum class Backing { memory, disk };

  struct Options {
    std::uint64_t size = 1ULL << 30;  ///< bytes, sparse; mkfs.xfs wants 300 MiB at the least
    Backing backing = Backing::memory;
    unsigned long mount_flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    std::string mount_data;                 ///< further mount options, "commit=300"
    std::vector<std::string> mkfs_options;  ///< passed to mkfs.TYPE in front of the device
  };

  /// Throws std::runtime_error with the cause when anything fails: a test cannot go on without.
  explicit LoopVolume(FileSystem type) : LoopVolume(type, Options()) {}
  LoopVolume(FileSystem type, Options options);
  LoopVolume(const LoopVolume&) = delete;
  LoopVolume& operator=(const LoopVolume&) = delete;
  ~LoopVolume();

  [[nodiscard]] FileSystem type() const noexcept { return type_; }
  /// The mount point; its root directory is root's and has mode 0700.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& device() const noexcept { return device_; }

  void unmount();
  void mount();
  /// Changes the flags of the mounted volume (MS_REMOUNT), MS_RDONLY say.
  void remount(unsigned long flags);
  /// What a power cut leaves: nothing that was not yet on the disk. ext4 and xfs only (their
  /// SHUTDOWN ioctl without a flush of the journal); the volume is mounted again afterwards.
  void power_cut();
  /// How many transactions a btrfs volume has committed since it was mounted.
  [[nodiscard]] std::uint64_t commits() const;

 private:
  void attach();
  void make_file_system();

  FileSystem type_;
  Options options_;
  Fd image_;
  Fd loop_;
  std::string device_;
  std::string path_;
  bool mounted_ = false;
};

}  // namespace evojail::test
