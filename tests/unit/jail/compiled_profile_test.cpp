#include "jail/compiled_profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.hpp"
#include "config/profile_files.hpp"
#include "jail/loaded_code.hpp"
#include "support/temp_directory.hpp"

namespace evojail {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

/// A filter that no profile compiles to: it tells whether the kept file was taken up.
Filter marked() { return {{{BPF_RET | BPF_K, 0, 0, 0x12345678}}}; }

/// A profile, and what is kept of it with another filter put in.
class KeptProfile : public ::testing::Test {
 protected:
  void SetUp() override {
    write(file_, read_file(EVOJAIL_PROFILES "/default.json").value());
    const auto loaded = load_compiled_profile(file_, kept_);
    ASSERT_TRUE(loaded) << loaded.error().message();
    compiled_ = *loaded;
    compiled_.session_filter = marked();
    bytes_ = encode(source(), compiled_);
    write(kept_, bytes_);
    ASSERT_TRUE(is_taken_up());
  }

  /// Whether a start takes up what is kept. Where not, it gets what the profile says, and so does
  /// the next.
  [[nodiscard]] bool is_taken_up() const {
    const auto loaded = load_compiled_profile(file_, kept_);
    if (!loaded) throw std::runtime_error(loaded.error().message());
    if (loaded->session_filter == marked()) return true;
    EXPECT_EQ(*loaded, compile_profile(*load_profile_file(file_)).value());
    EXPECT_TRUE(decode_compiled_profile(*read_file(kept_), source()));
    EXPECT_EQ(*load_compiled_profile(file_, kept_), *loaded);
    return false;
  }

  [[nodiscard]] ProfileSource source() const {
    return profile_source(read_file(file_).value()).value();
  }

  static void write(const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(replace_file(path, bytes, 0600)) << path;
  }

  test::TempDirectory directory_;
  std::string file_ = directory_.path() + "/mine.json";
  std::string kept_ = directory_.path() + "/kept/mine";
  CompiledProfile compiled_;
  std::string bytes_;  ///< of the kept file
};

TEST(CompiledProfile, ComesBackAsItWas) {
  for (const char* name : {"default", "sftp"}) {
    const auto compiled = compile_profile(load_profile(EVOJAIL_PROFILES, name).value()).value();
    const ProfileSource source{"code", "text"};
    const auto again = decode_compiled_profile(encode(source, compiled), source);
    ASSERT_TRUE(again) << name;
    EXPECT_EQ(*again, compiled);
    EXPECT_THAT(again->programs, Contains("sftp-server"));
    EXPECT_TRUE(again->mounts.data.noexec);
    EXPECT_FALSE(again->limits.empty());
  }
}

TEST_F(KeptProfile, IsTheCallersOwn) {
  struct stat st{};
  ASSERT_EQ(::stat(kept_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0600U);
  ASSERT_EQ(::stat((directory_.path() + "/kept").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0700U);
}

TEST_F(KeptProfile, IsOfOneProfileOnly) {
  // One byte that says nothing: what is said is not compared.
  write(file_, read_file(file_).value() + "\n");
  EXPECT_FALSE(is_taken_up());
  write(kept_, bytes_);
  write(file_, read_file(EVOJAIL_PROFILES "/sftp.json").value());
  EXPECT_FALSE(is_taken_up());
}

TEST_F(KeptProfile, DoesNotHideThatTheProfileIsBroken) {
  write(file_, read_file(file_).value() + "}");
  const auto loaded = load_compiled_profile(file_, kept_);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("mine.json"));
}

TEST_F(KeptProfile, IsOfOneBuildOnly) {
  ProfileSource other = source();
  other.code.back() = static_cast<char>(other.code.back() ^ 1);
  write(kept_, encode(other, compiled_));
  EXPECT_FALSE(is_taken_up());
}

TEST_F(KeptProfile, IsWholeOrNotTakenUp) {
  for (std::size_t size : {std::size_t{0}, std::size_t{7}, bytes_.size() / 2, bytes_.size() - 1}) {
    write(kept_, bytes_.substr(0, size));
    EXPECT_FALSE(is_taken_up()) << size;
  }
  write(kept_, bytes_ + '\0');
  EXPECT_FALSE(is_taken_up());
}

TEST_F(KeptProfile, IsRefusedForASingleBit) {
  ASSERT_TRUE(decode_compiled_profile(bytes_, source()));
  const ProfileSource from = source();
  for (std::size_t i = 0; i < bytes_.size(); i += 3) {
    std::string damaged = bytes_;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    EXPECT_FALSE(decode_compiled_profile(damaged, from)) << "byte " << i;
  }
  bytes_[bytes_.size() - 1] ^= 1;
  write(kept_, bytes_);
  EXPECT_FALSE(is_taken_up());
}

TEST_F(KeptProfile, IsRefusedWhereOthersMayReadOrWrite) {
  for (const mode_t mode : {0644U, 0620U, 0602U, 0700U, 0400U}) {
    write(kept_, bytes_);
    ASSERT_EQ(::chmod(kept_.c_str(), mode), 0);
    EXPECT_FALSE(is_taken_up()) << mode;
  }
}

TEST_F(KeptProfile, IsRefusedOfAnotherOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(kept_.c_str(), 1, 1), 0);
  EXPECT_FALSE(is_taken_up());
}

TEST_F(KeptProfile, IsAFileOfOneName) {
  const std::string other = directory_.path() + "/other";
  ASSERT_EQ(::link(kept_.c_str(), other.c_str()), 0);
  EXPECT_FALSE(is_taken_up());
  write(other, bytes_);
  ASSERT_EQ(::unlink(kept_.c_str()), 0);
  ASSERT_EQ(::symlink(other.c_str(), kept_.c_str()), 0);
  EXPECT_FALSE(is_taken_up());
  ASSERT_EQ(::unlink(kept_.c_str()), 0);
  ASSERT_EQ(::mkfifo(kept_.c_str(), 0600), 0);
  EXPECT_FALSE(is_taken_up());
}

TEST_F(KeptProfile, IsNotNeeded) {
  // A directory where the file should be: nothing can be kept.
  ASSERT_EQ(::unlink(kept_.c_str()), 0);
  ASSERT_EQ(::mkdir(kept_.c_str(), 0700), 0);
  const auto loaded = load_compiled_profile(file_, kept_);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(*loaded, compile_profile(*load_profile_file(file_)).value());
}

TEST(LoadedCode, HasTheIdOfEachObject) {
  const auto code = loaded_code();
  ASSERT_TRUE(code);
  // The program, libseccomp, libstdc++, the C library: 20 bytes each as a linker makes them.
  EXPECT_GE(code->size(), 4 * 8U);
  EXPECT_EQ(loaded_code(), code);
}

}  // namespace
}  // namespace evojail
