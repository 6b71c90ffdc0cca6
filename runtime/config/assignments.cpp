#include "config/assignments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/printable.hpp"

namespace evojail {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kForm = "a line is KEY=value, KEY='value', a # comment or blank";

bool is_key_start(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }
bool is_key_char(char c) { return is_key_start(c) || (c >= '0' && c <= '9'); }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

/// Reads one line; every offset is one into the whole text.
class LineReader {
 public:
  LineReader(std::string_view text, std::size_t begin, std::size_t end, std::size_t number,
             std::string_view file, ValueSyntax syntax)
      : text_(text.substr(0, end)), at_(begin), number_(number), file_(file), syntax_(syntax) {
    // A file that passed through another system ends its lines with CR LF.
    if (text_.size() > at_ && text_.back() == '\r') text_.remove_suffix(1);
  }

  Result<std::optional<Assignment>> read() {
    for (std::size_t i = at_; i < text_.size(); ++i) {
      if (is_control(text_[i])) return error("a control character", kForm);
    }
    skip_blanks();
    if (done()) return std::nullopt;
    if (syntax_ == ValueSyntax::shell && text_.substr(at_).starts_with("export ")) {
      at_ += 7;
      skip_blanks();
    }
    Assignment assignment{.line = number_, .key = {}, .value = {}};
    const std::size_t start = at_;
    if (at_ < text_.size() && is_key_start(text_[at_])) {
      while (at_ < text_.size() && is_key_char(text_[at_])) ++at_;
    }
    if (at_ == start || at_ == text_.size() || text_[at_] != '=') {
      return error(fmt::format("'{}' is not KEY=value", printable(text_.substr(start), 40)), kForm);
    }
    assignment.key = text_.substr(start, at_ - start);
    ++at_;
    if (at_ < text_.size() && is_blank(text_[at_])) {
      const std::size_t value = at_;
      skip_blanks();
      if (!done()) return error(fmt::format("a blank behind '{}='", assignment.key), kForm);
      at_ = value;
    }
    CHECK(syntax_ == ValueSyntax::shell ? read_word(assignment) : read_plain(assignment));
    return assignment;
  }

 private:
  [[nodiscard]] std::unexpected<Error> error(std::string_view what, std::string_view hint) const {
    return std::unexpected(Error(at_line(file_, number_) + std::string(what)).hint(hint));
  }
  [[nodiscard]] std::unexpected<Error> expansion() const {
    return error(fmt::format("'{}' would be expanded by a shell, but this file is not run by one",
                             text_[at_]),
                 "write the value itself, or in single quotes where the sign belongs to it");
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  /// At the end of what counts: nothing, or a comment, follows.
  [[nodiscard]] bool done() const { return at_ == text_.size() || text_[at_] == '#'; }

  Result<void> read_quoted(std::string& value) {
    const char quote = text_[at_++];
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      const char c = text_[at_];
      if (quote == '"' && (c == '$' || c == '`' || c == '\\')) return expansion();
      value += c;
    }
    if (at_ == text_.size()) return error(fmt::format("no closing {}", quote), kForm);
    ++at_;
    return {};
  }

  Result<void> read_plain(Assignment& assignment) {
    assignment.begin = at_;
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
      CHECK(read_quoted(assignment.value));
      assignment.end = at_;
      const bool apart = at_ < text_.size() && is_blank(text_[at_]);
      skip_blanks();
      if (at_ != text_.size() && !(apart && done())) return error("text behind the quotes", kForm);
      return {};
    }
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '#' && is_blank(text_[at_ - 1])) break;
      if (c == '$' || c == '`' || c == '\\') return expansion();
      if (c == '\'' || c == '"') return error("a quote within a value", kForm);
    }
    const std::string_view value = text_.substr(assignment.begin, at_ - assignment.begin);
    const auto last = value.find_last_not_of(kBlanks);
    assignment.value = last == std::string_view::npos ? "" : value.substr(0, last + 1);
    assignment.end = assignment.begin + assignment.value.size();
    return {};
  }

  Result<void> read_word(Assignment& assignment) {
    constexpr std::string_view expanded = "$`\\";
    constexpr std::string_view operators = ";&|<>()";
    assignment.begin = at_;
    if (at_ < text_.size() && text_[at_] == '~') return expansion();
    while (at_ < text_.size() && !is_blank(text_[at_])) {
      const char c = text_[at_];
      if (c == '\'' || c == '"') {
        CHECK(read_quoted(assignment.value));
        continue;
      }
      if (expanded.contains(c)) return expansion();
      if (operators.contains(c)) {
        return error(fmt::format("'{}' makes this more than an assignment", c), kForm);
      }
      assignment.value += c;
      ++at_;
    }
    assignment.end = at_;
    skip_blanks();
    if (!done()) return error("more than one word", "put quotes around a value with blanks");
    return {};
  }

  std::string_view text_;
  std::size_t at_;
  std::size_t number_;
  std::string_view file_;
  ValueSyntax syntax_;
};

/// How many single-character edits lie between two keys.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({replaced, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

}  // namespace

std::string at_line(std::string_view file, std::size_t line) {
  return fmt::format("'{}' line {}: ", file, line);
}

Result<std::vector<Assignment>> parse_assignments(std::string_view text, std::string_view file,
                                                  ValueSyntax syntax) {
  std::vector<Assignment> assignments;
  std::map<std::string, std::size_t, std::less<>> seen;
  std::size_t begin = 0;
  for (std::size_t number = 1; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    TRY(auto assignment, LineReader(text, begin, end, number, file, syntax).read());
    begin = end + 1;
    if (!assignment) continue;
    const auto [first, fresh] = seen.emplace(assignment->key, number);
    if (!fresh) {
      return std::unexpected(
          Error(fmt::format("{}'{}' is set twice, first on line {}", at_line(file, number),
                            printable(assignment->key), first->second))
              .hint("keep one of the two lines"));
    }
    assignments.push_back(*std::move(assignment));
  }
  return assignments;
}

Error unknown_key(const Assignment& assignment, std::string_view file,
                  std::span<const std::string_view> known) {
  const std::string_view nearest = *std::ranges::min_element(
      known, {}, [&](std::string_view key) { return edit_distance(key, assignment.key); });
  Error error(fmt::format("{}unknown key '{}'", at_line(file, assignment.line),
                          printable(assignment.key, 40)));
  if (edit_distance(nearest, assignment.key) <= 2) {
    return std::move(error).hint(fmt::format("did you mean '{}'?", nearest));
  }
  return std::move(error).hint(fmt::format("the keys are {}", fmt::join(known, ", ")));
}

Error bad_value(const Assignment& assignment, std::string_view file, std::string_view accepted) {
  return Error(fmt::format("{}{} takes {}, not '{}'", at_line(file, assignment.line),
                           assignment.key, accepted, printable(assignment.value)));
}

}  // namespace evojail
