#include "store/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/directory.hpp"
#include "base/parse.hpp"
#include "store/journal_batch.hpp"
#include "store/journal_spare.hpp"

namespace evojail {
namespace {

using Operation = JournalEntry::Operation;

constexpr std::array<std::pair<std::string_view, Operation>, 7> operations{{
    {"create", Operation::create},
    {"inc", Operation::inc},
    {"rm", Operation::rm},
    {"remove", Operation::remove},
    {"rename", Operation::rename},
    {"renamed", Operation::renamed},
    {"archive", Operation::archive},
}};

std::string next_name(const std::string& name) { return ".next-" + name; }

bool is_token(std::string_view text) {
  return text.size() == 16 && std::ranges::all_of(text, [](char c) {
           return ('0' <= c && c <= '9') || ('a' <= c && c <= 'f');
         });
}

}  // namespace

std::string JournalEntry::new_name() const { return ".new-" + token; }
std::string JournalEntry::trash_name() const { return ".trash-" + token; }
std::string JournalEntry::trash_name(const std::string& inc) const {
  return ".trash-" + token + "-" + inc;
}

std::string format_journal_entry(const JournalEntry& entry) {
  const auto* found = std::ranges::find(operations, entry.operation,
                                        &std::pair<std::string_view, Operation>::second);
  return fmt::format("{} {} {} {} {}", found->first, entry.token,
                     entry.subject.empty() ? "-" : entry.subject, entry.began,
                     entry.partial ? "partial" : "whole");
}

Result<JournalEntry> parse_journal_entry(const std::string& text, const std::string& file) {
  const auto unreadable = [&] {
    return std::unexpected(
        Error(fmt::format("reading '{}': '{}' is no entry of a journal", file, text))
            .hint("it was not written by this version of evojail: find out who did"));
  };
  const auto words = split_words(text, " ");
  if (words.size() != 5 || !is_token(words[1])) return unreadable();
  const auto* found =
      std::ranges::find(operations, words[0], &std::pair<std::string_view, Operation>::first);
  const auto began =
      parse_number<std::int64_t>(words[3], 0, std::numeric_limits<std::int64_t>::max());
  if (found == operations.end() || !began) return unreadable();
  if (words[4] != "partial" && words[4] != "whole") return unreadable();
  JournalEntry entry;
  entry.operation = found->second;
  entry.token = words[1];
  if (words[2] != "-") entry.subject = words[2];
  entry.began = *began;
  entry.partial = words[4] == "partial";
  return entry;
}

Result<JournalDir> JournalDir::open(const HostSettings& host) {
  TRY(const Fd incs, open_directory(host.incdir));
  const std::string path = host.incdir + "/.journal";
  // Who only looks does not write: mkdir(2) waits for a frozen volume also where it has nothing to
  // make.
  auto dir = open_subdir(incs.get(), ".journal", path);
  if (!dir && dir.error().code() == ENOENT) {
    CHECK(make_subdir(incs.get(), ".journal", 0700, path));
    dir = open_subdir(incs.get(), ".journal", path);
    if (!dir) return std::unexpected(std::move(dir).error());
    keep_spare(dir->get());
    CHECK(sync_fd(incs.get(), host.incdir));
  }
  if (!dir) return std::unexpected(std::move(dir).error());
  return JournalDir(std::move(*dir), path);
}

Result<std::optional<JournalEntry>> JournalDir::read(const std::string& name) const {
  const std::string file = path_ + "/" + name;
  std::array<char, 1024> target{};
  const ssize_t length = ::readlinkat(dir_.get(), name.c_str(), target.data(), target.size());
  if (length < 0 && errno == ENOENT) return read_from_batch(dir_.get(), path_, name);
  if (length < 0) return fail_errno("reading", file);
  return parse_journal_entry(std::string(target.data(), static_cast<std::size_t>(length)), file);
}

Result<void> JournalDir::write(const std::string& name, const JournalEntry& entry) const {
  return make_entry(dir_.get(), name, format_journal_entry(entry), path_);
}

Result<void> JournalDir::replace(const std::string& name, const JournalEntry& entry) const {
  const std::string temporary = next_name(name);
  // A replacement that was cut short.
  CHECK(unlink_file(dir_.get(), temporary, path_ + "/" + temporary));
  CHECK(write(temporary, entry));
  if (::renameat(dir_.get(), temporary.c_str(), dir_.get(), name.c_str()) == 0) return {};
  return fail_errno("replacing", path_ + "/" + name);
}

Result<void> JournalDir::clear(const std::string& name) const {
  const std::string temporary = next_name(name);
  CHECK(unlink_file(dir_.get(), temporary, path_ + "/" + temporary));
  // What counts goes last: else the batch would speak for a jail that is done, or gone.
  CHECK(clear_from_batch(dir_.get(), path_, {&name, 1}));
  CHECK(unlink_file(dir_.get(), name, path_ + "/" + name));
  keep_spare(dir_.get());
  return {};
}

Result<void> JournalDir::sync() const { return sync_fd(dir_.get(), path_); }

Result<bool> JournalDir::write_all(std::span<const std::string> names,
                                   const JournalEntry& entry) const {
  return write_batch(dir_.get(), path_, entry, names);
}

Result<void> JournalDir::clear_all(std::span<const std::string> names) const {
  CHECK(clear_from_batch(dir_.get(), path_, names));
  keep_spare(dir_.get());
  return {};
}

}  // namespace evojail
