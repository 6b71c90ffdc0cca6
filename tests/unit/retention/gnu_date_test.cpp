// Policy lines against the real date(1), tens of thousands of them.
#include "gnu_date.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <set>

#include "config/jail_name.hpp"
#include "retention/calendar.hpp"
#include "retention/date.hpp"
#include "retention/decide.hpp"

namespace evojail {
namespace {

using test::ask_date;
using test::use_zone;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kEnd = 4'133'894'400;  // 2101-01-01

/// Zones that are known to skip or repeat midnights, or whole days; on top of a sample of all
/// others.
const std::vector<std::string> kOddZones = {"America/Sao_Paulo",
                                            "America/Asuncion",
                                            "America/Havana",
                                            "America/Santiago",
                                            "America/Scoresbysund",
                                            "Atlantic/Azores",
                                            "Asia/Beirut",
                                            "Asia/Amman",
                                            "Asia/Tehran",
                                            "Africa/Cairo",
                                            "Africa/Casablanca",
                                            "Pacific/Apia",
                                            "Pacific/Kwajalein",
                                            "Pacific/Kiritimati",
                                            "Pacific/Kanton",
                                            "Antarctica/Troll",
                                            "Australia/Lord_Howe",
                                            "Europe/Dublin",
                                            "Europe/Paris",
                                            "America/New_York",
                                            "Asia/Kathmandu",
                                            "Africa/Monrovia",
                                            "UTC",
                                            "Asia/Gaza",
                                            "XXX-3:30:15",
                                            "EST5EDT,M3.2.0/0,M11.1.0/1"};

std::vector<std::string> all_zones() {
  std::vector<std::string> zones = kOddZones;
  std::ifstream table("/usr/share/zoneinfo/zone1970.tab");
  std::string line;
  for (std::size_t i = 0; std::getline(table, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto begin = line.find('\t', line.find('\t') + 1) + 1;
    if (i++ % 10 == 0) zones.push_back(line.substr(begin, line.find('\t', begin) - begin));
  }
  return zones;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  bool one_in(std::int64_t n) { return between(1, n) == 1; }
  template <class T>
  const T& pick(const std::vector<T>& values) {
    return values[static_cast<std::size_t>(between(0, std::ssize(values) - 1))];
  }

 private:
  std::mt19937_64 engine_;
};

/// Days since the epoch on which, or the day before which, the clocks of the zone were changed.
std::vector<std::int64_t> days_of_change(const Zone& zone) {
  std::vector<std::int64_t> days;
  std::int32_t before = zone(0).seconds_east;
  for (std::int64_t day = 0; day < kEnd / kDay; ++day) {
    const std::int32_t offset = zone(day * kDay).seconds_east;
    if (offset != before) days.push_back(day);
    before = offset;
  }
  return days;
}

Jump random_jump(Dice& dice) {
  const auto unit = static_cast<Jump::Unit>(dice.between(0, 3));
  if (dice.one_in(50)) return {.count = dice.between(-3'000'000'000, 3'000'000'000), .unit = unit};
  if (dice.one_in(10)) return {.count = dice.between(-5000, 5000), .unit = unit};
  return {.count = dice.between(-40, 15), .unit = unit};
}

std::string jump_text(const Jump& jump, Dice& dice) {
  const std::vector<std::string> units = {"day", "week", "month", "year"};
  return (jump.count >= 0 ? "+" : "") + std::to_string(jump.count) +
         units[static_cast<std::size_t>(jump.unit)] + (dice.one_in(3) ? "s" : "");
}

/// Formats whose references are dates whatever the day on which date(1) is asked.
std::string dated_format(Dice& dice) {
  static const std::vector<std::string> kFormats = {
      "%Y-%m-%d",   "%Y-%m-%d",  "%Y-%m-01",      "%Y-%m-15",    "%Y-%m-31",   "%Y-%m-29",
      "%Y-01-01",   "%Y-12-31",  "%Y-02-29",      "%Y%m%d",      "%Y%m01",     "%Y-%m",
      "%Y-01",      "%Y-%m-%d-", "%Y--%m-%d",     "%Y-%m-%d-%d", "2026-%m-%d", "1999-12-31",
      "%m%d%Y",     "%d-%m-%Y",  "%m-%d",         "%d-%d-%d",    "-%d",        "1%Y-%m-%d",
      "%Y%Y-%m-%d", "%Y-%m-0%d", "99999999999%Y", "%Y0101",      "%m%m%m"};
  if (!dice.one_in(5)) return dice.pick(kFormats);
  static const std::vector<std::string> kPieces = {"%Y", "%m", "%d", "-", "0", "1", "2", "9"};
  std::string format;
  for (std::int64_t i = dice.between(3, 9); i > 0; --i) format += dice.pick(kPieces);
  return format;
}

/// Whether date(1) reads the reference without regard to the day on which it is asked.
bool is_dated(const std::string& reference) {
  const auto first = reference.find_first_not_of('-');
  if (first == std::string::npos) return false;
  const auto end = std::min(reference.find('-', first), reference.size());
  return end - first > 4 || reference.find_first_not_of('-', end) != std::string::npos;
}

std::string answer(const std::string& reference, const Jump& jump, const LocalTime& now,
                   const Zone& zone) {
  const auto date = resolve_date(reference, jump, now, zone);
  return date ? to_string(*date) : "rejected";
}

std::string answer(const std::optional<std::string>& date) { return date.value_or("rejected"); }

TEST(GnuDate, AgreesOnEveryDatedReference) {
  Dice dice(20260322);
  std::size_t asked = 0;
  std::size_t rejected = 0;
  for (const std::string& name : all_zones()) {
    const Zone zone = use_zone(name);
    const std::vector<std::int64_t> changes = days_of_change(zone);
    std::vector<std::string> texts;
    std::vector<std::string> ours;
    while (texts.size() < 1500) {
      std::int64_t now = dice.between(0, kEnd);
      const Jump jump = random_jump(dice);
      if (!changes.empty() && dice.one_in(2)) {
        // The day on which the jump ends, or from which it starts, is one of change.
        const std::int64_t back = dice.one_in(2) && jump.unit == Jump::Unit::day ? jump.count : 0;
        now = (dice.pick(changes) - back + dice.between(-1, 1)) * kDay + dice.between(0, kDay - 1);
      }
      if (now < 0 || now >= kEnd) continue;
      const LocalTime local = to_local(now, zone);
      const std::string reference = format_date(dated_format(dice), local.date);
      if (!is_dated(reference)) continue;
      texts.push_back(reference + " " + jump_text(jump, dice));
      ours.push_back(answer(reference, jump, local, zone));
    }
    const auto theirs = ask_date(0, texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ++asked;
      if (!theirs[i]) ++rejected;
      EXPECT_EQ(ours[i], answer(theirs[i])) << name << ": " << texts[i];
    }
  }
  EXPECT_GT(asked, 80'000U);
  EXPECT_GT(rejected, asked / 20) << "rejections were hardly tried";
  RecordProperty("asked", static_cast<int>(asked));
  RecordProperty("rejected", static_cast<int>(rejected));
}

/// Days whose midnight the clocks of the zone skip, or show twice.
std::vector<CivilDate> odd_midnights(const Zone& zone, const std::vector<std::int64_t>& changes) {
  std::set<CivilDate> odd;
  for (const std::int64_t change : changes) {
    for (std::int64_t day = change - 2; day <= change + 2; ++day) {
      std::size_t shown = 0;
      std::set<std::int32_t> offsets;
      for (std::int64_t hour = -36; hour <= 36; ++hour) {
        offsets.insert(zone(day * kDay + hour * 3600).seconds_east);
      }
      for (const std::int32_t offset : offsets) {
        if (zone(day * kDay - offset).seconds_east == offset) ++shown;
      }
      if (shown != 1) odd.insert(from_days(day));
    }
  }
  return {odd.begin(), odd.end()};
}

TEST(GnuDate, AgreesAroundEveryOddMidnight) {
  const std::vector<std::pair<std::string, std::int64_t>> kJumps = {
      {"-0day", 0},   {"-1day", -1},   {"+1day", 1},
      {"-1week", -7}, {"+2weeks", 14}, {"-400days", -400}};
  std::size_t asked = 0;
  for (const std::string& name : all_zones()) {
    const Zone zone = use_zone(name);
    std::vector<std::string> texts;
    std::vector<std::string> ours;
    for (const CivilDate& day : odd_midnights(zone, days_of_change(zone))) {
      for (const auto& [text, days] : kJumps) {
        const std::string start = to_string(from_days(to_days(day) - days));
        texts.push_back(start + " " + text);
        ours.push_back(answer(start, {.count = days}, {}, zone));
      }
      for (const int months : {-13, -1, 1, 12}) {
        CivilDate start = day;
        const std::int64_t month = day.year * 12 + day.month - 1 - months;
        start.year = month / 12;
        start.month = static_cast<unsigned>(month % 12) + 1;
        const Jump jump{.count = months, .unit = Jump::Unit::month};
        texts.push_back(to_string(start) + (months > 0 ? " +" : " ") + std::to_string(months) +
                        "month");
        ours.push_back(answer(to_string(start), jump, {}, zone));
      }
    }
    const auto theirs = ask_date(0, texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ++asked;
      EXPECT_EQ(ours[i], answer(theirs[i])) << name << ": " << texts[i];
    }
  }
  EXPECT_GT(asked, 5'000U);
  RecordProperty("asked", static_cast<int>(asked));
}

TEST(GnuDate, AgreesOnToday) {
  Dice dice(7);
  for (const std::string& name : all_zones()) {
    const Zone zone = use_zone(name);
    std::vector<std::string> texts;
    std::vector<std::string> ours;
    for (const std::int64_t day : days_of_change(zone)) {
      const std::int64_t now = day * kDay + dice.between(-kDay, kDay);
      texts.push_back("@" + std::to_string(now));
      ours.push_back(to_string(to_local(now, zone).date));
    }
    const auto theirs = ask_date(0, texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(ours[i], answer(theirs[i])) << name << ": " << texts[i];
    }
  }
}

TEST(GnuDate, AgreesOnReferencesThatAreTimesOfDay) {
  static const std::vector<std::string> kFormats = {
      "",     "-", "--", "%Y", "%m", "%d",  "%m%d", "%d%m", "0",   "00",
      "0000", "1", "12", "23", "24", "959", "1260", "2359", "%d-", "%Y-"};
  Dice dice(11);
  std::size_t asked = 0;
  for (const std::string& name : kOddZones) {
    const Zone zone = use_zone(name);
    const std::vector<std::int64_t> changes = days_of_change(zone);
    for (int round = 0; round < 6; ++round) {
      const bool at_change = !changes.empty() && round % 2 == 0;
      const std::int64_t now =
          at_change ? dice.pick(changes) * kDay + dice.between(-kDay, kDay) : dice.between(0, kEnd);
      if (now < 0) continue;
      const LocalTime local = to_local(now, zone);
      std::vector<std::string> texts;
      std::vector<std::string> ours;
      for (const std::string& format : kFormats) {
        const Jump jump = random_jump(dice);
        const std::string reference = format_date(format, local.date);
        texts.push_back(reference + " " + jump_text(jump, dice));
        ours.push_back(answer(reference, jump, local, zone));
      }
      const auto theirs = ask_date(now, texts);
      for (std::size_t i = 0; i < texts.size(); ++i) {
        ++asked;
        EXPECT_EQ(ours[i], answer(theirs[i])) << name << " at " << now << ": " << texts[i];
      }
    }
  }
  EXPECT_GT(asked, 2500U);
}

/// A line that the parser refuses for its form is one that date(1) rejects on every day.
TEST(GnuDate, RejectsWhatTheParserRefuses) {
  use_zone("UTC");
  Dice dice(13);
  std::set<std::string> refused;
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) {
    const std::string format = dated_format(dice);
    const Jump jump = random_jump(dice);
    if (date_takes(format, jump)) continue;
    refused.insert(format);
    for (const CivilDate day :
         {CivilDate{2001, 1, 1}, {2026, 3, 22}, {2024, 2, 29}, {2099, 12, 31}}) {
      texts.push_back(format_date(format, day) + " " + jump_text(jump, dice));
    }
  }
  EXPECT_GT(refused.size(), 50U);
  const auto theirs = ask_date(0, texts);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_FALSE(theirs[i]) << texts[i];
}

std::string random_policy(Dice& dice) {
  std::string policy = "# of a test\n\n";
  for (std::int64_t line = dice.between(1, 6); line > 0; --line) {
    const std::string format =
        dice.one_in(6)
            ? dated_format(dice)
            : "%Y-%m-" + dice.pick(std::vector<std::string>{"%d", "%d", "01", "15", "28"});
    policy += "+" + format + "." + jump_text(random_jump(dice), dice) + "\n";
  }
  return policy;
}

std::vector<IncFacts> random_incs(const LocalTime& now, Dice& dice) {
  std::set<std::string> names = {"lost+found", "2020-01-01", "2020-01-01-00.old"};
  for (std::int64_t i = dice.between(5, 60); i > 0; --i) {
    std::int64_t day = to_days(now.date) - dice.between(0, dice.one_in(3) ? 1200 : 70);
    CivilDate date = from_days(day);
    if (dice.one_in(3)) date.day = 1;
    const std::int64_t hour = dice.between(0, 9);
    names.insert(to_string(date) + "-0" + std::to_string(hour));
  }
  std::vector<IncFacts> incs;
  for (const std::string& name : names) incs.push_back({.name = name});
  return incs;
}

/// Whole policies against bkctld's rule, which a script tells by running date and grep.
TEST(GnuDate, PoliciesDecideAsBkctldDoes) {
  constexpr int kPoliciesEach = 12;
  Dice dice(17);
  std::size_t removed = 0;
  std::size_t kept = 0;
  std::size_t refused = 0;
  for (const std::string name : {"UTC", "Europe/Paris", "America/Sao_Paulo", "Pacific/Apia",
                                 "America/Havana", "Asia/Beirut", "America/New_York"}) {
    const Zone zone = use_zone(name);
    const std::vector<std::int64_t> changes = days_of_change(zone);
    const std::int64_t now = changes.empty()
                                 ? dice.between(0, kEnd)
                                 : std::max<std::int64_t>(dice.pick(changes), 1000) * kDay + 43'200;
    Calendar calendar(now, zone);
    const test::TemporaryDirectory dir;
    std::vector<std::string> policies;
    std::vector<std::vector<IncFacts>> incs;
    for (int i = 0; i < kPoliciesEach; ++i) {
      policies.push_back(random_policy(dice));
      incs.push_back(random_incs(to_local(now, zone), dice));
      const std::string base = dir.path() + "/" + std::to_string(i);
      std::ofstream(base + ".policy") << policies.back();
      std::ofstream names(base + ".incs");
      for (const IncFacts& inc : incs.back()) names << inc.name << '\n';
    }
    test::run_at(now, "'" EVOJAIL_BKCTLD_RULE "' '" + dir.path() + "'");
    for (std::size_t i = 0; i < policies.size(); ++i) {
      std::set<std::string> theirs;
      std::ifstream in(dir.path() + "/" + std::to_string(i) + ".removed");
      ASSERT_TRUE(in) << "the script did not get that far";
      for (std::string inc; std::getline(in, inc);) {
        if (is_inc_name(inc)) theirs.insert(inc);
      }
      std::set<std::string> ours;
      const auto policy = parse_policy(policies[i], "incs_policy");
      const auto plan = policy ? decide(incs[i], &*policy, calendar, {})
                               : Result<Plan>(std::unexpected(policy.error()));
      if (!plan) ++refused;
      for (const Verdict& verdict : plan ? plan->verdicts : std::vector<Verdict>{}) {
        if (verdict.removed()) ours.insert(verdict.name);
      }
      removed += ours.size();
      kept += incs[i].size() - ours.size();
      EXPECT_EQ(ours, theirs) << name << " at " << now << ":\n" << policies[i];
    }
  }
  EXPECT_GT(removed, 500U);
  EXPECT_GT(kept, 200U);
  EXPECT_GT(refused, 3U);
}

}  // namespace
}  // namespace evojail
