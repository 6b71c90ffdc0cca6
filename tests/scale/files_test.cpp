// A jail with very many files: its incs are whole, and what it takes to make and remove them does
// not grow with it.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "root/cli/program.hpp"
#include "scale/peak_memory.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;

constexpr unsigned kDirectories = 500;
constexpr unsigned kInEach = 200;
constexpr unsigned kInOne = 100'000;
constexpr std::uint64_t kMostMemory = 64 * 1024;  // KiB

LoopVolume::Options with_room(FileSystem type) {
  LoopVolume::Options options;
  options.size = 6ULL << 30;
  if (type == FileSystem::ext4) options.mkfs_options = {"-i", "4096"};
  return options;
}

class Files : public Program, public testing::WithParamInterface<FileSystem> {
 protected:
  Files() : Program(GetParam(), with_room(GetParam())) {}

  /// One file in four has a byte, the others none.
  void fill(const std::string& directory, unsigned files) const {
    ASSERT_EQ(::mkdir(directory.c_str(), 0755), 0);
    const Fd dir(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (unsigned i = 0; i < files; ++i) {
      const std::string name = fmt::format("file-{:06}", i);
      const Fd file(::openat(dir.get(), name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
      ASSERT_TRUE(file);
      ASSERT_TRUE(write_all(file.get(), name, i % 4 == 0 ? "x" : ""));
    }
  }

  void expect_little_memory(const std::vector<std::string>& words) {
    const PeakMemory peak = run_for_peak(command_line(words));
    EXPECT_EQ(peak.code, 0) << testing::PrintToString(words);
    EXPECT_GT(peak.kib, 0U);
    EXPECT_LT(peak.kib, kMostMemory) << testing::PrintToString(words);
    RecordProperty(words[0], static_cast<int>(peak.kib));
  }
};

TEST_P(Files, TwoHundredThousandTakeLittleMemory) {
  must({"init", "web1"});
  const std::string data = host().jaildir + "/web1/data";
  fill(data + "/one", kInOne);
  for (unsigned i = 0; i < kDirectories; ++i) fill(fmt::format("{}/dir-{}", data, i), kInEach);
  constexpr std::uint64_t files = kInOne + kDirectories * kInEach;

  expect_little_memory({"inc", "--at", "2026-01-01-00"});
  expect_little_memory({"inc", "--at", "2026-01-02-00"});
  const json incs = json::parse(must({"list-incs", "web1", "--json"}).out)["incs"];
  ASSERT_EQ(incs.size(), 2U);
  for (const auto& inc : incs) {
    EXPECT_EQ(inc["complete"], true) << inc;
    EXPECT_GE(inc["record"]["entries"], files) << inc;
  }
  EXPECT_EQ(incs[1]["record"]["linked"], files) << incs[1];

  write(conf("web1", "incs_policy"), "none\n");
  expect_little_memory({"rm"});
  EXPECT_EQ(json::parse(must({"list-incs", "web1", "--json"}).out)["incs"].size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(OnTrees, Files, testing::Values(FileSystem::ext4, FileSystem::xfs),
                         [](const auto& one) { return to_string(one.param); });

}  // namespace
}  // namespace evojail::test
