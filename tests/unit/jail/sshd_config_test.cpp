#include "jail/sshd_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string config_for(const JailSettings& settings, const SshdOptions& options) {
  const auto config = make_sshd_config(settings, options);
  EXPECT_TRUE(config) << config.error().message();
  return config.value_or("");
}

TEST(SshdConfig, FillsInWhatDependsOnTheJail) {
  JailSettings settings;
  settings.login_grace = std::chrono::seconds(45);
  const std::string config =
      config_for(settings, {.sftp_only = false, .host_key_types = {"ed25519", "ecdsa"}});
  EXPECT_THAT(config, HasSubstr("\nHostKey /etc/ssh/ssh_host_ed25519_key\n"
                                "HostKey /etc/ssh/ssh_host_ecdsa_key\n"));
  EXPECT_THAT(config, HasSubstr("\nLoginGraceTime 45\n"));
  EXPECT_THAT(config, HasSubstr("\nPermitTTY yes\n"));
  EXPECT_THAT(config, Not(HasSubstr("ForceCommand")));
  EXPECT_THAT(config, Not(HasSubstr("+ssh-rsa")));
}

TEST(SshdConfig, ShutsEveryOtherDoor) {
  const std::string config = config_for({}, {.sftp_only = false, .host_key_types = {"ed25519"}});
  for (const char* line :
       {"AllowUsers root", "PermitRootLogin prohibit-password", "AuthenticationMethods publickey",
        "PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no",
        "AuthorizedKeysFile /root/.ssh/authorized_keys", "DisableForwarding yes",
        "AllowTcpForwarding no", "AllowAgentForwarding no", "X11Forwarding no", "PermitTunnel no",
        "PermitUserEnvironment no", "PermitUserRC no", "UseDNS no", "ClientAliveInterval 30",
        "ClientAliveCountMax 6", "Subsystem sftp /usr/lib/openssh/sftp-server"}) {
    EXPECT_THAT(config, HasSubstr(std::string("\n") + line + "\n"));
  }
  EXPECT_THAT(config, Not(HasSubstr("\nAcceptEnv")));
}

TEST(SshdConfig, OldClientsGetWhatTheyKnow) {
  JailSettings settings;
  settings.legacy_clients = true;
  const std::string config =
      config_for(settings, {.sftp_only = false, .host_key_types = {"ed25519", "rsa"}});
  EXPECT_THAT(config,
              HasSubstr("\nHostKeyAlgorithms +ssh-rsa\nPubkeyAcceptedAlgorithms +ssh-rsa\n"));
  EXPECT_THAT(config, HasSubstr("\nHostKey /etc/ssh/ssh_host_rsa_key\n"));
  EXPECT_THAT(config, Not(HasSubstr("RequiredRSASize")));
}

TEST(SshdConfig, SftpOnlyForcesTheServer) {
  const std::string config = config_for({}, {.sftp_only = true, .host_key_types = {"ed25519"}});
  EXPECT_THAT(config, HasSubstr("\nForceCommand /usr/lib/openssh/sftp-server\n"));
  EXPECT_THAT(config, HasSubstr("\nPermitTTY no\n"));
}

TEST(SshdConfig, RefusesABrokenTemplate) {
  const std::string sound =
      "@HOST_KEYS@\n@LOGIN_GRACE_TIME@\n@ALGORITHMS@\n@SHELL_ACCESS@\nUsePAM no\n";
  const SshdOptions options{.sftp_only = false, .host_key_types = {"ed25519"}};
  EXPECT_TRUE(fill_sshd_config(sound, "t", {}, options));
  const auto unknown = fill_sshd_config(sound + "@COLOUR@\n", "t", {}, options);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("t:6: unknown placeholder '@COLOUR@'"));
  EXPECT_FALSE(fill_sshd_config("@HOST_KEYS@\n", "t", {}, options));
  EXPECT_FALSE(fill_sshd_config(sound + "@HOST_KEYS@\n", "t", {}, options));
}

TEST(SshdConfig, NoHostKeyIsAnError) {
  EXPECT_FALSE(make_sshd_config({}, {.sftp_only = false, .host_key_types = {}}));
}

}  // namespace
}  // namespace evojail
