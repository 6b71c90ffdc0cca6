#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <stdexcept>

#include "base/file.hpp"
#include "jail/base_image.hpp"
#include "jail/host_keys.hpp"
#include "jail/sshd_config.hpp"
#include "program.hpp"
#include "support/temp_directory.hpp"

namespace evojail {
namespace {

using test::mount_or_throw;
using test::Outcome;
using test::run_program;
using test::TempDirectory;
using ::testing::HasSubstr;
using ::testing::Not;

/// A directory bound onto itself, so that all that is mounted below it comes off with it.
class MountPoint {
 public:
  explicit MountPoint(std::string path) : path_(std::move(path)) {
    mount_or_throw(path_.c_str(), path_, nullptr, MS_BIND);
  }
  MountPoint(const MountPoint&) = delete;
  MountPoint& operator=(const MountPoint&) = delete;
  ~MountPoint() { ::umount2(path_.c_str(), MNT_DETACH); }

 private:
  std::string path_;
};

/// An image with everything mounted that a session needs, none of the isolation: what is tested
/// here is sshd with its configuration, the session shell and the programs, as a client meets them.
class MountedImage {
 public:
  MountedImage() {
    test::enter_private_mounts();
    HostSettings host;
    host.datadir = directory_ / "data";
    host.rundir = directory_ / "run";
    image_ = ensure_base_image(host).value();
    mounts_ = std::make_unique<MountPoint>(image_.path);
    for (const char* point : {"/run", "/tmp", "/data", "/var", "/dev", "/etc/ssh", "/root"}) {
      mount_or_throw("tmpfs", image_.path + point, "tmpfs", 0, "mode=755");
    }
    mount_or_throw("proc", image_.path + "/proc", "proc", 0);
    for (const std::string device : {"null", "zero", "random", "urandom", "tty"}) {
      write("/dev/" + device, "", 0644);
      mount_or_throw(("/dev/" + device).c_str(), image_.path + "/dev/" + device, nullptr, MS_BIND);
    }
    make_directory("/dev/pts");
    mount_or_throw("devpts", image_.path + "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666");
    if (::symlink("pts/ptmx", (image_.path + "/dev/ptmx").c_str()) != 0)
      throw std::runtime_error("symlink");
    make_directory("/run/sshd");
    make_directory("/var/log");
    write("/var/log/lastlog", "", 0644);
    make_directory("/root/.ssh", 0700);
    const auto keys = make_host_keys(new_host_key_types(true), "test", directory_.path()).value();
    for (const auto& key : keys) {
      write("/etc/ssh/ssh_host_" + key.type + "_key", key.private_key, 0600);
    }
    const auto client = make_host_keys({"ed25519"}, "client", directory_.path()).value();
    write("/root/.ssh/authorized_keys", client[0].public_key, 0600);
    put(directory_ / "id", client[0].private_key, 0600);
    configure({}, false);
  }

  void configure(const JailSettings& settings, bool sftp_only) const {
    write(
        "/etc/ssh/sshd_config",
        make_sshd_config(settings, {.sftp_only = sftp_only,
                                    .host_key_types = new_host_key_types(settings.legacy_clients)})
            .value(),
        0644);
  }

  void write(const std::string& path, const std::string& text, mode_t mode) const {
    put(image_.path + path, text, mode);
  }
  [[nodiscard]] std::string path(const std::string& path) const { return image_.path + path; }
  [[nodiscard]] const TempDirectory& directory() const { return directory_; }

  /// What a client program gets before its own arguments.
  [[nodiscard]] std::vector<std::string> client(const std::string& program) const {
    return {program,
            "-q",
            "-F",
            "none",
            "-i",
            directory_ / "id",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "ProxyCommand=" + sshd() + " -i -e -f /etc/ssh/sshd_config 2>>" + (directory_ / "log")};
  }
  [[nodiscard]] std::string sshd() const {
    return "/usr/sbin/chroot " + image_.path + " /usr/sbin/sshd";
  }
  [[nodiscard]] std::string log() const { return read_file(directory_ / "log").value_or(""); }

 private:
  static void put(const std::string& path, const std::string& text, mode_t mode) {
    if (!replace_file(path, text, mode)) throw std::runtime_error("writing " + path);
  }
  void make_directory(const std::string& path, mode_t mode = 0755) const {
    if (!make_directories(image_.path + path, mode)) throw std::runtime_error("making " + path);
  }

  TempDirectory directory_;
  BaseImage image_;
  std::unique_ptr<MountPoint> mounts_;
};

class Sshd : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { image_ = std::make_unique<MountedImage>(); }
  static void TearDownTestSuite() { image_.reset(); }
  void SetUp() override { image_->configure({}, false); }

  static Outcome ssh(const std::vector<std::string>& arguments, const std::string& input = {}) {
    return run("/usr/bin/ssh", arguments, input);
  }
  static Outcome run(const std::string& program, const std::vector<std::string>& arguments,
                     const std::string& input = {}) {
    auto all = image_->client(program);
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_program(all, {.input = input,
                             .environment = {"PATH=/usr/bin:/bin", "LC_ALL=fr_FR.UTF-8"},
                             .name = {},
                             .before_exec = {}});
  }
  static Outcome shell(const std::string& command) {
    return run_program(
        {"/bin/sh", "-c", command},
        {.input = {}, .environment = {"PATH=/usr/bin:/bin"}, .name = {}, .before_exec = {}});
  }

  static std::unique_ptr<MountedImage> image_;
};
std::unique_ptr<MountedImage> Sshd::image_;

TEST_F(Sshd, AcceptsEveryConfiguration) {
  for (const bool legacy : {false, true}) {
    for (const bool sftp_only : {false, true}) {
      JailSettings settings;
      settings.legacy_clients = legacy;
      image_->configure(settings, sftp_only);
      const auto outcome = shell(image_->sshd() + " -t -f /etc/ssh/sshd_config");
      EXPECT_TRUE(outcome.exited_with(0)) << outcome.output;
      EXPECT_EQ(outcome.output, "");
    }
  }
  image_->write("/etc/ssh/sshd_config", "NoSuchOption yes\n", 0644);
  EXPECT_FALSE(shell(image_->sshd() + " -t -f /etc/ssh/sshd_config").exited_with(0));
}

TEST_F(Sshd, OffersNoOldAlgorithmUnlessTold) {
  const std::string dump =
      image_->sshd() +
      " -T -f /etc/ssh/sshd_config | "
      "grep -E '^(kexalgorithms|macs|ciphers|hostkeyalgorithms|pubkeyaccepted)'";
  const auto today = shell(dump).output;
  EXPECT_THAT(today, HasSubstr("curve25519-sha256"));
  EXPECT_THAT(today, Not(HasSubstr("sha1")));
  EXPECT_THAT(today, Not(HasSubstr(",ssh-rsa")));
  EXPECT_THAT(today, Not(HasSubstr("cbc")));
  JailSettings settings;
  settings.legacy_clients = true;
  image_->configure(settings, false);
  const auto legacy = shell(dump).output;
  EXPECT_THAT(legacy, HasSubstr(",ssh-rsa"));
  EXPECT_THAT(legacy, HasSubstr("diffie-hellman-group14-sha1"));
  EXPECT_THAT(legacy, HasSubstr("curve25519-sha256"));
}

TEST_F(Sshd, RunsCommandsAsClientsExpect) {
  EXPECT_TRUE(ssh({"-tt", "root@jail", "exit"}).exited_with(0)) << image_->log();
  EXPECT_TRUE(ssh({"root@jail", "exit 3"}).exited_with(3)) << image_->log();
  EXPECT_TRUE(ssh({"root@jail", "nosuchcommand"}).exited_with(127));
  const auto outcome =
      ssh({"-o", "SendEnv=LC_ALL", "root@jail", "id -un; echo $LANG $LC_ALL $SHELL"});
  EXPECT_EQ(outcome.output, "root\nC.UTF-8 /bin/sh\n");
  EXPECT_EQ(ssh({"root@jail"}, "echo from stdin\nexit 0\n").output, "from stdin\n");
}

TEST_F(Sshd, TakesFilesByEveryProtocol) {
  const std::string file = image_->directory() / "file";
  ASSERT_TRUE(replace_file(file, "pushed", 0640));
  const auto sftp = run("/usr/bin/sftp", {"-b", "-", "root@jail"}, "put " + file + " /data/sftp\n");
  EXPECT_TRUE(sftp.exited_with(0)) << sftp.output;
  EXPECT_EQ(read_file(image_->path("/data/sftp")).value_or(""), "pushed");
  for (const std::string flag : {"-O", "-s"}) {
    const auto scp = run("/usr/bin/scp", {flag, file, "root@jail:/data/scp" + flag});
    EXPECT_TRUE(scp.exited_with(0)) << scp.output;
    EXPECT_EQ(read_file(image_->path("/data/scp" + flag)).value_or(""), "pushed");
  }
  // rsync splits RSYNC_RSH at blanks: the options come from a script.
  std::string script = "#!/bin/sh\nexec";
  for (const auto& word : image_->client("/usr/bin/ssh")) script += " '" + word + "'";
  ASSERT_TRUE(replace_file(image_->directory() / "rsh", script + " \"$@\"\n", 0755));
  const auto rsync = run_program(
      {"/usr/bin/rsync", "-aAXHz", file, "root@jail:/data/rsync"},
      {.input = {},
       .environment = {"PATH=/usr/bin:/bin", "RSYNC_RSH=" + (image_->directory() / "rsh")},
       .name = {},
       .before_exec = {}});
  EXPECT_TRUE(rsync.exited_with(0)) << rsync.output;
  EXPECT_EQ(read_file(image_->path("/data/rsync")).value_or(""), "pushed");
}

TEST_F(Sshd, LetsNobodyInWithoutAKey) {
  EXPECT_TRUE(ssh({"root@jail", "true"}).exited_with(0));
  EXPECT_TRUE(ssh({"-o", "PubkeyAuthentication=no", "root@jail", "true"}).exited_with(255));
  EXPECT_TRUE(ssh({"daemon@jail", "true"}).exited_with(255));
  EXPECT_TRUE(ssh({"nosuchuser@jail", "true"}).exited_with(255));
}

TEST_F(Sshd, ForwardsNothing) {
  const std::string fail = "ExitOnForwardFailure=yes";
  EXPECT_TRUE(ssh({"-o", fail, "-R", "0:127.0.0.1:9", "root@jail", "true"}).exited_with(255));
  EXPECT_TRUE(ssh({"-o", fail, "-R", "/tmp/s:/tmp/t", "root@jail", "true"}).exited_with(255));
  EXPECT_THAT(ssh({"-W", "127.0.0.1:9", "root@jail"}).status, ::testing::Ne(0));
  EXPECT_EQ(ssh({"-A", "-X", "root@jail", "echo $SSH_AUTH_SOCK$DISPLAY"}).output, "\n");
}

TEST_F(Sshd, OldClientsGetInWhereTheyMay) {
  const std::vector<std::string> old{"-o",        "HostKeyAlgorithms=ssh-rsa",
                                     "-o",        "KexAlgorithms=diffie-hellman-group14-sha1",
                                     "root@jail", "true"};
  EXPECT_TRUE(ssh(old).exited_with(255));
  JailSettings settings;
  settings.legacy_clients = true;
  image_->configure(settings, false);
  EXPECT_TRUE(ssh(old).exited_with(0)) << image_->log();
}

TEST_F(Sshd, AnSftpProfileOffersSftpAlone) {
  image_->configure({}, true);
  const auto sftp = run("/usr/bin/sftp", {"-b", "-", "root@jail"}, "mkdir /data/made\n");
  EXPECT_TRUE(sftp.exited_with(0)) << sftp.output;
  EXPECT_TRUE(path_exists(image_->path("/data/made")));
  // Whatever is asked for, sftp-server is what runs.
  const auto command = ssh({"root@jail", "touch /data/touched"});
  EXPECT_FALSE(path_exists(image_->path("/data/touched"))) << command.output;
  image_->configure({}, false);
  EXPECT_TRUE(ssh({"root@jail", "touch /data/touched"}).exited_with(0));
  EXPECT_TRUE(path_exists(image_->path("/data/touched")));
}

}  // namespace
}  // namespace evojail
