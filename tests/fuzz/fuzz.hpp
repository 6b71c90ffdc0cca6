#pragma once

#include <string_view>

/// A fuzz target: `EVOJAIL_FUZZ(NAME) { … input … }` in NAME.cpp. It feeds `input` to a parser and
/// calls require() on what must then hold; a crash, a sanitizer's report or a broken requirement is
/// a finding. Whatever was found becomes a file in corpus/NAME, which every test run replays.
#define EVOJAIL_FUZZ(name)                  \
  namespace evojail::fuzz {                 \
  void fuzz_##name(std::string_view input); \
  }                                         \
  void evojail::fuzz::fuzz_##name([[maybe_unused]] std::string_view input)

namespace evojail::fuzz {

/// Ends the process with a message where `holds` is false.
void require(bool holds, std::string_view what);

}  // namespace evojail::fuzz
