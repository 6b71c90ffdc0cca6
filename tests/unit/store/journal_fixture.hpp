#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "store/journal.hpp"
#include "support/temp_directory.hpp"

namespace evojail::test {

/// An empty INCDIR, and an entry for its journal.
class JournalFixture : public ::testing::Test {
 protected:
  JournalFixture() {
    host_.incdir = directory_ / "incs";
    std::filesystem::create_directory(host_.incdir);
  }
  JournalDir open() { return std::move(JournalDir::open(host_)).value(); }
  /// What is in the journal, but for what is held back.
  [[nodiscard]] std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(host_.incdir + "/.journal")) {
      if (entry.path().filename() != ".spare") names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  TempDirectory directory_;
  HostSettings host_;
  JournalEntry entry_{.operation = JournalEntry::Operation::inc,
                      .token = "0123456789abcdef",
                      .subject = "2026-11-22-22",
                      .began = 1795384800};
};

}  // namespace evojail::test
