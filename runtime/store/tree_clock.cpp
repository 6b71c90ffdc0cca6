#include "store/tree_clock.hpp"

#include <fmt/format.h>
#include <time.h>

#include <charconv>

#include "base/file.hpp"
#include "base/parse.hpp"

namespace evojail {
namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

TreeMoment TreeMoment::now() {
  const auto real = read_clock(CLOCK_REALTIME);
  const auto boot = read_clock(CLOCK_BOOTTIME);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(real);
  return {.real = TreeTime(seconds.count(), static_cast<std::uint32_t>((real - seconds).count())),
          .offset = real - boot};
}

bool steady(const TreeMoment& begin, const TreeMoment& end) {
  return std::chrono::abs(end.offset - begin.offset) < std::chrono::seconds(1);
}

TreeTime seconds_before(const TreeTime& time, std::int64_t seconds) {
  return {time.seconds - seconds, time.nanoseconds};
}

Result<BootId> boot_id() {
  const std::string path = "/proc/sys/kernel/random/boot_id";
  TRY(const std::string text, read_file(path, 64));
  const auto id = parse_boot_id(trim(text));
  if (!id) return fail("reading '" + path + "': it holds no UUID");
  return *id;
}

std::optional<BootId> parse_boot_id(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '-') digits += c;
  }
  BootId id{};
  if (digits.size() != 2 * id.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.size(); ++i) {
    unsigned value = 0;
    const char* pair = digits.data() + 2 * i;
    if (std::from_chars(pair, pair + 2, value, 16).ptr != pair + 2) return std::nullopt;
    id[i] = static_cast<std::byte>(value);
  }
  return id;
}

std::string format_boot_id(const BootId& id) {
  std::string text;
  for (const std::byte byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace evojail
