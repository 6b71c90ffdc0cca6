#include "config/json_lines.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "base/printable.hpp"

namespace evojail {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDepth = 16;

/// Feeds the parser byte by byte and counts lines. The parser reads one byte ahead behind a number,
/// so the line that counts is that of the last byte which is not white space.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* position, unsigned* line) : position_(position), line_(line) {}
  reference operator*() const { return *position_; }
  CountingIterator& operator++() {
    if (*position_ == '\n') {
      ++pending_;
    } else if (*position_ != ' ' && *position_ != '\t' && *position_ != '\r') {
      *line_ += std::exchange(pending_, 0);
    }
    ++position_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return position_ == other.position_; }

 private:
  const char* position_;
  unsigned* line_;
  unsigned pending_ = 0;
};

/// The handler of nlohmann's event parser; its member names and signatures are the library's.
class LineReader {
 public:
  LineReader(std::string_view file, const unsigned* line) : file_(file), line_(line) {}

  bool null() { return value(); }
  bool boolean(bool /*value*/) { return value(); }
  bool number_integer(Json::number_integer_t /*value*/) { return value(); }
  bool number_unsigned(Json::number_unsigned_t /*value*/) { return value(); }
  bool number_float(Json::number_float_t /*value*/, const Json::string_t& /*text*/) {
    return value();
  }
  bool string(Json::string_t& /*value*/) { return value(); }
  bool binary(Json::binary_t& /*value*/) { return value(); }
  bool start_object(std::size_t /*elements*/) { return open(false); }
  bool start_array(std::size_t /*elements*/) { return open(true); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(Json::string_t& name) {
    levels_.back().member = name;
    const std::string here = pointer();
    if (lines_.contains(here)) {
      error_ = fmt::format("{}:{}: {}: the member is there twice, first in line {}", file_, *line_,
                           printable(here), lines_.at(here));
      return false;
    }
    lines_.emplace(here, *line_);
    return true;
  }
  bool parse_error(std::size_t /*position*/, const std::string& token,
                   const nlohmann::detail::exception& /*error*/) {
    // The library writes control characters, and the end, as "<U+000A>".
    const auto readable = std::string_view(token).substr(0, token.find("<U+"));
    error_ = readable.empty()
                 ? fmt::format("{}:{}: no JSON", file_, *line_)
                 : fmt::format("{}:{}: no JSON near '{}'", file_, *line_, printable(readable, 40));
    return false;
  }

  [[nodiscard]] std::optional<std::string>& error() { return error_; }
  [[nodiscard]] JsonLines& lines() { return lines_; }

 private:
  struct Level {
    std::string path;  ///< of the object or array itself
    bool array = false;
    std::size_t next = 0;  ///< index of the next element of an array
    std::string member;    ///< current member of an object
  };

  [[nodiscard]] std::string pointer() const {
    if (levels_.empty()) return {};
    const Level& level = levels_.back();
    return json_pointer(level.path, level.array ? std::to_string(level.next) : level.member);
  }

  bool value() {
    if (levels_.empty() || levels_.back().array) lines_.insert_or_assign(pointer(), *line_);
    if (!levels_.empty() && levels_.back().array) ++levels_.back().next;
    return true;
  }

  bool open(bool array) {
    std::string here = pointer();
    if (levels_.empty() || levels_.back().array) lines_.insert_or_assign(here, *line_);
    if (levels_.size() == kMaxDepth) {
      error_ = fmt::format("{}:{}: nested deeper than {} levels", file_, *line_, kMaxDepth);
      return false;
    }
    levels_.push_back({.path = std::move(here), .array = array, .next = 0, .member = {}});
    return true;
  }

  bool close() {
    levels_.pop_back();
    if (!levels_.empty() && levels_.back().array) ++levels_.back().next;
    return true;
  }

  std::string_view file_;
  const unsigned* line_;
  std::vector<Level> levels_;
  JsonLines lines_;
  std::optional<std::string> error_;
};

}  // namespace

std::string json_pointer(std::string_view parent, std::string_view name) {
  std::string pointer(parent);
  pointer += '/';
  for (const char c : name) {  // RFC 6901, section 3
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

Result<JsonLines> read_json_lines(std::string_view text, std::string_view file) {
  unsigned line = 1;
  LineReader reader(file, &line);
  const char* const begin = text.data();
  const bool valid = Json::sax_parse(CountingIterator(begin, &line),
                                     CountingIterator(begin + text.size(), &line), &reader);
  if (reader.error()) return fail(*std::move(reader.error()));
  if (!valid) return fail(fmt::format("{}:{}: no JSON", file, line));
  return std::move(reader.lines());
}

}  // namespace evojail
