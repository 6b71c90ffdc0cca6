#include "config/profile_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "base/file.hpp"

namespace evojail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProfileFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "profiles.XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
  }
  void TearDown() override {
    for (const std::string& name : written_) unlink((directory_ + "/" + name).c_str());
    rmdir(directory_.c_str());
  }
  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(replace_file(directory_ + "/" + name, text, 0600));
    written_.push_back(name);
  }

  std::string directory_;
  std::vector<std::string> written_;
};

TEST_F(ProfileFiles, AreListedByName) {
  write("sftp.json", "{}");
  write("default.json", "{}");
  write("base-image.json", "{}");
  write("sshd_config.in", "");
  write(".hidden.json", "{}");
  const auto names = list_profiles(directory_);
  ASSERT_TRUE(names) << names.error().message();
  EXPECT_THAT(*names, ElementsAre("default", "sftp"));
}

TEST_F(ProfileFiles, AMissingOneNamesThoseThatAreThere) {
  write("sftp.json", "{}");
  for (const char* name : {"default", "../sftp", "", "sftp.json", "base-image"}) {
    const auto profile = load_profile(directory_, name);
    ASSERT_FALSE(profile) << name;
    EXPECT_THAT(profile.error().message(), HasSubstr("no such profile"));
    EXPECT_THAT(profile.error().message(), HasSubstr("has: sftp"));
  }
}

TEST_F(ProfileFiles, AnErrorNamesTheFile) {
  write("sftp.json", "{}");
  const auto profile = load_profile(directory_, "sftp");
  ASSERT_FALSE(profile);
  EXPECT_EQ(profile.error().message(),
            directory_ + "/sftp.json:1: the member \"description\" is missing");
}

TEST_F(ProfileFiles, AMissingDirectoryIsAnError) {
  EXPECT_FALSE(list_profiles(directory_ + "/none"));
}

}  // namespace
}  // namespace evojail
