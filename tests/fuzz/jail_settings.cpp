#include "config/jail_settings.hpp"

#include <string>

#include "fuzz.hpp"

// Settings, a byte of zero, and a value that is written into them.
EVOJAIL_FUZZ(jail_settings) {
  const auto end = input.find('\0');
  const std::string_view text = input.substr(0, end);
  const std::string_view value =
      end == std::string_view::npos ? std::string_view("192.0.2.7") : input.substr(end + 1);
  const auto settings = parse_jail_settings(text, "jail.conf");
  if (settings) {
    require(settings->port != 0, "there is a port");
    require(settings->allow_all ? settings->allow.empty() : true, "all stands alone");
    auto allow = edit_jail_settings(text, "jail.conf", "ALLOW", format_allow(*settings));
    require(allow.has_value(), "what is printed can be written");
    const auto again = parse_jail_settings(*allow, "jail.conf");
    require(again && *again == *settings, "writing a value back changes nothing");
  }
  for (const std::string_view key : {"ALLOW", "PORT", "PROFILE", "TMP_SIZE", "MIN_AGE"}) {
    const auto edited = edit_jail_settings(text, "jail.conf", key, value);
    if (!edited) continue;
    const auto after = parse_jail_settings(*edited, "jail.conf");
    require(after.has_value(), "an edit leaves settings that parse");
    if (settings && key == "ALLOW") {
      JailSettings expected = *settings;
      expected.allow = after->allow;
      expected.allow_all = after->allow_all;
      require(*after == expected, "an edit changes one key only");
    }
  }
}
