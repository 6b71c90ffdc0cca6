// Every input that once taught something, through its target, in every test run.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace evojail::fuzz {

#define EVOJAIL_FUZZ_TARGET(name) void fuzz_##name(std::string_view input);
#include "targets.inc"
#undef EVOJAIL_FUZZ_TARGET

namespace {

struct Target {
  std::string name;
  void (*run)(std::string_view);
};

const std::vector<Target> kTargets = {
#define EVOJAIL_FUZZ_TARGET(name) {#name, fuzz_##name},
#include "targets.inc"
#undef EVOJAIL_FUZZ_TARGET
};

class FuzzCorpus : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, Replays) {
  const std::filesystem::path directory =
      std::filesystem::path(EVOJAIL_FUZZ_CORPUS) / GetParam().name;
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    SCOPED_TRACE(entry.path().string());
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string input{std::istreambuf_iterator<char>(in), {}};
    GetParam().run(input);
    // Cut short and damaged at every place: what an editor or a full disk leaves behind.
    const std::size_t step = std::max<std::size_t>(input.size() / 200, 1);
    for (std::size_t at = 0; at < input.size(); at += step) {
      GetParam().run(std::string_view(input).substr(0, at));
      for (const char byte : {'\0', '\n', '=', '\'', '\xff'}) {
        std::string damaged = input;
        damaged[at] = byte;
        GetParam().run(damaged);
      }
    }
    ++inputs;
  }
  EXPECT_GT(inputs, 0U) << "no corpus in " << directory;
}

INSTANTIATE_TEST_SUITE_P(All, FuzzCorpus, ::testing::ValuesIn(kTargets),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace evojail::fuzz
