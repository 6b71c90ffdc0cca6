#include "jail/root_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>

#include "jail/session_report.hpp"
#include "kernel/mounts.hpp"

namespace evojail {
namespace {

constexpr MountFlags read_only{.readonly = true, .nosuid = true, .nodev = true, .noexec = true};
constexpr MountFlags devices{.nosuid = true, .noexec = true};

/// A mount point of the base image, which is root's own: no symbolic link is followed all the same.
Result<Fd> mount_point(int root, const std::string& path) {
  return open_at(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

/// @param name what is mounted there, for errors: the host's path, which a person can look at.
Result<void> mount_at(int root, const std::string& path, int mount, const std::string& name) {
  TRY(const Fd target, mount_point(root, path));
  return attach_mount(mount, target.get(), name);
}

/// Where nothing of the host's is mounted.
std::string of_the_jail(const std::string& path) { return "the jail's /" + path; }

Result<Fd> enter_base_image(const LaunchPlan& plan) {
  TRY(const Fd directory, open_path(plan.base_image, O_PATH | O_DIRECTORY));
  TRY(Fd root, clone_mount(directory.get(), plan.base_image, plan.mounts.base, std::nullopt));
  CHECK(attach_mount(root.get(), directory.get(), plan.base_image));
  return root;
}

Result<void> make_nodes(int dev) {
  struct Node {
    const char* name;
    unsigned minor;
    unsigned major;
  };
  constexpr std::array nodes{Node{"null", 3, 1},   Node{"zero", 5, 1},    Node{"full", 7, 1},
                             Node{"random", 8, 1}, Node{"urandom", 9, 1}, Node{"tty", 0, 5}};
  for (const auto& node : nodes) {
    if (::mknodat(dev, node.name, S_IFCHR | 0666, ::makedev(node.major, node.minor)) != 0 ||
        ::fchmodat(dev, node.name, 0666, 0) != 0) {
      return fail_errno("making device", fmt::format("/dev/{}", node.name));
    }
  }
  struct Link {
    const char* name;
    const char* target;
  };
  constexpr std::array links{Link{"ptmx", "pts/ptmx"}, Link{"fd", "/proc/self/fd"},
                             Link{"stdin", "/proc/self/fd/0"}, Link{"stdout", "/proc/self/fd/1"},
                             Link{"stderr", "/proc/self/fd/2"}};
  for (const auto& link : links) {
    if (::symlinkat(link.target, dev, link.name) != 0) {
      return fail_errno("making link", fmt::format("/dev/{}", link.name));
    }
  }
  if (::mkdirat(dev, "pts", 0755) != 0) return fail_errno("making directory", "/dev/pts");
  return {};
}

/// A minimal /dev. It has to allow devices; it is read-only, and nothing in a user namespace makes
/// one.
Result<void> mount_dev(int root, const LaunchPlan& plan) {
  TRY(const Fd dev,
      new_mount("tmpfs", devices, {{"size", "64k"}, {"nr_inodes", "32"}, {"mode", "0755"}}));
  CHECK(make_nodes(dev.get()));
  CHECK(mount_at(root, "dev", dev.get(), of_the_jail("dev")));
  constexpr std::uint32_t tty_group = 5;
  TRY(const Fd pts, new_mount("devpts", devices,
                              {{"newinstance", ""},
                               {"ptmxmode", "0666"},
                               {"mode", "0620"},
                               {"max", "64"},
                               {"gid", std::to_string(plan.base_uid + tty_group)}}));
  CHECK(mount_at(root, "dev/pts", pts.get(), of_the_jail("dev/pts")));
  return make_read_only(dev.get(), "/dev");
}

Result<Fd> mount_tmpfs(int root, const std::string& path, std::uint64_t size, const char* mode,
                       const MountFlags& flags, const LaunchPlan& plan) {
  const std::string owner = std::to_string(plan.base_uid);
  // An inode costs the host memory beside the pages: one for each 4 KiB bounds both.
  TRY(Fd mount, new_mount("tmpfs", flags,
                          {{"size", std::to_string(size)},
                           {"nr_inodes", std::to_string(size / 4096 + 16)},
                           {"mode", mode},
                           {"uid", owner},
                           {"gid", owner}}));
  CHECK(mount_at(root, path, mount.get(), of_the_jail(path)));
  return mount;
}

// The FIFO lies directly in /run.
const std::string report_fifo =
    std::string(session_report_fifo).substr(std::string_view("/run/").size());

Result<Fd> mount_run(int root, const LaunchPlan& plan) {
  TRY(const Fd run, mount_tmpfs(root, "run", plan.run_size, "0755", plan.mounts.run, plan));
  if (::mkdirat(run.get(), "sshd", 0755) != 0 ||
      ::fchownat(run.get(), "sshd", plan.base_uid, plan.base_uid, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno("making directory", "/run/sshd");
  }
  if (::mkfifoat(run.get(), report_fifo.c_str(), 0600) != 0 ||
      ::fchownat(run.get(), report_fifo.c_str(), plan.base_uid, plan.base_uid,
                 AT_SYMLINK_NOFOLLOW) != 0) {
    return fail_errno("making FIFO", session_report_fifo);
  }
  // Open for writing too: without a writer of its own the reader would see an end of file for ever.
  return open_at(run.get(), report_fifo, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
}

Result<Fd> client_directory(const std::string& path, const MountFlags& flags, int user_namespace) {
  TRY(const Fd directory, open_path(path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return clone_mount(directory.get(), path, flags, user_namespace);
}

Result<void> mount_client_data(int root, const LaunchPlan& plan, int user_namespace) {
  TRY(const Fd var, client_directory(plan.var, plan.mounts.var, user_namespace));
  CHECK(mount_at(root, "var", var.get(), plan.var));
  TRY(const Fd data, client_directory(plan.data, plan.mounts.data, user_namespace));
  CHECK(mount_at(root, "data", data.get(), plan.data));
  // /var is the client's: whatever lies at /var/backup is opened beneath it or not at all.
  auto backup = open_beneath(var.get(), "backup", O_PATH | O_DIRECTORY);
  if (!backup) {
    const std::string path = plan.var + "/backup";
    return std::unexpected(Error::system("opening", path, backup.error().code())
                               .hint("the data is mounted there: it has to be a directory"));
  }
  TRY(const Fd again, client_directory(plan.data, plan.mounts.data, user_namespace));
  return attach_mount(again.get(), backup->get(), plan.data);
}

Result<void> mount_settings(int root, const std::string& path, const std::string& from) {
  TRY(const Fd directory, open_path(from, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  TRY(const Fd mount, clone_mount(directory.get(), from, read_only, std::nullopt));
  return mount_at(root, path, mount.get(), from);
}

}  // namespace

Result<Fd> enter_root_tree(const LaunchPlan& plan, int user_namespace) {
  TRY(const Fd root, enter_base_image(plan));
  CHECK(mount_dev(root.get(), plan));
  // Read-only: through /proc/self/mem a process writes to what it may only execute.
  TRY(const Fd proc, new_mount("proc", read_only, {{"hidepid", "invisible"}, {"subset", "pid"}}));
  CHECK(mount_at(root.get(), "proc", proc.get(), of_the_jail("proc")));
  CHECK(mount_tmpfs(root.get(), "tmp", plan.tmp_size, "1777", plan.mounts.tmp, plan));
  TRY(Fd report, mount_run(root.get(), plan));
  CHECK(mount_settings(root.get(), "etc/ssh", plan.ssh_dir));
  CHECK(mount_settings(root.get(), "root", plan.root_home));
  CHECK(mount_client_data(root.get(), plan, user_namespace));
  CHECK(pivot_into(root.get()));
  return report;
}

}  // namespace evojail
