#include "config/profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <string_view>

namespace evojail {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kSmall = R"({
  "description": "A small one.",
  "defaultAction": "SCMP_ACT_ERRNO",
  "defaultErrnoRet": 1,
  "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
  "newestSyscall": "set_mempolicy_home_node",
  "capabilities": [
    {"name": "CAP_CHOWN", "comment": "Owners."}
  ],
  "programs": ["sh", "rsync"],
  "limits": [
    {"type": "RLIMIT_CORE", "hard": 1, "comment": "No core."}
  ],
  "mounts": {
    "base": ["ro", "nosuid", "nodev"],
    "data": ["nosuid", "nodev", "noexec"],
    "var": ["nosuid", "nodev", "noexec", "noatime"],
    "tmp": ["nosuid", "nodev", "noexec"],
    "run": ["nosuid", "nodev", "noexec", "nosymfollow"]
  },
  "syscalls": [
    {
      "comment": "Reading.",
      "names": ["read",
        "readv"],
      "action": "SCMP_ACT_ALLOW"
    },
    {
      "comment": "TCGETS.",
      "names": ["ioctl"],
      "action": "SCMP_ACT_ALLOW",
      "args": [
        {"index": 1, "value": 4294967295, "valueTwo": 21505, "op": "SCMP_CMP_MASKED_EQ"}
      ]
    },
    {
      "comment": "No sockets.",
      "names": ["socket"],
      "action": "SCMP_ACT_ERRNO",
      "errnoRet": 97
    }
  ]
}
)";

/// kSmall with the first `from` replaced; a test that replaces nothing is broken.
std::string changed(std::string_view from, std::string_view to) {
  std::string text(kSmall);
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

std::string error_of(const std::string& text) {
  const auto profile = parse_profile(text, "p.json");
  return profile ? "" : profile.error().message();
}

TEST(ParseProfile, ReadsEveryMember) {
  const auto profile = parse_profile(kSmall, "p.json");
  ASSERT_TRUE(profile) << profile.error().message();
  EXPECT_EQ(profile->file, "p.json");
  EXPECT_EQ(profile->description, "A small one.");
  EXPECT_EQ(profile->default_action, SeccompAction::error);
  EXPECT_EQ(profile->default_error, 1);
  EXPECT_THAT(profile->architectures, ElementsAre(Architecture::x86_64, Architecture::aarch64));
  EXPECT_EQ(profile->newest_syscall.name, "set_mempolicy_home_node");
  EXPECT_THAT(profile->capabilities, ElementsAre(Field(&ProfileCapability::name, "CAP_CHOWN")));
  EXPECT_THAT(profile->programs, ElementsAre(Field(&ProfileProgram::name, "sh"),
                                             Field(&ProfileProgram::name, "rsync")));
  ASSERT_EQ(profile->limits.size(), 1U);
  EXPECT_EQ(profile->limits[0].resource, RLIMIT_CORE);
  EXPECT_EQ(profile->limits[0].value, 1U);
  EXPECT_TRUE(profile->mounts.base.readonly);
  EXPECT_FALSE(profile->mounts.base.noexec);
  EXPECT_TRUE(profile->mounts.var.noatime);
  EXPECT_FALSE(profile->mounts.data.noatime);
  EXPECT_TRUE(profile->mounts.run.nosymfollow);

  ASSERT_EQ(profile->syscalls.size(), 3U);
  const SyscallGroup& reading = profile->syscalls[0];
  EXPECT_EQ(reading.comment, "Reading.");
  EXPECT_EQ(reading.action, SeccompAction::allow);
  EXPECT_THAT(reading.names,
              ElementsAre(Field(&SyscallName::name, "read"), Field(&SyscallName::name, "readv")));
  const SyscallGroup& terminal = profile->syscalls[1];
  ASSERT_EQ(terminal.arguments.size(), 1U);
  EXPECT_EQ(terminal.arguments[0],
            (SeccompArgument{1, SeccompOperator::masked_equal, 0xffffffff, 0x5401}));
  EXPECT_EQ(profile->syscalls[2].error, 97);
}

TEST(ParseProfile, KnowsTheLines) {
  const auto profile = parse_profile(kSmall, "p.json");
  ASSERT_TRUE(profile) << profile.error().message();
  EXPECT_EQ(profile->newest_syscall.line, 6U);
  EXPECT_EQ(profile->capabilities[0].line, 8U);
  EXPECT_EQ(profile->syscalls[0].line, 22U);
  EXPECT_EQ(profile->syscalls[0].names[0].line, 24U);
  EXPECT_EQ(profile->syscalls[0].names[1].line, 25U);
}

struct Refusal {
  const char* name;
  std::string text;
  const char* message;
};

class RefusedProfile : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedProfile, SaysWhereAndWhy) {
  EXPECT_EQ(error_of(GetParam().text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Profile, RefusedProfile,
    testing::Values(
        Refusal{"UnknownMember", changed("\"programs\"", "\"program\""),
                "p.json:10: /program: unknown member; known are description, defaultAction, "
                "defaultErrnoRet, architectures, newestSyscall, capabilities, programs, limits, "
                "mounts, syscalls"},
        Refusal{"UnknownMemberOfAGroup",
                changed("\"errnoRet\": 97", "\"errnoRet\": 97,\n      \"excludes\": {}"),
                "p.json:41: /syscalls/2/excludes: unknown member; known are comment, names, "
                "action, errnoRet, args"},
        Refusal{"MissingMember", changed("  \"description\": \"A small one.\",\n", ""),
                "p.json:1: the member \"description\" is missing"},
        Refusal{"MissingReason", changed("      \"comment\": \"TCGETS.\",\n", ""),
                "p.json:28: /syscalls/1: the member \"comment\" is missing"},
        Refusal{"EmptyReason", changed("\"TCGETS.\"", "\"\""),
                "p.json:29: /syscalls/1/comment: one line of text is expected"},
        Refusal{"ReasonOfTwoLines", changed("TCGETS.", "TC\\nGETS"),
                "p.json:29: /syscalls/1/comment: one line of text is expected"},
        Refusal{"TwiceTheSameMember",
                changed("\"action\": \"SCMP_ACT_ALLOW\"\n",
                        "\"action\": \"SCMP_ACT_ERRNO\",\n"
                        "      \"action\": \"SCMP_ACT_ALLOW\"\n"),
                "p.json:27: /syscalls/0/action: the member is there twice, first in line 26"},
        Refusal{"DefaultThatAllows", changed("SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"),
                "p.json:3: /defaultAction: one of SCMP_ACT_ERRNO, SCMP_ACT_KILL_PROCESS, "
                "SCMP_ACT_TRAP is expected"},
        Refusal{"UnknownAction", changed("SCMP_ACT_ALLOW", "SCMP_ACT_NOTIFY"),
                "p.json:26: /syscalls/0/action: one of SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, "
                "SCMP_ACT_KILL_PROCESS, SCMP_ACT_TRAP, SCMP_ACT_LOG is expected"},
        Refusal{"UnknownArchitecture", changed("SCMP_ARCH_AARCH64", "SCMP_ARCH_X86"),
                "p.json:5: /architectures/1: one of SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64 is "
                "expected"},
        Refusal{"ErrnoOfAnAllowedCall",
                changed("\"action\": \"SCMP_ACT_ALLOW\"\n",
                        "\"action\": \"SCMP_ACT_ALLOW\", \"errnoRet\": 1\n"),
                "p.json:26: /syscalls/0/errnoRet: only SCMP_ACT_ERRNO returns an errno"},
        Refusal{"ErrnoThatIsNone", changed("97", "4095"),
                "p.json:40: /syscalls/2/errnoRet: a whole number from 1 to 4094 is expected"},
        Refusal{"ErrnoZero", changed("97", "0"),
                "p.json:40: /syscalls/2/errnoRet: a whole number from 1 to 4094 is expected"},
        Refusal{"ArgumentThatIsNone", changed("\"index\": 1", "\"index\": 6"),
                "p.json:33: /syscalls/1/args/0/index: a whole number from 0 to 5 is expected"},
        Refusal{"NegativeValue", changed("4294967295", "-1"),
                "p.json:33: /syscalls/1/args/0/value: a whole number from 0 to "
                "18446744073709551615 is expected"},
        Refusal{"FloatingValue", changed("4294967295", "1.0"),
                "p.json:33: /syscalls/1/args/0/value: a whole number from 0 to "
                "18446744073709551615 is expected"},
        Refusal{"MaskWithoutValue", changed(" \"valueTwo\": 21505,", ""),
                "p.json:33: /syscalls/1/args/0: SCMP_CMP_MASKED_EQ needs \"value\" (the mask) and "
                "\"valueTwo\""},
        Refusal{"MaskThatNeverMatches", changed("4294967295", "255"),
                "p.json:33: /syscalls/1/args/0/valueTwo: has bits outside the mask in \"value\", "
                "so it can never match"},
        Refusal{"SecondValueUnused", changed("SCMP_CMP_MASKED_EQ", "SCMP_CMP_EQ"),
                "p.json:33: /syscalls/1/args/0/valueTwo: only SCMP_CMP_MASKED_EQ takes a second "
                "value"},
        Refusal{"UnknownOperator", changed("SCMP_CMP_MASKED_EQ", "SCMP_CMP_ANY"),
                "p.json:33: /syscalls/1/args/0/op: one of SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, "
                "SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ is expected"},
        Refusal{"SameArgumentTwice",
                changed("\"SCMP_CMP_MASKED_EQ\"}",
                        "\"SCMP_CMP_MASKED_EQ\"},\n        {\"index\": 1, \"value\": 2, \"op\": "
                        "\"SCMP_CMP_EQ\"}"),
                "p.json:34: /syscalls/1/args/1: the argument is already compared in this group; "
                "alternatives are groups of their own"},
        Refusal{"CallNamedTwice", changed("\"socket\"", "\"read\""),
                "p.json:38: 'read' is already named in line 24, and one of the two has no "
                "conditions"},
        Refusal{"CallTwiceInAGroup", changed("\"readv\"", "\"read\""),
                "p.json:25: 'read' is already named in line 24, and one of the two has no "
                "conditions"},
        Refusal{"ConditionsSwallowed", changed("\"socket\"", "\"ioctl\""),
                "p.json:38: 'ioctl' is already named in line 30, and one of the two has no "
                "conditions"},
        Refusal{"NameWithANul", changed("\"socket\"", "\"socket\\u0000\""),
                "p.json:38: /syscalls/2/names/0: the name of a system call is expected"},
        Refusal{"NoNames", changed("[\"socket\"]", "[]"),
                "p.json:38: /syscalls/2/names: at least one system call is expected"},
        Refusal{"CapabilityThatIsNone", changed("CAP_CHOWN", "CHOWN"),
                "p.json:8: /capabilities/0/name: a capability such as CAP_CHOWN is expected"},
        Refusal{"ProgramWithAPath", changed("\"rsync\"", "\"/bin/rsync\""),
                "p.json:10: /programs/1: the file name of a program is expected"},
        Refusal{"ProgramTwice", changed("\"rsync\"", "\"sh\""),
                "p.json:10: /programs/1: the program is there twice"},
        Refusal{"UnknownLimit", changed("RLIMIT_CORE", "RLIMIT_KORE"),
                "p.json:12: /limits/0/type: one of RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, "
                "RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, "
                "RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RTPRIO, RLIMIT_RTTIME, "
                "RLIMIT_SIGPENDING, RLIMIT_STACK is expected"},
        Refusal{"MountFlagTakenAway",
                changed("\"data\": [\"nosuid\", \"nodev\", \"noexec\"]",
                        "\"data\": [\"nosuid\", \"nodev\"]"),
                "p.json:16: /mounts/data: \"noexec\" is missing, which no profile can take away"},
        Refusal{"BaseImageWritable", changed("\"ro\", ", ""),
                "p.json:15: /mounts/base: \"ro\" is missing, which no profile can take away"},
        Refusal{"BaseImageNoexec", changed("\"ro\", ", "\"ro\", \"noexec\", "),
                "p.json:14: /mounts: with \"noexec\" on the base image no program runs"},
        Refusal{"NoObject", "[]", "p.json:1: an object is expected"},
        Refusal{"WrongType", changed("[\"sh\", \"rsync\"]", "\"sh\""),
                "p.json:10: /programs: an array is expected"}),
    [](const auto& test) { return test.param.name; });

TEST(ParseProfile, NamesTheLineOfASyntaxError) {
  EXPECT_THAT(error_of(changed("\"limits\": [", "\"limits\": [,")),
              StartsWith("p.json:11: no JSON"));
  EXPECT_THAT(error_of(""), StartsWith("p.json:1: no JSON"));
  EXPECT_EQ(error_of("{\n"), "p.json:1: no JSON near '{'");
  EXPECT_THAT(error_of("{\n\n\"a\": \"\x1b[2J\"}"), StartsWith("p.json:3: no JSON"));
  EXPECT_THAT(error_of("{\n\n\"a\": \"\x1b[2J\"}"), testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(error_of(std::string(kSmall) + "{}"), StartsWith("p.json:44: no JSON"));
}

TEST(ParseProfile, RefusesDeepNesting) {
  EXPECT_EQ(error_of(std::string(100'000, '[')), "p.json:1: nested deeper than 16 levels");
}

TEST(ParseProfile, ShowsNoControlCharactersOfAMember) {
  const std::string message = error_of(changed("\"programs\"", "\"\\u001b[2J/~\""));
  EXPECT_THAT(message, StartsWith("p.json:10: /\\x1b[2J~1~0: unknown member"));
}

}  // namespace
}  // namespace evojail
