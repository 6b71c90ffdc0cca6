#include "gnu_date.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "retention/local_zone.hpp"

namespace evojail::test {

TemporaryDirectory::TemporaryDirectory()
    : path_(std::filesystem::temp_directory_path() / "evojail_date_XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary directory");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Zone use_zone(const std::string& zone) {
  const bool named = zone.contains('/') && !zone.contains(',');
  if (named && !std::filesystem::exists("/usr/share/zoneinfo/" + zone)) {
    throw std::runtime_error("no time zone '" + zone + "': is tzdata installed?");
  }
  ::setenv("TZ", zone.c_str(), 1);
  return load_local_zone();
}

void run_at(std::int64_t now, const std::string& command) {
  const std::string whole = "LC_ALL=C EVOJAIL_TEST_NOW=" + std::to_string(now) +
                            " LD_PRELOAD='" EVOJAIL_FIXED_CLOCK "' " + command;
  if (::system(whole.c_str()) == -1) throw std::runtime_error("cannot run: " + whole);
}

std::vector<std::optional<std::string>> ask_date(std::int64_t now,
                                                 const std::vector<std::string>& texts) {
  const TemporaryDirectory dir;
  const std::string questions = dir.path() + "/questions";
  const std::string answers = dir.path() + "/answers";
  {
    // A line with a known answer behind each text shows which of them had none.
    std::ofstream out(questions);
    for (std::size_t i = 0; i < texts.size(); ++i) out << texts[i] << "\n@" << i << '\n';
  }
  run_at(now, "date -f '" + questions + "' '+%s %Y-%m-%d' >'" + answers + "' 2>/dev/null");

  std::vector<std::optional<std::string>> dates;
  std::optional<std::string> pending;
  std::ifstream in(answers);
  std::string seconds;
  std::string date;
  while (in >> seconds >> date) {
    if (!pending && seconds != std::to_string(dates.size())) {
      pending = date;
      continue;
    }
    if (seconds != std::to_string(dates.size())) throw std::runtime_error("date lost a line");
    dates.push_back(std::exchange(pending, std::nullopt));
  }
  if (dates.size() != texts.size()) throw std::runtime_error("date lost its last lines");
  return dates;
}

}  // namespace evojail::test
