#include "cli/arguments.hpp"

namespace evojail {

void Arguments::word(std::string_view name, std::string& value, std::string_view help) {
  entries_.push_back({name, {}, help, &value});
}

void Arguments::optional_word(std::string_view name, std::optional<std::string>& value,
                              std::string_view help) {
  entries_.push_back({name, {}, help, &value});
}

void Arguments::words(std::string_view name, std::vector<std::string>& values,
                      std::string_view help) {
  entries_.push_back({name, {}, help, &values});
}

void Arguments::flag(std::string_view names, bool& value, std::string_view help) {
  entries_.push_back({names, {}, help, &value});
}

void Arguments::option(std::string_view names, std::string_view value_name,
                       std::optional<std::string>& value, std::string_view help) {
  entries_.push_back({names, value_name, help, &value});
}

void Arguments::example(std::string_view line, std::string_view what) {
  examples_.push_back({line, what});
}

void Arguments::note(std::string_view text) { notes_.push_back(text); }

}  // namespace evojail
