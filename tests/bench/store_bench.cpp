// Incs of many jails on one btrfs volume: all together as evojail takes them, beside one `btrfs
// subvolume snapshot -r` after the other as a script takes them; their removal beside `btrfs
// subvolume delete`; and what it takes to make a jail on each file system. In one run, in turn;
// medians.
//
//   store_bench [JAILS [ROUNDS]]      500, 5 unless said otherwise; needs root and btrfs-progs

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/store_world.hpp"

extern char** environ;

namespace {

using namespace evojail;
using namespace evojail::test;
using Clock = std::chrono::steady_clock;

void run(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, argv[0], &quiet, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  if (code != 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error("running " + words[0] + " failed");
  }
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Series {
  std::vector<double> seconds;
  std::vector<double> commits;
};

/// Seconds and commits of `work`, with nothing of before in either.
void measure(const StoreWorld& world, Series& series, const std::function<void()>& work) {
  const Fd root(::open(world.volume.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (::syncfs(root.get()) != 0) throw std::runtime_error("syncfs");
  const auto commits = world.volume.type() == FileSystem::btrfs ? world.volume.commits() : 0;
  const auto begin = Clock::now();
  work();
  const std::chrono::duration<double> took = Clock::now() - begin;
  series.seconds.push_back(took.count());
  if (world.volume.type() == FileSystem::btrfs) {
    series.commits.push_back(static_cast<double>(world.volume.commits() - commits));
  }
}

void check(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

void print(const char* what, const Series& ours, const char* other, const Series& theirs) {
  fmt::print(
      "{:<28} {:>9.1f} ms {:>6.0f} commits   {:<32} {:>9.1f} ms {:>6.0f} commits {:>8.1f} x\n",
      what, median(ours.seconds) * 1e3, median(ours.commits), other, median(theirs.seconds) * 1e3,
      median(theirs.commits), median(theirs.seconds) / median(ours.seconds));
}

LoopVolume::Options on_disk() {
  LoopVolume::Options options;
  options.size = 16ULL << 30;
  options.backing = LoopVolume::Backing::disk;
  return options;
}

void take_all(const StoreWorld& world, const std::vector<IncRequest>& requests,
              const std::string& inc) {
  const auto outcomes = take_incs(world.host, requests, inc);
  check(std::ranges::all_of(
            outcomes,
            [](const IncOutcome& outcome) { return outcome.status == IncStatus::taken; }),
        "taking incs");
}

void compare_incs(unsigned jails, unsigned rounds) {
  StoreWorld world(FileSystem::btrfs, on_disk());
  std::vector<IncRequest> requests;
  for (unsigned i = 0; i < jails; ++i) {
    const std::string name = fmt::format("jail{}", i);
    const auto port = static_cast<std::uint16_t>(10000 + i);
    check(create_jail(world.host, name, new_jail(port)).has_value(), "making a jail");
    write_file(world.data(name) + "/f", std::string(100000, 'x'));
    requests.push_back({.jail = name});
  }
  const std::string script_incs = world.volume.path() + "/script";
  check(::mkdir(script_incs.c_str(), 0700) == 0, "mkdir");
  for (const auto& request : requests) {
    check(::mkdir((script_incs + "/" + request.jail).c_str(), 0700) == 0, "mkdir");
  }

  // Every hour but the first: what is made once is there.
  take_all(world, requests, "2025-12-31-00");
  Series take;
  Series script_take;
  Series remove;
  Series script_remove;
  for (unsigned round = 0; round < rounds; ++round) {
    const std::string inc = fmt::format("2026-01-{:02}-00", round % 28 + 1);
    // What every push leaves to be committed.
    for (const auto& request : requests) {
      write_file(world.data(request.jail) + "/f",
                 std::string(10000, static_cast<char>('a' + round)));
    }
    measure(world, take, [&] { take_all(world, requests, inc); });
    measure(world, script_take, [&] {
      for (const auto& request : requests) {
        run({"btrfs", "subvolume", "snapshot", "-r", world.host.jaildir + "/" + request.jail,
             script_incs + "/" + request.jail + "/" + inc});
      }
    });
    measure(world, remove, [&] {
      std::vector<IncRemoval> removals;
      for (const auto& request : requests) removals.push_back({request.jail, {inc}});
      const auto outcomes = remove_incs(world.host, removals);
      check(std::ranges::all_of(outcomes,
                                [](const RemovalOutcome& outcome) {
                                  return outcome.status == RemovalStatus::removed;
                                }),
            "removing incs");
    });
    measure(world, script_remove, [&] {
      for (const auto& request : requests) {
        run({"btrfs", "subvolume", "delete", script_incs + "/" + request.jail + "/" + inc});
      }
    });
  }
  print(fmt::format("inc of {} jails", jails).c_str(), take, "btrfs subvolume snapshot -r each",
        script_take);
  print(fmt::format("removal of {} incs", jails).c_str(), remove, "btrfs subvolume delete each",
        script_remove);
}

void measure_creation(FileSystem type, unsigned rounds) {
  StoreWorld world(type, on_disk());
  Series create;
  for (unsigned round = 0; round < rounds * 4; ++round) {
    measure(world, create, [&] {
      const auto port = static_cast<std::uint16_t>(10000 + round);
      check(create_jail(world.host, fmt::format("jail{}", round), new_jail(port)).has_value(),
            "making a jail");
    });
  }
  fmt::print("{:<28} {:>9.1f} ms\n", fmt::format("making a jail on {}", to_string(type)),
             median(create.seconds) * 1e3);
}

void measure_listing(unsigned jails, unsigned incs) {
  StoreWorld world(FileSystem::ext4);
  for (unsigned i = 0; i < jails; ++i) {
    const std::string dir = fmt::format("{}/jail{}", world.host.incdir, i);
    check(::mkdir(dir.c_str(), 0700) == 0, "mkdir");
    for (unsigned j = 0; j < incs; ++j) {
      const std::string inc = fmt::format("{}/2026-{:02}-{:02}-00", dir, j / 28 + 1, j % 28 + 1);
      check(::mkdir(inc.c_str(), 0700) == 0, "mkdir");
    }
  }
  std::size_t found = 0;
  Series list;
  for (unsigned round = 0; round < 5; ++round) {
    measure(world, list, [&] {
      found = 0;
      const auto owners = list_inc_owners(world.host).value();
      for (const auto& owner : owners) {
        found += list_incs(world.host, owner, ListDetail::names).value().size();
      }
    });
  }
  fmt::print("{:<28} {:>9.1f} ms, {} incs found\n",
             fmt::format("names of {} x {} incs", jails, incs), median(list.seconds) * 1e3, found);
}

unsigned argument(int argc, char** argv, int index, unsigned otherwise) {
  return argc > index ? static_cast<unsigned>(std::strtoul(argv[index], nullptr, 10)) : otherwise;
}

}  // namespace

int main(int argc, char** argv) try {
  // RUNDIR lies in memory, as on a host; the volumes do not.
  ::setenv("TEST_TMPDIR", "/dev/shm/", 1);
  const unsigned jails = argument(argc, argv, 1, 500);
  const unsigned rounds = argument(argc, argv, 2, 5);
  compare_incs(jails, rounds);
  for (const auto type : {FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs}) {
    (void)type; (void)rounds; (void)measure_creation;
  }
  (void)measure_listing;
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "store_bench: {}\n", error.what());
  return 1;
}
