#include "store/journal_batch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <set>
#include <string_view>
#include <vector>

#include "base/directory.hpp"
#include "base/parse.hpp"
#include "store/journal_spare.hpp"

namespace evojail {
namespace {

/// A link's target ends at PATH_MAX, and before that on btrfs with nodes of 4 KiB.
constexpr std::size_t kLinkBytes = 3800;
constexpr std::ptrdiff_t kEntryWords = 5;
// ".next-batch" would be the replacement of a jail called batch.
constexpr const char* next = ".batch-next";

struct Batch {
  std::string entry;
  std::vector<std::string> jails;
};

std::string batch_name(unsigned number) { return fmt::format(".batch-{}", number); }

std::string format_batch(const Batch& batch) {
  return batch.jails.empty() ? batch.entry
                             : fmt::format("{} {}", batch.entry, fmt::join(batch.jails, " "));
}

Result<std::optional<Batch>> read_link(int dir, const std::string& name, const std::string& path) {
  std::array<char, 4096> target{};
  const ssize_t length = ::readlinkat(dir, name.c_str(), target.data(), target.size());
  if (length < 0 && errno == ENOENT) return std::nullopt;
  if (length < 0) return fail_errno("reading", path + "/" + name);
  const auto words = split_words({target.data(), static_cast<std::size_t>(length)}, " ");
  const auto jails = words.begin() + std::min(std::ssize(words), kEntryWords);
  Batch batch;
  batch.entry = fmt::format("{}", fmt::join(words.begin(), jails, " "));
  batch.jails.assign(jails, words.end());
  return batch;
}

/// All links; one that lost its last jail is there as long as another has some.
Result<std::vector<Batch>> read_links(int dir, const std::string& path) {
  std::vector<Batch> links;
  for (;;) {
    TRY(auto batch, read_link(dir, batch_name(static_cast<unsigned>(links.size())), path));
    if (!batch) return links;
    links.push_back(std::move(*batch));
  }
}

/// From the last on: what a kill leaves is found from the first on, and may be links that have no
/// jail any more.
Result<void> remove_links(int dir, const std::string& path, std::size_t count) {
  for (std::size_t number = count; number > 0; --number) {
    const std::string name = batch_name(static_cast<unsigned>(number - 1));
    CHECK(unlink_file(dir, name, path + "/" + name));
  }
  return {};
}

std::vector<Batch> divide(const JournalEntry& entry, std::span<const std::string> jails) {
  const std::string text = format_journal_entry(entry);
  std::vector<Batch> links;
  std::size_t length = kLinkBytes;
  for (const std::string& jail : jails) {
    if (length + 1 + jail.size() > kLinkBytes) {
      links.push_back({.entry = text, .jails = {}});
      length = text.size();
    }
    links.back().jails.push_back(jail);
    length += 1 + jail.size();
  }
  return links;
}

bool has_jail(const Batch& batch, const std::string& jail) {
  return std::ranges::find(batch.jails, jail) != batch.jails.end();
}

bool has_none(const Batch& batch) { return batch.jails.empty(); }

/// Those that clear different jails change the same links.
Result<Fd> lock_links(int dir, const std::string& path) {
  TRY(Fd own, open_subdir(dir, ".", path));
  while (::flock(own.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno("locking", path);
  }
  return own;
}

/// Without the spare, which is held back for operations that cannot do without an entry.
Result<void> replace_link(int dir, const std::string& path, const std::string& name,
                          const Batch& batch) {
  // One that was cut short.
  CHECK(unlink_file(dir, next, path + "/" + next));
  if (::symlinkat(format_batch(batch).c_str(), dir, next) == 0 &&
      ::renameat(dir, next, dir, name.c_str()) == 0) {
    return {};
  }
  const int code = errno;
  ::unlinkat(dir, next, 0);
  return fail_errno("replacing", path + "/" + name, code);
}

bool is_for_want_of_room(const Error& error) {
  return error.code() == ENOSPC || error.code() == EDQUOT;
}

bool is_deserted(const Batch& batch) {
  return has_none(batch) && parse_journal_entry(batch.entry, "").has_value();
}

/// Nobody is left to clear it.
Result<void> remove_deserted(int dir, const std::string& path) {
  TRY(auto links, read_links(dir, path));
  if (links.empty() || !std::ranges::all_of(links, is_deserted)) return {};
  TRY(const Fd lock, lock_links(dir, path));
  TRY(links, read_links(dir, path));
  if (!std::ranges::all_of(links, is_deserted)) return {};
  return remove_links(dir, path, links.size());
}

}  // namespace

Result<bool> write_batch(int dir, const std::string& path, const JournalEntry& entry,
                         std::span<const std::string> jails) {
  CHECK(remove_deserted(dir, path));
  std::size_t made = 0;
  for (const Batch& batch : divide(entry, jails)) {
    auto done = make_entry(dir, batch_name(static_cast<unsigned>(made)), format_batch(batch), path);
    if (!done) {
      CHECK(remove_links(dir, path, made));
      if (done.error().code() == EEXIST) return false;
      return std::unexpected(std::move(done).error());
    }
    ++made;
  }
  return true;
}

Result<std::optional<JournalEntry>> read_from_batch(int dir, const std::string& path,
                                                    const std::string& jail) {
  TRY(const auto links, read_links(dir, path));
  const auto link =
      std::ranges::find_if(links, [&](const Batch& batch) { return has_jail(batch, jail); });
  if (link == links.end()) return std::nullopt;
  const auto number = static_cast<unsigned>(link - links.begin());
  TRY(JournalEntry entry, parse_journal_entry(link->entry, path + "/" + batch_name(number)));
  return entry;
}

Result<void> clear_from_batch(int dir, const std::string& path,
                              std::span<const std::string> jails) {
  const std::set<std::string_view> leaving(jails.begin(), jails.end());
  const auto leaves = [&](const std::string& jail) { return leaving.contains(jail); };
  TRY(auto links, read_links(dir, path));
  const auto concerned = [&](const Batch& batch) {
    return std::ranges::any_of(batch.jails, leaves);
  };
  if (std::ranges::none_of(links, concerned)) return {};
  TRY(const Fd lock, lock_links(dir, path));
  TRY(links, read_links(dir, path));
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (std::erase_if(links[i].jails, leaves) != 0) changed.push_back(i);
  }
  if (!changed.empty() && std::ranges::all_of(links, has_none)) {
    return remove_links(dir, path, links.size());
  }
  for (const std::size_t i : changed) {
    auto replaced = replace_link(dir, path, batch_name(static_cast<unsigned>(i)), links[i]);
    // Else nothing could be removed from a full volume any more. Whoever comes next looks once more
    // for an inc of the entry's token, and finds none.
    if (!replaced && !is_for_want_of_room(replaced.error())) return replaced;
  }
  return {};
}

}  // namespace evojail
