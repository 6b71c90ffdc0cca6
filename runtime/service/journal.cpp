#include "service/journal.hpp"

#include <algorithm>
#include <memory>

#include "base/printable.hpp"
#include "service/libsystemd.hpp"

namespace evojail {
namespace {

constexpr std::string_view kField = "MESSAGE=";

struct JournalClose {
  void operator()(sd_journal* journal) const noexcept { libsystemd().sd_journal_close(journal); }
};

}  // namespace

std::vector<std::string> last_words(const std::string& unit, std::size_t lines) {
  std::vector<std::string> words;
  if (!LibSystemd::load()) return words;
  sd_journal* raw = nullptr;
  if (libsystemd().sd_journal_open(&raw, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
    return words;
  const std::unique_ptr<sd_journal, JournalClose> journal(raw);
  const std::string match = "_SYSTEMD_UNIT=" + unit;
  if (libsystemd().sd_journal_add_match(raw, match.data(), match.size()) < 0 ||
      libsystemd().sd_journal_seek_tail(raw) < 0) {
    return words;
  }
  while (words.size() < lines && libsystemd().sd_journal_previous(raw) > 0) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (libsystemd().sd_journal_get_data(raw, "MESSAGE", &data, &size) < 0) continue;
    const std::string_view field(static_cast<const char*>(data), size);
    words.push_back(printable(field.substr(std::min(kField.size(), field.size())), 200));
  }
  std::ranges::reverse(words);
  return words;
}

}  // namespace evojail
